"""Designs as they can be shown: what ``revise`` and ``maximize`` say of each, from memory or from a file."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.objectives.reading import MORE, READINGS, Reading, Wanted
from seqdesign.reports.diff import Operation, operations_of
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.bundled import resolve_input
from seqdesign.sequences.compression import open_input
from seqdesign.sequences.fasta import header_fields, read_fasta
from seqdesign.sequences.lab.bare import read_bare
from seqdesign.sequences.reader import ID_COLUMNS, SEQUENCE_COLUMNS, guess_format
from seqdesign.sequences.tables import read_table

FloatArray = NDArray[np.float64]

TEXT = {
    "id",
    "sequence",
    "original",
    "parent",
    "status",
    "reason",
    "stop",
    "edit_list",
    "variant",
    "violations",
}
"""Columns that are never numbers, whatever they look like."""
PREDICTED, BEFORE = "predicted_", "_before"
"""Around the name of an outcome: the prediction for a revision's parent, as ``revise`` calls it."""
BEFORE_AFTER = (("outcome_before", "outcome"), *((one.start, one.kind) for one in READINGS))
"""Value of the parent, and of the design, as ``revise`` once called them, and as ``maximize`` does."""
UNTOUCHED = ("unchanged", "infeasible", "violating", "unjudged")
"""What ``revise`` calls inputs that it returns as they are."""


@dataclass(frozen=True, eq=False)
class DesignSet:
    """N sequences, one row each: id, sequence, and what is known of it by column.

    A row of a design made from a parent has ``edits``, a row of ``revise`` or ``maximize`` also the value
    before and after. Rejected designs are not among them.
    """

    rows: Sequence[Mapping[str, Any]]
    wanted: Wanted = MORE

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in which any row has a value, in order of appearance."""
        names = dict.fromkeys(key for row in self.rows for key, value in row.items() if value is not None)
        return tuple(names)

    @cached_property
    def sequences(self) -> list[str]:
        """The designs."""
        return [str(row["sequence"]) for row in self.rows]

    @cached_property
    def ids(self) -> list[str]:
        """Their names."""
        return [str(row["id"]) for row in self.rows]

    @cached_property
    def originals(self) -> list[str] | None:
        """What each was made from; None unless that is known of all."""
        if "original" in self.columns:
            found = [row.get("original") for row in self.rows]
        elif "edits" in self.columns:
            found = [self._before_edits(row) for row in self.rows]
        else:
            return None
        return None if None in found else [str(text) for text in found]

    @staticmethod
    def _before_edits(row: Mapping[str, Any]) -> str | None:
        if row.get("edits") is None:
            return None
        operations = operations_in(row)
        return None if operations is None else "".join(op.original for op in operations)

    def numbers(self, key: str) -> FloatArray:
        """A column as (N,) numbers, NaN where there is none."""
        values = [row.get(key) for row in self.rows]
        return np.array([v if isinstance(v, int | float) else math.nan for v in values], dtype=np.float64)

    def has_numbers(self, key: str) -> bool:
        """Whether a column has any number."""
        return key in self.columns and bool(np.isfinite(self.numbers(key)).any())

    @cached_property
    def reading(self) -> Reading:
        """What the scores of ``maximize`` are read as."""
        return Reading.of_keys(self.columns)

    @property
    def scored(self) -> bool:
        """Whether they are compared by scores, not by a predicted outcome."""
        return self.before_after is not None and self.before_after[1] == self.reading.kind

    @cached_property
    def deciding(self) -> str | None:
        """The column of scores, or of their bound, by which designs are ranked; None where there is none."""
        return next((key for key in (self.reading.bound, self.reading.kind) if self.has_numbers(key)), None)

    @cached_property
    def worth(self) -> FloatArray | None:
        """(N,) how good each is, cautiously, a larger number being better; None where nothing says so.

        By the bound of its score, else by the end of its interval that is the worse one for what is wanted.
        """
        if self.deciding is not None:
            values = self.numbers(self.deciding)
            return -values if self.reading.lower else values
        if self.has_numbers("judged"):
            low, high = self.numbers("judged_low"), self.numbers("judged_high")
        elif self.before_after is not None:
            low = high = self.numbers(self.before_after[1])
        else:
            return None
        goal = self.wanted.goal
        if goal == "max":
            return low
        if goal == "min":
            return -high
        far: FloatArray = -np.maximum(np.abs(low - goal), np.abs(high - goal))
        return far

    @property
    def before_after(self) -> tuple[str, str] | None:
        """Names of the columns of the value before and after."""
        firsts = (c for c in self.columns if c.startswith(PREDICTED) and c.endswith(BEFORE))
        for first, second in (*((first, first.removesuffix(BEFORE)) for first in firsts), *BEFORE_AFTER):
            if np.isfinite(self.numbers(second) - self.numbers(first)).any():
                return first, second
        return None

    @property
    def what(self) -> str:
        """What to call them: ``designs``, or plain ``sequences`` of which no value before is known."""
        return "sequences" if self.before_after is None else "designs"

    @property
    def gain(self) -> FloatArray | None:
        """(N,) value after less value before."""
        pair = self.before_after
        return None if pair is None else self.numbers(pair[1]) - self.numbers(pair[0])

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes that have an interval, which may be open above or below."""
        there = {key for row in self.rows[:1] for key in row}
        ends = {name: (f"{name}_low", f"{name}_high") for name in self.columns}
        return tuple(
            name
            for name, pair in ends.items()
            # A header leaves out an end that is open; the lower bound of a score is no interval.
            if (set(pair) <= there or name.startswith(PREDICTED) or name == "judged")
            and any(map(self.has_numbers, pair))
        )

    def count(self, status: str) -> int:
        """Designs of this status."""
        return sum(row.get("status") == status for row in self.rows)

    def best_of_each(self) -> DesignSet:
        """Without the second and further revisions of one input, where their ranks are known."""
        if "rank" not in self.columns:
            return self
        return replace(self, rows=[row for row in self.rows if row["rank"] == 1])


