"""Generated sequences beside real ones: all measures, and what they say."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from seqdesign.evaluation import measures
from seqdesign.evaluation.findings import Finding, findings
from seqdesign.evaluation.health import Health, verdict_on
from seqdesign.evaluation.likelihood import add_likelihood
from seqdesign.evaluation.measures import Evaluation
from seqdesign.evaluation.predictions import add_predictions
from seqdesign.evaluation.sets import Sample, Sets, draw_sample
from seqdesign.evaluation.structure import add_structure, detectable
from seqdesign.runs.progress import count, phase

NOT_OF_DESIGNS = ("mean_nearest", "too_close", "prefers_training", "pairwise", "clusters")
"""Measures by which designs differ from real sequences on purpose."""


@dataclass(frozen=True)
class Judgement:
    """The sets, what the statistics were computed on (None without real sequences), measures and words."""

    sets: Sets
    sample: Sample | None
    evaluation: Evaluation
    findings: tuple[Finding, ...]
    verdict: Health | None
    """Of the generator that made the sequences; None of designs, and without real sequences."""

    @property
    def detectable(self) -> float:
        """Smallest AUC of a classifier that would have been beyond chance; NaN without real sequences."""
        sample = self.sample
        return math.nan if sample is None else detectable(len(sample.generated), len(sample.held_out))

    @property
    def num_flagged(self) -> int:
        """Findings that speak against the sequences."""
        return sum(finding.flagged for finding in self.findings)

    def headline(self, name: str) -> str:
        """What was compared; ``name`` is that of the generated sequences."""
        sets = self.sets
        sizes = f"{len(sets.generated):,} generated, {len(sets.training):,} training, "
        return f"{name} ({sets.alphabet.name}): {sizes}{len(sets.held_out):,} held-out sequences"


@phase("judging")
def compare_sets(
    sets: Sets,
    *,
    vae: Path | None = None,
    predictor: Path | None = None,
    device: torch.device | None = None,
    max_sequences: int = 5000,
    max_nearest: int = 1000,
    resamples: int = 200,
    seed: int = 0,
    workers: int = 1,
    designs: bool = False,
    progress: Callable[[int, int], None] = count,
) -> Judgement:
    """Measure and judge.

    designs: the sequences are meant to differ from real ones, so that only what matters of designs is judged:
    copies, variety, and whether the models know such sequences.

    vae, predictor: folders of models whose likelihoods and predictions are compared too, on ``device``.
    max_sequences: of each set in the statistics, drawn at random; copies are counted in all. max_nearest:
    sequences whose nearest training sequence is looked for. resamples: for intervals. Raises ModelError, and
    InputError for sequences that a model cannot read.
    """
    seeds = np.random.SeedSequence(seed).spawn(5)
    rngs = [np.random.default_rng(s) for s in seeds]
    sample = draw_sample(sets, max_sequences, rngs[0])
    num = min(len(sets.generated), len(sample.held_out)) if sample else len(sets.generated)
    found = Evaluation(few=num < measures.FEW)
    measures.add_copies(found, sets)
    if sets.training:
        measures.add_nearest(found, sets, max_nearest, rngs[1], workers, progress)
    generated = sample.pick("generated") if sample else sets.generated[:max_sequences]
    measures.add_diversity(found, generated, sample.pick("training") if sample else [])
    if sample is not None and not designs:
        measures.add_distances(found, sample, sets, rngs[2], resamples)
        measures.add_classifier(found, sample, sets.alphabet.letters, rngs[3])
        add_structure(found, sample, sets, seed)
    device = device or torch.device("cpu")
    if vae is not None and not designs:
        add_likelihood(found, vae, device, sets, sample, rngs[2], resamples)
    if predictor is not None:
        add_predictions(found, predictor, device, sets, sample, rngs[4], resamples)
    real = "held-out" if sets.held_out else "training"
    if designs:
        found.unjudged(NOT_OF_DESIGNS)
    said = findings({row.name: row for row in found.rows}, real, found.predictions, designs=designs)
    verdict = None if sample is None or designs else verdict_on(said, sample)
    if sets.designed_by and not designs:
        text = f"{sets.designed_by} wrote them, and designs are meant to differ from real ones"
        said = (Finding(True, f"{text}: judge them with --designs."), *said)
    return Judgement(sets, sample, found, said, verdict)
