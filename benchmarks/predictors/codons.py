"""Synonymous genes of one protein: do counts of codons say what counts of words cannot?

    python benchmarks/predictors/codons.py [--rows 200] [--residues 233] [--seeds 0 1 2] [--designs 8]

Each gene has its own bias of G and C and of single codons. Truths: codons (the mean of a random number of
each codon), start (G and C in letters 4 to 39), both, and words (copies of TTTT and AAAAA anywhere: a null).
Noise has half the standard deviation of the truth. Printed are R2 of 400 fresh true values by
``train-predictor`` as by default and held to either kind, by ridge regression of shares of codons, and of
these and G and C of letters 4 to 39; and, in standard deviations of the truth, true values of designs from
the best row with the protein kept, and of the gene with the best codon of each residue by ridge regression.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import seqdesign as sd
from seqdesign.sequences.genetic_code import genetic_code

FloatArray = NDArray[np.float64]
ACIDS = genetic_code().acids
CODONS = sorted(ACIDS)
SYNONYMS = {acid: [c for c in CODONS if ACIDS[c] == acid] for acid in set(ACIDS.values()) - {"*"}}
TRUTHS = ("codons", "start", "both", "words")
FRESH = 400


def main() -> None:
    """Print a line for each truth and seed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--residues", type=int, default=233)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--truths", nargs="+", default=TRUTHS, choices=TRUTHS)
    parser.add_argument("--designs", type=int, default=8)
    options = parser.parse_args()
    for name in options.truths:
        for seed in options.seeds:
            line = one(name, seed, options.rows, options.residues, options.designs)
            print(f"{name} seed {seed}: {line}", flush=True)


def one(name: str, seed: int, rows: int, residues: int, designs: int) -> str:
    """What was reached with one truth."""
    rng = np.random.default_rng(seed)
    protein = "M" + "".join(rng.choice(sorted(SYNONYMS), residues - 1))
    weight = dict(zip(CODONS, rng.normal(size=64), strict=True))
    genes = [gene(protein, rng) for _ in range(rows + FRESH)]
    raw = truth_of(name, weight, genes)
    middle, unit = raw(genes).mean(), raw(genes).std()

    def truth(texts: list[str]) -> FloatArray:
        return np.asarray((raw(texts) - middle) / unit)

    known, fresh = genes[:rows], genes[rows:]
    values = truth(known) + rng.normal(0, 0.5, rows)
    told, said = truth(fresh), []
    models = {}
    for kind in ("auto", "codons", "words"):
        models[kind] = sd.train_predictor(known, values, architecture=kind, strands="one", seed=seed)
        predicted = models[kind].predict(fresh)["mean"].to_numpy()
        chosen = f" ({models[kind].trained.record.options.architecture})" if kind == "auto" else ""
        said.append(f"{kind}{chosen} {r2(predicted, told):.3f}")
    plain = ridge(shares(known), values)
    both = ridge(with_start(known), values)
    said.append(
        f"shares {r2(plain(shares(fresh)), told):.3f}, with start {r2(both(with_start(fresh)), told):.3f}"
    )
    if designs:
        best = known[int(values.argmax())]
        for kind in ("auto", "words"):
            found = sd.maximize(
                models[kind],
                start=[best],
                num=designs,
                rules=[sd.rules.translate(1, 3 * residues)],
                seed=seed,
            )
            said.append(f"designs {kind} {truth(found.sequences).mean():.2f}")
        worth = dict(zip(CODONS, plain(np.eye(64)), strict=True))
        top = "".join(max(SYNONYMS[acid], key=lambda c: worth[c]) for acid in protein)
        said.append(f"best codons {truth([top])[0]:.2f}, best row {truth([best])[0]:.2f}")
    return ", ".join(said)


def gene(protein: str, rng: np.random.Generator) -> str:
    """A gene of the protein, with a bias of its own."""
    lean = rng.normal(0, 0.5)
    bias = {c: lean * sum(base in "GC" for base in c) + rng.normal(0, 0.6) for c in CODONS}
    parts = []
    for acid in protein:
        share = np.exp([bias[c] for c in SYNONYMS[acid]])
        parts.append(str(rng.choice(SYNONYMS[acid], p=share / share.sum())))
    return "".join(parts)


def truth_of(name: str, weight: dict[str, float], genes: list[str]) -> Callable[[list[str]], FloatArray]:
    """The truth of genes, each part of it in standard deviations among ``genes``."""

    def codons(text: str) -> float:
        return float(np.mean([weight[text[i : i + 3]] for i in range(0, len(text), 3)]))

    def start(text: str) -> float:
        return -float(np.mean([base in "GC" for base in text[3:39]]))

    def words(text: str) -> float:
        return -float(text.count("TTTT") + text.count("AAAAA"))

    parts = {"codons": [codons], "start": [start], "both": [codons, start], "words": [words]}[name]
    units = [np.std([part(text) for text in genes]) for part in parts]

    def values(texts: list[str]) -> FloatArray:
        return np.array(
            [sum(part(text) / unit for part, unit in zip(parts, units, strict=True)) for text in texts]
        )

    return values


def shares(genes: list[str]) -> FloatArray:
    """Shares of codons (N, 64)."""
    return np.array(
        [[[g[i : i + 3] for i in range(0, len(g), 3)].count(c) * 3 / len(g) for c in CODONS] for g in genes]
    )


def with_start(genes: list[str]) -> FloatArray:
    """The same, and the share of G and C in letters 4 to 39, (N, 65)."""
    start = [[np.mean([base in "GC" for base in g[3:39]])] for g in genes]
    return np.concatenate([shares(genes), np.array(start)], axis=1)


def ridge(x: FloatArray, y: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Ridge regression of standardised columns, its strength by ten-fold prediction."""
    middle, unit = x.mean(0), np.where(x.std(0) > 0, x.std(0), np.inf)
    z, fold = (x - middle) / unit, np.arange(len(y)) % 10

    def fitted(rows: NDArray[np.bool_], strength: float) -> tuple[FloatArray, float]:
        mean = y[rows].mean()
        a = z[rows].T @ z[rows] + strength * np.eye(z.shape[1])
        return np.linalg.solve(a, z[rows].T @ (y[rows] - mean)), float(mean)

    def error(strength: float) -> float:
        total = 0.0
        for k in range(10):
            beta, mean = fitted(fold != k, strength)
            total += float(((z[fold == k] @ beta + mean - y[fold == k]) ** 2).sum())
        return total

    beta, mean = fitted(fold >= 0, min(np.logspace(-1, 4, 11), key=error))
    return lambda new: np.asarray((new - middle) / unit @ beta + mean)


def r2(predicted: FloatArray, told: FloatArray) -> float:
    """Share of the variance that is explained."""
    return float(1 - ((predicted - told) ** 2).mean() / told.var())


if __name__ == "__main__":
    main()
