"""Designs of one outcome that keep another within a limit."""

from __future__ import annotations

import numpy as np
import pytest

import seqdesign as sd
from seqdesign.errors import UsageError
from seqdesign.verbs.models import Predictor


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A raises the activity and lowers the yield, C raises both a little."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 12)) for _ in range(80)]
    counts = np.array([[text.count(letter) for letter in "AC"] for text in texts], dtype=float)
    activity = counts @ [1.0, 0.4] + rng.normal(0, 0.1, len(texts))
    made = counts @ [-1.0, 0.5] + rng.normal(0, 0.1, len(texts))
    path = tmp_path_factory.mktemp("limits") / "rows.csv"
    lines = [f"{t},{a},{y}" for t, a, y in zip(texts, activity, made, strict=True)]
    path.write_text("\n".join(["sequence,activity,yield", *lines]) + "\n")
    names = ["activity", "yield"]
    return sd.train_predictor(sd.read(path, outcome=names), outcome=names, architecture="ridge", members=3)


def designed(model: Predictor, *goals: str) -> list[dict[str, object]]:
    found = sd.maximize(model, num=4, tries=1, budget=200, letters="any", objective=goals)
    return found.to_frame().to_dict("records")


def test_a_limit_is_kept_at_the_cost_of_the_goal(model: Predictor) -> None:
    free = designed(model, sd.goals.maximize("activity"))
    held = designed(model, sd.goals.maximize("activity"), sd.goals.at_least(0.0, "yield"))
    assert all(str(row["sequence"]).count("A") > 6 for row in free)
    for row in held:
        text = str(row["sequence"])
        assert 0.5 * text.count("C") - text.count("A") >= 0
        assert float(str(row["predicted_yield_kept"])) > 0.5
        assert row["status"] != "unconfirmed"
    assert "predicted_yield_kept" not in free[0]


def test_a_limit_that_nothing_keeps_speaks_against_designs(model: Predictor) -> None:
    for row in designed(model, "max:activity", "at-least:yield=20"):
        assert row["status"] == "unconfirmed"
        assert "limit: predicted_yield is within it with a probability of 0.00" in str(row["reason"])


def test_a_front_needs_two_goals_beside_limits(model: Predictor) -> None:
    with pytest.raises(UsageError, match="needs at least two goals that are no limits"):
        sd.maximize(model, num=4, pareto=True, objective=["max:activity", "at-least:yield=0"])
