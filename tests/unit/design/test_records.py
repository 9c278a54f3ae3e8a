"""What a summary of designs says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seqdesign.design.promise import Promise
from seqdesign.design.records import Design, DesignSummary, Range
from seqdesign.sequences.fasta import header_fields


@pytest.fixture
def summary() -> DesignSummary:
    return DesignSummary(
        designs=3, unconfirmed=0, extrapolates=0, unusual=0, rejected=0, missing=0, objective="max",
        mean_score=2.0, best_score=2.5, mean_score_start=1.0, mean_score_design=3.0, mean_confidence=0.5,
        mean_soft_gap=None, mean_edits=2.0, judges={"words": 1.0},
        measured={"predicted_outcome": Range(0.0, 3.0)}, noise={}, promise=None, hypervolume=None,
        queries=10, constraints=(), stop={}, warnings=(),
    )  # fmt: skip


def test_the_first_line_has_the_mean_and_the_best(summary: DesignSummary) -> None:
    assert summary.lines()[0] == "designs: 3, score 2 on average and 2.5 at best (max), from 1"


def test_designs_that_measurements_do_not_tell_apart_are_said_to_be_equal(summary: DesignSummary) -> None:
    alike = replace(summary, mean_score=2.5)
    said = "score 2.5 each, as far as measurements go; the likelier better first (max)"
    assert said in alike.lines()[0]
    for other in (replace(alike, designs=1), replace(alike, judges={})):
        assert "score 2.5 on average and 2.5 at best" in other.lines()[0]


def test_what_shall_be_low_is_said_in_its_own_units(summary: DesignSummary) -> None:
    promised = Promise(
        probability=0.9, least=1.5, bounds=1.6, effective=20.0, alike=True, designs=3, measure=()
    )
    lines = replace(summary, kind="cost", objective="min", promise=promised).lines()
    assert lines[0] == "designs: 3, cost -2 on average and -2.5 at best (min), from -1"
    assert "predict -3 on average, which is biased" in lines[1]
    assert any("the mean of the 3 designs is below -1.5 with probability 0.9" in line for line in lines)


def test_headers_and_tables_have_costs_where_less_is_better() -> None:
    design = Design(
        id="d", status="ok", reason=None, parent=None, original=None, sequence="ACGT", score=2.0,
        score_low=1.5, score_start=0.5, score_design=2.5, confidence=None, doubt=None, open_end=None,
        soft_gap=None, outcomes={"predicted_outcome": -2.0}, edits=None, edit_list=None, evidence=None,
        least_evidence=None, kind="cost",
    )  # fmt: skip
    costs = {"cost": -2.0, "cost_high": -1.5, "cost_start": -0.5, "cost_design": -2.5}
    row, fields = design.row(), header_fields(design.fasta().description)
    assert {key: row[key] for key in costs} == costs
    assert {key: float(fields[key]) for key in costs} == costs
    assert not [key for key in (*row, *fields) if key.startswith("score") or key == "kind"]
    assert set(replace(design, kind="score").row()) - set(row) == {
        "score", "score_low", "score_start", "score_design"
    }  # fmt: skip
