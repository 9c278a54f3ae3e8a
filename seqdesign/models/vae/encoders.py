"""Encoder networks: padded tokens (N, L) -> features (N, H). PAD never changes a feature.

Four kinds, one signature. ``recurrent`` reads any length; ``dense``, ``conv`` and ``transformer`` read up to
``max_length`` positions and see each as its own place, which suits aligned libraries (mutational scans, MPRA,
splice sites).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.language.layers import Block, Inputs
from seqdesign.language.recurrent import RecurrentEncoder
from seqdesign.models.vae.config import HEADS, LAYERS, WINDOW, VAEOptions, transformer_width
from seqdesign.models.vae.places import Pooling
from seqdesign.sequences.encoders import Vocabulary


def make_encoder(options: VAEOptions, vocabulary: Vocabulary, max_length: int) -> Encoder:
    """The encoder that the (adapted) options name."""
    assert not isinstance(options.dropout, str), "adapt() the options first"
    if options.encoder == "dense":
        return DenseEncoder(vocabulary, max_length, 2 * options.hidden, options.dropout)
    if options.encoder == "conv":
        return ConvEncoder(vocabulary, max_length, 2 * options.hidden, options.dropout)
    if options.encoder == "transformer":
        return TransformerEncoder(vocabulary, max_length, transformer_width(options), options.dropout)
    return RecurrentEncoder(vocabulary, options.encoder, options.embedding, options.hidden, options.dropout)


class _OneHot(nn.Module):
    """Tokens (N, L) -> (N, V, max_length): letters one-hot, UNKNOWN uniform, PAD and the rest zero."""

    table: Tensor

    def __init__(self, vocabulary: Vocabulary, max_length: int) -> None:
        super().__init__()
        self.max_length = max_length
        letters = len(vocabulary.alphabet.letters)
        table = torch.zeros(vocabulary.size, letters)
        table[:letters] = torch.eye(letters)
        table[vocabulary.unknown] = 1.0 / letters
        self.register_buffer("table", table, persistent=False)
        self.pad = vocabulary.pad

    def forward(self, tokens: Tensor) -> Tensor:
        short = self.max_length - tokens.shape[1]
        tokens = F.pad(tokens, (0, short), value=self.pad)
        return self.table[tokens].transpose(1, 2)


class DenseEncoder(nn.Module):
    """Two fully connected layers over the flattened one-hot."""

    def __init__(self, vocabulary: Vocabulary, max_length: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.one_hot = _OneHot(vocabulary, max_length)
        self.net = nn.Sequential(
            nn.Linear(len(vocabulary.alphabet.letters) * max_length, hidden),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
        )
        self.num_features = hidden

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Tokens (N, L), lengths (N,) -> features (N, H)."""
        return self.net(self.one_hot(tokens).flatten(1))


class ConvEncoder(nn.Module):
    """Residual convolutions with stride-2 pooling, flattened: (N, V, L) -> (N, C, L/4) -> (N, H)."""

    def __init__(self, vocabulary: Vocabulary, max_length: int, hidden: int, dropout: float) -> None:
        super().__init__()
        channels = max(32, hidden // 2)
        # A multiple of 4 so that two poolings always see whole windows.
        padded = -(-max_length // 4) * 4
        self.one_hot = _OneHot(vocabulary, padded)
        self.stem = nn.Conv1d(len(vocabulary.alphabet.letters), channels, 7, padding=3)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.SiLU(),
                nn.Conv1d(channels, channels, 5, padding=2),
                nn.SiLU(),
                nn.Conv1d(channels, channels, 1),
            )
            for _ in range(2)
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels * padded // 4, hidden), nn.SiLU())
        self.num_features = hidden

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Tokens (N, L), lengths (N,) -> features (N, H)."""
        x = self.stem(self.one_hot(tokens))
        for block in self.blocks:
            x = F.avg_pool1d(x + block(x), 2)
        return self.head(x.flatten(1))


class TransformerEncoder(nn.Module):
    """Blocks of convolution, attention, mixing and dense layers; the features are those of its slots."""

    def __init__(self, vocabulary: Vocabulary, max_length: int, width: int, dropout: float) -> None:
        super().__init__()
        self.inputs = Inputs(len(vocabulary.alphabet.letters), width, max_length, varied=False)
        self.blocks = nn.ModuleList(
            Block(width, HEADS, WINDOW, LAYERS, 0.0, max_length, causal=False) for _ in range(LAYERS)
        )
        self.norm = nn.LayerNorm(width)
        self.pooling = Pooling(width, max_length)
        self.dropout = nn.Dropout(dropout)
        self.num_features = self.pooling.slots * width

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Tokens (N, L), lengths (N,) -> features (N, H)."""
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths.clamp(min=1)[:, None]
        x = self.inputs(tokens, lengths, None)
        for block in self.blocks:
            x = block(x, inside[:, None, None])
        return self.dropout(self.pooling(self.norm(x), inside))


Encoder = TransformerEncoder | DenseEncoder | RecurrentEncoder | ConvEncoder
