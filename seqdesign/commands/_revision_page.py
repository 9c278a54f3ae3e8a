"""The HTML page of a set of revisions: outcomes, naturalness, logos and the revisions themselves."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from seqdesign.commands._provenance import provenance
from seqdesign.commands._revisions import Revision, Summary
from seqdesign.errors import InputError
from seqdesign.reports.diff import diff_html
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import difference_logo, sequence_logo
from seqdesign.reports.plots import before_after, histogram, line_chart
from seqdesign.reports.tables import Column
from seqdesign.rundir import Manifest
from seqdesign.training.vae_store import VAERecord

SHOWN = 40
MIN_FOR_LOGO = 5
MAX_DOTS = 300


def revision_page(
    revisions: Sequence[Revision], summary: Summary, record: VAERecord, model: Path, manifest: Manifest
) -> Page:
    """The page that ``revise --report`` writes."""
    page = Page("Revised sequences", summary="; ".join(summary.lines()[:3]), provenance=provenance(manifest))
    add_outcomes(page, revisions, record)
    add_logos(page, revisions, record)
    add_revisions(page, revisions, record)
    add_training(page, model)
    return page


def add_outcomes(page: Page, revisions: Sequence[Revision], record: VAERecord) -> None:
    """Outcome, naturalness and edits of the best revisions."""
    best = [r for r in revisions if r.rank == 1]
    outcome = record.outcome or "outcome"
    before, after = [r.outcome_before for r in best], [r.outcome for r in best]
    step = max(1, len(best) // MAX_DOTS)
    figures = [
        Figure(
            before_after(
                before[::step],
                after[::step],
                title="Predicted outcome before and after",
                y_label=f"predicted {outcome}",
            ),
            f"Each input (hollow) and its best revision (full), sorted by the prediction "
            f"before{_of(best, step)}.",
        ),
        Figure(
            histogram(
                {"inputs": [r.loglik_before for r in best], "revisions": [r.loglik for r in best]},
                title="Naturalness",
                x_label="log p(x) by the language model, nats",
            ),
            "Revisions should stay where the inputs are: further left means less like the training "
            "sequences.",
        ),
        Figure(
            histogram(
                {"edits": [r.edits for r in best]},
                title="Edits",
                x_label="substitutions, insertions and deletions",
                num_bins=max(1, min(30, max(r.edits for r in best) + 1)),
            ),
            "How far the revisions are from their inputs.",
        ),
    ]
    text = (
        "The prediction after revision is that of the decoded sequence read again by the encoder, "
        "F(E(x*)), not that of "
        "the code it came from."
    )
    page.section("Outcome and naturalness", text, figures)


def _of(best: Sequence[Revision], step: int) -> str:
    return "" if step == 1 else f"; every {step}th of {len(best):,} is shown"


def add_logos(page: Page, revisions: Sequence[Revision], record: VAERecord) -> None:
    """What the inputs have in common, what the revisions have, and the difference; for sequences of one
    length.
    """
    changed = [r for r in revisions if r.rank == 1 and r.status == "revised"]
    pairs = [(r.original, r.revised) for r in changed if len(r.original) == len(r.revised)]
    lengths = Counter(len(a) for a, _ in pairs)
    if not lengths or lengths.most_common(1)[0][1] < MIN_FOR_LOGO:
        return
    length, used = lengths.most_common(1)[0]
    before, after = ([pair[i] for pair in pairs if len(pair[0]) == length] for i in (0, 1))
    letters = record.alphabet.letters
    figures = [
        Figure(
            sequence_logo(before, letters=letters, title="Inputs"), f"{used:,} inputs of {length} letters."
        ),
        Figure(sequence_logo(after, letters=letters, title="Revisions"), "Their revisions."),
        Figure(
            difference_logo(before, after, letters=letters, title="What revision changed"),
            "Change of each letter's share: up is more frequent in the revisions.",
        ),
    ]
    page.section("Logos", "", figures)


def add_revisions(page: Page, revisions: Sequence[Revision], record: VAERecord) -> None:
    """The revisions with the largest predicted gain, letter by letter."""
    ranked = sorted((r for r in revisions if r.status == "revised"), key=lambda r: -abs(r.delta))[:SHOWN]
    rows = [
        {
            "id": r.id,
            "revision": diff_html(r.original, r.revised),
            "before": r.outcome_before,
            "after": r.outcome,
            "loglik": r.loglik_change,
            "edits": r.edits,
        }
        for r in ranked
    ]
    outcome = record.outcome or "outcome"
    columns = [
        Column("id"),
        Column("revision", "input to revision", sequence=True),
        Column("before", f"{outcome} before", ".3g"),
        Column("after", f"{outcome} after", ".3g"),
        Column("loglik", "log p(x) change, nats", "+.2f"),
        Column("edits"),
    ]
    table = Table(rows, columns, f"The {len(rows)} revisions with the largest predicted change.")
    page.section("Revisions", "", tables=[table] if rows else [])


def add_training(page: Page, model: Path) -> None:
    """Training curves of the model, where its folder has them."""
    try:
        with open(model / "metrics.csv", encoding="utf-8", newline="") as handle:
            history = list(csv.DictReader(handle))
        series = {
            name: _curve(history, key)
            for name, key in (("training", "train_vae_loss"), ("held out", "held_out_vae_loss"))
        }
        terms = {
            name.removeprefix("held_out_"): _curve(history, name)
            for name in history[0]
            if name.startswith("held_out_") and not name.endswith("_loss")
        }
    except FileNotFoundError:
        return
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(
            f"is not the metrics file of a training run ({error!r})", path=model / "metrics.csv"
        ) from error
    figures = [
        Figure(
            line_chart(series, title="Loss", x_label="pass", y_label="weighted loss, nats", log_y=True),
            "The weighted sum that training minimises; the weights of prior and invariance rise at first.",
        ),
        Figure(
            line_chart(terms, title="Held-out terms", x_label="pass", y_label="unweighted term", log_y=True),
            "Reconstruction, KL and language model in nats; outcome and invariance in units of Var(y).",
        ),
    ]
    page.section("Training", "", figures)


def _curve(history: list[dict[str, str]], column: str) -> tuple[list[float], list[float]]:
    """Passes and values of a column; a player that rests leaves its cells empty."""
    rows = [row for row in history if row[column]]
    return [float(row["epoch"]) for row in rows], [float(row[column]) for row in rows]
