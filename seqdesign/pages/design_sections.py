"""Sections of a page about designs: outcomes, trade-offs, logos, and the table of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seqdesign.pages.designed import DesignSet, first_of, operations_in
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import difference_logo, sequence_logo
from seqdesign.reports.plots import before_after, histogram, intervals, scatter
from seqdesign.reports.tables import Column
from seqdesign.symbols import has_symbols

MIN_FOR_LOGO = 5
LONGEST_LOGO = 300

HEADINGS = {
    "score_start": "before", "loglik_change": "log p(x) change",
    "score_design": "by its designers", "score_low": "at least", "least_evidence": "evidence",
    "ood": "unusual, %", "confidence": "confirmed", "delta": "gain",
}  # fmt: skip
SPECS = {"loglik_change": "+.2f", "ood": ".0f", "confidence": ".0%", "doubt": ".0%"}
FIRST = ("id", "sequence", "status", "delta", "variant")
"""Columns at the left of the table, in this order."""
UNSEEN = (
    "edit_list", "evidence", "stop", "feasible", "soft_gap", "original", "rank", "kappa2", "coverage",
    "log_mode", "loglik_before", "loglik", "violations", "parent",
    "first_position",
)  # fmt: skip
"""Columns that are for downloads and filters only, and standard deviations beside intervals."""
MEANINGS = {
    "delta": "gain: value of the design less that of what it is compared with",
    "score": "score: by the judges where there are any",
    "score_low": "at least: what the judges think nine in ten designs exceed; the order goes by it",
    "score_design": "by its designers: score by the members that designed, which is biased",
    "confidence": "confirmed: share of the gain that the judges see",
    "doubt": "doubt: probability, by the judges, that less than half of the gain is real",
    "least_evidence": "evidence: training sequences that have the rarest of its edits or letters",
    "measured": "measured: what training data or --start say of this sequence",
    "ood": "unusual: percent of held-out sequences that are less unlike the training sequences",
    "nearest": "nearest: edits to the nearest training sequence",
    "loglik_change": "log p(x) change: in nats; below zero a design is less natural than its parent",
}
"""What stands above the table, of the columns that it has."""


def add_asked(page: Page, summary: Mapping[str, Any], promised: str | None = None) -> None:
    """Objective and effort, from the fields of ``DesignSummary``; what was measured, and the promise."""
    ended = (f"{reason} ({count:,})" for reason, count in sorted(summary["stop"].items()))
    facts = {
        "objective": summary["objective"],
        "constraints": ", ".join(summary["constraints"]) or "none",
        "sequences scored": f"{summary['queries']:,}",
        "why runs ended": ", ".join(ended),
    }
    measured, noise = summary.get("measured") or {}, summary.get("noise") or {}
    for key, (low, high) in measured.items():
        about = f", noise about {noise[key]:.2g}" if key in noise else ""
        facts[f"{key} measured in training"] = f"{low:.4g} to {high:.4g}{about}"
    judges = summary.get("judges") or {}
    if judges:
        facts["judges and their weights"] = ", ".join(f"{name} {w:.0%}" for name, w in judges.items())
    if promised is not None:
        facts["promise"] = promised.removeprefix("promise: ").removeprefix("no promise: ")
    page.section("What was asked", facts=facts)


def add_outcomes(page: Page, designs: DesignSet, *, name: str) -> None:
    """Before and after, predictions with intervals, and judges. ``name`` is what is measured."""
    best = designs.best_of_each()
    figures = [*_before_after(best, name), *_intervals(best), *_judges(best), *_naturalness(best)]
    if figures:
        page.section("Outcomes", _outcome_text(best), figures)


def _outcome_text(designs: DesignSet) -> str:
    if designs.has_numbers("confidence"):
        return (
            "Those that designed a sequence do not judge it. Where the judges see much less of a gain, the "
            "optimizer has found a mistake of its own members rather than a better sequence."
        )
    if designs.before_after is not None and designs.before_after[1] != "score":
        return (
            "The prediction after revision is that of the decoded sequence read again by the encoder, "
            "F(E(x*)), not that of the code it came from."
        )
    if designs.has_numbers("score"):
        return (
            "No judges: these are the scores that the optimizer climbed, which are too high where "
            "the oracle errs."
        )
    return ""


def _before_after(designs: DesignSet, name: str) -> Iterator[Figure]:
    pair = designs.before_after
    if pair is None:
        return
    before, after = map(designs.numbers, pair)
    if designs.originals is None:
        groups = {"designs": after, "compared with": before}
        caption = "Designs, and typical training sequences"
        if designs.has_numbers("confidence"):
            groups["designs, by their designers"] = designs.numbers("score_design")
            caption += ", by the judges; and designs by the members that designed, which is biased"
        title = "Designs and what they are compared with"
        yield Figure(histogram(groups, title=title, x_label=name), f"{caption}.")
        return
    judged, caption = None, "Each parent (hollow) and its design (full), sorted by the prediction before."
    if designs.has_numbers("confidence"):
        judged = designs.numbers("score_design")
        caption += " A diamond is the design as the members see it that made it, which is biased."
    title = "Predicted before and after"
    yield Figure(before_after(before, after, title=title, y_label=name, judged=judged), caption)


def _intervals(designs: DesignSet) -> Iterator[Figure]:
    for outcome in designs.outcomes:
        ends = (designs.numbers(f"{outcome}_{end}") for end in ("low", "high"))
        yield Figure(
            intervals(
                designs.numbers(outcome), *ends, title=f"{outcome} with 95% intervals", y_label=outcome
            ),
            "What a measurement of each design should give, best first; by the judges, where there are any.",
        )


def _judges(designs: DesignSet) -> Iterator[Figure]:
    if not designs.has_numbers("confidence"):
        return
    yield Figure(
        scatter(
            designs.numbers("score_design"),
            designs.numbers("score"),
            title="Designers and judges",
            x_label="score by the members that designed (biased)",
            y_label="score by the judges",
            diagonal=True,
        ),
        "One dot a design. Below the dashed line the judges promise less.",
    )


def _naturalness(designs: DesignSet) -> Iterator[Figure]:
    if not designs.has_numbers("loglik_before"):
        return
    groups = {"parents": designs.numbers("loglik_before"), "designs": designs.numbers("loglik")}
    yield Figure(
        histogram(groups, title="Naturalness", x_label="log p(x) by the language model, nats"),
        "Designs should stay where the parents are: further left is less like the training sequences.",
    )


def add_trade_offs(page: Page, designs: DesignSet) -> None:
    """Gain against what it costs."""
    best = designs.best_of_each()
    value, label = best.gain, "gain"
    if value is None:
        return
    axes = [
        ("edits", "edits", "What each design gains over its parent, and how far it is from it."),
        (
            "loglik_change",
            "change of log p(x), nats",
            "Left of zero a design is less natural than its parent.",
        ),
        (
            "ood",
            "held-out sequences that are less unusual, %",
            "Designs at the right are unlike anything that the model has learned from.",
        ),
        *(
            (f"{outcome}_sd", f"standard deviation of {outcome}", "A gain within its error is no gain.")
            for outcome in best.outcomes
        ),
    ]
    figures = [
        Figure(
            scatter(best.numbers(key), value, title=f"Gain and {title}", x_label=title, y_label=label),
            caption,
        )
        for key, title, caption in axes
        if np.unique(best.numbers(key)[np.isfinite(best.numbers(key) + value)]).size > 1
    ]
    if figures:
        page.section("Trade-offs", "", figures)


def add_designs(page: Page, designs: DesignSet, *, name: str) -> None:
    """The table of all designs, the best first. ``name`` is that of the files it can be saved as."""
    rows = [dict(row) for row in designs.rows]
    unfit = [row for row in rows if row.get("edit_list") and operations_in(row) is None]
    for row in unfit:
        row["edit_list"] = None
    if unfit:
        what = f"{len(unfit):,} of {len(rows):,} sequences are not what their own list of edits leads to"
        page.warnings([what], about=name)
    pair, gain = designs.before_after, designs.gain
    order = "."
    if pair is not None and gain is not None:
        for row, value in zip(rows, gain.tolist(), strict=True):
            row.setdefault("delta", None if np.isnan(value) else value)
        # A revision may be wanted to lower its outcome; a score is always better when it is higher.
        if pair[1] == "score":
            worth = designs.numbers("score_low" if designs.has_numbers("score_low") else "score")
            doubtful = np.array([row.get("status", "ok") != "ok" for row in rows])
            places = np.lexsort((-np.nan_to_num(worth, nan=-np.inf), doubtful))
            order = ", the best first; those that something speaks against last."
        else:
            places = np.argsort(-np.nan_to_num(np.abs(gain), nan=-np.inf), kind="stable")
            order = ", the largest change first."
        rows = [rows[i] for i in places]
    shown = DesignSet(rows)
    keys = [key for key in FIRST if key in shown.columns]
    keys += [key for key in shown.columns if key not in keys]
    unseen = (*UNSEEN, *(f"{outcome}_sd" for outcome in designs.outcomes))
    unseen = (*unseen, *(key for key in keys if key.endswith("_at_code")))
    ends = {f"{name}_{end}": f"{name}, {end}" for name in designs.outcomes for end in ("low", "high")}
    if pair is not None:
        ends[pair[0]] = "before"
    # The script of the page marks single characters only.
    markable = "edit_list" in shown.columns and not any(has_symbols(row["sequence"]) for row in rows)
    columns = [
        Column(
            key,
            ends.get(key, HEADINGS.get(key)),
            SPECS.get(key, ""),
            sequence=key in ("sequence", "original"),
            edits="edit_list" if key == "sequence" and markable else "",
            first=first_of(rows[0]),
            shown=key not in unseen,
        )
        for key in keys
    ]
    table = Table(rows, columns, f"{len(rows):,} sequences{order}", name)
    meanings = "; ".join(text for key, text in MEANINGS.items() if key in keys)
    text = f"{meanings[:1].upper()}{meanings[1:]}." if meanings else ""
    page.section(designs.what.capitalize(), text, tables=[table])


def add_logos(
    page: Page,
    designs: DesignSet,
    letters: str,
    *,
    training: Sequence[str] = (),
) -> None:
    """What designs of the most common length share, and how they differ from parents or training ones."""
    length, count = Counter(map(len, designs.sequences)).most_common(1)[0]
    if count < MIN_FOR_LOGO or length > LONGEST_LOGO:
        return
    same = [i for i, text in enumerate(designs.sequences) if len(text) == length]
    after = [designs.sequences[i] for i in same]
    figures = []
    what, before = "training sequences", [text for text in training if len(text) == length]
    if designs.originals is not None:
        pairs = [(designs.originals[i], designs.sequences[i]) for i in same]
        pairs = [pair for pair in pairs if len(pair[0]) == length]
        what, before = "parents", [pair[0] for pair in pairs]
    if len(before) >= MIN_FOR_LOGO:
        figures.append(
            Figure(
                sequence_logo(before, letters=letters, title=what.capitalize()),
                f"{len(before):,} {what} of {length} letters.",
            )
        )
    figures.append(
        Figure(
            sequence_logo(after, letters=letters, title=designs.what.capitalize()),
            f"{len(after):,} {designs.what} of {length} letters.",
        )
    )
    if len(before) >= MIN_FOR_LOGO:
        figures.append(
            Figure(
                difference_logo(before, after, letters=letters, title="What design changed"),
                f"Change of each letter's share from the {what}: up is more frequent in the designs.",
            )
        )
    page.section("Logos", "", figures)
