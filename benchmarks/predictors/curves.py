"""Predictions with and without the monotone curve through rows that members have not learned from.

    python benchmarks/predictors/curves.py tables rna_mpsa_5ss9:outcome:1000 FILE.csv.gz:red:200
        [--kinds auto ridge] [--seeds 0 1 2] [--far]
    python benchmarks/predictors/curves.py laws [--rows 60 160 500] [--seeds 0 1 2 ... ]

``tables`` learns from that many random rows of a bundled data set or a table with the column ``sequence`` and
predicts at most 3,000 of the others, as ``train-predictor`` does by default, twice: as it is, and with the
search for curves left out. R2, Spearman's rho, and coverage and mean width of 95% intervals are of these
others, which neither model nor curve nor intervals have seen. With ``--far`` rows are drawn from those that
differ from a random one in at most .4 of the most places in which any does, and the others are those that
differ in .6 and more: what is predicted is further away than all that was learned.

``laws`` says how often a curve is taken of simulated predictions and measurements, and what it changes: R2 of
fresh rows less that of the straight line. Predictions have an error of their own. The constants of
``metrics/monotone.py`` were chosen on these laws, with other draws; the tables were not used for that.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.ensembles.options import PredictorOptions
from seqdesign.metrics.monotone import fit_monotone
from seqdesign.metrics.regression import r2, spearman
from seqdesign.models.predictor.fit import PredictorTraining, train_sequence_predictor
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.reports.tables import Column, text_table
from seqdesign.sequences.alphabets import guess_alphabet
from seqdesign.sequences.encoders import TokenArray, encode
from seqdesign.sequences.reader import read_sequences
from seqdesign.training.config import FitOptions
from seqdesign.training.loop import make_fabric

TESTED = 3_000
COLUMNS = (
    Column("data"),
    Column("rows", spec=",d"),
    Column("kind"),
    Column("taken", "chosen"),
    Column("curves", "with a curve"),
    Column("r2_before", "R2 before", ".3f"),
    Column("r2", "R2", ".3f"),
    Column("spread", "sd over seeds", ".3f"),
    Column("rho_before", "rho before", ".3f"),
    Column("rho", "rho", ".3f"),
    Column("inside_before", "inside 95% before", ".3f"),
    Column("inside", "inside 95%", ".3f"),
    Column("width", "width / before", ".2f"),
    Column("seconds", "CPU s", ".0f"),
)
LAW_COLUMNS = (
    Column("law"),
    Column("rows", spec=",d"),
    Column("explained", "R2 allowed", ".1f"),
    Column("taken", "curve taken", ".2f"),
    Column("gain", "gain of R2 where taken", "+.3f"),
)

FloatArray = NDArray[np.float64]
Indices = NDArray[np.int64]
STRAIGHT = {
    "normal noise": lambda f, rng: rng.normal(size=len(f)),
    "noise that grows": lambda f, rng: rng.normal(size=len(f)) * np.exp(0.5 * f),
    "heavy tails": lambda f, rng: rng.standard_t(3, size=len(f)) / np.sqrt(3),
    "skewed noise": lambda f, rng: (rng.exponential(size=len(f)) - 1) * np.exp(0.3 * f),
}
BENT = {
    "sigmoid": lambda f: 1 / (1 + np.exp(-3 * f)),
    "floor": lambda f: np.maximum(f - 0.5, 0),
    "ceiling": lambda f: np.minimum(f, 0),
    "step": lambda f: (f > 0.3).astype(float),
    "exponential": np.exp,
}


def read(name: str, outcome: str) -> tuple[list[str], FloatArray]:
    """Sequences with an outcome, of a bundled data set or a file."""
    if not name.endswith(".gz"):
        records = read_sequences(f"dataset:{name}", columns=(outcome,))
        return list(records.sequences), records.numbers(outcome)
    with gzip.open(name, "rt", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row[outcome] not in ("", "NA", "nan")]
    return [row["sequence"] for row in rows], np.array([float(row[outcome]) for row in rows])


def train(tokens: TokenArray, y: FloatArray, kind: str, seed: int) -> PredictorTraining:
    fit_options = FitOptions()
    return train_sequence_predictor(
        tokens, Outcomes(("y",), "regression", y[:, None], np.ones(len(y))),
        options=PredictorOptions(architecture=kind), fit_options=fit_options, seed=seed,  # type: ignore[arg-type]
        fabric=make_fabric(fit_options, torch.device("cpu")),
    )  # fmt: skip


def judged(training: PredictorTraining, tokens: TokenArray, y: FloatArray) -> dict[str, float]:
    found = predict_outcomes(training.trained, tokens.tokens, tokens.lengths)
    assert found.half_widths is not None
    half = found.half_widths[:, 0, -1]
    return {
        "r2": r2(y, found.mean[:, 0]), "rho": spearman(y, found.mean[:, 0]),
        "inside": float((np.abs(y - found.mean[:, 0]) <= half).mean()), "width": float(2 * half.mean()),
    }  # fmt: skip


def parts(sequences: Sequence[str], rows: int, seed: int, *, far: bool) -> tuple[Indices, Indices]:
    """Rows to learn from, and others."""
    rng = np.random.default_rng(seed)
    if not far:
        order = rng.permutation(len(sequences))
        return np.sort(order[:rows]), order[rows:][:TESTED]
    parent = sequences[rng.integers(len(sequences))]
    distance = np.array([sum(a != b for a, b in zip(parent, one, strict=True)) for one in sequences])
    near, others = (
        np.flatnonzero(some) for some in (distance <= 0.4 * distance.max(), distance >= 0.6 * distance.max())
    )
    return np.sort(rng.permutation(near)[:rows]), rng.permutation(others)[:TESTED]


def table(spec: str, kind: str, seeds: Sequence[int], *, far: bool) -> dict[str, Any]:
    """Means over seeds."""
    name, outcome, rows = spec.rsplit(":", 2)
    sequences, y = read(name, outcome)
    tokens, begun = encode(sequences, guess_alphabet(sequences)), time.process_time()
    before, after, taken, curves = [], [], Counter[str](), 0
    for seed in seeds:
        mine, others = parts(sequences, int(rows), seed, far=far)
        bent = train(tokens.take(mine), y[mine], kind, seed)
        chosen = bent.trained.record.options.architecture
        with patch("seqdesign.models.predictor.fit.with_curves", lambda learned, *_: learned):
            plain = train(tokens.take(mine), y[mine], chosen, seed)
        curves += bool(bent.trained.record.curves)
        taken.update([chosen])
        before.append(judged(plain, tokens.take(others), y[others]))
        after.append(judged(bent, tokens.take(others), y[others]))

    def mean(which: list[dict[str, float]], figure: str) -> float:
        return float(np.mean([one[figure] for one in which]))

    return {
        "data": f"{Path(name).name.split('.')[0]} {outcome}", "rows": int(rows), "kind": kind,
        "taken": ", ".join(f"{k} {n}" for k, n in taken.most_common()), "curves": f"{curves} of {len(seeds)}",
        "r2": mean(after, "r2"), "spread": float(np.std([one["r2"] for one in after])),
        "rho": mean(after, "rho"), "inside": mean(after, "inside"),
        **{f"{figure}_before": mean(before, figure) for figure in ("r2", "rho", "inside")},
        "width": mean(after, "width") / mean(before, "width"),
        "seconds": (time.process_time() - begun) / len(seeds),
    }  # fmt: skip


def draw(law: str, n: int, explained: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Predictions and measurements (n,)."""
    f = rng.normal(size=n)
    said = 0.8 * f + 0.3 * rng.normal(size=n)
    ratio = np.sqrt((1 - explained) / explained)
    if law in STRAIGHT:
        return said, f + ratio * STRAIGHT[law](f, rng)
    y = BENT[law](f)
    return said, y + ratio * y.std() * rng.normal(size=n)


