"""Which sequences a model can judge: as long as those it learned from, and known for the most part.

Every command asks here, so that all refuse or mark the same sequences in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.sequences.encoders import TokenArray

LEAST_KNOWN = 0.5
"""Share of the letters of a sequence that must be in the alphabet."""


@dataclass(frozen=True)
class Scope:
    """Letters of the shortest and of the longest sequence that a model learned from."""

    shortest: int
    longest: int

    def objection(self, length: int, who: str = "the model") -> str | None:
        """Why sequences of this length cannot be judged, or written; None if they can."""
        if self.shortest <= length <= self.longest:
            return None
        if self.shortest == self.longest:
            return f"{who} was trained on sequences of {self.longest} letters only, got {length}"
        return f"{who} was trained on sequences of {self.shortest} to {self.longest} letters, got {length}"

    def objections(self, array: TokenArray) -> dict[int, str]:
        """Row -> why it cannot be judged, of the rows that cannot."""
        found: dict[int, str] = {}
        known = (array.tokens < array.alphabet.size).sum(axis=1)
        outside = (array.lengths < self.shortest) | (array.lengths > self.longest)
        for row in np.flatnonzero(outside | (known < LEAST_KNOWN * array.lengths)).tolist():
            length = int(array.lengths[row])
            found[row] = self.objection(length) or (
                f"only {int(known[row])} of its {length} letters are known, so nothing can be said of it"
            )
        return found

    def judged(self, array: TokenArray, objections: dict[int, str]) -> tuple[TokenArray, NDArray[np.int64]]:
        """The rows without an objection, no wider than the longest of them may be, and their places."""
        rows = np.array([i for i in range(len(array)) if i not in objections], dtype=np.int64)
        part = array.take(rows)
        width = int(part.lengths.max()) if len(part) else 0
        return TokenArray(part.tokens[:, :width], part.lengths, part.alphabet, part.kept), rows


def left_out(problems: dict[str, str], num: int) -> str:
    """What to say of records, id -> why, out of ``num`` that were asked about."""
    name, why = next(iter(problems.items()))
    more = f" and {len(problems) - 1:,} more" if len(problems) > 1 else ""
    return f"{len(problems):,} of {num:,} sequences cannot be judged: '{name}' ({why}){more}"
