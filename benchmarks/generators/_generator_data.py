"""Data sets of known structure for generators of sequences, and what is asked of samples of each.

Every maker takes a number of sequences and a numpy generator; every judge takes samples and gives figures,
shares of the samples unless their names say otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chisquare

Figures = dict[str, float]

STEMS = {
    "acceptor": (0, 71, 7),
    "D": (9, 24, 4),
    "anticodon": (26, 42, 5),
    "T": (48, 64, 5),
}
"""First position of the 5' strand, last one of the 3' strand, and pairs of each stem of 72 letters."""
PAIRS = {"GC": 0.30, "CG": 0.30, "AU": 0.15, "UA": 0.15, "GU": 0.05, "UG": 0.05}
STOPS = ("TAA", "TAG", "TGA")
CODONS = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
AMINO = "ACDEFGHIKLMNPQRSTVWY"
FAMILIES, MUTATED = 3, 0.2
GENE_CODONS = 100
MINUS_35 = [
    [0.03, 0.09, 0.09, 0.79], [0.04, 0.03, 0.12, 0.81], [0.08, 0.05, 0.78, 0.09],
    [0.58, 0.17, 0.10, 0.15], [0.32, 0.52, 0.05, 0.11], [0.54, 0.09, 0.17, 0.20],
]  # fmt: skip
MINUS_10 = [
    [0.05, 0.07, 0.06, 0.82], [0.89, 0.03, 0.02, 0.06], [0.26, 0.10, 0.12, 0.52],
    [0.59, 0.13, 0.12, 0.16], [0.49, 0.21, 0.12, 0.18], [0.02, 0.05, 0.02, 0.91],
]  # fmt: skip
"""Shares of A, C, G and T in both words of promoters of E. coli."""
SPACERS, START, NO_PAIR = (15, 16, 17, 18, 19), 61, -20.0
"""Letters between both words, the place where transcription starts, the score of less than two words."""
FIRST_WORD, SECOND_WORD, APART = "TGACTCA", "CACGTG", 30


def trna(num: int, rng: np.random.Generator) -> list[str]:
    """72 letters of RNA like a tRNA: four stems whose letters always pair, a few conserved letters."""
    letters = rng.choice(list("ACGU"), size=(num, 72), p=[0.28, 0.22, 0.26, 0.24])
    names, shares = list(PAIRS), list(PAIRS.values())
    for first, last, pairs in STEMS.values():
        for i in range(pairs):
            drawn = np.array(names)[rng.choice(len(names), size=num, p=shares)]
            letters[:, first + i] = [pair[0] for pair in drawn]
            letters[:, last - i] = [pair[1] for pair in drawn]
    for place, letter, share in ((32, "U", 0.98), (53, "U", 0.95), (54, "U", 0.95), (55, "C", 0.9)):
        letters[rng.random(num) < share, place] = letter
    return ["".join(row) for row in letters]


def judge_trna(texts: Sequence[str]) -> Figures:
    """Share of samples in which every pair of a stem is one."""
    figures = {}
    for name, (first, last, pairs) in STEMS.items():
        whole = [
            len(t) == 72 and all(t[first + i] + t[last - i] in PAIRS for i in range(pairs)) for t in texts
        ]
        figures[name] = float(np.mean(whole))
    return figures


def planted(word: str, num: int, rng: np.random.Generator) -> list[str]:
    """50 letters of C and G with one word at an even place (Killoran et al. 2017 take TATA)."""
    letters = rng.choice(list("CG"), size=(num, 50))
    places = rng.integers(0, 51 - len(word), num)
    for i, letter in enumerate(word):
        letters[np.arange(num), places + i] = letter
    return ["".join(row) for row in letters]


def judge_planted(word: str, texts: Sequence[str]) -> Figures:
    """Exactly one word and nothing else but C and G; p of a chi-square test that its place is even."""
    last = 51 - len(word)
    found = [[i for i in range(last) if t[i : i + len(word)] == word] for t in texts]
    places = [f[0] for f, t in zip(found, texts, strict=True) if len(f) == 1 and _rest_is_gc(t, f[0], word)]
    even = chisquare(np.bincount(places, minlength=last)).pvalue if places else 0.0
    return {"exactly one": len(places) / len(texts), "p of even places": float(even)}


def _rest_is_gc(text: str, place: int, word: str) -> bool:
    return set(text[:place] + text[place + len(word) :]) <= set("CG")


def word_pair(num: int, rng: np.random.Generator, length: int = 100) -> list[str]:
    """Random letters of DNA with two words, the second 30 letters after the first."""
    letters = rng.choice(list("ACGT"), size=(num, length))
    places = rng.integers(0, length - APART - len(SECOND_WORD) + 1, num)
    for offset, word in ((0, FIRST_WORD), (APART, SECOND_WORD)):
        for i, letter in enumerate(word):
            letters[np.arange(num), places + offset + i] = letter
    return ["".join(row) for row in letters]


def judge_word_pair(texts: Sequence[str]) -> Figures:
    """Share with the first word, with the second, and with both at the right distance."""
    right = [
        any(t.startswith(FIRST_WORD, i) and t.startswith(SECOND_WORD, i + APART) for i in range(len(t)))
        for t in texts
    ]
    return {
        "first word": float(np.mean([FIRST_WORD in t for t in texts])),
        "second word": float(np.mean([SECOND_WORD in t for t in texts])),
        "at the distance": float(np.mean(right)),
    }


def bacteria(num: int, rng: np.random.Generator) -> list[str]:
    """81 letters like promoters of E. coli: -35, 15 to 19 letters, -10, 5 to 9 letters, the start."""
    spacers = rng.choice(SPACERS, size=num, p=[0.08, 0.21, 0.43, 0.20, 0.08])
    leads = rng.choice([5, 6, 7, 8, 9], size=num, p=[0.1, 0.25, 0.35, 0.2, 0.1])
    found = []
    for spacer, lead in zip(spacers, leads, strict=True):
        second = START - lead - 6
        first = second - spacer - 6
        shares = np.tile([0.29, 0.21, 0.21, 0.29], (81, 1))
        shares[:first] = [0.36, 0.15, 0.14, 0.35]
        shares[first : first + 6], shares[second : second + 6] = MINUS_35, MINUS_10
        if rng.random() < 0.2:
            shares[second - 2 : second] = [[0, 0, 0, 1], [0, 0, 1, 0]]
        shares[START] = [0.5, 0.1, 0.32, 0.08]
        letters = (shares.cumsum(1) < rng.random((81, 1))).sum(1).clip(max=3)
        found.append("".join("ACGT"[i] for i in letters))
    return found


def ragged(texts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Up to 21 letters are missing at the beginning."""
    return [text[cut:] for text, cut in zip(texts, rng.integers(0, 22, len(texts)), strict=True)]


