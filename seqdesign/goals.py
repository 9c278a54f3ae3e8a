"""What is better, as text for ``objective``: functions that write what ``--objective`` reads.

import seqdesign as sd

sd.maximize(model, objective=[sd.goals.maximize("on"), sd.goals.minimize("off", weight=0.5)])
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["at_least", "at_most", "contrast", "maximize", "minimize", "specific", "target"]


def maximize(outcome: str | None = None, *, weight: float = 1.0) -> str:
    """Raise an outcome (the only one when not named), ``weight`` times."""
    return _weighted(_named("max", outcome), weight)


def minimize(outcome: str | None = None, *, weight: float = 1.0) -> str:
    """Lower an outcome, ``weight`` times."""
    return _weighted(_named("min", outcome), weight)


def target(value: float, outcome: str | None = None, *, weight: float = 1.0) -> str:
    """Bring an outcome to ``value``, in the outcome's units."""
    return _weighted(f"{_named('target', outcome)}={value:.12g}", weight)


def at_least(limit: float, outcome: str | None = None, *, weight: float = 1.0) -> str:
    """Keep an outcome at ``limit`` or above, in the outcome's units, while other goals count."""
    return _weighted(f"{_named('at-least', outcome)}={limit:.12g}", weight)


def at_most(limit: float, outcome: str | None = None, *, weight: float = 1.0) -> str:
    """Keep an outcome at ``limit`` or below."""
    return _weighted(f"{_named('at-most', outcome)}={limit:.12g}", weight)


def specific(on: Sequence[str], off: Sequence[str], *, weight: float = 1.0) -> str:
    """High in all of ``on``, low in all of ``off``: the smallest gap counts."""
    return _weighted(f"specific:{'+'.join(on)}-{'-'.join(off)}", weight)


def contrast(on: Sequence[str], off: Sequence[str], *, weight: float = 1.0) -> str:
    """High in ``on``, low in ``off``, on average."""
    return _weighted(f"contrast:{'+'.join(on)}-{'-'.join(off)}", weight)


def _named(goal: str, outcome: str | None) -> str:
    return goal if outcome is None else f"{goal}:{outcome}"


def _weighted(text: str, weight: float) -> str:
    return text if weight == 1.0 else f"{text}*{weight:.12g}"
