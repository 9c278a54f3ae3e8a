"""Promises of the splits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import ALPHABETS, reverse_complement
from seqdesign.sequences.splits import (
    cluster_split,
    mutation_split,
    position_split,
    quantile_split,
    random_split,
    similarity_clusters,
)

FRACTIONS = st.lists(st.integers(1, 20), min_size=1, max_size=4).map(lambda w: [x / sum(w) for x in w])


def levenshtein(a: str, b: str) -> int:
    """Textbook dynamic programme (Wagner and Fischer 1974), the oracle of these tests."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        new = [i]
        for j, y in enumerate(b, 1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (x != y)))
        row = new
    return row[-1]


@given(st.integers(4, 200), FRACTIONS, st.integers(0, 99))
def test_a_random_split_names_every_record_once_in_the_sizes_asked(
    n: int, fractions: list[float], seed: int
) -> None:
    parts = random_split(n, fractions, np.random.default_rng(seed))
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    for part, fraction in zip(parts, fractions, strict=True):
        assert len(part) >= 1
        assert abs(len(part) - n * fraction) < len(fractions)
    again = random_split(n, fractions, np.random.default_rng(seed))
    assert [p.tolist() for p in parts] == [p.tolist() for p in again]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), FRACTIONS, st.integers(0, 99))
def test_groups_stay_together_and_no_part_is_empty(
    groups: list[int], fractions: list[float], seed: int
) -> None:
    if len(set(groups)) < len(fractions):
        with pytest.raises(InputError, match="stay together"):
            random_split(len(groups), fractions, np.random.default_rng(seed), groups=np.array(groups))
        return
    parts = random_split(len(groups), fractions, np.random.default_rng(seed), groups=np.array(groups))
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(groups)))
    members = [{groups[i] for i in part} for part in parts]
    assert all(members)
    assert sum(map(len, members)) == len(set(groups))


@pytest.mark.parametrize("fractions", [[0.5, 0.6], [1.0, 0.0], [-0.5, 1.5], [float("nan"), 1.0], []])
def test_fractions_must_be_positive_and_add_up(fractions: list[float]) -> None:
    with pytest.raises(UsageError, match="add up to 1"):
        random_split(10, fractions, np.random.default_rng(0))


def test_fewer_records_than_parts_is_an_error() -> None:
    with pytest.raises(InputError, match="got 1"):
        random_split(1, [0.5, 0.5], np.random.default_rng(0))


def test_a_quantile_split_tests_on_better_than_it_trains_on() -> None:
    outcomes = np.array([3.0, 1.0, np.nan, 2.0, 4.0, 2.0])
    train, test = quantile_split(outcomes, 0.5)
    assert (train.tolist(), test.tolist()) == ([1, 2, 3, 5], [0, 4])
    assert np.nanmax(outcomes[train]) < outcomes[test].min()


def test_a_quantile_split_that_cannot_be_made_says_why() -> None:
    with pytest.raises(InputError, match="above the quantile"):
        quantile_split(np.ones(5), 0.5)
    with pytest.raises(InputError, match="needs outcomes"):
        quantile_split(np.full(5, np.nan))
    with pytest.raises(UsageError, match="between 0 and 1"):
        quantile_split(np.arange(5.0), 1.0)


@given(
    st.lists(st.text("AC", min_size=1, max_size=7), min_size=2, max_size=14),
    st.sampled_from([0.3, 0.5, 0.75, 0.8, 1.0]),
)
def test_clusters_are_the_connected_components_of_the_similarity_graph(
    sequences: list[str], identity: float
) -> None:
    n = len(sequences)
    linked = np.array(
        [
            [1 - levenshtein(a, b) / max(len(a), len(b)) >= identity - 1e-9 for b in sequences]
            for a in sequences
        ]
    )
    for _ in range(n):
        linked = linked @ linked
    labels = similarity_clusters(sequences, identity)
    assert (linked == (labels[:, None] == labels)).all()
    _, first = np.unique(labels, return_index=True)
    assert labels.max() + 1 == len(first)
    assert (np.diff(first) > 0).all(), "labels come in order of first appearance"


