"""Does it help to weigh rows by the standard errors of their replicates?

    python benchmarks/predictors/replicates.py DATA.csv.gz [--seeds 3] [--rows 400]

A random part of a complete landscape is measured two or three times each. The noise of a row is its own: its
standard deviation is log-normal around half that of the outcome, with a scatter of 0 (all rows alike), 0.7 or
1.2. Models learn from the means alone, from the means weighted by moderated standard errors as
`train-predictor --replicates` does, and by the true ones, which nobody knows; judged by Spearman's rho with
the true values of 4,000 other rows. Nothing was tuned on it.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

import seqdesign as sd

TEST = 4000


def main() -> None:
    """Print a line for each kind of model, scatter and number of replicates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--kinds", nargs="+", default=["ridge", "pairs"])
    options = parser.parse_args()
    table = pd.read_csv(options.data)
    for outcome in ("red", "blue"):
        for scatter in (0.0, 0.7, 1.2):
            for replicates in (2, 3):
                found = [
                    run(table, outcome, scatter, replicates, options.rows, options.kinds, seed)
                    for seed in range(options.seeds)
                ]
                for kind in options.kinds:
                    ways = {way: [one[kind, way] for one in found] for _, way in found[0]}
                    gain = np.array(ways["weighted"]) - np.array(ways["means"])
                    print(
                        f"{outcome} scatter {scatter} replicates {replicates} {kind}: "
                        + ", ".join(f"{way} {np.mean(rho):.3f}" for way, rho in ways.items())
                        + f", gain {gain.mean():+.3f} ({' '.join(f'{x:+.3f}' for x in gain)})",
                        flush=True,
                    )


def run(
    table: pd.DataFrame, outcome: str, scatter: float, replicates: int, rows: int, kinds: list[str], seed: int
) -> dict[tuple[str, str], float]:
    """Rank correlations by kind of model and way to weigh."""
    rng = np.random.default_rng([seed, 5])
    order = rng.permutation(len(table))
    train, test = table.iloc[order[:rows]], table.iloc[order[-TEST:]]
    y = train[outcome].to_numpy(dtype=np.float64)
    spread = 0.5 * y.std() * np.exp(scatter * rng.normal(size=rows))
    values = y[:, None] + spread[:, None] * rng.normal(size=(rows, replicates))
    names = [f"rep{i + 1}" for i in range(replicates)]
    measured = pd.DataFrame(
        {"sequence": train["sequence"].to_numpy(), **dict(zip(names, values.T, strict=True))}
    )
    plain = pd.DataFrame({"sequence": measured["sequence"], "outcome": values.mean(1)})
    exact = plain.assign(error=spread / replicates**0.5)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measured.csv"
        measured.to_csv(path, index=False)
        for kind in kinds:
            common = {"architecture": kind, "seed": seed, "device": "cpu", "held_out": 0.05}
            models = {
                "means": sd.train_predictor(plain, **common),
                "weighted": sd.train_predictor(path, replicates=",".join(names), **common),
                "true weights": sd.train_predictor(exact, outcome="outcome", sigma=("error",), **common),
            }
            for way, model in models.items():
                told = model.predict(test["sequence"].tolist())
                found[kind, way] = float(spearmanr(told["mean"], test[outcome])[0])
    return found


if __name__ == "__main__":
    main()
