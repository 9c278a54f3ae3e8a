"""Members of one family, unaligned: kinds of predictor beside ridge regression of the true alignment.

    python benchmarks/predictors/homologs.py --rows 100 300 --seeds 3 4 5 [--data ALIGNED.fa.gz]

Without ``--data`` a family of about 110 residues is drawn along a tree of five to eight clades: places have
rates and preferences of their own, loops lose and gain letters. With it real members are read, from an
alignment whose gaps are then removed. What is measured depends on letters at half of the columns, each with
effects of its own (``letters``), or to one half on hydropathy and volume (``properties``), plus noise of .3
of the standard deviation of the truth. Printed is Spearman's rho with the truth, of 300 other members and, of
drawn families, of a clade that no row is from. ``columns`` is ridge regression of the one-hot of the true
alignment with gaps, its penalty by generalised cross-validation, ``nearest`` what the row measures that has
most letters in common.

Seeds 0 to 2 of another such law were used for development.
"""

from __future__ import annotations

import argparse
import gzip
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import seqdesign as sd
from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.metrics.regression import spearman
from seqdesign.sequences.alphabets import get_alphabet

LETTERS = get_alphabet("protein").letters
GAP = len(LETTERS)
OTHERS, NOISE, LENGTH, MEMBERS, DEPTH = 300, 0.3, 110, 700, 0.5

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def drawn(rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Aligned members (N, L) and the clade of each (N,)."""
    rate = rng.gamma(0.7, 1 / 0.7, LENGTH)
    like = np.exp(rng.normal(0, 1.3, (LENGTH, GAP)))
    like /= like.sum(1, keepdims=True)
    loop = np.zeros(LENGTH, dtype=bool)
    for first in rng.integers(5, LENGTH - 8, 5):
        loop[first : first + rng.integers(3, 8)] = True

    def evolved(row: Rows, times: float) -> Rows:
        row = row.copy()
        for i in np.flatnonzero(rng.random(LENGTH) < 1 - np.exp(-rate * times)):
            if row[i] != GAP:
                row[i] = rng.choice(GAP, p=like[i])
        if rng.random() < 1 - np.exp(-1.2 * times):
            first = int(rng.choice(np.flatnonzero(loop)))
            for i in range(first, min(first + int(rng.integers(1, 4)), LENGTH)):
                if loop[i]:
                    row[i] = GAP if row[i] != GAP else rng.choice(GAP, p=like[i])
        return row

    root = np.array([rng.choice(GAP, p=one) for one in like])
    sizes = np.maximum(8, (rng.dirichlet(np.full(rng.integers(5, 9), 1.5)) * MEMBERS).astype(int))
    found: list[Rows] = []
    for size in sizes:
        clade = [evolved(root, DEPTH)]
        while len(clade) < size:
            clade.append(clade[rng.integers(len(clade))])
            clade = [evolved(row, 0.5 * rng.exponential() / len(clade)) for row in clade]
        found += [evolved(row, 0.03) for row in clade]
    return np.array(found), np.repeat(np.arange(len(sizes)), sizes)


def read(path: Path) -> tuple[Rows, Rows]:
    """The same of an alignment."""
    texts: list[str] = []
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        for line in handle:
            if line.startswith(">"):
                texts.append("")
            else:
                texts[-1] += line.strip().upper()
    known = sorted({text for text in texts if set(text) <= set(LETTERS + "-.")})
    rows = np.array([[LETTERS.find(c) if c in LETTERS else GAP for c in text] for text in known])
    return rows, np.zeros(len(rows), dtype=np.int64)


def truth_of(rows: Rows, law: str, rng: np.random.Generator) -> Floats:
    """(N,), of mean 0 and variance 1."""
    width = rows.shape[1]
    effects = rng.normal(size=(width, GAP + 1))
    if law == "properties":
        alike = letter_descriptors(get_alphabet("protein")).numpy()[:, :2]
        effects[:, :GAP] += rng.normal(size=(width, 2)) @ alike.T / 2**0.5
    effects *= (rng.random(width) < 0.5)[:, None] * rng.gamma(1, 1, (width, 1))
    value = effects[np.arange(width), rows].sum(1)
    return np.asarray((value - value.mean()) / value.std())


def ridge(x: Floats, y: Floats, others: Floats) -> Floats:
    """Its penalty by generalised cross-validation."""
    mean, x0 = y.mean(), x.mean(0)
    values, vectors = np.linalg.eigh((x - x0) @ (x - x0).T)
    values, turned = values.clip(0), vectors.T @ (y - mean)

    def lost(penalty: float) -> float:
        left = penalty / (values + penalty)
        return float(((turned * left) ** 2).sum() / left.sum() ** 2)

    penalty = min(np.logspace(-1, 4, 16), key=lost)
    return np.asarray(mean + (others - x0) @ (x - x0).T @ vectors @ (turned / (values + penalty)))


def one(rows: Rows, clades: Rows, law: str, count: int, seed: int, kinds: list[str]) -> str:
    """What is reached with so many rows of a family."""
    rng = np.random.default_rng([seed, 1])
    truth = truth_of(rows, law, rng)
    texts = ["".join(LETTERS[v] for v in row if v != GAP) for row in rows]
    sizes = np.bincount(clades)
    new = int(np.argsort(sizes)[len(sizes) // 2]) if len(sizes) > 1 else -1
    known = rng.permutation(np.flatnonzero(clades != new))
    train, near, far = known[:count], known[count : count + OTHERS], np.flatnonzero(clades == new)
    y, asked = truth[train] + rng.normal(0, NOISE, count), np.concatenate([near, far])
    cells = np.eye(GAP + 1)[rows].reshape(len(rows), -1)
    same = cells[asked] @ cells[train].T
    said = {"columns": ridge(cells[train], y, cells[asked]), "nearest": y[same.argmax(1)]}
    taken = {}
    for kind in kinds:
        begun = time.process_time()
        model = sd.train_predictor([texts[i] for i in train], y, architecture=kind, seed=seed)
        found = model.predict([texts[i] for i in asked])["mean"].to_numpy()
        said[kind] = np.where(np.isnan(found), y.mean(), found)
        own = model.trained.record.options.architecture
        taken[kind] = f" ({own}, {time.process_time() - begun:.0f} CPU s)" if kind == "auto" else ""
    parts = []
    for name, values in said.items():
        text = f"{name}{taken.get(name, '')} {spearman(truth[near], values[: len(near)]):.3f}"
        if len(far):
            text += f" / {spearman(truth[far], values[len(near) :]):.3f}"
        parts.append(text)
    return ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", nargs="+", type=int, default=[100, 300])
    parser.add_argument("--laws", nargs="+", default=["letters", "properties"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[3, 4, 5])
    parser.add_argument("--kinds", nargs="+", default=["words", "ends", "family", "auto"])
    args = parser.parse_args()
    for seed in args.seeds:
        rows, clades = read(args.data) if args.data else drawn(np.random.default_rng(seed))
        for law in args.laws:
            for count in args.rows:
                line = one(rows, clades, law, count, seed, args.kinds)
                print(f"{law}, {count} rows, seed {seed}: {line}", flush=True)


if __name__ == "__main__":
    main()
