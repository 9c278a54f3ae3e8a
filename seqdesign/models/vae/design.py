"""A VAE as design sees it: codes and what its decoder makes of them, and its language model.

Shapes: N codes or sequences, d latent dimensions, V letters, L letters of a design.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from seqdesign.constraints.rules import Rules
from seqdesign.designers.problem import Latent
from seqdesign.devices.capture import replayed
from seqdesign.language.prior import LanguagePrior
from seqdesign.models.vae.drawing import check_condition
from seqdesign.models.vae.drawing import codes as draw_codes
from seqdesign.models.vae.store import TrainedVAE

BLOCK = 256
UNDECIDED = 0.1
"""How much the letters of samples that break a rule differ in where they give way."""


class DesignVAE(LanguagePrior):
    """A VAE; a `seqdesign.families.Generator`."""

    method: ClassVar[str] = "guided"

    def __init__(self, trained: TrainedVAE, device: torch.device, condition: float | None = None) -> None:
        super().__init__(trained.model.language_model, device)
        trained.model.requires_grad_(False)
        self.vae, self.decoder, self.alphabet = trained.model, trained.model.decoder, trained.record.alphabet
        self.condition = condition
        self.shortest = trained.record.min_length

    @property
    def lengths(self) -> tuple[int, int, int]:
        """Letters of the shortest, a typical and the longest sequence that it writes."""
        return self.shortest, (self.shortest + self.vae.max_length + 1) // 2, self.vae.max_length

    def letters(self, z: Tensor, length: int) -> Tensor:
        """Log-probabilities (N, V, L) of letters, each after the most probable ones, of codes (N, d).

        Differentiable in the codes; the letters that are read are held still. Without END.
        """
        tokens = self._write(z, length, None)
        logits = self.decoder(z, self.decoder.inputs(tokens))[:, :length, : self.alphabet.size]
        return logits.log_softmax(2).transpose(1, 2)

    def latent(self, starts: Tensor, codes: Tensor | None = None) -> Latent:
        """What a designer needs for designs of starts (N, L), which come from ``codes`` (N, d) or elsewhere.

        The word of a critic has the language model: how likely a sequence is.
        """
        length = starts.shape[1]
        unit = self.spread(length)
        usual = self.writer.log_prob(starts).float() / unit
        if codes is not None:
            usual = usual.mean().expand(len(starts))
        return Latent(
            lambda z: self.letters(z, length),
            self.vae.latent_dim,
            codes,
            critic=lambda x: self.model.log_prob_letters(x) / unit,
            usual=usual,
        )

    def draw(self, num: int, rules: Rules, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Codes (num, d), and preferences (num, L, V) whose largest letters are samples."""
        codes, parts = draw_codes(self.vae, num, rng, self.condition), []
        for z in codes.split(BLOCK):
            luck = torch.rand(len(z), rules.length, self.alphabet.size, generator=rng).to(z)
            parts.append(self._write(z, rules.length, luck))
        liked = functional.one_hot(torch.cat(parts), self.alphabet.size).float()
        return codes, liked + UNDECIDED * torch.rand(liked.shape, generator=rng).to(liked)

    @torch.no_grad()
    def _write(self, z: Tensor, length: int, luck: Tensor | None) -> Tensor:
        """Tokens (N, L) from codes (N, d): drawn by ``luck`` (N, L, V), or the most probable ones."""
        call = partial(self._letter_by_letter, length)
        return replayed(self.decoder, ("write", length), (z, luck), call)[0]

    def _letter_by_letter(self, length: int, z: Tensor, luck: Tensor | None) -> tuple[Tensor]:
        state = self.decoder.initial_state(z)
        previous = torch.full((len(z),), self.decoder.start, dtype=torch.long, device=z.device)
        tokens = []
        for t in range(length):
            logits, state = self.decoder.step(state, previous, t)
            wish = logits[:, : self.alphabet.size]
            if luck is not None:
                wish = wish - (-luck[:, t].clamp(1e-7, 1 - 1e-7).log()).log()
            previous = wish.argmax(1)
            tokens.append(previous)
        return (torch.stack(tokens, 1),)


def generator_of(
    trained: TrainedVAE, outcome: float | str | None, device: torch.device, name: str
) -> DesignVAE:
    """A trained VAE, given an outcome if it is conditional. Raises UsageError as ``check_condition``."""
    condition = check_condition(trained, outcome)
    trained.model.to(device)
    return DesignVAE(trained, device, condition)
