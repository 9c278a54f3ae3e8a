"""The first screen of a page: numbers, the gauge, what to order; and bars on the measured range."""

from __future__ import annotations

import re

import pytest

from seqdesign.pages.answers import designs_answer
from seqdesign.pages.designed import DesignSet
from seqdesign.reports.answer import Answer, Gauge, Tile
from seqdesign.reports.bars import bar_html, interval_text, span_of
from seqdesign.reports.html import Page


def places(bar: str) -> dict[str, tuple[float, ...]]:
    """Class of each part -> the percentages of its style."""
    parts = re.findall(r'<i class="(\w)" style="([^"]*)"', str(bar))
    return {name: tuple(float(v) for v in re.findall(r"([-\d.]+)%", style)) for name, style in parts}


def test_a_bar_places_range_interval_and_value_on_one_axis() -> None:
    found = places(bar_html((0.0, 10.0), (2.0, 6.0), 7.5, 6.0, 9.0, start=1.0))
    assert found == {"m": (20.0, 40.0), "w": (60.0, 30.0), "s": (10.0,), "v": (75.0,)}
    assert places(bar_html((0.0, 10.0), None, 5.0)) == {"v": (50.0,)}
    assert places(bar_html((0.0, 10.0), None, 5.0, 4.0, None))["w"] == (40.0, 60.0)


def test_an_interval_with_an_open_end_is_said_as_that() -> None:
    ends = [(1.0, 2.5), (1.0, None), (None, 2.5), (None, None)]
    assert [interval_text(*pair) for pair in ends] == ["1 to 2.5", "at least 1", "at most 2.5", None]
    assert "growth 5 (at least 4)" in str(Gauge("best: growth", None, 5.0, 4.0, None).html())


def test_an_axis_holds_everything_and_a_single_value_too() -> None:
    low, high = span_of((1.0, 2.0), [0.5, None, float("nan"), 3.0])
    assert low < 0.5 < 3.0 < high < 3.2
    low, high = span_of(None, [0.0])
    assert low < 0.0 < high


@pytest.mark.parametrize("measured", [(1.0, 4.0), None])
def test_the_answer_stands_before_the_navigation_and_says_what_is_measured(
    measured: tuple[float, float] | None,
) -> None:
    gauge = Gauge("best design, d1: growth", measured, 5.0, 4.0, 6.0, 2.0)
    tiles = [Tile("24", "designs", "all new"), Tile("3 of 24", "nothing speaks against", doubt=True)]
    answer = Answer("More growth.", "It works.", tiles, gauge, [("To order:", "designs.fa")])
    page = Page("Designs", answer=answer)
    page.warnings(["models/p: judged by 3 sequences", "first", "second", "the fourth"])
    for name in ("one", "two", "three"):
        page.section(name, "Text.")
    html = page.html()
    order = [html.index(text) for text in ("<h1>", "More growth.", "It works.", "sd-gauge",
             "designs.fa</code>", "What to doubt", "<nav", "Text.")]  # fmt: skip
    # The style of the page names classes before its body does.
    assert order[0] < order[1] < order[2] < order[4] < order[5] < order[6] < order[7]
    assert ("measured in training 1 to 4" in html) == (measured is not None)
    assert ("the measured range is not known" in html) == (measured is None)
    assert "best design, d1: growth 5 (4 to 6)" in html
    assert html.count('<div class="sd-doubt">') == 1
    assert "<li>models/p: judged by 3 sequences.</li>\n<li>First.</li>" in html
    assert re.search(r"<summary>1 more</summary>\s*<ul>\s*<li>The fourth.</li>", html)


def test_what_was_measured_of_the_parent_is_said_beside_its_prediction() -> None:
    row = {"id": "a", "sequence": "ACGT", "status": "revised", "predicted_y": 3.0, "predicted_y_before": 1.5}
    for measured, said in ((2.25, "its parent 1.5 (measured 2.25)."), (None, "its parent 1.5.")):
        answer = designs_answer(DesignSet([{**row, "measured_before": measured}]), asked="", measured={})
        assert answer.verdict.endswith(said)


def test_nothing_is_said_for_designs_of_a_model_that_hardly_knows_the_outcome() -> None:
    row = {"id": "d", "sequence": "ACGT", "status": "ok", "score": 3.0, "predicted_growth": 3.0}
    trusted, doubted = (
        designs_answer(DesignSet([row]), asked="", measured={}, doubts=doubts)
        for doubts in (
            (),
            ("m: 'growth' was judged by 9 sequences", "m: 'growth' can hardly be predicted: 1%"),
        )
    )
    assert [tile.doubt for tile in trusted.tiles if "speaks" in tile.label] == [False]
    assert [tile.doubt for tile in doubted.tiles if "speaks" in tile.label] == [True]
    assert (
        doubted.verdict == f"The model hardly knows what it predicts, so this says little. {trusted.verdict}"
    )


def test_a_warning_stands_once_on_a_page_about_several_runs() -> None:
    page = Page("Runs")
    page.warnings(["m: few rows", "old"], about="m")
    page.warnings(["m: few rows", "old"])
    page.warnings(["m: few rows", "new"], about="designs.fa")
    assert page.warned == ["m: m: few rows.", "m: Old.", "m: few rows.", "Old.", "designs.fa: New."]
