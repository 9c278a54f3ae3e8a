"""Maps: positions by letters, points shaded by a value, and what they are made of."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from seqdesign.models.predictor.sections import effects_of
from seqdesign.reports import plots
from seqdesign.reports.html import Figure
from seqdesign.reports.svg import Drawn

SVG = "{http://www.w3.org/2000/svg}"


def test_effects_are_means_over_the_sequences_with_a_letter() -> None:
    tokens = np.array([[0, 1, 2], [0, 1, 0], [0, 3, 2], [0, 1, 2]], dtype=np.uint8)
    effects, places, common = effects_of(tokens, np.array([1.0, 5.0, 3.0, 3.0]), 4)
    assert places.tolist() == [1, 2]
    assert common.tolist() == [1, 2]
    np.testing.assert_allclose(effects, [[np.nan, 0, np.nan, 0], [2, np.nan, -2 / 3, np.nan]])


def test_a_heat_map_has_a_cell_for_every_measured_letter_and_blocks_of_sixty() -> None:
    values = np.arange(-100.0, 100.0).reshape(100, 2)
    values[3, 1] = np.nan
    figure = plots.heat_map(values, "AC", range(1, 101), title="T", unit="growth", common="A" * 100)
    paths = [p for p in ElementTree.fromstring(figure).iter(f"{SVG}path") if p.get("fill-opacity")]
    cells = sum(str(p.get("d")).count("z") for p in paths)
    assert cells == np.isfinite(values[values != 0]).sum()
    darkest = [p for p in paths if p.get("fill-opacity") == "1"]
    assert {re.search(r"--sd-(\w+)", str(p.get("fill")))[1] for p in darkest} == {"blue", "vermillion"}  # type: ignore[index]
    assert isinstance(figure, Drawn)
    assert list(figure.data) == ["position", "letter", "growth"]
    assert figure.data["position"][-1] == 100
    width, height = (float(ElementTree.fromstring(figure).get(key, "")) for key in ("width", "height"))
    assert width < 800
    assert height > 2 * 2 * 14


def test_shades_are_classes_of_equally_many_and_what_was_not_measured_is_hollow() -> None:
    values = [*range(100), float("nan")]
    figure = plots.shaded_scatter(
        range(101), range(101), values, title="T", x_label="x", y_label="y", unit="growth",
        ids=[f"s{i}" for i in range(101)],
    )  # fmt: skip
    group = next(g for g in ElementTree.fromstring(figure).iter(f"{SVG}g") if g.get("class") == "sd-points")
    shades = [dot.get("fill-opacity") for dot in group]
    assert sorted(shades.count(shade) for shade in set(shades)) == [1, 20, 20, 20, 20, 20]
    assert group[0][0].text == "s100: not measured"
    assert "not measured" in figure


def test_a_front_is_joined_and_the_dominated_are_dim() -> None:
    figure = plots.scatter(
        [1, 2, 3, 2], [3, 2, 1, 1], title="T", x_label="x", y_label="y", ids=list("abcd"),
        front=[True, True, True, False],
    )  # fmt: skip
    groups = [g for g in ElementTree.fromstring(figure).iter(f"{SVG}g") if g.get("class") == "sd-points"]
    dim, front = ([dot.find(f"{SVG}title").text[0] for dot in group] for group in groups)  # type: ignore[union-attr,index]
    assert (dim, front) == (["d"], ["a", "b", "c"])
    assert float(groups[0].get("fill-opacity", "1")) < 0.5
    assert isinstance(figure, Drawn)
    assert figure.data["front"] == [True, True, True, False]


def test_whole_numbers_have_no_comb_and_bars_no_overlapping_names() -> None:
    figure = plots.histogram({"a": np.arange(0, 47)}, title="T", x_label="edits", num_bins=30)
    assert isinstance(figure, Drawn)
    assert list(figure.data["a"])[:-1] == pytest.approx([100 * 2 / 47] * 23)
    names = [f"a rather long name {i}" for i in range(12)]
    figure = plots.bar_chart({"a": range(12)}, names, title="T", x_label="x", y_label="y")
    labels = [t for t in ElementTree.fromstring(figure).iter(f"{SVG}text") if "rather" in str(t.text)]
    assert len(labels) == 12
    assert all("rotate(-35" in str(label.get("transform")) for label in labels)
    figure = plots.bar_chart(
        {"a": range(90)}, [str(i) for i in range(90)], title="T", x_label="x", y_label="y"
    )
    shown = [t for t in ElementTree.fromstring(figure).iter(f"{SVG}text") if str(t.text).isdigit()]
    assert len(shown) < 60


@pytest.mark.parametrize(("data", "packed"), [({"x": [1.0, float("nan")], "y": ["a"]}, True), ({}, False)])
def test_the_numbers_behind_a_figure_are_embedded_as_csv(data: dict[str, list[object]], packed: bool) -> None:
    import base64
    import gzip

    text = Figure(Drawn("<svg></svg>", data), "c").packed
    assert bool(text) == packed
    if packed:
        assert gzip.decompress(base64.b64decode(text)).decode() == "x,y\n1,a\n,\n"
