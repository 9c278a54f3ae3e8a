"""A recurrent reader of whole sequences: tokens (N, L) -> features (N, H), whatever the padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdesign.devices.arithmetic import run_recurrent
from seqdesign.sequences.encoders import Vocabulary


class RecurrentEncoder(nn.Module):
    """Bidirectional GRU or LSTM; the features are both final states, taken at each sequence's own end."""

    def __init__(
        self, vocabulary: Vocabulary, cell: str, embedding: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        make = nn.LSTM if cell == "lstm" else nn.GRU
        self.embed = nn.Embedding(vocabulary.size, embedding)
        self.forward_net = make(embedding, hidden, batch_first=True)
        self.backward_net = make(embedding, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.num_features = 2 * hidden

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Tokens (N, L), lengths (N,) -> features (N, H)."""
        last = (lengths - 1).clamp(min=0)
        rows = torch.arange(len(tokens), device=tokens.device)
        ahead, behind, _ = self._read(tokens, lengths)
        return self.dropout(torch.cat([ahead[rows, last], behind[rows, last]], dim=1))

    def states(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Tokens (N, L), lengths (N,) -> what both networks know at each letter (N, L, H), then 0."""
        ahead, behind, back = self._read(tokens, lengths)
        behind = behind.gather(1, back.unsqueeze(2).expand_as(behind))
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        return self.dropout(torch.cat([ahead, behind], dim=2) * inside.unsqueeze(2))

    def _read(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States (N, L, H / 2) of both networks in the order of their reading, and the order back (N, L)."""
        steps = torch.arange(tokens.shape[1], device=tokens.device)
        # Reverse each sequence within its own length, so that padding stays at the end in both directions.
        back = (lengths[:, None] - 1 - steps).clamp(min=0)
        ahead, behind = self.embed(tokens), self.embed(tokens.gather(1, back))
        return run_recurrent(self.forward_net, ahead)[0], run_recurrent(self.backward_net, behind)[0], back


def stretch_weights(lengths: Tensor, steps: int, stretches: int) -> Tensor:
    """Weights (N, T, S) of T letters in the means of S stretches of sequences with lengths (N,).

    The stretches are as long as each other; a letter counts in the two whose middles it lies between, more in
    the nearer one, so that an insertion moves little. Of a stretch with letters the weights add up to 1.
    """
    places = torch.arange(steps, device=lengths.device)
    middles = torch.arange(stretches, device=lengths.device)
    where = (places + 0.5) / lengths.clamp(min=1)[:, None] * stretches - 0.5
    where = where.clamp(0, stretches - 1)
    near = (1 - (where.unsqueeze(2) - middles).abs()).clamp(min=0)
    near = near * (places < lengths[:, None]).unsqueeze(2)
    return near / near.sum(1, keepdim=True).clamp(min=1e-6)
