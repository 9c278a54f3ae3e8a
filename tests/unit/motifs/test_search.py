"""Promises of motif search from Python: any block size gives the same, and memory grows with the letters."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from seqdesign.errors import InputError, UsageError
from seqdesign.motifs import encoded, scan
from seqdesign.motifs.files import bundled_motifs
from seqdesign.motifs.motif import Motif
from seqdesign.motifs.search import find_motifs
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.reader import SequenceSet


@pytest.fixture(scope="module")
def some():
    return bundled_motifs().motifs[::60]


def random_texts(num, low=30, high=80, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), rng.integers(low, high))) for _ in range(num)]


def planted(texts, motif):
    return [t[:10] + motif.consensus + t[10:] if i % 2 else t for i, t in enumerate(texts)]


def everything(found):
    return found.to_dict(), list(found.hit_rows()), list(found.change_rows())


def test_blocks_of_any_size_give_the_same(some, monkeypatch):
    parents = random_texts(40)
    ids = [f"s{i}" for i in range(40)]
    children = SequenceSet(ids, planted(parents, some[3]))
    options = {"parents": SequenceSet(ids, parents), "p_value": 1e-3, "shuffles": 2, "denovo": 1}
    twin = Motif("twin", "", "ACGT", (some[3].probabilities + 0.02) / 1.08)  # so that fits are compared
    motifs = [*some[::3], twin]
    whole = everything(find_motifs(children, motifs, **options))
    assert any(row["fit"] is not None for row in whole[0]["enrichment"])
    assert whole[1]
    assert whole[2]
    for letters, sequences in ((900, 1000), (10**6, 7)):
        monkeypatch.setattr(scan, "BLOCK_LETTERS", letters)
        monkeypatch.setattr(scan, "BLOCK_SEQUENCES", sequences)
        assert everything(find_motifs(children, motifs, **options)) == whole


def test_memory_grows_by_little_more_than_the_letters(some, monkeypatch):
    """Sequences and five shuffles are six bytes a letter; one index of all took 9 for each of them."""
    monkeypatch.setattr(scan, "BLOCK_LETTERS", 20_000)
    monkeypatch.setattr(encoded, "_ROWS", 200)
    peaks = []
    for num in (500, 1500):
        texts = random_texts(num, 100, 101)
        tracemalloc.start()
        find_motifs(texts, some[:3])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 1000 < 12 * 100


def test_one_long_sequence_does_not_widen_all_others():
    texts = random_texts(2000, 50, 51) + random_texts(1, 100_000, 100_001)
    records = SequenceSet([f"s{i}" for i in range(len(texts))], texts)
    tracemalloc.start()
    found = encoded.encode_records(records, get_alphabet("dna"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.text.lengths.tolist() == list(map(len, texts))
    assert peak < 10_000_000  # 200 MB, if all were padded to one length


def test_records_motifs_and_background_may_be_given_in_any_form(some, tmp_path):
    texts = planted(random_texts(40), some[0])
    (tmp_path / "s.fa").write_text("".join(f">seq{i + 1}\n{t}\n" for i, t in enumerate(texts)))
    by_text = find_motifs(texts, some, background=random_texts(40, seed=1))
    by_file = find_motifs(tmp_path / "s.fa", list(some), background=random_texts(40, seed=1))
    assert by_text.to_frame().equals(by_file.to_frame())
    assert by_text.enrichment[0].motif_id == some[0].id
    path = by_text.write(tmp_path / "hits.csv")
    assert path.read_text().startswith("id,motif_id")
    assert some[0].id in by_text.text()


def test_matches_are_read_along_the_motif():
    motif = Motif("m", "", "ACGT", np.eye(4)[[0, 0, 2, 1, 3, 1]])  # AAGCTC
    found = find_motifs(["CCAAGCTCCC", "GGGAGCTTGG"], [motif], p_value=0.001, shuffles=1).to_frame()
    assert found[["id", "start", "strand", "match"]].to_numpy().tolist() == [
        ["seq1", 3, "+", "AAGCTC"],
        ["seq2", 3, "-", "AAGCTC"],
    ]


def test_motifs_of_one_id_are_told_apart(some):
    twins = [Motif("x", "", "ACGT", m.probabilities, m.sites) for m in some[:2]]
    found = find_motifs(random_texts(20), twins, shuffles=1)
    assert [m.id for m in found.collection.motifs] == ["x", "x.2"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"records": []}, InputError, "at least one"),
        ({"records": ["ACGT", ""]}, InputError, "at least one letter"),
        ({"motifs": []}, InputError, "no motif"),
        ({"p_value": 0}, UsageError, "p_value"),
        ({"shuffles": 0}, UsageError, "shuffles"),
        ({"alphabet": "protein", "strands": "both"}, UsageError, "both needs dna or rna"),
        ({"alphabet": "protein"}, UsageError, "motifs are over ACGT"),
        ({"parents": SequenceSet(["other"], ["ACGT"])}, InputError, "no parent"),
        ({"records": ["ACGTN"]}, InputError, "'N'"),
    ],
)
def test_what_does_not_fit_is_refused(some, arguments, error, message):
    given = {"records": ["ACGTACGTACGTAA"], "motifs": some, **arguments}
    with pytest.raises(error) as caught:
        find_motifs(given.pop("records"), given.pop("motifs"), **given)
    assert message in str(caught.value)
