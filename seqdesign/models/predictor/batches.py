"""Outcomes of several assays or plates on one scale: an offset and a scale for each, learned from sequences.

A value of batch b is y = a_b + s_b (f(x) + e): what the sequence would give in the reference batch, with the
offset and the scale of its own. f is a ridge regression that predicts rows by others, plus what other batches
say of the same sequence (controls). Given f, the most likely u = 1 / s solves u^2 Syy - u Syf - n sigma^2 = 0
and is its one positive root: a scale is never negative, so the order within a batch stays. Offsets and log
scales are shrunk towards those of all batches as far as they can be told apart (DerSimonian & Laird 1986), so
that plates that agree stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.ensembles.features import linear_features
from seqdesign.ensembles.ridge import ridge_start
from seqdesign.errors import InputError, UsageError
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.scales import Batches
from seqdesign.sequences.encoders import TokenArray, one_hot
from seqdesign.tasks.by_name import get_task
from seqdesign.tasks.values import FloatArray
from seqdesign.training.splitting import Indices, equal, folds

OPTION = "--batch"
FEWEST = 5
"""Training rows with a value that a batch needs."""
ROUNDS = 8
PARTS = 5
"""Parts of the rows, each predicted by the others."""


def places_of(cells: Sequence[str], column: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the batches in order, and the place (N,) of each row's. Raises InputError and UsageError."""
    texts = [cell.strip() for cell in cells]
    if "" in texts:
        raise InputError(f"column '{column}' names no batch in row {texts.index('') + 1}; name one for each")
    names = tuple(sorted(set(texts)))
    if len(names) < 2:
        raise UsageError(f"'{column}' has one value only, {names[0]!r}; leave it out", option=OPTION)
    return names, np.array([names.index(text) for text in texts], dtype=np.int64)


def align(
    tokens: TokenArray,
    outcomes: Outcomes,
    cells: Sequence[str],
    train: Indices,
    column: str,
    *,
    reference: str | None,
    seed: int,
) -> tuple[Outcomes, Batches]:
    """All outcomes on the scale of the reference, the batch with most training rows unless named.

    Only rows of ``train`` teach the offsets and scales. Raises UsageError for labels or an unknown reference,
    and InputError for a batch with too few training rows.
    """
    if outcomes.kind.log_odds:
        raise UsageError(
            f"'{outcomes.names[0]}' is {outcomes.kind.about}, which has no offset and scale; leave it out",
            option=OPTION,
        )
    names, place = places_of(cells, column)
    rows = Counter(place[train].tolist())
    name = names[rows.most_common(1)[0][0]] if reference is None else reference
    if name not in names:
        raise UsageError(f"'{column}' has no {name!r}; there are {', '.join(names[:20])}", option=OPTION)
    _check(outcomes, place, train, names, column)
    taught, who = tokens.take(train), place[train]
    found = [
        _one(taught, outcomes.values[train, k], who, len(names), names.index(name), seed)
        for k in range(len(outcomes.names))
    ]
    offsets, scales = (np.stack(parts, axis=1).tolist() for parts in zip(*found, strict=True))
    batches = Batches(column, name, names, tuple(map(tuple, offsets)), tuple(map(tuple, scales)))
    return batches.apply(outcomes, place), batches


def _check(
    outcomes: Outcomes, place: NDArray[np.int64], train: Indices, names: Sequence[str], column: str
) -> None:
    known = ~np.isnan(outcomes.values[train])
    for b, name in enumerate(names):
        for k, outcome in enumerate(outcomes.names):
            values = outcomes.values[train][known[:, k] & (place[train] == b), k]
            if len(values) < FEWEST or values.min() == values.max():
                raise InputError(
                    f"{OPTION} {column}: {name!r} has {len(values)} values of '{outcome}' to learn from, "
                    f"{len(np.unique(values))} of them different; at least {FEWEST} are needed: join it with "
                    "another, or leave its rows out"
                )


