"""Promises of words near their places; those of plain counts stand in test_spectra."""

from __future__ import annotations

from seqdesign.metrics.kmers import placed_kmer_matrix


def test_a_word_counts_for_the_two_places_around_it() -> None:
    found = placed_kmer_matrix(["ACAC", "NAC"], "AC", 2, width=2, length=4).toarray()
    assert found.shape == (2, 4 * 4)
    ac, ca = found[:, 4:8].tolist(), found[:, 8:12].tolist()
    assert ac == [[1, 1, 0, 0], [0.5, 0.5, 0, 0]]  # AC at 0 and 2; at 1, between both
    assert ca == [[0.5, 0.5, 0, 0], [0, 0, 0, 0]]
    assert found.sum() == 4
