"""Joint method: activation maximization through a generator, on its code z instead of on letters.

Killoran et al. (2017), arXiv 1712.06148, section 2.4, in the form of plug-and-play generative networks
(Nguyen et al. 2017, CVPR, equation 5): z moves by e1 d log p(z)/dz + e2 df(G(z))/dz + N(0, e3^2), with
p(z) = N(0, I), so that d log p(z)/dz = -z pulls towards the origin. No search over letters follows: designs
stay what the generator would write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.adam import Adam, cosine
from seqdesign.designers.ascent import FORBIDDEN, Ascent
from seqdesign.designers.encode import encode_starts
from seqdesign.designers.gradient_options import LatentOptions
from seqdesign.designers.noise import normal
from seqdesign.designers.problem import Designs, Latent, SequenceProblem
from seqdesign.designers.prune import prune
from seqdesign.designers.scorer import Scorer, require_gradient, stops
from seqdesign.errors import UsageError

LETTERS, NOISE, CODES = 1_000_000_000, 2_000_000_000, 3_000_000_000
"""Draws of letters, of the code's noise and of first codes are numbered from here."""
TINY = 1e-12
MEMORY = 0.9
"""Weight of the past in the running mean square of slopes."""


def latent(problem: SequenceProblem, options: LatentOptions, seed: int) -> Designs:
    """Ascend from the code of every start. Raises UsageError without a generator or a gradient."""
    require_gradient(problem, "latent")
    if problem.latent is None:
        raise UsageError(
            "--method latent: needs a generator with codes; name a folder of train-gan or "
            "train-vae with --generator"
        )
    scorer = Scorer(problem)
    climb = _Code(scorer, problem.latent, options, seed)
    steps = climb.run()
    if problem.latent.codes is None:
        prune(scorer)  # edits of a user's sequence; those of a drawn one mean nothing
    return scorer.designs(stops(scorer, steps >= options.steps), steps)


class _Code(Ascent):
    """The slope is taken in units of its running root mean square, so that ``prior`` has no units."""

    def __init__(self, scorer: Scorer, generator: Latent, options: LatentOptions, seed: int) -> None:
        super().__init__(scorer, seed, min(options.steps, max(0, scorer.problem.budget - 2)), LETTERS)
        self.generator, self.options = generator, options
        if generator.codes is not None:
            first = generator.codes.clone()
        else:
            first = normal(seed, scorer.problem.keys, CODES, generator.dim)
            first = encode_starts(generator.decode, scorer.starts, first, options.encode_steps)
        self.adam = Adam([first])
        self.leaf = self.made = first
        self.real: Tensor | None = None
        self.sizes = [torch.zeros_like(first[:, :1]) for _ in range(2)]
        self.weight = 0.0
        self.usual = generator.usual

    @property
    def z(self) -> Tensor:
        """Codes (B, d)."""
        return self.adam.parameters[0]

    def logits(self, step: int) -> Tensor:
        with torch.enable_grad():
            self.leaf = self.z.detach().requires_grad_(True)
            self.made = self.generator.decode(self.leaf)
        return self.made.detach()

    def wish(self, logits: Tensor, step: int) -> Tensor:
        return logits if self.options.forward == "argmax" else super().wish(logits, step)

    def decode(self, wish: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """As always, but what the critic finds too unreal does not count; its slope is kept for ``learn``."""
        tokens, good = super().decode(wish, step)
        if self.generator.critic is not None and self.usual is not None:
            with torch.enable_grad():
                letters = self.scorer.one_hot(tokens).requires_grad_(True)
                real = self.generator.critic(letters)
                (self.real,) = torch.autograd.grad(real.sum(), letters)
            good = good & (real.detach() >= self.usual + self.options.least_real)
        return tokens, good

    def learn(self, slope: Tensor, step: int) -> None:
        """Straight through: slopes at the hard sequence are taken for those at the probabilities."""
        options = self.options
        mask = self.scorer.problem.rules.mask[self.rows].transpose(1, 2)
        with torch.enable_grad():
            probs = self.made.masked_fill(~mask, FORBIDDEN).softmax(1)
        self.weight = MEMORY * self.weight + 1.0 - MEMORY
        ascent = self._pull(probs, slope, 0) - options.prior * self.z
        if self.real is not None and options.critic:
            ascent += options.critic * self._pull(probs, self.real, 1)
        if options.update == "adam":
            self.adam.step([ascent], cosine(options.learning_rate, step, self.steps))
        else:
            self.z.add_(ascent, alpha=options.learning_rate)
        if options.noise:
            keys = self.scorer.problem.keys[self.rows]
            self.z.add_(normal(self.seed, keys, NOISE + step, self.generator.dim), alpha=options.noise)

    def _pull(self, probs: Tensor, slope: Tensor, which: int) -> Tensor:
        """The slope (B, V, L) back to the codes (B, d), in units of its running root mean square."""
        (pulled,) = torch.autograd.grad(probs, self.leaf, slope, retain_graph=True)
        square = pulled.square().mean(1, keepdim=True)
        self.sizes[which] = MEMORY * self.sizes[which] + (1.0 - MEMORY) * square
        return pulled / ((self.sizes[which] / self.weight).sqrt() + TINY)

    def keep(self, going: Tensor) -> None:
        self.adam.keep(going)
        self.sizes = [size[going] for size in self.sizes]
        self.usual = None if self.usual is None else self.usual[going]
