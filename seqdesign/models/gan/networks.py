"""Generator and critic as residual one-dimensional convolutions (Killoran et al. 2017, section 3).

Inside, features are (N, C, 1, L) in channels-last memory: on CPUs a two-dimensional convolution of height 1
is up to twice as fast as a one-dimensional one.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqdesign.models.gan.config import GANOptions

SLOPE = 0.2
RESIDUAL = 0.5
SHARPNESS = 3.0
"""Of the softmax whose gradient a placement has; its scores have unit variance."""
DOUBT, CERTAIN = 0.2, 5.0
"""Biases of places up to DOUBT count for nothing, what is beyond CERTAIN times."""
FIRM = 3.0
"""Size of what a placement paints beside the rest of the code."""
SOFT = 0.4
"""Size of what local dimensions add: it starts about as large as what the rest of z says."""
LOUD = 6.0
"""The last layer starts so many times larger than usual: letters that depend on z from the first step on can
be learned from, but those of a generator that says the same to every z are all alike."""
NEVER = -1e4
CRITIC_FEATURES = 64


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
        return features + RESIDUAL * self.second(activate(self.first(activate(features))))


class Placement(nn.Module):
    """Heads that light one position each: a motif stands at one place or another, never half at two.

    The place is the best of L scores, linear in z with fixed orthogonal rows (where z has enough dimensions),
    so that all places are equally likely. Only their biases are learned, with the gradient of a softmax
    (straight-through, Bengio et al. 2013): where a motif fits at all. With scores that are free, generator
    and critic chase each other from one place to the next; and what a bias gathers by chance, less than
    ``DOUBT``, counts for nothing.
    """

    def __init__(self, inputs: int, length: int, channels: int, heads: int, kernel: int) -> None:
        super().__init__()
        self.heads, self.length = heads, length
        rows = torch.empty(heads, length, inputs)
        for head in rows:
            nn.init.orthogonal_(head)
        self.register_buffer("rows", functional.normalize(rows, dim=2).flatten(0, 1))
        self.bias = nn.Parameter(torch.zeros(heads * length))
        self.paint = nn.Conv2d(heads, channels, (1, kernel), padding=(0, kernel // 2))

    def score(self, z: Tensor) -> Tensor:
        """Scores (N, heads L) of the places."""
        clear = CERTAIN * self.bias.sign() * (self.bias.abs() - DOUBT).clamp(min=0)
        return functional.linear(z, cast(Tensor, self.rows), self.bias + (clear - self.bias).detach())

    def forward(self, z: Tensor) -> Tensor:
        """(N, inputs) to features (N, C, 1, L)."""
        scores = self.score(z).float().view(len(z), self.heads, self.length)
        soft = torch.softmax(SHARPNESS * scores, dim=2)
        hard = torch.zeros_like(soft).scatter_(2, scores.argmax(dim=2, keepdim=True), 1.0)
        return FIRM * cast(Tensor, self.paint((hard + soft - soft.detach()).unsqueeze(2)))


class Generator(nn.Module):
    """z to letters, all positions at once: mapping, placements, residual blocks, one symbol per position.

    ``num_symbols`` is V, or V + 1 where lengths differ: the last one is then END, and cannot come before
    position ``min_length``.
    """

    def __init__(
        self,
        options: GANOptions,
        num_symbols: int,
        length: int,
        min_length: int,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        self.length, self.channels, self.num_classes = length, options.channels, num_classes
        self.global_dim, self.local_dim = options.latent_dim, options.local_dim
        inputs, width = options.latent_dim + num_classes, options.mapping
        # Without a layer that is not linear in z, choices such as a motif's place are hard to make.
        self.mapping = nn.Linear(inputs, width) if width else None
        self.start = nn.Linear(width or inputs, length * options.channels)
        shape, padding = (1, options.kernel), (0, options.kernel // 2)
        self.local = (
            nn.Conv2d(options.local_dim, options.channels, shape, padding=padding)
            if options.local_dim
            else None
        )
        if self.local is not None:
            self.local.weight.data.mul_(SOFT)
        self.placement = (
            Placement(inputs, length, options.channels, options.placements, options.kernel)
            if options.placements
            else None
        )
        self.blocks = nn.Sequential(
            *(ResidualBlock(options.channels, options.kernel) for _ in range(options.blocks))
        )
        self.letters = nn.Conv2d(options.channels, num_symbols, (1, 3), padding=(0, 1))
        self.letters.weight.data.mul_(LOUD)
        allowed = torch.zeros(num_symbols, length)
        if min_length < length:
            allowed[-1, :min_length] = NEVER
        self.register_buffer("allowed", allowed, persistent=False)
        cast(Any, self).to(memory_format=torch.channels_last)  # torch types lack it

    @property
    def latent_dim(self) -> int:
        """Dimensions d of z: those of the whole sequence, then those of position 1, 2, ..."""
        return self.global_dim + self.local_dim * self.length

    def logits(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Unnormalised log-probabilities (N, num_symbols, L) of codes z (N, d) and classes (N,)."""
        z, local = z.split([self.global_dim, self.latent_dim - self.global_dim], dim=1)
        if self.num_classes:
            assert condition is not None, "a conditional generator needs a class for each code"
            z = torch.cat([z, functional.one_hot(condition, self.num_classes).to(z)], dim=1)
        wide = z if self.mapping is None else activate(self.mapping(z))
        rows = self.start(wide).view(len(z), 1, self.length, self.channels)
        features = rows.permute(0, 3, 1, 2)  # (N, C, 1, L), channels last in memory
        if self.local is not None:
            noise = local.view(len(z), 1, self.length, self.local_dim).permute(0, 3, 1, 2)
            features = features + self.local(noise)
        if self.placement is not None:
            features = features + self.placement(z)
        letters = self.letters(activate(self.blocks(features)))
        return cast(Tensor, letters.squeeze(2).float() + self.allowed)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Soft one-hot (N, num_symbols, L): the probabilities of the letters at each position."""
        return torch.softmax(self.logits(z, condition), dim=1)


class Critic(nn.Module):
    """Sequences to scores (N,), larger is more real: residual convolutions and three views of what they find.

    Positions one by one, the sum and the maximum over positions, so that counting a motif and knowing its
    place are both easy. No batch norm: a gradient penalty is per sequence. Classes are judged by projection
    (Miyato and Koyama 2018).
    """

    def __init__(self, options: GANOptions, num_symbols: int, length: int, num_classes: int = 0) -> None:
        super().__init__()
        channels, kernel = options.channels, options.kernel
        self.first = nn.Conv2d(num_symbols, channels, (1, kernel), padding=(0, kernel // 2))
        self.blocks = nn.Sequential(*(ResidualBlock(channels, kernel) for _ in range(options.blocks)))
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
        features = activate(self.blocks(self.first(image))).squeeze(2)
        # The sum over positions, brought to the size of a maximum: a count stays visible in long sequences.
        total = features.sum(dim=2) * (4 / self.length)
        pooled = self.pooled(torch.cat([total, features.amax(dim=2)], dim=1))
        hidden = activate(self.hidden(activate(self.places(features.flatten(1)) + pooled)))
        score = self.score(hidden).squeeze(1)
        if self.classes is not None:
            assert condition is not None, "a conditional critic needs the class of each sequence"
            score = score + (self.classes(condition) * hidden).sum(dim=1)
        return cast(Tensor, score.float())
