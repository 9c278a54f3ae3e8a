"""Promises of the FASTA readers and writer."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdesign.errors import InputError, OutputError, SeqDesignError
from seqdesign.sequences import fasta_blocks
from seqdesign.sequences.alphabets import ALPHABETS
from seqdesign.sequences.compression import compression_of, open_input, open_output
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.fasta import (
    Record,
    format_fields,
    header_fields,
    read_fasta,
    read_fasta_tokens,
    write_fasta,
)

DNA = ALPHABETS["dna"]
CLEAN = b">a one=1\nACGT\n>b\nGGA\n>c two words\nT\n"
IDS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0 \t\n\r\v\f"), min_size=1, max_size=8
)
LINES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\n\r"), max_size=20)


def read(data: bytes, **options: object) -> list[Record]:
    return list(read_fasta(io.BytesIO(data), **options))  # type: ignore[arg-type]


def plain(records: list[Record]) -> list[tuple[str, str, str]]:
    return [(r.id, r.description, r.sequence) for r in records]


def test_records_have_id_description_sequence_and_line() -> None:
    assert read(CLEAN) == [
        Record("a", "one=1", "ACGT", 1),
        Record("b", "", "GGA", 3),
        Record("c", "two words", "T", 5),
    ]


@pytest.mark.parametrize(
    "data",
    [
        CLEAN.replace(b"\n", b"\r\n"),
        CLEAN.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + CLEAN,
        CLEAN.rstrip(b"\n"),
        b"\n\n" + CLEAN.replace(b">b", b"\n\n>b") + b"\n\n",
        CLEAN.replace(b"ACGT", b"AC\nG\n T \t"),
        gzip.compress(CLEAN),
        gzip.compress(CLEAN[:20]) + gzip.compress(CLEAN[20:]),
        bz2.compress(CLEAN),
        lzma.compress(CLEAN),
    ],
    ids=["CRLF", "CR", "BOM", "no last newline", "blank lines", "wrapped", "gz", "gz members", "bz2", "xz"],
)
@pytest.mark.parametrize("block", [3, 4, 7, 1 << 20])
def test_layout_changes_nothing(data: bytes, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fasta_blocks, "_BLOCK", block)
    assert plain(read(data)) == plain(read(CLEAN))
    ids, tokens = read_fasta_tokens(io.BytesIO(data), DNA)
    assert (ids, decode(tokens.tokens, DNA)) == (["a", "b", "c"], ["ACGT", "GGA", "T"])


def test_biopython_reads_the_same(tmp_path: Path) -> None:
    from Bio import SeqIO

    path = tmp_path / "x.fa"
    path.write_bytes(b">a one=1\nAC\nGT\n\n>b\nGGA\n>c two words\nT")
    with path.open() as handle:
        expected = [(r.id, str(r.seq)) for r in SeqIO.parse(handle, "fasta")]
    assert [(r.id, r.sequence) for r in read_fasta(path)] == expected


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(IDS, LINES.map(lambda s: s.strip(" \t\v\f")), st.text("ACacgt-*N", min_size=1, max_size=9)),
        min_size=1, max_size=8, unique_by=lambda r: r[0],
    ),
    st.integers(0, 9),
)  # fmt: skip
def test_what_is_written_is_read_back(rows: list[tuple[str, str, str]], width: int) -> None:
    handle = io.BytesIO()
    assert write_fasta([Record(*row) for row in rows], handle, width) == len(rows)
    assert plain(read(handle.getvalue())) == rows


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from([b">", b"a", b"b x=1", b"ACGT", b"\n", b"\r", b" ", b"\0", b"\xff", b"@", b"N"]),
        max_size=14,
    )
)
def test_any_bytes_give_records_or_an_input_error_and_both_readers_agree(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    try:
        records = read(data)
        expected = encode([r.sequence for r in records], DNA, on_unknown="skip")
    except InputError as error:
        with pytest.raises(InputError) as same:
            read_fasta_tokens(io.BytesIO(data), DNA, on_unknown="skip")
        assert str(same.value) == str(error)
        return
    assert records
    ids, tokens = read_fasta_tokens(io.BytesIO(data), DNA, on_unknown="skip")
    assert ids == [records[i].id for i in expected.kept]
    assert decode(tokens.tokens, DNA) == decode(expected.tokens, DNA)


def test_the_two_line_and_the_general_way_agree_on_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(b">r%d x=%d\nACGT\n" % (i, i) for i in range(500))
    fast = read(data)
    monkeypatch.setattr(fasta_blocks, "_two_line_block", lambda text, line: None)
    assert read(data) == fast
    assert fast[-1].line == 999


@given(
    st.dictionaries(
        st.text("abcXYZ_-.é", min_size=1),
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r")),
    )
)
def test_header_fields_round_trip(fields: dict[str, str]) -> None:
    assert header_fields(format_fields(fields)) == fields


def test_header_fields_stand_among_other_words() -> None:
    text = 'made by me outcome=1.5 note="a \\"b\\" c" x= =3 url=a=b'
    assert header_fields(text) == {"outcome": "1.5", "note": 'a "b" c', "x": "", "url": "a=b"}
    assert format_fields({"delta": 0.123456789, "n": 3}) == "delta=0.123457 n=3"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"a b": "1"}, "a_b=1"),
        ({"": "1"}, "_=1"),
        ({"a": "1\n>b"}, 'a="1 >b"'),
        ({"a=": "1"}, "a_=1"),
    ],
)
def test_a_field_that_could_not_be_read_back_is_made_fit(fields: dict[str, str], text: str) -> None:
    assert format_fields(fields) == text


@pytest.mark.parametrize(
    "record",
    [
        Record("", "", "A"),
        Record("a", "", ""),
        Record("a", "x\n>b", "A"),
        Record("a", "", "A\n>b"),
    ],
)
def test_a_record_that_could_not_be_read_back_is_refused(record: Record) -> None:
    with pytest.raises(ValueError, match="FASTA record"):
        write_fasta([record], io.BytesIO())


def test_repeated_ids_follow_the_policy() -> None:
    data = b">a\nAC\n>a\nGG\n>a.2\nTT\n>a\nCC\n"
    with pytest.raises(InputError, match=r"3: record 'a': the id was used before, in line 1"):
        read(data)
    assert [(r.id, r.sequence) for r in read(data, on_duplicate="first")] == [("a", "AC"), ("a.2", "TT")]
    renamed = [(r.id, r.sequence) for r in read(data, on_duplicate="rename")]
    assert renamed == [("a", "AC"), ("a.3", "GG"), ("a.2", "TT"), ("a.4", "CC")]
    assert [r.id for r in read(data, on_duplicate="keep")] == ["a", "a", "a.2", "a"]
    ids, tokens = read_fasta_tokens(io.BytesIO(data), DNA, on_duplicate="first")
    assert (ids, decode(tokens.tokens, DNA)) == (["a", "a.2"], ["AC", "TT"])


def test_a_record_longer_than_the_cap_is_refused_without_reading_on() -> None:
    data = b">a\n" + b"ACGT" * 1_000_000
    with pytest.raises(InputError, match="longer than 1,000 characters"):
        read(data, max_record=1000)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_a_truncated_archive_is_an_error_at_every_point(tmp_path: Path, compress: object) -> None:
    rng = np.random.default_rng(0)
    letters = "".join(rng.choice(list("ACGT"), 4000))
    data = compress(f">a\n{letters}\n".encode())  # type: ignore[operator]
    path = tmp_path / "x.fa.gz"
    for k in range(1, 50):
        path.write_bytes(data[: len(data) * k // 50])
        with pytest.raises(InputError) as error:
            list(read_fasta(path))
        assert error.value.path == str(path)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_a_flipped_byte_in_an_archive_is_an_error_or_changes_nothing(compress: object) -> None:
    data = compress(CLEAN)  # type: ignore[operator]
    n_errors = 0
    for i in range(len(data)):
        damaged = data[:i] + bytes([data[i] ^ 0xFF]) + data[i + 1 :]
        try:
            assert plain(read(damaged)) == plain(read(CLEAN)), f"byte {i} changed the content"
        except SeqDesignError:
            n_errors += 1
    assert n_errors > len(data) // 2


def test_zstandard_round_trips_and_notices_truncation(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "x.fa.zst"
    with open_output(path) as handle:
        handle.write(CLEAN)
    data = path.read_bytes()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(data) == CLEAN
    assert plain(read(data)) == plain(read(CLEAN))
    more = data + zstandard.compress(b">d\n" + b"ACGT" * 600_000)
    assert [len(r.sequence) for r in read(more)] == [4, 3, 1, 2_400_000]
    for n in range(5, len(data)):
        with pytest.raises(InputError, match="damaged or truncated zstandard"):
            read(data[:n])


def test_zstandard_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from seqdesign.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"seqdesign\[zst\]"):
        read(b"\x28\xb5\x2f\xfd" + b"\0" * 20)


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
def test_output_is_compressed_by_suffix_and_the_same_every_time(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{name}.fa{suffix}" for name in "xy"]
    for path in paths:
        with open_output(path) as handle:
            write_fasta(read(CLEAN), handle)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with open_input(paths[0]) as handle:
        assert handle.read() == CLEAN
        expected = {"": "plain", ".gz": "gzip", ".bz2": "bzip2", ".xz": "xz"}[suffix]
        assert compression_of(handle) == expected


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.fa.gz"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="stop"), open_output(path) as handle:
        handle.write(CLEAN)
        raise RuntimeError("stop")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OutputError), open_output(tmp_path / "no" / "x.fa") as handle:
        handle.write(CLEAN)


def test_a_missing_file_and_a_folder_are_one_line_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "no.fa", tmp_path):
        with pytest.raises(InputError, match="cannot be") as error:
            list(read_fasta(path))
        assert error.value.path == str(path)
        assert "\n" not in str(error.value)


class Full(io.RawIOBase):
    """A stream on a full disk."""

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_behind_stdout_is_said_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=Full()))
    with pytest.raises(OutputError, match="^cannot write to stdout: No space left on device$"):
        with open_output("-") as handle:
            handle.write(b"ACGT")
