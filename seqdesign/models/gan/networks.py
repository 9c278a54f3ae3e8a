"""Generator and critic: residual convolutions for what is near, mixing of all positions for what is far.

Convolutions are those of Killoran et al. (2017, section 3). Alone they see a few neighbouring letters, so
both networks also have layers in which each position reads all others (Tolstikhin et al., NeurIPS 2021).

Inside, features are (N, C, 1, L) in channels-last memory: on CPUs a two-dimensional convolution of height 1
is up to twice as fast as a one-dimensional one.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from seqdesign.adversarial.networks import Mixing, ResidualBlock, activate
from seqdesign.models.gan.config import GANOptions

SOFT = 0.4
"""Size of what local dimensions add: it starts about as large as what the rest of z says."""
LOUD = 6.0
"""The last layer starts so many times larger than usual: letters that depend on z from the first step on can
be learned from, but those of a generator that says the same to every z are all alike."""
SHARP = 6.0
"""How much larger than usual the numbers are, at first, of which a softmax over positions is taken."""
NEVER = -1e4


class Choosing(nn.Module):
    """x + 2 W2 softmax(s W1 norm(x)), the softmax over positions, for each channel by itself.

    Attention with one learned query a channel, whose weights are what is written: a channel can light up one
    position and no other, wherever its features are largest. Without it, to have something exactly once,
    anywhere, takes as many units as there are places. ``s`` is learned, too.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.first, self.second = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.sharpness = nn.Parameter(torch.full((channels,), SHARP))

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, 1, L) to the same shape."""
        rows = self.norm(features.squeeze(2).transpose(1, 2))
        chosen = torch.softmax(self.first(rows) * self.sharpness, dim=1)
        return torch.add(features, self.second(chosen).transpose(1, 2).unsqueeze(2), alpha=2)


class Generator(nn.Module):
    """z to letters, all positions at once: mapping, then blocks of three layers.

    They mix positions, choose some of them, and write there: what is far first, then what is near.

    ``num_symbols`` is V, or V + 1 where lengths differ: the last one is then END, and cannot come before
    position ``min_length``.
    """

    def __init__(
        self, options: GANOptions, num_symbols: int, length: int, min_length: int, num_classes: int = 0
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
        self.blocks = nn.Sequential()
        for _ in range(options.blocks):
            self.blocks.append(Mixing(options.channels, length))
            self.blocks.append(Choosing(options.channels))
            self.blocks.append(ResidualBlock(options.channels, options.kernel))
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
        code, local = z.split([self.global_dim, self.latent_dim - self.global_dim], dim=1)
        z = code
        if self.num_classes:
            assert condition is not None, "a conditional generator needs a class for each code"
            classes = torch.arange(self.num_classes, device=code.device)
            z = torch.cat([code, (condition[:, None] == classes).to(code)], dim=1)
        wide = z if self.mapping is None else activate(self.mapping(z))
        rows = self.start(wide).view(len(z), 1, self.length, self.channels)
        features = rows.permute(0, 3, 1, 2)  # (N, C, 1, L), channels last in memory
        if self.local is not None:
            noise = local.view(len(z), 1, self.length, self.local_dim).permute(0, 3, 1, 2)
            features = features + self.local(noise)
        letters = self.letters(activate(self.blocks(features))).squeeze(2).float()
        return cast(Tensor, letters + self.allowed)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Soft one-hot (N, num_symbols, L): the probabilities of the letters at each position."""
        return torch.softmax(self.logits(z, condition), dim=1)
