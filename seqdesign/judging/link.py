"""What is measured where a judge predicts so much: a correction at both ends, and doubt beyond them.

A judge that is right on average can be wrong at its ends, where designs are: effects saturate, or a process
over words adds up what does not add up. Left-out rows show it. Their outcomes are regressed on what was
predicted of them by a line that bends at quantiles of the predictions (Bayesian hinges). Its prior says that
a prediction means itself; rows with large predictions move the last slope, and as far as they leave it open,
doubt grows with the distance beyond them. Where these rows are in line, a judge may go on; where they are
not, it is held.

Shapes: n rows, B sequences, H hinges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from seqdesign.judging.reached import FEWEST, Reached

QUANTILES = (0.5, 0.8, 0.9, 0.95, 0.98)
"""Of predictions, where the line may bend upwards of the middle; the same downwards."""
BENDS = (0.02, 0.1, 0.25, 0.5, 1.0)
"""Standard deviations of a change of slope that are thought of, each as far as the rows make it probable."""
BISECTIONS = 40
SURE = 0.75
"""Share of what is thought possible that is better than a headline."""
ENOUGH, CLEAR = 0.5, 1.2816
"""The slope with which measurements must follow predictions, and by how many standard errors they exceed it
(nine in ten)."""


class Opinion(NamedTuple):
    """Means and variances of sequences by one judge, and by how much it may lie too high or too low at its
    ends (standard deviations); all of one shape.
    """

    mean: Tensor
    variance: Tensor
    down: Tensor
    up: Tensor

    @property
    def total(self) -> Tensor:
        """Variance of all doubts together."""
        return self.variance + 0.5 * (self.down.square() + self.up.square())

    def or_further(self, by: Tensor) -> Opinion:
        """The same, and perhaps as much further up (or down, if negative)."""
        return self._replace(
            up=torch.hypot(self.up, by.clamp(min=0)), down=torch.hypot(self.down, (-by).clamp(min=0))
        )


@dataclass(frozen=True)
class Link:
    """Hinges at ``up`` and ``down``, and mean (S, H) and covariance (S, H, H) of their changes of slope under
    each of S priors with weights (S,).
    """

    up: Tensor
    down: Tensor
    weights: Tensor
    mean: Tensor
    covariance: Tensor

    def __call__(self, mean: Tensor, variance: Tensor) -> Opinion:
        """Means and variances (B,) of a judge -> corrected ones, and doubt about the slopes."""
        x = self._basis(mean)
        change = self._rising(self.weights @ self.mean)
        each = torch.einsum("bh,shg,bg->sb", x, self.covariance, x)
        spread = self.weights @ (each + (x @ (self.mean - self.weights @ self.mean).T).T.square())
        sign = torch.cat([torch.ones_like(self.up), -torch.ones_like(self.down)])
        slope = (1.0 + (x > 0).to(x) @ (change * sign)).clamp(0, 1)
        found, reach = mean + x @ change, spread.sqrt()
        held = mean.clamp(self.down[-1], self.up[-1])
        edge = held + self._basis(held) @ change
        # What rises does not fall beyond the rows that show it: slopes are doubted, but not their sign.
        above, below = mean > self.up[-1], mean < self.down[-1]
        down = torch.where(above, torch.minimum(reach, (found - edge).clamp(min=0)), reach)
        up = torch.where(below, torch.minimum(reach, (edge - found).clamp(min=0)), reach)
        return Opinion(found, variance * slope.square(), down, up)

    def _basis(self, mean: Tensor) -> Tensor:
        return torch.cat(
            [(mean[:, None] - self.up).clamp(min=0), (self.down - mean[:, None]).clamp(min=0)], 1
        )

    def _rising(self, change: Tensor) -> Tensor:
        """The changes of slope of the nearest line that never falls."""
        parts = []
        for side, sign in ((change[: len(self.up)], 1.0), (change[len(self.up) :], -1.0)):
            slopes = (1.0 + sign * side.cumsum(0)).clamp(min=0)
            parts.append(sign * torch.diff(slopes, prepend=torch.ones(1, dtype=slopes.dtype)))
        return torch.cat(parts)


def fit_link(predicted: Tensor, variance: Tensor, true: Tensor) -> Link:
    """From predictions (n,) of rows, their variances with noise, and what was measured (n,), NaN if unknown.

    With fewer than ``FEWEST`` rows it knows of the rows' predictions nothing but where they are.
    """
    known = ~(predicted.isnan() | true.isnan())
    m, v, y = predicted[known], variance[known].clamp(min=1e-9), true[known]
    if len(m) < FEWEST:
        m, v, y = m.new_zeros(FEWEST), m.new_ones(FEWEST) * 1e9, m.new_zeros(FEWEST)
    at = torch.tensor(QUANTILES, dtype=m.dtype)
    up, down = torch.quantile(m, at), torch.quantile(m, 1 - at)
    empty = Link(
        up, down, m.new_ones(1), m.new_zeros(1, 2 * len(at)), m.new_zeros(1, 2 * len(at), 2 * len(at))
    )
    x = empty._basis(m)
    # With variances that are too small or too large, a judge would be believed too much or too little.
    v = v * float(((y - m).square() / v).mean().clamp(0.25, 4.0))
    gram, pull = x.T @ (x / v[:, None]), x.T @ ((y - m) / v)
    means, covariances, evidence = [], [], []
    for bend in BENDS:
        precision = gram + torch.eye(len(gram), dtype=m.dtype) / bend**2
        covariance = torch.linalg.inv(precision)
        means.append(covariance @ pull)
        covariances.append(covariance)
        size = float(torch.logdet(precision)) + 2 * len(gram) * math.log(bend)
        evidence.append(0.5 * (float(pull @ means[-1]) - size))
    weights = torch.softmax(torch.tensor(evidence, dtype=m.dtype), 0)
    return Link(up, down, weights, torch.stack(means), torch.stack(covariances))


def corrected(links: Sequence[Link], mean: Tensor, variance: Tensor) -> Opinion:
    """Means and variances (B, K) of a judge after the link of each outcome; the same where there are none."""
    if not links:
        return Opinion(mean, variance, torch.zeros_like(mean), torch.zeros_like(mean))
    found = [link(mean[:, k], variance[:, k]) for k, link in enumerate(links)]
    return Opinion(*(torch.stack(parts, 1) for parts in zip(*found, strict=True)))


def followed(predicted: Tensor, measured: Tensor) -> float:
    """How far predictions (n,) went beyond an edge and were followed by what was measured (n,); NaN: nowhere.

    Both are distances from the edge of what the predictions were learned from, and measurements have noise.
    They follow if the slope from the edge is surely more than half and not surely less than one, and if what
    was measured surely rises with predictions at all: all rows may lie beyond the edge, in no order.
    """
    known = ~measured.isnan()
    x, y = predicted[known].clamp(min=0), measured[known]
    if not bool((x > 0).any()):
        return math.nan
    slope, error = _slope(x, y)
    rise, doubt = _slope(x - x.mean(), y - y.mean())
    follow = slope - CLEAR * error >= ENOUGH and slope + CLEAR * error >= 1
    return float(x.max()) if follow and rise > CLEAR * doubt else math.nan


def _slope(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Of a line through 0, and its standard error, which allows that noise grows with x."""
    size = x.square().sum().clamp(min=1e-12)
    slope = (x @ y) / size
    return slope, (x.square() @ (y - slope * x).square()).sqrt() / size


