"""Sections of a page about a language model: its quality and curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.history import History, read_history, training_curves
from seqdesign.reports.html import Figure, Page


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
    yield training_curves(
        history,
        "train_lm_loss",
        "held_out_lm_loss",
        "nats per sequence (lower is better)",
        "Of held-out sequences by the averaged weights, of training ones by the running ones with dropout.",
    )


def answer(folder: Path, result: Mapping[str, Any]) -> Answer:
    """How well it knows held-out sequences, beside models that need no training."""
    quality = result.get("quality") or {}
    asked = "A language model of sequences"
    if result.get("num_train"):
        asked += f", learned from {result['num_train']:,} and judged by {result['num_held_out']:,} others"
    if not quality:
        return Answer(f"{asked}.")
    simple = [v for v in (quality["markov_nll"], quality["position_nll"]) if v is not None]
    better = quality["nll"] < min(simple)
    tiles = [
        Tile(
            f"{quality['nll']:.3f}",
            "nats a letter on held-out sequences (lower is better)",
            f"Markov chain: {quality['markov_nll']:.3f}",
            doubt=not better,
        ),
        Tile(f"{quality['train_nll']:.3f}", "nats a letter on training sequences"),
    ]
    if quality["position_nll"] is not None:
        tiles.append(Tile(f"{quality['position_nll']:.3f}", "nats a letter by a position matrix"))
    verdict = (
        "It knows held-out sequences better than counts of words and letters do."
        if better
        else "It knows held-out sequences no better than counts do: train longer or on more."
    )
    files = [("Draw from it:", f"seqdesign sample {folder} -o new.fa")]
    return Answer(f"{asked}.", verdict, tiles, files=files)


def quality_row(result: Mapping[str, Any]) -> Mapping[str, object]:
    """The quality as a row of a table of models."""
    quality = result.get("quality") or {}
    return {
        "choice": "language model",
        "outcome": result.get("condition"),
        "measure": "nats a letter (lower is better)",
        "value": quality.get("nll"),
        "beside": quality.get("markov_nll"),
    }
