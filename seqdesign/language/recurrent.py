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
        steps = torch.arange(tokens.shape[1], device=tokens.device)
        # Reverse each sequence within its own length, so that padding stays at the end in both directions.
        back = (lengths[:, None] - 1 - steps).clamp(min=0)
        last = (lengths - 1).clamp(min=0)
        rows = torch.arange(len(tokens), device=tokens.device)
        features = [
            run_recurrent(net, self.embed(x))[0][rows, last]
            for net, x in ((self.forward_net, tokens), (self.backward_net, tokens.gather(1, back)))
        ]
        return self.dropout(torch.cat(features, dim=1))
