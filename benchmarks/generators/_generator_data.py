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


def broken_genes(texts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The same genes, one codon of each, neither the first nor the last, made a stop."""
    places = 3 * rng.integers(1, GENE_CODONS - 1, len(texts))
    stops = rng.choice(STOPS, len(texts))
    return [t[:i] + stop + t[i + 3 :] for t, i, stop in zip(texts, places, stops, strict=True)]


def judge_genes(texts: Sequence[str]) -> Figures:
    """Share of samples that start with ATG, end with a stop and have none within."""
    return {"valid frames": float(np.mean([_is_gene(t) for t in texts]))}


def _is_gene(text: str) -> bool:
    frame = [text[i : i + 3] for i in range(0, len(text), 3)]
    return (
        len(text) % 3 == 0 and frame[0] == "ATG" and frame[-1] in STOPS and not set(frame[1:-1]) & set(STOPS)
    )
