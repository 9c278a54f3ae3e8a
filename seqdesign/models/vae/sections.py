"""Sections of a page about a sequence VAE: its quality and curves."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seqdesign.errors import InputError
from seqdesign.models.vae.latent import LATENT
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.history import History, curve, read_history, training_curves
from seqdesign.reports.html import Figure, Page
from seqdesign.reports.plots import line_chart, shaded_scatter

TERMS = {
    "reconstruction": "errors of letters given back",
    "kl": "cost of the code (KL)",
    "language_nll": "language model",
    "outcome": "error of the outcome",
    "invariance": "change of the outcome on re-reading",
}
"""Term of the loss -> what it is."""


def sections(page: Page, folder: Path, result: Mapping[str, Any]) -> None:
    """What a training command left in ``folder``, and said at its end. Raises InputError."""
    quality = result.get("quality") or {}
    if quality:
        page.section("Held-out quality", facts=_vae_facts(quality))
    figures = list(_latent_map(folder, str(result.get("outcome") or "outcome")))
    if figures:
        text = "What the model takes for alike lies together."
        page.section("Map of sequences", text, figures)
    history = read_history(folder)
    if history:
        page.section("Training", figures=list(vae_curves(history)))


def _latent_map(folder: Path, outcome: str) -> Iterator[Figure]:
    """The codes of training sequences in two dimensions, shaded by what was measured."""
    path = folder / LATENT
    if not path.exists():
        return
    with open(path, encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    try:
        first, second, measured = (
            [float(row[key] or "nan") for row in rows] for key in ("first", "second", "measured")
        )
        shares = [float(rows[0][f"share_{name}"]) for name in ("first", "second")]
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f"is not the map of a VAE ({error!r})", path=path) from error
    figure = shaded_scatter(
        first,
        second,
        measured,
        title="Map of sequences by the latent code",
        x_label=f"first direction ({shares[0]:.0%} of the variance)",
        y_label=f"second direction ({shares[1]:.0%})",
        unit=outcome,
        ids=[row["id"] for row in rows],
    )
    text = f"{len(rows):,} sequences on the two principal components of their codes."
    if any(value == value for value in measured):
        text += f" Where shades mix, the code does not tell {outcome} apart, at least not in this plane."
    yield Figure(figure, text)


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


def vae_curves(history: History) -> Iterator[Figure]:
    """The loss, and its terms on held-out sequences."""
    terms = {
        TERMS.get(name.removeprefix("held_out_"), name): curve(history, name)
        for name in history[0]
        if name.startswith("held_out_") and not name.endswith("_loss")
    }
    yield training_curves(
        history,
        "train_vae_loss",
        "held_out_vae_loss",
        "loss, nats",
        "The weighted sum that training minimises; the weights of prior and invariance rise at first.",
        log_y=True,
    )
    yield Figure(
        line_chart(
            terms, title="What the loss consists of, held out", x_label="pass", y_label="term", log_y=True
        ),
        "Errors of letters, cost of the code and of the language model in nats a sequence; outcome and "
        "change of the outcome on re-reading in units of the outcome's variance. All should fall.",
    )


GIVES_BACK = 0.9
"""Share of letters that a VAE gives back from which on REVISE changes little for no reason."""


def answer(folder: Path, result: Mapping[str, Any]) -> Answer:
    """Whether the model gives back what it reads and knows the outcome."""
    quality = result.get("quality") or {}
    asked = "A latent model of sequences"
    if result.get("num_train"):
        asked += f", learned from {result['num_train']:,} and judged by {result['num_held_out']:,} others"
    asked += f"; it also predicts {result['outcome']}" if result.get("outcome") else ""
    if not quality:
        return Answer(f"{asked}.")
    letters, whole = float(quality["token_accuracy"]), float(quality["exact_accuracy"])
    r2 = quality["outcome_r2"]
    tiles = [
        Tile(
            f"{letters:.1%}", "of letters given back", f"{whole:.1%} of whole sequences", letters < GIVES_BACK
        ),
        Tile(
            f"{quality['language_nll']:.2f}",
            "nats a held-out sequence costs its language model",
            f"at most {quality['nll_bound']:.2f} by the latent code",
        ),
        Tile(f"{quality['active_units']} of {quality['latent_dim']}", "latent units in use"),
    ]
    if r2 is not None:
        rho = quality["outcome_spearman"]
        tiles.insert(
            1, Tile(f"{r2:.3f}", "R2 of the outcome, held out", f"rank correlation {rho:.3f}", r2 <= 0)
        )
    ready = letters >= GIVES_BACK and (r2 or 0) > 0
    verdict = (
        "It gives back what it reads and knows the outcome: ready for revise."
        if ready
        else "It gives back what it reads, but does not know the outcome."
        if letters >= GIVES_BACK
        else "It does not give back what it reads, so revise would change letters for no reason."
    )
    use = f"seqdesign {'revise INPUT.fa' if r2 is not None else 'sample-vae'} -m {folder} -o new.fa"
    return Answer(f"{asked}.", verdict, tiles, files=[("Use it:", use)])


def quality_row(result: Mapping[str, Any]) -> Mapping[str, object]:
    """The quality as a row of a table of models."""
    quality = result.get("quality") or {}
    return {
        "choice": "VAE with language model",
        "outcome": result.get("outcome"),
        "measure": "letters given back",
        "value": quality.get("token_accuracy"),
        "rank correlation": quality.get("outcome_spearman"),
    }
