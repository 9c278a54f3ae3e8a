"""The measured truth behind the demo: what became of revisions and designs in the table of measurements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import bar_chart, before_after, histogram, predicted_measured

if TYPE_CHECKING:
    from seqdesign.constraints.options import ConstraintOptions
    from seqdesign.design.records import Design, Revision
    from seqdesign.oracles.table import TableOracle
    from seqdesign.sequences.reader import SequenceSet

UNIT = "log10 PSI (%)"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Measured gains at one edit budget, in standard deviations of the training outcomes."""

    max_edits: int
    revise: float
    search: float
    possible: float
    """Of the best measured site within the budget."""
    revise_inside: float
    """Share of the revisions that were measured."""
    search_inside: float

    def row(self) -> dict[str, Any]:
        """The table row."""
        return {
            "edits": f"<= {self.max_edits}",
            "REVISE": f"{self.revise:.2f}",
            "SEARCH": f"{self.search:.2f}",
            "best possible": f"{self.possible:.2f}",
            "REVISE measured": f"{self.revise_inside:.0%}",
            "SEARCH measured": f"{self.search_inside:.0%}",
        }


@dataclass(frozen=True, kw_only=True)
class DesignTruth:
    """Measured outcomes of designs, in the units of the table."""

    designs: int
    measured: int
    """Designs that were measured at all."""
    mean: float
    predicted: float
    """By the members of the ensemble that judge."""
    fresh: int
    """Measured designs that were not among the training sequences."""
    fresh_mean: float
    random: float
    """Mean of all measured sites that obey the same constraints."""
    top: float
    """Mean of as many best measured sites that obey them: there is nothing better to be found."""

    def row(self) -> dict[str, Any]:
        """The table row."""
        return {
            "designs": f"{self.designs}",
            "measured": f"{self.measured}",
            "mean": f"{self.mean:.2f}",
            "judges had said": f"{self.predicted:.2f}",
            "not seen in training": f"{self.fresh_mean:.2f} ({self.fresh})",
            "any site": f"{self.random:.2f}",
            "best possible": f"{self.top:.2f}",
        }


def revision_truth(
    oracle: TableOracle,
    inputs: SequenceSet,
    measured: FloatArray,
    scale: float,
    budget: int,
    runs: Mapping[tuple[str, int], Sequence[Revision]],
) -> Truth:
    """Measured gains of the runs (method, edit budget) of one budget; ``measured`` (N,) are the inputs."""
    gains, inside = {}, {}
    for method in ("revise", "search"):
        found = oracle([r.revised for r in runs[method, budget]])
        gains[method] = float(np.nanmean(found - measured) / scale)
        inside[method] = float(np.mean(~np.isnan(found)))
    best = oracle.best_within(inputs.sequences, budget)
    return Truth(
        max_edits=budget,
        revise=gains["revise"],
        search=gains["search"],
        possible=float(np.nanmean(best.values - measured) / scale),
        revise_inside=inside["revise"],
        search_inside=inside["search"],
    )


def obeying(records: SequenceSet, options: ConstraintOptions) -> FloatArray:
    """Measured outcomes of the sequences that obey the constraints."""
    import torch

    from seqdesign.constraints.build import build_rules
    from seqdesign.sequences.alphabets import guess_alphabet
    from seqdesign.sequences.encoders import encode

    assert records.outcomes is not None
    alphabet = guess_alphabet(records.sequences)
    tokens = torch.from_numpy(encode(records.sequences, alphabet).tokens).long()
    rules = build_rules(options, alphabet, tokens)
    fine = torch.ones(len(tokens), dtype=torch.bool)
    for constraint in rules.constraints:
        fine &= constraint.is_feasible(tokens, torch.arange(len(tokens)))
    return records.outcomes[fine.numpy()]


def design_truth(
    oracle: TableOracle, designs: Sequence[Design], known: Collection[str], allowed: FloatArray
) -> DesignTruth:
    """Designs looked up. ``known``: training sequences. ``allowed``: all outcomes that obey the rules."""
    found = oracle([d.sequence for d in designs])
    fresh = np.array([d.sequence not in known for d in designs]) & ~np.isnan(found)
    return DesignTruth(
        designs=len(designs),
        measured=int((~np.isnan(found)).sum()),
        mean=float(np.nanmean(found)),
        predicted=float(judged(designs).mean()),
        fresh=int(fresh.sum()),
        fresh_mean=float(found[fresh].mean()) if fresh.any() else float("nan"),
        random=float(allowed.mean()),
        top=float(np.sort(allowed)[-len(designs) :].mean()),
    )


