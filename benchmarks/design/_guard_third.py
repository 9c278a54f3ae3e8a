"""The third family of cases of guard.py: real motifs, ceilings, heavy tails, uneven noise, artefacts.

Written and committed before any of its results was seen, and run once, after the rules of then were frozen;
later rules were developed on it.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from _guard_cases import DNA, PROTEIN, Case, FloatArray, Truth, binding, noisy, random_texts
from _guard_fresh import RNA

from seqdesign.constraints.options import ConstraintOptions
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.reader import read_sequences

Maker = Callable[[np.random.Generator], Case]


def spread(truth: Truth, texts: Sequence[str]) -> float:
    return float(np.std([truth(text) for text in texts]))


def mutants(
    rng: np.random.Generator, parent: str, count: int, most: int, letters: str = PROTEIN
) -> list[str]:
    """With 1 to ``most`` random letters at random places."""
    made = []
    for _ in range(count):
        row = list(parent)
        for place in rng.choice(len(parent), int(rng.integers(1, most + 1)), replace=False):
            row[place] = str(rng.choice(list(letters)))
        made.append("".join(row))
    return made


def added(table: FloatArray, letters: str) -> Truth:
    """Every letter counts by itself: table (L, V)."""
    return lambda text: float(sum(table[i, letters.index(c)] for i, c in enumerate(text)))


def jaspar_motif(path: Path, name: str) -> FloatArray:
    """Log odds (width, 4) of a motif of the collection."""
    with gzip.open(path, "rt") as handle:
        lines = iter(handle.read().split(f" {name}\n", 1)[1].splitlines())
    width = next(int(line.split("w= ")[1].split()[0]) for line in lines if line.startswith("letter-prob"))
    rows = [[float(x) for x in next(lines).split()] for _ in range(width)]
    return np.log((np.array(rows) + 0.01) / 0.26)


def occupancy(data: Path) -> Maker:
    """How likely a factor sits somewhere, by the matrix of a real motif: a ceiling of 1."""
    motif = jaspar_motif(data / "jaspar2024_core_vertebrates.meme.gz", "Runx1")

    def truth(text: str) -> float:
        codes = np.array([DNA.index(c) for c in text])
        width = np.arange(len(motif))
        scores = [motif[width, codes[i : i + len(motif)]].sum() for i in range(len(text) - len(motif) + 1)]
        return float(1 - np.exp(-np.logaddexp(0, np.array(scores) - 4.0).sum()))

    return lambda rng: noisy(rng, random_texts(rng, 900, 50), truth, 0.12)


def much_additive(rng: np.random.Generator) -> Case:
    table = rng.standard_normal((30, 4)) / 30**0.5
    texts = random_texts(rng, 2000, 30)
    truth = added(table, DNA)
    return noisy(rng, texts, truth, 0.5 * spread(truth, texts))


def little_additive(rng: np.random.Generator) -> Case:
    table = rng.standard_normal((16, 4)) / 4
    texts = random_texts(rng, 60, 16, RNA)
    truth = added(table, RNA)
    return noisy(rng, texts, truth, spread(truth, texts))


def heavy_tails(rng: np.random.Generator) -> Case:
    """Student's t with two degrees of freedom on what single letters and a few neighbours do."""
    table, pairs = rng.standard_normal((18, 4)) / 18**0.5, rng.standard_normal((17, 4, 4)) / 12**0.5
    single = added(table, DNA)

    def truth(text: str) -> float:
        c = [DNA.index(letter) for letter in text]
        return single(text) + float(sum(pairs[i, c[i], c[i + 1]] for i in range(0, 17, 3)))

    texts = random_texts(rng, 500, 18)
    made = noisy(rng, texts, truth, 0.0)
    noise = 0.5 * spread(truth, texts)
    return replace(made, values=made.values + noise * rng.standard_t(2, 500), noise=noise)


def growing_noise(rng: np.random.Generator) -> Case:
    """What is large is measured badly: outcomes are multiplied by log-normal errors."""
    inner = added(0.35 * rng.standard_normal((20, 4)), RNA)

    def truth(text: str) -> float:
        return float(np.exp(inner(text)))

    texts = random_texts(rng, 600, 20, RNA)
    made = noisy(rng, texts, truth, 0.0)
    error = np.exp(0.5 * rng.standard_normal(600) - 0.125)
    return replace(made, values=made.values * error, noise=0.5 * float(made.values.mean()))


