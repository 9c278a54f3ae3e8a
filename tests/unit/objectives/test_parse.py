"""Objectives as text: what each form scores, and what is said about a wrong one."""

from __future__ import annotations

import math

import pytest
import torch

from seqdesign.errors import UsageError
from seqdesign.objectives.parse import parse_objective

CELLS = ("HepG2", "K562", "SK-N-SH")
X = torch.tensor([[[3.0, 1.0, 0.5], [1.0, 2.0, 4.0]]])


def score(*texts: str, outcomes: tuple[str, ...] = CELLS, **options: object) -> list[float]:
    objective = parse_objective(texts, outcomes, **options)  # type: ignore[arg-type]
    return objective(X[..., : len(outcomes)], torch.tensor([0, 1])).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max:K562", [1.0, 2.0]),
        ("maximize:K562", [1.0, 2.0]),
        ("min:SK-N-SH", [-0.5, -4.0]),
        ("target:HepG2=1.5", [-1.5, -0.5]),
        ("max:HepG2*0.5", [1.5, 0.5]),
        ("target:HepG2=1e0*2", [-4.0, 0.0]),
        ("specific:HepG2-K562-SK-N-SH", [2.0, -3.0]),
        ("contrast:HepG2-K562-SK-N-SH", [2.25, -2.0]),
        ("specific:HepG2+SK-N-SH-K562", [0.75, 0.5]),
    ],
)
def test_each_form_scores_by_its_formula(text: str, expected: list[float]) -> None:
    assert score(text) == expected


def test_a_single_outcome_needs_no_name() -> None:
    one = ("expression",)
    assert score(outcomes=one) == score("max", outcomes=one) == score("max:expression", outcomes=one)
    assert score("min*2", outcomes=one) == [-6.0, -2.0]
    assert score("target=1.5", outcomes=one) == [-1.5, -0.5]


def test_a_limit_costs_nothing_within_and_ten_for_each_deviation_beyond() -> None:
    """K562 is 1 and 2, its standard deviation .5."""
    scales = (1.0, 0.5, 1.0)
    free = score("max:HepG2", "max:SK-N-SH", scales=scales)
    assert score("max:HepG2", "max:SK-N-SH", "at-least:K562=0.5", scales=scales) == pytest.approx(
        free, abs=1e-3
    )
    held = score("max:HepG2", "at-most:K562=1.5", "max:SK-N-SH*2", scales=scales)
    assert held == pytest.approx([3.0 + 1.0, 1.0 + 8.0 - 10.0], abs=1e-3)
    assert score("at-least:K562=2", scales=scales) == pytest.approx([-20.0, -math.log(2)], abs=1e-3)


def test_names_may_hold_the_signs_of_the_grammar() -> None:
    odd = ("a=1", "b*2", "c:d")
    assert score("max:a=1", outcomes=odd) == [3.0, 1.0]
    assert score("max:b*2*3", outcomes=odd) == [3.0, 6.0]
    assert score("target:b*2=1", outcomes=odd) == [0.0, -1.0]
    assert score("target:a=1=3", outcomes=odd) == [0.0, -2.0]
    assert score("specific:c:d-a=1", outcomes=odd) == [-2.5, 3.0]


def test_several_goals_are_weighed_in_standard_deviations() -> None:
    scales = (2.0, 0.5, 1.0)
    assert score("max:HepG2", "min:K562*0.5", scales=scales) == [1.5 - 1.0, 0.5 - 2.0]
    assert score("target:HepG2=1", "max:K562", scales=scales) == [-1.0 + 2.0, 0.0 + 4.0]
    assert score("specific:HepG2-K562", "max:SK-N-SH", scales=scales) == pytest.approx(
        [1.6 + 0.5, -0.8 + 4.0]
    )


def test_a_single_goal_keeps_the_units_of_its_outcome() -> None:
    assert score("max:HepG2", scales=(2.0, 0.5, 1.0)) == [3.0, 1.0]


def test_a_target_for_log_odds_is_a_probability() -> None:
    objective = parse_objective(["target=0.9"], ("bound",), log_odds=(True,))
    x = torch.tensor([math.log(9.0), 0.0], dtype=torch.float64).view(1, 2, 1)
    assert objective(x, torch.tensor([0, 1])).tolist() == pytest.approx([0.0, -math.log(9.0)])
    with pytest.raises(UsageError, match="'bound' is a probability.* between 0 and 1, got 1.5"):
        parse_objective(["target=1.5"], ("bound",), log_odds=(True,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("maxx:K562", "unknown goal 'maxx'; must be one of .*; did you mean 'max'"),
        ("", "unknown goal ''; must be one of at-least, at-most, contrast, "),
        ("max:K561", "no outcome 'K561'; the outcomes are HepG2, K562, SK-N-SH; did you mean 'K562'"),
        ("max", "say which outcome, such as max:HepG2"),
        ("max:K562=2", "max takes no number, got =2"),
        ("target:K562", "target needs a number, such as target:HepG2=1.5"),
        ("at-most:K562", "at-most needs a number, such as at-most:HepG2=1.5"),
        ("target:K562=high", "the number must be a finite number, got 'high'"),
        ("target:K562=nan", "the number must be a finite number, got 'nan'"),
        ("max:K562*0", r"a weight must be above 0, got 0; min:NAME"),
        ("max:K562*x", "the weight must be a finite number, got 'x'"),
        ("specific:K562", "must be specific:ON-OFF or specific:ON.ON-OFF-OFF; the outcomes are HepG2"),
        ("specific:K562-Jurkat", "must be specific:ON-OFF"),
        ("specific", "must be specific:ON-OFF"),
    ],
)
def test_a_wrong_text_is_quoted_with_what_there_is(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        parse_objective([text], CELLS)
    assert raised.value.option == "--objective"
    assert f"--objective: '{text}': " in str(raised.value)


def test_several_outcomes_need_an_objective() -> None:
    with pytest.raises(
        UsageError, match="needed with several outcomes or labels, such as max:HepG2; they are HepG2, "
    ):
        parse_objective([], CELLS)


@pytest.mark.parametrize(
    "risk", ["worst", "lower", "lower:x", "lower:-1", "quantile:1.5", "mean:2", "lower:inf"]
)
def test_a_wrong_risk_is_refused(risk: str) -> None:
    with pytest.raises(UsageError, match="--risk: ") as raised:
        parse_objective(["max:K562"], CELLS, risk=risk)
    assert raised.value.option == "--risk"
