"""Does `--batch` beat ignoring plates, and standardising each plate by itself?

Real tables are cut into four plates, each with an offset (normal, one standard deviation of the outcome) and
a scale (log-normal, 0.5) of its own. ``random``: rows fall on plates by chance; ``sorted``: a plate holds
what was thought better, by the true value and as much noise, so that standardising takes away what is real;
``none``: plates without offsets, where all three should agree. Models learn two thirds and are judged by
Spearman's rho with what was really measured of the rest. Nothing was tuned on these figures.

    nice -n 10 python benchmarks/predictors/plates.py [--seeds 3] [--rows 600]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from censored import SETS, real, synthetic
from scipy.stats import spearmanr

import seqdesign as sd

PLATES = 4


def plates(y: np.ndarray, layout: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The plate (N,) of each row, and what is measured there."""
    key = rng.random(len(y)) if layout != "sorted" else y / y.std() + rng.normal(size=len(y))
    plate = np.argsort(np.argsort(key)) * PLATES // len(y)
    if layout == "none":
        return plate, y
    offset, scale = rng.normal(0, y.std(), PLATES), np.exp(rng.normal(0, 0.5, PLATES))
    return plate, offset[plate] + scale[plate] * y


def run(texts: list[str], y: np.ndarray, layout: str, seed: int) -> dict[str, float]:
    rng = np.random.default_rng([seed, 7])
    n = 2 * len(y) // 3
    plate, seen = plates(y[:n], layout, rng)
    table = pd.DataFrame({"sequence": texts[:n], "outcome": seen, "plate": [f"P{p + 1}" for p in plate]})
    alone = table.copy()
    alone["outcome"] = table.groupby("plate")["outcome"].transform(lambda v: (v - v.mean()) / v.std())
    found = {}
    for name, frame, words in (
        ("ignored", table, {}), ("standardised", alone, {}), ("--batch", table, {"batch": "plate"}),
        ("no plates", table.assign(outcome=y[:n]), {}),
    ):  # fmt: skip
        model = sd.train_predictor(
            frame, outcome="outcome", architecture="ridge", strands="one", seed=seed, device="cpu", **words
        )
        found[name] = float(spearmanr(model.predict(texts[n:])["mean"], y[n:])[0])
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=600)
    given = parser.parse_args()
    for source in ("synthetic", *SETS):
        for layout in ("random", "sorted", "none"):
            parts = []
            for seed in range(given.seeds):
                rng = np.random.default_rng([seed, 5])
                rows = (
                    synthetic(rng, given.rows)
                    if source == "synthetic"
                    else real(SETS[source], rng, given.rows)
                )
                parts.append(run(*rows, layout, seed))
            told = "  ".join(f"{name} {np.mean([p[name] for p in parts]):.3f}" for name in parts[0])
            print(f"{source:16s} {layout:7s} {told}", flush=True)


if __name__ == "__main__":
    main()
