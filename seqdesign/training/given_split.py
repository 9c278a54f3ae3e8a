"""A split that the user's table gives: train, validation and test, or folds, in a column."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.encoders import TokenArray
from seqdesign.sequences.reader import SequenceSet
from seqdesign.training.splitting import MIN_SEQUENCES, Indices, equal

OPTION = "--split-column"
WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "held-out", "held out", "heldout", "holdout"),
}
"""Part -> what people write for it; case does not matter."""
MOST_FOLDS = 64


@dataclass(frozen=True, eq=False)
class GivenSplit:
    """Which of N rows are learned from (0), which calibrate or stop (1), and which judge (2).

    Without rows of part 1, those of part 2 do both, as with any other split. folds (N,): labels of the folds
    of a cross-validation, each of which judges a member; None without folds. said: the split in words.
    """

    part: NDArray[np.int64]
    said: str
    folds: Indices | None = None

    def take(self, rows: Indices) -> GivenSplit:
        """Some of the rows."""
        return replace(self, part=self.part[rows], folds=None if self.folds is None else self.folds[rows])

    @property
    def train(self) -> Indices:
        """Rows to learn from."""
        return np.flatnonzero(self.part == 0)

    @property
    def calibration(self) -> Indices:
        """Rows that calibrate or stop: of validation, or of the test where there are none."""
        own = np.flatnonzero(self.part == 1)
        return own if len(own) else self.held_out

    @property
    def held_out(self) -> Indices:
        """Rows that judge: of the test, or of validation where there are none."""
        test = np.flatnonzero(self.part == 2)
        return test if len(test) else np.flatnonzero(self.part == 1)

    @property
    def has_validation(self) -> bool:
        """Whether other rows calibrate than judge."""
        return bool((self.part == 1).any() and (self.part == 2).any())

    def check(self, tokens: TokenArray) -> tuple[str, ...]:
        """What should be known of the split of these rows. Raises InputError for parts that are too small."""
        if len(self.train) < MIN_SEQUENCES or not len(self.held_out):
            raise InputError(
                f"{OPTION}: {len(self.train)} rows to learn from and {len(self.held_out)} held out; at least "
                f"{MIN_SEQUENCES} and 1 are needed"
            )
        same = equal(tokens)
        shared = int(np.isin(same[self.held_out], same[self.train]).sum())
        if not shared:
            return ()
        said = (
            f"{shared:,} of the {len(self.held_out):,} held-out rows hold a sequence that is learned from as "
            "well (or its reverse complement): the split is as the table gives it, and the figures flatter"
        )
        return (said,)

    def fingerprint(self) -> str:
        """SHA-256 of the parts, so that a run is not resumed on others."""
        return hashlib.sha256(self.part.tobytes()).hexdigest()


def split_column(text: str, columns: Sequence[str] | None = None) -> tuple[str, str | None]:
    """(column, value) of ``COLUMN`` or ``COLUMN=VALUE``; the whole text where a column is called so."""
    if "=" not in text or (columns is not None and text in columns):
        return text, None
    column, _, value = text.rpartition("=")
    return column, value.strip()


def read_split(records: SequenceSet, column: str, fold: str | None = None) -> GivenSplit:
    """The split in a column: words for parts, or folds, of which ``fold`` or the last is held out.

    Raises InputError for an empty cell or a mixture, naming it, and UsageError for a fold that is not there.
    """
    cells = [cell.strip() for cell in records.columns[column]]
    missing = [i for i, cell in enumerate(cells) if records.cells.is_missing(cell)]
    if missing:
        raise _wrong(records, missing[0], f"column '{column}' says nothing here; give every row its part")
    place = {word: i for i, words in enumerate(WORDS.values()) for word in words}
    known = [place.get(cell.lower(), -1) for cell in cells]
    if any(i >= 0 for i in known):
        if -1 in known:
            row = known.index(-1)
            raise _wrong(
                records, row, f"column '{column}' has {cells[row]!r} among train, validation and test"
            )
        if fold is not None:
            raise UsageError(f"'{column}' holds parts, not folds; leave ={fold} out", option=OPTION)
        part = np.array(known, dtype=np.int64)
        counts = ", ".join(f"{int((part == i).sum()):,} {name}" for i, name in enumerate(WORDS))
        return GivenSplit(part, f"column '{column}': {counts}")
    return _folds(cells, column, fold)


def _folds(cells: list[str], column: str, fold: str | None) -> GivenSplit:
    names = sorted(set(cells), key=_order)
    if not 2 <= len(names) <= MOST_FOLDS:
        raise UsageError(
            f"'{column}' has {len(names)} different values, such as {names[0]!r}; it must hold train, "
            f"validation and test, or 2 to {MOST_FOLDS} folds",
            option=OPTION,
        )
    chosen = names[-1] if fold is None else fold
    if chosen not in names:
        raise UsageError(f"'{column}' has no fold {chosen!r}; there are {', '.join(names)}", option=OPTION)
    labels = np.array([names.index(cell) for cell in cells], dtype=np.int64)
    part = np.where(labels == names.index(chosen), 2, 0).astype(np.int64)
    said = f"column '{column}': fold {chosen} of {len(names)} is held out"
    return GivenSplit(part, said, labels if len(names) > 2 else None)


def _order(cell: str) -> tuple[int, float, str]:
    """Numbers by their size, then text."""
    try:
        return 0, float(cell), cell
    except ValueError:
        return 1, 0.0, cell


def _wrong(records: SequenceSet, row: int, message: str) -> InputError:
    line = None if records.lines is None else int(records.lines[row])
    return InputError(message, path=records.source or None, line=line, record=records.ids[row])
