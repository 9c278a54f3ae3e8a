"""Options of the designers that need scores only. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Options


@dataclass(frozen=True, kw_only=True)
class GreedyOptions(Options):
    """Greedy search has nothing to set."""


@dataclass(frozen=True, kw_only=True)
class AnnealingOptions(Options):
    """How simulated annealing cools."""

    PANEL: ClassVar[str] = "Annealing options"

    chains: Annotated[int, Between(1, 1024)] = 8
    """Chains for each start that share its budget; fewer where a chain would have less than 100 steps."""
    hot: Annotated[float, Between(0, low_open=True)] = 0.3
    """First temperature, in units of what a substitution typically changes."""
    cold: Annotated[float, Between(0, low_open=True)] = 0.003
    """Last temperature, in the same units."""


@dataclass(frozen=True, kw_only=True)
class AdaleadOptions(Options):
    """How AdaLead chooses parents and mutates."""

    PANEL: ClassVar[str] = "AdaLead options"

    population: Annotated[int, Between(0, 100_000)] = 0
    """Sequences of each start that a round begins with; 0 takes the root of the budget."""
    threshold: Annotated[float, Between(0, 1)] = 0.05
    """Parents are the sequences within this part of the way from the best score down to the median one."""
    recombine: Annotated[float, Between(0, 1)] = 0.2
    """Chance of a crossover at each position."""
    mutations: Annotated[float, Between(0, low_open=True)] = 1.0
    """Mean substitutions in a step of a rollout; there is always one at least."""


@dataclass(frozen=True, kw_only=True)
class EvolutionOptions(Options):
    """How the genetic algorithm breeds."""

    PANEL: ClassVar[str] = "Evolution options"

    population: Annotated[int, Between(0, 100_000)] = 0
    """Children of each start in a generation; 0 takes half the root of the budget, at most 256."""


@dataclass(frozen=True, kw_only=True)
class AdaBeamOptions(Options):
    """How wide the beam is."""

    PANEL: ClassVar[str] = "AdaBeam options"

    beams: Annotated[int, Between(1, 10_000)] = 10
    """Sequences of each start from which a round begins."""
    rollouts: Annotated[int, Between(1, 1000)] = 4
    """Rollouts for each of them on average; the better ones get more."""


@dataclass(frozen=True, kw_only=True)
class GibbsOptions(Options):
    """What the Markov chains sample."""

    PANEL: ClassVar[str] = "Gibbs options"

    chains: Annotated[int, Between(1, 1024)] = 4
    """Chains for each start that share its budget; fewer where a chain would have less than 100 steps."""
    temperature: Annotated[float | Literal["auto"], Between(0, low_open=True)] = "auto"
    """T of p(x) ~ exp(score / T), in units of the score; auto is a tenth of the largest first-order
    change that a substitution of the start makes."""
    proposal: Literal["gradient", "learned"] = "gradient"
    """One substitution by the gradient of the score, or many on a pairwise model that the chains learn."""
    warm_up: Annotated[float, Between(0, 1)] = 0.25
    """Share of the queries in which a learned proposal learns; after them it stays as it is."""


@dataclass(frozen=True, kw_only=True)
class GuidedOptions(Options):
    """How a language model writes towards a better score."""

    PANEL: ClassVar[str] = "Guided options"

    chains: Annotated[int, Between(1, 1024)] = 1
    """Chains for each start that share its budget; fewer where a chain would have less than 100 steps."""
    strength: Annotated[float, Between(0)] = 0.5
    """Weight of the score's slope in what is written; 0: the language model proposes without it."""
    hot: Annotated[float, Between(0, low_open=True)] = 0.3
    """First temperature, in units of what a move typically changes."""
    cold: Annotated[float, Between(0, low_open=True)] = 0.003
    """Last temperature, in the same units."""
    prior: Annotated[float, Between(0)] = 1.0
    """Weight of the log-likelihood."""
    least_likely: float = 0.0
    """A sequence counts only if the model finds it as likely as its samples on average, plus so many standard
    deviations of theirs."""
