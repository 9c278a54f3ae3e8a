"""Goals with weights, limits, risk and a place along the Pareto front, as one objective.

Shapes: M members, N sequences, K outcomes, T terms, S starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from seqdesign.objectives.reading import Kind, Needs, Reading
from seqdesign.objectives.risk import Risk, with_noise

if TYPE_CHECKING:
    from torch import Tensor


AUGMENTATION = 0.01
"""Share of the sum beside the minimum, so that all terms have a slope and no weakly dominated point wins."""
SMALLEST = 0.01
"""Least share of a term in a direction."""


@dataclass(frozen=True)
class Term:
    """One goal: some outcomes (..., K) -> (...), times ``weight``."""

    text: str
    """As the user typed it."""
    goal: Callable[..., Any]
    on: tuple[int, ...]
    """The outcome, or the outcomes on target."""
    off: tuple[int, ...] = ()
    """Outcomes off target."""
    weight: float = 1.0
    scale: float = 1.0
    """One unit of the score in units of the outcome."""
    target: float | None = None
    """The value to come near to, or the limit, where the goal has one."""
    needs: Needs = "outcome"
    margin: float = 0.0
    """Of a limit: how far within it predictions are to be, in units of the outcome."""
    kind: Kind = "score"
    """What it is minus of, where it is: the outcome that shall be low, or a distance from a number."""

    def __call__(self, predictions: Tensor) -> Tensor:
        """Predictions (..., K) -> (...)."""
        x = (predictions - self._shift) / self.scale
        if self.off:
            value = self.goal(x[..., list(self.on)], x[..., list(self.off)])
        else:
            value = self.goal(x[..., self.on[0]])
        return self.weight * value

    @property
    def _shift(self) -> float:
        """By how much worse a limit takes an outcome to be than predicted."""
        if not self.margin or self.target is None:
            return 0.0
        import torch

        around = torch.tensor([-1.0, 1.0], dtype=torch.float64) + self.target / self.scale
        less, more = self.goal(around).tolist()
        return self.margin if more > less else -self.margin

    @property
    def limit(self) -> bool:
        """Whether it is a limit, which is kept or not."""
        return self.needs == "limit"

    def met(self, predictions: Tensor) -> Tensor:
        """Of a limit: whether predictions (..., K) are within it, (...)."""
        limit = predictions.new_full(predictions.shape[-1:], self.target or 0.0)
        return self(predictions) >= self(limit)


@dataclass(frozen=True)
class Front:
    """Where on the Pareto front each start aims: the direction (S, T) of gain from a reference (S, T)."""

    directions: Tensor
    reference: Tensor
    kind: Literal["chebyshev", "linear"]

    def __call__(self, values: Tensor, rows: Tensor) -> Tensor:
        """Values of the terms (M, N, T) -> (M, N).

        chebyshev: min_t gain_t / direction_t + 0.01 sum_t gain_t, the achievement function of
        Wierzbicki (1980), which reaches every point of the front that is better than the reference; the
        scalarisation by which Zhang and Golovin (2020, arXiv 2006.04655) measure hypervolume. linear:
        sum_t direction_t gain_t, which reaches the convex part only.
        """
        directions = self.directions.to(values)[rows]
        gain = values - self.reference.to(values)[rows]
        if self.kind == "linear":
            return (gain * directions).sum(-1)
        ratio = gain / directions.clamp(min=SMALLEST)
        return ratio.amin(-1) + AUGMENTATION * gain.sum(-1)


@dataclass(frozen=True)
class Composite:
    """The weighted sum of the terms for each member, or its place on a front; then the risk over members.

    What it costs to miss the limits is taken off the sum, or off each term of a front.

    A prediction that is not finite says that a sequence was not measured or is not feasible; it scores -inf
    whatever the goal.
    """

    terms: tuple[Term, ...]
    risk: Risk = field(default_factory=Risk)
    noise: tuple[float, ...] | None = None
    """Standard deviations (K,) of a measurement around its prediction; risks other than mean count them."""
    front: Front | None = None
    limits: tuple[Term, ...] = ()

    def within(self, margins: Mapping[int, float]) -> Composite:
        """The same, with limits kept by these margins (place -> margin), in units of the outcomes."""

        def held(term: Term) -> Term:
            return replace(term, margin=margins.get(term.on[0], 0.0)) if term.limit else term

        return replace(self, terms=tuple(map(held, self.terms)), limits=tuple(map(held, self.limits)))

    @property
    def every(self) -> tuple[Term, ...]:
        """All goals and limits."""
        return (*self.terms, *self.limits)

    @property
    def text(self) -> str:
        """All goals and limits, as the user typed them."""
        return " + ".join(term.text for term in self.every)

    @property
    def used(self) -> list[int]:
        """Outcomes that it looks at."""
        return sorted({i for term in self.every for i in (*term.on, *term.off)})

    @property
    def reading(self) -> Reading:
        """How its scores are said."""
        return Reading(self.terms[0].kind if len(self.terms) == 1 and not self.limits else "score")

    def values(self, predictions: Tensor) -> Tensor:
        """Each term on its own, after the risk: (M, N, K) -> (N, T). What a Pareto front is drawn from."""
        members, missed, usable = self._members(predictions)
        return self.risk(members + missed.unsqueeze(-1)).masked_fill(~usable.unsqueeze(1), -math.inf)

    def __call__(self, predictions: Tensor, rows: Tensor, /) -> Tensor:
        """Scores (N,) of predictions (M, N, K)."""
        values, missed, usable = self._members(predictions)
        if self.front is None:
            members = values.sum(-1) + missed
        else:
            members = self.front(values + missed.unsqueeze(-1), rows)
        return self.risk(members).masked_fill(~usable, -math.inf)

    def along(
        self, directions: Tensor, reference: Tensor, kind: Literal["chebyshev", "linear"] = "chebyshev"
    ) -> Composite:
        """The same terms, but each start aims in its own direction.

        directions: (S, T), not negative, such as `simplex_directions`. reference: (T,) or (S, T) values to
        improve on, such as ``values`` of the starts. Raises ValueError for other shapes or numbers.
        """
        wanted = (len(directions), len(self.terms))
        if tuple(directions.shape) != wanted or not bool((directions >= 0).all()):
            raise ValueError(
                f"directions must be (starts, {len(self.terms)}) and not negative, got shape "
                f"{tuple(directions.shape)}, least {float(directions.min()):g}"
            )
        if tuple(reference.shape) not in (wanted, wanted[1:]) or not bool(reference.isfinite().all()):
            raise ValueError(
                f"reference must be finite and {wanted[1:]} or {wanted}, got {tuple(reference.shape)}"
            )
        return replace(self, front=Front(directions, reference.expand(wanted), kind))

    def _members(self, predictions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Values of the terms (M, N, T), what missed limits add (M, N), of more members with noise; and which
        sequences are usable (N,).
        """
        import torch

        used = self.used
        usable = predictions[..., used].isfinite().all(-1).all(0)
        predictions = predictions.masked_fill(~usable[:, None], 0.0)
        if self.noise is not None and self.risk.kind != "mean":
            predictions = with_noise(predictions, predictions.new_tensor(self.noise), used)
        values = torch.stack([term(predictions) for term in self.terms], -1)
        missed = [term(predictions) for term in self.limits] or [torch.zeros_like(values[..., 0])]
        return values, torch.stack(missed).sum(0), usable
