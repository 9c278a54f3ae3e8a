"""The lookup oracle against a plain search through the table."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.errors import InputError
from seqdesign.metrics.edits import levenshtein
from seqdesign.oracles import table
from seqdesign.oracles.table import TableOracle

ORACLE = TableOracle(["AAA", "AAC", "ACC", "CCC", "AACC"], [1.0, 2.0, 5.0, 9.0, 20.0])
tables = st.dictionaries(st.text("ACG", min_size=1, max_size=4), st.integers(-3, 3).map(float), min_size=1)
starts = st.lists(st.text("ACG", min_size=1, max_size=4), min_size=1, max_size=6)


def substitutions(a: str, b: str) -> float:
    return sum(x != y for x, y in zip(a, b, strict=True)) if len(a) == len(b) else math.inf


def test_measured_values_are_looked_up_and_others_are_nan():
    np.testing.assert_array_equal(ORACLE(["CCC", "GGG", "AAA", "AA"]), [9.0, math.nan, 1.0, math.nan])
    assert ORACLE.contains(["CCC", "GGG", ""]).tolist() == [True, False, False]
    assert ORACLE([]).shape == (0,)
    assert len(ORACLE) == 5


def test_only_lookups_count_as_queries():
    oracle = TableOracle(["A", "C"], [1.0, 2.0])
    oracle(["A", "C", "G"])
    oracle(["A"])
    oracle.contains(["A"])
    oracle.best_within(["A"], 1)
    assert oracle.num_queries == 4


def test_best_neighbour_grows_with_the_budget():
    for max_edits, sequence, value in [(0, "AAA", 1.0), (1, "AAC", 2.0), (2, "ACC", 5.0), (3, "CCC", 9.0)]:
        best = ORACLE.best_within(["AAA"], max_edits)
        assert best.sequences == [sequence]
        assert best.values.tolist() == [value]
        assert best.edits.tolist() == [max_edits]


def test_insertions_count_only_on_request():
    assert ORACLE.best_within(["AAC"], 1).sequences == ["ACC"]
    best = ORACLE.best_within(["AAC"], 1, same_length=False)
    assert (best.sequences, best.values.tolist(), best.edits.tolist()) == (["AACC"], [20.0], [1])


def test_a_start_without_measured_neighbours_comes_back_with_nan():
    best = ORACLE.best_within(["GGG", "AAA", "GGGGGGG"], 1)
    assert best.sequences == ["GGG", "AAC", "GGGGGGG"]
    np.testing.assert_array_equal(best.values, [math.nan, 2.0, math.nan])
    assert best.edits.tolist() == [0, 1, 0]


def test_ties_go_to_the_earlier_row():
    oracle = TableOracle(["AC", "CA", "AA"], [1.0, 1.0, 0.0])
    assert oracle.best_within(["AA"], 1).sequences == ["AC"]


@given(tables, starts, st.integers(0, 4), st.booleans())
def test_best_neighbours_match_a_plain_search(landscape, asked, max_edits, same_length):
    distance = substitutions if same_length else levenshtein
    best = TableOracle(list(landscape), list(landscape.values())).best_within(
        asked, max_edits, same_length=same_length
    )
    for start, sequence, value, edits in zip(asked, *best, strict=True):
        near = [s for s in landscape if distance(start, s) <= max_edits]
        if not near:
            assert (sequence, math.isnan(value), edits) == (start, True, 0)
            continue
        assert value == landscape[sequence] == max(landscape[s] for s in near)
        assert edits == distance(start, sequence) <= max_edits


def test_blocks_do_not_change_the_result(monkeypatch):
    sequences = ["".join(letters) for letters in product("ACGT", repeat=4)]
    oracle = TableOracle(sequences, np.random.default_rng(0).normal(size=256))
    whole = oracle.best_within(sequences, 2)
    monkeypatch.setattr(table, "_BLOCK_CELLS", 1000)
    parts = oracle.best_within(sequences, 2)
    assert parts.sequences == whole.sequences
    np.testing.assert_array_equal(parts.values, whole.values)
    np.testing.assert_array_equal(parts.edits, whole.edits)


def test_the_table_is_a_copy():
    sequences, values = ["A", "C"], np.array([1.0, 2.0])
    oracle = TableOracle(sequences, values)
    sequences[0], values[0] = "G", 7.0
    assert oracle(["A"]).tolist() == [1.0]


def test_a_table_that_does_not_determine_the_values_is_refused():
    with pytest.raises(InputError, match=r"2 sequences and values of shape \(1,\)"):
        TableOracle(["A", "C"], [1.0])
    with pytest.raises(InputError, match="'A' more than once"):
        TableOracle(["A", "C", "A"], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="got nan for 'C'"):
        TableOracle(["A", "C"], [1.0, math.nan])
    with pytest.raises(ValueError, match="got -1"):
        ORACLE.best_within(["AAA"], -1)
