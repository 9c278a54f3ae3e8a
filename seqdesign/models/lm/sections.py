"""Sections of a page about a language model: its quality and curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seqdesign.reports.history import History, curve, read_history
from seqdesign.reports.html import Figure, Page
from seqdesign.reports.plots import line_chart


def sections(page: Page, folder: Path, result: Mapping[str, Any]) -> None:
    """What a training command left in ``folder``, and said at its end. Raises InputError."""
    quality = result.get("quality") or {}
    if quality:
        page.section("Held-out quality", quality.get("warnings", ()), facts=_lm_facts(quality))
    history = read_history(folder)
    if history:
        page.section("Training", figures=list(lm_curves(history)))


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
