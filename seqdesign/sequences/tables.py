"""Tables in and out: CSV, TSV, Parquet and workbooks (.xlsx), every cell as text; all but the last streaming.

Text stays text: the peptide "NA", the id "001" and a formula-like "=cmd()" come back as they were written.
Every row must have as many fields as the header. Parquet needs the ``parquet`` extra.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO

from seqdesign.config import suggest
from seqdesign.errors import InputError, MissingExtraError, OutputError
from seqdesign.runs.atomic import is_stream
from seqdesign.sequences.compression import inner_suffix, open_input, open_output, source_name
from seqdesign.sequences.dialect import LOOK, above_header, find_dialect, says, title_rows
from seqdesign.sequences.lab.sheets import is_workbook, need_workbook, read_sheet, write_sheet
from seqdesign.symbols import spelled

MAX_LINE = 10_000_000
WRITTEN = (".csv", ".tsv", ".tab", ".parquet", ".xlsx")
"""Suffixes of tables that can be written."""

_BLOCK = 1 << 20
_HEAD = 64


@dataclass(frozen=True, slots=True)
class TableBatch:
    """Some rows of a table: columns maps each name to its cells; lines (1-based) are where the rows begin.

    For Parquet and workbooks, a line is the row's number. dialect: how the table was found to be written.
    """

    columns: Mapping[str, list[str]]
    lines: Sequence[int]
    dialect: str = ""


def read_table(
    path: str | os.PathLike[str] | BinaryIO,
    *,
    columns: Sequence[str] | None = None,
    batch_size: int = 4096,
    parquet: bool | None = None,
    sheet: str | None = None,
) -> Iterator[TableBatch]:
    """The rows of a table in batches; ``columns`` limits what is returned (a missing one is an error).

    Separator and header are found by ``find_dialect``; Parquet by the content unless ``parquet`` says, and a
    workbook always; ``sheet`` names one of its sheets, by default the first. Blank lines and columns without
    name and content are left out. Raises InputError for a row of another width, broken quotes, a NUL byte,
    text that is not UTF-8, a line longer than ``MAX_LINE``, repeated or missing column names; UsageError for
    a sheet of a file that has none.
    """
    source = source_name(path)
    with open_input(path) as handle:
        head = handle.peek(_HEAD)[:_HEAD]
        if is_workbook(head):
            rows, dialect = _sheet_rows(handle, source, sheet)
            yield from _batches(rows, source, columns, batch_size, [dialect])
            return
        need_workbook(sheet, source, "no workbook")
        if parquet if parquet is not None else is_parquet(head):
            yield from _read_parquet(handle, source, columns, batch_size)
        else:
            found: list[str] = []
            yield from _batches(_rows(handle, source, found), source, columns, batch_size, found)


def _sheet_rows(
    handle: io.BufferedReader, source: str, name: str | None
) -> tuple[Iterator[tuple[int, list[str]]], str]:
    """(number, cells) of the rows of a sheet from its header on, all as wide, and what was found."""
    sheet = read_sheet(handle, source, name)
    above = 0
    head = [cells for _, cells in sheet.rows[:LOOK]]
    while above < len(head) - 1 and head[above][0].startswith("#") and len(head[above]) < 2:
        above += 1
    above += title_rows(head[above:])
    rows = sheet.rows[above:]
    width = len(rows[0][1]) if rows else 0
    filled = ((number, cells + [""] * (width - len(cells))) for number, cells in rows)
    return filled, sheet.says() + above_header(above)


def _batches(
    rows: Iterator[tuple[int, list[str]]],
    source: str,
    wanted: Sequence[str] | None,
    batch_size: int,
    found: list[str],
) -> Iterator[TableBatch]:
    """The rows, the header first, as batches. ``found`` holds the dialect once there is a row."""
    first = next(rows, None)
    if first is None:
        raise InputError("no record; the table is empty", path=source)
    at, header = first
    header = _header([name.strip() for name in header])
    named = [name for name in header if name]  # spreadsheets write columns without name or content
    names = choose_columns(named, wanted, source, at)
    places = [header.index(name) for name in names]
    nameless = [i for i, name in enumerate(header) if not name]
    batch: list[list[str]] = []
    lines: list[int] = []
    for line, row in rows:
        fitted = _fitted(row, len(header), nameless, source, line)
        if fitted is None:
            continue
        batch.append(fitted)
        lines.append(line)
        if len(batch) == batch_size:
            yield _batch(names, places, batch, lines, found)
            batch, lines = [], []
    if batch:
        yield _batch(names, places, batch, lines, found)


def _header(names: list[str]) -> list[str]:
    """The names, and ``column 1`` for one without in front of others: pandas and R write row names so."""
    last = max((i for i, name in enumerate(names) if name), default=0)
    return [name or (f"column {i + 1}" if i < last else "") for i, name in enumerate(names)]


def _batch(
    names: Sequence[str], places: Sequence[int], rows: list[list[str]], lines: list[int], found: list[str]
) -> TableBatch:
    columns = {name: [row[i] for row in rows] for name, i in zip(names, places, strict=True)}
    return TableBatch(columns, lines, *found[:1])


def _fitted(row: list[str], width: int, nameless: Sequence[int], source: str, line: int) -> list[str] | None:
    """The row with as many cells as the header, None for one of separators only. Raises InputError."""
    if len(row) != width:
        while len(row) > width and not row[-1].strip():  # a separator behind the last cell
            row = row[:-1]
        if len(row) != width:
            if not any(cell.strip() for cell in row):
                return None
            raise InputError(
                f"the row has {len(row)} fields, the header has {width}; quote fields that hold a separator",
                path=source,
                line=line,
            )
    for i in nameless:
        if row[i].strip():
            raise InputError(
                f"column {i + 1} has no name in the header, but {row[i]!r} here; name it, or empty it",
                path=source,
                line=line,
            )
    return row


def choose_columns(
    header: Sequence[str], wanted: Sequence[str] | None, source: str, line: int = 1
) -> list[str]:
    """The wanted column names, all of them by default. Raises InputError for repeated or missing names."""
    repeated = sorted({name for name in header if list(header).count(name) > 1})
    if repeated:
        raise InputError(
            f"column names must be unique, got {', '.join(map(repr, repeated))} twice", path=source, line=line
        )
    missing = [name for name in wanted or () if name not in header]
    if missing:
        shown = [name for name in header if not name.startswith("\0")]  # without what a layout has added
        raise InputError(
            f"there is no column {', '.join(map(repr, missing))}; the columns are {', '.join(shown)}"
            f"{suggest(missing[0], shown)}",
            path=source,
            line=line,
        )
    return list(header if wanted is None else wanted)


def _rows(handle: io.BufferedReader, source: str, found: list[str]) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of each row that is not blank, the header first; what stands above it is left out.

    The dialect is added to ``found``.
    """
    numbered = _lines(handle, source)
    head: list[tuple[int, str]] = []
    for number, text in numbered:
        if text and not text.isspace():
            head.append((number, text))
            if len(head) == LOOK:
                break
    if not head:
        return
    delimiter, first = find_dialect([text for _, text in head])
    found.append(says(delimiter, first))
    numbered = chain(head[first:], numbered)
    for number, text in numbered:
        if not text or text.isspace():
            continue
        if '"' in text:  # from here on fields may hold separators and line ends
            yield from _quoted_rows(chain([(number, text)], numbered), delimiter, source)
            return
        yield number, text.split(delimiter)


