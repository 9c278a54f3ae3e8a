"""Pareto fronts against definitions spelled out, closed forms, and volumes counted on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.metrics import fronts
from seqdesign.metrics.fronts import hypervolume, knee, non_dominated


def grids(values: int) -> st.SearchStrategy[list[list[int]]]:
    """Points on a small grid, so that ties and equal points are common."""
    return st.lists(st.lists(st.integers(0, 4), min_size=values, max_size=values), min_size=1, max_size=12)


@pytest.mark.parametrize("values", [1, 2, 3, 4])
def test_a_point_is_non_dominated_when_none_beats_it(values: int) -> None:
    @given(grids(values))
    def check(rows: list[list[int]]) -> None:
        points = np.array(rows)
        expected = [not any((q >= p).all() and (q > p).any() for q in points) for p in points]
        assert non_dominated(points).tolist() == expected

    check()


@pytest.mark.parametrize("values", [1, 2, 3, 4])
def test_the_hypervolume_is_the_number_of_grid_cells_below_the_points(values: int) -> None:
    cells = np.stack(np.meshgrid(*[np.arange(5)] * values, indexing="ij"), -1).reshape(-1, values)

    @given(grids(values), st.integers(-1, 1))
    def check(rows: list[list[int]], low: int) -> None:
        points = np.array(rows)
        inside = (cells[:, None] + low + 1 <= points[None]).all(2).any(1)
        assert hypervolume(points, [low] * values) == pytest.approx(inside.sum())

    check()


def test_hypervolume_of_shapes_with_a_formula() -> None:
    assert hypervolume([[2.0, 3.0]], [0.0, 1.0]) == 4.0
    assert hypervolume([[2.0, 3.0], [1.0, 1.0]], [5.0, 5.0]) == 0.0
    assert hypervolume(np.zeros((0, 2)), [0.0, 0.0]) == 0.0
    n = 100  # stairs below the line a + b = 1
    stairs = np.stack([np.arange(1, n + 1), n - np.arange(n)], 1) / n
    assert hypervolume(stairs, [0, 0]) == pytest.approx((n + 1) / (2 * n))
    slabs = [[3, 1, 1], [1, 3, 1], [1, 1, 3]]
    assert hypervolume(slabs, [0, 0, 0]) == pytest.approx(3 + 3 + 3 - 2)


def test_a_sphere_of_three_values_is_measured_like_random_points_do() -> None:
    rng = np.random.default_rng(0)
    points = np.abs(rng.normal(size=(60, 3)))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    cloud = rng.random((40_000, 3))
    share = np.mean([(p <= points).all(1).any() for p in cloud[:8000]])
    assert hypervolume(points, [0, 0, 0]) == pytest.approx(share, abs=4 * np.sqrt(0.25 / 8000))


def test_units_scale_the_hypervolume_and_a_shift_leaves_it() -> None:
    points = np.random.default_rng(1).random((30, 3))
    plain = hypervolume(points, [0.2, 0.2, 0.2])
    scaled = hypervolume(points * [2, 3, 5] + 7, np.array([0.4, 0.6, 1.0]) + 7)
    assert scaled == pytest.approx(30 * plain)


def test_the_knee_is_where_the_front_bends_most() -> None:
    assert knee([[0.0, 10.0], [0.8, 9.0], [1.0, 0.0], [0.5, 5.0]]) == 1
    assert knee([[3.0, 3.0]]) == 0
    assert knee([[5.0, 1.0], [5.0, 1.0], [1.0, 1.0]]) == 0


def test_the_knee_does_not_depend_on_units_or_on_dominated_points() -> None:
    points = np.random.default_rng(3).random((40, 2))
    best = knee(points)
    assert non_dominated(points)[best]
    assert knee(points * [1000.0, 0.1] - 5) == best
    assert knee(np.vstack([points, [[-100.0, -100.0]]])) == best


def test_blocks_do_not_change_the_front(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(4).integers(0, 6, (50, 3))
    whole = non_dominated(points)
    monkeypatch.setattr(fronts, "_BLOCK_CELLS", 400)
    assert non_dominated(points).tolist() == whole.tolist()


def test_what_has_no_front_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got shape \(3,\)"):
        non_dominated([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="NaN, got it in row 1"):
        hypervolume([[1.0, 2.0], [np.nan, 1.0]], [0, 0])
    with pytest.raises(ValueError, match="reference must be 2 finite numbers"):
        hypervolume([[1.0, 2.0]], [0.0])
    with pytest.raises(ValueError, match="below infinity"):
        hypervolume([[1.0, np.inf]], [0.0, 0.0])
    with pytest.raises(ValueError, match="at least one point"):
        knee(np.zeros((0, 2)))
