"""Several runs side by side: one table of models, one of sets of sequences, and what the sets share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqdesign.families import family_of
from seqdesign.pages.answers import best_row
from seqdesign.pages.came_true import add_came_true, came_true
from seqdesign.pages.designed import DesignSet
from seqdesign.pages.runs import Run
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.html import Page, Table, capital
from seqdesign.reports.tables import Column

MOST_COMPARED = 500
"""Sequences of a set of which the nearest one in another set is looked for."""

Sets = Mapping[str, DesignSet]
"""Sets of sequences by what they are called."""


def comparison_answer(runs: Sequence[Run], sets: Sets) -> Answer:
    """How many models and sequences a page is about, and the best of each."""
    models = [row for row in map(model_row, runs) if row is not None]
    counts = [_number(len(models), "model")] if models else []
    counts += [f"{_number(len(sets), 'set')} of sequences"] if sets else []
    asked = f"{' and '.join(counts) or _number(len(runs), 'run')}, side by side."
    tiles = [Tile(f"{len(runs):,}", "runs")]
    said = []
    leader = _leader(runs)
    if leader is not None:
        tiles.append(Tile(f"{leader['value']:.3f}", f"best {leader['measure']}", str(leader["model"])))
        said.append(f"the best {leader['measure']} is that of {leader['model']} ({leader['value']:.3f})")
    elif len(models) > 1:
        said.append(
            "the models learned from different data or do different things, so none is called the best"
        )
    for one in came_true(sets):
        tiles.append(one.tile())
        said.append(one.sentence())
    total = [text for designs in sets.values() for text in designs.sequences]
    if sets:
        note = f"{len(set(total)):,} distinct" if len(set(total)) < len(total) else "all distinct"
        tiles.append(Tile(f"{len(total):,}", "sequences", note))
    for name, designs in list(sets.items())[:1] if len(sets) == 1 else ():
        best = best_row(designs)
        said += [f"the best of {name} is {best['id']}"] if best is not None else []
    verdict = "; ".join(said)
    return Answer(asked, f"{capital(verdict)}." if verdict else "", tiles)


def _leader(runs: Sequence[Run]) -> Mapping[str, Any] | None:
    """The best of two or more models that were judged by one measure on one set of data, if that is all."""
    models = [(run, row) for run in runs if (row := model_row(run)) is not None and row["value"] is not None]
    alike = set()
    for run, row in models:
        data = "" if run.manifest is None else tuple(sorted(run.manifest.inputs.values()))
        alike.add((row["measure"], row["outcome"], data or run.name))
    if len(models) < 2 or len(alike) > 1:
        return None
    rows = [row for _, row in models]
    worse = -1.0 if "real" in str(rows[0]["measure"]) or "lower" in str(rows[0]["measure"]) else 1.0
    return max(rows, key=lambda row: worse * float(row["value"]))


def add_comparison(page: Page, runs: Sequence[Run], sets: Sets) -> None:
    """The tables of models and of sets of sequences, and the overlap of the sets."""
    models = [row for row in map(model_row, runs) if row is not None]
    tables = []
    if models:
        text = f"{_number(len(models), 'model')}; quality on sequences that they have not seen."
        tables.append(Table(models, _model_columns(models), text, "models", cards=True))
    if sets:
        rows = [_set_row(name, designs) for name, designs in sets.items()]
        text = f"{_number(len(rows), 'set')} of sequences."
        tables.append(Table(rows, _set_columns(rows), text, "sets", cards=True))
    if len(sets) > 1:
        rows = _overlap(sets)
        columns = [
            Column("one"),
            Column("other"),
            Column("shared", "in both", ",d"),
            Column("share", "of the smaller", ".0%"),
            Column("nearest", "edits to the nearest of the other, median", ".1f"),
        ]
        tables.append(Table(rows, columns, "What two sets of sequences have in common.", "overlap"))
    page.section("Side by side", "", tables=tables)
    add_came_true(page, sets)


def model_row(run: Run) -> dict[str, Any] | None:
    """A model as a row: what it is, its data, quality and cost; None for a file."""
    if not run.is_model:
        return None
    result = run.result
    family = family_of(run.path)
    found = dict(family.quality(result)) if family.quality is not None and result else {}
    held_out = result.get("num_held_out", result.get("num_test"))  # of a GAN
    return {
        "model": run.name,
        "kind": family.kind,
        "choice": None,
        "outcome": None,
        "learned from": result.get("num_train"),
        "held out": held_out,
        "measure": None,
        "value": None,
        "beside": None,
        "seconds": result.get("seconds"),
        **found,
    }


def _model_columns(rows: Sequence[Mapping[str, Any]]) -> list[Column | str]:
    specs = {"value": ".3f", "beside": ".3f", "seconds": ",.0f", "learned from": ",d", "held out": ",d",
             "rank correlation": ".3f", "inside 95%": ".1%"}  # fmt: skip
    headings = {"value": "quality", "beside": "simple model", "choice": "kind of model", "kind": "family"}
    about = {"beside": "the same measure of the simplest model that can do it"}
    keys = dict.fromkeys(key for row in rows for key, value in row.items() if value is not None)
    last = [key for key in keys if key == "seconds"]
    order = [*(key for key in keys if key not in last), *last]
    return [
        Column(
            key,
            headings.get(key),
            specs.get(key, ""),
            about=about.get(key, ""),
            shown=key != "choice",
            below="choice" if key == "kind" else "",
        )
        for key in order
    ]


def _set_row(name: str, designs: DesignSet) -> dict[str, Any]:
    best = best_row(designs) or {}
    gain = designs.gain
    outcome = next(iter(designs.outcomes), None)
    fine = None if "status" not in designs.columns else sum(designs.count(s) for s in ("ok", "revised"))
    lengths = [len(text) for text in designs.sequences]
    return {
        "set": name,
        "sequences": len(designs),
        "distinct": len(set(designs.sequences)),
        "fine": fine,
        "gain": None if gain is None or np.isnan(gain).all() else float(np.nanmean(gain)),
        "best": best.get("id"),
        "outcome": best.get(outcome or designs.reading.kind),
        "low": best.get(f"{outcome}_low") if outcome else None,
        "high": best.get(f"{outcome}_high") if outcome else None,
        "lengths": f"{min(lengths)}-{max(lengths)}" if min(lengths) < max(lengths) else str(lengths[0]),
    }


def _set_columns(rows: Sequence[Mapping[str, Any]]) -> list[Column | str]:
    headings = {"fine": "nothing against", "gain": "mean change", "best": "best design",
                "outcome": "its outcome", "low": "at least", "high": "at most"}  # fmt: skip
    have = [key for key in rows[0] if any(row[key] is not None for row in rows)]
    return [Column(key, headings.get(key)) for key in have]


def _overlap(sets: Sets) -> list[dict[str, Any]]:
    """Every two sets: sequences that are in both, and how far the one is from the other."""
    from seqdesign.metrics.edits import levenshtein_matrix

    rows = []
    named = list(sets.items())
    for i, (one, first) in enumerate(named):
        for other, second in named[i + 1 :]:
            both = set(first.sequences) & set(second.sequences)
            smaller = min(len(set(first.sequences)), len(set(second.sequences)))
            nearest = None
            if max(len(first), len(second)) <= MOST_COMPARED:
                distances = levenshtein_matrix(first.sequences, second.sequences)
                nearest = float(np.median(distances.min(axis=1)))
            rows.append(
                {
                    "one": one,
                    "other": other,
                    "shared": len(both),
                    "share": len(both) / smaller,
                    "nearest": nearest,
                }
            )
    return rows


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
