"""Mutations and replicates through the readers, as commands use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.lab.variants import Variants
from seqdesign.sequences.layout import Layout
from seqdesign.sequences.numbers import CellFormat
from seqdesign.sequences.options import FileOptions, layout_of
from seqdesign.sequences.reader import read_sequences


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_mutations_become_sequences_with_their_names(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "mutant,outcome\nC2A,1\n,2\np.[Ala1Gly;Cys2Ala],3\n")
    found = read_sequences(path, layout=Layout(variants=Variants("w", "ACD")))
    assert found.sequences == ["AAD", "ACD", "GAD"]
    assert found.ids == ["C2A", "WT", "A1G:C2A"]
    assert found.numbering is not None
    assert found.numbering.wild_type == "ACD"


def test_a_table_with_sequences_needs_no_column_of_mutations(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "sequence,mutant\nACD,nonsense\n")
    assert read_sequences(path, layout=Layout(variants=Variants("w", "ACD"))).sequences == ["ACD"]
    with pytest.raises(InputError, match="'nonsense' says no substitution"):
        read_sequences(path, layout=Layout(variants=Variants("w", "ACD", column="mutant")))


def test_a_row_whose_mutation_is_called_missing_is_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = table(tmp_path / "x.csv", "no,mutant,outcome\n1,C2A,1\n2,,2\n,Mean,1.5\n")
    with pytest.raises(InputError, match=r"or leave such rows out with --missing Mean$") as caught:
        read_sequences(path, layout=Layout(variants=Variants("w", "ACD")), cells=CellFormat.of(()))
    assert caught.value.line == 4
    variants = Variants("w", "ACD")
    found = read_sequences(path, layout=Layout(variants=variants), cells=CellFormat.of(("mean",)))
    assert (found.ids, variants.empty) == (["C2A", "WT"], [3])
    assert "1 of 3 records left out by --missing: Mean (line 4)" in caplog.text


def test_columns_of_replicates_are_averaged_and_an_odd_cell_is_named(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "sequence,r1,r2\nAC,1,3\nAG,5,\nAT,,\nAA,9,7\n")
    layout = Layout(replicates=("r1", "r2"))
    found = read_sequences(path, layout=layout, columns=("stderr",), outcome="outcome", on_missing="drop")
    assert found.outcomes is not None
    assert found.outcomes.tolist() == [2, 5, 8]
    assert found.numbers("stderr").tolist() == pytest.approx([np.sqrt(2), 2, np.sqrt(2)])
    assert found.noise["outcome"].values == 5
    odd = table(tmp_path / "y.csv", "sequence,r1,r2\nAC,1,3\nAG,ND,2\n")
    with pytest.raises(InputError, match="line 3 'ND'"):
        read_sequences(odd, layout=Layout(replicates=("r1", "r2")))
    with pytest.raises(InputError, match="no column 'r3'"):
        read_sequences(path, layout=Layout(replicates=("r1", "r3")))


def test_a_column_of_mutations_in_capitals_is_named(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "Variant,y\nC2A,1\n")
    with pytest.raises(InputError, match="name it with --mutations Variant; the columns"):
        read_sequences(path, layout=Layout(variants=Variants("w", "ACD")))


def test_columns_of_letter_place_and_letter_are_one_mutation(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "wt,pos,mut,outcome\nC,2,A,1\nAla,1,Gly,2\n,,,3\n")
    with pytest.raises(InputError, match="name it with --mutations wt,pos,mut; the columns"):
        read_sequences(
            table(tmp_path / "y.csv", "wt,pos,mut\nC,2,A\n"), layout=Layout(variants=Variants("w", "ACD"))
        )
    found = read_sequences(path, layout=Layout(variants=Variants("w", "ACD", column="wt,pos,mut")))
    assert (found.sequences, found.unused) == (["AAD", "GCD", "ACD"], ())


def test_mutations_of_the_sequence_of_each_row(tmp_path: Path) -> None:
    rows = "sequence,mutation,outcome\nACD,C2A,1\nACD,D3A,2\nMKT,K2A,3\nMKT,,4\n"
    path = table(tmp_path / "x.csv", rows)
    for variants in (None, Variants("w", "ACD")):
        with pytest.raises(
            InputError, match="has the sequences before the mutations.*add --mutations mutation"
        ):
            read_sequences(path, layout=Layout(variants=variants))
    found = read_sequences(path, layout=layout_of(FileOptions(mutations="mutation")))
    assert (found.sequences, found.unused) == (["AAD", "ACA", "MAT", "MKT"], ())
    with pytest.raises(InputError, match="does not fit the sequence of its row.*with --first-position 1 all"):
        read_sequences(path, layout=layout_of(FileOptions(mutations="mutation", first_position=2)))
    with pytest.raises(InputError, match="name its file with --wild-type, or the column"):
        read_sequences(table(path, "mutant,x\nA1C,1\n"), layout=layout_of(FileOptions(mutations="mutant")))


def test_counts_become_log_enrichment_over_the_wild_type(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "mutant,in,out\nWT,100,100\nC2A,50,100\nC2G,0,\nC2A,50,100\n")
    layout = Layout(variants=Variants("w", "ACD"), counts=(("in", "out"),), average_rows=True)
    found = read_sequences(path, layout=layout, columns=("stderr",), outcome="outcome", on_missing="drop")
    assert (found.ids, found.outcomes is None) == (["WT", "C2A"], False)
    assert found.outcomes is not None
    assert found.outcomes.tolist() == pytest.approx([0, np.log(200.5 / 100.5)])
    assert found.numbers("stderr")[1] == pytest.approx(np.sqrt(1 / 200.5 + 1 / 100.5))
    assert (found.noise["outcome"].values, found.noise["outcome"].counted) == (500, True)
    assert found.unused == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sequence,a,b\nAC,1,2\nAG,1.5,2\n", r"x.csv:3: 'a' is '1.5' here, which is no count of reads"),
        ("sequence,a,b\nAC,1,-2\n", "'b' is '-2' here"),
        ("sequence,a,b\nAC,1,ND\n", "'b' is 'ND' here"),
        ("sequence,a,b\nAC,1,0\n", "'b' has no reads at all"),
        ("sequence,a,c\nAC,1,0\n", "no column 'b'"),
        ("sequence,a,b,outcome\nAC,1,1,2\n", "there is a column 'outcome', and --counts makes an outcome"),
    ],
)
def test_what_is_no_count_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = table(tmp_path / "x.csv", text)
    with pytest.raises(InputError, match=said):
        read_sequences(path, layout=Layout(counts=(("a", "b"),)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"counts": ("before",)}, "needs columns before and after selection, such as"),
        ({"counts": ("a,b", "c")}, "for each replicate"),
        ({"counts": ("a,a",)}, "names the column 'a' twice"),
        ({"counts": ("a,b",), "replicates": "c,d"}, "leave --replicates out"),
    ],
)
def test_columns_of_counts_are_pairs_of_unlike_columns(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        layout_of(FileOptions(**options))
    assert caught.value.option == "--counts"


def test_rows_of_one_sequence_become_one_unless_their_labels_differ(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "id,sequence,outcome\na,AC,1\nb,AG,4\nc,ac,3\n")
    found = read_sequences(path, layout=Layout(average_rows=True))
    assert found.ids == ["a", "b"]
    assert found.outcomes is not None
    assert found.outcomes.tolist() == [2, 4]
    same = table(tmp_path / "y.csv", "sequence,outcome\nAC,low\nAG,high\nAC,low\n")
    assert read_sequences(same, layout=Layout(average_rows=True), labels=True).labels == ("high", "low")
    differ = table(tmp_path / "z.csv", "sequence,outcome\nAC,low\nAG,high\nAC,high\n")
    with pytest.raises(InputError, match="labels have no mean"):
        read_sequences(differ, layout=Layout(average_rows=True), labels=True)


def test_what_only_tables_can_have_is_refused_of_fasta(tmp_path: Path) -> None:
    path = table(tmp_path / "x.fa", ">a outcome=1\nACGT\n")
    for layout in (Layout(sheet="A"), Layout(replicates=("a",)), Layout(average_rows=True)):
        with pytest.raises(UsageError, match="is not a table"):
            read_sequences(path, layout=layout)
    assert len(read_sequences(path, layout=Layout(sheet="A", strict=False))) == 1


def test_percentages_are_numbers_where_all_have_the_sign(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "sequence,outcome,b\nACD,45%,40 %\nACE,103.5%,\nACG,,50%\n")
    found = read_sequences(path, on_missing="unlabelled")
    np.testing.assert_equal(found.outcomes, [45.0, 103.5, np.nan])
    means = read_sequences(path, layout=Layout(replicates=("outcome", "b")))
    np.testing.assert_equal(means.outcomes, [42.5, 103.5, 50.0])


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (Layout(), r"1 cell is no number: line 2 '45%'; write all"),
        (Layout(replicates=("outcome", "b")), "or none"),
    ],
)
def test_percentages_beside_plain_numbers_are_refused(tmp_path: Path, layout: Layout, said: str) -> None:
    path = table(tmp_path / "x.csv", "sequence,outcome,b\nACD,45%,45%\nACE,0.5,50%\n")
    with pytest.raises(InputError, match=said):
        read_sequences(path, layout=layout)
