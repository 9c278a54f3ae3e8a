"""Promises of ``seqdesign logo``."""

from __future__ import annotations

import json
import time
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from seqdesign.commands.look.logo import LogoConfig, logo
from seqdesign.errors import InputError, UsageError
from seqdesign.reports.logo_layout import lay_out
from seqdesign.reports.logo_matrix import information
from seqdesign.reports.logo_spec import sequence_spec, value_spec

SITES = ">a\nTATAAT\n>b\nTATGAT\n>c\nTACAAT\n>d\nGATAAT\n"
SVG = "{http://www.w3.org/2000/svg}"
MAGIC = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}


@pytest.fixture
def sites(tmp_path):
    path = tmp_path / "sites.fa"
    path.write_text(SITES)
    return path


def uses(path):
    return ElementTree.fromstring(path.read_bytes()).findall(f".//{SVG}use")


def texts(path):
    return ["".join(t.itertext()) for t in ElementTree.fromstring(path.read_bytes()).iter(f"{SVG}text")]


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_every_format_is_written_and_repeats(sites, suffix):
    path = sites.with_suffix(suffix)
    result = logo(LogoConfig(input=sites, output=path))
    first = path.read_bytes()
    assert first.startswith(MAGIC[suffix])
    assert (result.consensus, result.positions, result.kind) == (("TATAAT",), 6, "information")
    logo(LogoConfig(input=sites, output=path))
    assert path.read_bytes() == first


@pytest.mark.parametrize("background", [None, np.array([0.4, 0.1, 0.2, 0.3])])
def test_information_equals_logomakers(background):
    import logomaker

    counts = np.random.default_rng(0).integers(1, 30, (12, 4)).astype(float)
    frame = pd.DataFrame(counts, columns=list("ACGT"))
    wanted = logomaker.transform_matrix(
        frame, from_type="counts", to_type="information", pseudocount=0, background=background
    )
    ours = information(counts, small_sample=False, background=background)
    np.testing.assert_allclose(ours, wanted.to_numpy(), atol=1e-9)


def test_weights_equal_logomakers():
    import logomaker

    counts = np.random.default_rng(1).integers(0, 30, (12, 4)).astype(float)
    frame = pd.DataFrame(counts, columns=list("ACGT"))
    # logomaker adds its pseudocount to every letter, ours is shared out by the background.
    wanted = logomaker.transform_matrix(frame, from_type="counts", to_type="weight", pseudocount=1)
    ours = sequence_spec(counts, letters="ACGT", kind="weight", pseudocount=4.0)
    np.testing.assert_allclose(ours.heights, wanted.to_numpy(), atol=1e-9)


def test_a_stack_is_lowered_by_its_gaps():
    whole = sequence_spec(["A", "A", "-", "-"], letters="ACGT", small_sample=False)
    scaled = sequence_spec(["A", "A", "-", "-"], letters="ACGT", small_sample=False, scale_gaps=True)
    assert (whole.heights.sum(), scaled.heights.sum()) == (2, 1)


def test_numbering_can_skip_zero_and_ranges_follow_it(sites, tmp_path):
    path = tmp_path / "x.svg"
    logo(LogoConfig(input=sites, output=path, first_position=-3, skip_zero=True))
    assert [t for t in texts(path) if t.lstrip("-").isdigit()][-6:] == ["-3", "-2", "-1", "1", "2", "3"]
    result = logo(LogoConfig(input=sites, output=path, first_position=-3, skip_zero=True, from_=-1, to=2))
    assert result.consensus == ("TAA",)
    with pytest.raises(UsageError, match=r"positions -3 to 3, got 0 to 3"):
        logo(LogoConfig(input=sites, output=path, first_position=-3, skip_zero=True, from_=0))


def test_changed_positions_of_a_pair_are_marked(tmp_path):
    (tmp_path / "a.fa").write_text(">x\nACGTACGT\n")
    (tmp_path / "b.fa").write_text(">x\nACCTACGA\n")
    for kind, number in (("probability", 2), ("enrichment", 3)):
        result = logo(
            LogoConfig(
                before=tmp_path / "a.fa", after=tmp_path / "b.fa", output=tmp_path / "ab.svg", kind=kind,
                first_position=10,
            )
        )  # fmt: skip
        assert (result.changed, len(result.logos)) == ((12, 17), number)
        assert "2 positions changed: 12, 17" in result.text()
        shaded = ElementTree.parse(tmp_path / "ab.svg").findall(f".//{SVG}rect")
        assert len(shaded) == 2 * number


def test_attributions_of_a_pair_are_compared_by_the_letters_that_have_one(tmp_path):
    for name, word in (("a.npy", "ACG"), ("b.npy", "ATG")):
        np.save(tmp_path / name, -np.eye(4)[["ACGT".index(c) for c in word]])
    result = logo(LogoConfig(before=tmp_path / "a.npy", after=tmp_path / "b.npy", output=tmp_path / "ab.png"))
    assert (result.consensus, result.changed, result.kind) == (("ACG", "ATG"), (2,), "weight")


