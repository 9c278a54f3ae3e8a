"""The HTML page of ``evaluate``: findings, measures, spectra, profiles, distances and logos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from seqdesign.config import jsonable
from seqdesign.evaluation.compare import Judgement
from seqdesign.evaluation.findings import Finding, cells
from seqdesign.evaluation.measures import Evaluation, Row, longest_word
from seqdesign.evaluation.sets import Sample, Sets
from seqdesign.metrics.kmers import kmer_matrix, position_matrix
from seqdesign.metrics.spectra import frequencies, profile_divergence
from seqdesign.pages.methods import add_methods
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import difference_logo, sequence_logo
from seqdesign.reports.plots import bar_chart, histogram, line_chart, scatter
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import Manifest, provenance, training_warnings
from seqdesign.runs.progress import phase

_LONGEST_LOGO = 300
_FEW_LETTERS = 60
"""Letters of a sequence up to which G and C are counted, not given as a share."""
QUESTIONS = {
    "new": "New?",
    "varied": "Different from each other?",
    "alike": "Like real sequences?",
    "believable": "Can predictions be believed?",
}
"""What a page answers, by what findings are about."""
BAD = {
    "new": "are not all new",
    "varied": "are too much alike",
    "alike": "are not like real sequences",
    "believable": "are unlike what the models know, so their predictions mean little",
}
UNKNOWN = {
    "new": "whether the training set was memorized",
    "varied": "whether they are as varied as real ones",
    "alike": "whether they are like real sequences",
    "believable": "whether predictions can be believed",
}
TELLING = {
    "new": ("copies", "too_close", "mean_nearest"),
    "varied": ("pairwise", "repeats", "clusters"),
    "alike": ("auc", "cnn", "profile_js", "js_3", "js_1"),
    "believable": ("unusual", "unjudged_predictor", "unjudged_vae"),
}
"""Measures that say most about a question, the best first."""


@phase("writing the page")
def evaluation_page(judgement: Judgement, name: str, manifest: Manifest) -> Page:
    """The page that ``evaluate --report`` writes; ``name`` is that of the generated sequences."""
    sets, sample, evaluation = judgement.sets, judgement.sample, judgement.evaluation
    said = judgement.findings
    asked = (
        f"{judgement.headline(name)}. Are the new ones new, different from each other, and like real ones?"
    )
    verdict = _verdict(judgement)
    page = Page(
        "Generated sequences",
        answer=Answer(asked, verdict, list(_tiles(judgement))),
        provenance=provenance(manifest),
    )
    add_findings(page, said)
    for model in ("vae", "predictor"):
        folder = manifest.config.get(model)
        page.warnings(training_warnings(Path(folder) if folder else None))
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
    add_methods(page, manifest, _said(judgement))
    return page


def add_findings(page: Page, findings: Sequence[Finding]) -> None:
    """What speaks against the sequences on top of the page, all else in a section. Each is said once."""
    page.warnings([f.text for f in findings if f.flagged])
    good = [
        {"question": QUESTIONS.get(f.about, "In general"), "finding": f.text}
        for f in findings
        if not f.flagged
    ]
    if good:
        title = "What else was found" if len(good) < len(findings) else "What was found"
        page.section(title, "", tables=[Table(good, [Column("question", ""), "finding"])])


def _said(judgement: Judgement) -> dict[str, object]:
    """What the command says, as far as the paragraph on methods needs it."""
    sets, sample = judgement.sets, judgement.sample
    return {
        "alphabet": sets.alphabet.name,
        "num_generated": len(sets.generated),
        "num_training": len(sets.training),
        "num_held_out": len(sets.held_out),
        "num_compared": len(sample.generated) if sample else 0,
        "measures": [jsonable(row) for row in judgement.evaluation.rows],
    }


def _answers(judgement: Judgement) -> dict[str, str]:
    """Question -> yes, no, or too few; those that nothing was found about are left out."""
    found: dict[str, str] = {}
    for about in QUESTIONS:
        mine = [f for f in judgement.findings if f.about == about]
        if mine:
            few = any(f.text.startswith("Too few") or "too few" in f.text for f in mine)
            found[about] = "no" if any(f.flagged for f in mine) else "too few to tell" if few else "yes"
    if judgement.evaluation.few and found.get("alike") == "yes":
        found["alike"] = "too few to tell"
    return found


def _verdict(judgement: Judgement) -> str:
    """One sentence: which of the questions have a bad answer, and which none."""
    answers = _answers(judgement)
    bad = [BAD[about] for about, answer in answers.items() if answer == "no"]
    few = [UNKNOWN[about] for about, answer in answers.items() if answer.startswith("too few")]
    parts = [f"They {' and '.join(bad)}." if bad else "Nothing speaks against them."]
    if few:
        parts.append(f"They are too few to tell {' and '.join(few)}.")
    return " ".join(parts)


def _tiles(judgement: Judgement) -> Iterator[Tile]:
    """How many there are, and an answer to each question with its most telling number."""
    yield Tile(f"{len(judgement.sets.generated):,}", "sequences")
    rows = {row.name: row for row in judgement.evaluation.rows}
    for about, answer in _answers(judgement).items():
        shown = [rows[name] for name in TELLING[about] if name in rows]
        # A measure that was flagged says why better than the first.
        shown.sort(key=lambda row: row.verdict != "flagged")
        found = cells(shown[0]) if shown else {}
        note = f"{found['measure']}: {found['generated']}" if found else ""
        if found.get("real"):
            note += f" (real ones {found['real']})"
        yield Tile(answer, QUESTIONS[about], note, doubt=answer == "no")


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
    frequent = scatter(
        shares["held_out"],
        shares["generated"],
        title=f"Frequencies of words of {k}",
        x_label="held out, %",
        y_label="generated, %",
        diagonal=True,
    )
    if not words:  # of designs, which are meant to differ
        figure = Figure(frequent, "Each mark is a word; those above the line are in designs more often.")
        page.section("Spectra", "", [figure])
        return
    bars = bar_chart(
        {"generated": [r.value for r in words], "training": [r.real for r in words]},
        [str(i + 1) for i in range(len(words))],
        title="Word spectra against held-out sequences",
        x_label="letters of a word",
        y_label="Jensen-Shannon divergence, bits",
    )
    figures = [
        Figure(bars, "A good generator is as close to held-out sequences as the training set is."),
        Figure(frequent, "Each mark is a word; those above the line are made too often."),
    ]
    page.section("Spectra", "", figures)


def _add_compositions(page: Page, named: dict[str, list[str]], sets: Sets) -> None:
    figures = []
    lengths = {name: [len(t) for t in texts] for name, texts in named.items()}
    if len({n for values in lengths.values() for n in values}) > 1:
        figures.append(
            Figure(histogram(lengths, title="Lengths", x_label="letters"), "Letters of each sequence.")
        )
    if sets.alphabet.name in ("dna", "rna"):
        counts = {name: [t.count("G") + t.count("C") for t in texts] for name, texts in named.items()}
        sizes = {n for values in lengths.values() for n in values}
        if len(sizes) == 1 and max(sizes) <= _FEW_LETTERS:  # shares of so few letters leave gaps
            figure = histogram(counts, title="GC contents", x_label=f"G and C of {max(sizes)} letters")
        else:
            gc = {
                name: [100 * n / max(1, size) for n, size in zip(values, lengths[name], strict=True)]
                for name, values in counts.items()
            }
            figure = histogram(gc, title="GC contents", x_label="GC, %")
        figures.append(Figure(figure, "Share of G and C in each sequence."))
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
