"""Options of the GAN, and how those left open adapt to the objective and the data. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Options

Auto = Literal["auto"]
DEFAULT_BINS = 4


@dataclass(frozen=True, kw_only=True)
class GANOptions(Options):
    """Networks and objective."""

    PANEL: ClassVar[str] = "Model options"

    objective: str = "sobolev"
    """What the two players minimise: sobolev, wgan-gp, wgan, r3gan, non-saturating, minimax; mmd, in which
    the generator matches kernel means and the critic only judges; or one of a plug-in."""
    outputs: Literal["straight-through", "gumbel", "softmax"] = "straight-through"
    """What the critic sees of the generator: drawn letters with a gradient of second order, soft
    draws (Gumbel-softmax), or the probabilities themselves."""
    output_temperature: Annotated[float, Between(0, low_open=True)] = 1.0
    """Temperature of soft draws (--outputs gumbel)."""
    latent_dim: Annotated[int, Between(1, 4096)] = 100
    """Dimensions of the latent code z ~ N(0, I) that the whole sequence shares."""
    local_dim: Annotated[int, Between(0, 64)] = 4
    """Further dimensions of z for each position, for what neighbouring letters have in common."""
    channels: Annotated[int, Between(4, 4096)] = 32
    """Channels of the convolutions."""
    blocks: Annotated[int, Between(0, 64)] = 1
    """Blocks of two convolutions and a mixing of all positions in each network."""
    kernel: Annotated[int, Between(1, 63)] = 5
    """Letters that a convolution sees; an odd number."""
    mapping: Annotated[int, Between(0, 8192)] = 128
    """Units of the layer between the code and the first features of the generator; 0: none."""
    penalty: Annotated[float | Auto, Between(0)] = "auto"
    """Weight of the gradient penalty; auto is that of the objective."""
    penalty_every: Annotated[int | Auto, Between(1, 64)] = "auto"
    """Compute the penalty only in every n-th critic step, with n times the weight (Karras 2020)."""
    condition: Literal["none", "label", "bins"] = "none"
    """Learn sequences conditional on their outcome: each value is a label (up to 50), or the values are
    divided into equally large bins."""
    bins: Annotated[int, Between(2, 50)] = DEFAULT_BINS
    """Number of bins, with --condition bins."""

    def problems(self) -> Iterator[str]:
        """Settings that would have no effect or cannot be."""
        if self.kernel % 2 == 0:
            yield f"--kernel: must be odd, so that positions stay in place, got {self.kernel}"
        if self.condition != "bins" and self.bins != DEFAULT_BINS:
            yield f"--bins: has no effect with --condition {self.condition}; leave it out"
        if self.outputs != "gumbel" and self.output_temperature != 1.0:
            yield f"--output-temperature: has no effect with --outputs {self.outputs}; leave it out"
