"""Which of two sets a sequence looks like: logistic regression on words, and on letters at each position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from seqdesign.metrics.classifier import logistic_ridge
from seqdesign.metrics.kmers import kmer_matrix, position_matrix

FloatArray = NDArray[np.float64]

LONGEST = 6
LEAST, MOST, CLEAR = 4, 400, 3.0
"""Columns that are looked at: those whose shares in both sets differ by three standard errors; as many as
these say."""
PENALTY = 0.5
_COLUMNS = 100_000
_ARRAYS = ("columns", "centre", "spread", "weights")


class Recogniser:
    """Learned from texts of both sets; both sets count the same, however large they are.

    Raises ValueError where either set is empty.
    """

    def __init__(self, a: Sequence[str], b: Sequence[str], letters: str) -> None:
        if not a or not b:
            raise ValueError("a recogniser needs sequences of both sets")
        texts = [*a, *b]
        self.letters = letters
        self.length = len(texts[0]) if len({len(text) for text in texts}) == 1 else None
        middle = int(np.median([len(text) for text in texts]))
        self.words = [k for k in range(1, LONGEST + 1) if k <= middle and len(letters) ** k <= _COLUMNS] or [
            1
        ]
        rows = self._rows(texts)
        parts = [rows[: len(a)], rows[len(a) :]]
        shares = np.array([np.asarray(part.mean(axis=0)) for part in parts])
        pooled = shares.mean(axis=0)
        error = np.sqrt(pooled * (1 - pooled) * (1 / len(a) + 1 / len(b)) + 1.0 / len(texts) ** 2)
        apart = np.abs(shares[1] - shares[0]) / error
        order = np.argsort(-apart, kind="stable")
        useful = int((apart > CLEAR).sum())
        self.columns = np.sort(order[: min(max(useful, LEAST), MOST)])
        # The rows of the smaller set count several times, so that neither set is the better guess.
        most = max(len(a), len(b))
        drawn = [np.arange(most) % len(a), len(a) + np.arange(most) % len(b)]
        chosen = rows[np.concatenate(drawn)][:, self.columns].toarray()
        self.centre, spread_of = chosen.mean(axis=0), chosen.std(axis=0)
        self.spread = np.where(spread_of > 0, spread_of, 1.0)
        scaled = (chosen - self.centre) / self.spread
        self.weights = logistic_ridge(scaled, np.repeat([0.0, 1.0], most), PENALTY * np.sqrt(2 * most))

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        """Log-odds (N,) that each text is one of set b rather than of set a."""
        rows = (self._rows(texts)[:, self.columns].toarray() - self.centre) / self.spread
        return np.asarray(rows @ self.weights[:-1] + self.weights[-1])

    def to_dict(self) -> dict[str, Any]:
        """JSON object; the letters are the alphabet's."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return {"length": self.length, "words": self.words, **arrays}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], letters: str) -> Recogniser:
        """Inverse of ``to_dict``."""
        made = cls.__new__(cls)
        made.letters, made.length, made.words = letters, values["length"], list(values["words"])
        for name in _ARRAYS:
            setattr(made, name, np.array(values[name]))
        return made

    def _rows(self, texts: Sequence[str]) -> csr_array:
        """Whether each word occurs, and which letter is where if all texts have one length; (N, D)."""
        parts = [(kmer_matrix(texts, self.letters, k) > 0).astype(np.float64) for k in self.words]
        if self.length is not None:
            same = [text if len(text) == self.length else "\0" * self.length for text in texts]
            parts.append(position_matrix(same, self.letters))
        return csr_array(hstack(parts))
