"""Splits into training and held-out parts: random, by outcome, by similarity cluster, by what is mutated.

All of them return index arrays, (n_i,) int64, sorted, that together name every record once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import Alphabet

Indices = NDArray[np.int64]

FEWEST_MUTANTS, LONE = 20, 0.9
"""Sequences, and share of them with one mutation, from which on they are a scan of single mutants."""
_PAIRS_AT_ONCE = 4_000_000


def random_split(
    n: int, fractions: Sequence[float], rng: np.random.Generator, *, groups: Indices | None = None
) -> list[Indices]:
    """``n`` records in parts of about the given fractions, each part with at least one record.

    ``groups`` (n,) are labels: records with the same label stay together, and sizes are as near as whole
    groups permit. Raises UsageError for fractions that are not positive or do not add up to 1, InputError
    when there are fewer records or groups than parts.
    """
    if any(not 0 < f <= 1 for f in fractions) or not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise UsageError(f"split fractions must be positive and add up to 1, got {list(fractions)}")
    labels = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(labels, minlength=0)
    if len(sizes) < len(fractions):
        what = "records" if groups is None else "groups of records that must stay together"
        raise InputError(f"{len(fractions)} parts need at least as many {what}, got {len(sizes)}")
    part_of_group = _fill_parts(sizes, n * np.asarray(fractions), rng)
    part = part_of_group[labels]
    return [np.flatnonzero(part == i) for i in range(len(fractions))]


def _fill_parts(sizes: Indices, targets: NDArray[np.float64], rng: np.random.Generator) -> Indices:
    """The part of each group: large groups first, each to the part that lacks most; none stays empty."""
    order = rng.permutation(len(sizes))
    part = np.empty(len(sizes), dtype=np.int64)
    if (sizes == 1).all():
        counts = _whole_counts(targets, len(sizes))
        part[order] = np.repeat(np.arange(len(targets)), counts)
        return part
    # Large groups first, so that small ones can even out the sizes.
    order = order[np.argsort(-sizes[order], kind="stable")]
    lacking = targets.astype(np.float64)
    filled = np.zeros(len(targets), dtype=bool)
    for place, group in enumerate(order):
        n_left = len(order) - place
        must_fill = n_left <= int((~filled).sum())
        chosen = int(np.argmax(np.where(filled, -np.inf, lacking) if must_fill else lacking))
        part[group] = chosen
        lacking[chosen] -= sizes[group]
        filled[chosen] = True
    return part


def _whole_counts(targets: NDArray[np.float64], n: int) -> Indices:
    """Whole numbers nearest to ``targets`` (largest remainders) that add up to n, each at least 1."""
    counts = np.floor(targets + 1e-9).astype(np.int64)
    for i in np.argsort(counts - targets, kind="stable")[: n - counts.sum()]:
        counts[i] += 1
    while (counts == 0).any():
        counts[counts.argmax()] -= 1
        counts[counts.argmin()] += 1
    return counts


def quantile_split(outcomes: NDArray[np.float64], quantile: float = 0.5) -> tuple[Indices, Indices]:
    """(train, test): outcomes up to their ``quantile``, and those above it, to test on better than was seen.

    Unlabelled records (NaN) go to training. Raises UsageError for a quantile outside (0, 1), InputError when
    no outcome lies above the quantile.
    """
    if not 0 < quantile < 1:
        raise UsageError(f"the quantile must lie between 0 and 1, got {quantile}")
    if np.isnan(outcomes).all():
        raise InputError("a split by outcome needs outcomes, got none")
    cut = float(np.nanquantile(outcomes, quantile))
    above = outcomes > cut
    if not above.any():
        raise InputError(f"no outcome is above the quantile {quantile} ({cut:.6g}); choose a lower quantile")
    return np.flatnonzero(~above), np.flatnonzero(above)


RELATED = 0.25
"""Share of its letters in which a variant of a parent differs from it, at most."""


def related(changes: NDArray[np.int64], length: int) -> bool:
    """Whether sequences with so many changes (N,) of a parent of ``length`` letters are its variants."""
    return float(np.mean(changes)) <= RELATED * length


def mutated(tokens: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(N, L): where each of N sequences of one length differs from the most common letter of its position."""
    common = np.array([np.bincount(column).argmax() for column in tokens.T], dtype=tokens.dtype)
    return tokens != common


def lone_mutants(tokens: NDArray[np.uint8], lengths: NDArray[np.int64]) -> bool:
    """Whether N sequences (N, L) are single mutants of the most common letters, or have all of these."""
    if len(tokens) < FEWEST_MUTANTS or (lengths != tokens.shape[1]).any():
        return False
    changes = mutated(tokens).sum(axis=1)
    return bool((changes == 1).mean() >= LONE)


def position_split(
    tokens: NDArray[np.uint8], share: float, *, contiguous: bool, rng: np.random.Generator
) -> tuple[Indices, Indices]:
    """(train, test): sequences with a mutation at one of some positions are tested on, none trains there.

    Of the positions that vary about ``share`` are chosen: one in so many, counted along the sequence, or
    neighbours (``contiguous``), as in ProteinGym's modulo and contiguous folds (Notin et al. 2023). Which of
    them is drawn. tokens (N, L) of one length; a mutation is a letter that is not the most common one of its
    position. Raises InputError where no sequence remains on one side.
    """
    changed = mutated(tokens)
    varying = np.flatnonzero(changed.any(axis=0))
    folds = max(2, round(1 / share))
    if len(varying) < folds:
        raise InputError(
            f"a split by positions into {folds} parts needs as many positions that vary, got {len(varying)}; "
            "use a random split"
        )
    place = np.arange(len(varying))
    fold = place * folds // len(varying) if contiguous else place % folds
    test = changed[:, varying[fold == rng.integers(folds)]].any(axis=1)
    if test.all() or not test.any():
        raise InputError(
            "nearly every sequence has a mutation at the positions to be held out; use a random split"
        )
    return np.flatnonzero(~test), np.flatnonzero(test)