def first_of(row: Mapping[str, Any]) -> int:
    """Number of the first letter in the edits of a row."""
    return int(row.get("first_position") or 1)


def operations_in(row: Mapping[str, Any]) -> tuple[Operation, ...] | None:
    """What the list of edits of a row says; None if it does not fit the sequence, which somebody changed."""
    listed = str(row.get("edit_list") or "")
    try:
        return operations_of(str(row["sequence"]), listed.split(",") if listed else [], first_of(row))
    except ValueError:
        return None


def read_designs(path: str | os.PathLike[str], alphabet: Alphabet | None = None) -> DesignSet:
    """The sequences of a FASTA file with the fields of their headers, or of a table with its columns.

    A table may have ``revised`` in the place of ``sequence``, as that of ``revise`` does. Rows that
    ``maximize`` rejected are left out. alphabet: that of the model, where letters have names. Raises
    InputError.
    """
    rows = read_rows(path, words=alphabet is not None and alphabet.spelling == "words")
    if alphabet is not None and alphabet.named:
        rows = [_inside(row, alphabet) for row in rows]
    if rows and "sequence" not in rows[0]:
        listed = ", ".join(rows[0])
        raise InputError(f"has no column 'sequence'; the columns are {listed}", path=path, line=1)
    kept = [row for row in rows if row.get("status") != "rejected"]
    if not kept:
        raise InputError("holds no sequence", path=path)
    return DesignSet(typed(kept))


def _inside(row: Mapping[str, str], alphabet: Alphabet) -> dict[str, str]:
    """A row with one character a letter in its sequences and edits."""
    texts = {key: alphabet.tokenize(row[key]) for key in ("sequence", "original") if key in row}
    edits = {"edit_list": alphabet.read_edits(row["edit_list"])} if row.get("edit_list") else {}
    return {**row, **texts, **edits}


def read_rows(path: str | os.PathLike[str], *, words: bool = False) -> list[dict[str, str]]:
    """The rows of a FASTA file or a table as text, a sequence as ``sequence``. Raises InputError.

    words: whether blanks in the sequences of FASTA separate words.
    """
    source = resolve_input(path)
    with open_input(source) as handle:
        kind = guess_format(handle)
        if kind in ("genbank", "alignment"):
            return [{"id": row.name, "sequence": row.text} for row in read_bare(handle, kind)]
    if kind in ("fasta", "fastq"):
        return _fasta_rows(source, words)
    return _table_rows(source, kind == "parquet")


def _fasta_rows(path: str, words: bool) -> list[dict[str, str]]:
    return [
        {"id": record.id, **header_fields(record.description), "sequence": record.sequence}
        for record in read_fasta(path, on_duplicate="keep", words=words)
    ]


def _table_rows(path: str, parquet: bool) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for batch in read_table(path, parquet=parquet):
        sequence = next((c for c in ("revised", *SEQUENCE_COLUMNS) if c in batch.columns), None)
        name = next((c for c in ID_COLUMNS if c in batch.columns), None)
        others = [c for c in batch.columns if sequence is None or c not in (sequence, name)]
        for i in range(len(batch.lines)):
            row = {c: batch.columns[c][i] for c in others}
            if sequence is not None:
                first = batch.columns[name][i] if name else f"seq{len(rows) + 1}"
                row = {"id": first, "sequence": batch.columns[sequence][i], **row}
            rows.append(row)
    return rows


def typed(rows: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The same rows; columns of which all values are numbers hold numbers, and empty cells are None."""
    listed = [dict(row) for row in rows]
    keys = dict.fromkeys(key for row in listed for key in row)
    numeric = {key for key in keys if key not in TEXT and _is_numeric(row.get(key, "") for row in listed)}
    return [
        {
            key: None if value == "" else _number(value) if key in numeric else value
            for key, value in r.items()
        }
        for r in listed
    ]


def _is_numeric(values: Iterable[str]) -> bool:
    try:
        for value in values:
            float(value or "0")
    except ValueError:
        return False
    return True


def _number(text: str) -> float | int:
    return int(text) if text.lstrip("+-").isdigit() else float(text)
