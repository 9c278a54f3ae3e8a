"""How unlike the training sequences a sequence is: nats per letter under a simple model of them.

Where position matters: a chain whose steps p(x_i | x_{i-1}) differ by position. Else: a Markov chain of a few
letters' memory. Counts are shrunk to the next simpler model, so that every sequence has a finite score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHRINK = 2.0
"""Counts that the simpler model is worth."""
MAX_CELLS = 20_000
"""Cells of a table without positions; decides how many letters are remembered."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class NoveltyModel:
    """``table``: log p, (L, V+1, V+1) [position, letter before, letter] or (V+1,) * (order + 1)."""

    table: FloatArray
    positional: bool

    def nats(self, tokens: NDArray[np.uint8], lengths: NDArray[np.int64]) -> FloatArray:
        """-log p(x) per letter, (N,), of tokens (N, L); an empty sequence has 0."""
        n, width = tokens.shape
        size = self.table.shape[-1]
        index = _index(tokens, size)
        total = np.zeros(n)
        order = 1 if self.positional else self.table.ndim - 1
        history = [np.full(n, size - 1)] * order
        for i in range(width):
            letters = index[:, i]
            place = min(i, len(self.table) - 1)
            log_p = (
                self.table[(place, *history, letters)] if self.positional else self.table[(*history, letters)]
            )
            total -= np.where(i < lengths, log_p, 0.0)
            history = [*history[1:], letters]
        return total / np.maximum(lengths, 1)


def fit_novelty(
    tokens: NDArray[np.uint8], lengths: NDArray[np.int64], num_letters: int, *, positional: bool
) -> NoveltyModel:
    """The model of training tokens (N, L) with ids 0 .. V-1 for letters."""
    size = num_letters + 1  # the last stands for the start and for unknown letters
    index = _index(tokens, size)
    inside = np.arange(tokens.shape[1]) < lengths[:, None]
    if positional:
        counts = np.zeros((tokens.shape[1], size, size))
        before = np.concatenate([np.full((len(tokens), 1), size - 1), index[:, :-1]], axis=1)
        place = np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)
        np.add.at(counts, (place[inside], before[inside], index[inside]), 1.0)
        counts[:, :, -1] = 0
        single = _shrunk(counts.sum(axis=1), np.full(size, 1 / num_letters))
        return NoveltyModel(_log(_shrunk(counts, single[:, None])), True)
    order, half = 1, int(np.median(lengths)) // 2  # a word of more letters is a sequence, more or less
    while size ** (order + 2) <= MAX_CELLS and order + 2 <= half:
        order += 1
    counts = np.zeros((size,) * (order + 1))
    padded = np.concatenate([np.full((len(tokens), order), size - 1), index], axis=1)
    steps = [padded[:, i : i + tokens.shape[1]][inside] for i in range(order + 1)]
    np.add.at(counts, tuple(steps), 1.0)
    counts[..., -1] = 0
    probability = np.full(size, 1 / num_letters)
    for remembered in range(order + 1):
        summed = counts.sum(axis=tuple(range(order - remembered)))
        probability = _shrunk(summed, probability)
    return NoveltyModel(_log(probability), False)


def _index(tokens: NDArray[np.uint8], size: int) -> NDArray[np.int64]:
    return np.minimum(tokens.astype(np.int64), size - 1)


def _shrunk(counts: FloatArray, simpler: FloatArray) -> FloatArray:
    """Probabilities (..., V+1) from counts, as if SHRINK more letters had come from the simpler model."""
    return (counts + SHRINK * simpler) / (counts.sum(axis=-1, keepdims=True) + SHRINK)


def _log(probability: FloatArray) -> FloatArray:
    """Log probabilities; an unknown letter costs as much as a guess."""
    table = np.log(np.maximum(probability, 1e-12))
    table[..., -1] = -np.log(probability.shape[-1] - 1)
    return table
