"""Objectives as text: ``GOAL[:OUTCOME][=NUMBER][*WEIGHT]``, and ``GOAL:ON+ON-OFF-OFF`` for two groups.

Nothing heavy is imported before an objective is built.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from seqdesign.config import suggest
from seqdesign.errors import UsageError
from seqdesign.objectives.by_name import NUMBERS, READ_AS, REGISTRY, SHORT, goal, needs
from seqdesign.objectives.composite import Composite, Term
from seqdesign.objectives.risk import parse_risk

OPTION = "--objective"


def parse_objective(
    texts: Sequence[str],
    outcomes: Sequence[str],
    *,
    scales: Sequence[float] | None = None,
    log_odds: Sequence[bool] | None = None,
    risk: str = "mean",
    noise: Sequence[float] | None = None,
    beside: int = 0,
) -> Composite:
    """The objective of the texts (``max``, ``min:NAME``, ``target:NAME=1.5*0.5``, ``at-least:NAME=70``,
    ``specific:ON-OFF1-OFF2``).

    Nothing at all means ``max`` where there is one outcome. A single goal scores in the outcome's own units;
    several are added up in standard deviations, so that weights compare like with like. Limits are no goals
    of their own, unless nothing else is asked for.

    outcomes: K names. scales: standard deviation of each outcome; 1 when not given. log_odds: which
    predictions are log-odds, so that a target is given as a probability. risk: see `parse_risk`. noise:
    standard deviation (K,) of a measurement around its prediction. beside: so many outcomes, the last ones,
    must be named also where there is one other.

    Raises UsageError, naming the option, what there is and what is nearest.
    """
    odds = tuple(log_odds or (False,) * len(outcomes))
    if not texts and len(outcomes) - beside > 1:
        raise UsageError(
            f"is needed with several outcomes or labels, such as max:{outcomes[0]}; they are "
            f"{', '.join(outcomes)}",
            option=OPTION,
        )
    parts = [_Parsed(text, outcomes, odds, beside) for text in texts or ("max",)]
    terms = [part.term(scales if len(parts) > 1 or part.needs == "limit" else None) for part in parts]
    limits = tuple(term for part, term in zip(parts, terms, strict=True) if part.needs == "limit")
    goals = tuple(term for part, term in zip(parts, terms, strict=True) if part.needs != "limit")
    return Composite(
        goals or limits,
        parse_risk(risk),
        None if noise is None else tuple(noise),
        limits=limits if goals else (),
    )


class _Parsed:
    """One text, taken apart and checked."""

    def __init__(self, text: str, outcomes: Sequence[str], log_odds: Sequence[bool], beside: int = 0) -> None:
        self.text, self.outcomes, self.only = text, outcomes, len(outcomes) - beside == 1
        match = re.match(r"[a-z][a-z-]*", text)
        self.name = match[0] if match else text
        known = sorted({*REGISTRY.names(), *SHORT})
        if self.name not in known:
            raise self._error(
                f"unknown goal '{self.name}'; must be one of {', '.join(known)}{suggest(self.name, known)}"
            )
        self.needs = needs(self.name)
        self.on, self.off, value, weight = self._outcomes(text[len(self.name) :])
        self.weight = 1.0 if weight is None else self._number(weight, "weight")
        if self.weight <= 0:
            raise self._error(f"a weight must be above 0, got {self.weight:g}; min:NAME lowers an outcome")
        self.value = None if value is None else self._number(value, "number")
        if (self.needs in NUMBERS) != (value is not None):
            raise self._error(
                f"{self.name} needs a number, such as {self.name}:{outcomes[0]}=1.5"
                if value is None
                else f"{self.name} takes no number, got ={value}"
            )
        if self.value is not None and log_odds[self.on[0]]:
            if not 0 < self.value < 1:
                raise self._error(
                    f"'{outcomes[self.on[0]]}' is a probability, so the number must lie between 0 and 1, got "
                    f"{self.value:g}"
                )
            self.value = math.log(self.value) - math.log1p(-self.value)

    def term(self, scales: Sequence[float] | None) -> Term:
        """The term; ``scales`` (K,) when it is one of several."""
        used = [*self.on, *self.off]
        scale = 1.0 if scales is None else sum(scales[i] for i in used) / len(used)
        function = goal(self.name, None if self.value is None else self.value / scale)
        kind = READ_AS.get(SHORT.get(self.name, self.name), "score")
        of = (self.text, function, self.on, self.off, self.weight, scale, self.value, self.needs)
        return Term(*of, kind=kind)

    def _outcomes(self, rest: str) -> tuple[tuple[int, ...], tuple[int, ...], str | None, str | None]:
        """(on, off, number, weight). Names may hold any character, so every way to split is tried."""
        ways = [
            (*found, value, weight)
            for names, value, weight in _splits(rest)
            if (found := self._resolve(names)) is not None
        ]
        if ways:
            return next((way for way in ways if all(map(_is_number, way[2:]))), ways[0])
        names = re.sub(r"(=[^=*]*)?(\*[^=*]*)?$", "", rest)
        raise self._error(self._unknown(names.removeprefix(":")))

    def _resolve(self, names: str) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        if self.needs == "on-off":
            groups = next(_groups(names.replace(":", "+", 1), self.outcomes), None) if names else None
            if groups is None:
                return None
            on, off = (tuple(i for sign, i in groups if sign == wanted) for wanted in "+-")
            return (on, off) if on and off else None
        if not names and self.only:
            return (0,), ()
        if names.startswith(":") and names[1:] in self.outcomes:
            return (self.outcomes.index(names[1:]),), ()
        return None

    def _unknown(self, names: str) -> str:
        there = f"the outcomes are {', '.join(self.outcomes)}"
        if self.needs == "on-off":
            return f"must be {self.name}:ON-OFF or {self.name}:ON+ON-OFF-OFF; {there}"
        if not names:
            return f"say which outcome, such as {self.name}:{self.outcomes[0]}; {there}"
        return f"there is no outcome '{names}'; {there}{suggest(names, self.outcomes)}"

    def _number(self, text: str, what: str) -> float:
        if not _is_number(text):
            raise self._error(f"the {what} must be a finite number, got '{text}'")
        return float(text)

    def _error(self, message: str) -> UsageError:
        return UsageError(f"'{self.text}': {message}", option=OPTION)


def _is_number(text: str | None) -> bool:
    """Whether the text is a finite number, or left out."""
    try:
        return text is None or math.isfinite(float(text))
    except ValueError:
        return False


def _splits(rest: str) -> Iterator[tuple[str, str | None, str | None]]:
    """All (names, number, weight) that ``:NAMES=NUMBER*WEIGHT`` could mean, the longest names first."""
    bodies: list[tuple[str, str | None]] = [(rest, None)]
    if "*" in rest:
        bodies.append((rest.rpartition("*")[0], rest.rpartition("*")[2]))
    for body, weight in bodies:
        yield body, None, weight
    for body, weight in bodies:
        if "=" in body:
            names, _, value = body.rpartition("=")
            yield names, value, weight


def _groups(text: str, outcomes: Sequence[str]) -> Iterator[list[tuple[str, int]]]:
    """All ways to read ``+A+B-C`` as signs and outcomes; names may hold signs themselves."""
    if not text:
        yield []
        return
    for index in sorted(range(len(outcomes)), key=lambda i: -len(outcomes[i])):
        if text[0] in "+-" and text.startswith(outcomes[index], 1):
            for more in _groups(text[1 + len(outcomes[index]) :], outcomes):
                yield [(text[0], index), *more]
