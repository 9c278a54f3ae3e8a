"""Similarities of texts, by hand."""

from __future__ import annotations

import pytest

from seqdesign.metrics.likeness import alignment_similarity, edit_similarity


def test_what_pairs_are_worth_by_edits_and_by_alignment() -> None:
    assert edit_similarity(["kitten", "ACGT", ""], ["sitting", "ACGT", ""]).tolist() == [1 - 3 / 7, 1, 1]
    same, conservative, radical = alignment_similarity(["WWID"] * 3, ["WWID", "WWVD", "AWID"], protein=True)
    own = 11 + 11 + 4 + 6  # BLOSUM62: W 11, I 4, D 6, I-V 3, W-A -3
    assert same == 1
    assert conservative == pytest.approx((own - 4 + 3) / own)
    assert radical == pytest.approx((own - 11 - 3) / own, abs=0.12)  # or a gap at the end, which is cheap
    assert radical < conservative
    assert alignment_similarity(["ACGTACGT"], ["ACGTACGA"], protein=False)[0] == pytest.approx(6 / 8)
