"""Sections of a page about a similarity model: its quality and curves."""

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
        page.section("Held-out quality", quality.get("warnings", ()), facts=_facts(quality))
    history = read_history(folder)
    if history:
        page.section("Training", figures=list(_curves(history)))


def _facts(quality: Mapping[str, Any]) -> dict[str, object]:
    facts: dict[str, object] = {
        "held-out pairs": f"{quality['pairs']:,}",
        quality["measure"]: f"{quality['agreement']:.3f}",
        "mean absolute error": f"{quality['error']:.3f}",
        f"{quality['measure']} of counts of words of {quality['kmer']}": f"{quality['kmer_agreement']:.3f}",
    }
    if quality["edit_agreement"] is not None:
        facts[f"{quality['measure']} of the edit distance"] = f"{quality['edit_agreement']:.3f}"
    return facts


def _curves(history: History) -> Iterator[Figure]:
    yield training_curves(
        history,
        "train_similarity_loss",
        "held_out_similarity_loss",
        "mean squared error (lower is better)",
        "Of the similarities of pairs, 0 to 1.",
    )


def answer(folder: Path, result: Mapping[str, Any]) -> Answer:
    """How well it orders held-out pairs, beside measures that need no training."""
    quality = result.get("quality") or {}
    asked = "A model of how alike two sequences are"
    if result.get("num_train"):
        asked += f", learned from {result['num_train']:,} and judged by {result['num_held_out']:,} others"
    if not quality:
        return Answer(f"{asked}.")
    simple = max(quality["kmer_agreement"], quality["edit_agreement"] or 0.0)
    better = quality["agreement"] >= simple
    tiles = [
        Tile(
            f"{quality['agreement']:.3f}",
            f"{quality['measure']} on held-out pairs (1 is best)",
            f"without training: {simple:.3f}",
            doubt=not better,
        ),
        Tile(f"{quality['error']:.3f}", "mean absolute error of a similarity"),
    ]
    verdict = (
        "It tells which held-out sequences are alike as well as any simple measure."
        if better
        else "A simple measure tells as well which held-out sequences are alike."
    )
    files = [("Hold revisions by it:", f"seqdesign revise --similarity {folder} --min-similarity 0.8")]
    return Answer(f"{asked}.", verdict, tiles, files=files)


def quality_row(result: Mapping[str, Any]) -> Mapping[str, object]:
    """The quality as a row of a table of models."""
    quality = result.get("quality") or {}
    return {
        "choice": "similarity model",
        "outcome": result.get("teacher"),
        "measure": f"{quality.get('measure', 'rank correlation')} of pairs",
        "value": quality.get("agreement"),
        "beside": max(quality.get("kmer_agreement") or 0.0, quality.get("edit_agreement") or 0.0) or None,
    }