def fuzzy_word(rng: np.random.Generator) -> Case:
    """Lengths of 30 to 60; a word of seven with one mismatch is worth half, and one is all that counts."""
    word = "TGACTCA"

    def truth(text: str) -> float:
        hits = [sum(a == b for a, b in zip(word, text[i:], strict=False)) for i in range(len(text) - 6)]
        return {7: 2.0, 6: 1.0}.get(max(hits), 0.0)

    texts = [random_texts(rng, 1, int(n))[0] for n in rng.integers(30, 61, 1400)]
    for i in range(0, len(texts), 4):
        letters = list(word)
        if rng.random() < 0.5:
            letters[int(rng.integers(7))] = str(rng.choice(list(DNA)))
        place = int(rng.integers(0, len(texts[i]) - 7))
        texts[i] = texts[i][:place] + "".join(letters) + texts[i][place + 7 :]
    return noisy(rng, texts, truth, 0.5, design={"length": 45})


def scan_at_ceiling(rng: np.random.Generator) -> Case:
    """Mutants of a protein that is nearly as good as it can be: stability has a ceiling in activity."""
    parent = random_texts(rng, 1, 50, PROTEIN)[0]
    effect = rng.normal(-0.9, 0.9, (50, 20))

    def truth(text: str) -> float:
        total = sum(effect[i, PROTEIN.index(c)] for i, c in enumerate(text) if c != parent[i])
        return float(1 / (1 + np.exp(-(total + 2.5))))

    rows = mutants(rng, parent, 900, 2)
    return noisy(rng, rows, truth, 0.12, start=[parent], design={"rules": ConstraintOptions(max_edits=3)})


def amyloid(data: Path) -> Maker:
    """Measured effects of single mutations of Abeta42, added up, with a ceiling, for real variants."""

    def make(rng: np.random.Generator) -> Case:
        records = read_sequences(data / "prot_abeta42.csv.gz")
        assert records.outcomes is not None
        parent = "DAEFRHDSGYEVHHQKLVFFAEDVGSNKGAIIGLMVGGVVIA"
        table = dict(zip(records.sequences, records.outcomes.tolist(), strict=True))
        effect: dict[tuple[int, str], float] = {}
        for text, value in table.items():
            places = [i for i, (a, b) in enumerate(zip(text, parent, strict=True)) if a != b]
            if len(places) == 1:
                effect[places[0], text[places[0]]] = value

        def truth(text: str) -> float:
            edits = [(i, c) for i, c in enumerate(text) if c != parent[i]]
            total = sum(effect.get(edit, -3.0) for edit in edits)
            return float(1.5 * np.tanh(total / 1.5)) if total > 0 else float(total)

        variants = rng.permutation(list(table)).tolist()[:600]
        return noisy(
            rng, variants, truth, 0.4, start=[parent], design={"rules": ConstraintOptions(max_edits=4)}
        )  # fmt: skip

    return make


def native(rng: np.random.Generator) -> Case:
    """Nothing is better than the protein that the mutants come from."""
    parent = random_texts(rng, 1, 35, PROTEIN)[0]
    cost = rng.exponential(0.6, (35, 20))

    def truth(text: str) -> float:
        return -float(sum(cost[i, PROTEIN.index(c)] for i, c in enumerate(text) if c != parent[i]))

    rows = [parent] * 5 + mutants(rng, parent, 500, 5)
    return noisy(rng, rows, truth, 0.6, start=[parent], design={"rules": ConstraintOptions(max_edits=3)})


def spaced(rng: np.random.Generator) -> Case:
    """Two words count only where 8 to 12 letters lie between them; alone each is worth a little."""

    def truth(text: str) -> float:
        first = [i for i in range(len(text)) if text.startswith("GGAC", i)]
        second = [i for i in range(len(text)) if text.startswith("UUCG", i)]
        paired = any(12 <= b - a <= 16 for a in first for b in second)
        return 2.0 * paired + 0.3 * bool(first) + 0.3 * bool(second)

    texts = random_texts(rng, 1600, 56, RNA)
    for i in range(0, len(texts), 2):
        a = int(rng.integers(0, 30))
        b = a + int(rng.integers(6, 22))
        t = texts[i][:a] + "GGAC" + texts[i][a + 4 :]
        texts[i] = t[:b] + "UUCG" + t[b + 4 :]
    return noisy(rng, texts, truth, 0.4)


