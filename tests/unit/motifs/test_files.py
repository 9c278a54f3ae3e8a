"""Promises of motif files: three formats, round trips, errors that say where."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from Bio import motifs as bio

from seqdesign.errors import InputError
from seqdesign.motifs.files import bundled_motifs, read_motifs, write_meme
from seqdesign.motifs.motif import Motif
from seqdesign.sequences.bundled import dataset_info

MEME = """MEME version 4

ALPHABET= ACGT

MOTIF M1 first
letter-probability matrix: alength= 4 w= 2 nsites= 30 E= 0
0.5 0.25 0.25 0
0 0 0 1

MOTIF M2
letter-probability matrix:
0.1 0.2 0.3 0.4
"""
JASPAR = """>MA1 one
A  [ 1 0 3 ]
C  [ 1 0 3 ]
G  [ 0 4 3 ]
T  [ 2 0 3 ]
>MA2 two
1 0
1 0
0 4
2 0
"""
TRANSFAC = """ID  thing
BF  none
P0      A      C      G      T
01      1      2      2      0      S
02      2      1      2      0      R
XX
//
"""


def written(tmp_path, text, name="motifs.txt"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_meme_is_read_without_its_optional_lines(tmp_path):
    first, second = read_motifs(written(tmp_path, MEME)).motifs
    assert (first.id, first.name, first.sites, first.consensus) == ("M1", "first", 30, "AT")
    assert (second.id, second.sites, second.width) == ("M2", 20, 1)
    assert first.label == "M1 first"
    assert second.label == "M2"


def test_jaspar_is_read_with_and_without_brackets(tmp_path):
    first, second = read_motifs(written(tmp_path, JASPAR)).motifs
    np.testing.assert_allclose(first.probabilities[:, 0], [0.25, 0, 0.25])
    assert (first.id, first.name, first.sites, second.consensus) == ("MA1", "one", 12, "TG")


def test_transfac_is_read(tmp_path):
    (motif,) = read_motifs(written(tmp_path, TRANSFAC)).motifs
    np.testing.assert_allclose(motif.probabilities, [[0.2, 0.4, 0.4, 0], [0.4, 0.2, 0.4, 0]])


def test_what_is_written_is_read_back_and_biopython_reads_it_too(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "new.meme.gz"
    write_meme([Motif("a", "b", "ACGT", rng.dirichlet(np.ones(4), 5), 1e6)], path)
    (motif,) = read_motifs(path).motifs
    text = gzip.decompress(path.read_bytes()).decode()
    text = text.replace("MOTIF", "Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n\nMOTIF")
    (reference,) = bio.parse(io.StringIO(text), "minimal")
    np.testing.assert_allclose(motif.probabilities[:, 2], reference.counts.normalize()["G"], atol=2e-6)
    assert (motif.id, motif.sites) == ("a", 1e6)


def test_the_bundled_collection_is_complete_and_says_its_release():
    collection = bundled_motifs()
    info = dataset_info("jaspar2024_core_vertebrates")
    assert len(collection.motifs) == info.rows
    assert "JASPAR 2024" in collection.title
    widths = [m.width for m in collection.motifs]
    assert (min(widths), max(widths)) == (info.min_length, info.max_length)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\n", "no motif format"),
        ("", "no motif format"),
        ("MEME version 4\n", "no motif in it"),
        (MEME.replace("0 0 0 1", "0 0 1"), ":8: a row must have 4 probabilities"),
        (MEME.replace("0 0 0 1", "0 0 0 2"), ":8: the probabilities of a row must sum to 1, got 2"),
        (MEME.replace("0 0 0 1", "0 0 0 1x"), ":8: must be 4 numbers"),
        (MEME.replace("w= 2", "w= 3"), ":5: motif M1 must have 3 rows of probabilities, got 2"),
        (JASPAR.rpartition("2 0")[0], ":6: 3 rows of 2 numbers have no side with the letters"),
        (JASPAR.replace("[ 1 0 3 ]", "[ 1 0 ]", 1), ":3: the row has 3 numbers, those above have 2"),
    ],
)
def test_a_damaged_file_is_refused_with_its_place(tmp_path, text, message):
    with pytest.raises(InputError) as caught:
        read_motifs(written(tmp_path, text))
    assert message in str(caught.value)