def test_a_matrix_is_drawn_from_csv_and_npy_alike(tmp_path):
    values = np.array([[1.0, -0.5, 0, 0], [0, 0, 2, 0]])
    np.save(tmp_path / "w.npy", values)
    table = "pos\tA\tC\tG\tT\n" + "".join(
        f"{i}\t" + "\t".join(map(str, r)) + "\n" for i, r in enumerate(values)
    )
    (tmp_path / "w.tsv").write_text(table)
    drawn = []
    for name in ("w.npy", "w.tsv"):
        logo(LogoConfig(input=tmp_path / name, output=tmp_path / "w.svg"))
        drawn.append([u.get("transform") for u in uses(tmp_path / "w.svg")])
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 3


def test_sequences_can_be_counted_by_a_column(tmp_path):
    (tmp_path / "c.csv").write_text("sequence,count\nAC,3\nGC,1\n")
    (tmp_path / "c.fa").write_text(">1\nAC\n>2\nAC\n>3\nAC\n>4\nGC\n")
    drawn = []
    for name, weights in (("c.csv", "count"), ("c.fa", None)):
        logo(LogoConfig(input=tmp_path / name, output=tmp_path / "c.svg", weights=weights))
        drawn.append([u.get("transform") for u in uses(tmp_path / "c.svg")])
    assert drawn[0] == drawn[1]


def test_motifs_are_chosen_by_name(tmp_path):
    result = logo(
        LogoConfig(input="dataset:jaspar2024_core_vertebrates", motif=("TBP",), output=tmp_path / "m.svg")
    )
    assert result.logos[0].startswith("MA0108.3 TBP")
    with pytest.raises(UsageError, match="holds 879 motifs"):
        logo(LogoConfig(input="dataset:jaspar2024_core_vertebrates", output=tmp_path / "m.svg"))


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_five_hundred_positions_are_quick(tmp_path, suffix):
    """0.5 to 0.9 s for PNG and PDF of DNA on an idle core; the limit allows for a busy one."""
    np.save(tmp_path / "w.npy", np.random.default_rng(0).normal(size=(500, 4)))
    logo(LogoConfig(input=tmp_path / "w.npy", output=tmp_path / f"w{suffix}"))  # imports
    start = time.process_time()
    logo(LogoConfig(input=tmp_path / "w.npy", output=tmp_path / f"w{suffix}"))
    assert time.process_time() - start < 2.0


def test_letters_of_a_picture_are_placed_as_in_the_svg():
    """The layout, which both draw from: stacks without gaps from zero, upwards and downwards."""
    spec = value_spec(np.array([[1.0, -2.0, 3.0, 0.0]]), letters="ACGT", unit="w", title="t")
    layout = lay_out(spec)
    scale = 120 / (spec.limits[1] - spec.limits[0])
    zero = layout.rows[0].zero
    placed = {int(i): (y, h) for i, y, h in zip(layout.letter, layout.y, layout.letter_height, strict=True)}
    assert placed[0] == pytest.approx((zero - 1 * scale, 1 * scale))
    assert placed[1] == pytest.approx((zero, 2 * scale))
    assert placed[2] == pytest.approx((zero - 4 * scale, 3 * scale))
    assert 3 not in placed


def test_json_says_what_was_drawn(sites, cli, tmp_path):
    done = cli("logo", sites, "-o", tmp_path / "x.png", "--json")
    assert json.loads(done.out)["consensus"] == ["TATAAT"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["uneven.fa"], 1, "uneven.fa:3: record 'b': has 3 letters, the first record has 4"),
        (["text.csv"], 1, "text.csv:2: column 'C' must be a number"),
        (["odd.npy"], 1, "matrix of numbers"),
        (["sites.fa", "-o", "x.gif"], 2, "--output: must end in .svg, .png, .pdf"),
        (["sites.fa", "--before", "sites.fa"], 2, "a pair needs both"),
        ([], 2, "INPUT: is missing"),
        (["sites.fa", "--background", "A=1"], 2, "--background"),
        (["sites.fa", "--from", "5", "--to", "9"], 2, "positions 1 to 6"),
        (["sites.fa", "--kind", "enrichment"], 2, "needs --before and --after"),
        (["dataset:jaspar2024_core_vertebrates", "--motif", "NOPE"], 2, "no motif NOPE"),
    ],
)
def test_wrong_input_is_one_line(sites, cli, monkeypatch, words, code, message):
    monkeypatch.chdir(sites.parent)
    (sites.parent / "uneven.fa").write_text(">a\nACGT\n>b\nACG\n")
    (sites.parent / "text.csv").write_text("A,C,G,T\n1,x,0,0\n")
    np.save(sites.parent / "odd.npy", np.zeros(3))
    done = cli("logo", *words)
    assert done.code == code
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_pickle_is_never_loaded(tmp_path):
    np.save(tmp_path / "p.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not a usable npy file"):
        logo(LogoConfig(input=tmp_path / "p.npy", output=tmp_path / "p.svg"))
