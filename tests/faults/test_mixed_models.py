"""A model folder is the old model, the new one or refused; what is refused changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seqdesign.errors import ModelError
from seqdesign.models.predictor.store import REFERENCE, load_reference

Cli = Callable[..., Any]
WORDS = (
    "--members",
    "2",
    "--hidden",
    "8",
    "--channels",
    "4",
    "--epochs",
    "6",
    "--architecture",
    "residual",
    "-q",
)


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_reference_of_another_model_is_refused(zoo: SimpleNamespace, tmp_path: Path) -> None:
    home = Path(zoo.numbers)
    mixed = tmp_path / "mixed"
    shutil.copytree(home, mixed)
    load_reference(mixed)
    shutil.copy(Path(zoo.labels) / REFERENCE, mixed / REFERENCE)
    with pytest.raises(ModelError, match="belongs to another model"):
        load_reference(mixed)


@pytest.mark.parametrize("extra", [("--resume", "--seed", "3"), ("--overwrite",)])
def test_a_refused_run_leaves_a_finished_model_as_it_was(
    zoo: SimpleNamespace, tmp_path: Path, cli: Cli, extra: tuple[str, ...]
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(zoo.numbers, folder)
    before = content(folder)
    source = Path(zoo.numbers).parent / "data.csv"
    if extra == ("--overwrite",):
        rows = source.read_text().splitlines()[:3]
        source = tmp_path / "two.csv"
        source.write_text("\n".join(rows) + "\n")
    done = cli("train-predictor", source, "-o", folder, *WORDS, *extra)
    assert done.code == 1
    assert content(folder) == before
