"""How a score is said: as a score, of which more is better, or as a cost or a distance, of which less is.

Designs are compared by scores, and a larger one is better whatever the objective. Where one outcome shall be
low its score is minus the outcome, and where it shall be near a number minus the distance from that. What is
written for people says neither: it has the outcome or the distance itself, under keys that say which way is
up. Whoever writes a score asks here for the number and for the key.

Imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["score", "cost", "off_target"]
Needs = Literal["outcome", "value", "limit", "on-off"]
"""What a goal is a function of (``by_name``)."""
LIMITS = ("at-least", "at-most")
"""Goals that are limits for others."""


@dataclass(frozen=True)
class Reading:
    """Of the scores of one objective.

    cost: of one outcome that shall be low, the outcome. off_target: of one that shall be near a number, the
    distance from it. score: of all others, and of several goals.
    """

    kind: Kind = "score"

    @classmethod
    def of_keys(cls, keys: Iterable[str]) -> Reading:
        """What the keys of a header or a table hold; a table of others may have prices of its own."""
        have = set(keys)
        return next((one for one in READINGS if one.lower and {one.kind, one.start} <= have), cls())

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return self.kind != "score"

    @property
    def bound(self) -> str:
        """Key of what designs are ranked by: the worse end of what is possible."""
        return f"{self.kind}_{'high' if self.lower else 'low'}"

    @property
    def start(self) -> str:
        """Key of what a design is compared with."""
        return f"{self.kind}_start"

    @property
    def design(self) -> str:
        """Key of what those say that designed."""
        return f"{self.kind}_design"

    def value(self, score: float) -> float:
        """What is said of a score; of what is said, the score."""
        return 0.0 - score if self.lower else score

    def limit(self, value: float) -> str:
        """A value that is not exceeded, or of a score not missed."""
        return f"{'≤' if self.lower else '≥'} {value:.4g}"

    def promised(self, designs: int, value: float) -> str:
        """The same of the mean of designs, in words."""
        side = "is below" if self.lower else "exceeds"
        return f"the {self.mean} of the {designs:,} designs {side} {value:.4g}"

    @property
    def mean(self) -> str:
        """What a mean is called."""
        return "mean distance from the target" if self.kind == "off_target" else "mean"

    @property
    def name(self) -> str:
        """What it is called."""
        return self.kind.replace("_", " ")


READINGS = (Reading("score"), Reading("cost"), Reading("off_target"))

Goal = Literal["max", "min"] | float
"""Whether an outcome shall be high, low, or near a number."""


@dataclass(frozen=True)
class Wanted:
    """What designs are for: the goal, and the name of the outcome; None where there is but one."""

    goal: Goal = "max"
    outcome: str | None = None


MORE = Wanted()


def wanted_of(objective: str) -> Wanted:
    """What an objective wants, of several goals the first one, limits last."""
    goals = sorted(goals_in(objective), key=lambda one: one.startswith(LIMITS))
    kind, _, name = goals[0].partition("*")[0].partition(":")
    kind, _, value = kind.partition("=")
    name, _, number = name.partition("=")
    goal: Goal = "min" if kind in ("min", "minimize") else "max"
    if kind == "target":
        try:
            goal = float(value or number)
        except ValueError:
            goal = "max"
    return Wanted(goal, name or None)


def goals_in(objective: str) -> list[str]:
    """The goals of an objective, as they were typed."""
    return re.split(r" \+ |, ", objective)
