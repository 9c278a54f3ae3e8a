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

from seqdesign.constraints.rules import Rules
from seqdesign.decoding.edit_ball import EditBall
from seqdesign.decoding.protocol import AutoregressiveDecoder
from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.errors import InputError
from seqdesign.revisers.ellipsoid import Ellipsoid
from seqdesign.revisers.hashes import once

ROWS = 512
"""Sequences in one call of a network on a CPU."""
LETTER_BYTES = 1 << 14
"""What a letter takes on a GPU, of networks with some hundred units."""


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
        """Natural log of p(x), (N,): how natural a sequence is."""
        ...

    def log_prob_next(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Natural log of p(letter | letters before) of every letter at every place, (N, L, V)."""
        ...


@dataclass(frozen=True)
class DesignProblem:
    """Sequences to improve, what better means, and what must hold.

    tokens: (N, T) int64 padded; lengths: (N,), 1 to T. score: outcomes (N,) -> what is maximised (N,).

    A start may hold UNKNOWN tokens; a design has letters only, and each unknown letter that it fills in is an
    edit. UNKNOWN adds 0 to a start's log p(x), so ``min_loglik_change`` is strict for such starts.

    Raises InputError where ``forced`` asks for anything but the start's own letter.
    """

    model: LatentModel
    tokens: Tensor
    lengths: Tensor
    score: Callable[[Tensor], Tensor]
    min_length: int = 1
    """Letters that a design has at least; ``model.max_length`` is the other bound."""
    max_edits: int | None = None
    """Substitutions, insertions and deletions from the start."""
    indels: bool = True
    """False: edits are substitutions, as in an aligned library where each position has its own meaning."""
    forced: Tensor | None = None
    """(N, T) letters of the start that a design must have at the same place, -1 where it is free."""
    floor_per_letter: float | None = None
    """log p(x) / (letters + 1) that a design must reach, unless its start is below it itself."""
    min_loglik_change: float | None = None
    """log p(design) - log p(start) that is permitted at least, nats; replaces the floor."""
    top: int = 1
    """Designs wanted for each start."""
    rules: Rules | None = None
    """What designs must obey besides, of ``model.max_length`` letters at most. A design of a start that does
    not obey them itself need not score above it."""
    min_distance: int | None = None
    """Edits between two designs of one start at least."""

    def __post_init__(self) -> None:
        if self.forced is None:
            return
        wrong = (self.forced >= 0) & ((self.forced != self.tokens) | (self.tokens >= self.model.decoder.end))
        if bool(wrong.any()):
            i, position = wrong.nonzero()[0].tolist()
            raise InputError(
                f"start {i + 1}: position {position + 1} is to be kept, so it must hold a known letter; "
                "it is unknown, past the end, or not the letter of the start"
            )

    def obeys(self, tokens: Tensor, owner: Tensor) -> Tensor:
        """Whether sequences (M, T) obey the rules of their starts (M,); (M,) bool."""
        if self.rules is None:
            return torch.ones_like(owner, dtype=torch.bool)
        return self.rules.is_feasible(tokens, owner)

    def ball(self, rows: Tensor) -> EditBall | None:
        """The edit budget around the starts with these indices (M,), None without one."""
        if self.max_edits is None:
            return None
        return EditBall(
            self.tokens[rows], self.lengths[rows], torch.full_like(rows, self.max_edits), self.indels
        )

    @property
    def asks_naturalness(self) -> bool:
        """Whether log p(x) decides anything."""
        return self.min_loglik_change is not None or self.floor_per_letter is not None

    def is_natural(
        self, log_likelihood: Tensor, lengths: Tensor, before: Tensor, before_lengths: Tensor
    ) -> Tensor:
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


def in_parts(
    call: Callable[[Tensor, Tensor], tuple[Tensor, ...]], tokens: Tensor, lengths: Tensor
) -> tuple[Tensor, ...]:
    """``call`` of tokens (n, L) and lengths (n,) of some sequences at a time, without needless padding."""

    def part(rows: slice) -> tuple[Tensor, ...]:
        n = lengths[rows]
        return call(tokens[rows, : max(1, int(n.max())) if len(n) else 1], n)

    size = block_size(tokens.device, LETTER_BYTES * max(1, tokens.shape[1]), cpu=ROWS)
    return tuple(torch.cat(column) for column in zip(*in_blocks(part, len(tokens), size), strict=True))


@torch.no_grad()
def posterior(model: LatentModel, tokens: Tensor, lengths: Tensor) -> Normal:
    """q(z | x) of M sequences, (M, d); tokens (M, T)."""

    def encoded(x: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
        found = model.encode(x, n)
        return found.mean, found.stddev

    mean, scale = in_parts(encoded, tokens, lengths)
    return Normal(mean, scale, validate_args=False)


@torch.no_grad()
def coded(model: LatentModel, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Which of U different ones M sequences are, (M,); of these E(x), the means (U, d), and F(E(x)), (U,).

    tokens: (M, T). Different starts often lead to the same sequence, which is encoded once.
    """

    def of(x: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
        code = model.encode(x, n).mean
        return code, model.outcome(code)

    first, which = once(tokens)
    codes, outcome = in_parts(of, tokens[first], lengths[first])
    return which, codes, outcome


def expected(model: LatentModel, tokens: Tensor, lengths: Tensor) -> Tensor:
    """F(E(x)) of M sequences, (M,); tokens (M, T)."""
    which, _, outcome = coded(model, tokens, lengths)
    return outcome[which]


@torch.no_grad()
def naturalness(model: LatentModel, tokens: Tensor, lengths: Tensor) -> Tensor:
    """Log-likelihoods log p(x) of M sequences, (M,); tokens (M, T)."""
    first, which = once(tokens)
    (found,) = in_parts(lambda x, n: (model.log_likelihood(x, n),), tokens[first], lengths[first])
    return found[which]


def evaluate(model: LatentModel, tokens: Tensor, lengths: Tensor) -> Evaluation:
    """Predicted outcome and naturalness of M sequences; tokens (M, T)."""
    return Evaluation(expected(model, tokens, lengths), naturalness(model, tokens, lengths))


@dataclass(frozen=True)
class Latent:
    """What only latent optimizers know. All (N,) but the ellipsoid and ``stop``."""

    ellipsoid: Ellipsoid
    stop: tuple[str, ...]
    """Why the ascent from E(x0) ended."""


@dataclass(frozen=True)
class DesignResult:
    """Up to K designs for each start, best first. A start that could not be improved has none.

    tokens: (N, K, T); the others (N, K). outcome: F(E(x)) in user's units; log_likelihood: nats;
    outcome_at_code: F at the code that a design was decoded from, NaN without codes; found: bool, which
    entries are designs.
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
