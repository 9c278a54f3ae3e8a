"""A motif as letter probabilities, and the weights by which a window is scored."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DEFAULT_SITES = 20.0
"""How many sites a matrix of probabilities counts for when its file does not say."""


@dataclass(frozen=True, eq=False)
class Motif:
    """w positions by V letters. ``sites`` is the number of sequences that the probabilities come from."""

    id: str
    name: str
    letters: str
    """The V letters in column order."""
    probabilities: FloatArray
    """(w, V); each row sums to one."""
    sites: float = DEFAULT_SITES

    def __post_init__(self) -> None:
        p = self.probabilities
        if p.ndim != 2 or p.shape[1] != len(self.letters) or not p.shape[0]:
            raise ValueError(
                f"motif {self.id} must have shape (w, {len(self.letters)}) with w >= 1, got {p.shape}"
            )
        if not np.all(p >= 0) or not np.allclose(p.sum(axis=1), 1.0, atol=1e-6):
            raise ValueError(f"motif {self.id}: the probabilities of every position must sum to one")

    @property
    def width(self) -> int:
        """Positions."""
        return int(self.probabilities.shape[0])

    @property
    def label(self) -> str:
        """Id and name, once if they are the same."""
        return self.id if self.name in ("", self.id) else f"{self.id} {self.name}"

    @property
    def consensus(self) -> str:
        """The most probable letter of each position."""
        return "".join(self.letters[i] for i in self.probabilities.argmax(axis=1))

    def reverse_complement(self) -> Motif:
        """The same motif on the other strand; only for letters in the order A, C, G, T (or U)."""
        if self.letters not in ("ACGT", "ACGU"):
            raise ValueError(f"only DNA and RNA have a reverse complement, got letters {self.letters}")
        return replace(self, probabilities=np.ascontiguousarray(self.probabilities[::-1, ::-1]))

    def smoothed(self, background: FloatArray, pseudocount: float) -> FloatArray:
        """(w, V) probabilities with ``pseudocount`` sites of the background (V,) added to each position."""
        weight = self.sites + pseudocount
        mixed: FloatArray = (self.sites * self.probabilities + pseudocount * background) / weight
        return mixed

    def weights(self, background: FloatArray, pseudocount: float) -> FloatArray:
        """(w, V) log2(p / background) in bits; a window's score is the sum over its letters."""
        if pseudocount <= 0:
            raise ValueError(f"pseudocount must be above 0, got {pseudocount}")
        scores: FloatArray = np.log2(self.smoothed(background, pseudocount) / background)
        return scores


def information_per_position(probabilities: FloatArray) -> FloatArray:
    """(w, V) -> (w,) bits: log2 V minus the entropy of each position."""
    p = probabilities
    entropy = -np.sum(p * np.log2(np.where(p > 0, p, 1.0)), axis=1)
    content: FloatArray = np.log2(p.shape[1]) - entropy
    return content
