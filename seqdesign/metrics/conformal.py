"""Prediction intervals that hold what they promise: a scale for each prediction, and conformal quantiles.

The scale is log-linear in the prediction and in the ensemble's spread; quantiles of |error| / scale over
calibration rows make intervals that cover fresh rows at the stated rate, whatever the errors' distribution
(Papadopoulos 2002; Lei et al. 2018).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = (0.5, 0.8, 0.95)
NORMAL_QUANTILES = (0.674, 1.282, 1.960)
"""Half widths of a standard normal's intervals at ``LEVELS``."""
ENDS = (0.02, 0.98)
"""Quantiles of the predictions between which the scale of errors follows them."""
_FLOOR = 1e-3
_SHRINK = 2.0

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Conformal:
    """How wrong predictions are: ``scale`` for one of them, and what the levels multiply it by."""

    centre: float
    unit: float
    """Mean and standard deviation of the training outcomes."""
    low: float
    high: float
    """All but the most extreme standardised predictions of the calibration, where a curve through few rows is
    anybody's guess; beyond, the scale stays what it is there.
    """
    coefficients: tuple[float, ...]
    sd_factor: float
    quantiles: tuple[float, ...]
    """Of |error| / scale at ``LEVELS``."""
    unseen: float = 0.0
    """What a letter that training never had at its place may do: standard deviation, in the user's units."""
    usual: float = 0.0
    """Such letters that rows of the calibration typically had; only more of them widen."""

    def scale(self, mean: FloatArray, spread: FloatArray) -> FloatArray:
        """Unscaled error (N,) of predictions with ``mean`` and ``spread`` (N,), in the user's units."""
        u = np.clip((mean - self.centre) / self.unit, self.low, self.high)
        return self.unit * np.exp(_features(u, spread / self.unit) @ np.array(self.coefficients))

    def sd(self, mean: FloatArray, spread: FloatArray, unseen: FloatArray | None = None) -> FloatArray:
        """Standard deviation of the error (N,); ``unseen`` (N,) letters without evidence add theirs."""
        own = self.sd_factor * self.scale(mean, spread)
        return own if unseen is None else np.hypot(own, self._more(unseen))

    def half_widths(
        self, mean: FloatArray, spread: FloatArray, unseen: FloatArray | None = None
    ) -> FloatArray:
        """(N, 3): half the width of the interval at each of ``LEVELS``."""
        own = self.scale(mean, spread)[:, None] * np.array(self.quantiles)
        if unseen is None:
            return own
        return np.hypot(own, self._more(unseen)[:, None] * np.array(NORMAL_QUANTILES))

    def _more(self, unseen: FloatArray) -> FloatArray:
        """Standard deviation (N,) that letters without evidence add, each with an effect of its own."""
        return self.unseen * np.sqrt(np.maximum(unseen - self.usual, 0.0))


def fit_conformal(
    measured: FloatArray, mean: FloatArray, spread: FloatArray, *, centre: float, unit: float
) -> Conformal:
    """From N calibration rows that no network has learned from; N >= 1."""
    u, s = (mean - centre) / unit, spread / unit
    error = np.abs(measured - mean) / unit
    low, high = map(float, np.quantile(u, ENDS))
    features = _features(u.clip(low, high), s)

    def cost(b: FloatArray) -> tuple[float, FloatArray]:
        # Laplace likelihood: heavy tails do not rule the fit. Few rows are shrunk to a constant scale.
        log_scale = features @ b
        ratio = error * np.exp(-log_scale)
        penalty = _SHRINK * float(np.square(b[1:]).sum())
        gradient = features.T @ (1.0 - ratio)
        gradient[1:] += 2 * _SHRINK * b[1:]
        return float((ratio + log_scale).sum()) + penalty, gradient

    start = np.zeros(features.shape[1])
    start[0] = math.log(max(float(error.mean()), _FLOOR))
    import scipy.optimize  # slow to import, and most who want an interval fit none

    found = scipy.optimize.minimize(cost, start, jac=True, method="L-BFGS-B")
    scale = np.maximum(np.exp(features @ found.x), 1e-12)
    ratios = np.sort(error / scale)
    return Conformal(
        centre=centre, unit=unit, low=low, high=high,
        coefficients=tuple(map(float, found.x)),
        sd_factor=float(np.sqrt(np.mean(np.square(ratios)))),
        quantiles=tuple(conformal_quantile(ratios, level) for level in LEVELS),
    )  # fmt: skip


def conformal_quantile(ordered: FloatArray, level: float) -> float:
    """The ceil((n + 1) level)-th smallest of n sorted values; with too few of them, more than the largest."""
    n = len(ordered)
    place = math.ceil((n + 1) * level)
    if place <= n:
        return float(ordered[place - 1])
    return float(ordered[-1]) * (1.0 + 1.0 / n)


def coverage(measured: FloatArray, mean: FloatArray, half_widths: FloatArray) -> tuple[float, ...]:
    """Share of the measured values inside the interval at each level."""
    inside = np.abs(measured - mean)[:, None] <= half_widths
    return tuple(map(float, inside.mean(axis=0)))


def _features(u: FloatArray, spread: FloatArray) -> FloatArray:
    return np.stack([np.ones_like(u), u, np.square(u), np.log(spread + _FLOOR) - math.log(0.1)], axis=1)
