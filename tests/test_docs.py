"""The documentation says what the code does: options exist, commands have pages, links resolve, code runs."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdesign.config import fields_of
from seqdesign.constraints.starts import Starts
from seqdesign.revisers.methods.revise import DesignProblem, ReviseOptions
from seqdesign.sequences import bundled, datasets
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.testing.toy_latent import ToyLatentModel
from seqdesign_cli.commands import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "examples" / "README.md",
    *(ROOT / "docs").rglob("*.md"),
]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
OF_EVERY_PROGRAM = {"--help", "--help-all", "--version"}
OF_LAUNCHERS = {"--nnodes", "--nproc-per-node", "--rdzv-backend", "--rdzv-endpoint"} | {
    "--nodes", "--ntasks-per-node", "--gres",
}  # fmt: skip
"""Of torchrun and of SLURM, in docs/gpu.md."""


def options_of(command: str) -> set[str]:
    row = COMMANDS[command]
    specs = fields_of(getattr(importlib.import_module(row.module), row.config))
    return OF_EVERY_PROGRAM | {name for spec in specs for name in (spec.option, *spec.flags)}


def test_every_command_has_its_page_and_the_page_says_how_to_call_it() -> None:
    for command in COMMANDS:
        text = (ROOT / "docs" / f"{command}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# seqdesign {command}\n")
        assert re.search(rf"^seqdesign {command}\b", text, re.MULTILINE)
        assert "xit code" in text


@pytest.mark.parametrize("name", NAMES)
def test_options_named_in_a_page_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    command = Path(name).stem
    known = set().union(*map(options_of, COMMANDS)) | (OF_LAUNCHERS if name == "docs/gpu.md" else set())
    missing = [option for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", text) if option not in known]
    assert missing == []
    own = re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE) if command in COMMANDS else []
    assert [option for option in own if option not in options_of(command)] == []


@pytest.mark.parametrize("name", NAMES)
def test_commands_written_in_a_page_have_options_of_their_own(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for command, rest in re.findall(r"^seqdesign ([a-z-]+)(.*)$", block, re.MULTILINE):
            words = [word for word in rest.split() if re.match(r"--?[a-z]", word)]
            assert [word for word in words if word not in options_of(command)] == [], command


@pytest.mark.parametrize("name", NAMES)
def test_links_to_files_and_headings_resolve(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
            assert anchor in slugs, target


def test_table_columns_and_header_fields_of_revise_are_documented() -> None:
    from seqdesign.design.records import revision_columns

    text = (ROOT / "docs" / "revise.md").read_text(encoding="utf-8")
    assert [column for column in revision_columns("NAME") if f"`{column}`" not in text] == []


def code(containing: str) -> dict[str, Any]:
    """What the one Python block of architecture.md with these words defines."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if containing in b]
    names: dict[str, Any] = {}
    exec(compile(block, "architecture.md", "exec"), names)  # noqa: S102  (our own page)
    return names


def test_the_optimizer_of_the_architecture_page_finds_the_best_substitution() -> None:
    """With F(z) = sum z and letters A, B, C at 0, 1, 2, the best of one substitution turns an A into C."""
    model = ToyLatentModel(lambda z: z.sum(1), letters=3, max_length=3)
    tokens, lengths = model.tokens(["BAB", "CC"])
    problem = DesignProblem(model=model, tokens=tokens, lengths=lengths, score=lambda outcome: outcome)
    result = code("def point_mutants")["point_mutants"](problem, ReviseOptions(), 0)
    assert model.strings(result.tokens[:1, 0], result.lengths[:1, 0]) == ["BCB"]
    assert result.found[:, 0].tolist() == [True, False]
    assert result.num_scored.tolist() == [6, 4]


def test_the_objective_of_the_architecture_page_is_capped() -> None:
    score = code("def capped")["capped"](1.0)
    assert score(torch.tensor([0.5, 3.0])).tolist() == [0.5, 1.0]


def test_the_constraint_of_the_architecture_page_fixes_the_end() -> None:
    starts = Starts(get_alphabet("dna"), torch.zeros((1, 6), dtype=torch.long), torch.tensor([6]), 6)
    rule = code("def end_with")["end_with"]("RG", starts)
    tokens = torch.tensor([[0, 0, 0, 0, 2, 2], [0, 0, 0, 0, 1, 2]])
    assert rule.is_feasible(tokens, torch.zeros(2, dtype=torch.long)).tolist() == [True, False]
    assert [str(v) for v in rule.explain(tokens[1], 0)] == ["not R at 5-5"]


def test_the_alphabet_of_the_architecture_page_reads_and_complements(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = code("purine = Alphabet")
    assert capsys.readouterr().out == "(2, 4) ['RRYN', 'YR'] NRYY\n"
    assert names["array"].lengths.tolist() == [4, 2]


def test_the_data_set_of_the_architecture_page_can_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "data_dir", lambda: tmp_path)
    bundled.list_datasets.cache_clear()
    try:
        code("dna_mine")
        records = datasets.load_dataset("dna_mine")
    finally:
        bundled.list_datasets.cache_clear()
    assert records.sequences == ["ACGTAC", "ACGTTC"]
    assert records.outcomes is not None
    assert records.outcomes.tolist() == [1.5, 0.5]


def test_the_command_of_the_architecture_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code("InspectConfig")
    assert capsys.readouterr().out == "358 dna\n"


@pytest.mark.parametrize("page", ["docs/objectives.md", "docs/oracles.md", "CONTRIBUTING.md"])
def test_the_python_of_a_guide_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        exec(compile(block, page, "exec"), {})  # noqa: S102  (our own page)
        assert capsys.readouterr().out
    assert blocks
