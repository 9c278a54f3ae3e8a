"""The first family of cases of guard.py, by which the guard was developed.

Cases with known truth, and measured landscapes.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.constraints.options import ConstraintOptions
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.reader import read_sequences

FloatArray = NDArray[np.float64]
Truth = Callable[[str], float | None]
"""True value of a sequence; None where nobody measured it."""
DNA, PROTEIN = "ACGT", "ACDEFGHIKLMNPQRSTVWY"


@dataclass(frozen=True)
class Case:
    """Training data, the truth about designs, and what differs from the defaults."""

    texts: list[str]
    values: FloatArray
    truth: Truth
    noise: float = 0.0
    """Added to the truth where a measurement of a design is wanted."""
    start: list[str] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    design: dict[str, Any] = field(default_factory=dict)


def random_texts(rng: np.random.Generator, count: int, length: int, letters: str = DNA) -> list[str]:
    return ["".join(row) for row in rng.choice(list(letters), (count, length))]


def noisy(rng: np.random.Generator, texts: Sequence[str], truth: Truth, noise: float, **more: Any) -> Case:
    values = np.array([truth(text) for text in texts]) + noise * rng.standard_normal(len(texts))
    return Case(list(texts), values, truth, noise, **more)


def pure_noise(rng: np.random.Generator) -> Case:
    return noisy(rng, random_texts(rng, 400, 20), lambda text: 0.0, 1.0)


def sparse_epistasis(rng: np.random.Generator) -> Case:
    pairs = [rng.choice(12, 2, replace=False) for _ in range(6)]
    tables = [rng.standard_normal((4, 4)) for _ in pairs]

    def truth(text: str) -> float:
        codes = [DNA.index(letter) for letter in text]
        return float(sum(t[codes[i], codes[j]] for (i, j), t in zip(pairs, tables, strict=True)))

    texts = random_texts(rng, 300, 12)
    return noisy(rng, texts, truth, float(np.std([truth(text) for text in texts])))


def saturation(rng: np.random.Generator) -> Case:
    return noisy(rng, random_texts(rng, 1000, 60), lambda text: float("GATA" in text), 0.2)


def decoy(rng: np.random.Generator) -> Case:
    texts = random_texts(rng, 1000, 40)
    for i in range(0, len(texts), 2):
        place = int(rng.integers(4, 30))
        beside = "CCGT" if rng.random() < 0.95 else texts[i][place - 4 : place]
        texts[i] = texts[i][: place - 4] + beside + "GATAAG" + texts[i][place + 6 :]
    return noisy(rng, texts, lambda text: float("GATAAG" in text), 0.2)


def weak_counts(rng: np.random.Generator) -> Case:
    texts = random_texts(rng, 3000, 60)
    return noisy(
        rng, texts, lambda text: float(text.count("GATA")), 0.3,
        training={"architecture": "residual"}, design={"rules": ConstraintOptions(gc="0.4-0.6")},
    )  # fmt: skip


def unseen_letters(rng: np.random.Generator) -> Case:
    parent = random_texts(rng, 1, 40, PROTEIN)[0]
    places = sorted(rng.choice(40, 6, replace=False).tolist())
    seen = {
        p: [parent[p], *rng.choice([c for c in PROTEIN if c != parent[p]], 2, replace=False)] for p in places
    }
    effect = {(p, c): e for p in places for c, e in zip(seen[p], (0.0, *rng.standard_normal(2)), strict=True)}

    def truth(text: str) -> float:
        return float(sum(effect.get((p, c), 0.0 if c == parent[p] else -2.0) for p, c in enumerate(text)))

    rows = []
    for _ in range(250):
        letters = list(parent)
        for p in places:
            letters[p] = str(rng.choice(seen[p]))
        rows.append("".join(letters))
    return noisy(
        rng,
        rows,
        truth,
        0.2,
        start=[parent],
        design={"only_seen": False, "rules": ConstraintOptions(max_edits=6)},
    )


def far_from_everything(rng: np.random.Generator) -> Case:
    """Mutants of one protein: a few mutations are borne, many destroy it."""
    parent = random_texts(rng, 1, 60, PROTEIN)[0]
    cost = rng.exponential(0.5, (60, 20)) - 0.15

    def truth(text: str) -> float:
        load = sum(cost[p, PROTEIN.index(c)] for p, c in enumerate(text) if c != parent[p])
        far = sum(a != b for a, b in zip(text, parent, strict=True))
        return float(4 / (1 + np.exp(load + 0.25 * max(0, far - 4) - 2)))

    rows = []
    for _ in range(800):
        letters = list(parent)
        for p in rng.choice(60, int(rng.integers(1, 5)), replace=False):
            letters[p] = str(rng.choice(list(PROTEIN)))
        rows.append("".join(letters))
    return noisy(rng, rows, truth, 0.15, design={"only_seen": False})


def batch_effect(rng: np.random.Generator) -> Case:
    """GC-rich sequences were measured on another day: no row can reveal that. Expected to go unnoticed."""
    texts = random_texts(rng, 800, 40)

    def truth(text: str) -> float:
        return 0.5 * float("GATA" in text)

    made = noisy(rng, texts, truth, 0.2)
    gc = np.array([(t.count("G") + t.count("C")) / 40 for t in texts])
    return Case(made.texts, made.values + 4.0 * (gc - 0.5), truth, 0.2)


def binding(
    data: Path, factor: str, count: int, noise: float, *, below: float = 1.0
) -> Callable[[np.random.Generator], Case]:
    def make(rng: np.random.Generator) -> Case:
        table: dict[str, float] = {}
        with gzip.open(data / f"dna_pbm8_{factor}.csv.gz", "rt") as handle:
            for row in csv.DictReader(handle):
                table[row["sequence"]] = table[row["revcomp"]] = float(row["escore"])
        texts = sorted(table)
        limit = np.quantile(list(table.values()), below)
        some = [text for text in rng.permutation(texts).tolist() if table[text] <= limit]
        return noisy(rng, some[:count], table.get, noise)

    return make


def bundled(name: str, count: int, *, below: float = 1.0) -> Callable[[np.random.Generator], Case]:
    def make(rng: np.random.Generator) -> Case:
        records = load_dataset(name)
        assert records.outcomes is not None
        table = dict(zip(records.sequences, records.outcomes.tolist(), strict=True))
        limit = np.quantile(records.outcomes, below)
        texts = [text for text in rng.permutation(records.sequences).tolist() if table[text] <= limit]
        return noisy(rng, texts[:count], table.get, 0.0)

    return make


def fluorescence(data: Path, colour: str = "red", count: int = 200) -> Callable[[np.random.Generator], Case]:
    def make(rng: np.random.Generator) -> Case:
        records = read_sequences(data / "prot_fluorescence13_red_blue.csv.gz", outcome=colour)
        assert records.outcomes is not None
        table = dict(zip(records.sequences, records.outcomes.tolist(), strict=True))
        return noisy(rng, rng.permutation(records.sequences).tolist()[:count], table.get, 0.0)

    return make


def cases(data: Path) -> dict[str, Callable[[np.random.Generator], Case]]:
    return {
        "pure noise": pure_noise,
        "sparse epistasis": sparse_epistasis,
        "saturation": saturation,
        "decoy": decoy,
        "counts, weak model": weak_counts,
        "unseen letters": unseen_letters,
        "far from everything": far_from_everything,
        "GFI1B, 300, noise .15": binding(data, "GFI1B", 300, 0.15),
        "CRX, 100, noise .1": binding(data, "CRX", 100, 0.1),
        "batch effect (undetectable)": batch_effect,
        "CR6261, 150": bundled("prot_cr6261_121", 150),
        "CR6261, 1,024": bundled("prot_cr6261_121", 1024),
        "splice sites, 3,000": bundled("rna_mpsa_5ss9", 3000),
        "CRX below the 40th, 3,000": binding(data, "CRX", 3000, 0.0, below=0.4),
        "GFI1B below the 40th, 3,000": binding(data, "GFI1B", 3000, 0.0, below=0.4),
        "red fluorescence, 200": fluorescence(data),
    }
