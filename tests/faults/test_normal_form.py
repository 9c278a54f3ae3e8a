"""Edits and matches are counted between texts of one form; what is written is in the model's alphabet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import decode, encode, normal_form
from seqdesign.sequences.fasta import header_fields, read_fasta

DNA = get_alphabet("dna")


@given(st.lists(st.text("ACGTUacgtu-.*", min_size=1), min_size=1))
def test_the_normal_form_is_what_the_model_reads(texts: list[str]) -> None:
    texts = [text.replace("*", "") + "*" for text in texts]
    found = normal_form(texts, DNA, convert_ut=True, gaps="strip")
    assert found == decode(encode(texts, DNA, convert_ut=True, gaps="strip").tokens, DNA)


def test_masked_letters_stay_as_they_were_read() -> None:
    assert normal_form(["acRt"], DNA) == ["ACRT"]


@pytest.mark.parametrize("text", ["ACGU", "acgt", "AC-GT", "ACGT"])
def test_the_same_sequence_gives_the_same_revision(
    tmp_path: Path, vae_folder: Callable[[Path], Path], cli: Callable[..., Any], text: str
) -> None:
    (tmp_path / "in.fa").write_text(f">a\n{text}\n")
    (tmp_path / "plain.fa").write_text(">a\nACGT\n")
    folder, records = vae_folder(tmp_path / "m"), []
    for name in ("in", "plain"):
        out = tmp_path / f"{name}.out.fa"
        words = ["--convert-ut", "--gaps", "strip", "--max-edits", "2", "-q", "-o", out]
        done = cli("revise", tmp_path / f"{name}.fa", "-m", folder, *words)
        assert done.code == 0, done.err
        records.append(next(read_fasta(out)))
    assert records[0] == records[1]
    assert set(records[0].sequence) <= set("ACGT")
    assert int(header_fields(records[0].description)["edits"]) <= 2
