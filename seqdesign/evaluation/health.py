"""The health of a trained generator: the measures of ``evaluate``, those of the game, and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seqdesign.evaluation import measures as measures
from seqdesign.evaluation.findings import Finding, findings
from seqdesign.evaluation.measures import Evaluation, Row
from seqdesign.evaluation.sets import FEWEST, Sample, Sets, draw_sample

if TYPE_CHECKING:
    from seqdesign.models.gan.fit import GANTraining
    from seqdesign.sequences.encoders import TokenArray

MOST, NEAREST, RESAMPLES = 2000, 300, 100
UNLIKE, MOST_LEFT_OUT = 0.03, 0.1
"""Share of sequences unlike real ones from which on it is said, and the most that is worth rejecting."""


@dataclass(frozen=True, kw_only=True)
class GANHealth:
    """What a generator does on held-out sequences."""

    healthy: bool
    """No measure is worse than real sequences are."""
    measures: tuple[Row, ...]
    findings: tuple[Finding, ...]
    gap_training: float
    """Mean critic score of training minus generated sequences, at the weights that were kept."""
    gap_held_out: float
    """The same of held-out sequences; much smaller means that the critic knows its sequences by heart."""
    unlike: float
    """Share of generated sequences that the critic finds less real than 99% of held-out ones."""
    gradient_critic: float
    """Mean gradient norm of the critic between the last two looks."""
    gradient_generator: float


@dataclass(frozen=True)
class Checked:
    """A health report, and the raw numbers that its page draws."""

    health: GANHealth
    evaluation: Evaluation
    sets: Sets
    sample: Sample


def check(
    result: GANTraining, tokens: TokenArray, seed: int, workers: int, progress: Callable[[int, int], None]
) -> Checked:
    """Draw as many sequences as there are to learn from, up to 2,000, and judge them."""
    import torch

    from seqdesign.models.gan.fit import kept
    from seqdesign.models.gan.sampling import draw
    from seqdesign.sequences.encoders import decode

    texts = decode(tokens.tokens, tokens.alphabet)
    trained = result.trained
    num = max(FEWEST, min(MOST, len(result.train)))
    rng = torch.Generator().manual_seed(seed + 1)  # not the sequences by which the weights were chosen
    drawn = draw(trained.generator, num, rng, end=trained.end, shares=trained.record.shares)
    generated = decode(torch.cat([rows for rows, _ in drawn]).numpy(), tokens.alphabet)
    sets = Sets(
        tokens.alphabet, generated, [texts[i] for i in result.train], [texts[i] for i in result.held_out], ()
    )
    rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)]
    sample = draw_sample(sets, MOST, rngs[0])
    assert sample is not None, "there are training sequences"
    found = Evaluation()
    measures.add_copies(found, sets)
    measures.add_nearest(found, sets, NEAREST, rngs[1], workers, progress)
    measures.add_diversity(found, sample.pick("generated"), sample.pick("training"))
    measures.add_distances(found, sample, sets, rngs[2], RESAMPLES)
    if min(len(sample.generated), len(sample.held_out)) >= FEWEST:
        measures.add_classifier(found, sample, tokens.alphabet.letters, rngs[3])
    said = findings({row.name: row for row in found.rows}, "held-out")
    history = result.fit.state.history
    best = kept(history)
    health = GANHealth(
        healthy=not any(f.flagged for f in said),
        measures=tuple(found.rows),
        findings=said,
        gap_training=best["held_out_gap_training"],
        gap_held_out=best["held_out_gap"],
        unlike=best["held_out_unlike"],
        gradient_critic=history[-1]["train_critic_gradient"],
        gradient_generator=history[-1]["train_generator_gradient"],
    )
    return Checked(health, found, sets, sample)


def words(health: GANHealth) -> Sequence[str]:
    """The report for people: the table, the sentences, the verdict."""
    from seqdesign.evaluation.findings import cells
    from seqdesign.reports.tables import Column, text_table

    columns = [Column("measure"), Column("generated"), Column("real"), Column("verdict")]
    lines = text_table([cells(row) for row in health.measures], columns).splitlines()
    lines += [f"{'!' if f.flagged else ' '} {f.text}" for f in health.findings]
    lines.append(
        f"  Critic: real minus generated {health.gap_training:.3g} on training, {health.gap_held_out:.3g} on "
        f"held-out sequences; gradient norms {health.gradient_critic:.2g} (critic), "
        f"{health.gradient_generator:.2g} (generator)."
    )
    if health.unlike >= UNLIKE:
        share = min(health.unlike, MOST_LEFT_OUT)
        which = "those" if share == health.unlike else "the worst"
        lines.append(
            f"  {health.unlike:.0%} of the sequences it finds less real than 99% of held-out ones; "
            f"sample-gan --reject {share:.2f} leaves {which} out."
        )
    flagged = sum(f.flagged for f in health.findings)
    if health.healthy:
        lines.append("The generator is healthy: by these measures its sequences are like real ones.")
    else:
        lines.append(
            f"The generator is unhealthy in {flagged} respect{'s' if flagged > 1 else ''} (marked !): longer "
            "training (--steps), larger networks (--channels, --blocks) or more sequences may help."
        )
    return lines
