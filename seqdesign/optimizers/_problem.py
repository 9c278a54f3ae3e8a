"""What an optimizer is given and what it returns.

Shapes: N starting sequences, T = the model's max_length, K designs for each start, d latent dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.distributions import Normal

from seqdesign.decoding.edit_ball import EditBall
from seqdesign.decoding.protocol import AutoregressiveDecoder
from seqdesign.optimizers._ellipsoid import Ellipsoid

ROWS = 512
"""Sequences in one call of a network."""


class LatentModel(Protocol):
    """What REVISE needs of a model. ``decoder`` is an ``AutoregressiveDecoder``."""

    latent_dim: int
    max_length: int

    @property
    def decoder(self) -> AutoregressiveDecoder:
        """D(x | z)."""
        ...

    def encode(self, tokens: Tensor, lengths: Tensor) -> Normal:
        """q(z | x), (N, d)."""
        ...

    def outcome(self, z: Tensor) -> Tensor:
        """F(z), (N,), in the user's units."""
        ...

    def log_likelihood(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """log p(x), (N,), nats: how natural a sequence is."""
        ...


@dataclass(frozen=True)
class DesignProblem:
    """Sequences to improve, what better means, and what must hold.

    tokens: (N, T) int64 padded; lengths: (N,). score: outcomes (N,) -> what is maximised (N,).
    """

    model: LatentModel
    tokens: Tensor
    lengths: Tensor
    score: Callable[[Tensor], Tensor]
    min_length: int = 1
    """Letters that a design has at least; ``model.max_length`` is the other bound."""
    max_edits: int | None = None
    """Substitutions, insertions and deletions from the start."""
    forced: Tensor | None = None
    """(N, T) tokens that a design must have, -1 where it is free."""
    floor_per_letter: float | None = None
    """log p(x) / (letters + 1) that a design must reach, unless its start is below it itself."""
    min_loglik_change: float | None = None
    """log p(design) - log p(start) that is permitted at least, nats; replaces the floor."""
    top: int = 1
    """Designs wanted for each start."""

    def ball(self, copies: int = 1) -> EditBall | None:
        """The edit budget for ``copies`` rows of each start (copy-major), None without one."""
        if self.max_edits is None:
            return None
        budget = torch.full_like(self.lengths, self.max_edits)
        return EditBall(*(x.repeat(copies, *[1] * (x.ndim - 1)) for x in (self.tokens, self.lengths, budget)))

    def is_natural(self, log_likelihood: Tensor, lengths: Tensor, before: Tensor, before_lengths: Tensor) -> Tensor:
        """Whether designs are natural enough beside their starts; all arguments and the result (M,)."""
        if self.min_loglik_change is not None:
            return log_likelihood - before >= self.min_loglik_change
        if self.floor_per_letter is None:
            return torch.ones_like(log_likelihood, dtype=torch.bool)
        per_letter = log_likelihood / (lengths + 1)
        return per_letter >= (before / (before_lengths + 1)).clamp(max=self.floor_per_letter)


@dataclass(frozen=True)
class Evaluation:
    """Of M sequences: outcome F(E(x)) in the user's units and log p(x) in nats, (M,) each."""

    outcome: Tensor
    log_likelihood: Tensor


@torch.no_grad()
def evaluate(model: LatentModel, tokens: Tensor, lengths: Tensor) -> Evaluation:
    """Predicted outcome and naturalness of M sequences, in chunks; tokens (M, T)."""
    outcomes, likelihoods = [], []
    for index in torch.arange(len(tokens), device=tokens.device).split(ROWS):
        n = lengths[index]
        x = tokens[index, : max(1, int(n.max()))]
        outcomes.append(model.outcome(model.encode(x, n).mean))
        likelihoods.append(model.log_likelihood(x, n))
    empty = torch.zeros(0, device=tokens.device)
    return Evaluation(torch.cat([*outcomes, empty]), torch.cat([*likelihoods, empty]))


@dataclass(frozen=True)
class Latent:
    """What only latent optimizers know. All (N,) but the ellipsoid and ``stop``."""

    ellipsoid: Ellipsoid
    stop: tuple[str, ...]
    """Why the ascent from E(x0) ended."""


@dataclass(frozen=True)
class DesignResult:
    """Up to K designs for each start, best first. A start that could not be improved has none.

    tokens: (N, K, T); lengths, outcome (F(E(x)), user's units), log_likelihood (nats), outcome_at_code (F at the code
    that the design was decoded from; NaN without codes): (N, K); found: (N, K) bool, which entries are designs.
    """

    tokens: Tensor
    lengths: Tensor
    outcome: Tensor
    log_likelihood: Tensor
    outcome_at_code: Tensor
    found: Tensor
    before: Evaluation
    """Of the starts, (N,)."""
    num_scored: Tensor
    """Different sequences scored for each start, (N,)."""
    latent: Latent | None = None
