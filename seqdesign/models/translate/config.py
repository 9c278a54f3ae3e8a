"""Options of a translator. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from seqdesign.config import Between, Options

CHOOSE_FROM = 32
"""Translations of a source of which the best one is kept."""


@dataclass(frozen=True, kw_only=True)
class DraftOptions(Options):
    """How a translation is chosen."""

    PANEL: ClassVar[str] = "Translation options"

    choose_from: Annotated[int, Between(1, 1000)] = CHOOSE_FROM
    """Translations of each source, the most probable one and draws, of which the likeliest is kept that a
    classifier, learned with the translator, takes for a typical sequence of the target."""


@dataclass(frozen=True, kw_only=True)
class TranslateOptions(Options):
    """Networks and losses."""

    PANEL: ClassVar[str] = "Model options"

    cycle: Annotated[float, Between(0)] = 0.01
    """Weight of the cycle loss: nats by which a sequence is missed on its way back."""
    identity: Annotated[float, Between(0)] = 0.03
    """Weight of the identity loss: nats by which a sequence is missed that is on the right side already."""
    stay: Annotated[float, Between(0)] = 0.0
    """Weight of the change itself: nats by which a sequence is missed by its own translation. More of it
    means fewer edits, and fewer translations that arrive."""
    noise: Annotated[float, Between(0, 0.5)] = 0.03
    """Share of the letters that are drawn anew before a translation goes back, so that no letter can carry
    hidden notes about the source."""
    channels: Annotated[int, Between(4, 1024)] = 32
    """Channels of the convolutions."""
    blocks: Annotated[int, Between(1, 32)] = 1
    """Blocks of two convolutions and a mixing of all positions in each network."""
    kernel: Annotated[int, Between(1, 63)] = 9
    """Letters that a convolution sees; an odd number."""

    def problems(self) -> Iterator[str]:
        """Settings that cannot be."""
        if self.kernel % 2 == 0:
            yield f"--kernel: must be odd, so that positions stay in place, got {self.kernel}"
        if self.cycle == 0 and self.noise:
            yield "--noise: has no effect with --cycle 0; give --noise 0"
