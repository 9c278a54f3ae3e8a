"""Outcomes over powers of ten: learned as they are, and as logarithms.

    python benchmarks/predictors/powers_of_ten.py [--doubles prot_gb1_doubles_60k.csv.gz] [--seeds 3]
        [--limits] [--architecture auto] [--effects 0.7] [--sums]

Simulated: 400 sequences of 20 letters, the logarithm of whose outcome adds up over places, measured with an
error of 20%; ratio of the designs' true outcome to the largest possible one. With --doubles: the fitness of
double mutants of GB1, 2 to the power of the enrichment, 2,000 rows to learn from, all others to judge by.
Each with ``--task regression``, ``log10`` and ``auto``. With --limits the largest fifth of what is learned
from is known as limits only (>20), learned with ``--task censored``, ``censored-log10`` and ``auto``, and
their bounds as values with ``log10``. --effects is the standard deviation of a letter's effect on the natural
logarithm: the smaller, the fewer powers of ten. With --sums effects add up as they are, and the error is a
fifth of the standard deviation: there is nothing that logarithms could say better.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

import seqdesign as sd

TASKS = ("regression", "log10", "auto")
LIMITED = ("censored", "censored-log10", "log10", "auto")
FloatArray = NDArray[np.float64]


def main() -> None:
    """Print a line for each case, seed and task."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--doubles", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--architecture", default="auto")
    parser.add_argument("--effects", type=float, default=0.7)
    parser.add_argument("--sums", action="store_true")
    options = parser.parse_args()
    for seed in range(options.seeds):
        for task in LIMITED if options.limits else TASKS:
            simulated(seed, task, options)
            if options.doubles is not None:
                doubles(options.doubles, seed, task, options)


def written(values: FloatArray, task: str, limits: bool) -> Any:
    """What is learned from: values (N,), or cells with the largest fifth as limits or at their bound."""
    if not limits:
        return values
    bound = float(np.quantile(values, 0.8))
    sign = "" if task == "log10" else ">"
    return [f"{v:.6g}" if v < bound else f"{sign}{bound:.6g}" for v in values]


def simulated(seed: int, task: str, options: argparse.Namespace) -> None:
    """Ranks of 2,000 other sequences, and designs."""
    rng = np.random.default_rng([seed, 17])
    effects = options.effects * rng.normal(size=(20, 4))

    def inner(codes: NDArray[np.int64]) -> FloatArray:
        return np.asarray(effects[np.arange(20), codes].sum(1))

    codes = rng.integers(4, size=(2400, 20))
    texts = ["".join("ACGT"[c] for c in row) for row in codes]
    noise, sums = rng.normal(size=len(codes)), inner(codes)
    values = np.exp(sums + 0.2 * noise)
    if options.sums:
        values = sums - sums.min() + sums.std() * (1 + 0.2 * noise)
    begin = time.process_time()
    cells = written(values[:400], task, options.limits)
    how: dict[str, Any] = {"task": task, "seed": seed, "architecture": options.architecture, "device": "cpu"}
    model = sd.train_predictor(texts[:400], cells, **how)
    designs = sd.maximize(model, num=16, length=20, seed=seed, device="cpu").sequences
    found = inner(np.array([["ACGT".index(c) for c in text] for text in designs]))
    reached = np.exp(found - effects.max(1).sum())
    said(model, f"simulated seed {seed} {task}", texts[400:], values[400:], begin)
    print(f"  designs / largest possible: {np.median(reached):.3g} (least {reached.min():.3g})", flush=True)


def doubles(file: Path, seed: int, task: str, options: argparse.Namespace) -> None:
    """Ranks of the other double mutants."""
    table = pd.read_csv(file).sample(frac=1, random_state=seed)
    texts, values = table["sequence"].tolist(), 2.0 ** table["outcome"].to_numpy(dtype=float)
    begin = time.process_time()
    cells = written(values[:2000], task, options.limits)
    how: dict[str, Any] = {"task": task, "seed": seed, "architecture": options.architecture, "device": "cpu"}
    model = sd.train_predictor(texts[:2000], cells, **how)
    said(model, f"GB1 seed {seed} {task}", texts[2000:12000], values[2000:12000], begin)


def said(model: Any, name: str, texts: list[str], values: FloatArray, begin: float) -> None:
    """How well other sequences are ranked, and what was chosen."""
    table = model.predict(texts)
    guess = table["median" if "median" in table else "mean"].to_numpy(dtype=float)
    record = model.trained.record
    logs = np.corrcoef(np.log(values), np.log(np.maximum(guess, values.min())))[0, 1] ** 2
    print(
        f"{name}: {record.task}, {record.options.architecture}; rho {spearmanr(guess, values)[0]:.3f}, r2 of "
        f"logarithms {logs:.3f}, r2 {np.corrcoef(guess, values)[0, 1] ** 2:.3f}, "
        f"{time.process_time() - begin:.0f} CPU s",
        flush=True,
    )


if __name__ == "__main__":
    main()
