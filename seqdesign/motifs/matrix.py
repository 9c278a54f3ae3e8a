"""A matrix of positions and letters as a file holds it, before it becomes a motif or a logo.

Two questions are answered here for every format: which axis are the letters, and what do the numbers count.
What the numbers do not decide is refused by name, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.motifs.motif import DEFAULT_SITES, Motif
from seqdesign.sequences.alphabets import ALPHABETS

FloatArray = NDArray[np.float64]

Quantity = Literal["counts", "probabilities", "percentages", "weights"]

STANDARD = tuple(alphabet.letters for alphabet in ALPHABETS.values())
"""The alphabets whose letters may be known by their number or their set."""
BY_SIZE = {4: "ACGT", 20: ALPHABETS["protein"].letters, 21: ALPHABETS["protein-stop"].letters}
"""What a matrix without letters is over, by the number of its letters."""
_SHARES = 0.05  # rounded probabilities of a position may miss one by this much
_PERCENT = 1.0
_EVEN = 0.01  # totals that differ by less, relative to the largest, are equal


@dataclass(frozen=True, eq=False)
class Matrix:
    """L positions by V letters, with the numbers as they stand in the file."""

    id: str
    name: str
    letters: str
    """The V letters in column order."""
    values: FloatArray
    """(L, V)."""
    source: str = ""
    line: int | None = None
    """Where it begins."""
    sites: float | None = None
    """Number of sequences behind it, where the file says."""
    counted: bool = False
    """Whether its format holds counts or probabilities only, so that totals may differ between positions."""
    note: str = ""
    """What a reader of the logo should know about how it was read."""

    @property
    def label(self) -> str:
        """Id and name, once if they are the same."""
        return self.id if self.name in ("", self.id) else f"{self.id} {self.name}"

    @property
    def quantity(self) -> Quantity:
        """What the numbers are; see ``quantity_of``."""
        found = quantity_of(self.values)
        return "counts" if found == "weights" and self.counted and not np.any(self.values < 0) else found

    def motif(self) -> Motif:
        """The motif of these counts or probabilities. Raises InputError for weights and empty positions."""
        values, what = self.values, self.quantity
        if np.any(values < 0):
            raise self.error(
                "holds negative numbers, so log-odds or other weights, and no probabilities; give the matrix "
                "of counts or probabilities that it was made from"
            )
        totals = values.sum(axis=1, keepdims=True)
        empty = np.flatnonzero(totals[:, 0] <= 0)
        if empty.size:
            raise self.error(f"position {int(empty[0]) + 1} has no letter: all its numbers are 0")
        known = float(totals.max()) if what == "counts" else DEFAULT_SITES
        return Motif(self.id, self.name, self.letters, values / totals, self.sites or known)

    def error(self, message: str) -> InputError:
        """The message with file, line and id."""
        return InputError(f"motif {self.label}: {message}", path=self.source, line=self.line)


def quantity_of(values: FloatArray) -> Quantity:
    """What (L, V) numbers are, by themselves.

    Probabilities add up to one at every position, percentages to a hundred. Counts are whole, or add up to
    the same number everywhere. A position without any letter is all zero. Anything else is weights, also
    where no number is negative: information in bits, attributions, counts of different weight.
    """
    totals = values.sum(axis=1)
    some = totals[totals > 0]
    if np.any(values < 0) or not some.size:
        return "weights"
    if np.all(np.abs(some - 1.0) <= _SHARES):
        return "probabilities"
    if np.all(values % 1 == 0):
        return "counts"
    if np.all(np.abs(some - 100.0) <= _PERCENT):
        return "percentages"
    return "counts" if some.size > 1 and _even(some) and some.max() >= 2 else "weights"


def in_order(letters: Sequence[str], values: FloatArray) -> tuple[str, FloatArray]:
    """The letters of a standard alphabet, and the columns of (L, V) ``values``, in that alphabet's order.

    Lower case is read as upper case, unless that would make two letters one. Other letters stay as they are.
    """
    upper = [letter.upper() for letter in letters]
    names = upper if len(set(upper)) == len(upper) else list(letters)
    standard = standard_of(names)
    if standard is None:
        return "".join(names), values
    return standard, values[:, [names.index(letter) for letter in standard]]


def standard_of(letters: Sequence[str]) -> str | None:
    """The letters of the standard alphabet with exactly these letters, in any order and case."""
    wanted = sorted(letter.upper() for letter in letters)
    return next((s for s in STANDARD if sorted(s) == wanted), None)


@dataclass(frozen=True, eq=False)
class Bare:
    """Numbers whose rows and columns have no letters, (R, C)."""

    values: FloatArray
    letters: str | None = None
    """The letters, where the user has named an alphabet."""

    def ways(self, sizes: Sequence[int]) -> tuple[bool, bool]:
        """Whether rows can be positions (and columns letters), and whether rows can be letters."""
        wanted = (len(self.letters),) if self.letters else sizes
        rows, columns = self.values.shape
        return columns in wanted, rows in wanted

    def rows_are_positions(self) -> bool | None:
        """What the totals say: letters of one position add up to what those of every other do.

        A sequence with one number at each position, such as an attribution, tells as well. None if the
        numbers fit both ways or neither.
        """
        by_row, by_column = _one_each(self.values), _one_each(self.values.T)
        return by_row if by_row != by_column else None

    def oriented(self, rows_are_positions: bool) -> tuple[str, FloatArray]:
        """Letters and (L, V) values."""
        values = self.values if rows_are_positions else self.values.T
        return self.letters or BY_SIZE[values.shape[1]], np.ascontiguousarray(values)


def _one_each(values: FloatArray) -> bool:
    totals = values.sum(axis=1)
    even = bool(np.all(values >= 0)) and bool(np.all(totals > 0)) and _even(totals)
    return even or bool(np.all((values != 0).sum(axis=1) == 1))


def _even(totals: FloatArray) -> bool:
    return bool(totals.max() - totals.min() <= _EVEN * totals.max())


def with_letters(matrix: Matrix, letters: str, *, convert_ut: bool) -> Matrix:
    """The matrix over the ``letters`` that the user has named. Raises InputError if it has others.

    ``convert_ut`` reads U as T for DNA, T as U for RNA.
    """
    given = matrix.letters
    if convert_ut:
        given = given.replace("U", "T") if "T" in letters else given.replace("T", "U")
    if sorted(given) != sorted(letters):
        advice = (
            "; it looks like DNA or RNA: add --convert-ut"
            if sorted(given.replace("U", "T")) == sorted(letters.replace("U", "T"))
            else ""
        )
        raise matrix.error(f"is over {matrix.letters}, not over {letters} as --alphabet says{advice}")
    order = [given.index(letter) for letter in letters]
    return replace(matrix, letters=letters, values=matrix.values[:, order])
