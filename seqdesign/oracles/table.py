"""An oracle that looks the outcome up: a landscape in which many or all sequences have been measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqdesign.errors import InputError
from seqdesign.metrics.edits import CodeArray, hamming_matrix, letter_codes, levenshtein_matrix

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_BLOCK_CELLS = 8_000_000  # distances held at once by best_within


class BestNeighbours(NamedTuple):
    """The best measured sequence near each start. Where none is measured, the start itself and NaN."""

    sequences: list[str]
    values: FloatArray
    edits: IntArray


class TableOracle:
    """Measured values of ``sequences`` (N), looked up by exact spelling.

    ``num_queries`` counts the sequences asked for through ``oracle(sequences)``.

    Raises `InputError` if the counts differ, a sequence occurs twice, or a value is not finite.
    """

    def __init__(self, sequences: Sequence[str], values: npt.ArrayLike) -> None:
        self.sequences = list(sequences)
        self.values: FloatArray = np.array(values, dtype=np.float64)
        self.num_queries = 0
        if self.values.shape != (len(self.sequences),):
            raise InputError(
                f"values must be one number per sequence, got {len(self.sequences)} sequences "
                f"and values of shape {self.values.shape}"
            )
        self._index = {sequence: row for row, sequence in enumerate(self.sequences)}
        if len(self._index) != len(self.sequences):
            row = next(row for row, s in enumerate(self.sequences) if self._index[s] != row)
            raise InputError(
                f"sequences must be unique, got {self.sequences[row]!r} more than once; "
                "merge its values first"
            )
        if not np.isfinite(self.values).all():
            row = int(np.flatnonzero(~np.isfinite(self.values))[0])
            raise InputError(
                f"values must be finite, got {self.values[row]} for {self.sequences[row]!r}; leave it out"
            )
        self._codes: dict[int, tuple[IntArray, CodeArray]] = {}

    def __len__(self) -> int:
        """Number of measured sequences."""
        return len(self.sequences)

    def __call__(self, sequences: Sequence[str]) -> FloatArray:
        """Measured value of each sequence, NaN where there is none, shape (N,)."""
        self.num_queries += len(sequences)
        return self._lookup(sequences)

    def contains(self, sequences: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Whether each sequence has a measured value, shape (N,)."""
        return np.array([sequence in self._index for sequence in sequences], dtype=np.bool_)

    def best_within(
        self, starts: Sequence[str], max_edits: int, *, same_length: bool = True
    ) -> BestNeighbours:
        """The measured sequence with the largest value at most ``max_edits`` edits from each start.

        With ``same_length`` an edit is a substitution (Hamming distance); otherwise insertions and deletions
        count too (Levenshtein distance). The start competes if it is measured; ties go to the earlier row
        of the table. The search sees the whole table and is not counted in ``num_queries``.
        """
        if max_edits < 0:
            raise ValueError(f"max_edits must be at least 0, got {max_edits}")
        result = BestNeighbours(
            list(starts), np.full(len(starts), np.nan), np.zeros(len(starts), dtype=np.int64)
        )
        lengths = np.array([len(start) for start in starts], dtype=np.int64)
        for length in np.unique(lengths):
            group = np.flatnonzero(lengths == length)
            rows, codes = self._rows(int(length)) if same_length else (np.arange(len(self)), None)
            if len(rows) == 0:
                continue
            step = max(1, _BLOCK_CELLS // len(rows))
            for block in (group[i : i + step] for i in range(0, len(group), step)):
                asked = [starts[i] for i in block]
                distances = (
                    levenshtein_matrix(asked, self.sequences)
                    if codes is None
                    else hamming_matrix(letter_codes(asked), codes)
                )
                self._keep_best(result, block, rows, distances, max_edits)
        return result

    def _keep_best(
        self,
        result: BestNeighbours,
        block: IntArray,
        rows: IntArray,
        distances: npt.NDArray[np.int32] | IntArray,
        max_edits: int,
    ) -> None:
        """Write the winners among ``rows`` for the starts in ``block`` into ``result``."""
        near = np.where(distances <= max_edits, self.values[rows], -np.inf)
        best = near.argmax(axis=1)
        for place, i in enumerate(block):
            column = best[place]
            if near[place, column] > -np.inf:
                result.sequences[i] = self.sequences[rows[column]]
                result.values[i] = near[place, column]
                result.edits[i] = distances[place, column]

    def _lookup(self, sequences: Sequence[str]) -> FloatArray:
        rows = np.array([self._index.get(sequence, -1) for sequence in sequences], dtype=np.int64)
        found = rows >= 0
        values = np.full(len(rows), np.nan)
        values[found] = self.values[rows[found]]
        return values

    def _rows(self, length: int) -> tuple[IntArray, CodeArray]:
        """Table rows of one length and their letter codes, encoded on first use."""
        if length not in self._codes:
            rows = np.array([i for i, s in enumerate(self.sequences) if len(s) == length], dtype=np.int64)
            self._codes[length] = rows, letter_codes([self.sequences[i] for i in rows])
        return self._codes[length]
