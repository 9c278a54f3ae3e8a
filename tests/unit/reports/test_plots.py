from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seqdesign.reports import plots
from seqdesign.reports.scale import Scale, as_floats, linear_ticks

SVG = "{http://www.w3.org/2000/svg}"
LABELS = {"title": "T <&>", "x_label": "epoch", "y_label": "loss (nats)"}
CHARTS = {
    "line": lambda values: plots.line_chart({"a": (range(len(values)), values)}, **LABELS),
    "scatter": lambda values: plots.scatter(values, values, **LABELS),
    "predicted": lambda values: plots.predicted_measured(values, values, title="T <&>"),
    "histogram": lambda values: plots.histogram({"a": values}, title="T <&>", x_label="x"),
    "before_after": lambda values: plots.before_after(values, values, title="T <&>", y_label="y"),
    "judged": lambda values: plots.before_after(values, values, title="T <&>", y_label="y", designed=values),
    "intervals": lambda values: plots.intervals(values, values, values, title="T <&>", y_label="y"),
    "bar": lambda values: plots.bar_chart({"a": values}, [str(i) for i in range(len(values))], **LABELS),
}


def root(figure):
    return ElementTree.fromstring(figure)


def texts(figure):
    return ["".join(element.itertext()) for element in root(figure).iter(f"{SVG}text")]


def description(figure):
    return root(figure).find(f"{SVG}desc").text


def bars(figure):
    """Heights of the bars in pixels; the 16 by 10 samples of the legend are not bars."""
    return [float(r.get("height")) for r in root(figure).iter(f"{SVG}rect") if r.get("width") != "16"]


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
@pytest.mark.parametrize(
    "values",
    [
        [1.0],
        [2.0, 2.0, 2.0],
        [-1e-9, 1e9],
        [0.0, 0.0],
        [1.0, math.nan, 3.0],
        [1e-300, 1e300],
        [-5.0, math.inf],
    ],
    ids=str,
)
def test_awkward_values_still_give_a_figure_inside_its_frame(chart, values):
    figure = chart(values)
    assert "T <&>" in texts(figure)
    assert not re.search(r'="[^"]*\b(nan|inf)\b', figure)
    for element in root(figure).iter(f"{SVG}circle"):
        assert abs(float(element.get("r"))) < 10


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf]], ids=str)
def test_nothing_to_draw_is_an_error(chart, values):
    with pytest.raises(ValueError, match="nothing to draw"):
        chart(values)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.line_chart({"a": ([1, 2], [1])}, **LABELS),
        lambda: plots.scatter([1, 2], [1], **LABELS),
        lambda: plots.before_after([1, 2], [1], title="", y_label=""),
        lambda: plots.intervals([1, 2], [1], [1, 2], title="", y_label=""),
    ],
)
def test_values_that_belong_together_must_be_equally_many(draw):
    with pytest.raises(ValueError, match=r"equally many, got \[2, 1"):
        draw()


def test_values_left_out_are_counted_in_the_description():
    series = {"a": ([1, 2, 3, 4], [1.0, 0.0, math.nan, 2.0])}
    assert "2 values could not be drawn" in description(plots.line_chart(series, log_y=True, **LABELS))
    assert "could not" not in description(plots.line_chart({"a": ([1, 2], [1.0, 2.0])}, **LABELS))


def test_a_curve_is_broken_at_a_gap_and_a_lonely_point_is_a_dot():
    figure = plots.line_chart({"a": ([1, 2, 3, 4, 5], [1, 2, math.nan, 4, math.nan])}, **LABELS)
    (curve,) = [p.get("d") for p in root(figure).iter(f"{SVG}path") if p.get("stroke-linejoin") == "round"]
    assert re.sub(r"[^ML]", "", curve) == "MLM"
    assert sum(1 for p in root(figure).iter(f"{SVG}path") if p.get("transform")) == 1


def test_axes_carry_their_labels_and_series_their_names():
    figure = plots.line_chart({"train": ([1, 2], [1, 2]), "held out": ([1, 2], [2, 3])}, **LABELS)
    assert {"epoch", "loss (nats)", "train", "held out"} <= set(texts(figure))


def test_series_differ_without_colour():
    figure = plots.line_chart({str(i): ([1, 2], [i, i]) for i in range(6)}, **LABELS)
    curves = [p for p in root(figure).iter(f"{SVG}path") if p.get("stroke-linejoin") == "round"]
    assert len({p.get("stroke-dasharray") for p in curves}) == 6


