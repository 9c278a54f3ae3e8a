"""What design asks of anything that scores sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class Divisible(Oracle, Protocol):
    """An ensemble that can be asked for some of its members at less cost than for all."""

    def only(self, members: Sequence[int], /) -> Oracle:
        """These members alone."""
        ...


class _Some:
    """Some members of an oracle that computes all of them."""

    def __init__(self, oracle: Oracle, members: Sequence[int]) -> None:
        self.oracle, self.members, self.num_members = oracle, list(members), len(members)
        self.alphabet, self.outcomes = oracle.alphabet, oracle.outcomes
        self.differentiable = oracle.differentiable

    def __call__(self, x: Tensor, /) -> Tensor:
        """Predictions (M, N, K) of these members."""
        return self.oracle(x)[self.members]


def only(oracle: Oracle, members: Sequence[int]) -> Oracle:
    """An oracle of some members, which costs no more than it must, as to design by some and judge by others.

    Raises ValueError without members.
    """
    if not members:
        raise ValueError("members must name at least one member of the ensemble")
    if list(members) == list(range(num_members(oracle))):
        return oracle
    return oracle.only(members) if isinstance(oracle, Divisible) else _Some(oracle, members)


def num_members(oracle: Oracle) -> int:
    """M; an oracle that is an ensemble says so by an attribute ``num_members``, any other is 1."""
    return int(getattr(oracle, "num_members", 1))
