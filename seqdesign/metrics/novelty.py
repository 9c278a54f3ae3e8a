"""How many sequences repeat each other, and how many are copies of known ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from scipy.special import bdtrc


def num_distinct(sequences: Sequence[str]) -> int:
    """How many different strings there are; over their number this is the uniqueness."""
    return len(set(sequences))


def num_copies(sequences: Sequence[str], known: Collection[str]) -> int:
    """How many of ``sequences`` are exactly one of ``known``; 1 - copies / N is the novelty."""
    lookup = known if isinstance(known, set | frozenset) else set(known)
    return sum(text in lookup for text in sequences)


def excess_of_copies(
    sequences: Sequence[str], training: Collection[str], held_out: Collection[str]
) -> tuple[int, int, float]:
    """(different copies of training, of held-out sequences, p): whether training ones are hit more often.

    Where the space of sequences is small, a good generator must hit known ones, but it hits training and
    held-out ones alike. Each of the different sequences that hits one of the two sets is then a draw that
    falls on training with probability m_T / (m_T + m_H), the sizes of the sets without repeats and without
    what they share; p is the upper tail of the binomial distribution, 1 without any hit.
    """
    shared = set(training) & set(held_out)
    first, second = set(training) - shared, set(held_out) - shared
    distinct = set(sequences)
    hits = len(distinct & first), len(distinct & second)
    if not first or not second or sum(hits) == 0:
        return *hits, 1.0
    p = bdtrc(hits[0] - 1, sum(hits), len(first) / (len(first) + len(second)))
    return *hits, float(p)