def test_bars_are_proportional_to_their_values():
    figure = plots.bar_chart({"a": [1.0, 3.0], "b": [2.0, -1.0]}, ["1", "2"], **LABELS)
    heights = np.array(bars(figure))
    np.testing.assert_allclose(heights / heights[0], [1, 3, 2, 1], rtol=1e-3)
    assert {"1", "3", "2", "-1"} <= set(texts(figure))


def test_a_missing_bar_is_not_drawn_and_the_reference_is():
    figure = plots.bar_chart(
        {"a": [1.0, math.nan]}, ["1", "2"], reference=("best possible", [2, 2]), **LABELS
    )
    assert len(bars(figure)) == 1
    assert "best possible" in texts(figure)
    assert sum(1 for p in root(figure).iter(f"{SVG}path") if p.get("stroke-dasharray") == "5 2") == 3


def test_a_value_that_the_reference_would_cross_stands_in_its_bar():
    """Bars of 4.7 below a level of 4.9, and of -4.7 above one of -4.9; those of 2.3 have it outside."""
    figure = plots.bar_chart(
        {"a": [4.7, -4.7], "b": [2.3, -2.3]}, ["1", "2"], reference=("level", [4.9, -4.9]), **LABELS
    )
    rectangles = [r for r in root(figure).iter(f"{SVG}rect") if r.get("width") != "16"]
    heights = {t.text: float(t.get("y")) for t in root(figure).iter(f"{SVG}text")}
    inside = []
    for text, bar in zip(("4.7", "-4.7", "2.3", "-2.3"), rectangles, strict=True):
        top = float(bar.get("y"))
        inside.append(top < heights[text] <= top + float(bar.get("height")))
    assert inside == [True, True, False, False]


def test_a_wrong_number_of_bars_names_the_method():
    with pytest.raises(ValueError, match=r"'ours' must have 2 values, one per category, got 3"):
        plots.bar_chart({"ours": [1, 2, 3]}, ["1", "2"], **LABELS)


def test_histogram_shares_sum_to_one_hundred_percent():
    """The description carries the medians; the outline's heights integrate to 100%."""
    values = np.random.default_rng(0).normal(size=500)
    figure = plots.histogram({"a": values}, title="t", x_label="x")
    outline = next(p.get("d") for p in root(figure).iter(f"{SVG}path") if p.get("stroke-linejoin"))
    *levels, floor = [float(v) for v in re.findall(r"V([\d.]+)", outline)]
    labels = [t for t in root(figure).iter(f"{SVG}text") if t.get("text-anchor") == "end"]
    zero, tick = labels[0], labels[-1]
    assert zero.text == "0"
    per_percent = (float(zero.get("y")) - float(tick.get("y"))) / float(tick.text)
    assert sum(floor - level for level in levels) / per_percent == pytest.approx(100, abs=0.5)
    assert f"{np.median(values):.4g}" in description(figure)


def test_many_pairs_are_thinned_and_the_figure_says_so():
    before = np.arange(500.0)
    figure = plots.before_after(before, before + 1, title="t", y_label="y")
    assert sum(1 for _ in root(figure).iter(f"{SVG}circle")) == 2 * 120 + 2
    assert any("120 of 500 drawn" in t for t in texts(figure))
    assert "500 of 500 higher after; mean change 1." in description(figure)


def test_what_designers_say_are_diamonds_where_it_is_known_and_intervals_begin_with_the_best():
    figure = plots.before_after([1, 2], [3, 4], title="T", y_label="y", designed=[3.5, math.nan])
    assert (
        len([p for p in root(figure).iter(f"{SVG}path") if p.get("d").startswith("M0-3.6")]) == 2
    )  # one is the key
    assert "after, by its designers" in texts(figure)
    assert "after, by its designers" not in texts(plots.before_after([1, 2], [3, 4], title="T", y_label="y"))
    figure = plots.intervals([1, 9, 5], [0, 8, 3], [2, 10, 7], title="T", y_label="y")
    dots = list(root(figure).iter(f"{SVG}circle"))
    heights = [float(dot.get("cy")) for dot in dots]
    assert heights == sorted(heights)
    assert [dot.find(f"{SVG}title").text for dot in dots] == [
        "2: 9 (8 to 10)",
        "3: 5 (3 to 7)",
        "1: 1 (0 to 2)",
    ]
    assert "the median width of an interval is 2." in description(figure)


