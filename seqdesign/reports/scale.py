"""Axis scales: round limits, ticks with labels, and the place of a value in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def as_floats(*values: ArrayLike) -> list[FloatArray]:
    """Flat float arrays; ``None`` becomes NaN. Raises ValueError unless all have the same length."""
    arrays = [np.array(v, dtype=np.float64).ravel() for v in values]
    if len({a.size for a in arrays}) > 1:
        raise ValueError(
            f"values drawn against each other must be equally many, got {[a.size for a in arrays]}"
        )
    return arrays


def joined(arrays: Iterable[FloatArray]) -> FloatArray:
    """All values of several arrays in one."""
    return np.concatenate([np.empty(0), *arrays])


def linear_ticks(low: float, high: float, *, target: int = 5, whole: bool = False) -> list[tuple[float, str]]:
    """Multiples of 1, 2 or 5 times a power of ten within [low, high], about ``target`` of them, with labels.

    ``whole`` leaves out fractions, for counts. Raises ValueError unless low < high and both are finite.
    """
    step = max(_step(low, high, target), 1.0) if whole else _step(low, high, target)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(i * step, _label(i * step, step)) for i in range(first, last + 1)]


def _step(low: float, high: float, target: int) -> float:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"an axis needs finite limits with low < high, got {low} and {high}")
    rough = (high - low) / target
    power = 10.0 ** math.floor(math.log10(rough))
    factors = (1.0, 2.0, 5.0, 10.0)
    return power * min(factors, key=lambda f: abs(math.log(f * power / rough)))


def _label(value: float, step: float) -> str:
    if abs(value) < step * 1e-6:
        return "0"
    if abs(value) >= 1e5 or step < 1e-4:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.{decimals}f}"


@dataclass(frozen=True)
class Scale:
    """One axis: data values in [low, high], linear or logarithmic."""

    low: float
    high: float
    log: bool = False
    whole: bool = False
    """The values are whole numbers, and so are the ticks."""

    @classmethod
    def around(cls, values: FloatArray, *, log: bool = False, zero: bool = False) -> Scale:
        """A scale that holds all finite ``values`` (positive ones if ``log``) with a little room.

        ``zero`` makes a linear scale reach 0. Raises ValueError if nothing can be drawn.
        """
        usable = values[drawable(values, log=log)]
        if usable.size == 0:
            raise ValueError(
                f"nothing to draw: none of {values.size} values is finite{' and positive' * log}"
            )
        low, high = float(usable.min()), float(usable.max())
        if log:
            return cls(low / 1.15, high * 1.15, True)
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        room = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
        # An axis that ends at zero ends there exactly: bars stand on it.
        bottom = low - room * (not zero or low < 0)
        top = high + room * (not zero or high > 0 or low == high)
        return cls(bottom, top, whole=bool(np.all(usable % 1.0 == 0)))

    def ticks(self) -> list[tuple[float, str]]:
        """Positions and labels of the ticks."""
        if not self.log:
            return linear_ticks(self.low, self.high, whole=self.whole)
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        decades = last - first
        factors = (1, 2, 5) if decades <= 2 else (1,)
        every = max(1, decades // 6)
        values = [f * 10.0**e for e in range(first, last + 1, every) for f in factors]
        ticks = [(v, f"{v:g}") for v in values if self.low <= v <= self.high]
        # A range within one decade may hold no round power at all.
        return ticks if len(ticks) >= 2 else [(v, t) for v, t in linear_ticks(self.low, self.high) if v > 0]

    def place(self, values: FloatArray | float, start: float, end: float) -> FloatArray:
        """Pixels between ``start`` (at ``low``) and ``end`` (at ``high``)."""
        array = np.asarray(values, dtype=np.float64)
        if self.log:
            share = np.log(array / self.low) / math.log(self.high / self.low)
        else:
            share = (array - self.low) / (self.high - self.low)
        return start + share * (end - start)


def drawable(values: FloatArray, *, log: bool = False) -> NDArray[np.bool_]:
    """Which values a scale can show: finite, and positive on a logarithmic scale."""
    finite = np.isfinite(values)
    return finite & (values > 0) if log else finite