def two_libraries(rng: np.random.Generator) -> Case:
    """What has the motif comes from a library rich in G and C, nine times in ten; rows tell them apart."""
    poor, rich = (random_texts_with(rng, 600, 40, p) for p in ((0.3, 0.2, 0.2, 0.3), (0.2, 0.3, 0.3, 0.2)))
    texts = []
    for group, share in ((poor, 0.1), (rich, 0.9)):
        for text in group:
            place = int(rng.integers(0, 34))
            has = rng.random() < share
            texts.append(text[:place] + "TATAGC" + text[place + 6 :] if has else text)
    return noisy(rng, texts, lambda text: 1.2 * float("TATAGC" in text), 0.6)


def random_texts_with(rng: np.random.Generator, count: int, length: int, p: Sequence[float]) -> list[str]:
    return ["".join(row) for row in rng.choice(list(DNA), (count, length), p=p)]


def outliers(rng: np.random.Generator) -> Case:
    """One row in twenty five has gone wrong by six standard deviations upwards."""
    table = rng.standard_normal((15, 4)) / 15**0.5
    truth = added(table, DNA)
    texts = random_texts(rng, 400, 15)
    sd = spread(truth, texts)
    made = noisy(rng, texts, truth, 0.4 * sd)
    return replace(made, values=made.values + 6 * sd * (rng.random(400) < 0.04))


def rounded(rng: np.random.Generator) -> Case:
    """A score of whole numbers that cannot fall below 0."""
    inner = added(0.45 * rng.standard_normal((22, 4)), RNA)

    def truth(text: str) -> float:
        return max(0.0, inner(text))

    texts = random_texts(rng, 800, 22, RNA)
    made = noisy(rng, texts, inner, 0.7)
    return replace(made, values=np.round(made.values.clip(0)), truth=truth, noise=0.5)


def capped(rng: np.random.Generator) -> Case:
    """The best fifth of what adds up is all the same: nature has a ceiling, and rows show it."""
    table = rng.standard_normal((14, 4)) / 14**0.5
    inner = added(table, DNA)
    texts = random_texts(rng, 500, 14)
    top = float(np.quantile([inner(text) for text in texts], 0.8))

    def truth(text: str) -> float:
        return min(top, inner(text))

    return noisy(rng, texts, truth, 0.2)


def costly_helper(rng: np.random.Generator) -> Case:
    """A helper word costs by itself, and stands beside the motif in 97% of the sequences that have it."""

    def truth(text: str) -> float:
        return 1.6 * float("CAGCTG" in text) - 0.6 * float("AACCG" in text)

    texts = random_texts(rng, 1000, 48)
    for i in range(0, len(texts), 2):
        place = int(rng.integers(6, 40))
        beside = "AACCG" if rng.random() < 0.97 else texts[i][place - 5 : place]
        texts[i] = texts[i][: place - 5] + beside + "CAGCTG" + texts[i][place + 6 :]
    return noisy(rng, texts, truth, 0.4)


def helical(rng: np.random.Generator) -> Case:
    """AA and TT every ten letters, as around a nucleosome: no word and no place tells it."""

    def truth(text: str) -> float:
        at = np.array([i for i in range(len(text) - 1) if text[i : i + 2] in ("AA", "TT")])
        return float(abs(np.exp(2j * np.pi * at / 10).sum())) / 3

    texts = random_texts(rng, 1000, 70)
    return noisy(rng, texts, truth, 0.5 * spread(truth, texts))


