"""Every constraint of a design run checked once more, on the sequences as they stand in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.config import fields_of, from_dict
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.errors import SeqDesignError
from seqdesign.pages.designed import UNTOUCHED, DesignSet, first_of
from seqdesign.reports.html import Page, Table
from seqdesign.reports.tables import Column
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import encode

NEED_PARENTS = ("keep", "translate")
FIRST_VIOLATORS = 3
EXPLAINED = 1000
"""Designs that break a rule, of which the places are looked up."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Checked:
    """The rules of a run, checked once more on sequences."""

    rows: Rows
    """One for each rule: ``rule``, ``checked``, ``violations`` (None if unknown), ``first``."""
    breaches: Mapping[str, list[str]]
    """Id -> what is wrong and where, such as ``forbid:GAATTC@11-16``, of designs that break rules."""


def add_constraints(page: Page, designs: DesignSet, checked: Checked) -> None:
    """A table of all rules that the run had, how many designs were checked, and how many break each."""
    rows = checked.rows
    if not rows:
        return
    broken = sum(row["violations"] or 0 for row in rows)
    text = (
        "Every rule was checked again for this page, on the sequences of the file. "
        + ("All of them hold." if not broken else "Not all of them hold.")
        + (" Inputs that came back as they were are counted too." if _untouched(designs) else "")
    )
    columns = [
        Column("rule"),
        Column("checked", "sequences checked", ",d"),
        Column("violations", spec=",d"),
        Column("first", "first of them"),
    ]
    if not any(row["first"] for row in rows):
        columns.pop()
    page.section("Rules", text, tables=[Table(rows, columns)])
    if broken:
        names = ", ".join(row["rule"] for row in rows if row["violations"])
        page.warnings([f"{broken:,} violation{'s' if broken > 1 else ''} of constraints ({names})"])


def _untouched(designs: DesignSet) -> int:
    return sum(map(designs.count, UNTOUCHED))


def check(designs: DesignSet, options: Mapping[str, Any], alphabet: Alphabet) -> Checked:
    """One row for each rule that ``options`` (those of a run) state; none if they state none.

    A rule that refers to the parents cannot be checked where these are not known; its counts are None.
    """
    names = [spec.name for spec in fields_of(ConstraintOptions) if spec.name in options]
    stated = from_dict(ConstraintOptions, {name: options[name] for name in names})
    unknown = [] if designs.originals else [n for n in NEED_PARENTS if getattr(stated, n)]
    rows: Rows = []
    breaches: dict[str, list[str]] = {}
    if stated.max_edits is not None:
        rows.append(_max_edits(designs, stated.max_edits))
    try:
        more, breaches = _rules(designs, stated, alphabet, unknown)
        rows += more
    except SeqDesignError as error:
        rows.append(_row(f"could not be checked: {error}", None, None))
    rows += [_row(f"--{name} {getattr(stated, name)}: parents unknown", None, None) for name in unknown]
    if stated.min_distance is not None:
        rows.append(_min_distance(designs, stated.min_distance))
    return Checked(rows, breaches)


def _row(rule: str, checked: int | None, violators: list[str] | None) -> dict[str, Any]:
    first = None
    if violators:
        more = len(violators) - FIRST_VIOLATORS
        first = ", ".join(violators[:FIRST_VIOLATORS]) + (f" and {more:,} more" if more > 0 else "")
    count = None if violators is None else len(violators)
    return {"rule": rule, "checked": checked, "violations": count, "first": first}


def _max_edits(designs: DesignSet, limit: int) -> dict[str, Any]:
    if designs.originals is None:
        return _row(f"--max-edits {limit}: parents unknown", None, None)
    from seqdesign.metrics.edits import levenshtein_pairs

    distance = levenshtein_pairs(designs.originals, designs.sequences)
    ids = [str(row["id"]) for row, d in zip(designs.rows, distance, strict=True) if d > limit]
    return _row(f"--max-edits {limit}", len(designs), ids)


def _min_distance(designs: DesignSet, least: int) -> dict[str, Any]:
    """Distances between the designs of one parent, or among all of them without parents."""
    from seqdesign.metrics.edits import levenshtein_matrix

    groups: dict[str, list[int]] = {}
    for i, row in enumerate(designs.rows):
        groups.setdefault(str(row.get("parent")), []).append(i)
    ids = []
    for places in groups.values():
        texts = [designs.sequences[i] for i in places]
        for start in range(0, len(texts), 500):
            block = levenshtein_matrix(texts[start : start + 500], texts)
            np.put_along_axis(block, np.arange(start, start + len(block))[:, None], least, axis=1)
            ids += [
                str(designs.rows[places[start + int(i)]]["id"])
                for i in np.flatnonzero((block < least).any(1))
            ]
    return _row(f"--min-distance {least}", len(designs), ids)


def _rules(
    designs: DesignSet, stated: ConstraintOptions, alphabet: Alphabet, unknown: list[str]
) -> tuple[Rows, dict[str, list[str]]]:
    """The rules that are checked letter by letter, and their breaches by id."""
    import torch

    from seqdesign.constraints.build import build_rules

    pad = alphabet.size
    width = max(map(len, [*designs.sequences, *(designs.originals or ())]))
    after = _tokens(designs.sequences, alphabet, width, pad)
    before = after if designs.originals is None else _tokens(designs.originals, alphabet, width, pad)
    rules = build_rules(
        stated,
        alphabet,
        torch.from_numpy(before),
        lengths=torch.from_numpy((before != pad).sum(1)),
        shortest=int((after != pad).sum(1).min()),
        ids=[str(row["id"]) for row in designs.rows],
        first=first_of(designs.rows[0]),
        leave_out=("max-edits", *unknown),
    )
    tokens, every = torch.from_numpy(after), torch.arange(len(designs))
    rows, breaches = [], dict[str, list[str]]()
    for constraint in rules.constraints:
        bad = (~constraint.is_feasible(tokens, every)).nonzero().flatten().tolist()
        rows.append(_row(constraint.name, len(designs), [str(designs.rows[i]["id"]) for i in bad]))
        for i in bad[:EXPLAINED]:
            found = breaches.setdefault(str(designs.rows[i]["id"]), [])
            found += [one.code for one in constraint.explain(tokens[i], i)]
    return rows, breaches


def _tokens(texts: list[str], alphabet: Alphabet, width: int, pad: int) -> NDArray[np.int64]:
    """(N, width) letters, and ``pad`` behind the end of each sequence."""
    array = encode(texts, alphabet, on_unknown="mask")
    tokens = np.full((len(texts), width), pad, dtype=np.int64)
    inside = np.arange(array.tokens.shape[1]) < array.lengths[:, None]
    tokens[:, : array.tokens.shape[1]][inside] = array.tokens[inside]
    return tokens
