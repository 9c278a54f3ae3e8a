"""Pareto fronts of N points with T values each, (N, T), larger is better in all of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_BLOCK_CELLS = 8_000_000  # comparisons held at once by non_dominated


def _points(points: npt.ArrayLike) -> FloatArray:
    """(N, T) in float64. ValueError for another shape or NaN."""
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] < 1:
        raise ValueError(f"points must be (N, T) with at least one value each, got shape {array.shape}")
    if np.isnan(array).any():
        raise ValueError(f"points must not hold NaN, got it in row {int(np.isnan(array).any(1).argmax())}")
    return array


def non_dominated(points: npt.ArrayLike) -> BoolArray:
    """Which points no other one beats: at least as good everywhere and better somewhere; (N,) bool.

    Equal points stay together. O(N^2 T).
    """
    array = _points(points)
    # Distinct rows, so that "at least as good everywhere" of another row means better somewhere.
    distinct, inverse = np.unique(array, axis=0, return_inverse=True)
    beaten = np.zeros(len(distinct), dtype=bool)
    step = max(1, _BLOCK_CELLS // max(1, distinct.size))
    for first in range(0, len(distinct), step):
        block = distinct[first : first + step]
        beaten[first : first + step] = (distinct[None] >= block[:, None]).all(2).sum(1) > 1
    return ~beaten[inverse.reshape(-1)]


def hypervolume(points: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Volume of what is at most as good as some point and better than ``reference`` (T,).

    Exact: slices along the last value, each a hypervolume with one value less (definition: Zitzler and
    Thiele 1998; slicing: While et al. 2006, IEEE Trans. Evol. Comput. 10:29). Quick for two values, fine for
    three and a few hundred points. Raises ValueError for infinite or misshapen input.
    """
    array, corner = _points(points), np.asarray(reference, dtype=np.float64)
    if corner.shape != array.shape[1:] or not np.isfinite(corner).all():
        raise ValueError(f"reference must be {array.shape[1]} finite numbers, got {corner.tolist()}")
    if np.isposinf(array).any():
        raise ValueError("points must be below infinity")
    above = array[(array > corner).all(1)] - corner
    return _volume(above[non_dominated(above)]) if len(above) else 0.0


def _volume(points: FloatArray) -> float:
    """Hypervolume above the origin of positive points."""
    if points.shape[1] == 1:
        return float(points.max())
    order = points[:, -1].argsort(kind="stable")[::-1]
    points = points[order]
    heights = points[:, -1]
    depths = heights - np.append(heights[1:], 0.0)
    if points.shape[1] == 2:
        return float((np.maximum.accumulate(points[:, 0]) * depths).sum())
    total = 0.0
    for i in np.flatnonzero(depths > 0):
        flat = points[: i + 1, :-1]
        total += depths[i] * _volume(flat[non_dominated(flat)])
    return float(total)


def knee(points: npt.ArrayLike) -> int:
    """Row of the point where giving up a little of one value gains least of the others.

    The point of the front that is farthest beyond the plane through the best of each value, all values
    scaled to 0 .. 1 over the front (Das 1999, Struct. Optim. 18:107); ties go to the earlier row. Raises
    ValueError without points.
    """
    array = _points(points)
    if not len(array):
        raise ValueError("a knee needs at least one point")
    rows = np.flatnonzero(non_dominated(array))
    front = array[rows]
    low, high = front.min(0), front.max(0)
    scaled = (front - low) / np.where(high > low, high - low, 1.0)
    return int(rows[scaled.sum(1).argmax()])
