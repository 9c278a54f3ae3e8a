"""Sheets of workbooks (.xlsx): rows of text in, rows of values out, equal content as equal bytes."""

from __future__ import annotations

import io
import math
import re
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from seqdesign.config import suggest
from seqdesign.errors import InputError, OutputError, UsageError
from seqdesign.sequences.dialect import StoredNumber

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
MAX_ROWS, MAX_CELL = 1_048_576, 32_767
"""Rows of a sheet and characters of a cell that spreadsheet programs can hold."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name, the names of all visible ones, and (number from 1, cells) of rows with content."""

    name: str
    names: tuple[str, ...]
    rows: list[tuple[int, list[str]]]

    def says(self) -> str:
        """Such as ``sheet 'Data' (the first of Data, Notes)``."""
        if len(self.names) == 1:
            return f"sheet '{self.name}'"
        return f"sheet '{self.name}' of {', '.join(self.names)}"


def is_workbook(head: bytes) -> bool:
    """Whether a file with these first bytes is an archive, as workbooks are."""
    return head.startswith(ZIP)


def read_sheet(handle: BinaryIO, source: str, name: str | None = None) -> Sheet:
    """A sheet of a workbook, by default the first visible one with a table; without trailing empty cells.

    Numbers become the shortest text that reads back equal (``StoredNumber``), dates ISO text.
    Raises InputError for another kind of archive, an unknown sheet, and a formula whose value the file does
    not hold.
    """
    data = handle.read()
    book = _open(data, source, values=True)
    sheets = {sheet.title: sheet for sheet in book.worksheets if sheet.sheet_state == "visible" or name}
    if not sheets:
        raise InputError("the workbook has no sheet with cells", path=source)
    if name is not None and name not in sheets:
        raise InputError(
            f"there is no sheet '{name}'; the sheets are {', '.join(sheets)}{suggest(name, list(sheets))}",
            path=source,
        )
    found: dict[str, list[tuple[int, list[str]]]] = {}
    for title in [name] if name is not None else list(sheets):
        found[title] = _rows(sheets[title])
        if len(found[title]) > 1 and any(len(cells) > 1 for _, cells in found[title]):
            break
    else:
        title = next(iter(found))
    _refuse_uncalculated(data, source, title, found[title])
    return Sheet(title, tuple(sheets), found[title])


def _rows(sheet: Any) -> list[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # some programs write wrong ones
    rows = []
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [_text(value) for value in values]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            rows.append((number, cells))
    return rows


def _open(data: bytes, source: str, *, values: bool) -> Any:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about drawings, styles and validation, which are not read
            return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=values)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        detail = " ".join(str(error).split())[:100]
        raise InputError(
            f"this is an archive, but not a workbook that can be read ({detail}); save it as .xlsx again, or "
            "unpack it first",
            path=source,
        ) from None


def _text(value: Any) -> str:
    """A cell as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
        return StoredNumber(repr(int(value) if whole else value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _refuse_uncalculated(data: bytes, source: str, name: str, rows: list[tuple[int, list[str]]]) -> None:
    """Raise InputError for a formula without a value, which would look like an empty cell."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [one for one in archive.namelist() if one.startswith("xl/worksheets/")]
        if not any(b"<f" in archive.read(one) for one in sheets):
            return
    found = dict(rows)
    for number, values in enumerate(_open(data, source, values=False)[name].iter_rows(), start=1):
        cells = found.get(number, [])
        for i, cell in enumerate(values):
            is_formula = isinstance(cell.value, str) and cell.data_type == "f"
            if is_formula and not (i < len(cells) and cells[i]):
                raise InputError(
                    f"the formula in cell {cell.coordinate} has no value in the file; open the workbook in a "
                    "spreadsheet program and save it",
                    path=source,
                    line=number,
                )


def need_workbook(sheet: str | None, source: str, what: str) -> None:
    """Raise UsageError where a sheet is named of a file that has none."""
    if sheet is not None:
        raise UsageError(f"{source} is {what} and has no sheets; leave it out", option="--sheet")


def write_sheet(rows: Iterable[Sequence[Any]], names: Sequence[str], handle: BinaryIO, path: str) -> int:
    """A workbook of one sheet with a header; returns how many rows. Text is never taken for a formula.

    Raises OutputError for more than a sheet can hold.
    """
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    # All of it before the workbook is begun, which cannot be given up halfway.
    table = [[_plain(value, path) for value in row] for row in (names, *rows)]
    if len(table) > MAX_ROWS:
        raise OutputError(f"{path}: a sheet holds {MAX_ROWS - 1:,} rows at most; write .csv or .tsv")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.freeze_panes = "A2"

    def cell(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        made = WriteOnlyCell(sheet)
        made.value, made.data_type = value, "s"
        return made

    for row in table:
        sheet.append([cell(value) for value in row])
    packed = io.BytesIO()
    book.save(packed)
    _without_time(packed, handle)
    return len(table) - 1


def _plain(value: Any, path: str) -> Any:
    """A value as a workbook can hold it: numbers that are finite, text, True and False, None."""
    if value is None or isinstance(value, bool):
        return value
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, int | float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", str(value))
    if len(text) > MAX_CELL:
        raise OutputError(
            f"{path}: a cell of {len(text):,} characters does not fit in a workbook, which takes "
            f"{MAX_CELL:,}; write .csv or .tsv"
        )
    return text


def _without_time(packed: io.BytesIO, handle: BinaryIO) -> None:
    """The archive again, without the time at which it was written."""
    whole = io.BytesIO()
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            new.writestr(
                zipfile.ZipInfo(name, _EPOCH), content, compress_type=zipfile.ZIP_DEFLATED, compresslevel=6
            )
    handle.write(whole.getvalue())
