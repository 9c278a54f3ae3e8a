"""Variants of which the better ones were left out: designs that lean on what rows have in common, or not.

    python benchmarks/design/cut_off.py [--seeds 2] [--rows 500]
    python benchmarks/design/cut_off.py --bright [--seeds 2] [--rows 2400]

Proteins of 28 letters with effects that add up, pairs of places that do not, and, of a good wild type, a
ceiling; of a poor one as many changes help as harm. Libraries of one to four or of five to fourteen changes,
all of them or those that work; measured with noise; rows between the quantiles 0 (or .1) and .4 of the
measurements are kept. `train-predictor --architecture ridge` and `maximize -n 32`. Printed are the true mean
of the designs without and with leaning, and of the most common letters alone, in units of the best row's
distance from the mean row, and whether designs leaned. Where they do (`seqdesign/design/common.py`) was
chosen on such cases.

--bright: 237 letters, as of a fluorescent protein. Changes add up, and beyond a threshold the light goes out.
Of 52,000 variants with up to 15 changes those are kept that are six changes or more from the brightest
hundredth and between the quantiles .2 and .4 (medium), or seven and below .3 (hard). `train-predictor`,
`maximize -n 128`, defaults; medians of the truth, from 0 (the least measurement) to 1 (the largest).
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray

import seqdesign as sd

LETTERS, LENGTH = "ACDEFGHIKLMNPQRSTVWY", 28
LONG, BAND = 237, {"medium": (0.2, 0.4, 6), "hard": (0.0, 0.3, 7)}
TRIED, KEPT = 4000, 0.4
Rows = NDArray[np.int64]
Truth = Callable[[Rows], NDArray[np.float64]]


def landscape(rng: np.random.Generator, parent: Rows, *, poor: bool) -> Truth:
    """Effects of letters, twice as many pairs as places, and a ceiling where the parent is good."""
    weight = rng.gamma(0.7, 1.0, LENGTH)
    effects = rng.normal(0.0 if poor else -1.0, 1.0 if poor else 0.8, (LENGTH, len(LETTERS)))
    effects *= (weight / weight.mean())[:, None]
    effects[np.arange(LENGTH), parent] = 0
    every = list(itertools.combinations(range(LENGTH), 2))
    pairs = [every[k] for k in rng.permutation(len(every))[: 2 * LENGTH]]
    tables = [rng.normal(0, 0.3, (len(LETTERS), len(LETTERS))) for _ in pairs]
    for (i, j), table in zip(pairs, tables, strict=True):
        table[parent[i]], table[:, parent[j]] = 0, 0

    def truth(rows: Rows) -> NDArray[np.float64]:
        found = effects[np.arange(LENGTH), rows].sum(1)
        for (i, j), table in zip(pairs, tables, strict=True):
            found = found + table[rows[:, i], rows[:, j]]
        shift = 0.0 if poor else 3.0
        return np.asarray(6 / (1 + np.exp(-(found + shift) / 3)), dtype=np.float64)

    return truth


def library(
    rng: np.random.Generator,
    parent: Rows,
    truth: Truth,
    changes: tuple[int, int],
    *,
    selected: bool,
    least: float,
    count: int,
) -> tuple[Rows, NDArray[np.float64]]:
    """Different variants of the parent and their measurements, those of a band."""
    parts, spread = list[Rows](), None
    while sum(map(len, parts)) < count / (KEPT - least):
        number = rng.integers(changes[0], changes[1] + 1, TRIED)
        there = rng.random((TRIED, LENGTH)).argsort(1) < number[:, None]
        drawn = rng.integers(1, len(LETTERS), (TRIED, LENGTH))
        rows = np.where(there, (parent + drawn) % len(LETTERS), parent)
        worth = truth(rows)
        spread = spread or (float(np.median(worth)), float(worth.std()))
        if selected:
            works = 1 / (1 + np.exp(-3 * (worth - spread[0] - 0.8 * spread[1]) / spread[1]))
            rows = rows[rng.random(TRIED) < works]
        parts.append(rows)
    rows = rng.permutation(np.unique(np.concatenate(parts), axis=0))
    worth = truth(rows)
    measured = worth + 0.5 * worth.std() * rng.normal(size=len(rows))
    low, high = np.quantile(measured, [least, KEPT])
    kept = np.flatnonzero((measured >= low) & (measured <= high))[:count]
    return rows[kept], measured[kept]


def tokens(texts: list[str]) -> Rows:
    return np.array([[LETTERS.index(letter) for letter in text] for text in texts])


def case(
    seed: int, changes: tuple[int, int], *, selected: bool, poor: bool, least: float, count: int
) -> tuple[list[float], bool]:
    """True means without and with leaning, and of the most common letters; whether designs leaned."""
    rng = np.random.default_rng(seed)
    parent = rng.integers(0, len(LETTERS), LENGTH)
    truth = landscape(rng, parent, poor=poor)
    rows, measured = library(rng, parent, truth, changes, selected=selected, least=least, count=count)
    worth = truth(rows)
    common = np.array([np.bincount(column, minlength=len(LETTERS)).argmax() for column in rows.T])
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "rows.csv"
        with source.open("w", newline="") as handle:
            texts = ["".join(LETTERS[i] for i in row) for row in rows.tolist()]
            csv.writer(handle).writerows([("sequence", "outcome"), *zip(texts, measured, strict=True)])
        model = sd.train_predictor(source, architecture="ridge", seed=seed)
        with mock.patch("seqdesign.design.starts.leaning", return_value=None):
            before = sd.maximize(model, num=32, seed=seed)
        after = sd.maximize(model, num=32, seed=seed)
    found = [tokens([one.sequence for one in some]) for some in (before, after)]
    means = [float(truth(some).mean() - worth.mean()) for some in (*found, common[None])]
    leaned = any("in common" in text for text in after.summary.warnings)
    return [mean / float(worth.max() - worth.mean()) for mean in means], leaned


def bright_landscape(rng: np.random.Generator, parent: Rows) -> Truth:
    """Most changes harm, few help; 400 pairs of places; light of 1.3 to 3.9 by a logistic threshold."""
    effects = -rng.gamma(0.8, 1.0, (LONG, len(LETTERS))) * rng.gamma(0.5, 1.6, LONG)[:, None]
    helps = rng.random(effects.shape) < 0.05
    effects[helps] *= -0.3
    effects[np.arange(LONG), parent] = 0
    pairs = [sorted(rng.choice(LONG, 2, replace=False).tolist()) for _ in range(400)]
    tables = rng.normal(0, 0.25, (len(pairs), len(LETTERS), len(LETTERS)))
    for (i, j), table in zip(pairs, tables, strict=True):
        table[parent[i]], table[:, parent[j]] = 0, 0

    def truth(rows: Rows) -> NDArray[np.float64]:
        found = effects[np.arange(LONG), rows].sum(1)
        for (i, j), table in zip(pairs, tables, strict=True):
            found = found + table[rows[:, i], rows[:, j]]
        return np.asarray(1.3 + 2.6 / (1 + np.exp(-1.8 * (found + 2.2))), dtype=np.float64)

    return truth


def bright(seed: int, task: str, count: int) -> str:
    """Figures of one run."""
    rng, number = np.random.default_rng(seed), 52_000
    parent = rng.integers(0, len(LETTERS), LONG)
    truth = bright_landscape(rng, parent)
    changes = rng.poisson(3.9, number).clip(1, 15)
    there = rng.random((number, LONG)).argsort(1) < changes[:, None]
    drawn = (parent + rng.integers(1, len(LETTERS), (number, LONG))) % len(LETTERS)
    rows = np.unique(np.where(there, drawn, parent), axis=0)
    measured = truth(rows) + rng.normal(0, 0.12, len(rows))
    least, most, gap = BAND[task]
    low, high, top = np.quantile(measured, [least, most, 0.99])
    best, inside = (
        rows[measured > top],
        rng.permutation(np.flatnonzero((measured >= low) & (measured <= high))),
    )
    kept = [i for i in inside if (best != rows[i]).sum(1).min() >= gap][:count]

    def scaled(some: Rows) -> NDArray[np.float64]:
        return np.asarray((truth(some) - measured.min()) / np.ptp(measured), dtype=np.float64)

    texts = ["".join(LETTERS[i] for i in row) for row in rows[kept].tolist()]
    model = sd.train_predictor(texts, measured[kept], seed=seed)
    figures = []
    for leaning in (False, True):
        without = mock.patch("seqdesign.design.starts.leaning", return_value=None)
        with contextlib.nullcontext() if leaning else without:
            found = tokens([one.sequence for one in sd.maximize(model, num=128, seed=seed)])
        far = (found != parent).sum(1).mean()
        figures.append(f"{np.median(scaled(found)):.2f} ({far:.0f} changes of the parent)")
    best_rows = np.sort(scaled(rows[kept]))[-128:]
    common = np.array([np.bincount(column, minlength=len(LETTERS)).argmax() for column in rows[kept].T])
    return (
        f"{task} seed {seed}, {len(kept)} rows: best rows {np.median(best_rows):.2f}, designs without "
        f"{figures[0]} with {figures[1]}, common letters {scaled(common[None])[0]:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--bright", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.bright:
        for task, seed in itertools.product(BAND, range(args.seeds)):
            print(bright(seed, task, args.rows or 2400), flush=True)
        return
    kinds = itertools.product(((1, 4), (5, 14)), (False, True), (False, True), (0.0, 0.1))
    for changes, selected, poor, least in kinds:
        for seed in range(args.seeds):
            begun = time.process_time()
            means, leaned = case(
                seed, changes, selected=selected, poor=poor, least=least, count=args.rows or 500
            )
            print(
                f"changes {changes[0]}-{changes[1]} {'selected' if selected else 'all':8s} "
                f"{'poor' if poor else 'good'} parent, {least:g} to {KEPT:g}, seed {seed}: "
                f"without {means[0]:.2f} with {means[1]:.2f} common letters {means[2]:.2f} leaned {leaned} "
                f"({time.process_time() - begun:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
