"""A GAN as design sees it: codes, starts, and how real its critic finds a sequence.

Shapes: N codes or sequences, d latent dimensions, V letters, L letters of a design.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from seqdesign.constraints.rules import Rules
from seqdesign.designers.problem import Latent
from seqdesign.errors import UsageError
from seqdesign.models.gan.sampling import class_of, criticize, draw
from seqdesign.models.gan.store import TrainedGAN

BLOCK = 256
CANDIDATES = 8
"""Codes drawn for each start where lengths differ; the one that most likely has the right length stays."""
SAMPLES = 2000
"""Samples that designs are compared with by the critic."""


class DesignGAN:
    """The generator of a GAN, for one class of a conditional one; a `seqdesign.families.Generator`."""

    method: ClassVar[str] = "latent"

    def __init__(self, trained: TrainedGAN, device: torch.device, condition: int | None = None) -> None:
        for network in (trained.generator, trained.critic):
            network.requires_grad_(False)
        self.trained, self.device, self.condition = trained, device, condition
        self.alphabet = trained.record.alphabet
        self.size = self.alphabet.size

    @property
    def lengths(self) -> tuple[int, int, int]:
        """Letters of the shortest, a typical and the longest sequence that it writes."""
        shortest, longest = self.trained.record.min_length, self.trained.record.max_length
        return shortest, (shortest + longest + 1) // 2, longest

    def letters(self, z: Tensor, length: int) -> Tensor:
        """Log-probabilities (N, V, L) of letters up to a constant, of codes (N, d); without END."""
        return self.logits(z)[:, : self.size, :length]

    def latent(self, starts: Tensor, codes: Tensor | None = None) -> Latent:
        """What a designer needs for designs of starts (N, L), which come from ``codes`` (N, d) or elsewhere.

        Designs from codes are compared with all starts, which obey the constraints, those of other starts
        with their own.
        """
        length = starts.shape[1]
        unit = float(self.usual.std())
        usual = torch.from_numpy(self._judge(starts.cpu().numpy())).float() / unit
        if codes is not None:
            usual = usual.mean().expand(len(starts))
        return Latent(
            lambda z: self.letters(z, length),
            self.trained.generator.latent_dim,
            codes,
            critic=lambda x: self._critic(x) / unit,
            usual=usual.to(self.device),
        )

    def language(self, starts: Tensor, *, drawn: bool) -> None:
        """None: a GAN knows no likelihood."""
        return

    @torch.no_grad()
    def draw(self, num: int, rules: Rules, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Codes (num, d) ~ N(0, I), and preferences (num, L, V) whose largest letters are samples."""
        length = rules.length
        codes, wishes = [], []
        for first in range(0, num, BLOCK):
            n = min(BLOCK, num - first)
            z = self._codes(n, length, rng)
            logits = self.letters(z, length)
            noise = torch.rand(logits.shape, generator=rng).clamp_(1e-7, 1 - 1e-7).to(logits)
            codes.append(z)
            wishes.append((logits - (-noise.log()).log()).transpose(1, 2))
        return torch.cat(codes), torch.cat(wishes)

    @cached_property
    def usual(self) -> npt.NDArray[np.float64]:
        """What the critic says of samples, in ascending order."""
        parts = draw(
            self.trained.generator,
            SAMPLES,
            torch.Generator().manual_seed(0),
            end=self.trained.end,
            shares=self.trained.record.shares,
            condition=self.condition,
        )
        return np.sort(self._judge(torch.cat([part for part, _ in parts]).numpy()))

    def realness(self, tokens: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Percent of the generator's own samples that the critic finds less real than each of (N, L)."""
        return 100.0 * np.searchsorted(self.usual, self._judge(tokens)) / len(self.usual)

    def _judge(self, tokens: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Scores (N,) of the critic; all that is no letter ends a sequence."""
        codes = torch.from_numpy(tokens.astype(np.int64)).clamp(max=self.size)
        codes = functional.pad(codes, (0, self.lengths[2] - codes.shape[1]), value=self.size)
        return criticize(self.trained, codes, self._class(len(codes))).double().numpy()

    def _critic(self, x: Tensor) -> Tensor:
        """Scores (N,) of one-hot (N, V, L), or (N, V + 1, L) with END; END is written behind."""
        missing = self.lengths[2] - x.shape[2]
        if self.trained.end is None:
            x = x[:, : self.size]
        else:
            x = functional.pad(x, (0, 0, 0, self.size + 1 - x.shape[1]))
            end = functional.one_hot(torch.tensor(self.size), self.size + 1).to(x)
            x = torch.cat([x, end[None, :, None].expand(len(x), -1, missing)], 2)
        return self.trained.critic(x, self._class(len(x)))

    def logits(self, z: Tensor) -> Tensor:
        """Logits (N, V or V + 1, longest) of codes (N, d), END being the last symbol where lengths differ."""
        return self.trained.generator.logits(z, self._class(len(z)))

    def _class(self, num: int) -> Tensor | None:
        if self.condition is None:
            return None
        return torch.full((num,), self.condition, device=self.device)

    def _codes(self, num: int, length: int, rng: torch.Generator) -> Tensor:
        """Codes (num, d); where lengths differ those of some that most likely make ``length`` letters."""
        dim, end = self.trained.generator.latent_dim, self.trained.end
        if end is None:
            return torch.randn(num, dim, generator=rng).to(self.device)
        z = torch.randn(CANDIDATES, num, dim, generator=rng).to(self.device)
        likely = torch.stack([_fits(self.logits(part), length, end) for part in z])
        return z[likely.argmax(0), torch.arange(num, device=self.device)]


def _fits(logits: Tensor, length: int, end: int) -> Tensor:
    """Log-probability (N,) that a sequence with logits (N, V + 1, T) ends after ``length`` letters."""
    ends = logits.log_softmax(1)[:, end]
    goes_on = torch.log1p(-ends[:, :length].exp().clamp(max=1 - 1e-6)).sum(1)
    return goes_on + ends[:, length] if length < logits.shape[2] else goes_on


def generator_of(
    trained: TrainedGAN, outcome: float | str | None, device: torch.device, name: str
) -> DesignGAN:
    """A trained generator, for one outcome if it is conditional. Raises UsageError."""
    condition = class_of(trained, outcome)
    if trained.record.classes and condition is None:
        raise UsageError(
            f"is needed, since {name} was trained with --condition; say which outcome it shall write for",
            option="--condition",
        )
    for network in (trained.generator, trained.critic):
        network.to(device)
    return DesignGAN(trained, device, condition)
