"""Generator and critic as two players of one game.

Shapes: N sequences, L letters, d latent dimensions; V symbols, END among them where lengths differ.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqdesign.adversarial.members import OBJECTIVES
from seqdesign.adversarial.networks import Critic, held_still
from seqdesign.adversarial.objective import Objective
from seqdesign.adversarial.outputs import relax
from seqdesign.adversarial.pace import Pace
from seqdesign.devices.randomness import for_rows, key
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.networks import Generator
from seqdesign.sequences.encoders import Vocabulary, one_hot
from seqdesign.training.data import Batch


class SequenceGAN(nn.Module):
    """A generator of sequences of ``min_length`` to ``max_length`` letters and its critic.

    ``classes``: what outcomes are told apart, None for an unconditional model: an outcome belongs to class i
    when it is the i-th number of ``classes`` (labels) or lies up to it (bins, whose last bound is infinite).
    """

    players = ("critic", "generator")

    def __init__(
        self,
        options: GANOptions,
        vocabulary: Vocabulary,
        max_length: int,
        min_length: int,
        classes: tuple[float, ...] = (),
    ) -> None:
        super().__init__()
        self.options, self.vocabulary, self.max_length = options, vocabulary, max_length
        self.objective: Objective = OBJECTIVES.load(options.objective)
        self.end = vocabulary.n_letters if min_length < max_length else None
        self.num_symbols = vocabulary.n_letters + (self.end is not None)
        self.generator = Generator(options, self.num_symbols, max_length, min_length, len(classes))
        self.critic = Critic(options, self.num_symbols, max_length, len(classes))
        self.register_buffer("classes", torch.tensor(classes, dtype=torch.float64), persistent=False)
        self.penalty = self.objective.penalty if options.penalty == "auto" else options.penalty
        self.speed = Pace(self.penalty)
        every = options.penalty_every
        self.penalty_every = self.objective.penalty_every if every == "auto" else every

    @property
    def latent_dim(self) -> int:
        """Dimensions d of the latent code."""
        return self.generator.latent_dim

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """The parameters of one network."""
        return list((self.critic if player == "critic" else self.generator).parameters())

    def real(self, batch: Batch) -> Tensor:
        """One-hot (N, V, L) of training sequences, as the critic sees them."""
        tokens = self._padded(batch.tokens)
        letters = one_hot(tokens, self.vocabulary.alphabet)
        if self.end is None:
            return letters
        return torch.cat([letters, (tokens == self.vocabulary.pad).to(letters)[:, None]], dim=1)

    def _padded(self, tokens: Tensor) -> Tensor:
        return functional.pad(tokens, (0, self.max_length - tokens.shape[1]), value=self.vocabulary.pad)

    def condition(self, batch: Batch) -> Tensor | None:
        """Class (N,) of each outcome; None for an unconditional model."""
        classes = self.classes
        assert isinstance(classes, Tensor)
        if not len(classes):
            return None
        return torch.searchsorted(classes, batch.outcomes.double()).clamp(max=len(classes) - 1)

    def fake(self, condition: Tensor | None, num: int, rng: torch.Generator) -> Tensor:
        """Generated sequences (N, V, L) as the critic sees them."""
        device = self.generator.start.weight.device
        z = for_rows(lambda n: torch.randn(n, self.latent_dim, generator=rng, device=rng.device), num)
        z = z.to(device)
        options = self.options
        logits = self.generator.logits(z, condition)
        return relax(logits, options.outputs, rng, options.output_temperature, self.end)

    def variant(self, player: str, rng: torch.Generator) -> bool:
        """Whether the penalty is due in this step, by its generator's seed: nothing is drawn for that."""
        due = key(rng.initial_seed(), "penalty") % self.penalty_every == 0
        return player == "critic" and due and torch.is_grad_enabled()

    def losses(self, player: str, batch: Batch, rng: torch.Generator, progress: Any) -> dict[str, Tensor]:
        """Scalar terms of one player; ``loss`` is minimised. The penalty falls on a random share of steps."""
        real, condition = self.real(batch), self.condition(batch)
        critic = partial(self.critic, condition=condition)
        if player == "generator":
            fake = self.fake(condition, len(real), rng)
            with held_still(self.critic):
                loss = self.objective.generator_loss(critic, real, fake)
            return {"loss": loss}
        with torch.no_grad():
            fake = self.fake(condition, len(real), rng)
        weight = self.penalty * self.penalty_every if self.variant(player, rng) else 0.0
        terms = self.objective.critic_loss(critic, real, fake, rng, weight)
        if self.penalty > 0:
            terms["penalty"] = self.penalty_every * terms.get("penalty", real.new_zeros(()))
        return terms

    def pace(self, player: str, terms: dict[str, Tensor]) -> Tensor | None:
        """The share () of the learning rate at which the generator moves; None: all of it."""
        if self.penalty == 0:
            return None
        if player == "generator":
            return self.speed.share()
        self.speed.hear(terms["gap"], terms["penalty"])
        return None
