"""Codon usage as an outcome: the codon adaptation index of reading frames, also of soft sequences.

Shapes: N sequences, V = 4 nucleotides, L positions, c codons of a frame; M members, K outcomes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from seqdesign.errors import UsageError
from seqdesign.oracles.oracle import Oracle, num_members
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.lab.codon_usage import OPTION, codon_usage

CAI = "cai"
"""Name of the outcome."""
CAI_UNIT = 0.1
"""What counts as one standard deviation of it beside other outcomes."""
Frame = tuple[int, int, bool]
"""The first position, the one behind the last, counted from 0, and whether it is read on the minus strand."""


def with_cai(objective: Sequence[str]) -> tuple[str, ...]:
    """Goals as text, to which raising the index is added where none of them names it."""
    named = any(re.match(rf"[a-z-]+:{CAI}(?![^=*])", text) for text in objective)
    return tuple(objective) if named else (*(objective or ("max",)), f"max:{CAI}")


class CodonScore:
    """Codon adaptation index (Sharp & Li 1987) of one-hot or soft sequences.

    That of soft sequences takes the expected log w of the codons that are expected to count, all positions
    being independent. Without a codon that counts it is 1. Raises UsageError for an unknown host and for
    alphabets that have no codons.
    """

    def __init__(self, host: str, frames: Sequence[Frame], alphabet: Alphabet, codon_table: int = 1) -> None:
        if alphabet.name not in ("dna", "rna"):
            raise UsageError(
                f"codon usage is a matter of DNA and RNA, but the alphabet is {alphabet.name}; leave it out",
                option=OPTION,
            )
        usage = codon_usage(host, codon_table)
        self.frames = []
        for first, end, minus in frames:
            logs, counts = usage.table(alphabet.letters, minus=minus)
            count = torch.tensor(counts, dtype=torch.float64)
            self.frames.append((first, end, torch.tensor(logs, dtype=torch.float64) * count, count))

    def __call__(self, x: Tensor) -> Tensor:
        """Indices (N,) of sequences (N, V, L)."""
        total, counted = x.new_zeros(len(x)), x.new_zeros(len(x))
        for first, end, logs, count in self.frames:
            a, b, c = x[:, :, first:end].unflatten(2, (-1, 3)).unbind(3)
            codons = torch.einsum("nxc,nyc,nzc->nxyz", a, b, c).flatten(1)
            total = total + codons @ logs.to(x)
            counted = counted + codons @ count.to(x)
        # Where nothing counts, nothing is lost.
        return (total / counted.clamp(min=1e-6)).exp()


class BesideOracle:
    """``oracle`` with the codon adaptation index as one more outcome, the same for all members."""

    def __init__(self, oracle: Oracle, score: CodonScore) -> None:
        self.oracle, self.score = oracle, score
        self.alphabet, self.differentiable = oracle.alphabet, oracle.differentiable
        self.outcomes = (*oracle.outcomes, CAI)
        self.num_members = num_members(oracle)

    def __call__(self, x: Tensor, /) -> Tensor:
        """Predictions (M, N, K + 1)."""
        return beside(self.oracle(x), self.score(x))


def beside(predictions: Tensor, exact: Tensor) -> Tensor:
    """Predictions (..., N, K) with one more outcome (N,) that is known exactly."""
    column = exact.to(predictions).unsqueeze(-1).expand(*predictions.shape[:-1], 1)
    return torch.cat([predictions, column], -1)