def _one(
    tokens: TokenArray, values: FloatArray, who: NDArray[np.int64], count: int, reference: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Offset and scale (B,) of every batch."""
    known = np.flatnonzero(~np.isnan(values))
    tokens, y, who = tokens.take(known), values[known], who[known]
    same = equal(tokens)
    features = _features(tokens)
    part = folds(same, 1 / PARTS, PARTS, np.random.default_rng([seed, 53]))
    part = np.where(part < 0, 0, part)
    unit = np.array([y[who == b].std() for b in range(count)])
    middle = np.array([y[who == b].mean() for b in range(count)])
    u, shift = 1 / unit, -middle / unit  # common value = u y + shift
    for _ in range(ROUNDS):
        z = u[who] * y + shift[who]
        centre, spread = z.mean(), z.std()
        z = (z - centre) / spread
        fitted = _predicted(features, z, part)
        fitted = fitted + _controls(z - fitted, same, who)
        u, shift = _scales(y, fitted, who, count, float(np.square(z - fitted).mean()))
    # On the scale of the reference: common value = offset_r + scale_r z.
    scale = u[reference] / u
    offset = (shift[reference] - shift) / u
    return offset, scale


def _features(tokens: TokenArray) -> Tensor:
    longest = int(tokens.lengths.max())
    x = one_hot(torch.from_numpy(tokens.tokens[:, :longest].astype(np.int64)), tokens.alphabet)
    inside = torch.arange(longest) < torch.from_numpy(tokens.lengths)[:, None]
    placed = bool((tokens.lengths == longest).all())
    return linear_features(x, inside, longest, positional=placed)


def _predicted(features: Tensor, z: FloatArray, part: Indices) -> FloatArray:
    """(N,), each part by ridge regression on the others."""
    judges = torch.nn.functional.one_hot(torch.from_numpy(part), PARTS).float()
    y = torch.from_numpy(z).float()[:, None]
    weights, biases = ridge_start(features, y, 1 - judges, judges, task=get_task("regression"))
    every = torch.stack([features @ w + b for w, b in zip(weights, biases, strict=True)])
    return every[torch.from_numpy(part), torch.arange(len(z)), 0].double().numpy()


def _controls(rest: FloatArray, same: Indices, who: NDArray[np.int64]) -> FloatArray:
    """(N,): what rows of other batches with the same sequence add, as if it varied as much as the noise."""
    key = same * (int(who.max()) + 1) + who
    sums, own = np.bincount(same, rest), np.bincount(key, rest)
    sizes, mine = np.bincount(same), np.bincount(key)
    total, count = sums[same] - own[key], (sizes[same] - mine[key]).astype(np.float64)
    return total / (count + 1)


def _scales(
    y: FloatArray, fitted: FloatArray, who: NDArray[np.int64], count: int, noise: float
) -> tuple[FloatArray, FloatArray]:
    """(u, shift) of each batch, (B,): u y + shift is most like ``fitted``, shrunk to what all have."""
    n = np.bincount(who, minlength=count).astype(np.float64)
    u, middle = np.zeros(count), np.zeros(count)
    for b in range(count):
        own, f = y[who == b], fitted[who == b]
        yy = float(np.square(own - own.mean()).sum())
        yf = float(((own - own.mean()) * (f - f.mean())).sum())
        u[b] = (yf + np.sqrt(yf**2 + 4 * yy * n[b] * noise)) / (2 * yy)
    u = np.exp(_shrunk(np.log(u), 1 / (2 * n)))
    for b in range(count):
        middle[b] = (fitted[who == b] - u[b] * y[who == b]).mean()
    return u, _shrunk(middle, noise / n)


def _shrunk(values: FloatArray, errors: FloatArray) -> FloatArray:
    """Values (B,) with variances ``errors``, shrunk towards their mean by how little they truly differ."""
    weight = 1 / errors
    mean = float((weight * values).sum() / weight.sum())
    excess = float((weight * np.square(values - mean)).sum()) - (len(values) - 1)
    spare = float(weight.sum() - np.square(weight).sum() / weight.sum())
    true = max(0.0, excess / spare)
    return mean + (values - mean) * true / (true + errors)
