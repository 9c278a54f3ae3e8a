"""Goals by name. What a goal needs is said by the parameters of its function.

``outcome``: element by element, any shape. ``value``: a number, which makes such a function. ``limit``: the
same, of a limit for other goals, in standard deviations of the outcome. ``on, off``: two groups of outcomes
(..., A) and (..., B) -> (...).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from seqdesign.errors import UsageError
from seqdesign.objectives.reading import Kind, Needs
from seqdesign.registry import Registry

NUMBERS: tuple[Needs, ...] = ("value", "limit")
"""Needs that are a number."""

REGISTRY = Registry("objective", "seqdesign.objectives.goals", "seqdesign.objectives")
SHORT = {"max": "maximize", "min": "minimize"}
READ_AS: dict[str, Kind] = {"minimize": "cost", "target": "off_target"}
"""Goals whose scores are minus what is said of them."""


def needs(name: str) -> Needs:
    """What the goal is a function of. Raises UsageError for an unknown goal."""
    return needs_of(REGISTRY.load(SHORT.get(name, name)))


def needs_of(goal: Callable[..., Any]) -> Needs:
    """What a goal itself is a function of, by the names of its parameters."""
    parameters = list(inspect.signature(goal).parameters)
    if parameters[:2] == ["on", "off"]:
        return "on-off"
    return next((need for need in NUMBERS if parameters[0] == need), "outcome")


def goal(name: str, value: float | None = None) -> Callable[..., Any]:
    """The function of a goal; ``value`` is for those that need a number.

    Raises UsageError for an unknown goal, or a number too few or too many.
    """
    if (needs(name) in NUMBERS) != (value is not None):
        reason = "needs a number, such as =1.5" if value is None else f"takes no number, got {value:g}"
        raise UsageError(f"the goal {name} {reason}")
    member = REGISTRY.load(SHORT.get(name, name))
    return member if value is None else member(value)