def words_of_bacteria(texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Log-odds in nats of the best pair of both words (NO_PAIR of short texts), letters between them."""
    first, second = (np.log(np.array(table) / 0.25) for table in (MINUS_35, MINUS_10))
    best, between = [], []
    for text in texts:
        if len(text) < 12 + SPACERS[0]:
            best.append(NO_PAIR)
            between.append(0)
            continue
        codes = np.array(["ACGT".index(c) for c in text])
        windows = np.lib.stride_tricks.sliding_window_view(codes, 6)
        one, two = (table[np.arange(6), windows].sum(1) for table in (first, second))
        found = [(max(one[: -6 - s] + two[6 + s :], default=-np.inf), s) for s in SPACERS]
        score, spacer = max(found)
        best.append(score)
        between.append(spacer)
    return np.array(best), np.array(between)


def family_parents() -> NDArray[np.str_]:
    """The three parents (3, 60); the same ones always."""
    return np.random.default_rng(2026).choice(list(AMINO), size=(FAMILIES, 60))


def families(num: int, rng: np.random.Generator) -> list[str]:
    """60 letters of protein from three unrelated parents, each letter redrawn with probability .2."""
    letters = family_parents()[rng.integers(0, FAMILIES, num)]
    redrawn = rng.random(letters.shape) < MUTATED
    letters = np.where(redrawn, rng.choice(list(AMINO), size=letters.shape), letters)
    return ["".join(row) for row in letters]


def judge_families(texts: Sequence[str]) -> Figures:
    """Chimeras (nearer than 2.5 times the usual distance to no parent), mutations, evenness of the families.

    A chimera is at more than 30 mutations, 6 standard deviations from what the data have (11.4 +- 3.0).
    """
    rows = np.array([list(t.ljust(60, "-")[:60]) for t in texts])
    distance = (rows[:, None] != family_parents()[None]).sum(2)
    nearest = distance.min(1)
    member = nearest <= 30
    counts = np.bincount(distance.argmin(1)[member], minlength=FAMILIES)
    return {
        "chimeras": float(np.mean(~member)),
        "mutations": float(nearest[member].mean()) if member.any() else float("nan"),
        "sd of mutations": float(nearest[member].std()) if member.any() else float("nan"),
        "smallest family": float(counts.min() / max(1, counts.sum())),
    }


def genes(num: int, rng: np.random.Generator) -> list[str]:
    """300 letters: ATG, 98 codons that are no stop, with a usage of their own, and a stop."""
    inner = [c for c in CODONS if c not in STOPS]
    usage = np.random.default_rng(61).dirichlet(np.full(len(inner), 1.0))
    rows = rng.choice(len(inner), size=(num, GENE_CODONS - 2), p=usage)
    ends = rng.integers(0, 3, num)
    return ["ATG" + "".join(inner[i] for i in row) + STOPS[e] for row, e in zip(rows, ends, strict=True)]


def judge_genes(texts: Sequence[str]) -> Figures:
    """Share of samples that start with ATG, end with a stop and have none within."""
    return {"valid frames": float(np.mean([_is_gene(t) for t in texts]))}


def _is_gene(text: str) -> bool:
    frame = [text[i : i + 3] for i in range(0, len(text), 3)]
    return (
        len(text) % 3 == 0 and frame[0] == "ATG" and frame[-1] in STOPS and not set(frame[1:-1]) & set(STOPS)
    )
