"""The table of designs: first what one decides by and the sequence, then the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqdesign.objectives.reading import READINGS
from seqdesign.pages.answers import Ranges, range_of
from seqdesign.pages.designed import DesignSet, first_of, operations_in
from seqdesign.reports.bars import span_of
from seqdesign.reports.html import Page, Table
from seqdesign.reports.tables import Bar, Column
from seqdesign.symbols import has_symbols

NUCLEOTIDES = frozenset("ACGTUN")
HEADINGS = {
    "id": "design",
    "measured_before": "measured before", "loglik_change": "log p(x) change",
    "least_evidence": "evidence",
    "ood": "unusual, %", "confidence": "confirmed", "delta": "gain", "rules": "rules", "gc": "GC",
    "nearest": "nearest", "length": "length", "measured": "measured already", "judged": "judged",
    "loglik": "log p(x)", "loglik_before": "log p(x) before", "coverage": "codes searched",
    "kappa2": "squared radius searched", "log_mode": "log density at its centre", "stop": "ended by",
    "feasible": "a code was feasible", "first_position": "first position", "doubt": "doubt",
    "off_target": "off target",
}  # fmt: skip
for _one in READINGS:
    HEADINGS |= {
        _one.start: "before",
        _one.design: "by its designers",
        _one.bound: "at least" if not _one.lower else "at most" if _one.kind == "cost" else "off at most",
    }
SPECS = {"loglik_change": "+.2f", "ood": ".0f", "confidence": ".0%", "doubt": ".0%", "gc": ".0%"}
SHOWN_LATER = (
    *(one.kind for one in READINGS),
    "delta",
    "edits",
    "confidence",
    "ood",
    "loglik_change",
    "motifs",
)
"""Columns in sight after those that one decides by; everything else is in the card of a row."""
MEANINGS = {
    "id": "name of the design, and below it its mutations",
    "edit_list": "edits of the parent",
    "variant": "mutations of the wild type",
    "sequence": "edits are underlined",
    "status": "ok, or what speaks against it; reason says it in words",
    "measured_before": "measured value of the parent, by its file or the training data",
    "delta": "value of the design less that of what it is compared with",
    "score": "by the judges where there are any",
    "cost": "what shall be low, by the judges where there are any",
    "off_target": "distance from the target, by the judges where there are any",
    "confidence": "share of the gain that the judges see",
    "doubt": "probability, by the judges, that less than half of the gain is real",
    "least_evidence": "training sequences that have the rarest of its edits or letters",
    "evidence": "training sequences that have each of its edits, in their order",
    "measured": "what training data or --start say of this sequence",
    "ood": "percent of held-out sequences that are less unlike the training sequences",
    "nearest": "edits to the nearest training sequence; 0: it is one of them",
    "loglik_change": "in nats; below zero a design is less natural than its parent",
    "rules": "ok, or which rules it breaks",
    "breaches": "rules that it breaks, and where",
    "sites": "motifs, and where",
    "length": "letters",
    "gc": "share of G and C",
    "judged": "by judges that did not design",
    "front": "whether no other design is as good in all objectives",
}  # fmt: skip
for _one in READINGS:
    MEANINGS |= {
        _one.bound: "what the judges think nine in ten designs "
        f"{'stay below' if _one.lower else 'exceed'}; the order goes by it",
        _one.start: "of the parent, or of typical training sequences",
        _one.design: f"{_one.name} by the members that designed, which is biased",
    }


def add_designs(
    page: Page,
    designs: DesignSet,
    *,
    name: str,
    measured: Ranges | None = None,
    breaches: Mapping[str, Sequence[str]] | None = None,
    sites: Mapping[str, str] | None = None,
    contributions: Mapping[tuple[str, str], str] | None = None,
) -> None:
    """The table of all designs, the best first. ``name`` is that of the files it can be saved as.

    measured: range of training outcomes by column. breaches: by id, of rules that were checked; None where
    there are none. sites: motifs by id. contributions: by id and sequence, what each letter adds.
    """
    rows = [dict(row) for row in designs.rows]
    unfit = [row for row in rows if row.get("edit_list") and operations_in(row) is None]
    for row in unfit:
        row["edit_list"] = None
    if unfit:
        what = f"{len(unfit):,} of {len(rows):,} sequences are not what their own list of edits leads to"
        page.warnings([what], about=name)
    rows, order = _ordered(designs, rows)
    for row in rows:
        _enrich(row, breaches, sites)
        row["contributions"] = (contributions or {}).get((str(row["id"]), str(row["sequence"])))
    shown = DesignSet(rows)
    table = Table(
        rows,
        _columns(shown, measured or {}),
        f"{len(rows):,} {designs.what}{order}",
        name,
        True,
        unit="the prediction",
    )
    text = "A click on a name opens all that is known of the design; boxes pick those to copy or save."
    page.section(designs.what.capitalize(), text, tables=[table])


def _ordered(designs: DesignSet, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    """The rows with their gain, best first, and what the caption says of the order."""
    pair, gain = designs.before_after, designs.gain
    if pair is None or gain is None:
        return rows, "."
    for row, value in zip(rows, gain.tolist(), strict=True):
        row.setdefault("delta", None if np.isnan(value) else value)
    if designs.scored and designs.worth is not None:
        doubtful = np.array([row.get("status", "ok") != "ok" for row in rows])
        places = np.lexsort((-np.nan_to_num(designs.worth, nan=-np.inf), doubtful))
        order = ", the best first; those that something speaks against last."
    else:
        places = np.argsort(-np.nan_to_num(np.abs(gain), nan=-np.inf), kind="stable")
        order = ", the largest change first."
    return [rows[i] for i in places], order


def _enrich(
    row: dict[str, Any],
    breaches: Mapping[str, Sequence[str]] | None,
    sites: Mapping[str, str] | None,
) -> None:
    """Columns that follow from the others."""
    text, name = str(row["sequence"]), str(row["id"])
    row["length"] = len(text)
    nucleic = set(text.upper()) <= NUCLEOTIDES
    if nucleic:
        row["gc"] = sum(text.upper().count(c) for c in "GC") / max(len(text), 1)
    # What the edits lead back to need not be kept twice.
    if operations_in(row) is not None and row.get("edits") is not None:
        row["original"] = None
    if breaches is not None:
        broken = list(dict.fromkeys(one.partition("@")[0] for one in breaches.get(name, ())))
        row["rules"] = "breaks " + ", ".join(broken) if broken else "ok"
        row["breaches"] = ";".join(breaches.get(name, ())) or None
    if sites:
        row["sites"] = sites.get(name)


def _columns(designs: DesignSet, measured: Ranges) -> list[Column]:
    """Name, outcomes, evidence, status, sequence, nearest, rules, the rest, length, GC; then unseen ones."""
    have = designs.columns
    outcomes = designs.outcomes
    reading = designs.reading
    values = outcomes or tuple(key for key in (designs.before_after or ())[1:] if key != reading.kind)
    deciding = ("id", *values, "measured_before", reading.bound, "least_evidence", "status", "sequence")
    later = [key for key in SHOWN_LATER if not (key == reading.kind and outcomes)]
    seen = [key for key in (*deciding, "nearest", "measured", "rules", *later, "length", "gc") if key in have]
    keys = [*seen, *(key for key in have if key not in seen)]
    ends = {f"{name}_{end}": f"{_short(name)}, {end}" for name in outcomes for end in ("low", "high", "sd")}
    ends |= {
        key: f"{_short(key.removesuffix('_at_code'))} at its code" for key in have if key.endswith("_at_code")
    }
    if designs.before_after is not None:
        ends[designs.before_after[0]] = "before"
    if not designs.scored or reading.lower:  # where less may be better
        ends["delta"] = "change"
    # The script of the page marks single characters only.
    markable = "edit_list" in have and not any(map(has_symbols, designs.sequences))
    return [
        Column(
            key,
            ends.get(key, HEADINGS.get(key, _short(key) if key in values else None)),
            SPECS.get(key, ""),
            sequence=key in ("sequence", "original"),
            edits="edit_list" if key == "sequence" and markable else "",
            first=first_of(designs.rows[0]),
            shown=key in seen,
            below="edit_list" if key == "id" and "edit_list" in have and "gc" not in have else "",
            bar=_bar(designs, key, measured) if key in outcomes else None,
            about=MEANINGS.get(key, ""),
            in_card=key in (*later, "length", "gc"),
        )
        for key in keys
    ]


def _short(key: str) -> str:
    """An outcome without the word before it."""
    return key.removeprefix("predicted_")


def _bar(designs: DesignSet, key: str, measured: Ranges) -> Bar:
    low, high = f"{key}_low", f"{key}_high"
    known = range_of(measured, key)
    values = np.concatenate([designs.numbers(name) for name in (low, key, high)])
    values = values[np.isfinite(values)]
    return Bar(low, high, span_of(known, [float(values.min()), float(values.max())]), known)
