"""Ridge regression of all members of an ensemble, its strength chosen on rows that a member does not know.

By normal equations where there are fewer features than rows, by their dual where there are more, and by
conjugate gradients where both are many: time is linear in the rows and in the features times the smaller of
the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from seqdesign.tasks.task import Task

STRENGTHS = (0.03, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 10_000.0)
"""Penalties lambda that are tried, in units of one row's squared features, and infinity."""
EXACT = 2048
"""Unknowns up to which equations are solved exactly."""
SMALL_EIGEN = 400
"""Unknowns from which a factorisation for each strength costs less than one of the eigenvectors."""
ROUNDS, TOLERANCE = 40, 1e-3
"""Of conjugate gradients: steps at most, and the residual that is small enough."""
_ROWS = 8192

Solution = tuple[Tensor, Tensor]
"""Weights (I, K) and bias (K,)."""


def ridge_start(x: Tensor, y: Tensor, train: Tensor, judge: Tensor, *, task: Task) -> tuple[Tensor, Tensor]:
    """Linear scores for M members: weights (M, I, K) and biases (M, K), in float32.

    x (N, I) are the features, y (N, K) standardised outcomes (NaN = not measured), or 0 and 1. ``train`` and
    ``judge`` (N, M) are the rows' weights for each member to learn from and to choose the penalty by. For
    labels, the least-squares fit f of p is turned into log-odds logit(mean) + g (f - mean), with g chosen by
    the likelihood.
    """
    varies = torch.nonzero((x != x[:1]).any(0)).flatten()
    members, parts = train.shape[1], x[:, varies]
    weights = torch.zeros(members, x.shape[1], y.shape[1])
    biases = torch.zeros(members, y.shape[1])
    for group in same_gaps(y):
        known = (~y[:, group[0]].isnan()).to(x.dtype)
        target = y[:, group].nan_to_num()
        solver = _solver(parts, target, train * known[:, None])
        strengths: Sequence[float] = STRENGTHS
        for m in range(members):
            found = solver.solutions(m, strengths)
            place, (beta, bias) = chosen(found, parts, target, judge[:, m] * known, task=task)
            if m == 0:  # what is right for one member is near what is right for the others
                strengths = STRENGTHS[max(0, place - 1) : place + 2]
            for i, k in enumerate(group):
                weights[m, varies, k] = beta[:, i].float()
                biases[m, k] = bias[i].float()
    return weights, biases


def same_gaps(y: Tensor) -> list[list[int]]:
    """Outcomes of y (N, K) that can be learned together: all, or each by itself where they lack values."""
    gaps = y.isnan()
    if bool((gaps == gaps[:, :1]).all()):
        return [list(range(y.shape[1]))]
    return [[k] for k in range(y.shape[1])]


class _Solver(Protocol):
    """Solutions of one member, and the constant last."""

    def solutions(self, member: int, strengths: Sequence[float]) -> list[Solution]:
        """In the order of the strengths."""
        ...


def _solver(x: Tensor, y: Tensor, taught: Tensor) -> _Solver:
    """What fits x (N, I), y (N, K) and the members' weights (N, M)."""
    rows = int((taught > 0).any(1).sum())
    if min(rows, x.shape[1]) > EXACT:
        return _Steps(x, y, taught)
    return _Primal(x, y, taught) if x.shape[1] <= rows else _Dual(x, y, taught)


class _Primal:
    """By second moments: those of all rows once, less those of what a member leaves out."""

    def __init__(self, x: Tensor, y: Tensor, taught: Tensor) -> None:
        self.x, self.y, self.taught = x, y, taught
        self.everyone = taught.amax(1)
        self.base = _sums(x, y, self.everyone)

    def solutions(self, member: int, strengths: Sequence[float]) -> list[Solution]:
        left_out = _sums(self.x, self.y, self.everyone - self.taught[:, member])
        total, a, b = (p - q for p, q in zip(self.base, left_out, strict=True))
        count = total[0, 0].clamp(min=1e-12)
        mean_x, mean_y = a[0] / count, b[0] / count
        gram = a[1:] - count * torch.outer(mean_x, mean_x)
        cross = b[1:] - count * torch.outer(mean_x, mean_y)
        return _weights(_spectral(gram, cross, strengths), mean_x, mean_y)


