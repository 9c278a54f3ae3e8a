"""Promises of the FASTQ reader."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from seqdesign.errors import InputError
from seqdesign.sequences import fasta_blocks
from seqdesign.sequences.fasta import Record, read_fasta
from seqdesign.sequences.reader import read_sequences

READS = b"@a 1:N:0:ACGT,x\nACGT\n+\n@@@@\n@b\nGGA\n+b\n+II\n@c two words\nT\n+\n>\n"
FOUND = [Record("a", "1:N:0:ACGT,x", "ACGT", 1), Record("b", "", "GGA", 5), Record("c", "two words", "T", 9)]


def read(data: bytes) -> list[Record]:
    return list(read_fasta(io.BytesIO(data)))


@pytest.mark.parametrize(
    "data",
    [READS, READS.replace(b"\n", b"\r\n"), READS.rstrip(b"\n"), READS + b"\n\n", gzip.compress(READS)],
    ids=["plain", "CRLF", "no last newline", "blank lines at the end", "gzip"],
)
@pytest.mark.parametrize("block", [1, 7, 1 << 17])
def test_reads_are_records_whatever_the_qualities_begin_with(
    data: bytes, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fasta_blocks, "_BLOCK", block)
    name = "x.fastq" if block < len(READS) else "x"  # in little text the suffix tells
    handle = io.BytesIO(data)
    handle.name = name
    assert list(read_fasta(handle)) == FOUND


@pytest.mark.parametrize("name", ["reads.fq", "reads.txt", "reads.fastq.gz"])
def test_a_file_of_reads_is_read_where_sequences_are(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(READS) if name.endswith(".gz") else READS)
    records = read_sequences(path)
    assert (records.ids, records.sequences, records.line_numbers()) == (
        ["a", "b", "c"],
        ["ACGT", "GGA", "T"],
        [1, 5, 9],
    )


def test_a_read_longer_than_what_is_looked_at_first(tmp_path: Path) -> None:
    path = tmp_path / "long.fastq"
    path.write_bytes(b"@a\n" + b"ACGT" * 5000 + b"\n+\n" + b"IIII" * 5000 + b"\n")
    assert read_sequences(path).sequences == ["ACGT" * 5000]


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (READS.replace(b"+II", b"+I"), 5, "record 'b': 3 letters have 2 qualities"),
        (READS.replace(b"@b", b"b"), 5, "does not begin with '@'"),
        (READS.replace(b"@b", b"@ "), 5, "no id"),
        (READS.replace(b"+b", b"b"), 5, "record 'b': .*four lines"),
        (READS[: READS.index(b"+b")], 5, "record 'b': .*four lines"),
        (READS.replace(b"GGA", b"").replace(b"+II", b""), 5, "record 'b': the record has no sequence"),
        (b"@a\nACGT\n", 1, "third line"),
    ],
)
def test_a_damaged_record_is_refused_with_its_line(data: bytes, line: int, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read(data)
    assert error.value.line == line


def test_a_sam_file_is_no_fastq(tmp_path: Path) -> None:
    path = tmp_path / "x.sam"
    path.write_text("@HD\tVN:1.6\n@SQ\tSN:a\tLN:9\n@PG\tID:x\nr1\t0\ta\t1\n")
    with pytest.raises(InputError, match=r"^(?!.*FASTQ)"):
        read_sequences(path)
