"""Sections of a page about designs: the table, outcomes, trade-offs, rules, logos, effort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seqdesign.pages.answers import Ranges, range_of
from seqdesign.pages.constraints import Checked, add_constraints
from seqdesign.pages.design_table import add_designs
from seqdesign.pages.designed import DesignSet
from seqdesign.reports.html import Figure, Page
from seqdesign.reports.logo import difference_logo, sequence_logo
from seqdesign.reports.plots import before_after, histogram, intervals, scatter
from seqdesign.sequences.alphabets import Alphabet

MIN_FOR_LOGO = 5
LONGEST_LOGO = 300


def add_design_sections(
    page: Page,
    designs: DesignSet,
    checked: Checked,
    alphabet: Alphabet,
    *,
    name: str,
    score: str,
    measured: Ranges,
    sites: Mapping[str, str] | None = None,
    contributions: Mapping[tuple[str, str], str] | None = None,
    training: Sequence[str] = (),
) -> None:
    """Everything that a page says of designs, whoever made them: a section that is new goes in here.

    name: of the files of the table. score: what the designs are compared by. checked: the rules, checked
    again. sites, contributions, training: as ``add_designs`` and ``add_logos`` take them.
    """
    add_designs(
        page,
        designs,
        name=name,
        measured=measured,
        breaches=checked.breaches if checked.rows else None,
        sites=sites,
        contributions=contributions,
    )
    add_outcomes(page, designs, name=score, measured=measured)
    add_trade_offs(page, designs)
    add_constraints(page, designs, checked)
    add_logos(page, designs, alphabet.letters, training=training)


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
    page.section("How it was searched", facts=facts)


def add_outcomes(page: Page, designs: DesignSet, *, name: str, measured: Ranges | None = None) -> None:
    """Before and after, predictions with intervals, and judges.

    name: what is measured. measured: range of training outcomes by column.
    """
    best = designs.best_of_each()
    known = measured or {}
    figures = [
        *_intervals(best, known),
        *_before_after(best, name, known),
        *_judges(best),
        *_naturalness(best),
    ]
    if figures:
        page.section("Outcomes", _outcome_text(best), figures)


def _outcome_text(designs: DesignSet) -> str:
    if designs.has_numbers("confidence"):
        return (
            "Those that designed a sequence do not judge it. Where the judges see much less of a gain, the "
            "optimizer has found a mistake of its own members rather than a better sequence."
        )
    if designs.before_after is not None and not designs.scored:
        return (
            "The prediction after revision is that of the decoded sequence read again by the encoder, "
            "F(E(x*)), not that of the code it came from."
        )
    if designs.has_numbers(designs.reading.kind):
        return (
            "No judges: this is what the optimizer saw when it searched, which is too good where the oracle "
            "errs."
        )
    return ""


def _before_after(designs: DesignSet, name: str, measured: Ranges) -> Iterator[Figure]:
    pair = designs.before_after
    if pair is None:
        return
    before, after = map(designs.numbers, pair)
    if designs.originals is None:
        groups = {"designs": after, "compared with": before}
        caption = "Designs, and typical training sequences"
        if designs.has_numbers("confidence"):
            groups["designs, by their designers"] = designs.numbers(designs.reading.design)
            caption += ", by the judges; and designs by the members that designed, which is biased"
        title = "Designs and what they are compared with"
        yield Figure(histogram(groups, title=title, x_label=name), f"{caption}.")
        return
    designed, caption = None, "Each parent (hollow) and its design (full), sorted by the prediction before."
    if designs.has_numbers("confidence"):
        designed = designs.numbers(designs.reading.design)
        caption += " A diamond is the design as the members see it that made it, which is biased."
    title = "Predicted before and after"
    known = None if designs.scored else range_of(measured, pair[1])
    if designs.scored and len(designs.outcomes) == 1:
        outcome = designs.outcomes[0]
        if np.allclose(after, designs.numbers(outcome), rtol=1e-5, equal_nan=True):
            known = range_of(measured, outcome)
    figure = before_after(
        before, after, title=title, y_label=name, designed=designed, ids=designs.ids, measured=known
    )
    yield Figure(figure, caption)


def _intervals(designs: DesignSet, measured: Ranges) -> Iterator[Figure]:
    for outcome in designs.outcomes:
        ends = (designs.numbers(f"{outcome}_{end}") for end in ("low", "high"))
        name = outcome.removeprefix("predicted_")
        figure = intervals(
            designs.numbers(outcome),
            *ends,
            title=f"{name} with 95% intervals",
            y_label=name,
            ids=designs.ids,
            measured=range_of(measured, outcome),
        )
        yield Figure(
            figure,
            "What each design should measure, the largest first; by the judges, where there are any.",
        )


def _judges(designs: DesignSet) -> Iterator[Figure]:
    reading = designs.reading
    if not (designs.has_numbers("confidence") and designs.has_numbers(reading.design)):
        return
    yield Figure(
        scatter(
            designs.numbers(reading.design),
            designs.numbers(reading.kind),
            title="Designers and judges",
            x_label=f"{reading.name} by the members that designed (biased)",
            y_label=f"{reading.name} by the judges",
            diagonal=True,
            ids=designs.ids,
        ),
        f"One dot a design. {'Above' if reading.lower else 'Below'} the dashed line the judges promise less.",
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
    """The front of several outcomes, and gain against what it costs."""
    best = designs.best_of_each()
    value, label = best.gain, "gain" if best.scored and not best.reading.lower else "change"
    figures = list(_fronts(best))
    if value is None:
        if figures:
            page.section("Trade-offs", "", figures)
        return
    axes = [
        ("edits", "edits", "What each design differs from its parent by, and in how many letters."),
        (
            "loglik_change",
            "change of log p(x), nats",
            "Left of zero a design is less natural than its parent.",
        ),
        (
            "ood",
            "unusualness, % of held-out sequences",
            "Designs at the right are unlike anything that the model has learned from.",
        ),
        *(
            (f"{outcome}_sd", f"standard deviation of {outcome}", f"A {label} within its error is none.")
            for outcome in best.outcomes
        ),
    ]
    figures += [
        Figure(
            scatter(
                best.numbers(key),
                value,
                title=f"{label.capitalize()} and {title}",
                x_label=title,
                y_label=label,
                ids=best.ids,
            ),
            caption,
        )
        for key, title, caption in axes
        if np.unique(best.numbers(key)[np.isfinite(best.numbers(key) + value)]).size > 1
    ]
    if figures:
        page.section("Trade-offs", "", figures)


def _fronts(designs: DesignSet) -> Iterator[Figure]:
    """Each two outcomes against each other, the designs that no other beats in both marked."""
    marked = [row.get("front") for row in designs.rows]
    if len(designs.outcomes) < 2 or not any(one is not None for one in marked):
        return
    front = [one is True or str(one).lower() == "true" for one in marked]
    names = designs.outcomes
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            short = [name.removeprefix("predicted_") for name in (one, other)]
            figure = scatter(
                designs.numbers(one),
                designs.numbers(other),
                title=f"{short[0]} and {short[1]}",
                x_label=short[0],
                y_label=short[1],
                ids=designs.ids,
                front=front,
            )
            text = "Designs on the front: none is better in one objective and as good in all others."
            yield Figure(figure, text)


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
