"""What design asks of anything that scores sequences."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from seqdesign.sequences.alphabets import Alphabet


class Oracle(Protocol):
    """One-hot sequences of one length (N, V, L) -> predictions (M, N, K).

    M members of an ensemble (1 without one), K outcomes. Class probabilities come as log-odds, so that
    nothing saturates. The result of a row never depends on the other rows.
    """

    alphabet: Alphabet
    outcomes: tuple[str, ...]
    """Names of the K outcomes."""
    differentiable: bool
    """Whether a gradient with respect to soft input exists; else input is one-hot exactly."""

    def __call__(self, x: Tensor, /) -> Tensor:
        """Predictions (M, N, K)."""
        ...


def num_members(oracle: Oracle) -> int:
    """M; an oracle that is an ensemble says so by an attribute ``num_members``, any other is 1."""
    return int(getattr(oracle, "num_members", 1))