def judged(designs: Sequence[Design]) -> FloatArray:
    """(N,) scores by the members that judge; NaN without any."""
    return np.array([d.score for d in designs], dtype=np.float64)


def demo_answer(
    truth: Sequence[Truth],
    found: DesignTruth,
    *,
    inputs: int,
    measured: int,
    files: Sequence[tuple[str, str]] = (),
) -> Answer:
    """What became of revisions and designs when they were looked up among ``measured`` measured sites."""
    asked = (
        f"Make {inputs} human 5' splice sites with below-median splicing better with few edits, and design "
        f"{found.designs} from nothing but measurements. All are looked up among {measured:,} measured "
        "sites, of which the models saw a random half."
    )
    last = truth[-1]
    verdict = (
        f"With {last.max_edits} edits REVISE gains {last.revise:.2f} of the {last.possible:.2f} standard "
        f"deviations that are possible, random search {last.search:.2f}. Designs measure {found.mean:.2f} on "
        f"average; the best that exist under their rules {found.top:.2f}."
    )
    tiles = [
        Tile(f"{last.revise:.2f} sd", "measured gain of REVISE", f"of {last.possible:.2f} possible"),
        Tile(f"{last.search:.2f} sd", "measured gain of random search", "same number of edits"),
        Tile(f"{found.mean:.2f}", "measured mean of designs", f"the judges had said {found.predicted:.2f}"),
        Tile(
            f"{found.fresh_mean:.2f}", "of those that no model had seen", f"{found.fresh} of {found.designs}"
        ),
        Tile(f"{found.random:.2f}", "mean of any site under the same rules", UNIT),
    ]
    return Answer(asked, verdict, tiles, files=files)


def add_revisions(
    page: Page, truth: Sequence[Truth], shown: Sequence[Revision], oracle: TableOracle, measured: FloatArray
) -> None:
    """The section on revisions; ``measured`` (N,) are the outcomes of the originals of those ``shown``."""
    after = oracle([r.revised for r in shown])
    known = ~np.isnan(after)
    predicted = np.array([r.outcome for r in shown])
    rows = [t.row() for t in truth]
    figures = [
        Figure(
            bar_chart(
                {"REVISE": [t.revise for t in truth], "SEARCH": [t.search for t in truth]},
                [f"<= {t.max_edits}" for t in truth],
                title="Measured gain by edit budget",
                x_label="edits",
                y_label="gain, standard deviations",
                reference=("best possible", [t.possible for t in truth]),
            ),
            "SEARCH keeps the best of 100 random mutants by the same outcome network. The line is the best "
            "measured site within the budget.",
        ),
        Figure(
            before_after(
                measured[known], after[known], title="Measured splicing before and after", y_label=UNIT
            ),
            f"{int(known.sum())} of {len(shown)} revisions of at most three edits have a measured value.",
        ),
        Figure(
            predicted_measured(
                after[known], predicted[known], title="Revisions: predicted and measured", unit=UNIT
            ),
            "A prediction is only worth what the measurement says.",
        ),
    ]
    text = (
        "Almost every possible 5' splice site NNN-GU/GC-NNNN was measured (Wong, Kinney and Krainer 2018), "
        "so nearly every revision can be looked up. Outcomes are log10 of the percentage of transcripts that "
        "are spliced at the site."
    )
    tables = [Table(rows, list(rows[0]), "Measured gain and share measured.")]
    page.section("Measured truth: revisions", text, figures, tables)


def add_designs(
    page: Page,
    truth: DesignTruth,
    designs: Sequence[Design],
    oracle: TableOracle,
    allowed: FloatArray,
    constraints: Sequence[str],
) -> None:
    """The section on designs from noise."""
    found = oracle([d.sequence for d in designs])
    known = ~np.isnan(found)
    figures = [
        Figure(
            histogram(
                {"all sites that obey the rules": allowed, "designs": found[known]},
                title="Measured splicing of designs",
                x_label=UNIT,
            ),
            "Shares of each set.",
        ),
        Figure(
            predicted_measured(
                found[known], judged(designs)[known], title="Designs: predicted and measured", unit=UNIT
            ),
            "Predictions are those of the members of the ensemble that did not design.",
        ),
    ]
    text = (
        f"{truth.designs} distinct sites, begun from noise and designed by an ensemble of predictors under "
        f"{', '.join(constraints)}. {truth.measured} of them were measured, {truth.fresh} of those among the "
        "half that no model has seen. Above 2 (all transcripts spliced) differences are noise."
    )
    row = truth.row()
    page.section("Measured truth: designs from noise", text, figures, [Table([row], list(row), UNIT + ".")])
