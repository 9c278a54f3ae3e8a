from __future__ import annotations

import re
import time
from xml.etree import ElementTree

import numpy as np
import pytest

from seqdesign.reports.glyphs import OUTLINES
from seqdesign.reports.logo import difference_logo, sequence_logo
from seqdesign.reports.svg import standalone

SVG = "{http://www.w3.org/2000/svg}"
AMINO = "ACDEFGHIKLMNPQRSTVWY"


def drawn(figure):
    """[(letter index, x, y, height in pixels)] of every letter of a logo."""
    found = []
    for use in ElementTree.fromstring(figure).iter(f"{SVG}use"):
        numbers = [float(v) for v in re.findall(r"-?\d+\.?\d*", use.get("transform"))]
        found.append((int(use.get("href").rsplit("-", 1)[1]), numbers[0], numbers[1], numbers[3] * 100))
    return found


def texts(figure):
    return ["".join(element.itertext()) for element in ElementTree.fromstring(figure).iter(f"{SVG}text")]


def test_letters_are_as_high_as_their_information():
    """By hand: 2 bits over a 120 pixel axis of 2 bits; then 1 bit shared equally."""
    figure = sequence_logo(["AA", "AC"], letters="ACGT", small_sample=False)
    first, *second = sorted(drawn(figure), key=lambda letter: letter[1])
    assert first[0] == 0
    assert first[3] == pytest.approx(120, abs=0.1)
    assert [letter[3] for letter in second] == pytest.approx([30, 30], abs=0.1)


def test_stacks_have_no_gaps_and_the_largest_letter_on_top():
    figure = sequence_logo(["A"] * 5 + ["C"] * 3 + ["G"] * 2, letters="ACGT", kind="probability")
    stack = sorted(drawn(figure), key=lambda letter: letter[2])
    assert [letter[0] for letter in stack] == [0, 1, 2]
    tops = [letter[2] for letter in stack]
    heights = [letter[3] for letter in stack]
    np.testing.assert_allclose(np.diff(tops), heights[:-1], atol=0.02)
    assert sum(heights) == pytest.approx(120, abs=0.1)


def test_a_difference_logo_points_up_for_gains_and_down_for_losses():
    figure = difference_logo(["A"], ["C"], letters="ACGT")
    (gain,) = [letter for letter in drawn(figure) if letter[0] == 1]
    (loss,) = [letter for letter in drawn(figure) if letter[0] == 0]
    assert gain[2] + gain[3] == pytest.approx(loss[2], abs=0.05)


def test_equal_sets_give_an_empty_difference_logo():
    assert drawn(difference_logo(["ACGT"], ["ACGT"], letters="ACGT")) == []


def test_long_logos_wrap_into_equal_rows():
    figure = sequence_logo(["A" * 121], letters="ACGT", small_sample=False)
    rows = {}
    for _, x, y, _ in drawn(figure):
        rows.setdefault(y, []).append(x)
    assert [len(row) for _, row in sorted(rows.items())] == [41, 41, 39]
    assert len({x for row in rows.values() for x in row}) == 41


def test_positions_are_numbered_from_the_given_first():
    assert {"-3", "-2", "-1", "0"} <= set(texts(sequence_logo(["ACGT"], letters="ACGT", first_position=-3)))


def test_the_axis_names_its_unit():
    assert "bits" in texts(sequence_logo(["ACGT"], letters="ACGT"))
    assert "probability" in texts(sequence_logo(["ACGT"], letters="ACGT", kind="probability"))
    assert "log2 odds (bits)" in texts(difference_logo(["A"], ["C"], letters="ACGT", kind="log-odds"))


def test_the_figure_says_how_many_sequences_were_used():
    assert "Sites (n = 2 of 3, those of length 4)" in texts(
        sequence_logo(["ACGT", "ACGA", "AC"], letters="ACGT", title="Sites")
    )


def test_a_count_matrix_draws_what_its_sequences_draw():
    counts = np.array([[2.0, 0, 0, 0], [1, 1, 0, 0]])
    assert drawn(sequence_logo(counts, letters="ACGT")) == drawn(sequence_logo(["AA", "AC"], letters="ACGT"))


@pytest.mark.parametrize("shape", [(3, 5), (0, 4), (4,)])
def test_a_matrix_of_another_shape_is_an_error(shape):
    with pytest.raises(ValueError, match=r"must have shape \(L, 4\)"):
        sequence_logo(np.ones(shape), letters="ACGT")


def test_any_alphabet_is_drawn_and_markup_letters_are_escaped():
    figure = sequence_logo(["<a&1"] * 3, letters="<a&1", small_sample=False)
    assert len(drawn(figure)) == 4
    definitions = ElementTree.fromstring(figure).find(f"{SVG}defs")
    assert ["".join(element.itertext()) for element in definitions] == ["<", "a", "&", "1"]


def test_the_title_cannot_inject_markup():
    figure = sequence_logo(["A"], letters="ACGT", title="<script>alert(1)</script>")
    assert "<script" not in figure
    assert ElementTree.fromstring(figure).find(f"{SVG}title").text.startswith("<script>")


def test_two_logos_on_one_page_share_no_id():
    figures = [sequence_logo([s], letters="ACGT", kind="probability") for s in ("A", "C")]
    ids = [{e.get("id") for e in ElementTree.fromstring(f).iter() if e.get("id")} for f in figures]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_the_same_data_give_the_same_bytes():
    assert sequence_logo(["ACGT"], letters="ACGT") == sequence_logo(["ACGT"], letters="ACGT")


def test_a_figure_has_a_name_and_a_description():
    root = ElementTree.fromstring(sequence_logo(["ACGT"] * 9, letters="ACGT", title="Sites"))
    named = {root.find(f"{SVG}title").get("id"), root.find(f"{SVG}desc").get("id")}
    assert named == set(root.get("aria-labelledby").split())
    assert "Consensus ACGT" in root.find(f"{SVG}desc").text


def test_a_standalone_file_needs_no_css_variables():
    content = standalone(sequence_logo(["ACGT"] * 9, letters="ACGT"))
    assert "var(" not in content
    assert ElementTree.fromstring(content).tag == f"{SVG}svg"


@pytest.mark.parametrize("letter", sorted(OUTLINES))
def test_outlines_fill_their_box(letter):
    """Every curve's end and control points lie in the box, and its end points reach all four sides."""
    x = y = 0.0
    ends = []
    for command, arguments in re.findall(r"([MLHVCZ])([^MLHVCZ]*)", OUTLINES[letter]):
        numbers = [float(v) for v in arguments.split()]
        assert all(0 <= v <= 100 for v in numbers)
        if command == "H":
            x = numbers[0]
        elif command == "V":
            y = numbers[0]
        elif command != "Z":
            x, y = numbers[-2:]
        ends.append((x, y))
    low, high = np.min(ends, axis=0), np.max(ends, axis=0)
    np.testing.assert_array_equal(low, [0, 0])
    np.testing.assert_array_equal(high, [100, 100])


def test_a_thousand_positions_of_protein_are_small_and_quick():
    """Every letter is its outline scaled, none is drawn anew. The limits are generous."""
    counts = np.random.default_rng(0).integers(0, 30, (1000, 20)).astype(float)
    start = time.perf_counter()
    figure = sequence_logo(counts, letters=AMINO)
    assert time.perf_counter() - start < 5.0
    assert len(figure) < 2_000_000
    assert figure.count(OUTLINES["A"]) == 1
