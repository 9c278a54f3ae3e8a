"""The HTML page of a set of designs: what was asked, whether it can be believed, and the designs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from seqdesign.commands._designs import Design, DesignSummary
from seqdesign.commands._provenance import provenance
from seqdesign.reports.diff import diff_html
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import difference_logo, sequence_logo
from seqdesign.reports.plots import histogram, scatter
from seqdesign.reports.tables import Column
from seqdesign.rundir import Manifest

SHOWN = 200
"""Designs in the table of the page; --table has all of them."""
MIN_FOR_LOGO = 5


def design_page(
    designs: Sequence[Design],
    summary: DesignSummary,
    letters: str,
    outcomes: Sequence[str],
    manifest: Manifest,
) -> Page:
    """The page that ``maximize --report`` writes; at least one design."""
    page = Page("Designed sequences", summary="; ".join(summary.lines()[:2]), provenance=provenance(manifest))
    delivered = [d for d in designs if d.status != "rejected"]
    if summary.warnings:
        page.section("Warnings", [f"{w[:1].upper()}{w[1:]}." for w in summary.warnings])
    page.section("What was asked", "", tables=[_asked(summary)])
    if delivered:
        page.section("Scores", _judged_text(summary), _scores(delivered, summary))
        _logos(page, delivered, letters)
    page.section("Designs", "", tables=[_table(delivered, outcomes)] if delivered else [])
    rejected = [d for d in designs if d.status == "rejected"]
    if rejected:
        rows = [{"id": d.id, "sequence": d.sequence, "reason": d.reason} for d in rejected[:SHOWN]]
        page.section(
            "Rejected", "", tables=[Table(rows, ["id", Column("sequence", sequence=True), "reason"])]
        )
    return page


def _asked(summary: DesignSummary) -> Table:
    rows = [
        {"what": "objective", "value": summary.objective},
        *({"what": "constraint", "value": f"{name}: obeyed by all designs"} for name in summary.constraints),
        {"what": "sequences scored", "value": f"{summary.queries:,}"},
        {
            "what": "runs ended by",
            "value": ", ".join(f"{reason} ({count:,})" for reason, count in sorted(summary.stop.items())),
        },
    ]
    return Table(rows, [Column("what", ""), Column("value", "")])


def _judged_text(summary: DesignSummary) -> str:
    if summary.mean_confidence is None:
        return (
            "Nobody judges these scores: they are those that the optimizer climbed, which are too high where "
            "the oracle errs."
        )
    return (
        "Some members of the ensemble designed, the others only judge. Where the judges see much less of a "
        "gain, the optimizer has found a mistake of its own members rather than a better sequence."
    )


def _scores(designs: Sequence[Design], summary: DesignSummary) -> list[Figure]:
    figures = [
        Figure(
            histogram(
                {"designs": [d.score for d in designs], "compared with": [d.score_start for d in designs]},
                title="Score of designs and of what they are compared with",
                x_label=summary.objective,
            ),
            "By the members that designed: designs, and their parents or typical training sequences.",
        )
    ]
    judged = [d for d in designs if d.score_judges is not None]
    if judged:
        figures.append(
            Figure(
                scatter(
                    [d.score for d in judged],
                    [float(d.score_judges or 0.0) for d in judged],
                    title="Designers and judges",
                    x_label="score by the members that designed",
                    y_label="score by those that judge",
                    diagonal=True,
                ),
                "One dot a design. Below the dashed line the judges promise less.",
            )
        )
    unusual = [d for d in designs if d.outcomes.get("ood") is not None]
    if unusual:
        figures.append(
            Figure(
                scatter(
                    [float(d.outcomes["ood"] or 0.0) for d in unusual],
                    [d.score for d in unusual],
                    title="Score and unusualness",
                    x_label="held-out sequences that are less unusual, %",
                    y_label="score",
                ),
                "Designs at the right are unlike anything that the model has learned from.",
            )
        )
    edited = [d for d in designs if d.edits is not None]
    if edited:
        figures.append(
            Figure(
                scatter(
                    [float(d.edits or 0) for d in edited],
                    [d.score - d.score_start for d in edited],
                    title="Gain and edits",
                    x_label="substitutions",
                    y_label="gain in score",
                ),
                "What each design gains over its parent, and how far it is from it.",
            )
        )
    return figures


def _logos(page: Page, designs: Sequence[Design], letters: str) -> None:
    """What the designs of the most common length share, and how they differ from their parents."""
    length, count = Counter(len(d.sequence) for d in designs).most_common(1)[0]
    if count < MIN_FOR_LOGO:
        return
    same = [d for d in designs if len(d.sequence) == length]
    after = [d.sequence for d in same]
    figures = [
        Figure(
            sequence_logo(after, letters=letters, title="Designs"), f"{count:,} designs of {length} letters."
        )
    ]
    before = [d.original for d in same if d.original is not None]
    if len(before) == len(after) and all(set(text) <= set(letters) for text in before):
        figures.append(
            Figure(
                difference_logo(before, after, letters=letters, title="What design changed"),
                "Change of each letter's share from the parents: up is more frequent in the designs.",
            )
        )
    page.section("Logos", "", figures)


def _table(designs: Sequence[Design], outcomes: Sequence[str]) -> Table:
    shown = sorted(designs, key=lambda d: -d.score)[:SHOWN]
    rows = [
        {
            "id": d.id,
            "design": d.sequence if d.original is None else diff_html(d.original, d.sequence),
            "status": d.status if d.reason is None else f"{d.status} ({d.reason})",
            "score": d.score,
            "judges": d.score_judges,
            **{name: _with_error(d, name) for name in outcomes},
            "ood": d.outcomes.get("ood"),
            "nearest": d.outcomes.get("nearest"),
            "edits": d.edits,
        }
        for d in shown
    ]
    optional = [
        Column("judges", "score by judges", ".4g"),
        *(Column(name, f"{name}, 95% interval") for name in outcomes),
        Column("ood", "more unusual than, %", ".0f"),
        Column("nearest", "edits to nearest training sequence"),
        Column("edits"),
    ]
    used = [column for column in optional if any(row[column.key] is not None for row in rows)]
    columns = [
        Column("id"),
        Column("design", sequence=True),
        Column("status"),
        Column("score", spec=".4g"),
        *used,
    ]
    caption = f"The {len(rows)} designs with the best scores."
    return Table(rows, columns, caption)


def _with_error(design: Design, name: str) -> str | None:
    value, low, high = (design.outcomes.get(f"{name}{end}") for end in ("", "_low", "_high"))
    if value is None:
        return None
    return f"{value:.4g}" if low is None or high is None else f"{value:.4g} ({low:.4g} to {high:.4g})"