def test_many_points_become_a_density_of_limited_size():
    points = np.random.default_rng(0).normal(size=(2, 100_000))
    figure = plots.scatter(*points, **LABELS)
    assert sum(1 for _ in root(figure).iter(f"{SVG}rect")) <= 56 * 56
    assert "100000 points" in description(figure)


@given(st.lists(st.tuples(st.integers(-5, 5), st.floats(-10, 10)), min_size=3, max_size=40))
def test_agreement_equals_scipy_and_the_definition(pairs):
    """Spearman's rho of scipy.stats; R2 = 1 - residual over total sum of squares."""
    measured, predicted = (np.array(v, dtype=float) for v in zip(*pairs, strict=True))
    r2, rho = plots.agreement(measured, predicted)
    if np.ptp(measured) == 0:
        assert math.isnan(r2)
    else:
        residual = np.mean((measured - predicted) ** 2) / np.var(measured)
        assert r2 == pytest.approx(1 - residual, rel=1e-9, abs=1e-9)
    if np.ptp(measured) == 0 or np.ptp(predicted) == 0:
        assert math.isnan(rho)
    else:
        assert rho == pytest.approx(stats.spearmanr(measured, predicted).statistic, abs=1e-9)


def test_agreement_leaves_out_missing_values():
    assert plots.agreement([1, 2, 3, None], [1, 2, 3, 9]) == (1.0, pytest.approx(1.0))
    assert all(math.isnan(v) for v in plots.agreement([1.0, math.nan], [1.0, 2.0]))


def test_predicted_against_measured_shows_its_agreement():
    figure = plots.predicted_measured([1, 2, 3, 4], [1, 2, 3, 5], title="t", unit="log10 PSI")
    assert "R2 = 0.800, rho = 1.000, n = 4" in texts(figure)
    assert {"measured log10 PSI", "predicted log10 PSI"} <= set(texts(figure))


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12))
def test_ticks_are_round_few_and_inside(low, span):
    high = low + span
    if not low < high or span < abs(low) * 1e-9:
        return
    values = [v for v, _ in linear_ticks(low, high)]
    assert 2 <= len(values) <= 9
    room = span * 1e-6
    assert all(low - room <= v <= high + room for v in values)


def test_tick_labels_show_the_step():
    assert [t for _, t in linear_ticks(0, 1)] == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [t for _, t in linear_ticks(1, 4, whole=True)] == ["1", "2", "3", "4"]
    assert [t for _, t in linear_ticks(0, 2e6)] == ["0", "5e5", "1e6", "1.5e6", "2e6"]


def test_counts_have_no_fractional_ticks():
    assert [t for _, t in Scale.around(np.array([1.0, 2.0])).ticks()] == ["1", "2"]


@pytest.mark.parametrize("ends", [(0.001, 1000.0), (2.0, 5.0), (0.5, 60.0), (1e-12, 1e12)])
def test_logarithmic_axes_always_have_ticks(ends):
    scale = Scale.around(np.array(ends), log=True)
    ticks = [v for v, _ in scale.ticks()]
    assert 2 <= len(ticks) <= 12
    assert all(scale.low <= v <= scale.high for v in ticks)


def test_equal_ratios_are_equally_far_apart_on_a_logarithmic_axis():
    places = Scale(1.0, 100.0, log=True).place(np.array([1.0, 10.0, 100.0]), 0.0, 50.0)
    np.testing.assert_allclose(places, [0, 25, 50])


def test_inputs_are_not_changed():
    values = np.array([3.0, math.nan, 1.0])
    kept = values.copy()
    for chart in CHARTS.values():
        chart(values)
    (copied,) = as_floats(values)
    copied[0] = 9
    np.testing.assert_array_equal(values, kept)


def test_a_negative_bar_hangs_from_zero():
    figure = plots.bar_chart({"a": [2.0, -1.0]}, ["1", "2"], **LABELS)
    up, down = [r for r in root(figure).iter(f"{SVG}rect") if r.get("width") != "16"]
    assert float(up.get("y")) + float(up.get("height")) == pytest.approx(float(down.get("y")), abs=0.02)


def test_pairs_stand_in_order_of_their_value_before():
    figure = plots.before_after([3.0, 1.0, 2.0], [5.0, 4.0, 6.0], title="t", y_label="y")
    (lines,) = [p.get("d") for p in root(figure).iter(f"{SVG}path") if p.get("stroke-opacity")]
    starts = [float(v) for v in re.findall(r"M[\d.]+ ([\d.]+)", lines)]
    ends = [float(v) for v in re.findall(r"V([\d.]+)", lines)]
    assert starts == sorted(starts, reverse=True)
    assert np.argsort(ends).tolist() == [1, 2, 0]


