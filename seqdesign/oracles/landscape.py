"""A table of measurements as an oracle: the value of a sequence is what was measured."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from seqdesign.errors import InputError
from seqdesign.oracles.table import TableOracle
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import decode
from seqdesign.sequences.reader import read_sequences

Missing = Literal["error", "nan"]


class LandscapeOracle:
    """Looks sequences up in a table. Without gradients.

    missing: what a sequence without a value is, an error or NaN, which an objective never chooses.
    """

    differentiable = False

    def __init__(
        self, table: TableOracle, *, alphabet: Alphabet, outcome: str = "outcome", missing: Missing = "error"
    ) -> None:
        self.table, self.alphabet, self.missing = table, alphabet, missing
        self.outcomes: tuple[str, ...] = (outcome,)

    def __call__(self, x: Tensor, /) -> Tensor:
        """Values (1, N, 1) of one-hot (N, V, L). Raises InputError for a sequence that was not measured."""
        sequences = decode(x.argmax(1).cpu(), self.alphabet)
        values = self.table(sequences)
        unknown = np.isnan(values)
        if self.missing == "error" and unknown.any():
            sequence = sequences[int(unknown.argmax())]
            raise InputError(
                f"{int(unknown.sum()):,} of {len(sequences):,} sequences are not in the table of "
                f"{len(self.table):,} measurements, such as {sequence}; partial-table:FILE never "
                "chooses such sequences"
            )
        return torch.as_tensor(values, dtype=x.dtype, device=x.device).view(1, -1, 1)


def read_landscape(
    path: str | os.PathLike[str],
    *,
    alphabet: Alphabet,
    outcome: str | None = None,
    sequence: str | None = None,
    missing: Missing = "error",
) -> LandscapeOracle:
    """The oracle of a file of sequences with outcomes; ``dataset:NAME`` is bundled data.

    outcome: the column or header key. sequence: the column of the sequences. Records without a number are
    left out.

    Raises InputError for a file without outcomes, repeated sequences, or what cannot be read.
    """
    records = read_sequences(
        path, sequence_column=sequence, outcome=outcome, on_missing="unlabelled", on_duplicate="keep"
    )
    if records.outcomes is None:
        raise InputError(
            "no record has an outcome; it needs a column outcome, or outcome=NUMBER in headers", path=path
        )
    kept = np.flatnonzero(~np.isnan(records.outcomes))
    names = [records.sequences[i] for i in kept]
    if not alphabet.case_sensitive:
        names = [name.upper() for name in names]
    return LandscapeOracle(
        TableOracle(names, records.outcomes[kept]),
        alphabet=alphabet,
        outcome=outcome or "outcome",
        missing=missing,
    )
