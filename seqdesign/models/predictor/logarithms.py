"""Whether outcomes are predicted better by their logarithms than as numbers, as where effects multiply.

Judged is the order of rows that were not seen, which both can be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.ensembles.features import linear_features
from seqdesign.ensembles.ridge import ridge_start
from seqdesign.metrics.regression import spearman
from seqdesign.tasks.by_name import get_task

ROWS, FEWEST = 600, 40
"""Rows that are looked at, at most and at least."""
RANGE = 5.0
"""Largest over smallest of 95% of the numbers; in narrower ones both are much the same."""
MORE = 0.03
"""Of Spearman's correlation, by which logarithms must order rows better."""
PLACED = 20_000
"""Letters at places that are told apart."""
PARTS = 4


def better_by_logarithms(sequences: Sequence[str], values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Spearman's correlations of outcomes with what ridge regression of their logarithms, and of the numbers,
    predicts for rows that it has not seen, means over outcomes; None where logarithms are not clearly better
    for each.

    values (N, K): NaN not measured. Letters at their places are read where all have one length, else shares
    of letters and of pairs of neighbours.
    """
    found = []
    for column in values.T:
        pair = _orders(sequences, column)
        if pair is None or pair[0] - max(pair[1], 0.0) < MORE:
            return None
        found.append(pair)
    logs, plain = np.mean(found, axis=0)
    return float(logs), float(plain)


def _orders(sequences: Sequence[str], values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Of one outcome (N,); None where logarithms cannot be better."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < FEWEST or values[known].min() <= 0:
        return None
    low, high = np.quantile(values[known], [0.025, 0.975])
    if high < RANGE * low:
        return None
    rng = np.random.default_rng(41)
    known = np.sort(rng.permutation(known)[:ROWS])
    texts, y = [sequences[i].upper() for i in known.tolist()], values[known]
    _, same = np.unique(texts, return_inverse=True)
    fold = rng.permutation(same.max() + 1)[same] % PARTS
    x = _letters(texts)
    logs, plain = (spearman(y, _unseen(x, z, fold)) or 0.0 for z in (np.log(y), y / y.max()))
    return logs, plain


def _unseen(x: Tensor, y: NDArray[np.float64], fold: NDArray[np.int64]) -> NDArray[np.float64]:
    """What ridge regression of the other parts predicts of each row (N,), in standard deviations."""
    target = torch.from_numpy((y - y.mean()) / (y.std() or 1.0)).float()[:, None]
    judge = torch.stack([torch.from_numpy(fold == part).float() for part in range(PARTS)], dim=1)
    weights, biases = ridge_start(x, target, 1 - judge, judge, task=get_task("regression"))
    fitted = torch.einsum("ni,mik->mnk", x, weights) + biases[:, None]
    return np.asarray((fitted[:, :, 0].T * judge).sum(1).double().numpy())


def _letters(texts: Sequence[str]) -> Tensor:
    """What is read of texts, (N, I)."""
    codes = {letter: i for i, letter in enumerate(sorted(set("".join(texts))))}
    width = max(map(len, texts))
    rows = np.full((len(texts), width), -1)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = [codes[letter] for letter in text]
    x = (torch.from_numpy(rows)[:, None] == torch.arange(len(codes))[:, None]).float()
    placed = min(map(len, texts)) == width and width * len(codes) <= PLACED
    return linear_features(x, torch.from_numpy(rows >= 0), width, positional=placed)
