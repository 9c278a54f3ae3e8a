"""Pairs of sequences as tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from seqdesign.models.similarity.teachers import Teacher
from seqdesign.training.data import Cut


class PairBatch(NamedTuple):
    """tokens (S, L) int64 padded, lengths (S,) int64; places first, second (P,) int64 of pairs among them,
    and how alike they are, (P,) float32 in 0 .. 1.
    """

    tokens: Tensor
    lengths: Tensor
    first: Tensor
    second: Tensor
    score: Tensor


@dataclass(frozen=True, eq=False)
class PairData:
    """tokens (M, L) of all sequences with lengths (M,), and who says which of them are alike."""

    tokens: Tensor
    lengths: Tensor
    teacher: Teacher

    def __len__(self) -> int:
        return self.teacher.num_rows

    @property
    def typical_length(self) -> int:
        """Mean length."""
        return int(self.lengths.double().mean())

    @cached_property
    def cut(self) -> Cut:
        """Where batches end."""
        return Cut(self.lengths, self.tokens.shape[1])

    def to(self, device: torch.device) -> PairData:
        """The same on another device."""
        return replace(self, tokens=self.tokens.to(device), lengths=self.lengths.to(device))

    def batches(self, order: Tensor, num: int, rng: Generator) -> Sequence[Tensor]:
        """``num`` batches of the rows ``order`` (N,), not by length: pairs are to be of all kinds."""
        return order.tensor_split(num)

    def rows(self, index: Tensor) -> PairBatch:
        """The chosen rows as a batch."""
        lesson = self.teacher.lesson(index.cpu().numpy())
        members, longest = self.cut.of(torch.from_numpy(lesson.members))
        there = self.tokens.device
        first, second, score = (
            torch.from_numpy(part).to(there) for part in (lesson.first, lesson.second, lesson.score)
        )
        return PairBatch(
            self.tokens[members, :longest].long(), self.lengths[members], first, second, score.float()
        )

    def fingerprint(self) -> str:
        """SHA-256 of the sequences and of what is said of the first pairs."""
        digest = hashlib.sha256(self.tokens.cpu().numpy().tobytes())
        digest.update(self.teacher.lesson(np.arange(min(len(self), 1000))).score.tobytes())
        return digest.hexdigest()
