"""Barcodes survive one error, wells and primers are right, GenBank is read back."""

from __future__ import annotations

import io
import itertools

import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from rapidfuzz.distance import Levenshtein

from seqdesign.errors import InputError
from seqdesign.ordering.barcodes import barcodes
from seqdesign.ordering.files import genbank
from seqdesign.ordering.order import constructs, plain_names, warnings_of
from seqdesign.ordering.plates import wells
from seqdesign.ordering.primers import melting_temperature, primers

INSERTS = ["ACGTTGCATGCAAGCTTGACCTGAAGGTCTCATTG", "TTGCATGCATTGCCATAGGCATTACGGATCAGGAC"]


def one_error(word):
    """All words one substitution, insertion or deletion away."""
    for i in range(len(word) + 1):
        yield from (word[:i] + base + word[i:] for base in "ACGT")
        if i < len(word):
            yield word[:i] + word[i + 1 :]
            yield from (word[:i] + base + word[i + 1 :] for base in "ACGT")


def test_a_barcode_with_one_error_is_no_other_whatever_stands_beside_it():
    found = barcodes(24, 9, avoid=INSERTS, seed=1)
    assert len(set(found)) == 24
    reads = {}
    for word in found:
        assert 0.4 <= sum(base in "GC" for base in word) / 9 <= 0.6
        assert not any(base * 3 in word for base in "ACGT")
        turned = str(Seq(word).reverse_complement())
        assert not any(form in text for text in INSERTS for form in (word, turned))
        # In a construct, the place of the barcode is found from its left or from its right end.
        for form, left, right in itertools.product((word, turned), "ACGT", "ACGT"):
            for wrong in one_error(form):
                for read in ((wrong + right)[:9], (left + wrong)[-9:]):
                    assert reads.setdefault(read, form) == form
    assert min(Levenshtein.distance(a, b) for a, b in itertools.combinations(found, 2)) >= 3


def test_substitutions_allow_more_barcodes_and_too_many_are_refused():
    by_edits = barcodes(6, 7, errors="edits")
    by_substitutions = barcodes(10, 6, errors="substitutions")
    pairs = itertools.combinations(by_substitutions, 2)
    assert all(sum(x != y for x, y in zip(a, b, strict=True)) >= 3 for a, b in pairs)
    assert len(by_edits) == 6
    with pytest.raises(InputError, match=r"barcodes of 6 bases survive one error \(edits\), 500 are needed"):
        barcodes(500, 6)


def test_barcodes_avoid_words():
    assert not any("GAC" in word or "GTC" in word for word in barcodes(12, 9, forbidden=["GAC", "GTC"]))


def test_plates_are_filled_along_rows_or_columns():
    assert [w.name for w in wells(13, 96)][-2:] == ["A12", "B01"]
    assert [w.name for w in wells(9, 96, "columns")][-2:] == ["H01", "A02"]
    assert wells(2, 96, first=95) == [(1, "H12"), (2, "A01")]
    assert wells(384, 384)[-1] == (1, "P24")


def test_primers_reach_their_temperature_and_amplify_the_whole():
    dna = INSERTS[0] + INSERTS[1]
    forward, reverse = primers(dna, 58)
    assert dna.startswith(forward.sequence)
    assert str(Seq(dna).reverse_complement()).startswith(reverse.sequence)
    for one in (forward, reverse):
        assert one.tm >= 58
        assert one.sequence[-1] in "GC"
        assert one.tm == pytest.approx(melting_temperature(one.sequence))
    with pytest.raises(InputError, match="at least 18 bases"):
        primers("ACGT")


def made(**options):
    return constructs(["a b", "a,b"], INSERTS, ["design", "parent"], **options)


def test_a_construct_is_the_sum_of_its_parts():
    found = made(left="AAACCC", right="GGGTTT", barcode_length=8, barcode_first=True, with_primers=True)
    assert [one.name for one in found] == ["a_b", "a_b_2"]
    for one, text in zip(found, INSERTS, strict=True):
        assert one.sequence == f"AAACCC{one.barcode}{text}GGGTTT"
        assert one.row()["length"] == len(one.sequence)
    assert found[0].vendor_row("plate") == {
        "Plate": 1, "Well Position": "A01", "Name": "a_b", "Sequence": found[0].sequence
    }  # fmt: skip
    assert made(prefix="run")[1].name == "run_002"
    assert made()[0].sequence == INSERTS[0]
    assert constructs(["r"], ["ACGU"], ["design"])[0].sequence == "ACGT"
    with pytest.raises(InputError, match="record 'p': an order is made of A, C, G and T, got 'M'"):
        constructs(["p"], ["MKL"], ["design"])


def test_sites_are_found_on_both_strands_and_names_are_plain():
    assert warnings_of(made(), {"BsaI": "GGTCTC"}) == ["BsaI (GGTCTC) is in 1 constructs, such as a_b"]
    assert warnings_of(made(), {"BsaI": "GAGACC"}) == ["BsaI (GAGACC) is in 1 constructs, such as a_b"]
    assert plain_names(["1x", "µ", "D1X"]) == ["d1x", "design", "D1X_2"]
    assert len(plain_names(["x" * 99])[0]) == 40


def test_genbank_is_read_back_with_its_parts():
    found = made(left="AAACCC", barcode_length=8, with_primers=True)
    records = list(SeqIO.parse(io.StringIO(genbank(found).decode()), "genbank"))
    assert [str(record.seq) for record in records] == [one.sequence for one in found]
    parts = {f.qualifiers["label"][0]: str(f.extract(records[0].seq)) for f in records[0].features}
    assert parts == {
        "left flank": "AAACCC", "a b": INSERTS[0], "barcode": found[0].barcode,
        "forward primer": found[0].forward, "reverse primer": found[0].reverse,
    }  # fmt: skip