def laws(rows: Sequence[int], seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
    for law in (*STRAIGHT, *BENT):
        for n in rows:
            for explained in (0.3, 0.8):
                gains = []
                for seed in seeds:
                    rng = np.random.default_rng([seed, n])
                    x, y = draw(law, n, explained, rng)
                    found = fit_monotone(x, y, np.ones(n), np.arange(n))
                    if found is None:
                        continue
                    fresh, truth = draw(law, 20_000, explained, rng)
                    straight = np.polyval(np.polyfit(x, y, 1), fresh)
                    gains.append(r2(truth, found.curve(fresh)) - r2(truth, straight))
                yield {
                    "law": law, "rows": n, "explained": explained, "taken": len(gains) / len(seeds),
                    "gain": float(np.mean(gains)) if gains else None,
                }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["tables", "laws"])
    parser.add_argument("tables", nargs="*", metavar="DATA:OUTCOME:ROWS")
    parser.add_argument("--kinds", nargs="+", default=["auto", "ridge"])
    parser.add_argument("--rows", nargs="+", type=int, default=[60, 160, 500])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--far", action="store_true", help="predict what is further away than all rows")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.what == "laws":
        print(text_table(list(laws(args.rows, args.seeds)), LAW_COLUMNS))
        return
    found = []
    for spec in args.tables:
        for kind in args.kinds:
            found.append(table(spec, kind, args.seeds, far=args.far))
            print(text_table(found[-1:], COLUMNS), flush=True)
    print(text_table(found, COLUMNS))


if __name__ == "__main__":
    main()
