"""Sections of a page about a sequence VAE: its quality and curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seqdesign.reports.history import History, curve, read_history
from seqdesign.reports.html import Figure, Page
from seqdesign.reports.plots import landscape, line_chart


def sections(page: Page, folder: Path, result: Mapping[str, Any]) -> None:
    """What a training command left in ``folder``, and said at its end. Raises InputError."""
    quality = result.get("quality") or {}
    if quality:
        page.section("Held-out quality", facts=_vae_facts(quality))
    history = read_history(folder)
    if history:
        page.section("Training", figures=list(vae_curves(history)))
    _add_map(page, folder)


def _add_map(page: Page, folder: Path) -> None:
    """The latent space in two dimensions, coloured by the outcome or another property."""
    from seqdesign.models.vae.latent_map import latent_map

    found = latent_map(folder)
    if found is None:
        return
    first, second = (f"axis {i + 1} ({share:.0%} of the variance)" for i, share in enumerate(found.shares))
    chart = landscape(
        found.points[:, 0], found.points[:, 1], found.values,
        title=f"Latent space by {found.name}", x_label=first, y_label=second, name=found.name,
    )  # fmt: skip
    text = (
        f"Codes E(x) of {len(found.points):,} sequences of training and held-out data, along the two "
        f"directions in which codes vary most; colours are fifths of {found.name}."
    )
    page.section("Latent space", text, figures=[Figure(chart, "Neighbours here have similar codes.")])


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
