"""Outcomes that multiply are learned as logarithms; others as they are."""

from __future__ import annotations

import numpy as np
import pytest

import seqdesign as sd
from seqdesign.errors import UsageError
from seqdesign.models.predictor.logarithms import better_by_logarithms
from seqdesign.models.predictor.outcomes import read_outcomes


def simulated(shortest: int, longest: int) -> tuple[list[str], np.ndarray]:
    """Sequences, and sums over their letters with noise."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), rng.integers(shortest, longest + 1))) for _ in range(300)]
    share = np.array([text.count("G") / len(text) for text in texts])
    return texts, (share - share.mean()) / share.std() + rng.normal(0, 0.2, len(texts))


@pytest.mark.parametrize("lengths", [(12, 12), (10, 16)])
def test_what_multiplies_is_told_from_what_adds_up(lengths: tuple[int, int]) -> None:
    texts, sums = simulated(*lengths)
    powers, plain = 10**sums, sums - sums.min() + 0.1
    found = better_by_logarithms(texts, powers[:, None])
    assert found is not None
    assert found[0] > 0.9 > found[1]
    assert better_by_logarithms(texts, plain[:, None]) is None
    assert better_by_logarithms(texts, np.stack([powers, plain], 1)) is None  # one task is for all
    assert better_by_logarithms(texts, (powers - powers.min())[:, None]) is None  # 0 has no logarithm
    assert better_by_logarithms(texts, (powers**0.05)[:, None]) is None  # within a few percent both are one
    powers[:280] = np.nan
    assert better_by_logarithms(texts, powers[:, None]) is None  # too few to say


def test_logarithms_are_taken_unless_a_task_is_named() -> None:
    texts, sums = simulated(10, 16)
    cells = [f"{value:.6g}" for value in 10 ** (0.38 * sums)]
    for limits, task in ((False, "log10"), (True, "censored-log10")):
        data = sd.SequenceSet(
            [str(i) for i in range(len(texts))], texts,
            columns={"kd": [f">{cell}" if limits and i % 9 == 0 else cell for i, cell in enumerate(cells)]},
        )  # fmt: skip
        found = read_outcomes(data, ("kd",))
        assert (found.task, found.names) == (task, ("log10 kd",))
        assert "orders rows better by them (rho 0.9" in found.said[0]
        plain = task.removesuffix("log10").removesuffix("-") or "regression"
        assert read_outcomes(data, ("kd",), task=plain).task == plain


def test_an_outcome_that_is_named_twice_is_refused() -> None:
    data = sd.SequenceSet(["a"], ["ACGT"], columns={"kd": ["1"]})
    with pytest.raises(UsageError, match="--outcome: names 'kd' twice"):
        read_outcomes(data, ("kd", "kd"))
