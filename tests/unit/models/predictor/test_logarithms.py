"""Outcomes whose logarithms add up are told so; others are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.models.predictor.logarithms import logarithm_warnings
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode


def told(texts: list[str], *columns: np.ndarray, task: str = "regression") -> list[str]:
    names = tuple("abc"[: len(columns)])
    outcomes = Outcomes(names, task, np.stack(columns, 1), np.ones(len(texts)))
    return logarithm_warnings(encode(texts, get_alphabet("dna")), outcomes, np.arange(len(texts)), seed=0)


@pytest.mark.parametrize("lengths", [(12, 13), (10, 16)])
def test_what_multiplies_is_told_and_what_adds_up_is_not(lengths: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), rng.integers(*lengths))) for _ in range(300)]
    share = np.array([text.count("G") / len(text) for text in texts])
    sums = (share - share.mean()) / share.std() + rng.normal(0, 0.2, len(texts))
    powers, plain = 10 ** (0.5 * sums), sums - sums.min() + 0.1
    (text,) = told(texts, powers)
    assert text.startswith("'a': ridge regression explains 9")
    assert text.endswith("of that of its numbers: --task log10 learns logarithms")
    assert told(texts, plain) == []
    assert told(texts, powers - powers.min()) == []  # a zero has no logarithm
    assert told(texts, powers**0.1) == []  # within a few percent both are one
    assert told(texts, np.log10(powers), task="log10") == []
    powers[:100] = np.nan
    (text,) = told(texts, plain, powers)
    assert text.startswith("'b'")
    assert text.endswith("give a column of logarithms, as --task log10 is for all outcomes")
