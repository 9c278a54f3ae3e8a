from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from seqdesign.reports.svg import identifier, number, standalone, tag

PRINTABLE = st.text(alphabet=st.characters(exclude_categories=("C", "Z")), min_size=1)


@given(PRINTABLE, PRINTABLE)
def test_content_and_attributes_come_back_as_they_were(content, value):
    """Read back by the standard library's XML parser."""
    element = ElementTree.fromstring(tag("text", content, data_name=value))
    assert element.text == content
    assert element.get("data-name") == value


def test_markup_is_nested_and_not_escaped_twice():
    assert tag("g", tag("path", d="M0 0")) == '<g><path d="M0 0"/></g>'


def test_numbers_are_short():
    assert [number(v) for v in (12.5, 3.0, -0.001, 100.0, 1.005e2, 0.126)] == [
        "12.5",
        "3",
        "0",
        "100",
        "100.5",
        "0.13",
    ]


def test_identifiers_depend_on_their_parts_and_their_borders():
    assert identifier("a", "b") == identifier("a", "b")
    assert identifier("a", "b") != identifier("ab", "")


def test_standalone_writes_colours_out():
    figure = Markup('<svg a="1"><path fill="var(--sd-ink,#1b1f24)"/></svg>')
    assert standalone(figure).endswith('<svg style="background:#ffffff" a="1"><path fill="#1b1f24"/></svg>')
