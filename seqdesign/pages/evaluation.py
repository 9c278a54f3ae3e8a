"""The HTML page of ``evaluate``: findings, measures, spectra, profiles, distances and logos."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqdesign.evaluation.compare import Judgement
from seqdesign.evaluation.findings import cells
from seqdesign.evaluation.measures import Evaluation, Row, longest_word
from seqdesign.evaluation.sets import Sample, Sets
from seqdesign.metrics.kmers import kmer_matrix, position_matrix
from seqdesign.metrics.spectra import frequencies, profile_divergence
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import difference_logo, sequence_logo
from seqdesign.reports.plots import bar_chart, histogram, line_chart, scatter
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

_LONGEST_LOGO = 300
_TILES = 4


@phase("writing the page")
def evaluation_page(judgement: Judgement, name: str, manifest: Manifest) -> Page:
    """The page that ``evaluate --report`` writes; ``name`` is that of the generated sequences."""
    sets, sample, evaluation = judgement.sets, judgement.sample, judgement.evaluation
    flagged, said = judgement.num_flagged, judgement.findings
    verdict = f"{flagged} of {len(said)} findings are flagged" if flagged else "nothing is flagged"
    asked = f"Are the sequences of {name} new, alike to real ones, and not all the same?"
    page = Page(
        "Generated sequences",
        answer=Answer(asked, f"{judgement.headline(name)}; {verdict}.", list(_tiles(judgement))),
        provenance=provenance(manifest),
    )
    page.warnings([f.text for f in said if f.flagged])
    findings = [{"": "flagged" if f.flagged else "", "finding": f.text} for f in said]
    page.section("Findings", "", tables=[Table(findings, ["", "finding"])])
    _add_measures(page, evaluation)
    _add_distances(page, evaluation)
    if sample is not None:
        named = {n: sample.pick(k) for n, k in (
            ("generated", "generated"), ("training", "training"), ("held out", "held_out")
        )}  # fmt: skip
        _add_spectra(page, {row.name: row for row in evaluation.rows}, sample, sets.alphabet.letters)
    else:
        named = {"generated": sets.generated}
    _add_compositions(page, named, sets)
    _add_positions(page, named, sets.alphabet.letters)
    return page


def _tiles(judgement: Judgement) -> Iterator[Tile]:
    """How many there are, how many were flagged, and the first measures beside their real values."""
    said, flagged = judgement.findings, judgement.num_flagged
    yield Tile(f"{len(judgement.sets.generated):,}", "sequences")
    yield Tile(f"{len(said) - flagged} of {len(said)}", "findings without a flag", doubt=flagged > 0)
    for row in judgement.evaluation.rows[:_TILES]:
        found = cells(row)
        note = f"real: {found['real']}" if found.get("real") else ""
        yield Tile(str(found["generated"]), str(found["measure"]), note, doubt=row.verdict == "flagged")


def _add_measures(page: Page, evaluation: Evaluation) -> None:
    text = (
        "Real is the same number with as many training sequences in the place of the generated ones: as good "
        "as real gets. Flagged is worse than real by over three standard errors and by more than a tenth."
    )
    columns = [Column("measure"), Column("generated"), Column("interval", "95% interval"), Column("real")]
    table = Table([cells(row) for row in evaluation.rows], [*columns, Column("verdict")])
    page.section("Measures", text, tables=[table])


def _add_distances(page: Page, evaluation: Evaluation) -> None:
    figures = []
    if evaluation.distances:
        top = max(float(v.max()) for v in evaluation.distances.values())
        figures.append(
            Figure(
                histogram(
                    evaluation.distances,
                    title="Distance to the nearest training sequence",
                    x_label="edits",
                    num_bins=max(1, min(40, int(top) + 1)),
                ),
                "Copies stand at the left, where few held-out sequences do; unnatural ones at the right.",
            )
        )
    if evaluation.logliks:
        figures.append(
            Figure(
                histogram(evaluation.logliks, title="Naturalness", x_label="log p(x) per letter, nats"),
                "By the language model of the VAE.",
            )
        )
    for name, parts in evaluation.predictions.items():
        figures.append(
            Figure(
                histogram(parts, title=f"Predicted {name}", x_label=f"predicted {name}"),
                "By the predictor. It need not be right about sequences that are unlike all it has seen.",
            )
        )
    if figures:
        page.section("Distances, likelihoods and predictions", "", figures)


def _add_spectra(page: Page, rows: dict[str, Row], sample: Sample, letters: str) -> None:
    words = [row for name, row in rows.items() if name.startswith("js_")]
    k = min(3, longest_word(sample, len(letters)))
    counts = {
        name: np.asarray(kmer_matrix(sample.pick(name), letters, k).sum(axis=0))
        for name in ("generated", "held_out")
    }
    shares = {name: 100 * frequencies(c) for name, c in counts.items()}
    figures = [
        Figure(
            bar_chart(
                {"generated": [r.value for r in words], "training": [r.real for r in words]},
                [str(i + 1) for i in range(len(words))],
                title="Word spectra against held-out sequences",
                x_label="letters of a word",
                y_label="Jensen-Shannon divergence, bits",
            ),
            "A good generator is as close to held-out sequences as the training set is.",
        ),
        Figure(
            scatter(
                shares["held_out"],
                shares["generated"],
                title=f"Frequencies of words of {k}",
                x_label="held out, %",
                y_label="generated, %",
                diagonal=True,
            ),
            "Each mark is a word; those above the line are made too often.",
        ),
    ]
    page.section("Spectra", "", figures)


def _add_compositions(page: Page, named: dict[str, list[str]], sets: Sets) -> None:
    figures = []
    lengths = {name: [len(t) for t in texts] for name, texts in named.items()}
    if len({n for values in lengths.values() for n in values}) > 1:
        figures.append(Figure(histogram(lengths, title="Lengths", x_label="letters"), "Lengths."))
    if sets.alphabet.name in ("dna", "rna"):
        gc = {
            name: [100 * (t.count("G") + t.count("C")) / max(1, len(t)) for t in texts]
            for name, texts in named.items()
        }
        figures.append(Figure(histogram(gc, title="GC contents", x_label="GC, %"), "GC contents."))
    if figures:
        page.section("Lengths and composition", "", figures)


def _add_positions(page: Page, named: dict[str, list[str]], letters: str) -> None:
    """Profile divergences and logos, for sequences of one length."""
    if len({len(t) for texts in named.values() for t in texts}) > 1:
        return
    sums = {n: np.asarray(position_matrix(t, letters).sum(axis=0)) for n, t in named.items()}
    length = len(sums["generated"]) // len(letters)
    figures = list(_profiles(sums, length, letters))
    if length <= _LONGEST_LOGO:
        matrices = {n: s.reshape(length, len(letters)) for n, s in sums.items()}
        figures += [
            Figure(sequence_logo(m, letters=letters, title=n.capitalize()), f"{len(named[n]):,} sequences.")
            for n, m in matrices.items()
            if n != "training"
        ]
        if "held out" in matrices:
            figures.append(
                Figure(
                    difference_logo(
                        matrices["held out"], matrices["generated"], letters=letters, title="Difference"
                    ),
                    "Up: letters that the generator puts there more often than held-out sequences have them.",
                )
            )
    page.section("Positions", "", figures)


def _profiles(sums: dict[str, np.ndarray], length: int, letters: str) -> Iterator[Figure]:
    if "held out" not in sums:
        return
    places = np.arange(1, length + 1)
    series = {
        name: (places, profile_divergence(sums[name], sums["held out"], len(letters)))
        for name in ("generated", "training")
    }
    yield Figure(
        line_chart(
            series,
            title="Letters at each position against held-out sequences",
            x_label="position",
            y_label="Jensen-Shannon divergence, bits",
        ),
        "Where the generator's letters differ more than those of the training set do.",
    )
