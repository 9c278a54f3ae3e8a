"""Degenerate codes stand for what biopython says, and the smallest is found."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from Bio.Seq import Seq

from seqdesign.errors import UsageError
from seqdesign.libraries.degenerate import base_codes, codon_codes, expansions


def test_codes_stand_for_what_their_codons_translate_to():
    codes = codon_codes()
    assert len(codes.codes) == 3375
    for code in [*codes.codes[::97], "NNK", "TAR", "ATG"]:
        codons = list(expansions(code))
        assert codes.size(code) == len(codons)
        assert set(codes.covered(code)) == {str(Seq(codon).translate()) for codon in codons}


@pytest.mark.parametrize("stops", [True, False])
def test_the_smallest_size_is_that_of_an_exhaustive_search(stops):
    codes = codon_codes(stops)
    rng = np.random.default_rng(0)
    for num in (1, 2, 3, 5, 8, 20):
        letters = "".join(rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), num, replace=False))
        wanted = codes.mask(letters)
        fitting = [int(s) for s, m in zip(codes.sizes, codes.masks, strict=True) if m & wanted == wanted]
        smallest = int(codes.smallest[wanted])
        if not fitting:  # without stops no codon stands for all twenty
            assert not stops
            with pytest.raises(UsageError, match="no degenerate code stands for"):
                codes.best(letters)
            continue
        assert smallest == min(fitting) == codes.size(codes.best(letters))


def test_among_equal_codes_those_used_most_without_stops_win():
    codes, usage = codon_codes(), {"CTG": 0.5, "CGC": 0.4, "TTA": 0.1}
    assert codes.best("L", usage) == "CTG"
    assert codes.best("R", usage) == "CGC"
    assert "*" not in codes.covered(codes.best("YC"))


def test_bases_are_covered_exactly():
    codes = base_codes()
    for num in (1, 2, 3, 4):
        for letters in itertools.combinations("ACGT", num):
            assert set(codes.covered(codes.best("".join(letters)))) == set(letters)
