"""Probabilities: how far they are to be believed, and the temperature that makes them so."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def log_loss(scores: FloatArray, labels: NDArray[np.int64]) -> float:
    """Mean -log p of the right one: scores (N,) are log-odds of label 1, scores (N, C) logits of classes."""
    logits = np.stack([np.zeros_like(scores), scores], axis=1) if scores.ndim == 1 else scores
    top = logits.max(axis=1)
    normalizer = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((normalizer - logits[np.arange(len(labels)), labels]).mean())


def best_temperature(scores: FloatArray, labels: NDArray[np.int64]) -> float:
    """T in [0.2, 10] that minimises the log loss of scores / T (Guo et al. 2017), to 1%."""
    grid = np.exp(np.linspace(math.log(0.2), math.log(10.0), 395))
    return float(grid[np.argmin([log_loss(scores / t, labels) for t in grid])])


def calibration_curve(
    probabilities: FloatArray, right: FloatArray, *, bins: int = 10
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(mean probability, share that was right, rows) of each bin of equal width that is not empty."""
    place = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins).astype(np.float64)
    used = counts > 0
    means = [
        np.bincount(place, weights=v, minlength=bins)[used] / counts[used] for v in (probabilities, right)
    ]
    return means[0], means[1], counts[used]


def calibration_error(probabilities: FloatArray, right: FloatArray, *, bins: int = 10) -> float:
    """Expected calibration error: mean |probability - share that was right| over bins, weighted by rows."""
    said, found, counts = calibration_curve(probabilities, right, bins=bins)
    return float((np.abs(said - found) * counts).sum() / counts.sum())


def as_borne_out(probabilities: FloatArray, rows: int, answers: int) -> FloatArray:
    """Probabilities, of the same shape and in the same order, no surer than so many rows can make them.

    Laplace's rule, as if each of the possible answers had been met once more: an answer that was right in all
    of n rows is wrong in the next one with probability 1 / (n + answers). Sums over all answers stay 1.
    """
    found: FloatArray = (rows * probabilities + 1.0) / (rows + answers)
    return found
