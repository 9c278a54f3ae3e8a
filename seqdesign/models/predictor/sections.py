"""Sections of a page about a predictor: held-out predictions, the table of its quality, curves."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.ensembles.options import LABELS
from seqdesign.errors import InputError, SeqDesignError
from seqdesign.metrics.monotone import Curve
from seqdesign.metrics.probabilities import calibration_curve
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.history import History, read_history, training_curves
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import heat_map, line_chart, predicted_measured
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import UNPREDICTABLE
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.tasks.by_name import get_task
from seqdesign.tasks.task import Task
from seqdesign.training.measured import load_measured, training_range
from seqdesign.training.store import CONFIG

BY_CHEMISTRY = "GAVLIMPFWYSTCNQDEKRH"
"""Amino acids, alike ones side by side."""
FEWEST_PLACES, MOST_PLACES = 3, 400
"""Positions that vary, of which a heat map is drawn."""
LANDSCAPE = (
    "Mean outcome of the measured sequences with a letter at a position, less the mean of all. Empty "
    "cells were never measured: there the model guesses. Where sequences differ in many places, a cell also "
    "has what the other places do."
)
BENT = (
    "Predictions follow the curve, since rows that were each predicted by a member that had not learned from "
    "them clearly do. Beyond these rows it rises no more than at its ends. Held-out sequences had no part in "
    "it."
)
CURVE_POINTS = 100
FIGURES = (("r2", "R2"), ("auroc", "AUROC"), ("accuracy", "accuracy"))
"""Measures of quality and their names, the one that is shown first first."""
HELD_OUT = "held_out.csv"
"""Measured and predicted values of the held-out sequences, beside the model."""


TRIALS = (
    "Each kind learned from a part of the training sequences and predicted others like them. Those that did "
    "so as well as any also predicted, where there are such, sequences that are better than all they learned "
    "from, and more mutated ones. The simplest that predicts all of them as well as any was taken."
)


def sections(page: Page, folder: Path, result: Mapping[str, Any]) -> None:
    """What a training command left in ``folder``, and said at its end. Raises InputError."""
    quality = result.get("quality") or {}
    outcomes = quality.get("outcomes", ())
    task = get_task(result.get("task", "regression"))
    figures = list(_held_out(folder, outcomes, task))
    text = f"Judged by {quality['sequences']:,} held-out sequences." if quality else ""
    if classes := result.get("classes"):
        text += f" The labels are {', '.join(classes)}; a design raises one of them by --objective max:LABEL."
    for key, what in (("split", "Split"), ("batches", "Batches")):
        text += f" {what}: {result[key]}." if result.get(key) else ""
    tables = [_predictor_table(outcomes)] if outcomes else []
    if figures or tables:
        page.section("Held-out predictions", text, figures, tables)
    curves = list(_curves(folder, outcomes))
    if curves:
        page.section("What is measured where effects add up to so much", BENT, curves)
    landscape = list(_landscape(folder, result)) if task.ordered else []
    if landscape:
        page.section("What was measured where", LANDSCAPE, landscape)
    trials = result.get("trials") or ()
    if trials:
        page.section("Kinds of model", TRIALS, tables=[_trial_table(trials)])
    history = read_history(folder)
    if history:
        page.section("Training", figures=list(predictor_curves(history)))


def _curves(folder: Path, outcomes: Sequence[Mapping[str, Any]]) -> Iterator[Figure]:
    """The curve of each outcome that has one. Raises InputError for a damaged ``config.json``."""
    if all(one.get("straight") is None for one in outcomes):
        return
    try:
        record = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        units = zip(record["outcome_mean"], record["outcome_scale"], record["curves"], strict=True)
        drawn = [None if one is None else (mean, scale, Curve.of(one)) for mean, scale, one in units]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"is not the record of a model ({error!r})", path=folder / CONFIG) from error
    for one, found in zip(outcomes, drawn, strict=True):
        if found is None:
            continue
        mean, scale, curve = found
        x = np.linspace(curve.knots[0], curve.knots[-1], CURVE_POINTS)
        ends = mean + scale * x[[0, -1]]
        yield Figure(
            line_chart(
                {"curve": (mean + scale * x, mean + scale * curve(x)), "equality": (ends, ends)},
                title=f"{one['name']}: curve of predictions",
                x_label="what effects add up to",
                y_label=one["name"],
            ),
            f"R2 of held-out sequences with the curve {one['r2']:.3f}, without it {one['straight']:.3f}.",
        )


def _landscape(folder: Path, result: Mapping[str, Any]) -> Iterator[Figure]:
    """Positions by letters, of training sequences of one length. InputError for a damaged ``config.json``."""
    known = load_measured(folder)
    if known is None or len(set(known.lengths.tolist())) != 1:
        return
    try:
        record = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        letters = Alphabet.from_dict(record["alphabet"]).letters
    except (OSError, ValueError, KeyError, TypeError, SeqDesignError) as error:
        raise InputError(f"is not the record of a model ({error!r})", path=folder / CONFIG) from error
    for k, name in enumerate(result.get("outcomes") or ()):
        rows = np.isfinite(known.values[:, k])
        effects, places, common = effects_of(known.tokens[rows], known.values[rows, k], len(letters))
        if not FEWEST_PLACES <= len(places) <= MOST_PLACES:
            return
        order = [letters.index(c) for c in BY_CHEMISTRY if c in letters]
        order += [i for i in range(len(letters)) if i not in order]
        figure = heat_map(
            effects[:, order],
            "".join(letters[i] for i in order),
            [int(place) + 1 for place in places],
            title=f"{name} by letter and position",
            unit=name,
            common="".join(letters[i] if i < len(letters) else "" for i in common.tolist()),
        )
        yield Figure(
            figure, f"{int(rows.sum()):,} measured sequences; the {len(places)} positions that vary."
        )


def effects_of(
    tokens: NDArray[np.uint8], values: NDArray[np.float64], num_letters: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Mean outcome of the sequences with each letter at each position, less the mean of all.

    tokens (N, L), values (N,). Gives (P, V) of the P positions where more than one letter occurs, NaN where
    no sequence has the letter; these positions, from 0; and the commonest letter at each.
    """
    length = tokens.shape[1]
    counts, sums = np.zeros((length, num_letters)), np.zeros((length, num_letters))
    for letter in range(num_letters):
        here = tokens == letter
        counts[:, letter] = here.sum(axis=0)
        sums[:, letter] = (here * values[:, None]).sum(axis=0)
    places = np.flatnonzero((counts > 0).sum(axis=1) > 1)
    mean = sums[places] / np.where(counts[places] > 0, counts[places], np.nan) - values.mean()
    return mean, places, counts[places].argmax(axis=1)


