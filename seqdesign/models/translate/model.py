"""Two translators and two critics as the players of one game.

Shapes: N sequences, L letters of the longest; S symbols, END among them where lengths differ.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from seqdesign.adversarial.networks import Critic, held_still
from seqdesign.adversarial.objectives.wgan_gp import wgan_gp
from seqdesign.adversarial.outputs import close, relax
from seqdesign.devices.randomness import for_rows
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.networks import Translator
from seqdesign.sequences.encoders import Vocabulary

OBJECTIVE = wgan_gp
SIDES = ("a", "b")


class Pair(NamedTuple):
    """As many rows of each set, which have nothing to do with each other: tokens (N, l) int64."""

    a: Tensor
    b: Tensor


class SequenceTranslator(nn.Module):
    """Makes sequences of set a look like those of set b, and back (Zhu et al. 2017, section 3).

    The game is that of ``wgan_gp``, with one step of the critics for each of the translators. ``to_b`` and
    ``to_a`` are the maps G and F of the paper; ``critic_b`` judges what ``to_b`` writes.
    """

    players = ("critic", "generator")

    def __init__(
        self, options: TranslateOptions, vocabulary: Vocabulary, max_length: int, min_length: int
    ) -> None:
        super().__init__()
        self.options, self.vocabulary, self.max_length = options, vocabulary, max_length
        self.end = vocabulary.n_letters if min_length < max_length else None
        self.num_symbols = vocabulary.n_letters + (self.end is not None)
        sizes = (self.num_symbols, max_length)
        self.to_b, self.to_a = (Translator(options, *sizes, min_length) for _ in SIDES)
        self.critic_b, self.critic_a = (Critic(options, *sizes) for _ in SIDES)

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """The parameters of both critics, or of both translators."""
        pair = (self.critic_a, self.critic_b) if player == "critic" else (self.to_a, self.to_b)
        return [parameter for network in pair for parameter in network.parameters()]

    def symbols(self, tokens: Tensor) -> Tensor:
        """Tokens (N, l) int64 as symbols (N, L): PAD is END, and UNKNOWN a symbol that is not one of S."""
        padded = functional.pad(tokens, (0, self.max_length - tokens.shape[1]), value=self.vocabulary.pad)
        unknown = padded == self.vocabulary.unknown
        return torch.where(unknown, self.num_symbols, padded.clamp(max=self.num_symbols - 1))

    def one_hot(self, symbols: Tensor) -> Tensor:
        """(N, S, L) of symbols (N, L), zeros for what is not one of S."""
        # functional.one_hot looks at its input and makes the host wait.
        known = torch.arange(self.num_symbols, device=symbols.device)
        return (symbols[:, None, :] == known[:, None]).float()

    def translate(self, symbols: Tensor, side: str) -> Tensor:
        """The most probable translation (N, L) of symbols (N, L) to a side, a or b."""
        return self.written(self.towards(side)(self.one_hot(symbols)))

    def written(self, wish: Tensor) -> Tensor:
        """The letters (N, L) with the largest wish (N, S, L), END from the first END on."""
        found = wish.argmax(1)
        return found if self.end is None else close(found, self.end)

    def towards(self, side: str) -> Translator:
        """The translator that writes sequences of a side."""
        return self.to_b if side == "b" else self.to_a

    def losses(self, player: str, batch: Pair, rng: Generator, progress: Any) -> dict[str, Tensor]:
        """Scalar terms of both critics or of both translators; ``loss`` is minimised."""
        a, b = (self.one_hot(self.symbols(tokens)) for tokens in batch)
        return self._critics(a, b, rng) if player == "critic" else self._translators(a, b, rng)

    def _critics(self, a: Tensor, b: Tensor, rng: Generator) -> dict[str, Tensor]:
        with torch.no_grad():
            fake_b, fake_a = self._drawn(self.to_b(a), rng), self._drawn(self.to_a(b), rng)
        first = OBJECTIVE.critic_loss(self.critic_b, b, fake_b, rng, OBJECTIVE.penalty)
        second = OBJECTIVE.critic_loss(self.critic_a, a, fake_a, rng, OBJECTIVE.penalty)
        return {name: first[name] + second[name] for name in first}

    def _translators(self, a: Tensor, b: Tensor, rng: Generator) -> dict[str, Tensor]:
        options = self.options
        wish_b, wish_a = self.to_b(a), self.to_a(b)
        fake_b, fake_a = self._drawn(wish_b, rng), self._drawn(wish_a, rng)
        with held_still(self.critic_a), held_still(self.critic_b):
            game = OBJECTIVE.generator_loss(self.critic_b, b, fake_b)
            game = game + OBJECTIVE.generator_loss(self.critic_a, a, fake_a)
        zero = game.new_zeros(())
        cycle = identity = stay = zero
        if options.cycle:
            cycle = _missed(self.to_a(self._blurred(fake_b, rng)), a)
            cycle = cycle + _missed(self.to_b(self._blurred(fake_a, rng)), b)
        if options.identity:
            identity = _missed(self.to_b(b), b) + _missed(self.to_a(a), a)
        if options.stay:
            stay = _missed(wish_b, a) + _missed(wish_a, b)
        loss = game + options.cycle * cycle + options.identity * identity + options.stay * stay
        return {"loss": loss, "game": game, "cycle": cycle, "identity": identity, "stay": stay}

    def _drawn(self, logits: Tensor, rng: Generator) -> Tensor:
        """Letters as the critics see them, with gradient: drawn, so that nothing hides between them."""
        return relax(logits, "straight-through", rng, 1.0, self.end)

    def _blurred(self, sequences: Tensor, rng: Generator) -> Tensor:
        """(N, S, L) with a share of the letters drawn anew; END stays where it is."""
        share = self.options.noise
        if not share:
            return sequences
        num, _, length = sequences.shape
        luck = for_rows(lambda n: torch.rand(2, n, length, generator=rng, device=rng.device), num, dim=1)
        uniform = luck.to(sequences)
        letters = self.vocabulary.n_letters
        drawn = self.one_hot((uniform[0] * letters).long().clamp(max=letters - 1))
        hit = (uniform[1] < share).to(sequences)[:, None]
        if self.end is not None:
            hit = hit * (1 - sequences[:, -1:].detach())
        return sequences * (1 - hit) + drawn * hit


def _missed(logits: Tensor, sequences: Tensor) -> Tensor:
    """Cross-entropy of one-hot sequences (N, S, L) given logits (N, S, L), in nats a sequence."""
    return -(logits.log_softmax(1) * sequences).sum((1, 2)).mean()
