"""What a DNA synthesis company accepts: ``--synthesis twist``, a preset of other rules."""

from __future__ import annotations

from collections.abc import Callable

from seqdesign.constraints.builtin.gc import gc
from seqdesign.constraints.builtin.gc_difference import gc_difference
from seqdesign.constraints.builtin.gc_window import gc_window
from seqdesign.constraints.builtin.hairpin import hairpin
from seqdesign.constraints.builtin.max_homopolymer import max_homopolymer
from seqdesign.constraints.builtin.repeat import repeat
from seqdesign.constraints.constraint import Constraint
from seqdesign.constraints.every import Every
from seqdesign.constraints.starts import Starts
from seqdesign.constraints.vendors import VENDORS
from seqdesign.errors import UsageError

OPTION = "--synthesis"
_MAKE: dict[str, Callable[[str, Starts], Constraint]] = {
    "gc": gc,
    "gc-difference": gc_difference,
    "gc-window": gc_window,
    "hairpin": hairpin,
    "max-homopolymer": max_homopolymer,
    "repeat": repeat,
}


def synthesis(text: str, starts: Starts) -> Every:
    """All rules of the preset that a design of this length can break. Raises UsageError."""
    starts.need_complement(OPTION, "synthesis")
    name = text.strip().lower()
    if name not in VENDORS:
        raise UsageError(f"must be one of {', '.join(VENDORS)}, got {text!r}", option=OPTION)
    parts: list[Constraint] = []
    for rule in VENDORS[name].rules:
        if rule.letters > starts.length:
            continue
        part = _MAKE[rule.option](rule.text, starts)
        part.name = f"{OPTION} {name}/{rule.option} {rule.text}"
        parts.append(part)
    return Every(f"{OPTION} {name}", parts)
