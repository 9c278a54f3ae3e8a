"""Shuffles that keep every pair of neighbouring letters: a background as alike as can be, without motifs.

Altschul & Erickson 1985, Mol. Biol. Evol. 2:526: a shuffle is a random Eulerian path through the graph of
letters, drawn uniformly by choosing the last exit of every letter first. All sequences advance together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def shuffle_dinucleotides(
    codes: NDArray[np.uint8], lengths: IntArray, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A shuffle of each row with the same first and last letter and the same count of every pair of letters.

    codes: (N, L) token ids below 32; lengths: (N,). What stands behind a sequence's end is kept.
    """
    num, width = codes.shape
    if num == 0 or width < 3:
        return codes.copy()
    ids = np.minimum(codes, 31).astype(np.int64)
    size = int(ids.max()) + 1
    edge = np.arange(width - 1) < (lengths - 1)[:, None]
    # An edge leaves its letter; behind the end there are only edges of no letter, sorted last.
    source = np.where(edge, ids[:, :-1], size)
    order = np.argsort(source, axis=1, kind="stable")
    target = np.take_along_axis(ids[:, 1:], order, axis=1)
    degree = np.zeros((num, size + 1), dtype=np.int64)
    np.add.at(degree, (np.arange(num)[:, None], source), 1)
    begin = np.cumsum(degree, axis=1) - degree
    final = _last_exits(ids, lengths, target, degree[:, :size], begin[:, :size], rng)
    rank = rng.random((num, width - 1))
    rows = np.arange(num)
    for letter in range(size):
        leaving = np.flatnonzero(final[:, letter] >= 0)
        rank[leaving, final[leaving, letter]] = 1.0  # above every draw: this edge is used last
    mixed = np.argsort(np.take_along_axis(source, order, axis=1) + rank / 2, axis=1, kind="stable")
    target = np.take_along_axis(target, mixed, axis=1)
    shuffled, pointer, here = codes.copy(), begin.copy(), ids[:, 0]
    for position in range(1, width):
        active = rows[lengths > position]
        if not active.size:
            break
        at = here[active]
        here[active] = target[active, pointer[active, at]]
        pointer[active, at] += 1
        shuffled[active, position] = here[active]
    return shuffled


def _last_exits(
    ids: IntArray,
    lengths: IntArray,
    target: IntArray,
    degree: IntArray,
    begin: IntArray,
    rng: np.random.Generator,
) -> IntArray:
    """(N, V) place of each letter's last exit, -1 for a letter without one; all lead to the last letter."""
    num, size = degree.shape
    root = ids[np.arange(num), np.maximum(lengths - 1, 0)]
    exits = np.full((num, size), -1, dtype=np.int64)
    needed = degree > 0
    needed[np.arange(num), root] = False  # the path ends there, so its exits may be used in any order
    waiting = np.flatnonzero(needed.any(axis=1))
    while waiting.size:
        draw = (rng.random((waiting.size, size)) * degree[waiting]).astype(np.int64) + begin[waiting]
        draw = np.minimum(draw, target.shape[1] - 1)
        heads = np.where(
            needed[waiting], np.take_along_axis(target[waiting], draw, axis=1), root[waiting, None]
        )
        for _ in range(size.bit_length()):  # 2^b steps at once
            heads = np.take_along_axis(heads, heads, axis=1)
        good = np.all(heads == root[waiting, None], axis=1)
        chosen = waiting[good]
        exits[chosen] = np.where(needed[chosen], draw[good], -1)
        waiting = waiting[~good]
    return exits
