"""Guides: positions, neighbours and an optimum of GC, by kinds of predictor and a ridge told of these.

    python benchmarks/predictors/guides.py --laws 3 6 8 --rows 1000 3000 --kinds ridge kernel

Random DNA of 30 letters. What is measured is a logistic function of effects of letters at their places, of
neighbours at a quarter of the places, of an optimum of the GC content of an inner stretch, and of a harmful
word, plus noise of standard deviation .15. Printed is Spearman's rho with the truth of 2,000 others. ``told``
is ridge regression on letters and neighbours at their places, the GC content and its square.

Laws 2 to 9 were used for development, by which the prior of the Gaussian process was chosen; others were not.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from numpy.typing import NDArray
from predictors import predict

from seqdesign.metrics.regression import spearman
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode

LENGTH, OTHERS, NOISE = 30, 2_000, 0.15
PENALTIES = np.logspace(0, 4, 9)

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


class Law:
    """What guides measure without noise."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed + 1000)
        self.places = rng.normal(0, 0.25, (LENGTH, 4))
        some = rng.random((LENGTH - 1, 1)) < 0.25
        self.neighbours = rng.normal(0, 0.15, (LENGTH - 1, 16)) * some
        self.inner = slice(int(rng.integers(0, 10)), LENGTH - int(rng.integers(0, 10)))
        self.best, self.cost = rng.uniform(0.35, 0.65), 28 * rng.uniform(0.8, 1.6)
        self.word = rng.integers(0, 4, 4)

    def __call__(self, rows: Rows) -> Floats:
        """(N,) of rows (N, L)."""
        value = self.places[np.arange(LENGTH), rows].sum(1)
        value += self.neighbours[np.arange(LENGTH - 1), 4 * rows[:, :-1] + rows[:, 1:]].sum(1)
        inner = rows[:, self.inner]
        value -= self.cost * (_gc(inner)[:, 0] - self.best) ** 2
        windows = np.lib.stride_tricks.sliding_window_view(inner, 4, axis=1)
        value -= 1.5 * (windows == self.word).all(2).any(1)
        return np.asarray(1 / (1 + np.exp(-0.9 * value)))


def _gc(rows: Rows) -> Floats:
    return np.asarray(((rows == 1) | (rows == 2)).mean(1, keepdims=True))


def told(rows: Rows, y: Floats, others: Rows) -> Floats:
    """Ridge regression on what the law is made of, its penalty by generalised cross-validation."""

    def features(some: Rows) -> Floats:
        gc = _gc(some) - 0.5
        parts = [np.eye(4)[some], np.eye(16)[4 * some[:, :-1] + some[:, 1:]]]
        return np.hstack([*(part.reshape(len(some), -1) for part in parts), 5 * gc, 5 * gc**2])

    x, mean = features(rows), y.mean()
    centre = x.mean(0)
    values, vectors = np.linalg.eigh((x - centre).T @ (x - centre))
    cross = vectors.T @ ((x - centre).T @ (y - mean))

    def left(penalty: float) -> float:
        beta = vectors @ (cross / (values + penalty))
        free = len(y) - (values.clip(0) / (values + penalty)).sum()
        return float(((y - mean - (x - centre) @ beta) ** 2).sum() / free**2)

    penalty = min(PENALTIES, key=left)
    return np.asarray((features(others) - centre) @ vectors @ (cross / (values + penalty)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--laws", nargs="+", type=int, default=[3, 6, 8])
    parser.add_argument("--rows", nargs="+", type=int, default=[1000, 3000])
    parser.add_argument("--kinds", nargs="+", default=["ridge", "kernel"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    alphabet = get_alphabet("dna")
    for law in args.laws:
        for count in args.rows:
            rng, truth = np.random.default_rng(law), Law(law)
            rows = rng.integers(0, 4, (count + OTHERS, LENGTH))
            clean = truth(rows)
            y = np.clip(clean + rng.normal(0, NOISE, len(clean)), 0, 1)
            tokens = encode(["".join(np.array(list("ACGT"))[row]) for row in rows], alphabet)
            train, test = np.arange(count), np.arange(count, count + OTHERS)
            for kind in ("told", *args.kinds):
                begun, taken = time.process_time(), ""
                if kind == "told":
                    said = told(rows[train], y[train], rows[test])
                else:
                    said, taken = predict(tokens, y, (train, test), kind, law)
                rho, seconds = spearman(clean[test], said), time.process_time() - begun
                chosen = f" ({taken})" if kind == "auto" else ""
                print(f"law {law}, {count} rows, {kind}{chosen}: {rho:.3f}, {seconds:.0f} CPU s", flush=True)


if __name__ == "__main__":
    main()
