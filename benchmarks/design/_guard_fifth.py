"""The fifth family of cases of guard.py: assays as laboratories run them, small libraries and grammars.

Written by somebody who had read neither the rules of the guard nor any result of theirs, and not tuned to any
outcome. In most cases good designs are within reach; in nearly half a model that takes the rows at their word
is fooled.

    python benchmarks/design/_guard_fifth.py ../shared/data

checks the generators as ``_guard_fourth.py`` does, and asks the truth about other sequences than the rows.
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from _guard_cases import DNA, PROTEIN, Case, FloatArray, noisy, random_texts
from _guard_fourth import check, differences, planted
from _guard_fresh import RNA
from _guard_third import Maker, added, mutants, spread
from ggs_aav import Oracle

from seqdesign.constraints.options import ConstraintOptions
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.reader import read_sequences

REGRESSION = {"task": "regression"}
"""Of 0 and 1 too: guard.py compares outcomes, and classes have their score in log odds."""
PAIRED = {"GC": 3.0, "CG": 3.0, "AU": 2.0, "UA": 2.0, "GU": 1.0, "UG": 1.0}


def true_values(truth: Callable[[str], float], texts: Sequence[str]) -> FloatArray:
    return np.array([truth(text) for text in texts])


def observed(texts: Sequence[str], values: FloatArray, truth: Callable[[str], float], **more: object) -> Case:
    """Values with errors that are not of one normal distribution; their standard deviation is the noise."""
    error = float(np.std(values - true_values(truth, texts)))
    return Case(list(texts), values, truth, error, **more)  # type: ignore[arg-type]


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def one_hot(texts: Sequence[str], letters: str = DNA) -> FloatArray:
    """(N, L * V)."""
    codes = np.array([[letters.index(c) for c in text] for text in texts])
    return np.eye(len(letters))[codes].reshape(len(texts), -1)


@cache
def energies(name: str) -> FloatArray:
    """Of each letter (L, 4), by ridge regression on a bundled set of DNA; rows have a sum of mean 0, sd 1."""
    records = load_dataset(name)
    assert records.outcomes is not None
    length = len(records.sequences[0])
    keep = [i for i, text in enumerate(records.sequences) if not set(text) - set(DNA)]
    keep = keep[:: max(1, len(keep) // 8000)]
    x = one_hot([records.sequences[i] for i in keep])
    y = np.asarray(records.outcomes, dtype=float)[keep]
    inside = x - x.mean(axis=0)
    weights = np.linalg.solve(inside.T @ inside + 100 * np.eye(x.shape[1]), inside.T @ (y - y.mean()))
    found = x @ weights
    scaled: FloatArray = (weights - found.mean() / length) / found.std()
    return scaled.reshape(length, 4)


def two_letters(
    rng: np.random.Generator, length: int, sites: int, letters: str
) -> tuple[str, list[int], list[str]]:
    """A parent, the places where a library has one of two letters, and the other letters."""
    parent = random_texts(rng, 1, length, letters)[0]
    places = sorted(rng.choice(length, sites, replace=False).tolist())
    return parent, places, [str(rng.choice([c for c in letters if c != parent[p]])) for p in places]


def combinations(
    rng: np.random.Generator, count: int, parent: str, places: list[int], others: list[str]
) -> list[str]:
    """``count`` different members of the library, the parent not always among them."""
    texts = []
    for code in rng.permutation(2 ** len(places))[:count].tolist():
        row = parent
        for k, (place, letter) in enumerate(zip(places, others, strict=True)):
            row = planted(row, letter, place) if code >> k & 1 else row
        texts.append(row)
    return texts


# Libraries of variants.


def sixty_of_256(rng: np.random.Generator) -> Case:
    """Two residues at each of eight sites, sixty of the 256 made and measured well; a mild ceiling."""
    parent, places, others = two_letters(rng, 40, 8, PROTEIN)
    effects = rng.standard_normal(8)

    def truth(text: str) -> float:
        changed = dict(differences(text, parent))
        if any(p not in places or others[places.index(p)] != c for p, c in changed.items()):
            return -3.0
        return 4 * sigmoid(0.5 * sum(e for p, e in zip(places, effects, strict=True) if p in changed))

    texts = combinations(rng, 60, parent, places, others)
    return noisy(rng, texts, truth, 0.3 * spread(truth, texts))


def pairs_only(rng: np.random.Generator) -> Case:
    """Ten sites of two letters in 30; no letter does anything by itself, 45 pairs do; a third is measured."""
    parent, places, others = two_letters(rng, 30, 10, DNA)
    table = np.triu(rng.standard_normal((10, 10)), 1)

    def truth(text: str) -> float:
        changed = dict(differences(text, parent))
        if any(p not in places or others[places.index(p)] != c for p, c in changed.items()):
            return -20.0
        signs = np.array([-1.0 if p in changed else 1.0 for p in places])
        return float(signs @ table @ signs)

    texts = combinations(rng, 340, parent, places, others)
    return noisy(rng, texts, truth, 0.25 * spread(truth, texts))


def folds_and_binds(rng: np.random.Generator) -> Case:
    """A weak binder in three states: mutations cost folding, some tighten the contact; errors grow."""
    parent = random_texts(rng, 1, 60, PROTEIN)[0]
    contact = rng.choice(60, 14, replace=False)
    folding, binding = rng.normal(0.6, 0.7, (60, 20)), np.zeros((60, 20))
    binding[contact] = rng.normal(0.3, 1.2, (14, 20))

    def truth(text: str) -> float:
        changed = [(p, PROTEIN.index(c)) for p, c in differences(text, parent)]
        fold = -2.5 + sum(folding[at] for at in changed)
        bind = 1.7 + sum(binding[at] for at in changed)
        return float(1 / (1 + np.exp(min(bind, 50.0)) * (1 + np.exp(min(fold, 50.0)))))

    texts = mutants(rng, parent, 1500, 4)
    true = true_values(truth, texts)
    values = true + (0.01 + 0.15 * true) * rng.standard_normal(len(texts))
    return observed(texts, values, truth, start=[parent], design={"rules": ConstraintOptions(max_edits=4)})


def broken_stem(rng: np.random.Generator) -> Case:
    """RNA whose stem of ten pairs has three mismatches; mutants break it or mend it, and pairs must stack."""
    left = random_texts(rng, 1, 10, RNA)[0]
    right = [dict(zip("ACGU", "UGCA", strict=True))[c] for c in reversed(left)]
    for k in (2, 5, 7):
        right[k] = left[9 - k]
    parent = left + random_texts(rng, 1, 8, RNA)[0] + "".join(right)

    def truth(text: str) -> float:
        held = [PAIRED.get(text[i] + text[-1 - i], 0.0) for i in range(10)]
        stacked = sum(a + b for a, b in pairwise(held) if a and b) / 2
        return 3 * sigmoid((stacked - 9) / 3)

    texts = mutants(rng, parent, 700, 4, RNA)
    return noisy(rng, texts, truth, 0.25, start=[parent], design={"rules": ConstraintOptions(max_edits=5)})


def promoter_bins(rng: np.random.Generator) -> Case:
    """Sorted lac promoters of 75: energies as measured add up, bins of 0 to 9 saturate; one cell a row."""
    table = energies("dna_lac_sortseq75")
    total = added(table, DNA)

    def truth(text: str) -> float:
        return 9 * sigmoid(1.5 * float(total(text) or 0.0))

    known = [text for text in load_dataset("dna_lac_sortseq75").sequences if not set(text) - set(DNA)]
    texts = rng.permutation(known).tolist()[:1200]
    cells = true_values(truth, texts) + 2.0 * rng.standard_normal(1200)
    return observed(texts, np.clip(np.round(cells), 0, 9), truth)


def origin_calls(rng: np.random.Generator) -> Case:
    """A yeast origin of 150 with ten mutations: 0 or 1, drawn by the odds that its letters add up to."""
    total = added(energies("dna_ars1_150_8k"), DNA)

    def truth(text: str) -> float:
        return sigmoid(2.5 * float(total(text) or 0.0))

    known = [text for text in load_dataset("dna_ars1_150_8k").sequences if not set(text) - set(DNA)]
    texts = rng.permutation(known).tolist()[:800]
    values = rng.binomial(1, true_values(truth, texts)).astype(float)
    return observed(texts, values, truth, training=REGRESSION)


@cache
def gb1_states(path: Path) -> tuple[str, list[str], FloatArray, FloatArray]:
    """Wild type, double mutants, effects (55, 20) and (floor, height) of two states fitted to them.

    The wild type is held at 0, as the enrichments are: rows that all have two mutations leave it open.
    """
    records = read_sequences(path)
    assert records.outcomes is not None
    wild = "".join(max(set(column), key=column.count) for column in zip(*records.sequences, strict=True))
    changes = [differences(text, wild) for text in records.sequences]
    index = torch.tensor([[20 * p + PROTEIN.index(c) for p, c in both] for both in changes])
    y = torch.as_tensor(np.asarray(records.outcomes), dtype=torch.float32)
    effects = torch.zeros(55 * 20, requires_grad=True)
    shape = torch.tensor([-8.0, 9.5], requires_grad=True)
    optimizer = torch.optim.Adam([effects, shape], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        told = shape[0] + shape[1] * torch.sigmoid(torch.logit(-shape[0] / shape[1]) + effects[index].sum(1))
        (((told - y) ** 2).mean() + 2e-4 * (effects**2).sum() / 55).backward()
        optimizer.step()
    found = effects.detach().numpy().astype(float).reshape(55, 20)
    return wild, records.sequences, found, shape.detach().numpy().astype(float)


def gb1_fitness(data: Path) -> Maker:
    """Double mutants of GB1, effects fitted to 60,000 measured ones: two states; the weak have few reads."""

    def make(rng: np.random.Generator) -> Case:
        wild, known, effects, (floor, height) = gb1_states(data / "prot_gb1_doubles_60k.csv.gz")

        def truth(text: str) -> float:
            changed = sum(effects[p, PROTEIN.index(c)] for p, c in differences(text, wild))
            return float(floor + height * sigmoid(np.log(-floor / (height + floor)) + changed))

        texts = rng.permutation(known).tolist()[:1200]
        true = true_values(truth, texts)
        error = 0.2 + 0.8 * (true.max() - true) / np.ptp(true)
        values = true + error * rng.standard_normal(len(texts))
        return observed(texts, values, truth, start=[wild], design={"rules": ConstraintOptions(max_edits=3)})

    return make


def capsid_oracle(data: Path) -> Maker:
    """Capsid variants of middling fitness; the truth is a network that was trained on many more."""

    def make(rng: np.random.Generator) -> Case:
        oracle = Oracle(data / "prot_ggs_aav_oracle.npz")

        def truth(text: str) -> float:
            with torch.no_grad():
                return 20 * float(oracle([text])[0])

        known = read_sequences(data / "prot_ggs_aav_medium.csv.gz").sequences
        texts = rng.permutation(known).tolist()[:1000]
        return noisy(rng, texts, truth, 0.5 * spread(truth, texts))

    return make


# Unrelated short sequences.


def protease(rng: np.random.Generator) -> Case:
    """4,000 substrates of eight residues, hardly any noise: sites add up, two of them interact."""
    weights = np.array([0.2, 0.3, 0.6, 1.5, 1.0, 0.6, 0.3, 0.2])
    table, pair = weights[:, None] * rng.standard_normal((8, 20)), 0.5 * rng.standard_normal((20, 20))

    def truth(text: str) -> float:
        codes = [PROTEIN.index(c) for c in text]
        return float(table[np.arange(8), codes].sum() + pair[codes[3], codes[4]])

    texts = random_texts(rng, 4000, 8, PROTEIN)
    pairs = {"architecture": "pairs"}  # no others are tried: that takes most of a minute here
    return noisy(rng, texts, truth, 0.05 * spread(truth, texts), training=pairs)


def skewed_errors(rng: np.random.Generator) -> Case:
    """Every letter of 16 counts; half of the variance is error with a long tail upwards."""
    truth = added(rng.standard_normal((16, 4)) / 4, RNA)
    texts = random_texts(rng, 500, 16, RNA)
    errors = spread(truth, texts) * (rng.exponential(1.0, 500) - 1)
    true = np.array([truth(text) for text in texts], dtype=float)
    return Case(texts, true + errors, truth, float(errors.std()))


def detection_window(rng: np.random.Generator) -> Case:
    """Affinities of peptides of four letters a place; what is below or above the range reads as its end."""
    letters = [rng.permutation(list(PROTEIN))[:4].tolist() for _ in range(12)]
    truth = added(rng.standard_normal((12, 20)) / 12**0.5, PROTEIN)
    texts = ["".join(str(rng.choice(found)) for found in letters) for _ in range(600)]
    made = noisy(rng, texts, truth, 0.3 * spread(truth, texts))
    low, high = np.quantile(made.values, [0.45, 0.85])
    return Case(texts, np.clip(made.values, low, high), truth, made.noise)


def winners_only(rng: np.random.Generator) -> Case:
    """The 120 best readings of a screen of 4,000, half of whose variance is error; the rest is lost."""
    truth = added(rng.standard_normal((20, 20)) / 20**0.5, PROTEIN)
    texts = random_texts(rng, 4000, 20, PROTEIN)
    values = noisy(rng, texts, truth, noise := spread(truth, texts)).values
    best = np.argsort(-values)[:120]
    return Case([texts[i] for i in best], values[best], truth, noise)


def copied_clones(rng: np.random.Generator) -> Case:
    """900 rows that are 180 clones: copies agree, because they share the error that their clone has."""
    table = rng.standard_normal((24, 4)) / 24**0.5
    truth = added(table, RNA)
    clones = random_texts(rng, 180, 24, RNA)
    size = spread(truth, clones)
    shared = size * rng.standard_normal(180)
    shares = rng.lognormal(0.0, 1.0, 180)
    drawn = np.concatenate([np.arange(180), rng.choice(180, 720, p=shares / shares.sum())])
    texts = [clones[i] for i in drawn]
    true = np.array([truth(text) for text in texts], dtype=float)
    return Case(texts, true + shared[drawn] + 0.1 * size * rng.standard_normal(900), truth, size)


def toxic_when_strong(rng: np.random.Generator) -> Case:
    """Doped promoters of 40: yield grows with strength, but what one row in twenty has slows the cells."""
    box = {5 + i: c for i, c in enumerate("TTGACA")} | {28 + i: c for i, c in enumerate("TATAAT")}
    weights = {place: float(rng.gamma(4.0, 0.25)) for place in box}

    def strength(text: str) -> float:
        return sum(weights[place] for place, c in box.items() if text[place] == c)

    texts = random_texts(rng, 800, 40)
    for i, text in enumerate(texts):
        kept = {place: c for place, c in box.items() if rng.random() < 0.35}
        texts[i] = "".join(kept.get(place, c) for place, c in enumerate(text))
    limit = float(np.quantile([strength(text) for text in texts], 0.95))

    def truth(text: str) -> float:
        found = strength(text)
        return max(found - 0.3 * float(np.exp(2 * (found - limit))), -3.0)

    return noisy(rng, texts, truth, 0.5 * spread(truth, texts))


def start_sites(rng: np.random.Generator) -> Case:
    """Leaders of 18 to 40: a stretch that pairs with the ribosome, at its distance; six pairs are best."""
    word, spots = "UAAGGAGGU", range(3, 14)
    parts = {word[i : i + k] for k in range(3, 10) for i in range(10 - k)}

    def pairing(text: str) -> float:
        found = 0.0
        for before in spots:  # letters between the stretch and the start codon
            for k in range(3, 10):
                end = len(text) - before
                if end >= k and text[end - k : end] in parts:
                    found = max(found, min(k, 12 - k) * max(0.0, 1 - 0.2 * abs(before - 6)))
        return found

    def truth(text: str) -> float:
        return 0.6 * pairing(text) + 2 * (text.count("A") + text.count("U")) / len(text)

    texts = [random_texts(rng, 1, int(n), RNA)[0] for n in rng.integers(18, 41, 700)]
    for i in range(0, len(texts), 2):
        k, before = int(rng.integers(4, 10)), int(rng.integers(3, 10))
        first = int(rng.integers(0, 10 - k))
        place = len(texts[i]) - before - k
        if place >= 0:
            texts[i] = planted(texts[i], word[first : first + k], place)
    reads = rng.poisson(2 * 2 ** true_values(truth, texts))
    return observed(texts, np.log2((reads + 0.5) / 2), truth, design={"length": 28})


def phage_binders(rng: np.random.Generator) -> Case:
    """Binders from a display library, the rest from a database: letters tell the origin, HPQ the binding."""
    often = dict.fromkeys("AGPTV", 2.0) | dict.fromkeys("LRS", 3.0)
    weights = np.array([often.get(c, 1.0) for c in PROTEIN])

    def truth(text: str) -> float:
        if "HPQ" in text:
            return 0.95
        return 0.4 if re.search("HP|PQ|H.Q", text) else 0.05

    texts = []
    for i, length in enumerate(rng.integers(10, 16, 800).tolist()):
        if i % 8 < 3:
            row = "".join(rng.choice(list(PROTEIN), length, p=weights / weights.sum()))
            word = "HPQ" if rng.random() < 0.7 else str(rng.choice(["HPA", "SPQ", "HLQ"]))
            texts.append(planted(row, word, int(rng.integers(0, length - 2))))
        else:
            texts.append(random_texts(rng, 1, length, PROTEIN)[0])
    values = rng.binomial(1, true_values(truth, texts)).astype(float)
    return observed(texts, values, truth, training=REGRESSION, design={"length": 12})


# Long DNA, and families on days of their own.


def receptor_repeats(rng: np.random.Generator) -> Case:
    """200 letters, both strands: half-sites count little each, two of one direction four apart count most."""
    site, back = "AGGTCA", "TGACCT"
    direct = re.compile(f"{site}.{{4}}{site}|{back}.{{4}}{back}")
    inverted = re.compile(f"{site}.{back}")

    def truth(text: str) -> float:
        halves = text.count(site) + text.count(back)
        best = 2.5 if direct.search(text) else 1.2 if inverted.search(text) else 0.0
        return best + 0.4 * min(halves, 4)

    texts = random_texts(rng, 700, 200)
    for i in range(0, len(texts), 2):
        first, second = rng.choice([site, back], 2).tolist()
        apart = int(rng.integers(0, 12))
        if rng.random() < 0.4:
            second, apart = first, 4
        word = f"{first}{''.join(rng.choice(list(DNA), apart))}{second}"
        texts[i] = planted(texts[i], word, int(rng.integers(0, 200 - len(word))))
    errors = 0.4 * (rng.gumbel(size=len(texts)) - np.euler_gamma)
    return observed(texts, true_values(truth, texts) + errors, truth)


def matches(text: str, word: str, first: int, last: int) -> int:
    """The most letters that agree with the word where it begins at ``first`` to ``last``."""
    return max(sum(map(str.__eq__, word, text[i : i + len(word)])) for i in range(first, last + 1))


def core_promoters(rng: np.random.Generator) -> Case:
    """Natural fly promoters of 100, a TATA box at its place and a DRE further up: more together."""

    def truth(text: str) -> float:
        tata = {6: 1.0, 5: 0.4}.get(matches(text, "TATAAA", 62, 76), 0.0)
        upstream = {8: 1.0, 7: 0.5}.get(matches(text, "TATCGATA", 0, 50), 0.0)
        return 2 + 1.5 * tata + 1.2 * upstream + 1.5 * tata * upstream

    known = [t for t in load_dataset("dna_dm3_core_promoter100").sequences if not set(t) - set(DNA)]
    texts = rng.permutation(known).tolist()[:1000]
    for i in range(0, len(texts), 3):
        texts[i] = planted(texts[i], "TATCGATA", int(rng.integers(0, 51)))
        if rng.random() < 0.4:
            texts[i] = planted(texts[i], "TATAAA", int(rng.integers(62, 77)))
    mean = 4 * 2 ** (true_values(truth, texts) + 0.4 * rng.standard_normal(len(texts)))
    return observed(texts, np.log2((rng.poisson(mean) + 0.5) / 4), truth)


def scaffold_days(rng: np.random.Generator) -> Case:
    """Mutants of six scaffolds, each measured on a day with an offset of its own: no row can reveal that."""
    scaffolds = random_texts(rng, 6, 30, PROTEIN)
    table = 0.5 * rng.standard_normal((30, 20))
    rows, values = [], []
    truth = added(table / 30**0.5, PROTEIN)
    for scaffold in scaffolds:
        made = mutants(rng, scaffold, 100, 3)
        rows += made
        values.append(noisy(rng, made, truth, 0.05).values + rng.normal(0, 1.5))
    return Case(rows, np.concatenate(values), truth, 0.05)


# Measured landscapes.


def specific_sites(data: Path) -> Maker:
    """Binding of one factor less that of another, both measured for all words of eight."""

    def make(rng: np.random.Generator) -> Case:
        tables: list[dict[str, float]] = []
        for factor in ("CRX", "POU3F4"):
            tables.append({})
            with gzip.open(data / f"dna_pbm8_{factor}.csv.gz", "rt") as handle:
                for row in csv.DictReader(handle):
                    tables[-1][row["sequence"]] = tables[-1][row["revcomp"]] = float(row["escore"])
        table = {text: value - tables[1][text] for text, value in tables[0].items() if text in tables[1]}
        return noisy(rng, rng.permutation(sorted(table)).tolist()[:1500], table.get, 0.08)

    return make


def few_reads(rng: np.random.Generator) -> Case:
    """Shares of splice sites that are used, counted in a dozen reads each; most are never used."""
    records = load_dataset("rna_mpsa_5ss9")
    assert records.outcomes is not None
    shares = np.clip(10.0 ** (np.asarray(records.outcomes) - 2), 0, 1).tolist()
    table = dict(zip(records.sequences, shares, strict=True))
    texts = rng.permutation(records.sequences).tolist()[:2000]
    reads = rng.geometric(1 / 12, len(texts))
    return observed(texts, rng.binomial(reads, true_values(table.__getitem__, texts)) / reads, table.get)  # type: ignore[arg-type]


def both_colours(data: Path) -> Maker:
    """A complete library of fluorescent proteins: the darker of two colours, with errors in proportion."""

    def make(rng: np.random.Generator) -> Case:
        red, blue = (
            read_sequences(data / "prot_fluorescence13_red_blue.csv.gz", outcome=colour)
            for colour in ("red", "blue")
        )
        assert red.outcomes is not None
        assert blue.outcomes is not None
        table = dict(zip(red.sequences, np.minimum(red.outcomes, blue.outcomes).tolist(), strict=True))
        texts = rng.permutation(red.sequences).tolist()[:300]
        true = true_values(table.__getitem__, texts)
        values = true * np.exp(0.25 * rng.standard_normal(300))
        return Case(texts, values, table.get, float(np.std(values - true)))

    return make


def cases(data: Path) -> dict[str, Maker]:
    """Name and maker of each case."""
    return {
        "sixty of 256": sixty_of_256,
        "pairs only": pairs_only,
        "folds and binds": folds_and_binds,
        "broken stem": broken_stem,
        "promoter bins": promoter_bins,
        "origin, 800 calls": origin_calls,
        "GB1 fitness": gb1_fitness(data),
        "capsid oracle": capsid_oracle(data),
        "protease, 4,000": protease,
        "skewed errors": skewed_errors,
        "detection window": detection_window,
        "winners only": winners_only,
        "copied clones": copied_clones,
        "toxic when strong": toxic_when_strong,
        "start sites": start_sites,
        "phage binders": phage_binders,
        "receptor repeats": receptor_repeats,
        "core promoters": core_promoters,
        "days of scaffolds (undetectable)": scaffold_days,
        "CRX, not POU3F4, 1,500": specific_sites(data),
        "splice sites, few reads": few_reads,
        "red and blue, 300": both_colours(data),
    }


if __name__ == "__main__":
    check(cases(Path(sys.argv[1])))