def _sums(x: Tensor, y: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sum of weights (1, 1); sums of x, then x'x (1 + I, I); the same of x and y (1 + I, K); in float64."""
    num_in, num_out = x.shape[1], y.shape[1]
    a = torch.zeros(1 + num_in, num_in, dtype=torch.float64)
    b = torch.zeros(1 + num_in, num_out, dtype=torch.float64)
    for rows in torch.nonzero(weight > 0).flatten().split(_ROWS):
        xs, ys, ws = (t[rows].double() for t in (x, y, weight))
        left = torch.cat([ws[:, None], xs * ws[:, None]], dim=1).T
        a += left @ xs
        b += left @ ys
    return weight.double().sum().view(1, 1), a, b


class _Dual:
    """Through the products of rows with each other, where features are more than rows."""

    def __init__(self, x: Tensor, y: Tensor, taught: Tensor) -> None:
        self.x, self.y, self.taught = x, y, taught
        self.gram = (x @ x.T).double()

    def solutions(self, member: int, strengths: Sequence[float]) -> list[Solution]:
        rows = torch.nonzero(self.taught[:, member] > 0).flatten()
        x, y, weight = self.x[rows], self.y[rows].double(), self.taught[rows, member].double()
        share, root = weight / weight.sum(), weight.sqrt()[:, None]
        own = self.gram[rows][:, rows]
        middle = own @ share
        own = own - middle - middle[:, None] + share @ middle
        mean_x, mean_y = share.to(x.dtype) @ x, share @ y
        found = []
        for a in _spectral(root * own * root.T, (y - mean_y) * root, strengths):
            a = (a * root).to(x.dtype)
            found.append(x.T @ a - mean_x[:, None] * a.sum(0))
        return _weights(found, mean_x, mean_y.to(x.dtype))


def _spectral(a: Tensor, b: Tensor, strengths: Sequence[float]) -> list[Tensor]:
    """(a + strength I)^-1 b for all strengths."""
    if len(a) <= SMALL_EIGEN:
        values, vectors = torch.linalg.eigh(a)
        turned, values = vectors.T @ b, values.clamp(min=0)
        return [vectors @ (turned / (values + strength)[:, None]) for strength in strengths]
    found = []
    for strength in strengths:
        factor, failed = torch.linalg.cholesky_ex(a + strength * torch.eye(len(a), dtype=a.dtype))
        if not failed:
            found.append(torch.cholesky_solve(b, factor))
    return found


def _weights(found: list[Tensor], mean_x: Tensor, mean_y: Tensor) -> list[Solution]:
    solutions = [(beta, mean_y - mean_x @ beta) for beta in found]
    return [*solutions, (torch.zeros(len(mean_x), len(mean_y), dtype=mean_x.dtype), mean_y)]


class _Steps:
    """Conjugate gradients for all members at once, from the strongest penalty to the weakest."""

    def __init__(self, x: Tensor, y: Tensor, taught: Tensor) -> None:
        share = taught / taught.sum(0)
        self.mean_x, self.mean_y = share.T @ x, share.T @ y
        cross = _back(x, (y[:, None] - self.mean_y) * taught[:, :, None], self.mean_x)
        beta = torch.zeros_like(cross)
        self.found: dict[float, Tensor] = {}
        for strength in reversed(STRENGTHS):
            beta = _conjugate(x, taught, self.mean_x, cross, beta, strength)
            self.found[strength] = beta

    def solutions(self, member: int, strengths: Sequence[float]) -> list[Solution]:
        found = [self.found[strength][:, member] for strength in strengths]
        return _weights(found, self.mean_x[member], self.mean_y[member])


def _conjugate(
    x: Tensor, taught: Tensor, mean_x: Tensor, cross: Tensor, beta: Tensor, strength: float
) -> Tensor:
    """Solve (X'WX - W m m' + strength) beta = cross for each member and outcome; all are (I, M, K)."""

    def product(p: Tensor) -> Tensor:
        fitted = (x @ p.flatten(1)).view(len(x), *p.shape[1:])
        fitted = fitted - torch.einsum("mi,imk->mk", mean_x, p)
        return _back(x, fitted * taught[:, :, None], mean_x) + strength * p

    rest = cross - product(beta)
    step, size = rest, rest.square().sum(0)
    enough = TOLERANCE**2 * cross.square().sum(0).clamp(min=1e-30)
    for _ in range(ROUNDS):
        if bool((size <= enough).all()):
            break
        moved = product(step)
        length = size / (step * moved).sum(0).clamp(min=1e-30)
        beta, rest = beta + length * step, rest - length * moved
        before, size = size, rest.square().sum(0)
        step = rest + size / before.clamp(min=1e-30) * step
    return beta


def _back(x: Tensor, errors: Tensor, mean_x: Tensor) -> Tensor:
    """X' errors, of centred x: (I, M, K) of weighted errors (N, M, K)."""
    found = (x.T @ errors.flatten(1)).view(x.shape[1], *errors.shape[1:])
    return found - mean_x.T[:, :, None] * errors.sum(0)


def chosen(
    solutions: list[Solution], x: Tensor, y: Tensor, weight: Tensor, *, task: Task
) -> tuple[int, Solution]:
    """The solution with the least loss on the weighted rows, and its place; for labels as log-odds."""
    rows = torch.nonzero(weight > 0).flatten()
    precise = solutions[0][0].dtype
    xs, ys, ws = (t[rows].to(precise) for t in (x, y, weight))
    best, place, kept = float("inf"), len(solutions) - 1, solutions[-1]
    mean = solutions[-1][1]
    for i, (beta, bias) in enumerate(solutions):
        fitted = xs @ beta + bias
        for loss, gain, offset in task.linear_losses(fitted, ys, ws, mean):
            if loss < best:
                best, place, kept = loss, i, (gain * beta, offset + gain * bias)
    return place, kept


def chosen_scores(
    fitted: Tensor, beta: Tensor, bias: Tensor, y: Tensor, weight: Tensor, *, task: Task
) -> Solution:
    """One solution whose values for all rows are ``fitted`` (N, K); for labels, whose mean is ``bias``, as
    log-odds.
    """
    if not task.log_odds:
        return beta, bias
    rows = torch.nonzero(weight > 0).flatten()
    some, ys, ws = (t[rows].to(fitted.dtype) for t in (fitted, y, weight))
    _, gain, offset = min(task.linear_losses(some, ys, ws, bias), key=lambda one: one[0])
    return gain * beta, offset + gain * bias
