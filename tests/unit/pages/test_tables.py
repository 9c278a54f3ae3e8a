"""Tables of other commands on a page."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from seqdesign.pages.design_table import add_designs
from seqdesign.pages.designed import DesignSet
from seqdesign.pages.runs import Run
from seqdesign.pages.tables import contributions
from seqdesign.reports.html import Page

TABLE = """id,position,letter,contribution,sd,A,C
d1,1,A,0.5,,0.5,-0.5
d1,2,C,,,,
d1,3,A,-0.25,,-0.25,0.25
d2,1,C,0,,0,0
"""


def run(path: Path, name: str) -> Run:
    return Run(path, cast(Any, SimpleNamespace(name=name)))


def test_what_attribute_said_of_a_design_stands_in_its_card(tmp_path: Path) -> None:
    path = tmp_path / "why.csv"
    path.write_text(TABLE)
    found = contributions([run(path, "attribute")])
    assert found == {("d1", "ACA"): "0.5,,-0.25", ("d2", "C"): ""}
    assert contributions([run(path, "evaluate")]) == {}
    page = Page("t")
    rows = [{"id": "d1", "sequence": "ACA"}, {"id": "d2", "sequence": "CC"}]  # d2 is another sequence now
    add_designs(page, DesignSet(rows), name="d", contributions=found)
    html = page.html()
    assert '"0.5,,-0.25"' in html
    assert '"logo":{"unit":"the prediction","letters":{"A":["M0 100L38' in html
    plain = Page("t")
    add_designs(plain, DesignSet(rows), name="d")
    assert '"logo":' not in plain.html()
