"""Tables of a report that are not sequences: measures, hits, contributions of letters and edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqdesign.pages.designed import read_rows, typed
from seqdesign.pages.runs import Run
from seqdesign.reports.answer import Answer
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import draw_logos
from seqdesign.reports.logo_spec import value_spec
from seqdesign.reports.tables import Column

CONTRIBUTIONS = ("id", "position", "letter", "contribution")
"""Columns of the table that ``attribute`` writes."""
MOST_LOGOS = 6
LONGEST_LOGO = 300

Rows = Sequence[Mapping[str, Any]]
MOST_IN_CARDS = 500
"""Sequences of a table whose logos cards show."""


def contributions(runs: Sequence[Run]) -> dict[tuple[str, str], str]:
    """(id, sequence) -> what each letter adds, by the tables of ``attribute`` among the runs.

    Numbers with commas between them, as ``reports.data_table`` draws them. Raises InputError.
    """
    found: dict[tuple[str, str], str] = {}
    for run in runs:
        if run.is_model or run.manifest is None or run.manifest.name != "attribute":
            continue
        grouped: dict[str, list[Mapping[str, Any]]] = {}
        for row in read_rows(run.path):
            if row.keys() >= set(CONTRIBUTIONS):
                grouped.setdefault(str(row["id"]), []).append(row)
        for name, rows in list(grouped.items())[:MOST_IN_CARDS]:
            values = [f"{float(row['contribution'] or 0):.3g}" for row in rows]
            text = "".join(str(row["letter"]) for row in rows)
            found[name, text] = ",".join("" if value == "0" else value for value in values)
    return found


def listing_page(title: str, lines: Sequence[str], rows: Rows) -> Page:
    """The page of rows made in Python that have no page of their own: the summary, and all rows."""
    warned = [line.removeprefix("warning: ") for line in lines if line.startswith("warning: ")]
    said = [line for line in lines if not line.startswith("warning: ")]
    page = Page(title, answer=Answer(said[0], " ".join(said[1:])))
    page.warnings(warned)
    columns = [
        Column(key, key.replace("_", " "), sequence=key == "sequence") for key in (rows[0] if rows else ())
    ]
    table = Table(rows, columns, f"{len(rows):,} rows.", title.lower(), cards=True)
    page.section("Rows", tables=[table] if rows else [])
    return page


def add_tables(page: Page, run: Run) -> None:
    """Every table that a run wrote, and logos of contributions. Raises InputError for one that is damaged."""
    outputs = [] if run.manifest is None else [run.base / name for name in run.manifest.outputs]
    for path in [run.path, *(p for p in outputs if p.resolve() != run.path.resolve() and p.exists())]:
        rows = typed(read_rows(path))
        if not rows:
            continue
        if set(CONTRIBUTIONS) <= rows[0].keys():
            _add_contributions(page, rows, str(run.result.get("outcome") or "score"))
        columns = [Column(key) for key in rows[0]]
        table = Table(rows, columns, f"{len(rows):,} rows of {path.name}.", path.stem)
        page.section("Table" if path == run.path else f"Table {path.name}", tables=[table])


def _add_contributions(page: Page, rows: Rows, outcome: str) -> None:
    """Logos of the first sequences: what each letter adds to the prediction."""
    letters = "".join(key for key in rows[0] if len(key) == 1)
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(str(row["id"]), []).append(row)
    drawable = [(name, mine) for name, mine in grouped.items() if len(mine) <= LONGEST_LOGO]
    figures = []
    for name, mine in drawable[:MOST_LOGOS]:
        heights = np.zeros((len(mine), len(letters)))
        for i, row in enumerate(mine):
            if row["letter"] in letters and row["contribution"] is not None:
                heights[i, letters.index(row["letter"])] = row["contribution"]
        spec = value_spec(heights, letters=letters, unit=outcome, title=name)
        figures.append(Figure(draw_logos([spec]), f"What each letter of {name} adds to the prediction."))
    text = (
        "The height of a letter is what it adds over the average letter at its position; below the line it "
        "takes away. It says what the model does, not what the molecule does."
    )
    left = len(grouped) - len(figures)
    page.section(
        "Why they score", f"{text} {left:,} more sequences are not drawn." if left else text, figures
    )