def held_out_figures(
    rows: Sequence[Mapping[str, Any]],
    outcomes: Sequence[Any],
    task: Task,
    ranges: Mapping[str, tuple[float, float]] | None = None,
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
        if task.log_odds:
            said, found, _ = calibration_curve(predicted, measured)
            yield _reliability(said, found, f"{one['name']}: probabilities", "predicted", "observed")
            continue
        yield Figure(
            predicted_measured(
                measured,
                predicted,
                title=f"{one['name']}: predicted and measured",
                unit=one["name"],
                ids=[str(row["id"]) for row in mine],
                training=(ranges or {}).get(one["name"]),
            ),
            "Held-out sequences; the dashed line is equality. Outside of the shaded range the model has seen "
            "nothing.",
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


def _held_out(folder: Path, outcomes: Sequence[Any], task: Task) -> Iterator[Figure]:
    path = folder / HELD_OUT
    if not path.exists():
        return
    with open(path, encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    try:
        ranges = training_range(folder, *(one["name"] for one in outcomes))
        yield from held_out_figures(rows, outcomes, task, ranges)
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
        Column("straight", "R2 without its curve", ".3f"),
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
    yield training_curves(
        history,
        "train_ensemble_loss",
        "held_out_ensemble_loss",
        "mean loss of the networks",
        "Residual networks keep the weights of their best pass, motif networks their last.",
        held_out_name="each network's own part",
    )


def answer(folder: Path, result: Mapping[str, Any]) -> Answer:
    """What was learned, how well it predicts sequences that it has not seen, and beside what."""
    quality = result.get("quality") or {}
    outcomes = [_without_itself(one, result.get("kind")) for one in quality.get("outcomes") or ()]
    names = ", ".join(result.get("outcomes") or ("an outcome",))
    letters = str(result.get("alphabet", "other"))
    asked = f"Predict {names} of {letters.upper() if letters in ('dna', 'rna') else letters} sequences"
    if result.get("num_train"):
        asked += f", learned from {result['num_train']:,} and judged by {result['num_held_out']:,} others"
    tiles = [tile for one in outcomes for tile in _tiles(one, several=len(outcomes) > 1)]
    if result.get("kind"):
        tiles.append(Tile(LABELS.get(result["kind"], result["kind"]), "kind of model", _cost(result)))
    doubted = any(UNPREDICTABLE in text for text in quality.get("warnings") or ())
    use = [] if doubted else [("Design with it:", f"seqdesign maximize -m {folder} -o designs.fa")]
    return Answer(f"{asked}.", _verdict(outcomes), tiles, files=use)


def _tiles(one: Mapping[str, Any], *, several: bool) -> Iterator[Tile]:
    """Quality of one outcome, the simple model beside it, and whether intervals hold."""
    about = f" ({one['name']})" if several else ""
    first = next(((k, n) for k, n in FIGURES if one.get(k) is not None), None)
    if first is not None:
        key, name = first
        value, beside = one[key], one.get("baseline_value")
        note = "" if beside is None else f"{one['baseline']}: {beside:.3f}"
        worse = beside is not None and value <= beside
        yield Tile(f"{value:.3f}", f"{name} on held-out sequences{about}", note, doubt=worse)
    if one.get("spearman") is not None:
        yield Tile(f"{one['spearman']:.3f}", f"rank correlation{about}", f"{one['rows']:,} held out")
    if one.get("coverage") is not None:
        inside = one["coverage"][-1]
        note = "should be 95%"
        yield Tile(f"{inside:.0%}", f"inside 95% intervals{about}", note, doubt=inside < 0.9)


def _without_itself(one: Mapping[str, Any], kind: str | None) -> Mapping[str, Any]:
    """The figures without the model beside it where that is the same: a ridge is no worse than a ridge."""
    same = kind == "ridge" and str(one.get("baseline", "")).endswith(LABELS["ridge"])
    return {**one, "baseline_value": None} if same else one


def _verdict(outcomes: Sequence[Mapping[str, Any]]) -> str:
    """One sentence about the first outcome."""
    if not outcomes:
        return ""
    one = outcomes[0]
    key, name = next(((k, n) for k, n in FIGURES if one.get(k) is not None), ("", ""))
    beside = one.get("baseline_value")
    if not key:
        return ""
    if key == "r2" and one[key] <= 0:
        return "It predicts no better than the mean of the training sequences: do not design with it."
    if beside is not None and one[key] <= beside:
        return (
            f"It predicts no better than a simple model: {one['baseline']} {beside:.3f}, here {one[key]:.3f}."
        )
    digits = 1 if one[key] > 0.99 else 0  # all but all is not all
    share = (
        f"explains {one[key]:.{digits}%} of the variance" if key == "r2" else f"reaches {name} {one[key]:.3f}"
    )
    return f"On sequences that it has not seen it {share}" + (
        f"; the simple model beside it has {beside:.3f}." if beside is not None else "."
    )


def _cost(result: Mapping[str, Any]) -> str:
    return f"{result['members']} members in {result['seconds']:.0f} s" if result.get("members") else ""


def quality_row(result: Mapping[str, Any]) -> Mapping[str, object]:
    """The quality of the first outcome as a row of a table of models."""
    outcomes = (result.get("quality") or {}).get("outcomes") or ()
    if not outcomes:
        return {}
    one = outcomes[0]
    key, name = next(((k, n) for k, n in FIGURES if one.get(k) is not None), ("", ""))
    return {
        "choice": LABELS.get(result.get("kind", ""), result.get("kind")),
        "outcome": ", ".join(result.get("outcomes") or ()),
        "measure": name,
        "value": one.get(key),
        "beside": one.get("baseline_value"),
        "rank correlation": one.get("spearman"),
        "inside 95%": None if one.get("coverage") is None else one["coverage"][-1],
    }
