"""Positive numbers over powers of ten, such as intensities and constants: their logarithms are learned.

What scatters in proportion to its size and has causes that multiply adds up as a logarithm. Taken as it is, a
few values hold most of its variance, and least squares learns these and nothing else. A column is taken for
such a one where a log-normal distribution makes its numbers much more probable than a normal one, as it does
where 95% of them span 2.4 powers of ten. Of smaller ranges ``train-predictor`` decides by the sequences.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from seqdesign.errors import InputError
from seqdesign.sequences.numbers import FEWEST, Tally, over_powers, powers_of_ten
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.numbers import Numbers
from seqdesign.tasks.values import Columns, FloatArray, Predictions, Values

PREFIX = "log10 "


class Log10(Numbers):
    """Numbers above zero, learned and predicted as decimal logarithms; tables of predictions hold numbers."""

    name: ClassVar[str] = "log10"
    rank: ClassVar[int] = 20
    about: ClassVar[str] = "learned as log10; --task regression takes them as they are"

    def claims(self, tallies: Sequence[Tally]) -> bool:
        """Numbers that are clearly more probable as logarithms."""
        return all(
            tally.kind == "numbers" and tally.numbers >= FEWEST and over_powers(tally.plain, tally.logs)
            for tally in tallies
        )

    def called(self, column: str) -> str:
        """Such as ``log10 expression``."""
        return PREFIX + column

    def column(self, outcome: str) -> str:
        """Without ``log10``."""
        return outcome.removeprefix(PREFIX)

    def says(self, tally: Tally) -> str:
        """Such as ``400 numbers, 95% of them within 5.1 powers of ten``."""
        return f"{self.counts(tally)}, 95% of them within {powers_of_ten(tally.logs):.1f} powers of ten"

    def counts(self, tally: Tally) -> str:
        """What the cells are."""
        return tally.says()

    def read(self, columns: Columns) -> Values:
        """Logarithms. Raises InputError naming a number that has none."""
        found = super().read(columns)
        for name, column in zip(columns.names, found.values.T, strict=True):
            if (column <= 0).any():
                _refuse(columns.records, name, int((column <= 0).argmax()), int((column <= 0).sum()))
        return replace(found, values=self.learned(found.values))

    def learned(self, values: FloatArray) -> FloatArray:
        """Their logarithms, NaN where there is none."""
        return np.log10(values, out=np.full_like(values, np.nan), where=values > 0)

    def spread(self, errors: FloatArray, values: FloatArray) -> FloatArray:
        """Of logarithms, where errors are small beside values."""
        return errors / (10.0**values * math.log(10))

    def measured(self, records: SequenceSet, column: str, classes: Sequence[str]) -> list[float]:
        """Logarithms of the numbers of the column."""
        return self.learned(records.readable(column)).tolist()

    def shown(self, value: float, classes: Sequence[str]) -> object:
        """The number itself."""
        return self.number(value)

    def number(self, value: float) -> float:
        """In the user's unit, of a logarithm."""
        return float(10.0 ** min(value, 300.0))

    def columns(self, classes: Sequence[str]) -> list[str]:
        """The median, in the user's units, the spread of its logarithm, and the ends of intervals."""
        return ["median", "sd_log10", *super().columns(classes)[2:]]

    def cells(self, found: Predictions, row: int, k: int, classes: Sequence[str]) -> dict[str, Any]:
        """The same of one row."""
        logs = super().cells(found, row, k, classes).values()
        names = self.columns(classes)
        return {n: v if n == "sd_log10" else self.number(v) for n, v in zip(names, logs, strict=True)}


def _refuse(records: SequenceSet, name: str, row: int, count: int) -> None:
    cell = records.columns[name][row].strip()
    drop = f"--missing {shlex.quote(cell)} --on-missing drop"
    raise InputError(
        f"column '{name}': {cell!r} has no logarithm, like {count:,} of {len(records):,} cells; leave them "
        f"out with {drop}, or take numbers as they are with --task regression",
        path=records.source,
        line=records.line_numbers()[row] or None,
        record=records.ids[row],
    )


log10 = Log10()
