"""Shapley values: the axioms that define them, closed forms, and the drawing of orders."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from seqdesign.attribution import shapley
from seqdesign.attribution.shapley import Subset, Value, shares

Game = Callable[[Subset], float]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def game(*members: Game) -> Value:
    return lambda subsets: np.array([[one(s) for s in subsets] for one in members])


def random_game(num: int, seed: int) -> Game:
    worth = np.random.default_rng(seed).normal(size=1 << num)
    return lambda s: float(worth[sum(1 << i for i in s)])


@pytest.mark.parametrize("num", [1, 2, 5, 9])
def test_values_sum_to_the_gain_of_each_member(num: int) -> None:
    found = shares(game(random_game(num, 1), random_game(num, 2)), num, rng())
    assert found.shapley.shape == (2, num)
    assert found.shapley.sum(1) == pytest.approx(found.gain, abs=1e-12)
    assert not found.error.any()


def test_values_are_the_mean_over_all_orders() -> None:
    worth = random_game(5, 7)
    wanted = np.zeros(5)
    orders = list(itertools.permutations(range(5)))
    for order in orders:
        for k, i in enumerate(order):
            wanted[i] += worth(frozenset(order[: k + 1])) - worth(frozenset(order[:k]))
    found = shares(game(worth), 5, rng())
    assert found.shapley[0] == pytest.approx(wanted / len(orders), abs=1e-12)


@pytest.mark.parametrize("num", [4, 12, 15])
def test_independent_edits_have_their_own_effects(num: int) -> None:
    effects = np.random.default_rng(3).normal(size=num)
    found = shares(game(lambda s: 2.0 + effects[sorted(s)].sum()), num, rng(), orders=6)
    for column in (found.shapley[0], found.undo[0], found.alone[0]):
        assert column == pytest.approx(effects, abs=1e-12)
    assert found.error == pytest.approx(np.zeros(num), abs=1e-12)


@pytest.mark.parametrize("num", [3, 14])
def test_an_edit_without_effect_has_none_and_equals_share_alike(num: int) -> None:
    """The first two edits only work together; the last does nothing."""
    found = shares(game(lambda s: 6.0 * ({0, 1} <= s)), num, rng(), orders=40)
    assert found.shapley[0, 2:] == pytest.approx(np.zeros(num - 2))
    assert found.shapley[0, :2] == pytest.approx([3.0, 3.0])  # reversed orders make this exact
    assert found.undo[0, :2].tolist() == [6.0, 6.0]
    assert found.alone[0, :2].tolist() == [0.0, 0.0]


def test_drawn_orders_agree_with_all_subsets_within_their_error(monkeypatch: pytest.MonkeyPatch) -> None:
    worth = random_game(6, 11)
    exact = shares(game(worth), 6, rng()).shapley[0]
    monkeypatch.setattr(shapley, "EXACT", 5)
    drawn = shares(game(worth), 6, rng(), orders=2000)
    assert drawn.shapley.sum() == pytest.approx(drawn.gain[0])
    assert (drawn.error > 0).all()
    assert (np.abs(drawn.shapley[0] - exact) < 4 * drawn.error).all()


def test_the_same_generator_gives_the_same_values() -> None:
    first, again = (shares(game(lambda s: len(s) ** 0.5), 20, rng(), orders=10) for _ in "ab")
    assert np.array_equal(first.shapley, again.shapley)


def test_all_subsets_are_asked_for_once_and_together() -> None:
    asked: list[list[Subset]] = []

    def value(subsets: list[Subset]) -> np.ndarray:
        asked.append(subsets)
        return np.array([[float(len(s)) for s in subsets]])

    for num in (4, 13):
        shares(value, num, rng(), orders=4)
    assert [len(a) == len(set(a)) for a in asked] == [True, True]
    assert len(asked[0]) == 16


def test_no_edit_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one edit"):
        shares(game(lambda s: 0.0), 0, rng())
