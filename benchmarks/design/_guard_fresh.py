"""The second family of cases of guard.py: other motifs, landscapes, noise and lengths than the first.

Nothing was developed on it: the first family (``_guard_cases.py``) is the development set, and this one was
written before any of its results was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from _guard_cases import DNA, PROTEIN, Case, binding, bundled, fluorescence, noisy, random_texts

from seqdesign.constraints.options import ConstraintOptions

RNA = "ACGU"
Maker = Callable[[np.random.Generator], Case]


def additive(rng: np.random.Generator) -> Case:
    """Every position counts by itself; noise of 0.7 signals; 200 rows."""
    table = rng.standard_normal((24, 4)) / 24**0.5

    def truth(text: str) -> float:
        return float(sum(table[i, RNA.index(letter)] for i, letter in enumerate(text)))

    texts = random_texts(rng, 200, 24, RNA)
    return noisy(rng, texts, truth, 0.7 * float(np.std([truth(text) for text in texts])))


def faint(rng: np.random.Generator) -> Case:
    """One letter in twelve counts, and noise is five times as large as what they do."""
    table = rng.standard_normal((36, 4)) * (rng.random((36, 1)) < 1 / 12)
    table[0] += rng.standard_normal(4)

    def truth(text: str) -> float:
        return float(sum(table[i, DNA.index(letter)] for i, letter in enumerate(text)))

    texts = random_texts(rng, 300, 36)
    return noisy(rng, texts, truth, 5.0 * float(np.std([truth(text) for text in texts])))


def shuffled(rng: np.random.Generator) -> Case:
    """Outcomes of real skew that have nothing to do with the proteins."""
    texts = random_texts(rng, 250, 15, PROTEIN)
    values = rng.exponential(1.0, 250)
    return Case(texts, values, lambda text: 1.0, 1.0)


def both_needed(rng: np.random.Generator) -> Case:
    """Two words anywhere, of which one alone is worth nothing."""

    def truth(text: str) -> float:
        return 2.0 * float("CACGT" in text and "TGAC" in text)

    texts = random_texts(rng, 1500, 50)
    for i in range(0, len(texts), 3):
        for word in ("CACGT", "TGAC"):
            place = int(rng.integers(0, 50 - len(word)))
            if rng.random() < 0.8:
                texts[i] = texts[i][:place] + word + texts[i][place + len(word) :]
    return noisy(rng, texts, truth, 0.4)


def diminishing(rng: np.random.Generator) -> Case:
    """Each further copy of a word is worth less, and a second word costs."""

    def truth(text: str) -> float:
        return float(np.log1p(2 * text.count("GUAC")) - 0.5 * text.count("AAA"))

    return noisy(rng, random_texts(rng, 1200, 80, RNA), truth, 0.35)


def rugged(rng: np.random.Generator) -> Case:
    """An NK landscape: each of nine places depends on its next two."""
    tables = rng.standard_normal((9, 4, 4, 4))

    def truth(text: str) -> float:
        c = [DNA.index(letter) for letter in text]
        return float(np.mean([tables[i, c[i], c[(i + 1) % 9], c[(i + 2) % 9]] for i in range(9)]))

    texts = random_texts(rng, 800, 9)
    return noisy(rng, texts, truth, 0.5 * float(np.std([truth(text) for text in texts])))


def threshold(rng: np.random.Generator) -> Case:
    """Mutants of one protein: stability adds up, activity falls off a cliff; a few mutations help."""
    parent = random_texts(rng, 1, 45, PROTEIN)[0]
    effect = rng.normal(-0.8, 1.0, (45, 20))

    def truth(text: str) -> float:
        total = sum(effect[i, PROTEIN.index(c)] for i, c in enumerate(text) if c != parent[i])
        return float(3 / (1 + np.exp(-(total + 1.0))))

    rows = []
    for _ in range(700):
        letters = list(parent)
        for place in rng.choice(45, int(rng.integers(1, 4)), replace=False):
            letters[place] = str(rng.choice(list(PROTEIN)))
        rows.append("".join(letters))
    return noisy(rng, rows, truth, 0.25, start=[parent], design={"rules": ConstraintOptions(max_edits=4)})


def forbidden_letters(rng: np.random.Generator) -> Case:
    """Half of the letters were never written at ten places, where they are deadly; ``--letters any``."""
    allowed = [rng.permutation(list(DNA))[:2].tolist() if i % 2 else list(DNA) for i in range(20)]
    table = rng.standard_normal((20, 4)) / 20**0.5

    def truth(text: str) -> float:
        good = sum(table[i, DNA.index(c)] for i, c in enumerate(text) if c in allowed[i])
        return float(good - 2.0 * sum(c not in allowed[i] for i, c in enumerate(text)))

    rows = ["".join(str(rng.choice(letters)) for letters in allowed) for _ in range(400)]
    return noisy(rng, rows, truth, 0.2, design={"only_seen": False})


def peak(rng: np.random.Generator) -> Case:
    """Best in the middle: composition at an optimum, and one word."""

    def truth(text: str) -> float:
        gc = (text.count("G") + text.count("C")) / len(text)
        return float(np.exp(-((gc - 0.55) ** 2) / 0.02) + 0.7 * ("TTGCA" in text))

    texts = ["".join(rng.choice(list(DNA), 30, p=p)) for p in rng.dirichlet([4, 4, 4, 4], 900)]
    return noisy(rng, texts, truth, 0.25)


def confounded(rng: np.random.Generator) -> Case:
    """A helper word stands beside the motif in 90% of the sequences that have it."""
    texts = random_texts(rng, 800, 44, RNA)
    for i in range(0, len(texts), 2):
        place = int(rng.integers(5, 36))
        beside = "GGAUC" if rng.random() < 0.9 else texts[i][place - 5 : place]
        texts[i] = texts[i][: place - 5] + beside + "UCACGA" + texts[i][place + 6 :]
    return noisy(rng, texts, lambda text: 1.5 * float("UCACGA" in text), 0.5)


def different_day(rng: np.random.Generator) -> Case:
    """Sequences rich in A were measured on another day: no row can reveal that."""
    texts = random_texts(rng, 600, 30)

    def truth(text: str) -> float:
        return 0.6 * float("CCGA" in text)

    made = noisy(rng, texts, truth, 0.3)
    share = np.array([text.count("A") / 30 for text in texts])
    return Case(made.texts, made.values + 5.0 * (share - 0.25), truth, 0.3)


def cases(data: Path) -> dict[str, Maker]:
    """Name and maker of each case."""
    return {
        "additive, 200": additive,
        "faint signal": faint,
        "no signal, skewed": shuffled,
        "two words needed": both_needed,
        "diminishing returns": diminishing,
        "rugged (NK 9, 2)": rugged,
        "protein with a threshold": threshold,
        "forbidden letters": forbidden_letters,
        "optimum inside": peak,
        "helper word": confounded,
        "another day (undetectable)": different_day,
        "POU3F4, 400, noise .2": binding(data, "POU3F4", 400, 0.2),
        "EGR2, 200, noise .1": binding(data, "EGR2", 200, 0.1),
        "SIX6, 120, noise .05": binding(data, "SIX6_R1", 120, 0.05),
        "POU3F4 below the 40th, 2,000": binding(data, "POU3F4", 2000, 0.0, below=0.4),
        "EGR2 below the 40th, 3,000": binding(data, "EGR2", 3000, 0.0, below=0.4),
        "SIX6 below the 60th, 1,000": binding(data, "SIX6_R1", 1000, 0.0, below=0.6),
        "CR6261 below the median, 400": bundled("prot_cr6261_121", 400, below=0.5),
        "splice sites, 600": bundled("rna_mpsa_5ss9", 600),
        "blue fluorescence, 150": fluorescence(data, "blue", 150),
        "blue fluorescence, 800": fluorescence(data, "blue", 800),
    }
