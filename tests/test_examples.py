"""Every example runs, says something, and is listed in examples/README.md."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))

WRITTEN = {
    "01_train_and_revise.py": ("example-01/revised.fa", "example-01/revised.csv", "example-01/revised.html"),
    "02_library_revise.py": ("example-02/model/model.safetensors",),
    "04_logos.py": ("example-04/page.html", "example-04/difference.svg"),
    "05_splits_and_io.py": ("example-05/sites.fa.gz",),
    "06_maximize.py": ("example-06/designs.fa", "example-06/designs.html"),
    "07_joint.py": ("example-07/designs.fa", "example-07/samples.fa"),
    "09_foreign_model.py": ("example-09/contributions.csv",),
}


def test_the_list_of_examples_names_every_script_and_nothing_else() -> None:
    listed = re.findall(r"^\| `(\d\d_[a-z_]+\.py)` \|", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert listed == SCRIPTS
    assert len(SCRIPTS) >= 5


@pytest.mark.parametrize("name", SCRIPTS)
def test_example_runs_and_writes_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert len(capsys.readouterr().out.splitlines()) >= 1
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert set(WRITTEN.get(name, ())) <= set(written)
    assert all(path.startswith(f"example-{name[:2]}/") for path in written)
