"""A shortlist to order: chosen designs and controls that they are measured beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqdesign.errors import InputError
from seqdesign.motifs.shuffle import shuffle_dinucleotides
from seqdesign.ordering.selection import DIVERSITY, choose
from seqdesign.sequences.fasta import Record, format_fields

CONTROLS = 0.25
"""Largest share of a budget that goes to controls by default."""


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """N designs to choose from. quality: larger is better, or less. parents: "" where there is none."""

    ids: Sequence[str]
    sequences: Sequence[str]
    quality: Sequence[float]
    parents: Sequence[str]
    less_is_better: bool = False


@dataclass(frozen=True, kw_only=True)
class Known:
    """Known sequences -> what was measured of each, by outcome; {} where only the sequence is known."""

    values: Mapping[str, Mapping[str, float | str]]
    """Labels as they are written."""

    def said(self, sequence: str) -> str:
        """What was measured, in words."""
        found = self.values.get(sequence, {}).items()
        cells = ((name, cell if isinstance(cell, str) else f"{cell:.6g}") for name, cell in found)
        return ", ".join(f"{name}={cell}" for name, cell in cells) or "known"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One record of the shortlist."""

    id: str
    role: str
    """design, parent, best-measured or shuffled."""
    sequence: str
    quality: float | None
    parent: str | None
    measured: str | None
    """What was measured of a control."""
    similarity: float | None
    """Of a design to the nearest that was chosen before, 0 to 1."""

    def row(self) -> dict[str, Any]:
        """The table row."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def fasta(self) -> Record:
        """The FASTA record."""
        fields = {k: v for k, v in self.row().items() if k not in ("id", "sequence") and v is not None}
        return Record(self.id, format_fields(fields), self.sequence)


@dataclass(frozen=True, kw_only=True)
class Shortlist:
    """What was chosen, and why not more."""

    records: tuple[Listed, ...]
    known: Mapping[str, str]
    """Id of a design that was measured already -> what was measured; such are left out."""
    repeated: int
    """Designs with the sequence of a better one."""

    @property
    def num_designs(self) -> int:
        """Records that are no controls."""
        return sum(record.role == "design" for record in self.records)


def shortlist(
    designs: Candidates,
    budget: int,
    *,
    diversity: float = DIVERSITY,
    per_parent: int | None = None,
    known: Known | None = None,
    include_known: bool = False,
    parents: Mapping[str, str] | None = None,
    best: Sequence[tuple[str, str]] = (),
    shuffled: int = 0,
    seed: int = 0,
) -> Shortlist:
    """``budget`` sequences: controls first in number, then as many designs as fit.

    parents: id -> sequence of controls; those that are the parent of a chosen design, or all where designs
    name no parent. best: (id, sequence) of measured sequences to order again. shuffled: controls made of the
    first designs by shuffles that keep every pair of neighbouring letters. Controls never repeat a design.

    Raises InputError when nothing is left to choose from, or controls fill the budget.
    """
    known = known or Known(values={})
    measured = {name: known.said(text) for name, text in zip(designs.ids, designs.sequences, strict=True)
                if text in known.values}  # fmt: skip
    places = [i for i, name in enumerate(designs.ids) if include_known or name not in measured]
    if not places:
        raise InputError(
            f"all {len(designs.ids):,} designs are known already; add --include-known to take them"
        )
    controls = [_control(name, "best-measured", text, known) for name, text in best]
    wanted = _parents_of(designs, places, dict(parents or {}), max(1, int(CONTROLS * budget)))
    controls += [_control(name, "parent", text, known) for name, text in wanted]
    controls = list({one.sequence: one for one in controls}.values())
    left = budget - len(controls) - shuffled
    if left < 1:
        raise InputError(
            f"{len(controls) + shuffled} controls leave no place for designs in a budget of {budget}; "
            "ask for fewer with --best-measured, --shuffled and --no-parents, or raise --budget"
        )
    texts = [designs.sequences[i] for i in places]
    taken = {one.sequence for one in controls}
    open_ = [k for k, text in enumerate(texts) if text not in taken]
    picks = choose(
        [texts[k] for k in open_],
        [(-1 if designs.less_is_better else 1) * designs.quality[places[k]] for k in open_],
        left,
        diversity=diversity,
        groups=[designs.parents[places[k]] for k in open_] if per_parent else None,
        per_group=per_parent,
    ) if open_ else []  # fmt: skip
    chosen = [
        _design(designs, places[open_[pick.place]], measured, pick.similarity if k else None)
        for k, pick in enumerate(picks)
    ]
    controls += _shuffles(chosen, shuffled, taken | set(texts), seed)
    return Shortlist(
        records=tuple(_unique_ids([*chosen, *controls])),
        known=measured,
        repeated=len(texts) - len(set(texts)),
    )


def _design(designs: Candidates, place: int, measured: Mapping[str, str], similarity: float | None) -> Listed:
    return Listed(
        id=designs.ids[place],
        role="design",
        sequence=designs.sequences[place],
        quality=float(designs.quality[place]),
        parent=designs.parents[place] or None,
        measured=measured.get(designs.ids[place]),
        similarity=similarity,
    )


def _control(name: str, role: str, text: str, known: Known) -> Listed:
    measured = known.said(text) if known.values.get(text) else None
    return Listed(
        id=name, role=role, sequence=text, quality=None, parent=None, measured=measured, similarity=None
    )


def _parents_of(
    designs: Candidates, places: Sequence[int], parents: Mapping[str, str], most: int
) -> list[tuple[str, str]]:
    """Those named by designs, the most frequent first, at most so many; all of them where none is named."""
    named = Counter(designs.parents[i] for i in places if designs.parents[i] in parents)
    names = [name for name, _ in named.most_common()] or list(parents)
    return [(name, parents[name]) for name in names[:most]]


def _shuffles(chosen: Sequence[Listed], num: int, taken: set[str], seed: int) -> list[Listed]:
    """Shuffled designs that are none of those taken; fewer where letters have no other order."""
    if not num or not chosen:
        return []
    letters = sorted(set("".join(one.sequence for one in chosen)))
    rng = np.random.default_rng(seed)
    found: list[Listed] = []
    for one in [*chosen] * 5:
        if len(found) == num:
            break
        codes = np.array([[letters.index(c) for c in one.sequence]], dtype=np.uint8)
        mixed = shuffle_dinucleotides(codes, np.array([codes.shape[1]]), rng)[0]
        text = "".join(letters[i] for i in mixed)
        if text not in taken:
            taken.add(text)
            found.append(
                Listed(
                    id=f"{one.id}_shuffled", role="shuffled", sequence=text, quality=None, parent=one.id,
                    measured=None, similarity=None,
                )
            )  # fmt: skip
    return found


def _unique_ids(records: Sequence[Listed]) -> list[Listed]:
    """Ids that occur twice get a number."""
    seen: Counter[str] = Counter()
    out = []
    for one in records:
        seen[one.id] += 1
        out.append(one if seen[one.id] == 1 else replace(one, id=f"{one.id}_{seen[one.id]}"))
    return out
