"""What all models in memory have in common."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdesign.errors import UsageError
from seqdesign.families import judged_rows
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import TokenArray
from seqdesign.sequences.options import LetterPolicy, encode_with
from seqdesign.sequences.reader import SequenceSet
from seqdesign.verbs.data import sequence_set
from seqdesign.verbs.options import pick

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 1024


class Model:
    """A trained model: ``kind`` of its folder, ``alphabet``, and ``quality``, its held-out figures."""

    kind = ""

    def __init__(self, alphabet: Alphabet, quality: Any = None, name: str = "") -> None:
        self.alphabet, self.quality, self.name = alphabet, quality, name or f"{self.kind} in memory"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, {self.alphabet.name}>"

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the folder that every command and ``load`` can open; returns it. Raises OutputError."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        self._write(path)
        return path

    def _write(self, path: Path) -> None:
        """The files of its family, into a folder that is there."""
        raise NotImplementedError

    def predict(self, sequences: Any, **options: Any) -> pd.DataFrame:
        """One row a sequence; see `predict`."""
        raise UsageError(f"a {self.kind} predicts nothing; use a predictor or a VAE", option="model")

    def sample(self, num: int, *, seed: int = 0) -> list[str]:
        """``num`` new sequences; see `sample`."""
        raise UsageError(f"a {self.kind} writes no sequences; use a VAE or a GAN", option="model")

    def _encoded(self, sequences: Any, options: Mapping[str, Any]) -> tuple[SequenceSet, TokenArray]:
        records = sequence_set(sequences)
        array = encode_with(pick(LetterPolicy, options), records, self.alphabet)
        return records.take(array.kept), array


def table_of(rows: Any, records: SequenceSet, array: TokenArray) -> pd.DataFrame:
    """All rows as a DataFrame without the columns of measurements."""
    import pandas as pd

    columns = [name for name in rows.columns if not name.endswith("measured")]
    parts: Iterator[dict[str, Any]] = (
        row
        for first in range(0, len(records), BLOCK)
        for row, _ in judged_rows(
            rows,
            array.take(np.arange(first, min(first + BLOCK, len(records)))),
            records.take(np.arange(first, min(first + BLOCK, len(records)))),
        )
    )
    return pd.DataFrame(list(parts), columns=columns).replace({None: math.nan})
