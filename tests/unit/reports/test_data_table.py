"""Tables with a name: what stands in the page, what is embedded, what a browser makes of it."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import random
import re
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from seqdesign.metrics.edits import edit_list
from seqdesign.reports import data_table as module
from seqdesign.reports.answer import Answer
from seqdesign.reports.data_table import FIRST_ROWS, data_table
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import histogram
from seqdesign.reports.tables import Column

EVIL = "</script><script>alert(1)</script><!-- \"'&"


def embedded(table):
    (attributes, text) = re.search(
        r'<script type="application/json"( data-packed)?>(.*?)</script>', table
    ).groups()
    if attributes:
        text = gzip.decompress(base64.b64decode(text)).decode()
    data = json.loads(text)
    return data | {"rows": [list(row) for row in zip(*data["cells"], strict=True)]}


def designs(count, length=24, seed=1):
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        before = "".join(rng.choices("ACGT", k=length))
        after = list(before)
        for place in rng.sample(range(length), 2):
            after[place] = rng.choice("ACGT")
        edits = edit_list(before, "".join(after))
        rows.append(
            {
                "id": f"d{i}", "sequence": "".join(after), "score": rng.gauss(0, 1), "edits": len(edits),
                "share": rng.random(), "p": 10 ** rng.uniform(-30, 3), "edit_list": ",".join(edits),
                "note": None if i % 3 else "odd one", "known": bool(i % 2),
            }
        )  # fmt: skip
    return rows


COLUMNS = [
    "id", Column("sequence", sequence=True, edits="edit_list"), Column("score", "total score", "+.2f"),
    "edits", Column("share", spec=".1%"), Column("p", spec=".3g"), Column("edit_list", shown=False), "note",
    "known",
]  # fmt: skip


class Cells(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.rows, self.cell = [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.cell = (tag, dict(attrs), [])
            self.rows[-1].append(self.cell)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = None

    def handle_data(self, data):
        if self.cell:
            self.cell[2].append(data)


def test_the_first_rows_stand_in_the_page_and_all_rows_are_embedded():
    rows = designs(120)
    table = data_table(rows, COLUMNS, caption="Designs.", name="designs")
    parsed = Cells(table).rows
    assert len(parsed) == 1 + FIRST_ROWS
    assert [tag for tag, _, _ in parsed[1]] == ["th"] + ["td"] * 7
    assert parsed[1][0][1]["scope"] == "row"
    assert {cell[1].get("scope") for cell in parsed[0]} == {"col"}
    assert "".join(parsed[2][1][2]) == rows[1]["sequence"]
    assert "The first 25 of 120 rows; JavaScript shows the others." in table
    data = embedded(table)
    assert [c["key"] for c in data["columns"]] == list(rows[0])
    assert [row[0] for row in data["rows"]] == [row["id"] for row in rows]
    assert data["rows"][7][2] == pytest.approx(rows[7]["score"], rel=1e-5)


def test_a_large_table_is_packed_and_equal_rows_give_equal_bytes():
    rows = designs(2000)
    table = data_table(rows, COLUMNS, caption="", name="designs")
    assert " data-packed>" in table
    assert len(embedded(table)["rows"]) == 2000
    assert table == data_table(rows, COLUMNS, caption="", name="designs")


def test_what_would_be_too_large_is_left_out_and_the_caption_says_so(monkeypatch):
    monkeypatch.setattr(module, "MOST", 20_000)
    table = data_table(designs(1000), COLUMNS, caption="Designs.", name="designs")
    kept = len(embedded(table)["rows"])
    assert FIRST_ROWS < kept < 1000
    assert f"Designs. Here are the first {kept} of 1,000 rows." in table


def test_no_cell_can_end_the_script_element():
    table = data_table([{"id": EVIL}], ["id"], caption=EVIL, name=EVIL)
    assert table.count("<script") == 1
    assert embedded(table)["rows"] == [[EVIL]]


def test_what_is_no_number_is_an_empty_cell():
    data = embedded(
        data_table([{"x": float("nan")}, {"x": float("inf")}, {"x": 2.5}], ["x"], caption="", name="t")
    )
    assert data["rows"] == [[None], [None], [2.5]]
    assert data["columns"][0]["number"]


@pytest.mark.parametrize(
    ("values", "spec"),
    [([1, 2, None], "d"), ([0.5, 12.25], ".2f"), ([3.0, 2.5], ".3f"), ([1e-9, 1e-7], ".4g"),
     ([5e7, 1.5], ".4g"), ([12345.5, 1.0], ".0f"), (["a", "b"], "d")],
)  # fmt: skip
def test_numbers_of_a_column_have_equally_many_decimals_where_they_can(values, spec):
    data = embedded(data_table([{"x": v} for v in values], ["x"], caption="", name="t"))
    assert data["columns"][0]["spec"] == spec


def test_pictures_stand_in_the_page_only():
    rows = [{"logo": Markup("<svg></svg>"), "n": 1}]
    table = data_table(rows, ["logo", "n"], caption="", name="t")
    assert "<svg></svg></th>" in table
    assert embedded(table)["rows"] == [[None, 1]]
    with pytest.raises(ValueError, match="at most, got 26"):
        data_table(rows * 26, ["logo", "n"], caption="", name="t")


def page_of(*counts):
    page = Page("Tables", answer=Answer("Two of them."))
    page.warnings(["this is a test"])
    figure = Figure(histogram({"a": [1, 2, 3]}, title="h", x_label="x"), "A histogram.")
    for count in counts:
        page.section(f"{count} rows", "", [figure], [Table(designs(count), COLUMNS, "Designs.", f"d{count}")])
    return page.html()


LOOK = """
const all = (s, at = document) => [...at.querySelectorAll(s)];
const lines = (box) => all("tbody tr", box).map((line) => [...line.cells].map((cell) => cell.textContent));
const status = (box) => box.querySelector(".sd-status").textContent;
const filter = (box, text) => {
  const field = box.querySelector("input");
  field.value = text;
  field.dispatchEvent(new Event("input"));
  return status(box);
};
const [small, large] = all(".sd-data");
"""


def test_a_page_opens_without_a_message_or_a_request_and_its_tables_sort_and_filter(browser):
    seen = browser(
        page_of(60, 3000),
        LOOK
        + """
        const out = { before: lines(small), start: [status(small), status(large)] };
        const head = all("thead button", large);
        head[2].click();
        out.down = [status(large), lines(large).map((l) => l[2]), head[2].parentNode.ariaSort];
        head[2].click();
        out.up = [lines(large)[0][2], head[2].parentNode.ariaSort];
        head[0].click();
        out.ids = lines(large).slice(0, 3).map((l) => l[0]);
        out.words = filter(large, "odd d12");
        out.condition = [filter(large, "score>1 edits<=1 known=true"), lines(large).every((l) => l[3] <= 1)];
        out.none = [filter(large, "nowhere"), lines(large).length];
        filter(large, "");
        const [back, next] = all(".sd-pager button", large);
        next.click();
        out.second = [lines(large).length, lines(large)[0][0], back.disabled];
        out.requests = performance.getEntriesByType("resource").length;
        out.buttons = all("thead button").every((b) => b.tabIndex === 0);
        out.labelled = all("input").every((field) => field.labels.length === 1);
        const named = (ids) => ids.split(" ").every((id) => document.getElementById(id).textContent);
        out.figures = all("figure svg").every((svg) =>
          svg.getAttribute("role") === "img" && named(svg.getAttribute("aria-labelledby")));
        out.fits = document.documentElement.scrollWidth <= innerWidth;
        return out;
        """,
        width=390,
    )
    assert seen.console == []
    found = seen.value
    rows = designs(3000)
    assert found["start"] == ["60 of 60 rows", "3,000 of 3,000 rows"]
    order = sorted((round(r["score"], 2) for r in rows), reverse=True)
    assert [float(v) for v in found["down"][1]] == pytest.approx(order[:10])  # a page on a phone
    assert found["down"][0] == "3,000 of 3,000 rows, by total score, descending"
    assert found["down"][2] == "descending"
    assert float(found["up"][0]) == pytest.approx(order[-1])
    assert found["up"][1] == "ascending"
    assert found["ids"] == ["d0", "d1", "d2"]
    odd = sum(r["note"] == "odd one" and "d12" in r["id"] for r in rows)
    assert found["words"].startswith(f"{odd} of 3,000")
    many = sum(r["score"] > 1 and r["edits"] <= 1 and r["known"] for r in rows)
    assert found["condition"][0].startswith(f"{many:,} of 3,000")
    assert found["condition"][1]
    assert found["none"] == ["0 of 3,000 rows, by id, ascending", 0]
    assert found["second"] == [10, "d10", False]
    assert found["requests"] == 0
    assert found["buttons"]
    assert found["labelled"]
    assert found["figures"]
    assert found["fits"]


def test_the_script_writes_cells_as_python_does_and_downloads_what_is_left(browser):
    seen = browser(
        page_of(22),
        LOOK
        + """
        const saved = [];
        URL.createObjectURL = (blob) => { saved.push(blob); return "#"; };
        const out = { before: all("tbody tr").map((line) => line.innerHTML) };
        const data = JSON.parse(small.querySelector("script").textContent);
        const rows = rowsOf(data.cells);
        const again = new DataTable(small, data.columns, rows);
        out.after = rows.map((_, i) => again.line(i).innerHTML);
        filter(small, "d1 score>0");
        for (const button of all(".sd-tools button", small).slice(1, 3)) button.click();
        out.saved = await Promise.all(saved.map((blob) => blob.text()));
        return out;
        """,
    )
    assert seen.console == []
    rows = designs(22)
    assert seen.value["after"] == seen.value["before"]
    assert len(seen.value["before"]) == 22
    left = [r for r in rows if "d1" in r["id"] and r["score"] > 0]
    fasta, table = seen.value["saved"]
    assert [line[1:].split()[0] for line in fasta.splitlines()[::2]] == [r["id"] for r in left]
    assert fasta.splitlines()[1::2] == [r["sequence"] for r in left]
    read = list(csv.DictReader(io.StringIO(table)))
    assert [r["sequence"] for r in read] == [r["sequence"] for r in left]
    assert [float(r["p"]) for r in read] == pytest.approx([r["p"] for r in left], rel=1e-5)
