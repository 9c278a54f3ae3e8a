"""Kinds of predictor side by side: how each predicts rows that it has not learned from, and which is chosen.

    python benchmarks/predictors/predictors.py scan --seeds 0 1 2 [--data TABLE.csv.gz] [--kinds ridge kernel]
    python benchmarks/predictors/predictors.py counts --seeds 0 1 2
    python benchmarks/predictors/predictors.py random --data TABLE.csv.gz --rows 150 --seeds 0 1 2

``scan`` takes the single mutants of a table (the bundled ``prot_abeta42`` unless ``--data`` names another)
and predicts each fifth of them by the others: random fifths, positions modulo 5, and five contiguous blocks,
as ProteinGym does (Notin et al. 2023). Spearman's correlation is that of all predictions together. ``counts``
draws 3,000 DNA sequences of 60 letters with 0 to 4 planted GATA; the outcome is their number plus noise of
standard deviation 0.3. ``random`` learns from that many rows of a table and predicts all others. With
``--kinds auto`` the kind is chosen from the training rows alone, as ``train-predictor`` does.

Settings were developed on the single mutants of GB1 (Nisthal), TDP-43 and AAV2, and partly on those of
amyloid beta, whose scores are therefore development scores; the rest is reported only.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.ensembles.options import PredictorOptions
from seqdesign.metrics.regression import r2, spearman
from seqdesign.models.predictor.choice import choose
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.learn import learn
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import member_scores
from seqdesign.reports.tables import Column, text_table
from seqdesign.sequences.alphabets import guess_alphabet
from seqdesign.sequences.encoders import TokenArray, encode
from seqdesign.sequences.reader import read_sequences
from seqdesign.training.config import FitOptions
from seqdesign.training.loop import make_fabric

FOLDS = 5
COLUMNS = (
    Column("data"),
    Column("split"),
    Column("asked", "kind"),
    Column("taken", "chosen"),
    Column("spearman", "Spearman", ".3f"),
    Column("spread", "sd over seeds", ".3f"),
    Column("r2", "R2", ".3f"),
    Column("seconds", "CPU s", ".0f"),
)

FloatArray = NDArray[np.float64]
Indices = NDArray[np.int64]
Fold = tuple[Indices, Indices]


def read(path: Path, outcome: str) -> tuple[list[str], FloatArray]:
    """Sequences with an outcome."""
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row[outcome] not in ("", "NA", "nan")]
    return [row["sequence"] for row in rows], np.array([float(row[outcome]) for row in rows])


def singles(sequences: Sequence[str], y: FloatArray) -> tuple[list[str], FloatArray, Indices]:
    """Single mutants of the consensus, their outcomes and the position of each mutation."""
    consensus = [Counter(column).most_common(1)[0][0] for column in zip(*sequences, strict=True)]
    changed = [[i for i, (a, b) in enumerate(zip(s, consensus, strict=True)) if a != b] for s in sequences]
    kept = [i for i, places in enumerate(changed) if len(places) == 1]
    return [sequences[i] for i in kept], y[kept], np.array([changed[i][0] for i in kept])


def folds_of(places: Indices, split: str, seed: int) -> list[Fold]:
    """(train, test) of each fifth."""
    if split == "random":
        fold = np.random.default_rng(seed).permutation(len(places)) % FOLDS
    elif split == "modulo":
        fold = places % FOLDS
    else:
        distinct, place = np.unique(places, return_inverse=True)
        fold = place * FOLDS // len(distinct)
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]


def predict(tokens: TokenArray, y: FloatArray, fold: Fold, kind: str, seed: int) -> tuple[FloatArray, str]:
    """Predictions for the tested rows, and the kind that made them."""
    train, test = fold
    fit_options = FitOptions()
    fabric = make_fabric(fit_options, torch.device("cpu"))
    outcomes = Outcomes(("y",), "regression", y[train][:, None], np.ones(len(train)))
    known = Known(tokens.take(train), outcomes)
    groups = np.arange(len(train))
    options = PredictorOptions(strands="one", architecture=kind)  # type: ignore[arg-type]
    if kind == "auto":
        trials = choose(known, groups, options, fit_options, seed=seed, fabric=fabric)
        kind = next(trial.kind for trial in trials if trial.chosen)
        options = replace(options, architecture=kind)  # type: ignore[arg-type]
    model = learn(known, groups, options, fit_options, seed=seed, fabric=fabric).model
    some = tokens.take(test)
    return member_scores(model, some.tokens, some.lengths).mean(axis=0)[:, 0], kind


def row(
    data: str,
    split: str,
    sequences: Sequence[str],
    y: FloatArray,
    kind: str,
    tests: list[tuple[int, list[Fold]]],
) -> dict[str, object]:
    """Means over seeds of the figures of all folds of a seed together."""
    tokens = encode(sequences, guess_alphabet(sequences))
    begun, rho, explained, taken = time.process_time(), [], [], Counter[str]()
    for seed, folds in tests:
        found = [predict(tokens, y, fold, kind, seed) for fold in folds]
        measured = np.concatenate([y[test] for _, test in folds])
        predicted = np.concatenate([one for one, _ in found])
        taken.update(chosen for _, chosen in found)
        rho.append(spearman(measured, predicted))
        explained.append(r2(measured, predicted))
    return {
        "data": data, "split": split, "asked": kind, "taken": ", ".join(k for k, _ in taken.most_common()),
        "spearman": float(np.mean(rho)), "spread": float(np.std(rho)), "r2": float(np.mean(explained)),
        "seconds": (time.process_time() - begun) / len(tests),
    }  # fmt: skip


def scan(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    if args.data is None:
        records = read_sequences("dataset:prot_abeta42", columns=("outcome",))
        name, table = "prot_abeta42", (records.sequences, records.numbers("outcome"))
    else:
        name, table = args.data.name.split(".")[0], read(args.data, args.outcome)
    sequences, y, places = singles(*table)
    for split in ("random", "modulo", "contiguous"):
        seeds = args.seeds if split == "random" else args.seeds[:1]  # the others have no chance in them
        for kind in args.kinds:
            tests = [(seed, folds_of(places, split, seed)) for seed in seeds]
            yield row(name, split, sequences, y, kind, tests)


def counts(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    for kind in args.kinds:
        for seed in args.seeds:
            rng = np.random.default_rng(seed)
            letters = rng.choice(list("ACGT"), size=(3000, 60))
            for one in letters:
                for place in rng.choice(15, size=rng.integers(0, 5), replace=False):
                    one[4 * place : 4 * place + 4] = list("GATA")
            texts = ["".join(one) for one in letters]
            y = np.array([float(text.count("GATA")) for text in texts]) + rng.normal(0, 0.3, 3000)
            order = rng.permutation(3000)
            fold = np.sort(order[:2400]), np.sort(order[2400:])
            yield row(f"GATA, seed {seed}", "random", texts, y, kind, [(seed, [fold])])


def random(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    sequences, y = read(args.data, args.outcome)
    for kind in args.kinds:
        tests = []
        for seed in args.seeds:
            order = np.random.default_rng(seed).permutation(len(y))
            tests.append((seed, [(np.sort(order[: args.rows]), np.sort(order[args.rows :]))]))
        name = f"{args.data.name.split('.')[0]}, {args.rows} rows"
        yield row(name, "random", sequences, y, kind, tests)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["scan", "counts", "random"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--outcome", default="outcome")
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--kinds", nargs="+", default=["ridge", "words", "pairs", "kernel", "auto"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    args = parser.parse_args()
    torch.set_num_threads(1)
    found = []
    for one in {"scan": scan, "counts": counts, "random": random}[args.what](args):
        found.append(one)
        print(text_table(found[-1:], COLUMNS), flush=True)
    print(text_table(found, COLUMNS))


if __name__ == "__main__":
    main()
