"""Positive numbers over powers of ten, some of them known only as limits: an IC50 of >20, a MIC of >128.

What ``log10`` says of numbers holds for them, and what ``censored`` says of limits for their logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from seqdesign.sequences.numbers import FEWEST, Tally, over_powers
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.kinds.censored import Censored
from seqdesign.tasks.kinds.log10 import Log10
from seqdesign.tasks.values import Sided


class CensoredLog10(Log10, Censored):
    """Logarithms of numbers and limits; the detail of a value is its side."""

    name: ClassVar[str] = "censored-log10"
    rank: ClassVar[int] = 35
    logs: ClassVar[str] = ""
    about: ClassVar[str] = f"{Censored.about}; learned as log10, --task censored takes them as they are"

    def claims(self, tallies: Sequence[Tally]) -> bool:
        """Limits among numbers that are clearly more probable as logarithms."""
        return Censored.claims(self, tallies) and all(
            tally.numbers >= FEWEST and over_powers(tally.plain, tally.logs) for tally in tallies
        )

    def counts(self, tally: Tally) -> str:
        """Numbers and limits."""
        return Censored.counts(self, tally)

    def measured(self, records: SequenceSet, column: str, classes: Sequence[str]) -> list[float]:
        """Logarithms, and ``Sided`` for those of limits."""
        found = Censored.measured(self, records, column, classes)
        logs = self.learned(np.array(found, dtype=np.float64)).tolist()
        return [v.moved(log) if isinstance(v, Sided) else log for v, log in zip(found, logs, strict=True)]

    def shown(self, value: float, classes: Sequence[str]) -> object:
        """The number itself, or the limit as it was written."""
        number = self.number(value)
        return Censored.shown(self, value.moved(number) if isinstance(value, Sided) else number, classes)


censored_log10 = CensoredLog10()
