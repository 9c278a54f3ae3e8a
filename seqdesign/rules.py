"""Hard constraints as values, for ``maximize``, ``revise`` and ``sample`` in Python.

    import seqdesign as sd

    sd.maximize(model, rules=[sd.rules.forbid("BsaI", "GGATCC"), sd.rules.gc(0.4, 0.6)])

Each is one option of the command line: ``gc(0.4, 0.6)`` is ``--gc 0.4-0.6``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqdesign.config import fields_of
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.errors import UsageError

__all__ = [
    "Rule",
    "allow",
    "circular",
    "forbid",
    "gc",
    "gc_difference",
    "gc_window",
    "hairpin",
    "keep",
    "left",
    "max_edits",
    "max_homopolymer",
    "min_cai",
    "min_distance",
    "options",
    "repeat",
    "right",
    "synthesis",
    "template",
    "tm",
    "translate",
    "without_flanks",
]


@dataclass(frozen=True)
class Rule:
    """One option of ``ConstraintOptions`` with its value, or with the values to add to a list of them."""

    option: str
    value: Any

    def __str__(self) -> str:
        return f"{self.option}={self.value!r}"


def allow(positions: Mapping[int | tuple[int, int], str]) -> Rule:
    """Letters that may stand at some positions, from 1: ``allow({34: "AKR", (40, 45): "-CP"})``.

    Args:
        positions: a position, or the first and the last one, and its letters; ``-CP`` is all but C and P.
    """
    parts = []
    for place, letters in positions.items():
        text = str(place) if isinstance(place, int) else f"{place[0]}-{place[1]}"
        parts.append(f"{text}:{letters}")
    return Rule("allow", ",".join(parts))


def forbid(*patterns: str) -> Rule:
    """Patterns that must not occur: letters, IUPAC codes, or names of restriction enzymes.

    Args:
        patterns: such as ``"GAATTC"``, ``"GGNCC"`` or ``"BsaI"``; in DNA and RNA on either strand.
    """
    return Rule("forbid", patterns)


def gc(low: float, high: float) -> Rule:
    """Share of G and C in the whole sequence, ``low`` to ``high``, both from 0 to 1."""
    return Rule("gc", f"{_share(low)}-{_share(high)}")


def gc_window(size: int, low: float, high: float) -> Rule:
    """Share of G and C, 0 to 1, in every window of ``size`` letters."""
    return Rule("gc_window", (f"{size}:{_share(low)}-{_share(high)}",))


def gc_difference(size: int, most: float) -> Rule:
    """Share of G and C, 0 to 1, by which any two windows of ``size`` letters may differ."""
    return Rule("gc_difference", f"{size}:{_share(most)}")


def repeat(size: int) -> Rule:
    """No word of ``size`` letters twice, nor, in DNA and RNA, its reverse complement."""
    return Rule("repeat", size)


def hairpin(stem: int, low: int, high: int) -> Rule:
    """No stem of so many letters around a loop of ``low`` to ``high`` letters."""
    return Rule("hairpin", (f"{stem}:{low}-{high}",))


def tm(low: float, high: float) -> Rule:
    """Melting temperature of the whole sequence, degrees Celsius (nearest neighbours, 50 mM sodium)."""
    return Rule("tm", f"{low:g}-{high:g}")


def synthesis(maker: str) -> Rule:
    """Published rules of a DNA synthesis company, ``"twist"`` or ``"idt"``."""
    return Rule("synthesis", maker)


def left(letters: str) -> Rule:
    """What stands left of every design in what is made; rules and oracles see it."""
    return Rule("left", letters)


def right(letters: str) -> Rule:
    """What stands right of every design in what is made; rules and oracles see it."""
    return Rule("right", letters)


def circular() -> Rule:
    """What is made is a circle, so that rules look across its ends."""
    return Rule("circular", True)


def without_flanks(*names: str) -> Rule:
    """Rules such as ``"gc"``, or ``"oracle"``, that see the design without what stands beside it."""
    return Rule("without_flanks", names)


def max_homopolymer(longest: int, **letters: int) -> Rule:
    """Longest run of one letter; single letters may have their own: ``max_homopolymer(5, G=4)``."""
    return Rule("max_homopolymer", ",".join([str(longest), *(f"{k}:{v}" for k, v in letters.items())]))


def template(text: str) -> Rule:
    """What may stand where: letters and IUPAC codes, as long as a design, such as ``"NNGAATTCNN"``."""
    return Rule("template", text)


def max_edits(number: int) -> Rule:
    """At most so many substitutions, insertions and deletions."""
    return Rule("max_edits", number)


def keep(*positions: int | tuple[int, int]) -> Rule:
    """Positions of the start, from 1, that must not change: ``keep(30, (5, 12))`` keeps 30 and 5 to 12."""
    ranges: list[tuple[int, int]] = []
    for position in positions:
        first, last = (position, position) if isinstance(position, int) else position
        if ranges and ranges[-1][1] + 1 == first:
            ranges[-1] = (ranges[-1][0], last)
        else:
            ranges.append((first, last))
    return Rule("keep", ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges))


def translate(first: int, last: int) -> Rule:
    """The protein of the reading frame from ``first`` to ``last``, from 1, must stay."""
    return Rule("translate", (f"{first}-{last}",))


def min_cai(host: str, least: float) -> Rule:
    """Codon adaptation index of the frames of ``translate``, or of the whole: ``min_cai("ecoli", 0.8)``.

    Args:
        host: whose codon usage: one of those of ``seqdesign back-translate``.
        least: above 0 and at most 1.
    """
    return Rule("min_cai", f"{host}:{least:g}")


def min_distance(edits: int) -> Rule:
    """At least so many edits between any two designs."""
    return Rule("min_distance", edits)


def options(rules: Iterable[Rule]) -> ConstraintOptions:
    """All rules as the options of the command line.

    Raises UsageError for something that is no rule, a value that an option cannot have, and two values of an
    option that takes one.
    """
    known = {spec.name: spec for spec in fields_of(ConstraintOptions)}
    values: dict[str, Any] = {}
    for rule in rules:
        if not isinstance(rule, Rule) or rule.option not in known:
            raise UsageError(
                f"must be rules such as seqdesign.rules.gc(0.4, 0.6), got {rule!r}", option="rules"
            )
        if known[rule.option].repeatable:
            values[rule.option] = (*values.get(rule.option, ()), *_several(rule.value))
        elif rule.option in values:
            raise UsageError(f"{rule.option} is given twice; a design can obey one", option="rules")
        else:
            values[rule.option] = rule.value
    return ConstraintOptions(**values)


def _several(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value


def _share(value: float) -> str:
    return f"{value:.12g}"
