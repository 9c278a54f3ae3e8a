"""Whether logarithms of an outcome are predicted better than its numbers, as where effects multiply."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.ensembles.features import linear_features
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.strands import explained
from seqdesign.sequences.encoders import TokenArray, one_hot
from seqdesign.training.splitting import folds

ROWS, FEWEST = 600, 40
"""Rows that are looked at, at most and at least."""
RANGE = 5.0
"""Largest over smallest of 95% of the numbers; in narrower ones both are much the same."""
MORE = 0.1
"""Share of the variance by which logarithms must be explained better."""


def logarithm_warnings(
    tokens: TokenArray, outcomes: Outcomes, groups: NDArray[np.int64], seed: int
) -> list[str]:
    """What to say of outcomes that are learned as numbers though ridge regression of letters at their places
    explains clearly more of their logarithms.

    groups (N,): rows of one group are never on both sides.
    """
    if outcomes.task != "regression":
        return []
    remedy = "--task log10 learns logarithms"
    if len(outcomes.names) > 1:
        remedy = "give a column of logarithms, as --task log10 is for all outcomes"
    return [
        f"{text}: {remedy}"
        for name, values in zip(outcomes.names, outcomes.values.T, strict=True)
        if (text := _found(tokens, name, values, groups, seed))
    ]


def _found(
    tokens: TokenArray, name: str, values: NDArray[np.float64], groups: NDArray[np.int64], seed: int
) -> str:
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < FEWEST or values[known].min() <= 0:
        return ""
    low, high = np.quantile(values[known], [0.025, 0.975])
    if high < RANGE * low:
        return ""
    rng = np.random.default_rng([seed, 37])
    known = np.sort(rng.permutation(known)[:ROWS])
    some = tokens.take(known)
    x = one_hot(torch.from_numpy(some.tokens.astype(np.int64)), some.alphabet)
    lengths = torch.from_numpy(some.lengths.astype(np.int64))
    inside = torch.arange(x.shape[2]) < lengths[:, None]
    placed = bool((lengths == lengths[0]).all())
    features = linear_features(x, inside, x.shape[2], positional=placed)
    fold = folds(groups[known], 0.25, 4, rng)
    plain, logs = (
        explained(features, torch.from_numpy((y - y.mean()) / (y.std() or 1.0)).float()[:, None], fold)
        for y in (values[known], np.log(values[known]))
    )
    if logs - max(plain, 0.0) < MORE:
        return ""
    return (
        f"'{name}': ridge regression explains {logs:.0%} of the variance of its logarithms, but "
        f"{max(plain, 0.0):.0%} of that of its numbers"
    )
