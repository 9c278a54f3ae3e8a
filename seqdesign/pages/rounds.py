"""The HTML page of ``propose``: how the last round came true, what it taught, and the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from seqdesign.config import jsonable
from seqdesign.design.proposal import ProposalSummary, Proposed
from seqdesign.design.rounds import Comparison
from seqdesign.pages.methods import add_methods
from seqdesign.reports.answer import Answer, Gauge, Tile
from seqdesign.reports.bars import span_of
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import intervals, predicted_measured
from seqdesign.reports.tables import Bar, Column
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

TOO_SURE = 0.8
"""Share inside 95% intervals below which they are too narrow."""


@phase("writing the page")
def round_page(
    proposed: Sequence[Proposed],
    summary: ProposalSummary,
    manifest: Manifest,
    *,
    measured: tuple[float, float],
) -> Page:
    """The page that ``propose --report`` writes; measured: least and largest value of all rounds."""
    page = Page(
        "The next round",
        answer=_answer(proposed, summary, manifest, measured),
        provenance=provenance(manifest),
    )
    page.warnings(summary.warnings)
    _add_batch(page, proposed, summary)
    if summary.last is not None:
        _add_last(page, summary.last)
    _add_lessons(page, summary)
    add_methods(page, manifest, {"summary": jsonable(summary)})
    return page


def _answer(
    proposed: Sequence[Proposed], summary: ProposalSummary, manifest: Manifest, measured: tuple[float, float]
) -> Answer:
    rounds = " + ".join(f"{n:,}" for n in summary.rounds)
    asked = (
        f"Which {summary.proposed:,} of {summary.pool:,} sequences to measure next, after "
        f"{rounds} measured ones in {len(summary.rounds)} round{'s' * (len(summary.rounds) != 1)}?"
    )
    last = summary.last
    expected = f"{summary.expected_better:.1f} of {summary.proposed:,}"
    verdict = f"About {expected} should beat the best so far, {summary.best:.4g}."
    tiles = [Tile(f"{summary.best:.4g}", "best measured so far", summary.best_sequence[:40])]
    if summary.beyond:
        verdict = f"If what was learned goes on beyond what was measured, {verdict[:1].lower()}{verdict[1:]}"
    tiles.append(Tile(expected, "should be better", "if the model is right", doubt=bool(summary.beyond)))
    before = "" if summary.r2_before is None else f"{summary.r2_before:.2f} before the last round"
    tiles.append(Tile(f"{summary.r2:.2f}", "R2 of rows it is not told", before, doubt=summary.r2 < 0.05))
    if last is not None:
        rho = "unknown" if last.spearman is None else f"{last.spearman:.2f}"
        verdict += (
            f" Of the last round {last.better:,} of {last.num:,} beat the best before, where "
            f"{last.better_expected:.1f} were expected; it measured {last.measured:.4g} on average where "
            f"{last.promised:.4g} was promised."
        )
        tiles.append(Tile(rho, "rank correlation, last round", "of predictions and measurements"))
        tiles.append(
            Tile(
                f"{last.coverage:.0%}", "of it inside 95% intervals", "should be 95%",
                doubt=last.num >= 10 and last.coverage < TOO_SURE,
            )
        )  # fmt: skip
    sign = -1 if manifest.config.get("minimize") else 1
    top = max(proposed, key=lambda one: sign * one.predicted_mean) if proposed else None
    gauge = None
    if top is not None:
        gauge = Gauge(
            f"most promising, {top.id}", measured, top.predicted_mean, top.predicted_low, top.predicted_high,
            summary.best, "best measured so far",
        )  # fmt: skip
    output = manifest.config.get("output")
    files = [("To order:", str(output))] if output not in (None, "-") else []
    return Answer(asked, verdict, tiles, gauge, files)


def _add_batch(page: Page, proposed: Sequence[Proposed], summary: ProposalSummary) -> None:
    rows = [one.row() for one in proposed]
    if not rows:
        return
    ends = [float(row[key]) for row in rows for key in ("predicted_low", "predicted_high")]
    bar = Bar("predicted_low", "predicted_high", span_of(None, [*ends, summary.best]))
    columns = [
        Column("id", "name"),
        Column("predicted_mean", "predicted", bar=bar, about="of a measurement, with its 95% interval"),
        Column(
            "better", "beats the best", ".0%", about="probability that it is better than the best measured"
        ),
        Column("distance", "edits to a measured one", ",d"),
        Column("measured_nearest", "which measured"),
        Column("sequence", sequence=True),
        Column("nearest", "nearest measured", sequence=True, shown=False),
        *(Column(f"predicted_{end}", shown=False) for end in ("low", "high", "sd")),
    ]
    figure = intervals(
        *([float(row[f"predicted_{key}"]) for row in rows] for key in ("mean", "low", "high")),
        title="What the batch should measure",
        y_label="outcome",
        ids=[str(row["id"]) for row in rows],
    )
    caption = "95% intervals of a measurement. Wide ones are there to learn from, the others to gain by."
    table = Table(rows, columns, f"{len(rows):,} sequences, in the order of choice.", "batch", cards=True)
    page.section("The next round", "", [Figure(figure, caption)], [table])


def _add_last(page: Page, last: Comparison) -> None:
    """Predicted and measured, of sequences that the model had not seen."""
    points = last.points
    measured, predicted = ([getattr(one, key) for one in points] for key in ("measured", "predicted"))
    names = [one.sequence for one in points]
    rows = [
        {**asdict(one), "inside": one.low <= one.measured <= one.high, "off": one.measured - one.predicted}
        for one in points
    ]
    rows.sort(key=lambda row: -abs(float(row["off"])))
    ends = [float(row[key]) for row in rows for key in ("low", "high", "measured")]
    bar = Bar("low", "high", span_of(None, ends))
    columns = [
        Column("sequence", sequence=True),
        Column("predicted", bar=bar, about="from the rounds before, with its 95% interval"),
        Column("measured"),
        Column("off", "measured less predicted", "+.3g"),
        Column("inside", "inside the interval"),
        Column("low", shown=False),
        Column("high", shown=False),
    ]
    figure = predicted_measured(
        np.array(measured), np.array(predicted), title="The last round: predicted and measured", ids=names
    )
    text = "Predictions are those of a model that knew the rounds before only."
    caption = "One dot a sequence. Above the dashed line less was measured than predicted."
    table = Table(rows, columns, f"{len(rows):,} sequences, the largest surprise first.", "last-round")
    page.section("How the last round came true", text, [Figure(figure, caption)], [table])


def _add_lessons(page: Page, summary: ProposalSummary) -> None:
    members = {"Gaussian process over": summary.kind}
    facts = {**members, "noise of a measurement": f"{summary.noise:.3g}"}
    columns = [
        Column("place", "position", "d"),
        Column("letter"),
        Column("before", "worth before", "+.3g"),
        Column("after", "worth now", "+.3g"),
        Column("rows_before", "measured with it before", ",d"),
        Column("rows", "now", ",d"),
    ]
    rows = [asdict(one) for one in summary.lessons]
    tables = (
        [Table(rows, columns, "Letters whose worth is seen otherwise since the last round.")] if rows else []
    )
    page.section("What was learned", "", tables=tables, facts=facts)
