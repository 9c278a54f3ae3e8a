"""Sections of a page about a model, from what its folder holds: quality, held-out predictions, curves."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqdesign.errors import InputError
from seqdesign.metrics.probabilities import calibration_curve
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import line_chart, predicted_measured
from seqdesign.reports.tables import Column

HELD_OUT = "held_out.csv"
"""Measured and predicted values of the held-out sequences, beside the model."""
WORDS = range(1, 7)

History = Sequence[Mapping[str, float]]


def add_model(page: Page, folder: Path, command: str, result: Mapping[str, Any]) -> None:
    """What a training command left in a folder, and said at its end."""
    quality = result.get("quality") or {}
    if command == "train-predictor":
        outcomes = quality.get("outcomes", ())
        figures = list(_held_out(folder, outcomes, result.get("task", "regression")))
        text = f"Judged by {quality['sequences']:,} held-out sequences." if quality else ""
        tables = [_predictor_table(outcomes)] if outcomes else []
        if figures or tables:
            page.section("Held-out predictions", text, figures, tables)
    elif command == "train-vae" and quality:
        page.section("Held-out quality", facts=_vae_facts(quality))
    elif command == "train-lm" and quality:
        page.section("Held-out quality", quality.get("warnings", ()), facts=_lm_facts(quality))
    elif command == "train-gan" and result.get("health"):
        page.section("Health", [finding["text"] for finding in result["health"]["findings"]])
    history = read_history(folder)
    if history:
        page.section("Training", figures=list(_CURVES[command](history)))


def read_history(folder: Path) -> list[dict[str, float]]:
    """The rows of ``metrics.csv``, of empty cells NaN; none without the file. Raises InputError."""
    path = folder / "metrics.csv"
    try:
        with open(path, encoding="utf-8", newline="") as handle:
            return [
                {name: float(cell) if cell else np.nan for name, cell in row.items()}
                for row in csv.DictReader(handle)
            ]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise InputError(f"is not the metrics file of a training run ({error})", path=path) from error


def held_out_figures(
    rows: Sequence[Mapping[str, Any]], outcomes: Sequence[Any], task: str
) -> Iterator[Figure]:
    """Predicted against measured values, and whether intervals and probabilities keep what they promise.

    rows: ``outcome``, ``measured`` and ``predicted`` of each held-out value. outcomes: those of the quality.
    """
    from seqdesign.metrics.conformal import LEVELS  # brings SciPy's optimizers, which other pages need not

    for one in outcomes:
        mine = [row for row in rows if row["outcome"] == one["name"]]
        measured, predicted = (
            np.array([float(row[key]) for row in mine]) for key in ("measured", "predicted")
        )
        if task != "regression":
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


def _predictor_table(outcomes: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        {**one, "inside": None if one["coverage"] is None else " ".join(f"{c:.1%}" for c in one["coverage"])}
        for one in outcomes
    ]
    optional = [
        Column("r2", "R2", ".3f"),
        Column("auroc", "AUROC", ".3f"),
        Column("accuracy", spec=".3f"),
        Column("spearman", "Spearman", ".3f"),
        Column("baseline_value", rows[0]["baseline"] or "baseline", ".3f"),
        Column("inside", "inside 50, 80, 95% intervals"),
        Column("calibration_error", "error of the probabilities", ".3f"),
    ]
    used = [column for column in optional if any(row[column.key] is not None for row in rows)]
    return Table(rows, [Column("name", "outcome"), Column("rows", "measured", ",d"), *used])


def _vae_facts(quality: Mapping[str, Any]) -> dict[str, object]:
    facts: dict[str, object] = {
        "held-out sequences": f"{quality['sequences']:,}",
        "reconstructed": f"{quality['token_accuracy']:.1%} of letters, {quality['exact_accuracy']:.1%} of "
        "sequences",
        "negative log-likelihood": f"{quality['nll_bound']:.2f} nats at most by the VAE, "
        f"{quality['language_nll']:.2f} by the language model",
        "KL to the prior": f"{quality['kl']:.2f} nats",
        "latent units in use": f"{quality['active_units']} of {quality['latent_dim']}",
    }
    if quality["outcome_r2"] is not None:
        rho = quality["outcome_spearman"]
        facts["outcome F(E(x))"] = f"R2 {quality['outcome_r2']:.3f}, Spearman {rho:.3f}"
    return facts


def _lm_facts(quality: Mapping[str, Any]) -> dict[str, object]:
    unit = "nats per letter"
    facts: dict[str, object] = {
        "held-out sequences": f"{quality['sequences']:,}",
        "negative log-likelihood": f"{quality['nll']:.4f} {unit}{'' if quality['exact'] else ' at most'}",
        "of training sequences": f"{quality['train_nll']:.4f} {unit}",
        f"of a Markov chain of order {quality['markov_order']}": f"{quality['markov_nll']:.4f} {unit}",
    }
    if quality["position_nll"] is not None:
        facts["of a position matrix"] = f"{quality['position_nll']:.4f} {unit}"
    return facts


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


def vae_curves(history: History) -> Iterator[Figure]:
    """The loss, and its terms on held-out sequences."""
    series = {
        name: curve(history, key)
        for name, key in (("training", "train_vae_loss"), ("held out", "held_out_vae_loss"))
    }
    terms = {
        name.removeprefix("held_out_"): curve(history, name)
        for name in history[0]
        if name.startswith("held_out_") and not name.endswith("_loss")
    }
    yield Figure(
        line_chart(series, title="Loss", x_label="pass", y_label="weighted loss, nats", log_y=True),
        "The weighted sum that training minimises; the weights of prior and invariance rise at first.",
    )
    yield Figure(
        line_chart(terms, title="Held-out terms", x_label="pass", y_label="unweighted term", log_y=True),
        "Reconstruction, KL and language model in nats; outcome and invariance in units of Var(y).",
    )


def lm_curves(history: History) -> Iterator[Figure]:
    """The negative log-likelihood of training and held-out sequences."""
    series = {
        name: curve(history, key)
        for name, key in (("training", "train_lm_loss"), ("held out", "held_out_lm_loss"))
    }
    yield Figure(
        line_chart(series, title="Loss", x_label="pass", y_label="nats per sequence"),
        "Of held-out sequences by the averaged weights, of training ones by the running ones with dropout.",
    )


def gan_curves(history: History) -> Iterator[Figure]:
    """Distances to held-out sequences, the critic's gap, gradient norms."""
    floors = {f"words of {k}": f"held_out_js_{k}" for k in WORDS} | {
        "letters at each position": "held_out_profile"
    }
    steps = [row["step"] for row in history]
    ratios = {
        label: (steps, [row[name] / max(row[f"{name}_floor"], 1e-12) for row in history])
        for label, name in floors.items()
        if name in history[0]
    }
    yield Figure(
        line_chart(
            ratios, title="Distance to held-out sequences over the floor", x_label="step",
            y_label="times the floor", log_y=True, reference=("as good as real", 1.0),
        ),
        "Jensen-Shannon divergence of generated and held-out sequences, divided by that of training ones.",
    )  # fmt: skip
    gaps = {
        name: curve(history, key, "step")
        for name, key in (("training", "held_out_gap_training"), ("held out", "held_out_gap"))
    }
    yield Figure(
        line_chart(gaps, title="Critic: real minus generated", x_label="step", y_label="score"),
        "A gap that is larger on training than on held-out sequences is a critic that knows them by heart.",
    )
    norms = {player: curve(history, f"train_{player}_gradient", "step") for player in ("critic", "generator")}
    yield Figure(
        line_chart(norms, title="Gradient norms", x_label="step", y_label="norm", log_y=True),
        "Mean over the steps since the look before.",
    )


def curve(history: History, column: str, along: str = "epoch") -> tuple[list[float], list[float]]:
    """Passes (or steps) and values of a column, without the passes in which a player rested."""
    rows = [row for row in history if not np.isnan(row[column])]
    return [row[along] for row in rows], [row[column] for row in rows]


_CURVES = {
    "train-predictor": predictor_curves,
    "train-vae": vae_curves,
    "train-lm": lm_curves,
    "train-gan": gan_curves,
}
