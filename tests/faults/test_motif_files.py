"""Files of motifs and matrices, of every kind that is about: read as they are meant, or refused by name.

Each rendering writes one matrix as some program does; whatever the format, the same motif must come back.
"""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from seqdesign.errors import InputError, UsageError
from seqdesign.motifs.files import JASPAR, open_motifs, read_motifs
from seqdesign.motifs.motif import Motif
from seqdesign.motifs.search import find_motifs
from seqdesign.reports.drawable import Reading, read_drawables
from seqdesign.reports.logo_figure import Style, draw, logo

AMINO = "ACDEFGHIKLMNPQRSTVWY"


def counts(width, size=4, seed=0, total=40):
    """(width, size) whole numbers; every position adds up to ``total``, no letter does."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(total, rng.dirichlet(np.full(size, 0.6)), size=width).astype(float)


def rows(values, form="{:g}", sep=" "):
    return "\n".join(sep.join(form.format(v) for v in row) for row in values)


def labelled(values, letters, form, sep=" "):
    return "\n".join(
        form.format(c, sep.join(f"{v:g}" for v in row)) for c, row in zip(letters, values.T, strict=True)
    )


def headed(values, letters, sep, first=None, index=True):
    lines = [sep.join([*([first or ""] if index else []), *letters])]
    for i, row in enumerate(values):
        lines.append(sep.join([*([str(i + 1)] if index else []), *(f"{v:g}" for v in row)]))
    return "\n".join(lines)


def probabilities(values):
    return values / values.sum(axis=1, keepdims=True)


def frame(values, letters):
    return pd.DataFrame(values, columns=list(letters))


DNA = {
    "jaspar": lambda v: ">MA1.1 name\n" + labelled(v, "ACGT", "{} [ {} ]"),
    "jaspar-tight": lambda v: ">MA1.1\tname\n" + labelled(v, "ACGT", "{}  [{}]"),
    "jaspar-no-brackets": lambda v: ">MA1.1 name\n" + labelled(v, "ACGT", "{}  {}"),
    "jaspar-other-order": lambda v: ">m\n" + labelled(v[:, [2, 0, 3, 1]], "GATC", "{} [ {} ]"),
    "jaspar-small-letters": lambda v: ">m\n" + labelled(v, "acgt", "{} [ {} ]"),
    "jaspar-raw": lambda v: ">MA0001.1 name\n" + rows(v.T),
    "jaspar-raw-tabs": lambda v: ">MA0001.1 name\n" + rows(v.T, sep="\t"),
    "flyfactor": lambda v: ">m_FBgn1\n" + labelled(v, "ACGT", "{} | {}", "\t"),
    "rsat-tab": lambda v: "; a comment, with A 1 2\n" + labelled(v, "acgt", "{} | {}", "\t") + "\n//\n",
    "raw-rows-are-letters": lambda v: rows(v.T),
    "raw-rows-are-positions": rows,
    "raw-tabs": lambda v: rows(v.T, sep="\t"),
    "raw-commas": lambda v: rows(v, sep=","),
    "raw-numbered": lambda v: "\n".join(f"{i + 1}\t{r}" for i, r in enumerate(rows(v, sep="\t").split("\n"))),
    "raw-with-consensus": lambda v: "\n".join(
        f"{r} {'ACGT'[i]}" for r, i in zip(rows(v).split("\n"), v.argmax(axis=1), strict=True)
    ),
    "homer": lambda v: ">TGACTCAA\tAP-1(bZIP)/x\t6.05\t-1.0\t0\tT:10.0(10%),B:1.0(1%),P:1e-10\n"
    + rows(probabilities(v), "{:.3f}", "\t"),
    "cluster-buster": lambda v: ">name\n# WEIGHT 3\n# GAP 8\n" + rows(v),
    "hocomoco-pcm": lambda v: ">AHR_HUMAN.H11MO.0.B\n" + rows(v * 1.37, "{:.6f}", "\t"),
    "hocomoco-pfm": lambda v: ">AHR_HUMAN.H11MO.0.B\n" + rows(probabilities(v), "{:.6f}", "\t"),
    "titled-with-letters": lambda v: ">m\nA C G T\n" + rows(v),
    "uniprobe": lambda v: "Arid3a_primary\n" + labelled(probabilities(v), "ACGT", "{}:\t{}", "\t"),
    "uniprobe-old": lambda v: "Protein: Alx3\tSeed k-mer: CAATTAAC\tEnrichment Score: 0.49\n"
    + labelled(probabilities(v), "ACGT", "{}:\t{}", "\t"),
    "hpdi": lambda v: labelled(probabilities(v), "ACGT", "{}\t{}", "\t"),
    "cisbp": lambda v: "TF\tT1\nTF Name\tANT\nMotif\tM2364_1.02\nFamily\tAP2\n"
    + headed(probabilities(v), "ACGT", "\t", "Pos") + "\n\n",
    "cisbp-matrix-only": lambda v: headed(probabilities(v), "ACGT", "\t", "Pos"),
    "transfac": lambda v: "AC  M1\nXX\nID  V$X\nXX\nP0      A      C      G      T\n"
    + "\n".join(f"{i + 1:02d} {r} N" for i, r in enumerate(rows(v, sep="   ").split("\n"))) + "\nXX\n//\n",
    "transfac-of-jaspar": lambda v: "AC MA1.1\nXX\nID name\nXX\nDE MA1.1 name ; From JASPAR\nPO\tA\tC\tG\tT\n"
    + "\n".join(f"{i:02d}\t{r}" for i, r in enumerate(rows(v, "{:.1f}", "\t").split("\n")))
    + "\nXX\nCC tax_group:plants\nXX\n//\n",
    "transfac-of-prodoric": lambda v: "ID  MX1\nXX\nBF  x\nXX\nP0 G C T A\n"
    + "\n".join(f"{i + 1} {r}" for i, r in enumerate(rows(v[:, [2, 1, 3, 0]]).split("\n"))) + "\nXX\n//\n",
    "swissregulon": lambda v: "//\nNA Arnt\nPO A C G T cons inf\n"
    + "\n".join(f"{i + 1:02d} {r} N 1.5" for i, r in enumerate(rows(v).split("\n"))) + "\n//\n",
    "stamp": lambda v: "DE name\n"
    + "\n".join(f"{i} {r} N" for i, r in enumerate(rows(v).split("\n"))) + "\nXX\n",
    "meme": lambda v: "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF m name\nletter-probability matrix:\n"
    + rows(probabilities(v), "{:.6f}"),
    "meme-custom-alphabet": lambda v: 'MEME version 5\nALPHABET "DNA" DNA-LIKE\nA "Adenine" CC0000 ~ T\n'
    "C ~ G\n"
    "N = ACGT\nEND ALPHABET\nMOTIF m\nletter-probability matrix: alength= 4\n"
    + rows(probabilities(v), "{:.6f}"),
    "dreme": lambda v: "# DREME 5.4.1\nMEME version 5.4.1\nALPHABET \"DNA\" DNA-LIKE\nA ~ T\nC ~ G\n"
    "END ALPHABET\n"
    f"MOTIF ACG DREME-1\n#   Word RC\nletter-probability matrix: alength= 4 w= {len(v)} nsites= 40 E= 1\n"
    + rows(probabilities(v), "{:.6f}"),
    "meme-text": lambda v: "****\nMEME - Motif discovery tool\n****\nMEME version 5.5\n\nALPHABET= ACGT\n"
    f"Sequence name  Weight\n----\nMOTIF ACG MEME-1\twidth = {len(v)} sites = 40\n0.9 ** *\n1.0 ***\n"
    f"log-odds matrix: alength= 4 w= {len(v)}\n" + rows(np.log2(probabilities(v) + 0.01) * 100, "{:.0f}")
    + f"\n----\nletter-probability matrix: alength= 4 w= {len(v)} nsites= 40 E= 1e-3\n"
    + rows(probabilities(v), "{:.6f}") + "\n----\nTime 0.5 secs.\n1 2 3\n",
    "csv": lambda v: headed(v, "ACGT", ",", "pos"),
    "csv-no-index": lambda v: headed(v, "ACGT", ",", index=False),
    "csv-small-letters": lambda v: headed(v, "acgt", ",", index=False),
    "csv-index-i": lambda v: headed(v, "ACGT", ",", "i"),
    "csv-index-of-R": lambda v: headed(v, "ACGT", ",", "X"),
    "csv-quoted": lambda v: '"A","C","G","T"\n' + rows(v, '"{:g}"', ","),
    "csv-semicolons": lambda v: headed(v, "ACGT", ";"),
    "csv-other-order": lambda v: headed(v[:, [3, 2, 1, 0]], "TGCA", ","),
    "csv-rows-are-letters": lambda v: frame(v, "ACGT").T.to_csv(),
    "csv-rows-are-letters-named": lambda v: "letter,"
    + ",".join(f"p{i}" for i in range(len(v))) + "\n" + labelled(v, "ACGT", "{},{}", ","),
    "tsv-rows-are-letters": lambda v: frame(v, "ACGT").T.to_csv(sep="\t"),
    "R-rows-are-letters": lambda v: " ".join(f'"{i + 1}"' for i in range(len(v)))
    + "\n" + labelled(v, "ACGT", '"{}" {}'),
    "R-rows-are-positions": lambda v: '"A" "C" "G" "T"\n'
    + "\n".join(f'"{i + 1}" {r}' for i, r in enumerate(rows(v).split("\n"))),
    "universalmotif-printed": lambda v: "   " + " ".join(str(i + 1) for i in range(len(v)))
    + "\n" + labelled(probabilities(v), "ACGT", "{} {}"),
    "logomaker": lambda v: "# a comment\n# and more\n" + headed(v, "ACGT", "  ", "pos"),
    "percentages": lambda v: headed(probabilities(v) * 100 + 0.001, "ACGT", ",", "pos"),
    "percent-signs": lambda v: "A,C,G,T\n" + rows(probabilities(v) * 100, "{:.2f}%", ","),
    "with-consensus-column": lambda v: "pos,A,C,G,T,consensus\n"
    + "\n".join(f"{i + 1},{r},N" for i, r in enumerate(rows(v, sep=",").split("\n"))),
    "bom-and-crlf": lambda v: "\ufeff" + headed(v, "ACGT", ",").replace("\n", "\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("width", [4, 6, 20])
@pytest.mark.parametrize("name", DNA)
def test_whatever_the_format_the_motif_is_the_same(tmp_path, name, width):
    values = counts(width)
    path = tmp_path / "motif.txt"
    path.write_text(DNA[name](values), encoding="utf-8")
    (motif,) = read_motifs(path).motifs
    assert motif.letters == "ACGT"
    np.testing.assert_allclose(motif.probabilities, probabilities(values), atol=2e-3)
    (drawn,) = read_drawables(path, Reading())
    assert drawn.counted is not None
    assert drawn.consensus == motif.consensus


@pytest.mark.parametrize(
    "name", ["jaspar", "uniprobe", "homer", "cluster-buster", "cisbp", "transfac", "meme"]
)
def test_several_motifs_of_a_file_are_all_there(tmp_path, name):
    both = [counts(4, seed=1), counts(7, seed=2)]
    path = tmp_path / "motifs.txt"
    texts = [DNA[name](values).replace("MEME version 4\n", "", i) for i, values in enumerate(both)]
    path.write_text("\n\n".join(texts))
    for motif, values in zip(read_motifs(path).motifs, both, strict=True):
        np.testing.assert_allclose(motif.probabilities, probabilities(values), atol=2e-3)


def test_a_long_table_of_several_motifs_is_several_motifs(tmp_path, cli):
    both = {"m1": counts(4, seed=1), "m2": counts(7, seed=2)}
    lines = ["motif_id,pos,A,C,G,T,gc"]
    lines += [
        f"{k},{i + 1},{r},0.5" for k, v in both.items() for i, r in enumerate(rows(v, sep=",").split("\n"))
    ]
    path = tmp_path / "long.csv"
    path.write_text("\n".join(lines))
    found = read_motifs(path)
    assert [motif.id for motif in found.motifs] == ["m1", "m2"]
    for motif, values in zip(found.motifs, both.values(), strict=True):
        np.testing.assert_allclose(motif.probabilities, probabilities(values))
    assert found.notes == ("columns left aside: gc",)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("jaspar", ("MA1.1", "name")),
        ("homer", ("TGACTCAA", "AP-1(bZIP)/x")),
        ("hocomoco-pcm", ("AHR_HUMAN.H11MO.0.B", "")),
        ("uniprobe", ("Arid3a_primary", "")),
        ("uniprobe-old", ("Alx3", "")),
        ("cisbp", ("M2364_1.02", "ANT")),
        ("transfac", ("M1", "V$X")),
        ("transfac-of-jaspar", ("MA1.1", "name")),
        ("csv", ("motif", "")),
        ("meme", ("m", "name")),
    ],
)
def test_ids_and_names_are_those_of_the_file(tmp_path, form, name):
    path = tmp_path / "motif.txt"
    path.write_text(DNA[form](counts(8)))
    (motif,) = read_motifs(path).motifs
    assert (motif.id, motif.name) == name


PROTEIN = {
    "csv": lambda v: headed(v, AMINO, ",", "pos"),
    "csv-index-i": lambda v: headed(v, AMINO, ",", "i"),
    "csv-index-I": lambda v: headed(v, AMINO, ",", "X"),
    "csv-no-index": lambda v: headed(v, AMINO, ",", index=False),
    "csv-I-first": lambda v: headed(v[:, [7, *range(7), *range(8, 20)]], "I" + AMINO.replace("I", ""), ",",
                                    index=False),
    "csv-blosum-order": lambda v: headed(v[:, [AMINO.index(c) for c in "ARNDCQEGHILKMFPSTWYV"]],
                                         "ARNDCQEGHILKMFPSTWYV", "\t"),
    "rows-are-letters": lambda v: frame(v, AMINO).T.to_csv(),
    "jaspar-like": lambda v: ">m\n" + labelled(v, AMINO, "{} [ {} ]"),
    "meme": lambda v: "MEME version 4\nMOTIF m\nletter-probability matrix: alength= 20\n"
    + rows(probabilities(v), "{:.6f}"),
    "raw": rows,
}  # fmt: skip


@pytest.mark.parametrize("name", PROTEIN)
@pytest.mark.parametrize("width", [5, 21])
def test_protein_matrices_keep_all_their_letters(tmp_path, name, width):
    values = counts(width, size=20)
    path = tmp_path / "motif.txt"
    path.write_text(PROTEIN[name](values))
    (motif,) = read_motifs(path).motifs
    assert motif.letters == AMINO
    np.testing.assert_allclose(motif.probabilities, probabilities(values), atol=2e-3)


@pytest.mark.parametrize("name", ["jaspar", "csv", "rows", "cisbp-rna"])
def test_rna_matrices_are_rna(tmp_path, name):
    values = counts(6)
    forms = {
        "jaspar": ">m\n" + labelled(values, "ACGU", "{} [ {} ]"),
        "csv": headed(values, "ACGU", ","),
        "rows": frame(values, "ACGU").T.to_csv(),
        "cisbp-rna": headed(probabilities(values), "ACGU", "\t", "Pos"),
    }
    path = tmp_path / "motif.txt"
    path.write_text(forms[name])
    (motif,) = read_motifs(path).motifs
    assert motif.letters == "ACGU"
    found = find_motifs(["GGGACGTACGTAACC"] * 3, path, shuffles=1)  # and searched in DNA
    assert len(found.collection.motifs) == 1


# Arrays


def test_arrays_of_either_orientation_are_the_same_logo(tmp_path):
    values = np.random.default_rng(0).normal(size=(50, 4))
    for name, array in (("l4", values), ("4l", values.T), ("1x4l", values.T[None])):
        np.save(tmp_path / f"{name}.npy", array)
        (drawn,) = read_drawables(tmp_path / f"{name}.npy", Reading())
        np.testing.assert_array_equal(drawn.heights, values)
    hot = np.eye(4)[np.random.default_rng(1).integers(0, 4, 20)] * np.random.default_rng(2).normal(
        size=(20, 1)
    )
    np.save(tmp_path / "attributions.npy", hot.T)  # (4, 20), but only one number a position: DNA
    (drawn,) = read_drawables(tmp_path / "attributions.npy", Reading())
    assert drawn.letters == "ACGT"
    np.testing.assert_array_equal(drawn.heights, hot)


def test_an_array_that_fits_both_ways_is_refused_until_the_alphabet_is_named(tmp_path):
    values = np.random.default_rng(0).normal(size=(4, 20))
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(InputError, match="both ways; say --alphabet dna for 20 positions"):
        read_drawables(tmp_path / "x.npy", Reading())
    (dna,) = read_drawables(tmp_path / "x.npy", Reading(alphabet="dna"))
    (protein,) = read_drawables(tmp_path / "x.npy", Reading(alphabet="protein"))
    np.testing.assert_array_equal(dna.heights, values.T)
    np.testing.assert_array_equal(protein.heights, values)
    np.save(tmp_path / "square.npy", values[:, :4])
    with pytest.raises(InputError, match="both ways; save it as CSV with the letters"):
        read_drawables(tmp_path / "square.npy", Reading(alphabet="dna"))


# What numbers are


@pytest.mark.parametrize(
    ("text", "kind", "note"),
    [
        ("A,C,G,T\n5,1,2,2\n0,9,1,0\n", "information", ""),
        ("A,C,G,T\n.5,.1,.2,.2\n0,.9,.1,0\n", "information", ""),
        ("A,C,G,T\n50.5,10.5,19,20\n0,99,.5,.5\n", "information", "percentages"),
        ("A,C,G,T\n5.5,1.5,2,1\n0,9,.5,.5\n", "information", ""),  # of different weight, but equal totals
        ("A,C,G,T\n5.5,1.5,2,1\n0,7,.5,.5\n", "weight", "drawn as it is"),
        ("A,C,G,T\n1.2,0,0,0.1\n0,1.9,0,0\n", "weight", "drawn as it is"),  # information in bits
        ("A,C,G,T\n1.2,-1,0,0.1\n-.3,1.9,0,0\n", "weight", "drawn as it is"),
        ("A,C,G,T\n5,0,0,0\n0,10,0,0\n0,0,0,0\n", "information", "no letter at position 3"),
    ],
)
def test_what_numbers_are_is_decided_by_them_and_said(tmp_path, cli, text, kind, note):
    path = tmp_path / "m.csv"
    path.write_text(text)
    done = cli("logo", path, "-o", tmp_path / "m.svg", "--json")
    found = json.loads(done.out)
    assert found["kind"] == kind
    assert note in " ".join(found["notes"])
    again = cli("logo", path, "-o", tmp_path / "m.svg", "--kind", "information")
    if "-" in text:
        assert "negative numbers" in again.err
    else:
        assert again.code == 0, again.err
        assert note == "" or "m: " in again.err


def test_log_odds_are_drawn_and_not_searched_with(tmp_path):
    values = np.log2(probabilities(counts(6)) + 0.01) + 2
    path = tmp_path / "m.pwm"
    path.write_text(">m\n" + rows(values, "{:.4f}", "\t"))
    (drawn,) = read_drawables(path, Reading())
    np.testing.assert_allclose(drawn.heights, values, atol=1e-4)
    with pytest.raises(InputError, match="negative numbers, so log-odds"):
        read_motifs(path)


# What is refused, with its name


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89HDF\r\n\x1a\n....", "modisco meme"),
        (b"PK\x03\x04....", "archive"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE MEME[]>\n<MEME version="5">', "XML of the MEME suite"),
        (b"<!DOCTYPE html>\n<html>", "HTML"),
        (b"HMMER3/f [3.3]\nNAME x\n", "HMMER"),
        (b'{"matrix_id": "MA1", "pfm": {}}', "JSON"),
        (b"\nLast position-specific scoring matrix computed\n", "PSI-BLAST"),
        (b"4 0 1 6\n2 9 0 1\n1 0 8 2\n3 1 1 2\n", "read both ways"),
        (b"5 0 1 4\n2 8 0 1\n1 0 8 2\n3 1 1 3\n", "read both ways"),
        (b",A,C,G,T\nA,5,1,1,1\nC,1,5,1,1\nG,1,1,5,1\nT,1,1,1,5\n", "both headed by ACGT"),
        (b"A,C,G,T\n0,1\n", ":2: the row has 2 fields, the header has 4"),
        (b"A,C,G,T\n1,2,,3\n", "column 'G' must be a number, got ''"),
        (b"A,C,G,T\n1,2,nan,3\n", "column 'G' must be finite"),
        (b"A,C,G,T\n1,2,x,3\n", "column 'G' must be a number, got 'x'"),
        (b"A;C;G;T\n0,25;0,25;0,25;0,25\n", "decimal comma"),
        (b"0,25 0,25 0,25 0,25\n0,25 0,25 0,25 0,25\n", "decimal comma"),
        (b"A,C,G,T\n", "header only"),
        (b"A 1 2\nC 3 4\nG 1 1\n", "no motif format"),
        (b">m\nA 1 2\nC 3 4\nG 1 1\n", "no motif format"),
        (b">m\n1 2 3\n4 5\n6 7 8\n1 1 1\n", ":3: the row has 2 numbers, those above have 3"),
        (b">m\n1 2 3\nwhat is this\n4 5 6\n6 7 8\n1 1 1\n", "must be a row of numbers"),
        (b">m\n1 2 3\n4 5 6\n7 8 9\n", "3 rows of 3 numbers have no side"),
        (b">a\n>b\n1 2 3\n4 5 6\n6 7 8\n1 1 1\n", ":1: this motif has no rows"),
        (b"MEME version 4\nMOTIF m\nlog-odds matrix: alength= 4 w= 1\n1 2 3 4\n", "log-odds matrix only"),
        (b"AC  M1\nXX\nP0 A C G T\n01 1 2 3\n//\n", ":4: a position must have 4 numbers"),
        (b"AC  M1\n//\nAC  M2\nP0 A C G T\n01 1 2 3 4\n//\n", ":1: this motif has no matrix"),
        (b"A,C,G,T\n0,0,0,0\n1,1,1,1\n", "position 1 has no letter"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, data, message):
    path = tmp_path / "m.txt"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_motifs(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "second", ["ALPHABET= ACGU", "ALPHABET= ACDEFGHIKLMNPQRSTVWY", 'ALPHABET "x"\nA\nB\nEND ALPHABET']
)
def test_an_alphabet_that_changes_between_motifs_is_refused_with_its_line(tmp_path, second):
    path = tmp_path / "m.meme"
    motif = "MOTIF {}\nletter-probability matrix: alength= 4 w= 1\n.25 .25 .25 .25\n"
    path.write_text(
        "MEME version 4\nALPHABET= ACGT\n" + motif.format("a") + second + "\n" + motif.format("b")
    )
    with pytest.raises(InputError, match=r"m.meme:\d+: the alphabet changes from ACGT"):
        read_motifs(path)
    path.write_text(
        "MEME version 4\nALPHABET= ACGT\n" + motif.format("a") + "ALPHABET= ACGT\n" + motif.format("b")
    )
    assert len(read_motifs(path).motifs) == 2  # two files, one after the other


@pytest.mark.parametrize(
    "text",
    [">a\nACGT\n>b\nACGA\n", "sequence,A,C\nACGT,1,2\n", "id,seq,A,C,G,T\na,ACGT,1,2,3,4\n",
     "kmer,n\nA,3\nC,4\n", ">a\n0110\n", "sequence\nACGT\n", "ID\tsequence\nx\tACGT\n"],
)  # fmt: skip
def test_sequences_are_no_matrix(tmp_path, text):
    path = tmp_path / "s.txt"
    path.write_text(text)
    with pytest.raises(InputError, match="no motif format"):
        read_motifs(path)


# Ids that occur twice


def test_motifs_of_one_id_are_searched_with_their_own_matrices(tmp_path):
    a, b = counts(8, seed=1, total=200), counts(8, seed=5, total=200)
    twice, once = tmp_path / "twice.txt", tmp_path / "once.txt"
    twice.write_text(f">p\n{rows(a)}\n>p\n{rows(b)}\n>p.2\n{rows(a[::-1])}\n")
    once.write_text(f">x\n{rows(a)}\n>y\n{rows(b)}\n>z\n{rows(a[::-1])}\n")
    rng = np.random.default_rng(0)
    site = "".join("ACGT"[i] for i in a.argmax(axis=1))
    texts = ["".join(rng.choice(list("ACGT"), 40)) + site for _ in range(60)]
    found = [find_motifs(texts, path, shuffles=2) for path in (twice, once)]
    assert [m.id for m in found[0].collection.motifs] == ["p", "p.3", "p.2"]
    assert "numbered" in found[0].text()
    numbers = [[(e.sequences_with, e.p_value, e.fit) for e in one.enrichment] for one in found]
    assert numbers[0] == numbers[1]


# Logos leave nothing out in silence


def drawn(tmp_path, cli, text, *words, name="s.fa"):
    path = tmp_path / name
    path.write_text(text)
    return cli("logo", path, "-o", tmp_path / "s.svg", "--json", *words)


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (">a\nGUUC\n>b\nGTTC\n", ["--alphabet", "rna"], "add --convert-ut"),
        (">a\nGATC\n>b\nGUUC\n", ["--alphabet", "dna"], "add --convert-ut"),
        (">a\nMKLV\n>b\nMKLW\n", ["--alphabet", "dna"], "name it with --alphabet protein"),
        (">a\nHPHP\n>b\nHPHQ\n", ["--alphabet", "letters:HP"], "correct it"),
        (">a\nACGTACGTACG1\n", [], "correct it"),
    ],
)
def test_letters_that_would_be_dropped_are_refused(tmp_path, cli, text, words, message):
    done = drawn(tmp_path, cli, text, *words)
    assert (done.code, message in done.err) == (1, True), done.err


@pytest.mark.parametrize(
    ("text", "words", "note"),
    [
        (">a\nSVDTPDLUREG\n>b\nSVDTPDLKREG\n", [], "U 1 times"),
        (">a\nACGTACGTACGN\n>b\nRCGTACGTACGT\n", [], "N 1 times, R 1 times"),
        (">a\nACG-\n>b\nAC.T\n", [], ""),
        (">a\nMKL*\n>b\nMKLV\n", ["--alphabet", "protein"], "* 1 times"),
    ],
)
def test_ambiguous_letters_are_left_out_with_a_word_and_gaps_without(tmp_path, cli, text, words, note):
    found = json.loads(drawn(tmp_path, cli, text, *words).out)
    assert bool(found["notes"]) == bool(note)
    assert note in " ".join(found["notes"])


@pytest.mark.parametrize("kind", ["information", "probability", "weight", "counts"])
def test_weights_draw_what_the_sequences_written_out_do(tmp_path, kind):
    """Gaps, small samples and every other option count a sequence of weight 3 three times."""
    table = "sequence,n\nAC-T,3\nACGT,2\nNC-T,1\nGCAT,4\n"
    (tmp_path / "w.csv").write_text(table)
    rows_ = [line.split(",") for line in table.split("\n")[1:-1]]
    (tmp_path / "w.fa").write_text("".join(f">s\n{s}\n" * int(n) for s, n in rows_))
    heights = []
    for name, weights in (("w.csv", "n"), ("w.fa", None)):
        things = read_drawables(tmp_path / name, Reading(weights=weights, kind=kind))
        heights.append(draw(things, Style(kind=kind, background="input")).specs[0].heights)
    np.testing.assert_allclose(heights[0], heights[1])


@pytest.mark.parametrize(
    ("text", "name", "words", "option"),
    [
        (">a\nACGT\n", "s.fa", ["--motif", "x"], "--motif"),
        ("A,C,G,T\n1,2,3,4\n", "m.csv", ["--id", "A"], "--id"),
        ("A,C,G,T\n1,2,3,4\n", "m.csv", ["--convert-ut"], "--convert-ut"),
        ("A,C,G,T\n1,2,3,4\n", "m.csv", ["--weights", "A"], "sequence"),
        ("A,C,G,T\n1,2,3,4\n", "m.csv", ["--alphabet", "protein"], "not over"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(tmp_path, cli, text, name, words, option):
    done = drawn(tmp_path, cli, text, *words, name=name)
    assert done.code in (1, 2)
    assert option in done.err


def test_the_table_of_attribute_is_drawn_as_its_own_logo_draws_it(tmp_path, cli):
    text = "id,position,letter,contribution,sd,A,C,G,T\na,1,A,0.5,0,0,1,1,1\na,2,N,,0,0,0,0,0\n"
    text += "a,3,T,-2,0,1,1,1,0\n"
    text += "b,1,C,1,0,1,0,1,1\nb,2,C,1,0,1,0,1,1\n"
    found = json.loads(drawn(tmp_path, cli, text, "--motif", "a", name="why.csv").out)
    assert (found["kind"], found["logos"], found["positions"]) == ("weight", ["a"], 3)
    (one,) = read_drawables(tmp_path / "why.csv", Reading(motifs=("a",)))
    np.testing.assert_array_equal(one.heights, [[0.5, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, -2]])
    assert len(json.loads(drawn(tmp_path, cli, text, name="why.csv").out)["logos"]) == 2
    with pytest.raises(InputError, match="table of seqdesign attribute"):
        read_motifs(tmp_path / "why.csv")


# From Python, and by name


def test_a_logo_is_drawn_of_whatever_a_notebook_has(tmp_path):
    values = counts(6)
    motif = Motif("m", "", "ACGT", probabilities(values), 40)
    same = [logo(frame(values, "ACGT")), logo(frame(values, "ACGT").T), logo(values), logo(motif)]
    assert len({one.consensus for one in same}) == 1
    np.testing.assert_allclose(same[0].specs[0].heights, same[3].specs[0].heights)
    one = logo(["TATAAT", "TATGAT", "TACAAT"], weights=[1, 1, 2], title="sites")
    assert one.consensus == ("TACAAT",)
    assert one._repr_svg_().startswith("<svg")
    assert one.write(tmp_path / "x.svg").read_text() == one.svg()
    for wrong, error in (
        ([], InputError),
        ([""], InputError),
        (frame(values, "ACGT").add_suffix("x"), InputError),
    ):
        with pytest.raises(error):
            logo(wrong)
    with pytest.raises(UsageError):
        logo(["ACGT"], from_=7)


def test_jaspar_names_the_bundled_collection_everywhere_and_it_is_said_whose_it_is(tmp_path, cli):
    assert len(open_motifs(JASPAR).motifs) == len(open_motifs(None).motifs) == 879
    (tmp_path / "s.fa").write_text(">a\nACGTACGTACGTACGTACGT\n")
    done = cli("motifs", tmp_path / "s.fa", "--motifs", "jaspar", "--shuffles", "1", "--quiet", "--json")
    assert "vertebrates" in json.loads(done.out)["notes"][0]
    found = json.loads(cli("logo", "jaspar", "--motif", "TBP", "-o", tmp_path / "t.svg", "--json").out)
    assert found["logos"][0].startswith("MA0108.3 TBP")


def test_biopython_reads_the_same_where_it_reads_a_format(tmp_path):
    from Bio import motifs as bio

    for name, form in (("jaspar", "jaspar"), ("transfac", "transfac"), ("cluster-buster", "clusterbuster")):
        text = DNA[name](counts(7))
        (tmp_path / "m").write_text(text)
        (reference,) = bio.parse(io.StringIO(text), form)
        (motif,) = read_motifs(tmp_path / "m").motifs
        for i, letter in enumerate("ACGT"):
            np.testing.assert_allclose(motif.probabilities[:, i], reference.counts.normalize()[letter])
