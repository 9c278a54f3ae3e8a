"""Classifier two-sample test: can a classifier tell the two sets apart? (Lopez-Paz and Oquab 2017)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from seqdesign.metrics.regression import average_ranks

FloatArray = npt.NDArray[np.float64]

_STEPS = 25


def logistic_ridge(x: FloatArray, y: FloatArray, penalty: float) -> FloatArray:
    """Coefficients (D + 1,), the intercept last, of logistic regression on rows (N, D) with labels 0/1 (N,).

    Minimises sum of log losses + penalty / 2 ||w||^2, intercept free, by Newton's method with halved steps;
    penalty > 0 makes the optimum unique.
    """
    design = np.column_stack([x, np.ones(len(x))])
    ridge = np.append(np.full(x.shape[1], penalty), 1e-9)
    w = np.zeros(design.shape[1])
    loss = _loss(design, y, ridge, w)
    for _ in range(_STEPS):
        p = expit(design @ w)
        gradient = design.T @ (p - y) + ridge * w
        hessian = (design * (p * (1 - p))[:, None]).T @ design
        hessian[np.diag_indices_from(hessian)] += ridge
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while (new := _loss(design, y, ridge, w - scale * step)) > loss and scale > 1e-6:
            scale /= 2
        w = w - scale * step
        if loss - new < 1e-9 * max(1.0, abs(loss)):
            break
        loss = new
    return w


def _loss(design: FloatArray, y: FloatArray, ridge: FloatArray, w: FloatArray) -> float:
    score = design @ w
    return float((np.logaddexp(0.0, score) - y * score).sum() + 0.5 * (ridge * w**2).sum())


def auc_with_error(first: FloatArray, second: FloatArray) -> tuple[float, float]:
    """(AUC, standard error) of scores of two samples: P(first > second), ties half.

    The error is DeLong's (1988): the variances of each side's placements among the other. Both samples need
    two scores or more.
    """
    n, m = len(first), len(second)
    whole = average_ranks(np.concatenate([first, second]))
    above = (whole[:n] - average_ranks(first)) / m
    below = 1.0 - (whole[n:] - average_ranks(second)) / n
    variance = float(above.var(ddof=1)) / n + float(below.var(ddof=1)) / m
    return float(above.mean()), math.sqrt(variance)


def two_sample_auc(
    first: FloatArray, second: FloatArray, rng: np.random.Generator, *, folds: int = 5, penalty: float = 100.0
) -> tuple[float, float]:
    """(AUC, standard error) with which rows of ``first`` (N, D) are told from ``second`` (M, D).

    Logistic regression on features standardised by the training folds, judged on the fold left out, and the
    AUC averaged over folds (pooling scores of different fits would push it below 0.5). 0.5 is
    indistinguishable, 1 tells every sequence. ValueError for fewer than 2 rows of either kind a fold.
    """
    if min(len(first), len(second)) < 2 * folds:
        raise ValueError(f"{folds} folds need {2 * folds} rows each, got {len(first)} and {len(second)}")
    x = np.vstack([first, second])
    y = np.repeat([1.0, 0.0], [len(first), len(second)])
    fold = np.concatenate([rng.permutation(len(part)) % folds for part in (first, second)])
    found = []
    for i in range(folds):
        test = fold == i
        centre, spread = x[~test].mean(axis=0), x[~test].std(axis=0)
        scaled = (x - centre) / np.where(spread > 0, spread, 1.0)
        w = logistic_ridge(scaled[~test], y[~test], penalty)
        score = scaled[test] @ w[:-1]
        found.append(auc_with_error(score[y[test] == 1.0], score[y[test] == 0.0]))
    return float(np.mean([a for a, _ in found])), math.sqrt(sum(e * e for _, e in found)) / folds
