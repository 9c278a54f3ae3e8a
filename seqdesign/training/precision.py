"""Whether networks can learn outcomes as they are: by their precision, and by their range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.sequences.numbers import span_powers

MAX_ROUNDING = 1e-3
"""Relative error of the outcomes' standard deviation that 32-bit rounding may cause."""


def check_precision(outcomes: NDArray[np.float64], name: str) -> None:
    """Raise InputError for outcomes that 32-bit numbers, as networks use them, cannot tell apart."""
    known = outcomes[~np.isnan(outcomes)]
    if len(known) == 0:
        return
    with np.errstate(over="ignore", invalid="ignore"):
        exact = float(known.std())
        rounded = float(known.astype(np.float32).astype(np.float64).std())
    if not abs(rounded - exact) <= MAX_ROUNDING * exact:  # not: NaN and infinity fail too
        raise InputError(
            f"'{name}' lies in {known.min():.6g} .. {known.max():.6g}, too large, too small or too close "
            "together for 32-bit numbers; subtract the mean or change the unit"
        )


def range_warnings(outcomes: NDArray[np.float64] | None, name: str) -> tuple[str, ...]:
    """What to say of outcomes (N,) whose logarithms should be learned by who takes numbers as they are."""
    if outcomes is None or not span_powers(outcomes):
        return ()
    least, most = np.nanmin(outcomes), np.nanmax(outcomes)
    text = (
        f"'{name}' spans powers of ten ({least:.3g} to {most:.3g}): little but the largest "
        "values is learned; give a column of logarithms"
    )
    return (text,)
