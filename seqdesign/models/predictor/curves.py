"""Curves of what is measured where members add up so much, by rows that they have not learned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from seqdesign.metrics.monotone import Curve, fit_monotone
from seqdesign.metrics.regression import r2
from seqdesign.models.predictor.calibration import own_scores
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.learn import Learned
from seqdesign.models.predictor.predictions import member_scores
from seqdesign.sequences.splits import lone_mutants
from seqdesign.tasks.values import FloatArray
from seqdesign.training.splitting import Indices


def with_curves(learned: Learned, known: Known, groups: Indices, seed: int) -> Learned:
    """The same with a curve for each outcome of numbers that clearly bends; as it is where none does.

    Each training row that judges a member is predicted by this one member, so held-out rows know nothing of
    curves. ``own`` then are predictions by curves that have not seen the row. groups (N,): rows that are left
    out together. Where rows have single changes nothing adds up, and what bends is how wrong predictions of
    changes are that no row has: none either.
    """
    model, record = learned.model, learned.record
    rows = np.flatnonzero(learned.fold.numpy() >= 0)
    if not record.head.curved or not len(rows) or lone_mutants(known.tokens.tokens, known.tokens.lengths):
        return learned
    judging = known.take(rows)
    if learned.own is None:
        centre, unit = (np.array(part) for part in (record.outcome_mean, record.outcome_scale))
        scores = (own_scores(model, judging, learned.fold.numpy()[rows]) - centre) / unit
    else:
        scores = learned.own.double().numpy()[rows]
    curves, bent = _curves(learned, judging, scores, groups[rows], seed)
    if not any(curves):
        return learned
    model.bend(curves)
    own = torch.full((len(learned.fold), bent.shape[1]), torch.nan)
    own[torch.from_numpy(rows)] = torch.from_numpy(bent).float()
    return replace(learned, record=replace(record, curves=curves), own=own)


def _curves(
    learned: Learned, judging: Known, scores: FloatArray, groups: Indices, seed: int
) -> tuple[tuple[Curve | None, ...], FloatArray]:
    """A curve for each outcome, and standardised scores (n, K) by curves that have not seen the row."""
    outcomes, bent = judging.outcomes, scores.copy()
    weights = outcomes.weights[:, None] * outcomes.precision()
    curves: list[Curve | None] = []
    for k, (centre, unit) in enumerate(
        zip(learned.record.outcome_mean, learned.record.outcome_scale, strict=True)
    ):
        x, y = scores[:, k], (outcomes.values[:, k] - centre) / unit
        there = (weights[:, k] > 0) & np.isfinite(x) & np.isfinite(y)
        found = fit_monotone(x[there], y[there], weights[there, k], groups[there], seed=seed)
        curves.append(None if found is None else found.curve)
        if found is not None:
            bent[there, k] = found.unseen
    return tuple(curves), bent


def straight_r2(learned: Learned, fresh: Known) -> list[float | None]:
    """For each outcome R2 of held-out rows without its curve; None where it has none."""
    model, curves = learned.model, learned.record.curves
    if not curves:
        return [None] * len(learned.record.outcomes)
    model.bend(())
    scores = member_scores(model, fresh.tokens.tokens, fresh.tokens.lengths).mean(axis=0)
    model.bend(curves)
    found: list[float | None] = []
    for k, curve in enumerate(curves):
        y = fresh.outcomes.values[:, k]
        known = np.isfinite(y)
        found.append(None if curve is None else r2(y[known], scores[known, k]))
    return found
