"""Sequences with K outcomes and a weight for each member of an ensemble, as the training loop takes them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Generator, Tensor

from seqdesign.ensembles.model import PredictorBatch
from seqdesign.sequences.encoders import TokenArray
from seqdesign.training.data import Cut, similar_lengths


@dataclass(frozen=True, eq=False)
class PredictorData:
    """As a ``PredictorBatch``, with tokens (N, L) uint8."""

    tokens: Tensor
    lengths: Tensor
    outcomes: Tensor
    precision: Tensor
    weights: Tensor
    detail: Tensor | None = None

    @classmethod
    def of(
        cls,
        array: TokenArray,
        outcomes: Tensor,
        precision: Tensor,
        weights: Tensor,
        detail: Tensor | None = None,
    ) -> PredictorData:
        """Encoded sequences with outcomes, precision and detail (N, K), and weights (N, M)."""
        tokens, lengths = torch.from_numpy(array.tokens.copy()), torch.from_numpy(array.lengths.copy())
        return cls(tokens, lengths, outcomes, precision, weights, detail)

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def cut(self) -> Cut:
        """Where batches end."""
        return Cut(self.lengths, self.tokens.shape[1])

    @property
    def typical_length(self) -> int:
        """Mean length."""
        return int(self.lengths.double().mean())

    def to(self, device: torch.device) -> PredictorData:
        """The same on another device."""
        return PredictorData(*(tensor.to(device) for tensor in self._tensors()))

    def batches(self, order: Tensor, num: int, rng: Generator) -> Sequence[Tensor]:
        """``num`` batches of the rows ``order``; see ``similar_lengths``."""
        return similar_lengths(self.cut.lengths, order, num, rng)

    def rows(self, index: Tensor) -> PredictorBatch:
        """The chosen rows: int64 tokens, cut to the longest of them."""
        index, longest = self.cut.of(index)
        tokens = self.tokens[index, :longest].long()
        return PredictorBatch(
            tokens,
            self.lengths[index],
            self.outcomes[index],
            self.precision[index],
            self.weights[index],
            None if self.detail is None else self.detail[index],
        )

    def weighted(self, shares: Tensor) -> PredictorData:
        """Row weights times ``shares`` (N, M), scaled to a mean of 1 for each member; rows that no member
        uses are left out.
        """
        weights = self.weights * shares
        used = torch.nonzero((weights > 0).any(1)).flatten()
        weights = weights[used]
        return replace(
            self, tokens=self.tokens[used], lengths=self.lengths[used], outcomes=self.outcomes[used],
            precision=self.precision[used], weights=weights / weights.mean(0, keepdim=True),
            detail=None if self.detail is None else self.detail[used],
        )  # fmt: skip

    def fingerprint(self) -> str:
        """SHA-256 of the data, so that a run is not resumed on other data."""
        digest = hashlib.sha256()
        for tensor in self._tensors():
            digest.update(str(tuple(tensor.shape)).encode())
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def _tensors(self) -> tuple[Tensor, ...]:
        always = (self.tokens, self.lengths, self.outcomes, self.precision, self.weights)
        return always if self.detail is None else (*always, self.detail)
