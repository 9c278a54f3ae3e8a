"""Do limits (<0.1) taken as limits beat leaving them out, and taking the bound for the value?

The lowest 30% of an outcome are made limits, as an assay with a floor would give them. Models learn from the
training part, and are judged by what was really measured of the whole test part: Spearman's rho and root mean
squared error in standard deviations of the outcome. Nothing was tuned.

    nice -n 10 python benchmarks/predictors/censored.py [--seeds 3] [--rows 600]
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import seqdesign as sd

SHARE = 0.3
SETS = {
    "gb1 stability": "prot_gb1_stability_nisthal",
    "5' splice sites": "rna_mpsa_5ss9",
    "CR6261": "prot_cr6261_121",
}
KINDS: dict[str, dict[str, Any]] = {
    "ridge": {"architecture": "ridge"},
    "kernel": {"architecture": "kernel"},
    "residual": {"architecture": "residual", "epochs": 40},
}


def synthetic(rng: np.random.Generator, rows: int) -> tuple[list[str], np.ndarray]:
    letters = rng.integers(4, size=(rows, 12))
    y = rng.normal(size=(12, 4))[np.arange(12), letters].sum(1)
    y = y / y.std() + 0.5 * ((letters[:, 0] == 1) & (letters[:, 5] == 2)) + rng.normal(0, 0.4, rows)
    return ["".join("ACGT"[i] for i in row) for row in letters], y


def real(name: str, rng: np.random.Generator, rows: int) -> tuple[list[str], np.ndarray]:
    records = sd.read(f"dataset:{name}")
    assert records.outcomes is not None
    chosen = rng.permutation(np.flatnonzero(~np.isnan(records.outcomes)))[:rows]
    return [records.sequences[i] for i in chosen], records.outcomes[chosen]


def run(texts: list[str], y: np.ndarray, kind: dict[str, Any], seed: int) -> dict[str, tuple[float, float]]:
    n = len(texts)
    train, test = np.arange(n)[: 2 * n // 3], np.arange(n)[2 * n // 3 :]
    floor = float(np.quantile(y[train], SHARE))
    below = y < floor
    treatments = {
        "all measured": [f"{v:.6g}" for v in y],
        "as limits": [f"<{floor:.6g}" if b else f"{v:.6g}" for v, b in zip(y, below, strict=True)],
        "bound as value": [f"{floor:.6g}" if b else f"{v:.6g}" for v, b in zip(y, below, strict=True)],
        "left out": ["" if b else f"{v:.6g}" for v, b in zip(y, below, strict=True)],
    }
    found = {}
    for name, cells in treatments.items():
        model = sd.train_predictor(
            [texts[i] for i in train], [cells[i] for i in train], seed=seed, strands="one", device="cpu",
            **kind,
        )  # fmt: skip
        mean = model.predict([texts[i] for i in test])["mean"].to_numpy()
        rho = np.corrcoef(np.argsort(np.argsort(mean)), np.argsort(np.argsort(y[test])))[0, 1]
        found[name] = (float(rho), float(np.sqrt(np.mean((mean - y[test]) ** 2)) / y.std()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    given = parser.parse_args()
    for source in ("synthetic", *SETS):
        for kind in given.kinds:
            parts: dict[str, list[tuple[float, float]]] = {}
            for seed in range(given.seeds):
                rng = np.random.default_rng([seed, 5])
                texts, y = (
                    synthetic(rng, given.rows)
                    if source == "synthetic"
                    else real(SETS[source], rng, given.rows)
                )
                for name, pair in run(texts, y, KINDS[kind], seed).items():
                    parts.setdefault(name, []).append(pair)
            told = "  ".join(f"{n}: {np.mean(p, 0)[0]:.3f} {np.mean(p, 0)[1]:.3f}" for n, p in parts.items())
            print(f"{source:16s} {kind:9s} {told}", flush=True)


if __name__ == "__main__":
    main()