def mutation_split(tokens: NDArray[np.uint8], share: float) -> tuple[Indices, Indices]:
    """(train, test): sequences with the most mutations, about ``share`` of all, are tested on.

    Those with as many mutations stay together. tokens (N, L) as in ``position_split``. Raises InputError
    where all have the same number.
    """
    count = mutated(tokens).sum(axis=1)
    levels = np.unique(count)
    if len(levels) < 2:
        raise InputError(
            f"all sequences have {levels[0]} mutations, so there are none with more; use a random split"
        )
    tested = np.array([(count >= level).mean() for level in levels[1:]])
    cut = levels[1:][np.abs(tested - share).argmin()]
    return np.flatnonzero(count < cut), np.flatnonzero(count >= cut)


def cluster_split(
    sequences: Sequence[str],
    fractions: Sequence[float],
    rng: np.random.Generator,
    *,
    identity: float = 0.8,
    alphabet: Alphabet | None = None,
    reverse_complement: bool = False,
) -> list[Indices]:
    """Parts with no two records of ``identity`` or more across them; see ``similarity_clusters``.

    Raises InputError when there are fewer clusters than parts, UsageError as ``random_split``.
    """
    labels = similarity_clusters(
        sequences, identity, alphabet=alphabet, reverse_complement=reverse_complement
    )
    n_clusters = len(np.unique(labels))
    if n_clusters < len(fractions):
        raise InputError(
            f"at identity {identity} all sequences fall into {n_clusters} cluster(s), but there are "
            f"{len(fractions)} parts; raise the identity or split at random"
        )
    return random_split(len(sequences), fractions, rng, groups=labels)


def similarity_clusters(
    sequences: Sequence[str],
    identity: float = 0.8,
    *,
    alphabet: Alphabet | None = None,
    reverse_complement: bool = False,
) -> Indices:
    """(N,) cluster labels 0, 1, ... in order of first appearance, by exact single linkage.

    Two sequences are linked when 1 - Levenshtein distance / longer length >= ``identity`` (case ignored
    unless the alphabet tells it apart); equal ones always are. ``reverse_complement`` also compares the other
    strand, for an ``alphabet`` that has complements. Time grows with the square of the number of different
    sequences when most of them are unlike each other: about a minute for 15,000 of length 100.

    Raises UsageError for an identity outside (0, 1] or reverse complements without complements.
    """
    if not 0 < identity <= 1:
        raise UsageError(f"the identity must be above 0 and at most 1, got {identity}")
    if reverse_complement and (alphabet is None or not alphabet.complement):
        raise UsageError("comparing reverse complements needs the alphabet dna or rna")
    case_sensitive = alphabet is not None and alphabet.case_sensitive
    texts = [s if case_sensitive else s.upper() for s in sequences]
    strand = alphabet if reverse_complement else None
    if strand is not None:
        texts = [min(text, strand.reverse_complement(text)) for text in texts]
    unique, inverse = np.unique(np.asarray(texts, dtype=object), return_inverse=True)
    labels = _single_linkage([str(u) for u in unique], identity, strand)[inverse]
    _, first, renamed = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[renamed].astype(np.int64)


def _single_linkage(texts: list[str], identity: float, strand: Alphabet | None) -> Indices:
    """Connected components of the similarity graph of different ``texts``.

    A cluster grows from a seed by comparing its newest members with everything not yet in a cluster, so large
    clusters leave little to compare.
    """
    labels = np.full(len(texts), -1, dtype=np.int64)
    if identity == 1:
        return np.arange(len(texts), dtype=np.int64)
    left, left_texts = list(range(len(texts))), list(texts)
    label = 0
    while left:
        # Seeds come from the end, so that a sequence without a neighbour costs no new list.
        frontier, queries = [left.pop()], [left_texts.pop()]
        while frontier:
            labels[frontier] = label
            near = _are_near(queries, left_texts, identity, strand)
            frontier = [i for i, is_near in zip(left, near, strict=True) if is_near] if near.any() else []
            queries = [texts[i] for i in frontier]
            if frontier:
                left = [i for i, is_near in zip(left, near, strict=True) if not is_near]
                left_texts = [texts[i] for i in left]
        label += 1
    return labels


def _are_near(
    queries: list[str], choices: list[str], identity: float, strand: Alphabet | None
) -> NDArray[np.bool_]:
    """(len(choices),): whether any query is at least ``identity`` alike, on either strand if given."""
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    if strand is not None:
        queries = queries + [strand.reverse_complement(q) for q in queries]
    largest = 1 - identity + 1e-9  # a distance exactly at the bound counts as near
    near = np.zeros(len(choices), dtype=bool)
    step = max(1, _PAIRS_AT_ONCE // max(1, len(choices)))
    for start in range(0, len(queries), step):
        distances = cdist(
            queries[start : start + step], choices,
            scorer=Levenshtein.normalized_distance, score_cutoff=largest, dtype=np.float64,
        )  # fmt: skip
        near |= (distances <= largest).any(axis=0)
    return near
