"""What a summary of designs says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seqdesign.design.records import DesignSummary, Range


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
