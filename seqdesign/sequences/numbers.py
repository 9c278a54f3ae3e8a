"""Cells of text as measured values: what a column is, decided from all its cells, and what is wrong with it.

A column holds numbers, or labels, or it is refused: one cell such as ``ND``, ``<0.1`` or ``1,25`` never turns
numbers into labels. Nothing heavy but numpy is imported.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.sequences.dialect import StoredNumber as StoredNumber

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""Cells, in lower case, that say that a value is not known."""
ABSENT = frozenset({"nd", "n.d.", "n.d", "n/d", "bdl", "lod", "<lod", "n.a.", "n.a"})
"""What people write for a value that could not be measured; neither a number nor a label."""
SHOWN = 10
"""Cells that a message names."""
MAX_LABELS = 200
"""Different labels that are told apart."""

Kind = Literal["numbers", "labels", "nothing", "mixed"]
Cell = Literal["number", "missing", "odd", "text"]

_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d*)?([eE][+-]?\d+)?")
_NUMERIC = re.compile(r"(?![eE])[\s\d.,<>≤≥=~±+\-−–_eE%'’*()/:]+")
_DIGITS = re.compile(r"\d+")
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
FEW = 3
"""Cells with a decimal comma that a message names."""
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([,\s'’]\d{3})+(\.\d+)?")


@dataclass(frozen=True)
class CellFormat:
    """How cells are read.

    missing: cells that stand for an unknown value, besides ``MISSING``; case does not matter. decimal_comma:
    1,25 is one and a quarter. adjustable: whether the user can say so where the cells are read. 45% is 45; a
    column has the sign in all of its numbers or in none (``Tally``).
    """

    missing: frozenset[str] = frozenset()
    decimal_comma: bool = False
    adjustable: bool = False

    @classmethod
    def of(cls, missing: Iterable[str], decimal_comma: bool = False) -> CellFormat:
        """As options say."""
        return cls(frozenset(cell.strip().lower() for cell in missing), decimal_comma, True)

    def is_missing(self, cell: str) -> bool:
        """Whether a cell stands for an unknown value."""
        return (plain := cell.strip().lower()) in MISSING or plain in self.missing

    def number(self, cell: str) -> float | None:
        """The number of a cell, NaN where it is missing or not finite, None where it is neither."""
        if self.is_missing(cell):
            return float("nan")
        text = cell.strip().removesuffix("%").rstrip()
        if self.decimal_comma and not isinstance(cell, StoredNumber):
            # 1.234 may be a thousand or one and a quarter; only with a decimal comma behind it is it clear.
            if not _COMMA.fullmatch(text) or ("." in text and "," not in text):
                return None
            text = text.replace(".", "").replace(",", ".")
        try:
            value = float(text) if "_" not in text and text.isascii() else None
        except ValueError:
            return None
        return value if value is None or np.isfinite(value) else float("nan")

    def kind(self, cell: str) -> Cell:
        """What a single cell looks like; ``odd`` is a number with something about it, or a word for none."""
        number = self.number(cell)
        if number is not None:
            return "missing" if self.is_missing(cell) else "number"
        text = cell.strip()
        numeric = _NUMERIC.fullmatch(text) and any(c.isdigit() for c in text)
        absent = text.lower() in ABSENT or text.startswith("#")
        return "odd" if numeric or absent else "text"


@dataclass
class Moments:
    """Mean, spread and ends of numbers that come in parts (Chan, Golub & LeVeque 1983)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of squared distances from the mean."""
    least: float = math.inf
    at_least: int = 0
    """How many are equal to the least."""
    most: float = -math.inf
    at_most: int = 0

    def add(self, values: NDArray[np.float64]) -> None:
        """Count some more values (N,)."""
        if not len(values):
            return
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite spread is one
            mean, total = float(values.mean()), self.count + len(values)
            self.squares += float(np.square(values - mean).sum())
        apart = mean - self.mean
        self.squares += apart * apart * self.count * len(values) / total
        self.mean += apart * len(values) / total
        self.count = total
        least, most = float(values.min()), float(values.max())
        if least < self.least:
            self.least, self.at_least = least, 0
        if most > self.most:
            self.most, self.at_most = most, 0
        self.at_least += int((values == self.least).sum())
        self.at_most += int((values == self.most).sum())

    @property
    def sd(self) -> float:
        """Standard deviation, 0 of nothing."""
        return math.sqrt(self.squares / max(self.count, 1))


FEWEST = 20
"""Numbers by which it can be said how they spread."""
POWERS, NEAR_POWERS = 1.5, 0.15
"""Nats for each number by which a log-normal distribution must be more probable than a normal one for
numbers to be taken as logarithms, and for that to be worth a thought.
"""


def over_powers(plain: Moments, logs: Moments, least: float = POWERS) -> bool:
    """Whether numbers span powers of ten: all are above zero, and clearly more probable as logarithms.

    least: nats for each number by which they must be.
    """
    if logs.count < plain.count or min(plain.sd, logs.sd) <= 0:
        return False
    return math.log(plain.sd) - math.log(logs.sd) - logs.mean > least


def powers_of_ten(logs: Moments) -> float:
    """How many hold 95% of the numbers, if their logarithms are normal."""
    return 3.92 * logs.sd / math.log(10)


def span_powers(values: NDArray[np.float64]) -> bool:
    """``over_powers`` of values (N,) that are all at hand, NaN left out."""
    plain, logs = Moments(), Moments()
    plain.add(values[~np.isnan(values)])
    logs.add(np.log(values[values > 0]))
    return over_powers(plain, logs)


@dataclass
class Tally:
    """The cells of one column, counted as they come, in constant memory.

    ``add`` gives numbers; ``kind`` and what follows speak of all cells so far.
    """

    name: str
    cells: CellFormat = field(default_factory=CellFormat)
    read: int = 0
    """Numbers, with a percent sign or without."""
    percents: list[tuple[int, str, str]] = field(default_factory=list)
    """(line or 0, record, cell) of the first numbers with a percent sign."""
    num_percents: int = 0
    commas: int = 0
    """Cells that would be numbers if the comma were the decimal sign."""
    missing: int = 0
    odd: int = 0
    text: int = 0
    zero_one: int = 0
    """Numbers that are 0 or 1."""
    plain: Moments = field(default_factory=Moments)
    """Of the numbers."""
    logs: Moments = field(default_factory=Moments)
    """Of the natural logarithms of those above zero."""
    labels: dict[str, int] = field(default_factory=dict)
    """Text -> how often; of at most ``MAX_LABELS`` + 1 different ones."""
    forms: dict[str, int] = field(default_factory=dict)
    """Odd cells by their form -> how often: ``<0.0`` for <0.15; a task may know how to read them."""
    strange: list[tuple[int, str, str]] = field(default_factory=list)
    """(line or 0, record, cell) of the first cells that are neither numbers nor missing."""

    def add(self, cells: Sequence[str], lines: Sequence[int], ids: Sequence[str]) -> NDArray[np.float64]:
        """Count some more cells. (N,) numbers, NaN for all else."""
        values = self._plain(cells)
        if values is None:
            values = np.array([self._count(c, lines[i], ids[i]) for i, c in enumerate(cells)], np.float64)
        known = ~np.isnan(values)
        self.read += int(known.sum())
        self.zero_one += int(((values == 0) | (values == 1)).sum())
        self.plain.add(values[known])
        self.logs.add(np.log(values[values > 0]))
        return values

    def _plain(self, cells: Sequence[str]) -> NDArray[np.float64] | None:
        """All cells at once, where all are numbers or empty in the plainest way."""
        if self.cells.decimal_comma or self.cells.missing or any("_" in c or not c.isascii() for c in cells):
            return None
        try:
            values = np.fromiter((float(c or "nan") for c in cells), dtype=np.float64, count=len(cells))
        except ValueError:
            return None
        values[~np.isfinite(values)] = np.nan
        self.missing += int(np.isnan(values).sum())
        return values

    def _count(self, cell: str, line: int, record: str) -> float:
        kind = self.cells.kind(cell)
        value = self.cells.number(cell)
        if kind == "missing" or (value is not None and np.isnan(value)):
            self.missing += 1
            return float("nan")
        if kind == "number" and value is not None:
            if cell.rstrip().endswith("%"):
                self.num_percents += 1
                if len(self.percents) < SHOWN:
                    self.percents.append((line, record, cell))
            return value
        if kind == "odd":
            self.odd += 1
            form = _DIGITS.sub("0", cell.strip())
            if form in self.forms or len(self.forms) < MAX_LABELS:
                self.forms[form] = self.forms.get(form, 0) + 1
        else:
            self.text += 1
        label = cell.strip()
        if label in self.labels or len(self.labels) <= MAX_LABELS:
            self.labels[label] = self.labels.get(label, 0) + 1
        if not self.cells.decimal_comma and DECIMAL_COMMA.fullmatch(label):
            self.commas += 1
            if self.commas > FEW:  # one reason for many cells leaves room for others
                return float("nan")
        # What is out of place is named: text among numbers, what looks like a number among text.
        if len(self.strange) < SHOWN or (kind == "odd" and self.odd <= SHOWN):
            self.strange.append((line, record, cell))
        return float("nan")

    @property
    def kind(self) -> Kind:
        """Decided from all cells: a column is numbers only, text only, or mixed."""
        if self.odd or (self.numbers and self.text) or self.units_differ:
            return "mixed"
        return "numbers" if self.numbers else "labels" if self.text else "nothing"

    @property
    def units_differ(self) -> bool:
        """Whether some numbers have a percent sign and others have none: 45% may be 45 or 0.45 there."""
        return 0 < self.num_percents < self.read

    @property
    def numbers(self) -> int:
        """Numbers of the column; where units differ, those without a percent sign."""
        return self.read - (self.num_percents if self.units_differ else 0)

    @property
    def num_strange(self) -> int:
        """Cells that do not fit what most of them are."""
        alone = self.num_percents if self.units_differ else 0
        return self.odd + alone + (self.text if self.numbers or not self.text else 0)

    def says(self) -> str:
        """Such as ``119 numbers; 1 cell is no number: line 9 'ND'``."""
        without = f", {self.missing:,} without" if self.missing else ""
        if self.kind == "labels":
            most = sorted(self.labels.items(), key=lambda one: (-one[1], one[0]))
            shown = ", ".join(f"{label} ({count:,})" for label, count in most[:5])
            more = ", ..." if len(most) > 5 else ""
            many = f"more than {MAX_LABELS}" if len(most) > MAX_LABELS else f"{len(most):,}"
            return f"{many} label{'' if many == '1' else 's'}: {shown}{more}{without}"
        if self.kind == "nothing":
            return f"nothing{without}"
        ones = round(self.plain.mean * self.plain.count)
        only = f", all of them 0 or 1 ({ones:,} are 1)" if 0 < self.numbers == self.zero_one else ""
        many = f"{self.numbers:,} number{'' if self.numbers == 1 else 's'}{only}"
        numbers = many if self.numbers or not self.text else f"{self.text:,} labels"
        return f"{numbers}{without}" + (f"; {self.oddities()}" if self.num_strange else "")

    def oddities(self) -> str:
        """Such as ``2 cells are no numbers: line 9 'ND', line 17 '<0.1'``."""
        count, shown = self.num_strange, self._shown()
        listed = ", ".join(
            f"{f'line {line}' if line else f'record {name}'} {cell!r}" for line, name, cell in shown
        )
        more = f" and {count - len(shown):,} more" if count > len(shown) else ""
        return f"{count:,} cell{' is no number' if count == 1 else 's are no numbers'}: {listed}{more}"

    def _shown(self) -> list[tuple[int, str, str]]:
        """The strange cells to name; among labels only those that look like numbers."""
        if self.numbers or not self.text:
            return [*self.strange, *(self.percents if self.units_differ else ())][:SHOWN]
        return [one for one in self.strange if self.cells.kind(one[2]) == "odd"][:SHOWN]

    def refuse(self, source: str | None, *, labels: str = "") -> InputError:
        """What to say of a mixed column; ``labels``: how to learn labels here, where that can be done."""
        shown = self._shown()
        line, record, _ = shown[0] if shown else (0, "", "")
        remedies = self._remedies([cell.strip() for _, _, cell in shown])
        if labels:
            remedies.append(f"{labels} if these are labels")
        numbers = "1 number" if self.numbers == 1 else f"{self.numbers:,} numbers"
        most = numbers if self.numbers or not self.text else f"{self.text:,} labels"
        return InputError(
            f"column '{self.name}' has {most}, but {self.oddities()}; {'; '.join(remedies)}",
            path=source or None,
            line=line or None,
            record=record or None,
        )

    def require_numbers(self, source: str | None, *, labels: str = "") -> None:
        """Raise InputError unless the column holds numbers or nothing. labels: as for ``refuse``."""
        if self.kind == "mixed":
            raise self.refuse(source, labels=labels)
        if self.kind == "labels":
            line, record, _ = self.strange[0]
            raise InputError(
                f"column '{self.name}' must hold numbers, but it has {self.says()}; "
                + (f"{labels} to learn labels" if labels else "write numbers, such as 0 and 1"),
                path=source or None,
                line=line or None,
                record=record or None,
            )

    def _remedies(self, cells: Sequence[str]) -> list[str]:
        """What to do about these cells, each remedy once."""
        found: dict[str, list[str]] = {}
        for cell in cells:
            advice, absent = self._remedy(cell)
            found.setdefault(advice, []).extend([cell] if absent and self.cells.adjustable else [])
        return [
            f"{advice}, or add {_missing(absent)} --on-missing drop" if absent else advice
            for advice, absent in found.items()
        ]

    def _remedy(self, text: str) -> tuple[str, bool]:
        """What to do about a cell, and whether it may stand for no value."""
        ask = self.cells.adjustable
        if _THOUSANDS.fullmatch(text) or re.fullmatch(r"[+-]?\d+([\s'’]\d+)+([.,]\d+)?", text):
            comma = ask and not self.cells.decimal_comma and text.count(",") == 1 and "." not in text
            more = ", or add --decimal-comma if the comma is the decimal sign" if comma else ""
            return f"write thousands without a separator{more}", False
        if not self.cells.decimal_comma and DECIMAL_COMMA.fullmatch(text):
            how = "add --decimal-comma" if ask else "write a point instead"
            return f"the comma is a decimal sign: {how}", False
        if self.cells.decimal_comma and "." in text:
            return "a point alone is unclear with --decimal-comma: write a comma", False
        if text.endswith("%"):
            return "write all numbers of the column with %, or none", False
        if re.match(r"[<>≤≥~]", text):
            return (
                "a limit is no measured value: train-predictor alone reads limits, and only among numbers; "
                "else write the number to use"
            ), True
        return "correct it", True


def _missing(cells: Iterable[str]) -> str:
    """Options that say so of these cells; case does not matter."""
    different: dict[str, str] = {}
    for cell in cells:
        different.setdefault(cell.lower(), cell)
    return " ".join(f"--missing {shlex.quote(cell)}" for cell in different.values())


def to_numbers(
    cells: list[str],
    name: str,
    source: str,
    lines: Sequence[int],
    ids: Sequence[str],
    format: CellFormat | None = None,
    *,
    labels: str = "",
) -> NDArray[np.float64]:
    """Cells as float64, NaN where one is missing or not finite.

    Raises InputError for other text, with all such cells at once. labels: see ``Tally.refuse``.
    """
    tally = Tally(name, format or CellFormat())
    values = tally.add(cells, lines, ids)
    tally.require_numbers(source, labels=labels)
    return values
