"""The health of any generator: its sequences beside held-out real ones, and a verdict.

Measures are those of ``evaluate`` (copies, variety, lengths, words, a classifier on words) and those of
``seqdesign.evaluation.structure``, which no generator here is trained on. The held-out sequences had no
part in training, nor in the choice of weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqdesign.evaluation import measures
from seqdesign.evaluation.findings import Finding, cells, findings
from seqdesign.evaluation.measures import Evaluation, Row
from seqdesign.evaluation.sets import FEWEST, Sample, Sets, draw_sample
from seqdesign.evaluation.simple import simple_samples
from seqdesign.evaluation.structure import Headline, add_structure, detectable, headline, headline_of
from seqdesign.reports.tables import Column, text_table

Health = Literal["healthy", "unhealthy", "too few to tell"]

MOST, NEAREST, RESAMPLES = 2000, 300, 100
FEWEST_TO_TELL = 100
"""Held-out sequences below which nobody is called healthy."""
MUST_SEE = 0.6
"""AUC that a classifier must be able to tell from chance before anybody is called healthy."""


@dataclass(frozen=True, kw_only=True)
class GeneratorHealth:
    """What a generator does on held-out sequences."""

    verdict: Health
    """unhealthy: some measure is worse than real sequences are; too few to tell: none is, but with so few
    held-out sequences none could be."""
    num_held_out: int
    detectable: float
    """Smallest AUC of a classifier that would have been beyond chance."""
    measures: tuple[Row, ...]
    findings: tuple[Finding, ...]
    headlines: tuple[Headline, ...]
    """The main figures of the generator, of simple generators, and of training sequences."""


@dataclass(frozen=True)
class Checked:
    """A health report, and the raw numbers that its page draws."""

    health: GeneratorHealth
    evaluation: Evaluation
    sets: Sets
    sample: Sample


def check(
    sets: Sets,
    *,
    name: str,
    seed: int,
    workers: int,
    progress: Callable[[int, int], None],
    simple: bool = True,
) -> Checked:
    """Judge ``sets.generated`` by ``sets.held_out``, with ``sets.training`` for comparison; ``name`` it.

    ``simple``: the main figures of simple generators are worked out, too, which takes about as long again.
    """
    rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)]
    sample = draw_sample(sets, MOST, rngs[0])
    assert sample is not None, "there are training sequences"
    found = Evaluation()
    measures.add_copies(found, sets)
    near, first = Evaluation(), len(found.rows)
    with _beside(
        lambda: measures.add_nearest(near, sets, NEAREST, rngs[1], workers, progress), alone=workers == 1
    ):
        measures.add_diversity(found, sample.pick("generated"), sample.pick("training"))
        measures.add_distances(found, sample, sets, rngs[2], RESAMPLES)
        if min(len(sample.generated), len(sample.held_out)) >= FEWEST:
            measures.add_classifier(found, sample, sets.alphabet.letters, rngs[3])
        add_structure(found, sample, sets, seed)
        others = simple_samples(sets.training, sets.alphabet, len(sample.generated), rngs[4])
        beside = [
            headline(other, texts, sample, sets, rngs[5], seed) for other, texts in (others if simple else ())
        ]
    found.rows[first:first] = near.rows
    found.distances |= near.distances
    said = findings({row.name: row for row in found.rows}, "held-out")
    headlines = [
        headline_of(name, found, sample.pick("generated")),
        *beside,
        headline_of("training sequences", found, sample.pick("training"), real=True),
    ]
    health = GeneratorHealth(
        verdict=verdict_on(said, sample),
        num_held_out=len(sample.held_out),
        detectable=detectable(len(sample.generated), len(sample.held_out)),
        measures=tuple(found.rows),
        findings=said,
        headlines=tuple(headlines),
    )
    return Checked(health, found, sets, sample)


@contextmanager
def _beside(work: Callable[[], None], *, alone: bool) -> Iterator[None]:
    """Do ``work`` in a thread while what stands inside is done, or before it where one core does it all.

    Distances are compared outside of Python, so both go on at once.
    """
    if alone:
        work()
        yield
        return
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        yield
        running.result()


def verdict_on(said: Sequence[Finding], sample: Sample) -> Health:
    """Whether nothing speaks against the generated sequences, and something could have."""
    if any(finding.flagged for finding in said):
        return "unhealthy"
    few = len(sample.held_out) < FEWEST_TO_TELL
    blind = detectable(len(sample.generated), len(sample.held_out)) > MUST_SEE
    return "too few to tell" if few or blind else "healthy"


def words(health: GeneratorHealth) -> Iterator[str]:
    """The report for people: the table and the sentences."""
    columns = [Column("measure"), Column("generated"), Column("real"), Column("verdict")]
    yield from text_table([cells(row) for row in health.measures], columns).splitlines()
    for finding in health.findings:
        yield f"{'!' if finding.flagged else ' '} {finding.text}"


def beside(health: GeneratorHealth) -> Iterator[str]:
    """The generator beside simple ones, as a table for the terminal."""
    yield "beside simple generators:"
    yield from text_table(headline_rows(health), HEADLINE_COLUMNS).splitlines()


HEADLINE_COLUMNS = [
    Column("generator"), Column("cnn", "AUC, network"), Column("words", "AUC, words"),
    Column("far_pairs", "far pairs"), Column("word_pairs", "word pairs"), Column("chimeras"),
    Column("repeats"),
]  # fmt: skip


def headline_rows(health: GeneratorHealth) -> list[dict[str, str]]:
    """One row for each generator, numbers as text."""

    def shown(value: float, spec: str) -> str:
        return "" if value != value else format(value, spec)

    return [
        {
            "generator": row.name, "cnn": shown(row.cnn, ".2f"), "words": shown(row.words, ".2f"),
            "far_pairs": shown(row.far_pairs, ".3g"), "word_pairs": shown(row.word_pairs, ".3g"),
            "chimeras": shown(row.chimeras, ".1%"), "repeats": shown(row.repeats, ".1%"),
        }
        for row in health.headlines
    ]  # fmt: skip


def verdict_line(health: GeneratorHealth) -> str:
    """The last sentence."""
    if health.verdict == "healthy":
        return "The generator is healthy: by these measures its sequences are like real ones."
    if health.verdict == "too few to tell":
        return (
            f"Too few to tell whether the generator is healthy: with {health.num_held_out:,} held-out "
            f"sequences no classifier below AUC {min(health.detectable, 1):.2f} would be noticed; hold out "
            "more of them (--held-out), or give it more sequences."
        )
    flagged = sum(f.flagged for f in health.findings)
    return (
        f"The generator is unhealthy in {flagged} respect{'s' if flagged > 1 else ''} (marked !): longer "
        "training (--steps), larger networks (--channels, --blocks) or more sequences may help."
    )
