"""Designs beside a file in which they were measured."""

from __future__ import annotations

import pytest

from seqdesign.pages.came_true import add_came_true, came_true
from seqdesign.pages.compare import comparison_answer
from seqdesign.pages.designed import DesignSet
from seqdesign.reports.html import Page


def design(
    name: str, sequence: str, value: float, low: float | None, high: float | None
) -> dict[str, object]:
    ends = {"predicted_growth_low": low, "predicted_growth_high": high}
    return {"id": name, "sequence": sequence, "status": "ok", "predicted_growth": value, **ends}


DESIGNS = DesignSet(
    [
        design("a", "AAAA", 1.0, 0.5, 1.5),
        design("b", "CCCC", 2.0, 1.5, None),
        design("c", "GGGG", 3.0, 2.5, 3.5),
        design("d", "TTTT", 4.0, 3.5, 4.5),
    ]
)
MEASURED = DesignSet(
    [
        {"id": f"m{i}", "sequence": text, "growth": value}
        for i, (text, value) in enumerate(
            [("aaaa", 1.2), ("CCCC", 9.0), ("GGGG", 1.0), ("GGGG", 2.0), ("CGCG", 5.0)]
        )
    ]
)


def test_designs_meet_their_measurements_by_sequence() -> None:
    (found,) = came_true({"d.fa": DESIGNS, "round.csv": MEASURED})
    assert found.ids == ["a", "b", "c"]
    assert found.measured.tolist() == pytest.approx([1.2, 9.0, 1.5])  # two measurements of c
    assert found.coverage == pytest.approx(2 / 3)  # b's interval is open above
    assert found.rank_correlation == pytest.approx(0.5)
    assert found.total == 4


def test_the_page_says_how_predictions_came_true_the_largest_surprise_first() -> None:
    sets = {"d.fa": DESIGNS, "round.csv": MEASURED}
    page = Page("t", answer=comparison_answer([], sets))
    add_came_true(page, sets)
    html = page.html()
    assert (
        "3 designs of d.fa measured 3.9 on average (round.csv), where 2 was predicted, 67% in their" in html
    )
    assert html.index(">b</th>") < html.index(">c</th>") < html.index(">a</th>")
    assert "3 of 4 designs of d.fa were measured" in html


def test_nothing_is_said_of_files_without_measurements_of_designs() -> None:
    few = DesignSet(list(MEASURED.rows)[:2])
    predicted = DesignSet([{**row, "growth": 1.0} for row in DESIGNS.rows])
    for other in (few, predicted):
        page = Page("t")
        add_came_true(page, {"d.fa": DESIGNS, "round.csv": other})
        assert "came true" not in page.html()
