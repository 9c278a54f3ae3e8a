"""What both players of a game are made of: residual convolutions, mixing of positions, the critic.

Convolutions are those of Killoran et al. (2017, section 3). Alone they see a few neighbouring letters, so
networks also have layers in which each position reads all others (Tolstikhin et al., NeurIPS 2021).

Inside, features are (N, C, 1, L) in channels-last memory: on CPUs a two-dimensional convolution of height 1
is up to twice as fast as a one-dimensional one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
RESIDUAL = 0.5
CRITIC_FEATURES = 64
MOST_MIXED = 512
"""Most units in which a mixing layer brings positions together; otherwise twice as many as positions."""


class Shape(Protocol):
    """The size of a network, as the options of a family give it."""

    @property
    def channels(self) -> int:
        """Channels of the convolutions."""
        ...

    @property
    def blocks(self) -> int:
        """Blocks of two convolutions and a mixing of all positions."""
        ...

    @property
    def kernel(self) -> int:
        """Letters that a convolution sees; odd."""
        ...


def activate(features: Tensor) -> Tensor:
    """Leaky ReLU: no unit is ever dead."""
    return functional.leaky_relu(features, SLOPE)


class ResidualBlock(nn.Module):
    """x + 0.5 conv(relu(conv(relu(x))))."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        shape, padding = (1, kernel), (0, kernel // 2)
        self.first = nn.Conv2d(channels, channels, shape, padding=padding)
        self.second = nn.Conv2d(channels, channels, shape, padding=padding)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, 1, L) to the same shape."""
        within = functional.leaky_relu(self.first(activate(features)), SLOPE, inplace=True)
        return torch.add(features, self.second(within), alpha=RESIDUAL)


class Mixing(nn.Module):
    """x + W2 leaky-relu(W1 norm(x)), W1 and W2 over positions and the same for all channels.

    The token mixing of Tolstikhin et al. (2021): any two positions meet in one layer, however far apart, and
    a pair of letters is seen as easily as a letter. ``norm`` is over the channels of one position.
    """

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        units = min(2 * length, MOST_MIXED)
        self.norm = nn.LayerNorm(channels)
        self.first = nn.Linear(length, units)
        self.second = nn.Linear(units, length)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, 1, L) to the same shape."""
        rows = self.norm(features.squeeze(2).transpose(1, 2)).transpose(1, 2)
        mixed = self.second(activate(self.first(rows)))
        return features + mixed.unsqueeze(2)


class Critic(nn.Module):
    """Sequences to scores (N,), larger is more real: mixing, convolutions, and three views of what they find.

    Positions one by one, the sum and the maximum over positions, so that counting a motif and knowing its
    place are both easy. No batch norm: a gradient penalty is per sequence. Classes are judged by projection
    (Miyato and Koyama 2018).
    """

    def __init__(self, shape: Shape, num_symbols: int, length: int, num_classes: int = 0) -> None:
        super().__init__()
        channels, kernel = shape.channels, shape.kernel
        self.first = nn.Conv2d(num_symbols, channels, (1, kernel), padding=(0, kernel // 2))
        self.blocks = nn.Sequential()
        for _ in range(shape.blocks):
            self.blocks.append(Mixing(channels, length))
            self.blocks.append(ResidualBlock(channels, kernel))
        self.places = nn.Linear(channels * length, CRITIC_FEATURES)
        self.pooled = nn.Linear(2 * channels, CRITIC_FEATURES)
        self.hidden = nn.Linear(CRITIC_FEATURES, CRITIC_FEATURES)
        # Most objectives see differences of scores only, in which a bias has no part.
        self.score = nn.Linear(CRITIC_FEATURES, 1, bias=False)
        self.classes = nn.Embedding(num_classes, CRITIC_FEATURES) if num_classes else None
        self.length = length
        cast(Any, self).to(memory_format=torch.channels_last)  # torch types lack it

    def forward(self, sequences: Tensor, condition: Tensor | None = None) -> Tensor:
        """One-hot or soft (N, num_symbols, L) and classes (N,) to scores (N,)."""
        image = sequences.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        features = activate(self.blocks(self.first(image))).squeeze(2).transpose(1, 2)  # (N, L, C) in memory
        # The sum over positions, brought to the size of a maximum: a count stays visible in long sequences.
        total = features.sum(dim=1) * (4 / self.length)
        pooled = self.pooled(torch.cat([total, features.amax(dim=1)], dim=1))
        hidden = activate(self.hidden(activate(self.places(features.flatten(1)) + pooled)))
        score = self.score(hidden).squeeze(1)
        if self.classes is not None:
            assert condition is not None, "a conditional critic needs the class of each sequence"
            score = score + (self.classes(condition) * hidden).sum(dim=1)
        return cast(Tensor, score.float())


@contextmanager
def held_still(network: nn.Module) -> Iterator[None]:
    """Inside, gradients pass through ``network`` but none are computed for its parameters."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
