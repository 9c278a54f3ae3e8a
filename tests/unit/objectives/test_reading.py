"""What people are told of a score: in the outcome's units, under keys that say which way is up."""

from __future__ import annotations

import pytest
import torch

from seqdesign.objectives.parse import parse_objective
from seqdesign.objectives.reading import READINGS, Reading


@pytest.mark.parametrize(
    ("objective", "kind", "said"),
    [
        (["max:a"], "score", 3.0),
        (["min:a"], "cost", 3.0),
        (["minimize:a"], "cost", 3.0),
        (["target:a=5"], "off_target", 2.0),
        (["specific:a-b"], "score", 2.0),
        (["min:a", "max:b"], "score", -2.0),
    ],
)
def test_one_outcome_is_said_in_its_own_units(objective: list[str], kind: str, said: float) -> None:
    found = parse_objective(objective, ["a", "b"])
    score = float(found(torch.tensor([[[3.0, 1.0]]]), torch.tensor([0])))
    assert (found.reading.kind, found.reading.value(score)) == (kind, said)
    assert found.reading.value(said) == score


def test_keys_and_words_say_which_way_is_up() -> None:
    assert [(one.bound, one.limit(1.5)) for one in READINGS] == [
        ("score_low", "≥ 1.5"), ("cost_high", "≤ 1.5"), ("off_target_high", "≤ 1.5"),
    ]  # fmt: skip
    assert [one.promised(2, 1.5) for one in READINGS] == [
        "the mean of the 2 designs exceeds 1.5",
        "the mean of the 2 designs is below 1.5",
        "the mean distance from the target of the 2 designs is below 1.5",
    ]


def test_a_price_in_a_table_of_others_is_no_cost_of_ours() -> None:
    assert Reading.of_keys(["sequence", "cost"]) == Reading("score")
    assert Reading.of_keys(["sequence", "cost", "cost_start"]) == Reading("cost")
