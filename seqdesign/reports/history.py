"""The rows of a training run's ``metrics.csv``, and curves of them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from seqdesign.errors import InputError
from seqdesign.reports.html import Figure
from seqdesign.reports.plots import line_chart

History = Sequence[Mapping[str, float]]


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


def curve(history: History, column: str, along: str = "epoch") -> tuple[list[float], list[float]]:
    """Passes (or steps) and values of a column, without the passes in which a player rested."""
    rows = [row for row in history if not np.isnan(row[column])]
    return [row[along] for row in rows], [row[column] for row in rows]


def training_curves(
    history: History,
    training: str,
    held_out: str,
    y_label: str,
    caption: str,
    *,
    held_out_name: str = "held out",
    log_y: bool = False,
) -> Figure:
    """The columns ``training`` and ``held_out`` of a model's loss, pass by pass."""
    series = {"training": curve(history, training), held_out_name: curve(history, held_out)}
    chart = line_chart(
        series, title="How training went", x_label="pass over the data", y_label=y_label, log_y=log_y
    )
    return Figure(chart, caption)
