"""``seqdesign predict``: figures of agreement are never over rows that the model was trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_rows_that_the_model_was_trained_on_do_not_count_as_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Any], tiny_predictor: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    train = tiny_predictor.with_name("train.fa")
    done = cli("predict", train, "-m", tiny_predictor, "-o", "p.csv", "--json")
    assert done.code == 0, done.err
    (one,) = json.loads(done.out)["outcomes"]
    assert one["num_trained"] + one["num_measured"] == 80
    assert 0 < one["num_measured"] < 20  # the held-out rows
    fresh = tmp_path / "fresh.fa"
    fresh.write_text(train.read_text() + ">new outcome=3\nGGGGGGGGG\n>new2 outcome=0\nAAAAAAAAA\n")
    done = cli("predict", fresh, "-m", tiny_predictor, "-o", "p.csv")
    assert done.code == 0, done.err
    assert f"{one['num_trained']} of 82 measured outcomes were trained on" in done.err
    assert f"against {one['num_measured'] + 2} measured outcomes" in done.err
