"""Which sequences are learned from and which judge: no sequence, and no reverse complement, on both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.sequences.encoders import TokenArray, decode
from seqdesign.sequences.splits import (
    mutation_split,
    position_split,
    quantile_split,
    random_split,
    similarity_clusters,
)
from seqdesign.training.config import RunOptions

MIN_SEQUENCES = 20

Indices = NDArray[np.int64]


def check_values(name: str, known: NDArray[np.float64]) -> None:
    """Raise InputError for measured values (N,) that teach nothing: too few, or all the same."""
    if len(known) < MIN_SEQUENCES:
        raise InputError(
            f"'{name}' has {len(known)} values in the training part; at least {MIN_SEQUENCES} are needed"
        )
    if known.min() == known.max():
        raise InputError(
            f"'{name}' is {known[0]:g} in all {len(known):,} rows of the training part: there is nothing to "
            "learn"
        )


def hold_out(
    tokens: TokenArray, outcomes: NDArray[np.float64] | None, options: RunOptions, seed: int
) -> tuple[Indices, Indices]:
    """(train, held out) indices; ``--split`` says how. Raises InputError for too few sequences."""
    n = len(tokens)
    if n < MIN_SEQUENCES:
        raise InputError(
            f"{n} sequence{' is' if n == 1 else 's are'} too few to learn from; at least {MIN_SEQUENCES} are "
            "needed"
        )
    distinct = int(equal(tokens).max()) + 1
    if distinct < MIN_SEQUENCES:
        counted = "" if not tokens.alphabet.complement else " (both strands of one count as the same)"
        raise InputError(
            f"the {n:,} records hold {distinct} different sequences only; at least {MIN_SEQUENCES} are needed"
            f"{counted}"
        )
    fractions = [1 - options.held_out, options.held_out]
    if options.split == "quantile":
        if outcomes is None or np.isnan(outcomes).any():
            raise InputError("--split quantile needs an outcome for every sequence; use random or cluster")
        return quantile_split(outcomes, fractions[0])
    if options.split in ("modulo", "contiguous", "mutations"):
        return _by_mutations(tokens, options, seed)
    groups = together(tokens, options)
    if options.split == "cluster" and groups.max() == 0:
        raise InputError("at identity 0.8 all sequences fall into one cluster; use --split random")
    train, held_out = random_split(n, fractions, np.random.default_rng(seed), groups=groups)
    return train, held_out


def _by_mutations(tokens: TokenArray, options: RunOptions, seed: int) -> tuple[Indices, Indices]:
    """Splits by what differs from the most common letters. Raises InputError where there is no such thing."""
    if len(np.unique(tokens.lengths)) > 1:
        raise InputError(
            f"--split {options.split}: mutations are counted between sequences of one length, these have "
            f"{tokens.lengths.min()} to {tokens.lengths.max()} letters; use random or cluster"
        )
    if options.split == "mutations":
        train, held_out = mutation_split(tokens.tokens, options.held_out)
    else:
        train, held_out = position_split(
            tokens.tokens, options.held_out, contiguous=options.split == "contiguous",
            rng=np.random.default_rng(seed),
        )  # fmt: skip
    if len(train) < MIN_SEQUENCES:
        raise InputError(
            f"--split {options.split}: only {len(train)} sequences would be left to learn from; use random "
            "or a smaller --held-out"
        )
    return train, held_out


def together(tokens: TokenArray, options: RunOptions) -> Indices:
    """(N,) labels of sequences that must not be parted: clusters with ``--split cluster``, else equal ones.

    A sequence is equal to its reverse complement where the alphabet has complements.
    """
    alphabet = tokens.alphabet
    if options.split == "cluster":
        return similarity_clusters(
            decode(tokens.tokens, alphabet),
            alphabet=alphabet,
            reverse_complement=bool(alphabet.complement),
        )
    return equal(tokens)


def equal(tokens: TokenArray) -> Indices:
    """(N,) labels from 0, the same for equal sequences, and for reverse complements where there are such."""
    rows, alphabet = tokens.tokens, tokens.alphabet
    if alphabet.complement:
        rows = np.concatenate([rows, reverse_complements(tokens)])
    labels = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1, len(tokens)).min(axis=0)
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def reverse_complements(tokens: TokenArray) -> NDArray[np.uint8]:
    """The other strands, (N, L), each padded at its end as the sequences are."""
    alphabet, rows = tokens.alphabet, tokens.tokens
    assert alphabet.complement
    partner = np.arange(alphabet.size + 4, dtype=rows.dtype)
    for i, letter in enumerate(alphabet.complement):
        partner[i] = alphabet.letters.index(letter)
    back = tokens.lengths[:, None] - 1 - np.arange(rows.shape[1])
    turned = np.take_along_axis(partner[rows], back.clip(min=0), axis=1)
    return np.where(back >= 0, turned, rows)


def folds(groups: Indices, share: float, members: int, rng: np.random.Generator) -> Indices:
    """(N,) the member that a row judges, -1 for none: whole groups, about ``share`` of the rows each.

    Raises InputError where a member would have nothing to judge or nothing to learn from.
    """
    n = len(groups)
    _, labels, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = rng.permutation(len(sizes))
    ends = np.cumsum(sizes[order])
    # A group belongs to the member in whose stretch of rows it begins.
    member_of_group = np.empty(len(sizes), dtype=np.int64)
    member_of_group[order] = ((ends - sizes[order]) / max(1.0, share * n)).astype(np.int64)
    member_of_group[member_of_group >= members] = -1
    if len(sizes) >= 2 * members and len(np.unique(member_of_group[member_of_group >= 0])) < members:
        member_of_group[:] = -1  # few groups, some of which are longer than a stretch: one for each
        member_of_group[order[:members]] = np.arange(members)
    found = member_of_group[labels.reshape(-1)]
    judged = np.bincount(found[found >= 0], minlength=members)
    if not ((judged > 0) & (judged < n)).all():
        raise InputError(
            f"the sequences fall into {len(sizes)} groups, too few or too unequal for {members} networks to "
            "be judged by some that they have not learned from; use a smaller --members, or more sequences"
        )
    return found
