"""What the page of a predictor says first."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from seqdesign.errors import InputError
from seqdesign.metrics.monotone import Curve
from seqdesign.models.predictor.sections import answer, sections
from seqdesign.reports.html import Page


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


CURVE = asdict(Curve((-1.0, 0.0, 2.0), (-0.5, 0.0, 0.4), (0.9, 0.3, 0.1), 0.9, 0.1))
ONE = {
    "name": "y", "rows": 50, "baseline": "R2 of ridge regression", "baseline_value": 0.4, "r2": 0.8125,
    "coverage": None, "straight": 0.6875,
}  # fmt: skip


def page_of(folder: Path, **figures: Any) -> str:
    page = Page("t")
    sections(page, folder, {"quality": {"sequences": 50, "outcomes": [{**ONE, **figures}]}})
    return page.html()


def test_a_curve_is_drawn_with_what_it_gained(tmp_path: Path) -> None:
    record = {"outcome_mean": [1.0], "outcome_scale": [2.0], "curves": [CURVE]}
    (tmp_path / "config.json").write_text(json.dumps(record))
    html = page_of(tmp_path)
    assert "R2 of held-out sequences with the curve 0.812, without it 0.688." in html
    assert "R2 without its curve" in html
    assert "y: curve of predictions" in html
    assert "curve" not in page_of(tmp_path, straight=None)


@pytest.mark.parametrize("curves", [[], [{}], ["x"], [{**CURVE, "above": -1.0}]])
def test_a_damaged_record_of_a_curve_is_named(tmp_path: Path, curves: Any) -> None:
    record = {"outcome_mean": [1.0], "outcome_scale": [2.0], "curves": curves}
    (tmp_path / "config.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="is not the record of a model"):
        page_of(tmp_path)