def _quoted_rows(
    numbered: Iterable[tuple[int, str]], delimiter: str, source: str
) -> Iterator[tuple[int, list[str]]]:
    line = 0

    def feed() -> Iterator[str]:
        nonlocal line
        for number, text in numbered:
            line = number
            yield text + "\n"

    csv.field_size_limit(MAX_LINE)  # a quoted cell may be as long as one without quotes
    rows = csv.reader(feed(), delimiter=delimiter, strict=True)
    start = 1
    while True:
        n_before = rows.line_num
        try:
            row = next(rows, None)
        except csv.Error as error:
            what = f"bad quotes in or before this line ({error})"
            if "field larger" in str(error):
                what = f"a quoted cell is longer than {MAX_LINE:,} characters; is a closing quote missing?"
            raise InputError(what, path=source, line=line) from None
        if row is None:
            return
        start = line - (rows.line_num - n_before) + 1
        if row and not (len(row) == 1 and not row[0].strip()):
            yield start, row


def _lines(handle: io.BufferedReader, source: str) -> Iterator[tuple[int, str]]:
    """(number, line without its end); LF, CRLF and CR end a line; no line of unlimited length is kept."""
    number, carry, first = 1, b"", True
    while data := handle.read(_BLOCK):
        while data.endswith(b"\r") and (more := handle.read(1)):
            data += more
        if first:
            data, first = data.removeprefix(b"\xef\xbb\xbf"), False
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        whole, newline, rest = (carry + data).rpartition(b"\n")
        carry = rest
        if newline:
            for text in _decode(whole, number, source).split("\n"):
                yield number, text
                number += 1
        if len(carry) > MAX_LINE:
            raise InputError(f"the line is longer than {MAX_LINE:,} characters", path=source, line=number)
    if carry:
        yield number, _decode(carry, number, source)


def _decode(data: bytes, number: int, source: str) -> str:
    if b"\0" in data:
        at = number + data.count(b"\n", 0, data.index(b"\0"))
        raise InputError("NUL byte; this is no text file, or it is damaged", path=source, line=at)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = number + data.count(b"\n", 0, error.start)
        raise InputError(
            "the line is not UTF-8 text; convert the file to UTF-8", path=source, line=at
        ) from None