def three_way(rng: np.random.Generator) -> Case:
    """Triples of places that no pair of them tells."""
    triples = [rng.choice(10, 3, replace=False) for _ in range(4)]
    tables = [rng.standard_normal((4, 4, 4)) for _ in triples]
    tables = [t - t.mean(0) - t.mean(1)[:, None] - t.mean(2)[:, :, None] + 2 * t.mean() for t in tables]

    def truth(text: str) -> float:
        c = [DNA.index(letter) for letter in text]
        return float(sum(t[tuple(c[i] for i in ijk)] for ijk, t in zip(triples, tables, strict=True)))

    texts = random_texts(rng, 700, 10)
    return noisy(rng, texts, truth, 0.4 * spread(truth, texts))


def crowded(rng: np.random.Generator) -> Case:
    """Copies of CU add up to a ceiling, more than a few get in each other's way."""

    def truth(text: str) -> float:
        count = text.count("CU")
        return float(3 * count / (4 + count) - 0.02 * max(0, count - 8) ** 2)

    return noisy(rng, random_texts(rng, 600, 64, RNA), truth, 0.25)


def neighbours(data: Path, factor: str, count: int, noise: float) -> Maker:
    """A binding table, of which only what is near one weak word was measured."""
    whole = binding(data, factor, 10**6, 0.0)

    def make(rng: np.random.Generator) -> Case:
        every = whole(rng)
        value = dict(zip(every.texts, every.values.tolist(), strict=True))
        middle = next(text for text in every.texts if -0.1 < value[text] < 0.1)
        near = [text for text in every.texts if sum(a != b for a, b in zip(text, middle, strict=True)) <= 4]
        return noisy(rng, near[:count], every.truth, noise)

    return make


def mislabelled(data: Path, factor: str, count: int, share: float) -> Maker:
    """A binding table, of which a share of the rows has the value of another."""
    whole = binding(data, factor, count, 0.0)

    def make(rng: np.random.Generator) -> Case:
        made = whole(rng)
        wrong = np.flatnonzero(rng.random(len(made.values)) < share)
        values = made.values.copy()
        values[wrong] = values[rng.permutation(wrong)]
        return replace(made, values=values)

    return make


def extremes(name: str, count: int) -> Maker:
    """The best and the worst tenth of a measured landscape, as selected pools have it."""

    def make(rng: np.random.Generator) -> Case:
        records = load_dataset(name)
        assert records.outcomes is not None
        table = dict(zip(records.sequences, records.outcomes.tolist(), strict=True))
        low, high = np.quantile(records.outcomes, [0.1, 0.9])
        texts = [t for t in rng.permutation(records.sequences).tolist() if not low < table[t] < high]
        return noisy(rng, texts[:count], table.get, 0.0)

    return make


def few_mutations(name: str, most: int, count: int, noise: float) -> Maker:
    """A complete library, of which only what differs little from one antibody was measured."""

    def make(rng: np.random.Generator) -> Case:
        records = load_dataset(name)
        assert records.outcomes is not None
        table = dict(zip(records.sequences, records.outcomes.tolist(), strict=True))
        parent = records.sequences[int(rng.integers(len(records.sequences)))]
        near = [
            text
            for text in rng.permutation(records.sequences).tolist()
            if sum(a != b for a, b in zip(text, parent, strict=True)) <= most
        ]
        return noisy(rng, near[:count], table.get, noise)

    return make


def cases(data: Path) -> dict[str, Maker]:
    """Name and maker of each case."""
    return {
        "real motif, ceiling": occupancy(data),
        "additive, 2,000": much_additive,
        "additive, 60": little_additive,
        "heavy tails": heavy_tails,
        "growing noise": growing_noise,
        "fuzzy word, lengths": fuzzy_word,
        "scan at the ceiling": scan_at_ceiling,
        "Abeta42 effects": amyloid(data),
        "native is best": native,
        "spaced pair": spaced,
        "two libraries": two_libraries,
        "outliers": outliers,
        "rounded, floor at 0": rounded,
        "capped": capped,
        "costly helper": costly_helper,
        "helical periods": helical,
        "three-way": three_way,
        "crowded": crowded,
        "EGR2 near one word, 500": neighbours(data, "EGR2", 500, 0.05),
        "SIX6_R2, a fifth mislabelled": mislabelled(data, "SIX6_R2", 600, 0.2),
        "splice sites, extremes, 800": extremes("rna_mpsa_5ss9", 800),
        "CR6261, few mutations": few_mutations("prot_cr6261_121", 4, 250, 0.2),
    }
