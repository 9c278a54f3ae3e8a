"""How a gain divides among the edits that made it: Shapley values, undoing one edit, one edit alone.

The value of an edit is the mean of what it adds to the score, over all orders in which the edits could have
been made (Shapley 1953). The values sum to the gain, an edit that never changes anything has 0, and where
edits act independently each has its own effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Subset = frozenset[int]
Value = Callable[[list[Subset]], FloatArray]
"""Scores (M, S) of the sequences in which only these edits (from 0) are made."""

EXACT = 12
"""Most edits whose 2^n subsets are all scored; with more, orders are drawn."""


@dataclass(frozen=True, eq=False)
class Shares:
    """What n edits contribute by each of M members."""

    shapley: FloatArray
    """(M, n); sums to the gain."""
    undo: FloatArray
    """(M, n): the score less that without this edit."""
    alone: FloatArray
    """(M, n): the score with this edit only, less that of the original."""
    gain: FloatArray
    """(M,)."""
    error: FloatArray
    """(n,) standard errors of the mean over members, from the drawing of orders; 0 where exact."""


def shares(value: Value, num: int, rng: np.random.Generator, orders: int = 200) -> Shares:
    """The shares of ``num`` edits; ``value`` is asked once for all subsets.

    Beyond ``EXACT`` edits, ``orders`` random orders are used, each followed by its reverse, which cancels
    part of the chance. They sum to the gain all the same. Raises ValueError for no edit.
    """
    if num < 1:
        raise ValueError("there must be at least one edit to share a gain, got 0")
    whole = frozenset(range(num))
    if num <= EXACT:
        subsets = [frozenset(i for i in range(num) if mask >> i & 1) for mask in range(1 << num)]
        scores = _scored(value, subsets)
        shapley, error = _exact(np.stack([scores[s] for s in subsets], 1), num), np.zeros(num)
    else:
        drawn = _orders(num, orders, rng)
        singles = [frozenset([i]) for i in whole] + [whole - {i} for i in whole]
        scores = _scored(value, [*singles, *(s for order in drawn for s in _prefixes(order))])
        shapley, error = _sampled(scores, drawn)
    undo = np.stack([scores[whole] - scores[whole - {i}] for i in range(num)], 1)
    alone = np.stack([scores[frozenset([i])] - scores[frozenset()] for i in range(num)], 1)
    return Shares(shapley, undo, alone, scores[whole] - scores[frozenset()], error)


def _scored(value: Value, subsets: Iterable[Subset]) -> dict[Subset, FloatArray]:
    distinct = list(dict.fromkeys(subsets))
    return dict(zip(distinct, value(distinct).T, strict=True))


def _exact(scores: FloatArray, num: int) -> FloatArray:
    """Shapley values (M, n) of the scores (M, 2^n) of all subsets, numbered by their bits."""
    masks = np.arange(1 << num)
    sizes = np.array([mask.bit_count() for mask in masks.tolist()])
    # Of the n! orders, size! (n - 1 - size)! have exactly this subset before the edit.
    weights = np.array([1.0 / (num * math.comb(num - 1, size)) for size in range(num)])
    found = []
    for i in range(num):
        without = masks[(masks >> i & 1) == 0]
        steps = scores[:, without | 1 << i] - scores[:, without]
        found.append(steps @ weights[sizes[without]])
    return np.stack(found, 1)


def _orders(num: int, orders: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    half = [rng.permutation(num) for _ in range(math.ceil(orders / 2))]
    return [order for one in half for order in (one, one[::-1])]


def _prefixes(order: NDArray[np.int64]) -> list[Subset]:
    return [frozenset(order[:k].tolist()) for k in range(len(order) + 1)]


def _sampled(
    scores: dict[Subset, FloatArray], orders: list[NDArray[np.int64]]
) -> tuple[FloatArray, FloatArray]:
    """Means (M, n) over orders and their standard errors (n,), a pair of reversed orders being one draw."""
    num = len(orders[0])
    steps = np.empty((len(orders), len(scores[frozenset()]), num))
    for k, order in enumerate(orders):
        path = np.stack([scores[s] for s in _prefixes(order)], 1)
        steps[k][:, order] = np.diff(path, axis=1)
    pairs = steps.mean(1).reshape(-1, 2, num).mean(1)
    error = pairs.std(0, ddof=1) / math.sqrt(len(pairs)) if len(pairs) > 1 else np.full(num, np.nan)
    return steps.mean(0), error