def is_parquet(head: bytes) -> bool:
    """Whether a file with these first bytes is Parquet, whole or damaged: its mark, and no text behind it."""
    return head.startswith(b"PAR1") and (
        b"\n" not in head[:_HEAD] or any(b < 9 or 13 < b < 32 for b in head[4:_HEAD])
    )


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("a Parquet file", "parquet") from None
    return pyarrow


def _read_parquet(
    handle: io.BufferedReader, source: str, wanted: Sequence[str] | None, batch_size: int
) -> Iterator[TableBatch]:
    pyarrow = _pyarrow()
    # Parquet keeps its index at the end; a stream that cannot seek back is held in memory.
    seekable = handle if handle.seekable() else io.BytesIO(handle.read())
    try:
        file = pyarrow.parquet.ParquetFile(seekable)
        names = choose_columns(file.schema_arrow.names, wanted, source)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _damaged_parquet(error, source) from None
    number = 1
    batches = file.iter_batches(batch_size=batch_size, columns=names)
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            columns = {
                name: ["" if cell is None else str(cell) for cell in batch.column(name).to_pylist()]
                for name in names
            }
        except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
            raise _damaged_parquet(error, source) from None
        yield TableBatch(columns, range(number, number + batch.num_rows))
        number += batch.num_rows


def _damaged_parquet(error: Exception, source: str) -> InputError:
    detail = " ".join(str(error).split())[:200]
    return InputError(f"damaged Parquet file ({detail})", path=source)


def write_table(
    rows: Iterable[Mapping[str, Any]] | Mapping[str, Sequence[Any]],
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
) -> int:
    """Writes rows (mappings) or columns (name -> cells) by the suffix (``WRITTEN``); returns how many.

    ``columns`` sets names and order, otherwise the first row does. None is written as an empty cell, a float
    so that it reads back equal (.xlsx has 16 digits). A real file appears only when complete; "-" is standard
    output (CSV). Letters with names are spelled out. Raises OutputError for another suffix or when writing
    fails, ValueError for a row with other columns.
    """
    stream = _as_rows(rows)
    first = next(stream, None)
    names = list(columns) if columns is not None else list(first or {})
    if not names:
        raise ValueError("an empty table needs columns=[...] to have a header")
    checked = _checked(chain(() if first is None else (first,), stream), names)
    names = [spelled(name) for name in names]
    suffix = check_table_name(path)
    if suffix == ".parquet":
        return _write_parquet(checked, names, path)
    if suffix == ".xlsx":
        with open_output(path) as handle:
            return write_sheet(checked, names, handle, os.fspath(path))
    n_rows = 0
    with open_output(path) as handle:
        text = io.TextIOWrapper(
            handle, encoding="utf-8", errors="backslashreplace", newline="", write_through=True
        )
        try:
            writer = csv.writer(text, delimiter="," if suffix == ".csv" else "\t", lineterminator="\n")
            writer.writerow(names)
            for row in checked:
                writer.writerow(row)
                n_rows += 1
        finally:
            text.detach()  # or the wrapper would close standard output as it goes, even after a broken pipe
    return n_rows


def check_table_name(path: str | os.PathLike[str]) -> str:
    """The suffix that says what kind of table ``path`` is; CSV for streams. Raises OutputError for others."""
    if is_stream(path):
        return ".csv"
    suffix = inner_suffix(path)
    if suffix not in WRITTEN:
        raise OutputError(
            f"{os.fspath(path)}: a table must end in .csv, .tsv, .xlsx or .parquet, got '{suffix}'"
        )
    return suffix


def _as_rows(rows: Iterable[Mapping[str, Any]] | Mapping[str, Sequence[Any]]) -> Iterator[Mapping[str, Any]]:
    if not isinstance(rows, Mapping):
        yield from rows
        return
    for cells in zip(*rows.values(), strict=True):
        yield dict(zip(rows, cells, strict=True))


def _checked(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Iterator[list[Any]]:
    for row in rows:
        if row.keys() != set(names):
            raise ValueError(f"every row must have the columns {list(names)}, got {list(row)}")
        yield [spelled(cell) if isinstance(cell, str) else cell for cell in map(row.__getitem__, names)]


def _write_parquet(rows: Iterable[list[Any]], names: Sequence[str], path: str | os.PathLike[str]) -> int:
    pyarrow = _pyarrow()
    cells = list(rows)
    table = pyarrow.table({name: [row[i] for row in cells] for i, name in enumerate(names)})
    with open_output(path) as handle:
        pyarrow.parquet.write_table(table, handle)
    return len(cells)
