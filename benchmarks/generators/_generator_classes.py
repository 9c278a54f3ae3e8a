"""Classes of sequences of several lengths whose structure stands at no fixed place, and how it is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from _generator_data import AMINO, GENE_CODONS, PAIRS, STEMS, STOPS, trna

Figures = dict[str, float]
Maker = Callable[[Sequence[str], np.random.Generator], list[str]]
PARTNER = {"A": "U", "C": "G", "G": "C", "U": "A"}
STEM, LOOPS, FLANKS = (7, 8, 9), (4, 5, 6, 7, 8), (4, 11)
SECOND, LAST = "LMIVQA", "VLIAM"
"""Anchors of peptides: the second letter and the last one."""


def letters(kinds: str, num: int, rng: np.random.Generator) -> str:
    """So many random letters."""
    return "".join(rng.choice(list(kinds), size=num))


def hairpins(num: int, rng: np.random.Generator) -> list[str]:
    """26 to 46 letters of RNA: a stem of 7 to 9 pairs (.15 of those of G and U are G-U), a loop of 4 to 8."""
    found = []
    for _ in range(num):
        pairs, loop = rng.choice(STEM), rng.choice(LOOPS)
        before, behind = (letters("ACGU", rng.integers(*FLANKS), rng) for _ in range(2))
        first = letters("ACGU", pairs, rng)
        wobble = rng.random(pairs) < 0.15
        last = [
            {"G": "U", "U": "G"}.get(c, PARTNER[c]) if w else PARTNER[c]
            for c, w in zip(first[::-1], wobble, strict=True)
        ]
        middle = "".join(rng.choice(list("ACGU"), size=loop, p=[0.4, 0.15, 0.2, 0.25]))
        found.append(before + first + middle + "".join(last) + behind)
    return found


def judge_hairpins(texts: Sequence[str]) -> Figures:
    """Share with a stem of 7 pairs or more over a loop of 4 to 8, and its pairs."""
    longest = np.array([_longest_stem(text) for text in texts])
    return {"stem of 7": float((longest >= 7).mean()), "pairs": float(longest.mean())}


def _longest_stem(text: str) -> int:
    best = 0
    for loop in LOOPS:
        for first in range(len(text) - loop):
            pairs = 0
            while (
                first - pairs - 1 >= 0
                and first + loop + pairs < len(text)
                and text[first - pairs - 1] + text[first + loop + pairs] in PAIRS
            ):
                pairs += 1
            best = max(best, pairs)
    return best


def precursors(num: int, rng: np.random.Generator) -> list[str]:
    """Sequences like tRNA with up to 15 random letters on either side."""
    ends = rng.integers(0, 16, (num, 2))
    return [
        letters("ACGU", a, rng) + text + letters("ACGU", b, rng)
        for text, (a, b) in zip(trna(num, rng), ends, strict=True)
    ]


def judge_precursors(texts: Sequence[str]) -> Figures:
    """Share with all four stems whole at one start, and most whole stems on average."""
    most = np.array([max((_stems(t[i : i + 72]) for i in range(len(t) - 71)), default=0) for t in texts])
    return {"four stems": float((most == 4).mean()), "stems": float(most.mean())}


def _stems(text: str) -> int:
    return sum(
        all(text[first + i] + text[last - i] in PAIRS for i in range(pairs))
        for first, last, pairs in STEMS.values()
    )


def operators(num: int, rng: np.random.Generator) -> list[str]:
    """80 letters of DNA, of which 9 come twice, 3 to 15 letters apart, each letter redrawn with p = .05."""
    rows = rng.choice(list("ACGT"), size=(num, 80))
    for row, apart in zip(rows, 9 + rng.integers(3, 16, num), strict=True):
        first = rng.integers(0, 71 - apart)
        word = row[first : first + 9].copy()
        redrawn = rng.random(9) < 0.05
        word[redrawn] = rng.choice(list("ACGT"), size=redrawn.sum())
        row[first + apart : first + apart + 9] = word
    return ["".join(row) for row in rows]


def judge_operators(texts: Sequence[str]) -> Figures:
    """Share with a word of 7 that comes again 12 to 24 letters later."""
    again = [any(t[i : i + 7] in t[i + 12 : i + 31] for i in range(len(t) - 18)) for t in texts]
    return {"word of 7 twice": float(np.mean(again))}


def peptides(num: int, rng: np.random.Generator) -> list[str]:
    """8 to 11 letters of protein, mostly 9, with anchors in .93 of cases each."""
    found = []
    for length in rng.choice([8, 9, 10, 11], size=num, p=[0.1, 0.6, 0.2, 0.1]):
        text = list(letters(AMINO, length, rng))
        if rng.random() < 0.93:
            text[1] = rng.choice(list(SECOND), p=[0.5, 0.2, 0.1, 0.08, 0.07, 0.05])
        if rng.random() < 0.93:
            text[-1] = rng.choice(list(LAST), p=[0.45, 0.25, 0.15, 0.1, 0.05])
        found.append("".join(text))
    return found


def judge_peptides(texts: Sequence[str]) -> Figures:
    """Share with each anchor."""
    return {
        "second": float(np.mean([t[1:2] != "" and t[1:2] in SECOND for t in texts])),
        "last": float(np.mean([t[-1] in LAST for t in texts])),
    }


def broken_genes(texts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The same genes, one codon of each, neither the first nor the last, made a stop."""
    places = 3 * rng.integers(1, GENE_CODONS - 1, len(texts))
    stops = rng.choice(STOPS, len(texts))
    return [t[:i] + stop + t[i + 3 :] for t, i, stop in zip(texts, places, stops, strict=True)]


def halves_of_others(texts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The second half of each is that of another of the same length."""
    found = list(texts)
    for length in set(map(len, texts)):
        rows = rng.permutation([i for i, t in enumerate(texts) if len(t) == length])
        for i, j in zip(rows, np.roll(rows, 1), strict=True):
            found[i] = texts[i][: length // 2] + texts[j][length // 2 :]
    return found


def one_moved(texts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The last two letters of a fifth of them have changed places."""
    moved = rng.random(len(texts)) < 0.2
    return [t[:-2] + t[:-3:-1] if m else t for t, m in zip(texts, moved, strict=True)]


BROKEN: dict[str, tuple[str, Maker]] = {
    "genes": ("one codon made a stop", broken_genes),
    "hairpins": ("halves of others", halves_of_others),
    "precursors": ("halves of others", halves_of_others),
    "operators": ("halves of others", halves_of_others),
    "peptides": ("last two letters of a fifth exchanged", one_moved),
}
"""Of real sequences, what makes them work no more, by data."""
