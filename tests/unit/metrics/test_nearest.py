"""Promises of the nearest reference sequences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdesign.metrics import nearest as module
from seqdesign.metrics.edits import levenshtein_matrix
from seqdesign.metrics.nearest import LikelyNearest, identity, nearest

TEXTS = st.lists(st.text("ACG", min_size=1, max_size=9), min_size=1, max_size=12)


def assert_nearest(queries: list[str], references: list[str]) -> None:
    """Oracle: the whole matrix."""
    matrix = levenshtein_matrix(queries, references)
    found = nearest(queries, references)
    assert found.distance.tolist() == matrix.min(axis=1).tolist()
    assert found.index.tolist() == matrix.argmin(axis=1).tolist()
    assert found.ties.tolist() == (matrix == matrix.min(axis=1, keepdims=True)).sum(axis=1).tolist()


@settings(max_examples=40)
@given(TEXTS, TEXTS)
def test_the_nearest_is_that_of_the_whole_matrix(queries: list[str], references: list[str]) -> None:
    assert_nearest(queries, references)


@pytest.mark.parametrize("length", [6, 40, 90])
def test_sequences_of_one_length_take_the_fast_path_to_the_same_result(length: int) -> None:
    rng = np.random.default_rng(length)
    codes = rng.integers(0, 4, (60, length))
    near = codes[:30].copy()
    near[np.arange(30), rng.integers(0, length, 30)] = 0
    shifted = np.roll(codes[30:40], 1, axis=1)
    references, queries = (
        ["".join("ACGT"[c] for c in row) for row in rows]
        for rows in (codes, np.vstack([near, shifted, codes[:3]]))
    )
    assert_nearest(queries, references)


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    texts = ["".join("ACGT"[c] for c in rng.integers(0, 4, 12)) for _ in range(40)]
    monkeypatch.setattr(module, "_CELLS", 15)
    monkeypatch.setattr(module, "_QUERIES", 3)
    monkeypatch.setattr(module, "_BLOCK", 7)
    assert_nearest(texts[:17], texts[10:])
    assert_nearest([*texts[:5], "ACG"], texts[20:])


@settings(max_examples=40)
@given(TEXTS.filter(lambda texts: len(texts) > 1))
def test_a_sequence_can_be_kept_from_being_its_own_nearest(texts: list[str]) -> None:
    matrix = levenshtein_matrix(texts, texts) + 99 * np.eye(len(texts), dtype=np.int64)
    found = nearest(texts, texts, own=np.arange(len(texts)))
    assert found.distance.tolist() == matrix.min(axis=1).tolist()
    assert (found.index != np.arange(len(texts))).all()
    assert found.ties.tolist() == (matrix == matrix.min(axis=1, keepdims=True)).sum(axis=1).tolist()


def test_progress_ends_with_all_queries_and_no_reference_is_refused() -> None:
    seen: list[int] = []
    nearest(["AC", "GT", "AAA"], ["AC"], progress=seen.append)
    assert seen[-1] == 3
    with pytest.raises(ValueError, match="needs other sequences, got 1"):
        nearest(["A"], ["A"], own=[0])


def test_identity_is_relative_to_the_longer_sequence() -> None:
    assert identity(np.array([1, 0]), ["ACGT", ""], ["ACG", ""]).tolist() == [0.75, 1.0]


def random_texts(num: int, low: int, high: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join("ACGT"[c] for c in rng.integers(0, 4, n)) for n in rng.integers(low, high + 1, num)]


@pytest.fixture
def short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 references of those below are looked at."""
    monkeypatch.setattr(module, "IN_PLACE", 20)
    monkeypatch.setattr(module, "ANYWHERE", 10)
    monkeypatch.setattr(module, "_QUERIES", 7)


@pytest.mark.usefixtures("short_list")
def test_changed_shifted_and_copied_sequences_are_found_among_those_with_most_words() -> None:
    references = random_texts(300, 80, 100, 0)
    changed = [text[:20] + "ACCA" + text[24:60] + text[63:] for text in references[:5]]
    shifted = [text[12:] + "ACGTTGCATTGA" for text in references[5:10]]
    queries = [*changed, *shifted, *references[10:15], "A" * 90]
    exact, seen = nearest(queries, references), [0]
    (found,) = LikelyNearest(references).find(queries, progress=seen.append)
    assert found.index[:15].tolist() == list(range(15))
    assert found.distance[:15].tolist() == exact.distance[:15].tolist()
    assert found.distance[15] >= exact.distance[15]
    assert seen == [0, 7, 14, 16]


@pytest.mark.usefixtures("short_list")
def test_a_copy_is_found_among_many_that_repeat_its_words() -> None:
    references = ["A" * 80 + end for end in random_texts(200, 20, 20, 1)]
    references[150] = "A" * 70
    (found,) = LikelyNearest(references).find(["A" * 70])
    assert (found.distance.tolist(), found.index.tolist(), found.ties.tolist()) == ([0], [150], [1])


@pytest.mark.usefixtures("short_list")
def test_groups_share_what_is_looked_at_and_a_query_is_not_its_own_nearest() -> None:
    near = random_texts(200, 90, 90, 2)
    far = ["T" * 90] * 40
    first, second = LikelyNearest(near, far).find(near[:9], (0, 1), own=np.arange(9))
    exact = nearest(near[:9], near, own=np.arange(9))
    assert (first.distance >= exact.distance).all()
    assert (first.index != np.arange(9)).all()
    none = second.distance > 90  # none of the second group was alike enough
    assert none.any()
    assert not second.ties[none].any()
    again, both = LikelyNearest(near[9:], near[:9]).find(near[:9], (0, 1))
    assert not both.distance.any()
    assert again.distance.all()


@pytest.mark.parametrize(("length", "num"), [(60, 400), (90, 25)])
@pytest.mark.usefixtures("short_list")
def test_short_or_few_references_are_all_compared(length: int, num: int) -> None:
    references, queries = random_texts(num, length - 9, length, 3), random_texts(5, 70, 90, 4)
    seeker = LikelyNearest(references)
    assert seeker.compares_all
    assert seeker.find(queries)[0].distance.tolist() == nearest(queries, references).distance.tolist()
