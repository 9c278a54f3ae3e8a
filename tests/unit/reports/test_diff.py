from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.metrics.edits import edit_list
from seqdesign.reports.diff import diff_html, edit_operations, edits_html, operations_of

SEQUENCE = st.text(alphabet="ACGT", max_size=30)


def plain_distance(a, b):
    """Levenshtein distance by the recurrence of Wagner & Fischer 1974."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


@given(SEQUENCE, SEQUENCE)
def test_operations_turn_one_into_the_other_with_the_fewest_edits(original, revised):
    operations = edit_operations(original, revised)
    assert "".join(op.original for op in operations) == original
    assert "".join(op.revised for op in operations) == revised
    edits = sum(max(len(op.original), len(op.revised)) for op in operations if op.kind != "keep")
    assert edits == plain_distance(original, revised)
    for op in operations:
        assert original[op.position - 1 :].startswith(op.original)
        assert (op.original == op.revised) == (op.kind == "keep")


@given(SEQUENCE, SEQUENCE)
def test_a_list_of_edits_leads_back_to_the_original(original, revised):
    operations = operations_of(revised, edit_list(original, revised))
    assert "".join(op.original for op in operations) == original
    assert "".join(op.revised for op in operations) == revised
    assert sum(op.kind != "keep" for op in operations) == plain_distance(original, revised)


def test_edits_are_marked_as_the_difference_is():
    assert edits_html("ACGT", ["T2C"]) == diff_html("ATGT", "ACGT")


@pytest.mark.parametrize("edits", [["A5G"], ["T2G"], ["ins9C"], ["2C"], ["A2C", "A1G"]])
def test_edits_that_a_sequence_cannot_have_are_an_error(edits):
    with pytest.raises(ValueError, match="edit must look like|does not lead to"):
        operations_of("ACGT", edits)


def test_substitutions_are_preferred_to_gaps():
    """AC -> CA is two edits either way: two substitutions, or an insertion and a deletion."""
    assert [op.kind for op in edit_operations("TACT", "TCAT")] == ["keep", "substitute", "keep"]


def test_html_marks_every_edit_and_keeps_the_letters():
    root = ElementTree.fromstring(diff_html("ACGTACGT", "AGGTACTT"))
    assert [(e.tag, e.text, e.get("title")) for e in root] == [("b", "G", "C2G"), ("b", "T", "G7T")]
    assert "".join(root.itertext()) == "AGGTACTT"


def test_html_tells_insertions_from_deletions_by_element():
    assert diff_html("ACGTT", "CGTTA") == '<code class="sd-diff"><del>A</del>CGTT<ins>A</ins></code>'


def test_html_escapes_custom_letters():
    assert diff_html("<>", "<&") == '<code class="sd-diff">&lt;<b title="&gt;2&amp;">&amp;</b></code>'


def test_html_escapes_every_kind_of_edit():
    for original, revised in (("A<", "A"), ("A", "A<"), ("A<", "A&"), ("<", "<")):
        root = ElementTree.fromstring(diff_html(original, revised))
        assert {e.tag for e in root} <= {"b", "ins", "del"}
        assert "".join(root.itertext()) == (original if len(original) > len(revised) else revised)
