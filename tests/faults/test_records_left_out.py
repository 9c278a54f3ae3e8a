"""Records that an option leaves out are counted and named, on stderr and in the manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdesign.runs.manifest import read_manifest
from seqdesign.sequences.reader import read_sequences


def test_unknown_letters(tmp_path: Path, vae_folder: Callable[[Path], Path], cli: Callable[..., Any]) -> None:
    (tmp_path / "in.fa").write_text(">a\nACGT\n>b\nACNT\n>c\nACGA\n>d\nNCGT\n")
    folder, out = vae_folder(tmp_path / "m"), tmp_path / "p.csv"
    done = cli("predict", tmp_path / "in.fa", "-m", folder, "-o", out, "--on-unknown", "skip")
    said = "2 of 4 records left out by --on-unknown skip: b (line 3), d (line 7)"
    assert f"warning: {said}" in done.err
    assert read_manifest(out).notes == [said]
    assert len(out.read_text().splitlines()) == 3


def test_repeated_ids_and_missing_outcomes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,sequence,outcome\na,ACGT,1\na,ACGA,2\nb,ACGC,\nc,ACGG,3\n")
    found = read_sequences(path, on_duplicate="first", on_missing="drop")
    assert found.ids == ["a", "c"]
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 4 records left out by --on-duplicate first: a (line 3)",
        "1 of 3 records left out by --on-missing drop: b (line 4)",
    ]
