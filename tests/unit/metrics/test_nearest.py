"""Promises of the nearest reference sequences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdesign.metrics import nearest as module
from seqdesign.metrics.edits import levenshtein_matrix
from seqdesign.metrics.nearest import identity, nearest

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