def median(weights: Tensor, said: Opinion) -> Tensor:
    """(B, K): what the mixture of J judges (J, B, K) lies above and below with equal probability.

    Unlike its mean it does not follow one judge that sees no limit.
    """
    down, up = ((said.variance + side.square()).sqrt().clamp(min=1e-9) for side in (said.down, said.up))
    low, high = said.mean.amin(0), said.mean.amax(0)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        away = middle - said.mean
        below = torch.special.ndtr(away / torch.where(away > 0, up, down))
        less = (weights[:, None, None] * below).sum(0) < 0.5
        low, high = torch.where(less, middle, low), torch.where(less, high, middle)
    return 0.5 * (low + high)


def borne_out(
    middle: Tensor, draws: Tensor, fitted: Tensor, borne: Tensor, top: Reached | None = None
) -> Tensor:
    """Headlines (B, K): the medians, as far as the rows bear them out.

    Beyond what rows (N, K) are thought to be, NaN unknown, they go only as far as ``SURE`` of the draws
    (S, B, K) go, and no further than predictions are borne out (2, K; down, up). Where these are not (NaN),
    they end at the best row or, of designs, where those rows came (``top``) that judges would have chosen,
    unless measurements still rise there.
    """
    best, worst = fitted.nan_to_num(-math.inf).amax(0), fitted.nan_to_num(math.inf).amin(0)
    high = torch.maximum(best, torch.quantile(draws, 1 - SURE, dim=0).minimum(borne[1]))
    low = torch.minimum(worst, torch.quantile(draws, SURE, dim=0).maximum(borne[0]))
    least, most = worst, best
    if top is not None:
        least, most = torch.where(top.rising, torch.stack([worst, best]), top.level)
    high, low = torch.where(borne[1].isnan(), most, high), torch.where(borne[0].isnan(), least, low)
    return torch.maximum(torch.minimum(middle, high), low)


def within(
    draws: Tensor, fitted: Tensor, variance: Tensor, borne: Tensor, top: Reached | None = None
) -> Tensor:
    """Draws (S, B, K), no better than what is borne out (2, K; down, up). NaN: no better than the best row
    or, of designs, than where those rows came (``top``) that judges would have chosen, unless measurements
    still rise there.

    What these are, by means and variances (N, K), they do not know for sure either: each draw has its own.
    """
    luck = torch.randn(len(draws), 1, draws.shape[2], generator=torch.Generator().manual_seed(1)).double()
    for end, sign in enumerate((-1.0, 1.0)):
        worth = (sign * fitted).nan_to_num(-math.inf)
        best, place = worth.max(0)
        sd = variance.gather(0, place[None])[0].sqrt()
        most = torch.maximum(best, (sign * borne[end]).nan_to_num(-math.inf))
        if top is not None:
            untested = borne[end].isnan() & ~top.rising[end]
            most = torch.where(untested, sign * top.level[end], most)
            sd = torch.where(untested, top.error[end], sd)
        draws = sign * torch.minimum(sign * draws, most + sd * luck)
    return draws


def surely(headline: Tensor, draws: Tensor, base: Tensor) -> Tensor:
    """Headlines (B, K), nearer to what they are compared with (B, K) until ``SURE`` of the draws (S, B, K)
    are better. Where fewer see any gain (or loss), as they are: that there is one is not known.
    """
    change = headline - base
    sure = torch.quantile(change.sign() * (draws - base), 1 - SURE, dim=0)
    return torch.where(sure > 0, base + change.sign() * change.abs().minimum(sure), headline)
