"""The linear start of an ensemble: ridge regression in closed form, its strength chosen on held-back rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

STRENGTHS = (0.03, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 10_000.0)
"""Penalties lambda that are tried, in units of one row's squared features, and infinity."""
GAINS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0, 11.3, 16.0)
"""Factors from a least-squares fit of 0 and 1 to log-odds that are tried."""
_ROWS = 8192


@dataclass(frozen=True)
class _Sums:
    """Weighted second moments of features and targets of some rows."""

    weight: float
    x: Tensor
    y: Tensor
    xx: Tensor
    xy: Tensor

    def minus(self, other: _Sums) -> _Sums:
        return _Sums(
            self.weight - other.weight, self.x - other.x, self.y - other.y, self.xx - other.xx,
            self.xy - other.xy,
        )  # fmt: skip


def _sums(x: Tensor, y: Tensor, weight: Tensor) -> _Sums:
    """Moments of x (N, I), y (N, K) under weights (N,), in float64 in chunks."""
    num_in, num_out = x.shape[1], y.shape[1]
    new = torch.zeros(num_in, num_in + 1 + num_out, dtype=torch.float64)
    mean_y = torch.zeros(num_out, dtype=torch.float64)
    for rows in torch.nonzero(weight > 0).flatten().split(_ROWS):
        xs, ys, ws = (t[rows].double() for t in (x, y, weight))
        xw = (xs * ws[:, None]).T
        new[:, :num_in] += xw @ xs
        new[:, num_in] += xw.sum(1)
        new[:, num_in + 1 :] += xw @ ys
        mean_y += ws @ ys
    return _Sums(float(weight.double().sum()), new[:, num_in], mean_y, new[:, :num_in], new[:, num_in + 1 :])


def _solutions(sums: _Sums) -> list[tuple[Tensor, Tensor]]:
    """(weights (I, K), bias (K,)) for each strength, and the constant."""
    mean_x, mean_y = sums.x / sums.weight, sums.y / sums.weight
    a = sums.xx - sums.weight * torch.outer(mean_x, mean_x)
    b = sums.xy - sums.weight * torch.outer(mean_x, mean_y)
    found = []
    for strength in STRENGTHS:
        factor, failed = torch.linalg.cholesky_ex(a + strength * torch.eye(len(a), dtype=a.dtype))
        if not failed:
            beta = torch.cholesky_solve(b, factor)
            found.append((beta, mean_y - mean_x @ beta))
    return [*found, (torch.zeros_like(b), mean_y)]


def ridge_start(x: Tensor, y: Tensor, train: Tensor, judge: Tensor, *, task: str) -> tuple[Tensor, Tensor]:
    """Linear scores for M members: weights (M, I, K) and biases (M, K), in float32.

    x (N, I) are the features, y (N, K) standardised outcomes (NaN = not measured), or 0 and 1. ``train`` and
    ``judge`` (N, M) are the rows' weights for each member to learn from and to choose the penalty by. For
    labels, the least-squares fit f of p is turned into log-odds logit(mean) + g (f - mean), with g chosen by
    the likelihood.
    """
    varies = (x != x[:1]).any(0)
    members, parts = train.shape[1], x[:, varies]
    weights = torch.zeros(members, x.shape[1], y.shape[1])
    biases = torch.zeros(members, y.shape[1])
    patterns = y.isnan()
    shared = bool((patterns == patterns[:, :1]).all())
    groups = [list(range(y.shape[1]))] if shared else [[k] for k in range(y.shape[1])]
    for group in groups:
        known = (~patterns[:, group[0]]).to(x.dtype)
        target = y[:, group].nan_to_num()
        base = _sums(parts, target, (train + judge).amax(1) * known)
        for m in range(members):
            left_out = _sums(parts, target, ((train + judge).amax(1) - train[:, m]) * known)
            beta, bias = _chosen(
                _solutions(base.minus(left_out)), parts, target, judge[:, m] * known, task=task
            )
            place = torch.nonzero(varies).flatten()
            for i, k in enumerate(group):
                weights[m, place, k] = beta[:, i].float()
                biases[m, k] = bias[i].float()
    return weights, biases


def _chosen(
    solutions: list[tuple[Tensor, Tensor]], x: Tensor, y: Tensor, weight: Tensor, *, task: str
) -> tuple[Tensor, Tensor]:
    """The solution with the least loss on the weighted rows, for labels as log-odds."""
    rows = torch.nonzero(weight > 0).flatten()
    xs, ys, ws = (t[rows].double() for t in (x, y, weight))
    best, chosen = float("inf"), solutions[-1]
    for beta, bias in solutions:
        fitted = xs @ beta
        if task == "regression":
            loss = float(((fitted + bias - ys).square().mean(1) * ws).mean())
            if loss < best:
                best, chosen = loss, (beta, bias)
            continue
        mean = solutions[-1][1].clamp(1e-4, 1 - 1e-4)
        odds = torch.logit(mean) if task == "binary" else mean.log()
        for gain in GAINS:
            scores = odds + gain * (fitted + bias - mean)
            loss = float((_label_loss(scores, ys, task) * ws).mean())
            if loss < best:
                best, chosen = loss, (gain * beta, odds + gain * (bias - mean))
    return chosen


def _label_loss(scores: Tensor, y: Tensor, task: str) -> Tensor:
    """Cross-entropy of each row."""
    if task == "binary":
        return F.binary_cross_entropy_with_logits(scores, y, reduction="none").mean(1)
    return -(y * scores.log_softmax(1)).sum(1)
