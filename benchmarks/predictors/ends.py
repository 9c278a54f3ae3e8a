"""What do letters near the ends say of sequences of several lengths?

    python benchmarks/predictors/ends.py [prot_amp_vs_uniprot.csv.gz] [--seeds 3]

Peptides of 8 to 11 letters that bind as those of MHC class I do: letters at nine places, most of all the
second and the last one, of which longer peptides leave out some in the middle, and pairs of letters. 5'
untranslated regions of 25 to 100 letters: start codons anywhere that are in or out of frame with the last
letter, letters in front of it, G and C. Each with an error of a quarter of the variance. With a file:
antimicrobial peptides and others, labels. Spearman's rho with the truth (of labels the labels) of rows not
learned from; the few that are longer than these are left out. Beside the kinds of `train-predictor` stands
ridge regression on the first four and the last five letters, its penalty by generalised cross validation.
Gain and reach of `ends` were chosen on other draws of these three sets.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

import seqdesign as sd

FloatArray = NDArray[np.float64]
AMINO, DNA = "ACDEFGHIKLMNPQRSTVWY", "ACGT"
STRENGTHS = np.logspace(-1, 4, 11)


def main() -> None:
    """Print a line for each set, number of rows and seed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=["ridge", "words", "ends"])
    parser.add_argument("--rows", nargs="*", type=int, default=[400, 2_000])
    options = parser.parse_args()
    sets = {"peptides": peptides, "untranslated": untranslated}
    for name in [*sets, *(["antimicrobial"] if options.data else [])]:
        for seed in range(options.seeds):
            texts, y, truth = sets[name](seed, 4_000) if name in sets else labelled(options.data, seed)
            for rows in options.rows:
                run(name, seed, options.kinds, texts, y, truth, rows)


def run(
    name: str, seed: int, kinds: list[str], texts: list[str], y: FloatArray, truth: FloatArray, rows: int
) -> None:
    """Learn from the first rows, judge by the last 2,000."""
    train, test = slice(0, rows), slice(len(texts) - 2_000, None)
    letters = DNA if set("".join(texts)) <= set(DNA) else AMINO
    said = {"first four, last five": ridge(anchors(texts, letters), y, train, test)}
    for kind in kinds:
        begin = time.process_time()
        model = sd.train_predictor(
            texts[train], y[train], architecture=kind, strands="one", seed=seed, device="cpu"
        )
        table = model.predict(texts[test])
        column = "mean" if "mean" in table else "probability"
        seconds = time.process_time() - begin
        chosen = model.trained.record.options.architecture
        said[f"{kind} ({chosen}, {seconds:.0f} CPU s)"] = table[column].to_numpy()
    found = ", ".join(f"{k} {spearmanr(p, truth[test], nan_policy='omit')[0]:.3f}" for k, p in said.items())
    print(f"{name}, {rows} rows, seed {seed}: {found}", flush=True)


def anchors(texts: list[str], letters: str) -> FloatArray:
    """One-hot of the first four and the last five letters, (N, 9 V)."""
    return np.array(
        [[letter == c for c in text[:4] + text[-5:] for letter in letters] for text in texts], dtype=float
    )


def ridge(x: FloatArray, y: FloatArray, train: slice, test: slice) -> FloatArray:
    """Predictions of the rows ``test``."""
    mean = x[train].mean(0)
    u, s, v = np.linalg.svd(x[train] - mean, full_matrices=False)
    rest, turned = y[train] - y[train].mean(), u.T @ (y[train] - y[train].mean())
    costs = []
    for strength in STRENGTHS:
        shrunk = s**2 / (s**2 + strength)
        costs.append(np.mean((rest - u @ (shrunk * turned)) ** 2) / (1 - shrunk.sum() / len(rest)) ** 2)
    strength = STRENGTHS[int(np.argmin(costs))]
    return np.asarray((x[test] - mean) @ (v.T @ (s / (s**2 + strength) * turned)))


def measured(truth: FloatArray, rng: np.random.Generator) -> FloatArray:
    """With an error."""
    return truth + rng.normal(0, truth.std() / 2, len(truth))


def peptides(seed: int, num: int) -> tuple[list[str], FloatArray, FloatArray]:
    """Sequences, measurements and truth; half of the peptides have anchors that tend to bind."""
    rng = np.random.default_rng([seed, 1])
    scale = (0.5, 2.0, 0.7, 0.3, 0.6, 0.3, 0.6, 0.3, 2.2)
    weight = np.array([rng.normal(0, s, 20) for s in scale])
    pairs = rng.normal(0, 0.5, (9, 20, 9, 20)) * (rng.random((9, 1, 9, 1)) < 0.1)
    texts, truth = [], []
    for _ in range(num):
        length = int(rng.choice([8, 9, 10, 11], p=[0.1, 0.6, 0.2, 0.1]))
        code = rng.integers(0, 20, length)
        if rng.random() < 0.5:
            for at in (1, -1):
                share = np.exp(weight[at])
                code[at] = rng.choice(20, p=share / share.sum())
        texts.append("".join(AMINO[c] for c in code))
        truth.append(max(bound(core, weight, pairs) for core in cores(code)) - 0.6 * (length != 9))
    y = np.array(truth)
    return texts, measured(y, rng), y


def cores(code: NDArray[np.int64]) -> list[list[int]]:
    """Nine places each; -1 stands for no letter."""
    extra = len(code) - 9
    if extra < 0:
        return [[*code[:4], -1, *code[4:]]]
    return [[*code[:k], *code[k + extra :]] for k in (range(3, 7) if extra else [4])]


def bound(core: list[int], weight: FloatArray, pairs: FloatArray) -> float:
    """How well nine letters bind."""
    there = [(i, c) for i, c in enumerate(core) if c >= 0]
    alone = sum(weight[i, c] for i, c in there)
    return float(alone + sum(pairs[i, c, j, d] for i, c in there for j, d in there if i < j))


def untranslated(seed: int, num: int) -> tuple[list[str], FloatArray, FloatArray]:
    """Sequences, measurements and truth."""
    rng = np.random.default_rng([seed, 2])
    texts = ["".join(rng.choice(list(DNA), rng.integers(25, 101))) for _ in range(num)]
    y = np.array([translated(text) for text in texts])
    return texts, measured(y, rng), y


def translated(text: str) -> float:
    """How well what follows is translated."""
    value = 0.8 * (text[-3] in "AG") + 0.4 * (text[-6:-3] == "GCC") + 0.3 * (text[-4] == "C")
    for i in range(len(text) - 2):
        if text[i : i + 3] == "ATG":
            near = 0.6 + 0.5 * (i >= 3 and text[i - 3] in "AG") + 0.3 * (text[i + 3 : i + 4] == "G")
            value -= near * (0.5 if (len(text) - i) % 3 == 0 else 2.2)
    strong = sum(c in "GC" for c in text) / len(text)
    cap = sum(c in "GC" for c in text[:15]) / 15
    return float(max(-6.2, value - 6 * max(0, strong - 0.55) - 2 * max(0, cap - 0.5) - 0.004 * len(text)))


def labelled(path: str, seed: int) -> tuple[list[str], FloatArray, FloatArray]:
    """Rows in a random order."""
    table = pd.read_csv(path).sample(frac=1, random_state=seed)
    y = table["outcome"].to_numpy(dtype=np.float64)
    return table["sequence"].tolist(), y, y


if __name__ == "__main__":
    main()
