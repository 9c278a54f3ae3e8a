"""Promises of reading sequences with outcomes."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.options import LetterOptions, ReadOptions, alphabet_with, encode_with, read_with
from seqdesign.sequences.reader import SequenceSet, read_sequences, stream_sequences
from seqdesign.sequences.tables import write_table

FASTA = b">a outcome=1.5\nACGT\n>b outcome=-2 x=3\nGGA\n"
CSV = b"id,sequence,outcome,x\na,ACGT,1.5,\nb,GGA,-2,3\n"


def read(data: bytes, **options: object) -> SequenceSet:
    return read_sequences(io.BytesIO(data), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data", [FASTA, CSV, CSV.replace(b",", b"\t"), gzip.compress(CSV)], ids=["FASTA", "CSV", "TSV", "gz"]
)
def test_every_format_gives_the_same_records(data: bytes) -> None:
    found = read(data)
    assert (found.ids, found.sequences) == (["a", "b"], ["ACGT", "GGA"])
    assert found.outcomes is not None
    assert found.outcomes.tolist() == [1.5, -2]
    assert found.lines is not None
    assert found.lines.tolist() == ([1, 3] if data == FASTA else [2, 3])


def test_parquet_gives_the_same_records(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    write_table({"id": ["a"], "sequence": ["ACGT"], "outcome": [1.5]}, tmp_path / "x.parquet")
    found = read_sequences(tmp_path / "x.parquet")
    assert (found.ids, found.sequences, found.outcomes) == (["a"], ["ACGT"], np.array([1.5]))


def test_the_content_decides_over_the_name(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(gzip.compress(FASTA))
    assert read_sequences(path).ids == ["a", "b"]
    path = tmp_path / "x.fa"
    path.write_bytes(CSV)
    with pytest.raises(InputError, match="must begin with '>'"):
        read_sequences(path)
    assert read_sequences(path, format="table").ids == ["a", "b"]


@pytest.mark.parametrize("column", ["Sequence", "SEQUENCE", "Seq", "SEQ"])
def test_a_column_of_sequences_in_capitals_is_found(column: str) -> None:
    assert read(f"Clone,{column}\nx,ACGT\n".encode()).sequences == ["ACGT"]
    both = f"sequence,{column}\nGG,ACGT\n".encode()
    assert read(both).sequences == ["GG"]


def test_columns_and_keys_can_be_named() -> None:
    data = b"name,dna,kd,n\nx,ACGT,3,2\ny,GG,4,5\n"
    found = read(data, sequence_column="dna", outcome="kd", id_column="n", weight_column="n")
    assert (found.ids, found.sequences) == (["2", "5"], ["ACGT", "GG"])
    assert found.outcomes is not None
    assert found.weights is not None
    assert (found.outcomes.tolist(), found.weights.tolist()) == ([3, 4], [2, 5])
    with_key = read(b">a kd=2\nA\n>b kd=3\nC\n", outcome="kd")
    assert with_key.outcomes is not None
    assert with_key.outcomes.tolist() == [2, 3]


def test_records_without_any_outcome_are_unlabelled_unless_one_was_asked_for() -> None:
    assert read(b">a\nA\n").outcomes is None
    assert read(b"sequence\nA\n").outcomes is None
    assert read(b"seq,outcome\nA,\nC,NA\n").outcomes is None
    with pytest.raises(InputError, match="kd=NUMBER"):
        read(b">a\nA\n", outcome="kd")
    with pytest.raises(InputError, match="no column 'kd'"):
        read(b"sequence,outcome\nA,1\n", outcome="kd")


@pytest.mark.parametrize("cell", ["", "nan", "NA", "inf", "-inf", "null", "1e999"])
def test_a_missing_or_infinite_outcome_follows_the_policy(cell: str) -> None:
    data = f"sequence,outcome\nA,1\nC,{cell}\nG,3\n".encode()
    with pytest.raises(InputError, match=r":3: record 'seq2': 'outcome' is missing or not finite .* 1 of 3"):
        read(data)
    dropped = read(data, on_missing="drop")
    assert (dropped.ids, dropped.n_dropped) == (["seq1", "seq3"], 1)
    kept = read(data, on_missing="unlabelled")
    assert kept.outcomes is not None
    assert np.isnan(kept.outcomes).tolist() == [False, True, False]


def test_a_fasta_with_some_outcomes_follows_the_policy_too() -> None:
    data = b">a outcome=1\nA\n>b\nC\n"
    with pytest.raises(InputError, match=r":3: record 'b'"):
        read(data)
    assert read(data, on_missing="drop").ids == ["a"]
    with pytest.raises(InputError, match="no record is left"):
        read(b"sequence,outcome\nA,\n", on_missing="drop", outcome="outcome")


def test_extreme_but_finite_outcomes_are_kept_exactly() -> None:
    found = read(b"sequence,outcome\nA,1e308\nC,5e-324\nG,-0.0\nT, 7 \n")
    assert found.outcomes is not None
    assert found.outcomes.tolist() == [1e308, 5e-324, 0.0, 7.0]


def test_duplicate_ids_of_tables_follow_the_policy() -> None:
    data = b"id,sequence\na,A\na,C\n"
    with pytest.raises(InputError, match=r":3: record 'a': the id was used before, in line 2"):
        read(data)
    assert read(data, on_duplicate="rename").ids == ["a", "a.2"]
    first = read(data, on_duplicate="first")
    assert (first.sequences, first.n_dropped) == (["A"], 1)


def test_a_column_option_with_fasta_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no columns"):
        read(FASTA, id_column="id")


@pytest.mark.parametrize("data", [FASTA, CSV], ids=["FASTA", "CSV"])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_stream_gives_the_same_records_in_batches(data: bytes, size: int) -> None:
    whole = read(data)
    parts = list(stream_sequences(io.BytesIO(data), size))
    assert max(map(len, parts)) <= size
    assert [i for p in parts for i in p.ids] == whole.ids
    assert [s for p in parts for s in p.sequences] == whole.sequences
    assert [o for p in parts if p.outcomes is not None for o in p.outcomes] == list(whole.outcomes)  # type: ignore[arg-type]
    assert [n for p in parts if p.lines is not None for n in p.lines] == list(whole.lines)  # type: ignore[arg-type]


def test_records_without_ids_are_numbered_across_batches() -> None:
    data = b"sequence\n" + b"A\n" * 5
    assert [i for p in stream_sequences(io.BytesIO(data), 2) for i in p.ids] == [
        f"seq{i}" for i in range(1, 6)
    ]


def test_taking_records_keeps_everything_together() -> None:
    part = read(CSV, weight_column="outcome").take([1])
    assert (part.ids, part.sequences, len(part)) == (["b"], ["GGA"], 1)
    assert part.outcomes is not None
    assert part.weights is not None
    assert (part.outcomes.tolist(), part.weights.tolist()) == ([-2], [-2])
    with pytest.raises(ValueError, match="sequences must have 1"):
        SequenceSet(["a"], [])


def test_options_read_and_encode_as_they_say(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"name,dna,kd\nx,AC-GU,3\nx,NN,\n")
    records = read_with(
        ReadOptions(sequence="dna", outcome="kd", id_="name", on_duplicate="rename", on_missing="unlabelled"),
        path,
    )
    assert records.ids == ["x", "x.2"]
    letters = LetterOptions(alphabet="dna", on_unknown="mask", gaps="strip", convert_ut=True)
    encoded = encode_with(letters, records, alphabet_with(letters, records.sequences))
    assert encoded.tokens.tolist() == [[0, 1, 2, 3], [6, 6, 7, 7]]
    assert alphabet_with(LetterOptions(), ["MKV"]).name == "protein"


def test_a_column_of_numbers_is_named_where_there_is_no_outcome(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("sequence,plate,MIC (uM)\nACGT,A1,2\nACGA,A2,4\n")
    with pytest.raises(InputError, match=r"no column 'outcome'; --outcome 'MIC \(uM\)' may be meant"):
        read_sequences(path, columns=("outcome",))
    with pytest.raises(InputError, match=r"did you mean 'MIC \(uM\)'\?"):
        read_sequences(path, outcome="mic")
    path.write_text(">a mic=2\nACGT\n")
    with pytest.raises(InputError, match=r"no header has outcome=VALUE; write >id outcome=1.25, or name"):
        read_sequences(path, columns=("outcome",))
