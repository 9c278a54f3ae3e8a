"""FASTQ, four lines a record: its sequences are read as those of FASTA are, its qualities are not used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from seqdesign.errors import InputError

BROKEN_FASTQ = "this looks like FASTQ, but its third line does not begin with '+'"
SUFFIXES = (".fastq", ".fq")
ROWS = 4
"""Lines of a record."""


def is_fastq(head: bytes, suffix: str = "") -> bool:
    """Whether a file begins with a FASTQ record; of one too long for ``head`` the suffix tells."""
    if not head.startswith(b"@"):
        return False
    rows = head.splitlines()[:ROWS]
    return rows[2].startswith(b"+") if len(rows) == ROWS else suffix in SUFFIXES


def fastq_records(
    pieces: Iterable[bytes], source: str, max_record: int
) -> Iterator[tuple[list[bytes], list[bytes], Sequence[int]]]:
    """(headers without ``@``, letters, lines of the headers) of the whole records in each piece of text.

    pieces: consecutive, with LF line ends. Raises InputError for what is no such record, one without letters,
    and one of more than ``max_record`` letters.
    """
    carry, line = b"", 1
    for piece in pieces:
        rows = (carry + piece).split(b"\n")
        whole = (len(rows) - 1) // ROWS * ROWS
        carry = b"\n".join(rows[whole:])
        if len(carry) > 2 * max_record:
            raise InputError(f"the record is longer than {max_record:,} letters", path=source, line=line)
        if whole:
            yield _checked(rows[:whole], source, line)
        line += whole
    if carry.strip(b"\n"):
        yield _checked(carry.rstrip(b"\n").split(b"\n"), source, line)


def _checked(rows: list[bytes], source: str, line: int) -> tuple[list[bytes], list[bytes], Sequence[int]]:
    for i in range(0, len(rows), ROWS):
        if wrong := _wrong(rows[i : i + ROWS]):
            name = rows[i][1:].split()
            raise InputError(
                wrong, path=source, line=line + i,
                record=name[0].decode("utf-8", errors="replace") if name else None,
            )  # fmt: skip
    return [row[1:] for row in rows[::ROWS]], rows[1::ROWS], range(line, line + len(rows), ROWS)


def _wrong(record: Sequence[bytes]) -> str:
    """What is wrong with the lines of a record, "" for nothing."""
    if not record[0].startswith(b"@"):
        return "a record of FASTQ has four lines, and this one does not begin with '@'"
    if not record[0][1:].split():
        return "the record has no id; write one after '@'"
    if len(record) < ROWS or not record[2].startswith(b"+"):
        return "a record of FASTQ has four lines: '@' and id, letters, '+', qualities; this one has not"
    if not record[1]:
        return "the record has no sequence"
    if len(record[1]) != len(record[3]):
        return f"{len(record[1]):,} letters have {len(record[3]):,} qualities; the file is damaged"
    return ""
