"""RNA whose hairpins count: kinds of predictor, and ridge regression that is told the energy of the best one.

    python benchmarks/predictors/folding.py [--rows 200 800] [--seeds 2 3 4] [--ragged] [--designs 16]

RNA of 50 letters (--ragged: of 40 to 60), half of which carries a stem of 5 to 8 pairs anywhere. What is
measured falls, by a logistic function, with the energy of the best single hairpin, more so of one that begins
late, and depends on letters at their places (--ragged: on none), plus noise of .4 standard deviations of the
truth. The law finds its hairpins by a search of its own, with stacks in steps of .1 from another table and
without bulges. Printed are Spearman's rho and R2 with the truth of 1,000 others, and, in standard deviations
of the truth, that of designs, and of the best row. ``told`` is ridge regression of letters at their places
(--ragged: of shares of letters), the energy, and its product with where the hairpin begins.

Seeds 0 and 1 were used for development.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

import seqdesign as sd
from seqdesign.metrics.regression import r2, spearman

Floats = NDArray[np.float64]
LETTERS, PAIRS = "ACGU", ("AU", "UA", "GC", "CG", "GU", "UG")
STACKS = np.array([
    [-0.9, -1.1, -2.1, -2.2, -0.6, -1.4], [-1.3, -0.9, -2.1, -2.4, -1.0, -1.3],
    [-2.4, -2.2, -3.3, -3.4, -1.5, -2.5], [-2.1, -2.1, -2.4, -3.3, -1.4, -2.1],
    [-1.3, -1.4, -2.5, -2.5, -0.5, 1.3], [-1.0, -0.6, -1.4, -1.5, 0.3, -0.5],
])  # fmt: skip
KIND = {pair: i for i, pair in enumerate(PAIRS)}
OTHERS, NOISE = 1_000, 0.4


def hairpin(text: str) -> tuple[float, float]:
    """Energy of the best hairpin, and where it begins, as a share of the sequence."""
    best = (0.0, 0.0)
    for i in range(len(text) - 8):
        for j in range(i + 7, len(text)):
            a, b, energy, kind = i, j, 4.3, KIND.get(text[i] + text[j])
            while kind is not None and b - a >= 6:
                inner = KIND.get(text[a + 1] + text[b - 1])
                if inner is None:
                    break
                energy, a, b, kind = energy + STACKS[kind][inner], a + 1, b - 1, inner
                best = min(best, (energy + 0.03 * max(0, b - a - 4), i / len(text)))
    return best


def drawn(rng: np.random.Generator, ragged: bool) -> str:
    """One sequence."""
    length = int(rng.integers(40, 61)) if ragged else 50
    text = "".join(rng.choice(list(LETTERS), length))
    stem, loop = int(rng.integers(5, 9)), int(rng.integers(4, 9))
    if rng.random() < 0.5:
        first = int(rng.integers(0, length - 2 * stem - loop))
        other = text[first : first + stem][::-1].translate(str.maketrans("ACGU", "UGCA"))
        at = first + stem + loop
        text = text[:at] + other + text[at + stem :]
    return text


class Law:
    """What is measured without noise, before it is scaled."""

    def __init__(self, rng: np.random.Generator, ragged: bool) -> None:
        self.ragged = ragged
        self.places = rng.normal(0, 0.09, (50, 4)) * np.linspace(0.2, 1, 50)[:, None]

    def __call__(self, texts: list[str]) -> Floats:
        """(N,)."""
        found = np.array([hairpin(text) for text in texts])
        value = 2 / (1 + np.exp(-(1 + 0.35 * found[:, 0] * (0.6 + 0.8 * found[:, 1]))))
        if not self.ragged:
            value += [self.places[np.arange(50), [LETTERS.index(c) for c in text]].sum() for text in texts]
        return value

    def told(self, texts: list[str]) -> Floats:
        """Columns (N, I) that say what the law depends on."""
        found = np.array([hairpin(text) for text in texts])
        columns = [found[:, 0], found[:, 0] * found[:, 1] * 2.5]
        rows = [[[c == letter for letter in LETTERS] for c in text] for text in texts]
        letters = [np.mean(row, 0) if self.ragged else np.ravel(row) for row in rows]
        return np.column_stack([*columns, np.array(letters, dtype=np.float64)])


def ridge(x: Floats, y: Floats, others: Floats) -> Floats:
    """Its penalty by generalised cross-validation."""
    mean, x0 = y.mean(), x.mean(0)
    values, vectors = np.linalg.eigh((x - x0).T @ (x - x0))
    values, cross = values.clip(0), vectors.T @ ((x - x0).T @ (y - mean))

    def lost(penalty: float) -> float:
        error = y - mean - (x - x0) @ vectors @ (cross / (values + penalty))
        return float((error**2).sum() / (len(y) - (values / (values + penalty)).sum()) ** 2)

    penalty = min(np.logspace(-2, 4, 13), key=lost)
    return np.asarray(mean + (others - x0) @ vectors @ (cross / (values + penalty)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", type=int, default=[200, 800])
    parser.add_argument("--seeds", nargs="+", type=int, default=[2, 3, 4])
    parser.add_argument("--kinds", nargs="+", default=["words", "kernel", "folded", "auto"])
    parser.add_argument("--ragged", action="store_true")
    parser.add_argument("--designs", type=int, default=0)
    args = parser.parse_args()
    for seed in args.seeds:
        for count in args.rows:
            rng = np.random.default_rng([seed, 23])
            law = Law(rng, args.ragged)
            texts = [drawn(rng, args.ragged) for _ in range(count + OTHERS)]
            raw = law(texts)
            truth = (raw - raw.mean()) / raw.std()
            known, others, told = texts[:count], texts[count:], truth[count:]
            y = truth[:count] + rng.normal(0, NOISE, count)
            said = ridge(law.told(known), y, law.told(others))
            print(f"seed {seed}, {count} rows: told {spearman(told, said):.3f} {r2(told, said):.3f}", end="")
            for kind in args.kinds:
                begun = time.process_time()
                model = sd.train_predictor(known, y, architecture=kind, seed=seed)
                found = model.predict(others)["mean"].to_numpy()
                can = ~np.isnan(found)
                taken = model.trained.record.options.architecture if kind == "auto" else kind
                print(f", {kind} ({taken}, {time.process_time() - begun:.0f} CPU s)", end=" ")
                print(f"{spearman(told[can], found[can]):.3f} {r2(told[can], found[can]):.3f}", end="")
                if args.designs:
                    made = sd.maximize(model, num=args.designs, seed=seed).sequences
                    best = (law(list(made)).mean() - raw.mean()) / raw.std()
                    print(f", designs {best:.2f} (best row {truth[:count].max():.2f})", end="")
            print(flush=True)


if __name__ == "__main__":
    main()
