"""What a designer is given and what it returns.

Shapes: N starts, one design each, all of length L over V letters; M ensemble members, K outcomes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from torch import Tensor

from seqdesign.constraints.rules import Rules
from seqdesign.designers.archive import Archive
from seqdesign.objectives.objective import Objective
from seqdesign.oracles.oracle import Oracle

Stop = Literal["budget", "steps", "target", "converged", "stuck"]
"""Why a design ended: queries spent, steps done, good enough, no progress, no feasible move."""


@dataclass(frozen=True)
class Latent:
    """A generator of sequences that are like real ones when its codes z are drawn from N(0, I)."""

    decode: Callable[[Tensor], Tensor]
    """Codes (B, d) -> log-probabilities (B, V, L) of the letters up to a constant for each position,
    differentiable. The result of a row never depends on the other rows."""
    dim: int
    """d."""
    codes: Tensor | None = None
    """(N, d): the codes that the starts were made from, or None where they come from elsewhere."""
    critic: Callable[[Tensor], Tensor] | None = None
    """One-hot (B, V, L) -> how real a critic finds them (B,), in standard deviations of the generator's own
    samples; differentiable."""
    usual: Tensor | None = None
    """(N,): what the critic says of sequences such as each start; given with ``critic``."""

    def take(self, index: Tensor) -> Latent:
        """The same for the starts with these indices (n,)."""
        codes = None if self.codes is None else self.codes[index]
        return replace(self, codes=codes, usual=None if self.usual is None else self.usual[index])


class Writer(Protocol):
    """A language model of sequences of one length. The result of a row never depends on the other rows."""

    def log_prob(self, tokens: Tensor) -> Tensor:
        """Log-likelihoods (B,) float64 of tokens (B, L), in nats."""
        ...

    def rewrite(
        self, tokens: Tensor, begin: Tensor, end: Tensor, tilt: Tensor, uniform: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Tokens (B, L) whose span [begin, end) (B,) is drawn anew, and the log-probability of the draw (B,).

        tilt: (B, L, V) float64, added to the log-probabilities of letters. uniform: (B, L), the luck.
        """
        ...

    def log_q(self, tokens: Tensor, begin: Tensor, end: Tensor, tilt: Tensor) -> Tensor:
        """With which log-probability (B,) ``rewrite`` writes the span as it is in tokens (B, L)."""
        ...


@dataclass(frozen=True)
class Language:
    """A language model as the prior of designs."""

    writer: Writer
    usual: Tensor
    """(N,) nats: the log-likelihood of sequences such as each start."""
    spread: float
    """Standard deviation of the log-likelihood of the model's own samples, nats."""

    def take(self, index: Tensor) -> Language:
        """The same for the starts with these indices (n,)."""
        return replace(self, usual=self.usual[index])


@dataclass(frozen=True)
class SequenceProblem:
    """Sequences to improve by an oracle, what better means, and what must hold.

    Every start obeys the rules already, so the worst answer is the start itself.
    """

    oracle: Oracle
    objective: Objective
    starts: Tensor
    """(N, L) int64 letters."""
    rules: Rules
    keys: Tensor
    """(N,) int64: the number of each start in the whole run, of which this may be a block. Its randomness
    depends on the seed and the key alone, so that blocks give what all starts give at once; objective and
    archive know it by this number."""
    budget: int
    """Oracle queries for each start, at least 1: a sequence scored is one, a gradient another."""
    archive: Archive | None = None
    """Told of every feasible sequence that is scored, where one start is to give several designs."""
    enough: float | None = None
    """Score at which a design is good enough: stop, and from there on prefer fewer edits."""
    latent: Latent | None = None
    """For methods that move the code of a generator instead of letters."""
    language: Language | None = None
    """For methods that let a language model write."""
    pull: Callable[[Tensor, Tensor], Tensor] | None = None
    """What is taken off the scores (B,) of one-hot or soft (B, V, L) of the starts with these keys (B,) where
    they leave what the oracle knows; differentiable."""


@dataclass(frozen=True)
class Designs:
    """The best feasible sequence met for each start.

    tokens: (N, L) int64. score, start_score: (N,). predictions: (M, N, K) of the design as decoded.
    soft_score: (N,), the score of the relaxed sequence that the design was decoded from, NaN without one.
    num_queries, steps: (N,) int64. stop: why each start ended.
    """

    tokens: Tensor
    score: Tensor
    start_score: Tensor
    predictions: Tensor
    soft_score: Tensor
    num_queries: Tensor
    steps: Tensor
    stop: tuple[Stop, ...]
