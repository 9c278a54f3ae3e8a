"""Sections of a page about a predictor: held-out predictions, the table of its quality, curves."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqdesign.errors import InputError
from seqdesign.metrics.probabilities import calibration_curve
from seqdesign.reports.history import History, curve, read_history
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import line_chart, predicted_measured
from seqdesign.reports.tables import Column
from seqdesign.tasks.by_name import get_task

HELD_OUT = "held_out.csv"
"""Measured and predicted values of the held-out sequences, beside the model."""


TRIALS = (
    "Each kind learned from a part of the training sequences and predicted the rest: like those it learned "
    "from, better than all of them, more mutated. The simplest that predicts as well as any was taken."
)


def sections(page: Page, folder: Path, result: Mapping[str, Any]) -> None:
    """What a training command left in ``folder``, and said at its end. Raises InputError."""
    quality = result.get("quality") or {}
    outcomes = quality.get("outcomes", ())
    figures = list(_held_out(folder, outcomes, result.get("task", "regression")))
    text = f"Judged by {quality['sequences']:,} held-out sequences." if quality else ""
    if classes := result.get("classes"):
        text += f" The labels are {', '.join(classes)}; a design raises one of them by --objective max:LABEL."
    for key, what in (("split", "Split"), ("batches", "Batches")):
        text += f" {what}: {result[key]}." if result.get(key) else ""
    tables = [_predictor_table(outcomes)] if outcomes else []
    if figures or tables:
        page.section("Held-out predictions", text, figures, tables)
    trials = result.get("trials") or ()
    if trials:
        page.section("Kinds of model", TRIALS, tables=[_trial_table(trials)])
    history = read_history(folder)
    if history:
        page.section("Training", figures=list(predictor_curves(history)))


def held_out_figures(
    rows: Sequence[Mapping[str, Any]], outcomes: Sequence[Any], task: str
) -> Iterator[Figure]:
    """Predicted against measured values, and whether intervals and probabilities keep what they promise.

    rows: ``outcome``, ``measured`` and ``predicted`` of each held-out value. outcomes: those of the quality.
    """
    from seqdesign.metrics.conformal import LEVELS  # brings SciPy's optimizers, which other pages need not

    for one in outcomes:
        mine = [row for row in rows if row["outcome"] == one["name"] and _is_number(row["measured"])]
        measured, predicted = (
            np.array([float(row[key]) for row in mine]) for key in ("measured", "predicted")
        )
        if get_task(task).log_odds:
            said, found, _ = calibration_curve(predicted, measured)
            yield _reliability(said, found, f"{one['name']}: probabilities", "predicted", "observed")
            continue
        yield Figure(
            predicted_measured(measured, predicted, title=one["name"], unit=one["name"]),
            "Held-out sequences; the dashed line is equality.",
        )
        if one["coverage"] is not None:
            levels, covered = np.array(LEVELS), np.array(one["coverage"])
            yield _reliability(levels, covered, f"{one['name']}: intervals", "promised", "covered")


def _is_number(cell: object) -> bool:
    """Whether a measured value is a point on a chart; a limit is none."""
    try:
        float(str(cell))
    except ValueError:
        return False
    return True


def _held_out(folder: Path, outcomes: Sequence[Any], task: str) -> Iterator[Figure]:
    path = folder / HELD_OUT
    if not path.exists():
        return
    with open(path, encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    try:
        yield from held_out_figures(rows, outcomes, task)
    except (KeyError, ValueError) as error:
        raise InputError(f"is not the file of held-out predictions ({error!r})", path=path) from error


def _reliability(said: np.ndarray, found: np.ndarray, title: str, x: str, y: str) -> Figure:
    ends = np.array([0.0, 1.0])
    curves = {"equality": (ends, ends), y: (said, found)}
    return Figure(
        line_chart(curves, title=title, x_label=f"{x} share", y_label=f"{y} share", markers=True),
        "Held-out sequences; on the line of equality a promise is kept.",
    )


def _trial_table(trials: Sequence[Mapping[str, Any]]) -> Table:
    """What each kind of model reached."""
    columns = (
        Column("label", "kind of model"),
        Column("alike", "correlation, alike", ".3f"),
        Column("better", "better", ".3f"),
        Column("farther", "more mutated", ".3f"),
        Column("seconds", "seconds", ".1f"),
        Column("taken", "taken"),
    )
    rows = [{**trial, "taken": "yes" if trial["chosen"] else ""} for trial in trials]
    return Table(rows, columns)


def _predictor_table(outcomes: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        {
            **one,
            **{f"other {name}": value for name, value in (one.get("others") or {}).items()},
            "inside": None if one["coverage"] is None else " ".join(f"{c:.1%}" for c in one["coverage"]),
            "allowed": (one.get("ceiling") or {}).get("reliability"),
        }
        for one in outcomes
    ]
    optional = [
        Column("r2", "R2", ".3f"),
        Column("allowed", "R2 that noise allows", ".3f"),
        Column("auroc", "AUROC", ".3f"),
        Column("accuracy", spec=".3f"),
        Column("spearman", "Spearman", ".3f"),
        Column("baseline_value", rows[0]["baseline"] or "baseline", ".3f"),
        Column("inside", "inside 50, 80, 95% intervals"),
        Column("calibration_error", "error of the probabilities", ".3f"),
    ]
    others = dict.fromkeys(name for one in outcomes for name in one.get("others") or ())
    optional = [*(Column(f"other {name}", name, ".3f") for name in others), *optional]
    used = [column for column in optional if any(row.get(column.key) is not None for row in rows)]
    return Table(rows, [Column("name", "outcome"), Column("rows", "measured", ",d"), *used])


def predictor_curves(history: History) -> Iterator[Figure]:
    """Loss on training and held-out sequences."""
    curves = {
        name: curve(history, f"{part}_ensemble_loss")
        for name, part in (("training", "train"), ("each network's own part", "held_out"))
    }
    yield Figure(
        line_chart(curves, title="Loss", x_label="pass", y_label="mean loss of the networks"),
        "Residual networks keep the weights of their best pass, motif networks their last.",
    )
