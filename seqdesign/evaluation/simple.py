"""The strongest generators that need no training: a Markov chain, and the letters of each position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seqdesign.metrics.dependence import Codes, codes_of
from seqdesign.sequences.alphabets import Alphabet

PSEUDO = 0.1
MOST_CONTEXTS = 5000


def simple_samples(
    training: Sequence[str], alphabet: Alphabet, num: int, rng: np.random.Generator
) -> Iterator[tuple[str, list[str]]]:
    """(name, ``num`` sequences) of each simple generator, learned from ``training``."""
    size, length = alphabet.size, max(map(len, training))
    codes = codes_of(training, alphabet.letters, length)
    order = max(k for k in range(4) if k < min(map(len, training)) and (size + 1) ** k <= MOST_CONTEXTS)
    yield f"Markov chain of order {order}", _texts(markov_chain(codes, size, order, num, rng), alphabet)
    yield "letters of each position", _texts(position_matrix(codes, size, num, rng), alphabet)


def markov_chain(codes: Codes, size: int, order: int, num: int, rng: np.random.Generator) -> Codes:
    """(num, L) of a chain with the first ``order`` letters of real sequences; ``size`` ends a sequence."""
    length, kinds = codes.shape[1], size + 1
    powers = kinds ** np.arange(order, dtype=np.int64)[::-1]
    counts = np.full((kinds**order, kinds), PSEUDO)
    counts[:, size] = PSEUDO if (codes == size).any() else 0.0
    for i in range(order, length):
        alive = codes[:, i - 1] < size if i else np.ones(len(codes), dtype=bool)
        np.add.at(counts, (codes[alive, i - order : i] @ powers, codes[alive, i]), 1.0)
    cumulative = np.cumsum(counts / counts.sum(1, keepdims=True), axis=1)
    drawn = codes[rng.integers(len(codes), size=num)].copy()
    for i in range(order, length):
        rows = cumulative[drawn[:, i - order : i] @ powers]
        drawn[:, i] = np.minimum((rows <= rng.random(num)[:, None]).sum(1), size)
        if i:
            drawn[drawn[:, i - 1] == size, i] = size
    return drawn


def position_matrix(codes: Codes, size: int, num: int, rng: np.random.Generator) -> Codes:
    """(num, L), each position drawn by itself; lengths are those of real sequences."""
    ends = (codes < size).sum(axis=1)[rng.integers(len(codes), size=num)]
    drawn = np.full((num, codes.shape[1]), size, dtype=np.int64)
    for i in range(codes.shape[1]):
        letters = codes[:, i][codes[:, i] < size]
        here = ends > i
        drawn[here, i] = letters[rng.integers(len(letters), size=int(here.sum()))]
    return drawn


def _texts(codes: Codes, alphabet: Alphabet) -> list[str]:
    letters = np.array([*alphabet.letters, ""])
    return ["".join(row) for row in letters[codes]]
