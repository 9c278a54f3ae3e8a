"""What the page of a predictor says first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seqdesign.models.predictor.sections import answer


def said(kind: str, **figures: Any) -> tuple[str, bool]:
    """The sentence on top, and whether the first figure is in doubt."""
    one = {"name": "y", "rows": 50, "baseline": "R2 of ridge regression", "baseline_value": 0.8, "r2": 0.8}
    found = answer(Path("m"), {"kind": kind, "quality": {"outcomes": [{**one, **figures}]}})
    return found.verdict, found.tiles[0].doubt


def test_a_ridge_is_not_doubted_for_being_no_better_than_itself_and_others_are() -> None:
    assert said("ridge") == ("On sequences that it has not seen it explains 80% of the variance.", False)
    sentence, doubt = said("residual")
    assert sentence.startswith("It predicts no better than a simple model")
    assert doubt
    assert said("ridge", r2=0.0)[0].endswith("do not design with it.")
