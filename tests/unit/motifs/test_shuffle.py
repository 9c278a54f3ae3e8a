"""Promises of the shuffle: pairs are kept, and every arrangement is equally likely."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from seqdesign.motifs.shuffle import shuffle_dinucleotides


def pairs(row):
    return Counter(zip(row[:-1].tolist(), row[1:].tolist(), strict=True))


@pytest.mark.parametrize("size", [2, 4, 21])
def test_pairs_ends_and_padding_are_kept(size):
    rng = np.random.default_rng(size)
    lengths = np.array([0, 1, 2, 3, 17, 40, 25])
    codes = np.full((7, 40), size + 3, dtype=np.uint8)
    for row, length in zip(codes, lengths, strict=True):
        row[:length] = rng.integers(0, size, length)
    before, moved = codes.copy(), 0
    for _ in range(20):
        shuffled = shuffle_dinucleotides(codes, lengths, rng)
        for old, new, length in zip(codes, shuffled, lengths, strict=True):
            assert pairs(old[:length]) == pairs(new[:length])
            assert old[:1].tolist() == new[:1].tolist()
            assert old[length:].tolist() == new[length:].tolist()
            moved += bool((old != new).any())
    assert moved > 20 or size == 21
    np.testing.assert_array_equal(codes, before)


def test_every_arrangement_is_equally_likely():
    """0 1 0 0 1 1 0 1 0 has 12 arrangements with its pairs; chi-square over 12,000 shuffles."""
    codes = np.tile(np.array([0, 1, 0, 0, 1, 1, 0, 1, 0], dtype=np.uint8), (12_000, 1))
    counts = Counter(map(bytes, shuffle_dinucleotides(codes, np.full(12_000, 9), np.random.default_rng(0))))
    assert len(counts) == 12
    assert sum((n - 1000) ** 2 / 1000 for n in counts.values()) < 31.3  # 99.9% of chi-square, 11 degrees


def test_the_same_generator_gives_the_same_shuffle():
    codes = np.random.default_rng(0).integers(0, 4, (5, 30)).astype(np.uint8)
    first, second = (shuffle_dinucleotides(codes, np.full(5, 30), np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
