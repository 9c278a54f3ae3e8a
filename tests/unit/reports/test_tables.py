from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from rich.cells import cell_len

from seqdesign.reports.tables import Column, format_value, html_table, text_table

ROWS = [{"id": "a", "gain": 1.23456, "edits": 3}, {"id": "bcd", "gain": -10.0, "edits": None}]


def test_a_text_table_looks_like_this():
    assert text_table(ROWS, ["id", Column("gain", "gain (sd)", ".2f"), "edits"]) == (
        "id   gain (sd)  edits\n---  ---------  -----\na         1.23      3\nbcd     -10.00\n"
    )


def test_a_table_without_rows_has_its_headings():
    assert text_table([], ["id", "gain"]) == "id  gain\n--  ----\n"


@pytest.mark.parametrize(
    ("value", "spec", "expected"),
    [
        (None, "", ""),
        (True, "", "yes"),
        (False, ".2f", "no"),
        (1234567, "", "1234567"),
        (1234567, ",d", "1,234,567"),
        (0.000123456, "", "0.0001235"),
        (math.nan, ".2f", "nan"),
        (np.float32(0.5), "", "0.5"),
        (np.int64(7), "", "7"),
        (3, ".1f", "3.0"),
        ("text", ".2f", "text"),
    ],
)
def test_values_are_formatted_by_kind(value, spec, expected):
    assert format_value(value, spec) == expected


def test_an_id_cannot_move_the_cursor_or_break_a_line():
    table = text_table([{"id": "a\x1b[2J\nb\u202e"}], ["id"])
    assert table.splitlines()[2] == r"a\x1b[2J\nb\u202e"


@given(st.lists(st.tuples(st.text(max_size=8), st.integers(-999, 999)), min_size=1, max_size=6))
def test_numbers_end_in_one_column(rows):
    lines = text_table([{"id": i, "n": n} for i, n in rows], ["id", "n"]).split("\n")[:-1]
    assert len(lines) == len(rows) + 2
    assert len({cell_len(line) for line in lines[1:]}) == 1


def test_wide_letters_count_twice():
    first, second = text_table([{"id": "\u5e8f", "n": 1}, {"id": "ab", "n": 2}], ["id", "n"]).splitlines()[2:]
    assert first.index("1") + 1 == second.index("2")


def test_html_escapes_everything_but_markup():
    table = html_table(
        [{"<b>": "<script>alert(1)</script>", "diff": Markup("<ins>A</ins>")}],
        ["<b>", "diff"],
        caption="a < b",
    )
    root = ElementTree.fromstring(table)
    assert [e.tag for e in root.iter() if e.tag in ("script", "b", "ins")] == ["ins"]
    assert root.find(".//th").text == "<b>"
    assert root.find(".//td").text == "<script>alert(1)</script>"
    assert root.find("caption").text == "a < b"


def test_html_numbers_are_marked_and_headings_have_a_scope():
    root = ElementTree.fromstring(html_table(ROWS, ["id", "gain", Column("id", "sequence", sequence=True)]))
    assert [cell.get("class") for cell in root.findall(".//tbody/tr[1]/td")] == [
        None,
        "sd-number",
        "sd-sequence",
    ]
    assert {cell.get("scope") for cell in root.iter("th")} == {"col"}


@pytest.mark.parametrize("make", [text_table, html_table])
def test_no_columns_is_an_error(make):
    with pytest.raises(ValueError, match="at least one column"):
        make(ROWS, [])
