"""``attribute`` from Python: a model and sequences in memory."""

from __future__ import annotations

import pytest
import torch

from seqdesign.attribution.edits import explain_edits
from seqdesign.attribution.explainer import Explainer
from seqdesign.design.model import DesignModel
from seqdesign.oracles.function import FunctionOracle
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.parents import by_id
from seqdesign.sequences.reader import SequenceSet


def explainer(*texts: str) -> Explainer:
    """Two points for an A at the first position, one for a C at the second."""
    oracle = FunctionOracle(
        [lambda x: 2 * x[:, 0, 0] + x[:, 1, 1]], alphabet=get_alphabet("dna"), length=4, name="points"
    )
    model = DesignModel("points", oracle, torch.device("cpu"))
    return Explainer(model, SequenceSet([f"s{i}" for i in range(len(texts))], list(texts)))


def test_an_oracle_in_memory_is_explained() -> None:
    made = explainer("ACGT", "TTTT")
    rows = list(made.rows())
    assert [row["contribution"] for row in rows[:4]] == pytest.approx([1.5, 0.75, 0.0, 0.0])
    assert made.mean_score() == pytest.approx(1.5)


def test_edits_are_explained_by_pairs_from_anywhere() -> None:
    made = explainer("ACGT")
    found = explain_edits(made, SequenceSet(["s0"], ["TTGT"]), by_id)
    assert {row["edit"]: row["contribution"] for row in found.rows} == pytest.approx({"T1A": 2.0, "T2C": 1.0})


def test_of_designs_that_shall_be_low_the_best_edit_is_the_one_that_lowers_most() -> None:
    """The parent ACAT has 3, the design TTTT 0; A3T does nothing."""
    made, parent = explainer("TTTT"), SequenceSet(["s0"], ["ACAT"])
    found = explain_edits(made, parent, by_id, lower=True)
    assert [row["edit"] for row in found.rows] == ["A1T", "C2T", "A3T"]
    summary = found.summary()
    assert (summary.harmless, summary.largest_share) == (1, pytest.approx(2 / 3))
    assert summary.lines() == [
        "edits: 3 of 1 sequences, which change by -3 on average; the best edit of each brings 67% of it",
        "1 edits can each be undone for less than 2% of the gain",
    ]
    assert explain_edits(made, parent, by_id).summary().harmless == 0  # raised, it has not gained
