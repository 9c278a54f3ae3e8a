"""Whether measurements end abruptly, as if larger or smaller ones had been left out or could not be seen.

Outcomes thin out towards their largest value where nothing was cut off. Where they do not, the largest one
is a limit of the data and not of nature: a model that learned from them cannot say what lies beyond it, and
no error on rows of the same data shows that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

TAIL = 0.1
"""Share of the measurements that is looked at, at each end."""
FEWEST = 20
"""Measurements of that share from which on something can be said."""
THINNING = 0.25
"""Share of the outer half of that range if the density fell to nothing in a straight line; bell-shaped tails
have less there."""
LEVEL = 0.01

FloatArray = NDArray[np.float64]


class Ends(NamedTuple):
    """The largest and the smallest measurement where they end abruptly, else None."""

    high: float | None
    low: float | None


def ends_of(values: FloatArray) -> Ends:
    """Of measurements (n,), NaN where unknown."""
    known = values[np.isfinite(values)]
    return Ends(
        float(known.max()) if _abrupt(known) else None, float(known.min()) if _abrupt(-known) else None
    )


def cut_off(ends: Sequence[Ends], better: Sequence[tuple[int, bool]]) -> bool:
    """Whether measurements of outcomes, of which more is better or not, all end abruptly on the better side:
    what was better has been left out.
    """
    return all((ends[k].high if up else ends[k].low) is not None for k, up in better)


def _abrupt(values: FloatArray) -> bool:
    """Whether more of the largest values lie in the outer half of their range than a thinning tail has.

    Values that are often exactly the largest are the end of a scale, beyond which nothing can be measured.
    """
    count = int(TAIL * len(values))
    if count < FEWEST:
        return False
    top = np.sort(values)[-count - 1 :]
    least, most = top[0], top[-1]
    if most <= least or np.mean(values == most) > TAIL / 2:
        return False
    outer = int((top[1:-1] > 0.5 * (least + most)).sum())
    return bool(bdtrc(outer - 1, count - 1, THINNING) < LEVEL)