def test_reverse_complements_share_a_cluster_only_when_asked() -> None:
    a = "AAACCCGGTACGATCA"
    near = reverse_complement(a)[:-1] + "A"
    other = "TGTGTGTGTGTGCCCC"
    dna = ALPHABETS["dna"]
    assert similarity_clusters([a, near, other, a], 0.9).tolist() == [0, 1, 2, 0]
    both = similarity_clusters([a, near, other, a], 0.9, alphabet=dna, reverse_complement=True)
    assert both.tolist() == [0, 0, 1, 0]
    exact = similarity_clusters(
        [a, reverse_complement(a).lower()], 1.0, alphabet=dna, reverse_complement=True
    )
    assert exact.tolist() == [0, 0]
    with pytest.raises(UsageError, match="dna or rna"):
        similarity_clusters([a], reverse_complement=True, alphabet=ALPHABETS["protein"])


def test_a_cluster_split_leaves_nothing_similar_across_parts() -> None:
    rng = np.random.default_rng(0)
    parents = ["".join(rng.choice(list("ACGT"), 20)) for _ in range(30)]
    sequences = [p[:i] + "A" + p[i + 1 :] for p in parents for i in range(0, 20, 4)] + parents[:5]
    parts = cluster_split(sequences, [0.6, 0.2, 0.2], np.random.default_rng(1), identity=0.8)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(sequences)))
    assert abs(len(parts[0]) - 0.6 * len(sequences)) < 8
    for i in range(3):
        for j in range(i):
            closest = min(levenshtein(sequences[a], sequences[b]) for a in parts[i][::4] for b in parts[j])
            assert 1 - closest / 20 < 0.8


def test_one_cluster_cannot_be_split() -> None:
    with pytest.raises(InputError, match="1 cluster"):
        cluster_split(["ACGT", "ACGT"], [0.5, 0.5], np.random.default_rng(0))
    with pytest.raises(UsageError, match="identity"):
        similarity_clusters(["A"], 0.0)


def scan(length: int = 20) -> np.ndarray[Any, Any]:
    """A parent of zeros, all its single mutants to 1 and some doubles, as tokens."""
    parent = np.zeros(length, dtype=np.uint8)
    rows = [parent]
    for i in range(length):
        rows.append(parent.copy())
        rows[-1][i] = 1
    for i in range(length - 3):
        rows.append(parent.copy())
        rows[-1][[i, i + 3]] = 1
    return np.stack(rows)


@pytest.mark.parametrize("contiguous", [False, True])
def test_no_sequence_that_trains_has_a_mutation_where_the_others_are_tested(contiguous: bool) -> None:
    tokens = scan()
    train, test = position_split(tokens, 0.2, contiguous=contiguous, rng=np.random.default_rng(0))
    assert sorted([*train, *test]) == list(range(len(tokens)))
    singles = np.flatnonzero(tokens[test].sum(axis=1) == 1)
    places = np.flatnonzero(tokens[test][singles].any(axis=0))
    assert len(places) == 4
    assert (np.diff(places) == (1 if contiguous else 5)).all()
    assert not tokens[train][:, places].any()
    assert tokens[test][:, places].any(axis=1).all()


def test_the_most_mutated_are_tested_together() -> None:
    tokens = scan()
    train, test = mutation_split(tokens, 0.4)
    assert (tokens[train].sum(axis=1) <= 1).all()
    assert (tokens[test].sum(axis=1) == 2).all()


def test_splits_by_mutations_need_a_parent() -> None:
    same = np.zeros((30, 8), dtype=np.uint8)
    with pytest.raises(InputError, match="positions that vary, got 0"):
        position_split(same, 0.2, contiguous=False, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="all sequences have 0 mutations"):
        mutation_split(same, 0.2)
    many = np.random.default_rng(0).integers(0, 20, size=(200, 40)).astype(np.uint8)
    with pytest.raises(InputError, match="nearly every sequence"):
        position_split(many, 0.5, contiguous=True, rng=np.random.default_rng(0))
