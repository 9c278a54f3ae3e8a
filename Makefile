# Needs make, Python 3.11 or newer with venv, and a package index. PYTHON=python3.12 make ... picks another one.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
export OMP_NUM_THREADS ?= 1
# Those that need nothing but the bundled data.
BENCHMARKS := speed/startup files/io_speed speed/nearest_speed speed/beam_speed revise/revise_speed \
	rules/constraints_judge motifs/motif_recovery revise/measured_truth revise/simulation_study

.PHONY: help demo test slow coverage check format docs gallery bench clean

help:
	@echo "make demo    train on bundled data, revise, write report.html"
	@echo "make test    the test suite without the slow tests"
	@echo "make slow    the slow tests"
	@echo "make coverage  the test suite, and which lines and branches it reaches"
	@echo "make check   lint, format, types, layers"
	@echo "make format  let ruff rewrite the files"
	@echo "make docs    the documentation as a site in site/"
	@echo "make gallery  the pictures of docs/gallery.md, from pages like the demo's; needs Chromium"
	@echo "make bench   measure speed against peers"
	@echo "make clean   remove .venv and caches"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("seqdesign needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

demo: $(READY)
	$(BIN)/seqdesign demo

# It also prints which branches of the command layer the tests take, and fails below 95% of them.
test: $(READY)
	$(BIN)/python -m pytest -n 2 -m "not slow" -p tests.branches

# Tracing the whole package takes a third more time, so it is not part of `make test`.
coverage: $(READY)
	$(BIN)/python -m pytest -n 2 -m "not slow" --cov --cov-report=term

slow: $(READY)
	$(BIN)/python -m pytest -m slow

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Material for MkDocs prints a notice about its successor, which reads the same mkdocs.yml.
docs: $(READY)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[dev,docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q
	@echo "open site/index.html"

# The folder keeps the pages, so that a second run only takes the pictures again.
GALLERY ?= demo/gallery
gallery: $(READY)
	GALLERY=$(GALLERY) $(BIN)/python -m pytest tests/test_gallery.py

bench: $(READY)
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py; done

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage dist site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
