"""The table of designs and the answer above it: what stands first, what is counted, what is doubted."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from seqdesign.objectives.reading import Wanted, wanted_of
from seqdesign.pages.answers import (
    asked_of_maximize,
    best_row,
    designs_answer,
    objective_words,
    order_files,
)
from seqdesign.pages.compare import add_comparison, comparison_answer
from seqdesign.pages.design_table import add_designs
from seqdesign.pages.designed import DesignSet
from seqdesign.reports.answer import Tile
from seqdesign.reports.html import Page
from seqdesign.reports.tables import listed

MEASURED = {"predicted_growth": (1.0, 4.0)}


def design(name: str, low: float, **more: Any) -> dict[str, Any]:
    """A row as ``maximize`` writes it."""
    row = {
        "id": name, "status": "ok", "sequence": "MKVL", "score": low + 0.5, "score_low": low,
        "score_start": 2.0,
        "predicted_growth": low + 0.5, "predicted_growth_low": low - 0.5, "predicted_growth_high": low + 1.5,
        "nearest": 1, "edits": 1, "edit_list": "A2K", "evidence": "7", "least_evidence": 7, "confidence": 0.9,
    }  # fmt: skip
    return row | more


DESIGNS = DesignSet(
    [
        design("a", 3.0),
        design("b", 9.0, status="extrapolates", sequence="MKVI", edit_list="A2K,L4I", edits=2),
        design("c", 4.0, sequence="MRVL", edit_list="A2R", nearest=0),
    ]
)


def embedded(page: str) -> dict[str, Any]:
    text = re.search(r'<script type="application/json">(.*?)</script>', page)
    assert text is not None
    found: dict[str, Any] = json.loads(text[1])
    found["rows"] = [list(row) for row in zip(*found["cells"], strict=True)]
    return found


def test_what_one_decides_by_stands_first_with_the_sequence() -> None:
    page = Page("t")
    add_designs(
        page, DESIGNS, name="d", measured=MEASURED, breaches={"b": ["forbid:KV@2-3", "forbid:KV@9-9"]}
    )
    html = page.html()
    columns = [c for c in embedded(html)["columns"] if c["shown"]]
    assert [c["heading"] for c in columns] == [
        "design", "growth", "at least", "evidence", "status", "sequence", "nearest", "rules", "gain", "edits",
        "confirmed", "length",
    ]  # fmt: skip
    rows = embedded(html)["rows"]
    keys = [c["key"] for c in embedded(html)["columns"]]
    assert [row[0] for row in rows] == ["c", "a", "b"]  # what something speaks against comes last
    assert [row[keys.index("rules")] for row in rows] == ["ok", "ok", "breaks forbid:KV"]
    assert rows[2][keys.index("breaches")] == "forbid:KV@2-3;forbid:KV@9-9"
    assert "<small>A2R</small>" in html
    bar = next(c["bar"] for c in columns if c["key"] == "predicted_growth")
    assert bar["measured"] == [1.0, 4.0]
    assert bar["span"][0] < 1.0 < 10.5 < bar["span"][1]
    assert html.count('class="sd-bar"') >= 3
    assert 'class="sd-data sd-cards"' in html


def test_many_mutations_are_named_by_the_first() -> None:
    assert listed("D19H,ins4A,del5G") == "D19H ins4A del5G"
    many = ",".join(f"A{i}C" for i in range(1, 12))
    assert listed(many) == "A1C A2C A3C A4C A5C A6C and 5 more"


def test_numbers_of_the_laboratory_stay_in_names_and_marks() -> None:
    page = Page("t")
    row = {"id": "x", "sequence": "MKV", "edits": 1, "edit_list": "A226K", "first_position": 225}
    add_designs(page, DesignSet([row]), name="d")
    html = page.html()
    assert "<small>A226K</small>" in html
    assert 'M<b title="A226K">K</b>V' in html
    assert {c["first"] for c in embedded(html)["columns"]} == {225}


def test_nucleic_acids_have_gc_and_no_mutations_as_their_name() -> None:
    page = Page("t")
    add_designs(page, DesignSet([{"id": "x", "sequence": "GGCA"}]), name="d")
    columns = embedded(page.html())["columns"]
    assert [c["heading"] for c in columns if c["shown"]] == ["design", "sequence", "length", "GC"]
    assert "75%" in page.html()


def tiles_of(designs: DesignSet, **more: Any) -> dict[str, Tile]:
    answer = designs_answer(designs, asked="?", measured=MEASURED, **more)
    return {tile.label: tile for tile in answer.tiles}


def test_an_interval_without_an_upper_end_is_no_bug() -> None:
    """Where measurements end abruptly the interval is open there."""
    rows = [{**row, "predicted_growth_high": None} for row in DESIGNS.rows]
    answer = designs_answer(DesignSet(rows), asked="?", measured=MEASURED)
    assert answer.gauge is not None
    assert (answer.gauge.low, answer.gauge.high) == (3.5, None)
    assert "should measure at least 3.5" in answer.verdict
    assert any("95% interval at least 3.5" in tile.note for tile in answer.tiles)
    page = Page("t")
    add_designs(page, DesignSet(rows), name="d", measured=MEASURED)
    bars = [column["bar"] for column in embedded(page.html())["columns"] if column["bar"]]
    assert [bar["low"] for bar in bars] == ["predicted_growth_low"]


def test_the_best_is_the_one_that_nothing_speaks_against() -> None:
    best = best_row(DESIGNS)
    assert best is not None
    assert best["id"] == "c"
    answer = designs_answer(DESIGNS, asked="?", measured=MEASURED)
    assert answer.gauge is not None
    assert (answer.gauge.value, answer.gauge.low, answer.gauge.high) == (4.5, 3.5, 5.5)
    assert answer.gauge.measured == (1.0, 4.0)
    assert "c, should measure 3.5 to 5.5; its parent 2." in answer.verdict
    assert "4.5, lies beyond what was ever measured (1 to 4); its interval" in answer.verdict
    alone = designs_answer(DesignSet([design("b", 9.0, status="unusual")]), asked="?", measured={})
    assert (
        alone.verdict
        == "Something speaks against every design; the best, b, is unlike the training sequences."
    )


def test_everything_is_counted_and_doubts_are_marked() -> None:
    rules = [{"rule": "--forbid KV", "violations": 1}, {"rule": "--gc 0.5", "violations": 0},
             {"rule": "--keep 1", "violations": None}]  # fmt: skip
    promise = {"promise": {"least": 3.25, "probability": 0.9, "designs": 2}}
    tiles = tiles_of(DESIGNS, rules=rules, summary=promise)
    assert (tiles["designs"].value, tiles["designs"].note) == ("3", "2 new, 1 measured already")
    assert (tiles["growth of the best, c"].value, tiles["growth of the best, c"].doubt) == ("≥ 4", False)
    assert tiles["nothing speaks against"] == Tile(
        "2 of 3", "nothing speaks against", "1 beyond the data", True
    )
    assert tiles["rules hold"] == Tile("1 of 3", "rules hold", "broken: --forbid KV", True)
    assert tiles["of the gain is confirmed"].value == "90%"
    assert tiles["mean of the 2 designs"].value == "≥ 3.25"
    repeated = tiles_of(DesignSet([design("a", 1.0), design("b", 2.0)]))
    assert repeated["designs"].note == "all new; 1 repeated"
    assert repeated["designs"].doubt


def test_what_was_asked_is_a_sentence() -> None:
    assert objective_words("max") == "the highest outcome"
    assert objective_words("max:YFP, min:OFF") == "the highest YFP and the lowest OFF"
    assert objective_words("target:YFP=1.5*0.5") == "YFP near 1.5"
    assert objective_words("max:YFP + min:OFF") == "the highest YFP and the lowest OFF"
    texts = ("max", "min:OFF", "target=2", "target:YFP=1.5*0.5", "min:OFF*2 + max:YFP")
    wanted = [wanted_of(text) for text in texts]
    assert [one.goal for one in wanted] == ["max", "min", 2.0, 1.5, "min"]
    assert [one.outcome for one in wanted] == [None, "OFF", None, "YFP", "OFF"]
    assert objective_words("difference:a-b") == "the objective difference:a-b"
    summary = {"objective": "max", "constraints": ["--forbid EcoRI", "--max-edits 3"]}
    assert asked_of_maximize({"start": "wt.fa"}, summary, "models/p") == (
        "Sequences with the highest outcome by models/p, from wt.fa; rules: forbid EcoRI, max-edits 3."
    )


def test_sets_of_sequences_are_compared_with_what_they_share() -> None:
    other = DesignSet([design("x", 2.0, sequence="MKVL"), design("y", 1.0, sequence="WWWW")])
    sets = {"one.fa": DESIGNS, "two.fa": other}
    page = Page("t", answer=comparison_answer([], sets))
    add_comparison(page, [], sets)
    html = page.html()
    assert "2 sets of sequences, side by side." in html
    shared = re.findall(r"<th[^>]*>one.fa</th><td[^>]*>two.fa</td><td[^>]*>(\d)</td><td[^>]*>(\d+%)<", html)
    assert shared == [("1", "50%")]


def revision(name: str, before: float, after: float, width: float) -> dict[str, Any]:
    ends = {"judged": after, "judged_low": after - width, "judged_high": after + width}
    return {"id": name, "status": "revised", "sequence": "ACGT", "predicted_growth_before": before,
            "predicted_growth": after, "edits": 0, "edit_list": "", **ends}  # fmt: skip


@pytest.mark.parametrize(
    ("goal", "best", "shown"), [("max", "b", "≥ 2"), ("min", "a", "≤ 2"), (2.5, "b", "3")]
)
def test_revisions_that_are_wanted_low_or_near_are_judged_so(goal: Any, best: str, shown: str) -> None:
    designs = DesignSet(
        [revision("a", 4.0, 1.0, 1.0), revision("b", 4.0, 3.0, 1.0), revision("c", 4.0, 4.0, 3.0)],
        Wanted(goal),
    )
    answer = designs_answer(designs, asked="?", measured={"growth": (0.0, 5.0)})
    assert [tile.value for tile in answer.tiles if tile.label == f"judged of the best, {best}"] == [shown]


def lowered(name: str, value: float, high: float, **more: Any) -> dict[str, Any]:
    """A row of ``maximize --objective min:OFF`` of a model of two outcomes."""
    return design(name, 3.0) | {
        "cost": value, "cost_high": high, "cost_start": 2.0, "cost_design": value - 0.1,
        "predicted_OFF": value, "predicted_OFF_low": value - 1.0, "predicted_OFF_high": value + 1.0,
    } | dict.fromkeys(("score", "score_low", "score_start"), None) | more  # fmt: skip


def test_what_shall_be_low_is_said_as_it_is_with_its_direction() -> None:
    designs = DesignSet(
        [lowered("a", -0.2, 0.1), lowered("b", -0.3, -0.1), lowered("c", -0.9, -0.8, status="unusual")],
        wanted_of("min:OFF"),
    )
    tiles = tiles_of(designs, summary={"promise": {"least": 0.073, "probability": 0.9, "designs": 2}})
    assert (tiles["OFF of the best, b"].value, tiles["mean of the 2 designs"].value) == ("≤ -0.1", "≤ -0.073")
    page = Page("t")
    add_designs(page, designs, name="d")
    said = embedded(page.html())
    columns = [c["heading"] for c in said["columns"]]
    assert {"at most", "before", "change"} <= set(columns)
    assert not {"at least", "gain"} & set(columns)
    assert [row[0] for row in said["rows"]] == ["b", "a", "c"]  # what something speaks against is last
    assert [row[columns.index("at most")] for row in said["rows"]] == [-0.1, 0.1, -0.8]


def test_how_far_from_a_target_designs_are_is_a_distance() -> None:
    row = design("a", 3.0) | dict.fromkeys(("score", "score_low", "score_start"), None)
    row |= {"off_target": 0.5, "off_target_high": 0.9, "off_target_start": 2.0}
    far = row | {"id": "b", "off_target": 0.4, "off_target_high": 1.5}
    designs = DesignSet([far, row], wanted_of("target:growth=4"))
    tiles = tiles_of(designs, summary={"promise": {"least": -0.7, "probability": 0.9, "designs": 2}})
    assert tiles["growth of the best, a"].value == "3.5"
    assert "≤ 0.9 off target with probability 90%" in tiles["growth of the best, a"].note
    assert tiles["mean distance from the target of the 2 designs"].value == "≤ 0.7"


def test_the_best_of_a_set_that_shall_be_low_is_the_lowest() -> None:
    rows = [revision("a", 4.0, 1.0, 1.0), revision("b", 4.0, 3.0, 1.0)]
    answer = comparison_answer([], {"low.fa": DesignSet(rows, Wanted("min"))})
    assert answer.verdict == "The best of low.fa is a."


def test_what_to_go_on_with_is_a_file_and_of_many_a_choice() -> None:
    assert order_files("d.fa", "d.csv", 24) == [("To order or test:", "d.fa"), ("All columns:", "d.csv")]
    assert order_files("-", None, 99) == []
    many = order_files("d.fa", None, 99)
    assert many[1] == ("To choose 24 of them:", "seqdesign select d.fa --budget 24 -o shortlist.fa")
