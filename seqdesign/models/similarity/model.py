"""MaLSTM (Mueller & Thyagarajan 2016): one recurrent reader for both sequences, exp(-L1) of their codes.

    s(a, b) = exp(-c |h(a) - h(b)|_1 / sqrt(H))

h is the last state of either direction, as there, or the mean state in each of several stretches of the
sequence: then what differs in one place adds to the distance wherever it stands, while a last state forgets.
The scale c is learned: of long codes exp(-L1) is flat. So s(a, a) = 1, s is symmetric and in (0, 1].
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from seqdesign.language.recurrent import RecurrentEncoder, stretch_weights
from seqdesign.models.similarity.config import SimilarityOptions
from seqdesign.models.similarity.data import PairBatch
from seqdesign.sequences.encoders import Vocabulary

PLAYER = "similarity"


class SequenceSimilarity(nn.Module):
    """Codes of sequences, whose distances say how alike they are; ``reference`` (R, H): of training ones."""

    players = (PLAYER,)
    reference: Tensor

    def __init__(self, options: SimilarityOptions, vocabulary: Vocabulary, num_reference: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.encoder = RecurrentEncoder(
            vocabulary, "lstm", options.embedding, options.hidden, options.dropout
        )
        self.stretches = options.stretches
        self.num_features = self.encoder.num_features * max(1, options.stretches)
        self.log_scale = nn.Parameter(torch.zeros(1))
        self.register_buffer("reference", torch.zeros(num_reference, self.num_features))

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """All of them."""
        return list(self.parameters())

    def code(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Codes (N, H) of tokens (N, L) with lengths (N,)."""
        if self.stretches == 0:
            return self.encoder(tokens, lengths)
        states = self.encoder.states(tokens, lengths)
        weights = stretch_weights(lengths, tokens.shape[1], self.stretches).to(states.dtype)
        return torch.einsum("nts,nth->nsh", weights, states).flatten(1)

    @property
    def scale(self) -> Tensor:
        """The factor c / sqrt(H), (1,)."""
        return self.log_scale.exp() / self.num_features**0.5

    def similarity(self, first: Tensor, second: Tensor) -> Tensor:
        """Of codes (..., H) and (..., H), in (0, 1]."""
        return torch.exp(-self.scale * (first - second).abs().sum(-1))

    def similarities(self, first: Tensor, second: Tensor) -> Tensor:
        """(N, M) of all codes (N, H) and (M, H)."""
        return torch.exp(-self.scale * torch.cdist(first, second, p=1.0))

    def losses(
        self, player: str, batch: PairBatch, rng: Generator, progress: float | Tensor
    ) -> dict[str, Tensor]:
        """Mean squared error of the similarities of the pairs."""
        codes = self.code(batch.tokens, batch.lengths)
        found = self.similarity(codes[batch.first], codes[batch.second])
        return {"loss": (found - batch.score).square().mean()}
