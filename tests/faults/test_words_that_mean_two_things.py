"""Names of enzymes and methylases, patterns and typos are told apart; near misses are named."""

from __future__ import annotations

import pytest

from seqdesign.constraints.builtin.forbid import resolve
from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import get_alphabet


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("Dam", "GATC"), ("Dcm", "CCWGG"), ("CpG", "CG"), ("DAM", "DAM"), ("GAATTC", "GAATTC"),
        ("gaattc", "gaattc"), ("GAATtc", "GAATtc"), ("BsaI", "GGTCTC"), ("bsai", "GGTCTC"),
        ("NotI", "GCGGCCGC"),
    ],
)  # fmt: skip
def test_names_are_names_and_patterns_are_patterns(text: str, site: str) -> None:
    assert resolve(text, get_alphabet("dna")) == site


def test_sites_are_spelled_with_u_for_rna() -> None:
    assert resolve("Dam", get_alphabet("rna")) == "GAUC"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dam", "may be the methylase Dam.* or the pattern DAM"),
        ("Bsa", "'BsaI'.*the pattern is written BSA"),
        ("Not", "did you mean 'NotI'"),
        ("EcoR1", "did you mean 'EcoRI'"),
        ("BsaIX", "did you mean 'Bsa"),
    ],
)
def test_near_misses_are_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        resolve(text, get_alphabet("dna"))
