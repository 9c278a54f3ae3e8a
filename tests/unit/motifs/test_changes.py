"""Motifs in the construct that is made: across flanks and across the ends of a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdesign.motifs.changes import Construct, motifs_over, sites_of
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")


@pytest.fixture
def box(tmp_path: Path) -> str:
    """A motif file with TATAAC."""
    rows = "\n".join(" ".join("0.97" if c == x else "0.01" for c in "ACGT") for x in "TATAAC")
    head = "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF box box\n"
    head += "letter-probability matrix: alength= 4 w= 6 nsites= 9\n"
    (tmp_path / "box.meme").write_text(f"{head}{rows}\n")
    return str(tmp_path / "box.meme")


@pytest.mark.parametrize(
    ("construct", "sites"),
    [
        (Construct(), {}),
        (Construct(left="CGGTA", right="CCC"), {0: "box across the junction@1-4+"}),
        (Construct(left="TATAAC", right="TATAAC"), {}),  # sites outside are not the design's
        (Construct("TA", "", circular=True), {0: "box across the junction@1-4+"}),
        (Construct(circular=True), {0: "box across the junction@1-4+;box across the junction@15-16+"}),
    ],
)
def test_a_site_counts_where_the_design_is_part_of_it(
    construct: Construct, sites: dict[int, str], box: str
) -> None:
    design = "TAACGCGGCCGCCGTA"
    assert sites_of([design], motifs_over(box, DNA), DNA, construct) == sites


def test_a_circle_is_gone_around_no_further_than_its_length() -> None:
    circle = Construct("G", "", circular=True)
    assert circle.around("ACT", 2) == ("TG", "GA")
    assert circle.around("ACT", 9) == ("CTG", "GAC")
    assert Construct("ACGT", "GG").around("T", 3) == ("CGT", "GG")
