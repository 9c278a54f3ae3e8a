"""Labelled sequences as tensors, in memory once and cast batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from seqdesign.sequences.encoders import TokenArray

STEP = 16


class Batch(NamedTuple):
    """tokens (N, L) int64 padded, lengths (N,) int64, outcomes (N,) float32 in user units, NaN = none."""

    tokens: Tensor
    lengths: Tensor
    outcomes: Tensor


@dataclass(frozen=True, eq=False)
class TokenData:
    """tokens (N, L) uint8 or int16, lengths (N,) int64, outcomes (N,) float32 with NaN = unlabelled."""

    tokens: Tensor
    lengths: Tensor
    outcomes: Tensor

    @classmethod
    def of(cls, array: TokenArray, outcomes: NDArray[np.float64] | None) -> TokenData:
        """Tensors of encoded sequences; ``outcomes`` (N,) in the user's units, None = unlabelled."""
        values = np.full(len(array), np.nan) if outcomes is None else outcomes
        return cls(
            torch.from_numpy(array.tokens.copy()),
            torch.from_numpy(array.lengths.copy()),
            torch.from_numpy(values.astype(np.float32)),
        )

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def typical_length(self) -> int:
        """Mean length."""
        return int(self.lengths.double().mean())

    @cached_property
    def cut(self) -> Cut:
        """Where batches end."""
        return Cut(self.lengths, self.tokens.shape[1])

    def first(self, n: int) -> TokenData:
        """The first rows."""
        return TokenData(self.tokens[:n], self.lengths[:n], self.outcomes[:n])

    def to(self, device: torch.device) -> TokenData:
        """The same on another device."""
        return TokenData(self.tokens.to(device), self.lengths.to(device), self.outcomes.to(device))

    def batches(self, order: Tensor, num: int, rng: Generator) -> Sequence[Tensor]:
        """``num`` batches of the rows ``order`` (N,); see ``similar_lengths``."""
        return similar_lengths(self.cut.lengths, order, num, rng)

    def rows(self, index: Tensor) -> Batch:
        """The chosen rows as a batch: int64 tokens, cut to the longest of them."""
        index, longest = self.cut.of(index)
        return Batch(self.tokens[index, :longest].long(), self.lengths[index], self.outcomes[index])

    def fingerprint(self) -> str:
        """SHA-256 of the data, so that a run is not resumed on other data."""
        digest = hashlib.sha256()
        for tensor in (self.tokens, self.lengths, self.outcomes):
            digest.update(str(tuple(tensor.shape)).encode())
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()


class Cut:
    """The longest row of a batch, found by the host from a copy of the ``lengths`` (N,) of all rows.

    On GPUs it is rounded up to a multiple of STEP, so that there are few shapes; ``width`` is that of all.
    """

    def __init__(self, lengths: Tensor, width: int) -> None:
        self.device, self.lengths, self.width = lengths.device, lengths.cpu(), width
        one = len(lengths) == 0 or bool((self.lengths == self.lengths[0]).all())
        self.fixed = int(self.lengths[0]) if one and len(lengths) else None

    def of(self, index: Tensor) -> tuple[Tensor, int]:
        """The rows (B,) on the device of the data, and how many letters to take of them."""
        there = index.to(self.device, non_blocking=True)
        if self.fixed is not None:
            return there, self.fixed
        longest = int(self.lengths[index.cpu()].max())
        if self.device.type == "cuda":
            longest = min(self.width, -(-longest // STEP) * STEP)
        return there, longest


def similar_lengths(lengths: Tensor, order: Tensor, num: int, rng: Generator) -> Sequence[Tensor]:
    """``num`` batches of the rows ``order`` (N,), on the CPU; their sizes differ by one at most.

    Where ``lengths`` differ, rows of similar length share a batch, or most of the work would be padding:
    stretches of 16 batches are sorted by length, and the batches then come in random order.
    """
    plain = order.tensor_split(num)
    if bool((lengths == lengths[0]).all()):
        return plain
    found: list[Tensor] = []
    for first in range(0, num, 16):
        several = plain[first : first + 16]
        stretch = torch.cat(several)
        by_length = stretch[lengths[stretch].sort(stable=True).indices]
        found.extend(by_length.split([len(batch) for batch in several]))
    return [found[i] for i in torch.randperm(len(found), generator=rng).tolist()]
