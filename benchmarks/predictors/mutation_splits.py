"""Effects of single mutations: how well are places and letters predicted that were not tried?

    python benchmarks/predictors/mutation_splits.py ../shared/data/prot_abeta42.csv.gz --kinds ridge kernel

Single mutants in five parts, each predicted from the other four: at random, by position modulo five, and by
stretches of neighbouring positions, as ProteinGym splits them (Notin et al. 2023). Printed is Spearman's rho
over all predictions together and, behind it, the mean over the five parts, and how many 95% intervals hold.
Kinds are those of `train-predictor` and three that need no model: ``constant``, the mean of the training
rows; ``letter``, the mean of those with the same new letter; ``place``, the mean of those at the nearest
places. With --alike predictors hold out a fifth chosen like the tested part (`--split`), not at random.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

import seqdesign as sd

FOLDS = 5
SPLITS = ("random", "modulo", "contiguous")
SIMPLE = ("constant", "letter", "place")


def main() -> None:
    """Print a line for each kind, split and seed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="table with sequence and outcome, all of one length")
    parser.add_argument("--kinds", nargs="*", default=["ridge", "kernel"])
    parser.add_argument("--splits", nargs="*", choices=SPLITS, default=list(SPLITS))
    parser.add_argument("--seeds", type=int, default=3, help="of random parts; the others have one")
    parser.add_argument("--alike", action="store_true", help="hold out as the split does")
    options = parser.parse_args()
    texts, places, y = single_mutants(pd.read_csv(options.data))
    print(f"{len(texts)} single mutants of {len(set(places.tolist()))} positions")
    for kind in options.kinds:
        for split in options.splits:
            for seed in range(options.seeds if split == "random" else 1):
                begin = time.process_time()
                part = parts(split, places, seed)
                predicted = np.zeros(len(y))
                held = np.full(len(y), np.nan)
                for fold in range(FOLDS):
                    test = np.flatnonzero(part == fold)
                    train = np.flatnonzero(part != fold)
                    if kind in SIMPLE:
                        predicted[test] = simple(kind, texts, places, y, train, test)
                        continue
                    model = sd.train_predictor(
                        [texts[i] for i in train], y[train], architecture=kind, seed=seed, device="cpu",
                        held_out=0.2 if options.alike else 0.02, split=split if options.alike else "random",
                    )  # fmt: skip
                    table = model.predict([texts[i] for i in test])
                    predicted[test] = table["mean"].to_numpy()
                    held[test] = (table["low_95"] <= y[test]) & (y[test] <= table["high_95"])
                rho = float(spearmanr(predicted, y)[0])
                each = [float(spearmanr(predicted[part == f], y[part == f])[0]) for f in range(FOLDS)]
                seconds = time.process_time() - begin
                inside = "" if kind in SIMPLE else f", {held.mean():.2f} inside"
                print(f"{kind} {split} seed {seed}: {rho:.3f} ({np.mean(each):.3f}){inside}", end="")
                print(f", {seconds:.0f} CPU s", flush=True)


def simple(
    kind: str, texts: list[str], places: NDArray[np.int64], y: NDArray[np.float64], train: NDArray[np.int64],
    test: NDArray[np.int64],
) -> NDArray[np.float64]:  # fmt: skip
    """Means (n,) of training rows: all, those with the new letter of each tested row, or the nearest ones."""
    if kind == "constant":
        return np.full(len(test), y[train].mean())
    letters = np.array([text[place] for text, place in zip(texts, places, strict=True)])
    found = []
    for i in test:
        apart = np.abs(places[train] - places[i]) if kind == "place" else letters[train] != letters[i]
        found.append(y[train][apart == apart.min()].mean())
    return np.array(found)


def single_mutants(table: pd.DataFrame) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
    """Texts, the place of their mutation and outcomes; the parent is what is most common at each place."""
    parent = "".join(Counter(column).most_common(1)[0][0] for column in zip(*table["sequence"], strict=True))
    found = [[i for i, (a, b) in enumerate(zip(t, parent, strict=True)) if a != b] for t in table["sequence"]]
    mine = [i for i, edits in enumerate(found) if len(edits) == 1]
    texts, outcomes = table["sequence"].to_numpy()[mine], table["outcome"].to_numpy(dtype=np.float64)[mine]
    return texts.tolist(), np.array([found[i][0] for i in mine]), outcomes


def parts(split: str, places: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The part (N,), 0 to 4, of each mutant by its place (N,)."""
    if split == "random":
        return np.random.default_rng(seed).permutation(np.arange(len(places)) % FOLDS)
    if split == "modulo":
        return places % FOLDS
    varying = np.unique(places)
    return np.searchsorted(varying, places) * FOLDS // len(varying)


if __name__ == "__main__":
    main()