def test_a_long_legend_stays_inside_the_figure():
    names = [f"a rather long name {i}" for i in range(8)]
    figure = plots.line_chart({name: ([1, 2], [1, 2]) for name in names}, **LABELS)
    labels = [t for t in root(figure).iter(f"{SVG}text") if t.text in names]
    assert len(labels) == 8
    assert max(float(t.get("x")) + 7 * len(t.text) for t in labels) <= 560
    assert len({(t.get("x"), t.get("y")) for t in labels}) == 8


def test_an_open_interval_goes_to_the_edge_with_an_arrow_and_says_so():
    figure = plots.intervals([1, 9], [0, 8], [2, math.nan], title="T", y_label="y")
    tips = [dot.find(f"{SVG}title").text for dot in root(figure).iter(f"{SVG}circle")]
    assert tips == ["2: 9 (at least 8)", "1: 1 (0 to 2)"]
    line = next(p.get("d") for p in root(figure).iter(f"{SVG}path") if p.get("stroke-opacity") == "0.4")
    assert line.count("l2.5") == 1
    all_open = plots.intervals([1, 2], [0, 1], [math.nan] * 2, title="T", y_label="y")
    assert "2 designs with intervals, all open." in description(all_open)


def test_a_map_of_letters_marks_edits_and_keeps_its_numbers():
    figure = plots.letter_map(
        np.array([[1.0, -0.5], [0.0, math.nan]]), ["AC", "GT"], ["one", "two"], [3, 120],
        title="T", unit="growth", marked=[[True, False], [False, False]],
    )  # fmt: skip
    found = [t for t in root(figure).iter(f"{SVG}text") if t.text and len(t.text) == 1]
    assert {t.text for t in found} >= {"A", "C", "G", "T"}
    assert [t.text for t in found if t.get("text-decoration")] == ["A"]
    # Only the letters that add or take away anything are shaded; the legend has eight shades on either side.
    assert sum(1 for _ in root(figure).iter(f"{SVG}rect")) == 16 + 2
    assert figure.data["growth"][:2] == [1.0, -0.5]
    assert any("underlined: edited" in t for t in texts(figure))


def test_sites_stand_on_their_sequence_above_or_below_by_strand():
    sites = [
        [plots.Site("TATA", 1, 10, True, "p = 1e-5"), plots.Site("CRP", 51, 60, False)],
        [plots.Site("CRP", 11, 20, True)],
    ]
    figure = plots.site_map(["a", "much too long a name for a label"], [100, 50], sites, title="Sites")
    marks = {
        mark.find(f"{SVG}title").text: mark
        for mark in root(figure).iter(f"{SVG}rect")
        if mark.find(f"{SVG}title") is not None
    }
    assert list(marks) == [
        "a: TATA at 1-10, p = 1e-5",
        "a: CRP at 51-60, other strand",
        "much too long a name for a label: CRP at 11-20",
    ]
    one, other, second = ({key: float(m.get(key)) for key in ("x", "y", "width")} for m in marks.values())
    assert one["width"] == other["width"] == second["width"]
    assert other["x"] - one["x"] == pytest.approx(5 * one["width"], abs=0.1)
    assert other["y"] > one["y"]
    assert figure.data["strand"] == ["+", "-", "+"]
    # The line of each sequence is as long as the sequence.
    lines = [p.get("d") for p in root(figure).iter(f"{SVG}path")]
    ends = [tuple(float(v) for v in re.findall(r"[\d.]+", d))[::2] for d in lines]
    lengths = [end - start for start, end in ends]
    assert lengths[0] == pytest.approx(2 * lengths[1], abs=0.1)


def test_a_plate_shows_its_wells():
    wells = {"A01": ("design", "d1"), "H12": ("wild type", "wt")}
    figure = plots.plate_map(wells, ["design", "wild type"], title="Plate 1", columns=12, rows=8)
    said = [t.text for c in root(figure).iter(f"{SVG}circle") if (t := c.find(f"{SVG}title")) is not None]
    assert said == ["A01: d1", "H12: wt"]
    assert sum(1 for _ in root(figure).iter(f"{SVG}circle")) == 96 + 2  # and the legend
    assert description(figure) == "2 of 96 wells are filled."
    assert figure.data["group"] == ["design", "wild type"]
