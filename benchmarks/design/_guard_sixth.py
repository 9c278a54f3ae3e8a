"""The sixth family of cases of guard.py: half simulated mechanisms, half measured landscapes.

Written by somebody who had read neither the rules of the guard nor any result of theirs, and not tuned to any
outcome. In about half of the cases good designs are within reach of a careful method; in about half a model
that takes the rows at their word is fooled.

    python benchmarks/design/_guard_sixth.py ../shared/data

checks the generators as ``_guard_fourth.py`` does. Before that it fails unless the rows of each case are the
same whenever they are drawn by the same seed, outcomes go with the truth in the cases where they must, and a
sequence better than the best row exists exactly where the case says that one does.
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import torch
from _guard_cases import DNA, PROTEIN, Case, FloatArray, noisy, random_texts
from _guard_fifth import observed, sigmoid, true_values
from _guard_fourth import ascent, check, differences, planted
from _guard_fresh import RNA
from _guard_third import Maker, added, mutants, spread
from scipy.stats import spearmanr

from seqdesign.constraints.options import ConstraintOptions
from seqdesign.motifs.files import bundled_motifs
from seqdesign.sequences.alphabets import reverse_complement
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.genetic_code import genetic_code
from seqdesign.sequences.reader import read_sequences

NOTHING_BETTER = {
    "copies of a site",  # some rows have the five copies that are best
    "quadruplexes",  # some fold with the shortest loops
    "guides of one transcript",  # most windows are rows
    "alanine scan, three times",  # the parent is the best
    "primer yield",  # some melt at the optimum
    "EGR2 peaks or not",  # probabilities end near 1
    "one splice replicate",  # some sites are always used
}
"""Cases in which no sequence is better than the best row, as the check draws them."""


def gc_of(text: str) -> float:
    return (text.count("G") + text.count("C")) / len(text)


def sprinkled(
    rng: np.random.Generator, text: str, words: list[str], first: int = 0, last: int | None = None
) -> str:
    """Words at random places between two, none on top of another."""
    last = len(text) if last is None else last
    room = last - first - sum(map(len, words))
    place, cuts = first, np.diff([0, *sorted(rng.integers(0, room + 1, len(words)).tolist())])
    for word, gap in zip(words, cuts.tolist(), strict=True):
        text, place = planted(text, word, place + gap), place + gap + len(word)
    return text


# Simulated mechanisms: coding sequences, structure, grammar.


def codon_choice(rng: np.random.Generator) -> Case:
    """Synonymous genes of 24 residues: codons add up, GC in the first six costs, expression has a ceiling."""
    acids = genetic_code().acids
    codons = {a: sorted(c for c in acids if acids[c] == a) for a in PROTEIN}
    speed = {c: float(rng.normal()) for a in PROTEIN for c in codons[a]}
    protein = random_texts(rng, 1, 24, PROTEIN)[0]

    def level(text: str) -> float:
        return sum(speed[text[i : i + 3]] for i in range(0, 72, 3)) / 24**0.5 - 8 * gc_of(text[:18])

    texts = ["".join(str(rng.choice(codons[a])) for a in protein) for _ in range(500)]
    middle = float(np.mean([level(text) for text in texts])) + 1

    def truth(text: str) -> float:
        same = all(acids.get(text[3 * i : 3 * i + 3]) == a for i, a in enumerate(protein))
        return 5 * sigmoid(level(text) - middle) if same else 0.0

    rules = ConstraintOptions(translate=("1-72",))
    return noisy(rng, texts, truth, 0.5 * spread(truth, texts), start=texts[:1], design={"rules": rules})


def displayed_peptides(rng: np.random.Generator) -> Case:
    """DNA that codes for peptides of 12: each codon counts, a stop or a lost letter leaves nothing."""
    acids = genetic_code().acids
    table = rng.standard_normal((12, 20)) / 12**0.5

    def truth(text: str) -> float:
        if len(text) % 3:
            return 0.0
        peptide = [acids.get(text[i : i + 3], "*") for i in range(0, len(text), 3)]
        if any(a not in PROTEIN for a in peptide):
            return 0.0
        return float(np.logaddexp(0, 2 + sum(table[i % 12, PROTEIN.index(a)] for i, a in enumerate(peptide))))

    texts = random_texts(rng, 1000, 36)
    for i in np.flatnonzero(rng.random(1000) < 0.15).tolist():
        lost = int(rng.integers(36))
        texts[i] = texts[i][:lost] + texts[i][lost + 1 :]
    return noisy(rng, texts, truth, 0.3, design={"length": 36})


def copies(rng: np.random.Generator) -> Case:
    """Sites of a factor in 90 letters: one to four copies raise expression, more than five squelch it."""
    site = "TGACTCAT"
    found = re.compile(f"{site}|{reverse_complement(site)}")

    def truth(text: str) -> float:
        places = [m.start() for m in found.finditer(text)]
        free = [
            p for k, p in enumerate(places) if not k or p - places[k - 1] >= 11
        ]  # the others are in the way
        return 3 * len(free) ** 2 / (len(free) ** 2 + 4) - 0.9 * max(0, len(free) - 5)

    texts = random_texts(rng, 700, 90)
    for i, count in enumerate(rng.choice(6, 700, p=[0.3, 0.25, 0.2, 0.12, 0.08, 0.05]).tolist()):
        words = [str(rng.choice([site, reverse_complement(site)])) for _ in range(count)]
        texts[i] = sprinkled(rng, texts[i], words)
    return noisy(rng, texts, truth, 0.5 * spread(truth, texts))


def quadruplexes(rng: np.random.Generator) -> Case:
    """RNA of 30: four runs of two or three G around short loops fold; longer runs of G clump."""
    shapes = [re.compile("(?=(" + "(.{1,7}?)".join([f"(?:G{{{k}}})"] * 4) + "))") for k in (2, 3)]

    def truth(text: str) -> float:
        best = 0.0
        for shape, height in zip(shapes, (1.2, 3.0), strict=True):
            for match in shape.finditer(text):
                best = max(best, height - 0.06 * sum(map(len, match.groups()[1:])))
        longest = max(map(len, re.findall("G+", text)), default=0)
        return best - 0.8 * max(0, longest - 4)

    texts = random_texts(rng, 900, 30, RNA)
    for i in range(0, 900, 2):
        runs, size = int(rng.integers(3, 5)), int(rng.integers(2, 4))
        loops = rng.integers(1, 5 if size == 3 else 6, runs - 1)
        word = "G" * size
        for loop in loops.tolist():
            word += "".join(rng.choice(list("ACU"), loop)) + "G" * size
        texts[i] = planted(texts[i], word, int(rng.integers(0, 31 - len(word))))
    return noisy(rng, texts, truth, 0.4)


def guides(rng: np.random.Generator) -> Case:
    """Guides of 19 against one transcript, and scrambled ones that do nothing: letters count only there."""
    target = random_texts(rng, 1, 500, RNA)[0]
    windows = [target[i : i + 19] for i in range(482)]
    letters = np.array([list(w) for w in windows])
    open_ = np.convolve(rng.standard_normal(520), np.ones(30) / 30**0.5, "valid")

    def truth(text: str) -> float:
        wrong = (letters != np.array(list(text))).sum(axis=1)
        at = int(wrong.argmin())
        ends = sum(c in "AU" for c in text[-5:]) - sum(c in "AU" for c in text[:5])
        level = 0.5 * ends - 25 * (gc_of(text) - 0.42) ** 2 + 0.7 * open_[at]
        return 4 * sigmoid(level) * float(np.exp(-0.8 * wrong[at]))

    known = rng.permutation(windows).tolist()[:360]
    known += ["".join(rng.permutation(list(w))) for w in known[:40]]
    return noisy(rng, rng.permutation(known).tolist(), truth, 0.3, design={"length": 19})


def two_backgrounds(rng: np.random.Generator) -> Case:
    """Mutants of two clades of a protein: most rows are of one, the user wants better ones of the other."""
    old = random_texts(rng, 1, 45, PROTEIN)[0]
    apart = sorted(rng.choice(45, 16, replace=False).tolist())
    new = old
    for place in apart:
        new = planted(new, str(rng.choice([c for c in PROTEIN if c != old[place]])), place)
    shared, own = rng.normal(-0.4, 0.5, (45, 20)), rng.normal(0.0, 0.8, (2, 45, 20))

    def truth(text: str) -> float:
        like = [sum(text[p] == parent[p] for p in apart) for parent in (old, new)]
        k = int(like[1] > like[0])
        edits = [(p, PROTEIN.index(c)) for p, c in differences(text, (old, new)[k])]
        return float(sum(shared[e] + own[k][e] for e in edits) - 0.5 * k)

    texts = mutants(rng, old, 420, 4) + mutants(rng, new, 80, 3)
    rules = ConstraintOptions(max_edits=3)
    return noisy(rng, rng.permutation(texts).tolist(), truth, 0.3, start=[new], design={"rules": rules})


def reporter_grammar(rng: np.random.Generator) -> Case:
    """Reporters of 60 with sites of JASPAR: three factors help, two more so together; long-tailed errors."""
    by_name = {m.name.upper(): m for m in bundled_motifs().motifs}
    motifs = [by_name[name] for name in ("GATA1", "ETS1", "SP1", "ZEB1")]
    odds = [np.log2((m.probabilities + 0.01) / 1.04 / 0.25) for m in motifs]
    tops = [float(table.max(axis=1).sum()) for table in odds]

    def bound(text: str, k: int) -> float:
        best, count = -np.inf, 61 - len(odds[k])
        for strand in (text, reverse_complement(text)):
            codes = np.array([DNA.index(c) for c in strand])
            best = max(best, sum(row[codes[j : j + count]] for j, row in enumerate(odds[k])).max())
        return sigmoid(2 * (best - tops[k] + 3))

    def truth(text: str) -> float:
        gata, ets, sp, zeb = (bound(text, k) for k in range(4))
        return 1.0 * gata + 0.8 * ets + 0.5 * sp + 1.2 * gata * ets - 1.5 * zeb

    texts = random_texts(rng, 800, 60)
    for i in range(0, 800, 4):
        for place in (0, 20, 40):
            m = motifs[int(rng.integers(4))]
            word = "".join(str(rng.choice(list(DNA), p=p / p.sum())) for p in m.probabilities)
            word = word if rng.random() < 0.5 else reverse_complement(word)
            texts[i] = planted(texts[i], word, place + int(rng.integers(0, 21 - len(word))))
    errors = 0.35 * rng.standard_t(2, 800)
    rules = ConstraintOptions(gc="0.35-0.65", forbid=("BsaI",))
    return observed(texts, true_values(truth, texts) + errors, truth, design={"rules": rules})


def alanine_scan(rng: np.random.Generator) -> Case:
    """A peptide of 22 and each residue made alanine, three times: nothing is better, errors are large."""
    parent = random_texts(rng, 1, 22, PROTEIN.replace("A", ""))[0]
    losses = rng.exponential(0.6, (22, 20)) + 0.02

    def truth(text: str) -> float:
        return -float(sum(losses[p, PROTEIN.index(c)] for p, c in differences(text, parent)))

    texts = [parent] * 12 + [planted(parent, "A", p) for p in range(22)] * 3
    rules = ConstraintOptions(max_edits=5)
    noise = spread(truth, texts)
    return noisy(rng, rng.permutation(texts).tolist(), truth, noise, start=[parent], design={"rules": rules})


def second_round(rng: np.random.Generator) -> Case:
    """200 random rows, 250 that resemble the best and were read on a brighter day, 15 bridging rows."""
    single = added(rng.standard_normal((30, 4)) / 30**0.5, DNA)
    pairs = rng.standard_normal((29, 4, 4)) / 40**0.5

    def truth(text: str) -> float:
        codes = [DNA.index(c) for c in text]
        return single(text) + float(sum(pairs[i, codes[i], codes[i + 1]] for i in range(29)))

    first = random_texts(rng, 200, 30)
    sd = spread(truth, first)
    seen = noisy(rng, first, truth, 0.6 * sd).values
    columns = np.array([list(text) for text in first])
    means = np.array([[seen[columns[:, i] == c].mean() for c in DNA] for i in range(30)])
    best = "".join(DNA[k] for k in means.argmax(axis=1))
    second = [
        "".join(b if rng.random() < 0.35 else str(rng.choice(list(DNA))) for b in best) for _ in range(250)
    ] + first[:15]
    again = noisy(rng, second, truth, 0.6 * sd).values + 1.5 * sd
    return Case(first + second, np.concatenate([seen, again]), truth, 0.6 * sd)


def primer_yield(rng: np.random.Generator) -> Case:
    """Primers of 18 to 28: the melting temperature has an optimum, the 3' end should not pair."""

    def truth(text: str) -> float:
        melting = 64.9 + 41 * (gc_of(text) * len(text) - 16.4) / len(text)
        tail = reverse_complement(text[-4:])
        end = 0.4 * (text[-1] in "GC") - 0.6 * (sum(c in "GC" for c in text[-5:]) > 3)
        return max(2 - ((melting - 57) / 5) ** 2, -3.0) + end - 0.8 * (tail in text)

    texts = [random_texts(rng, 1, int(n))[0] for n in rng.integers(18, 29, 600)]
    design = {"length": 22, "rules": ConstraintOptions(gc="0.4-0.6", max_homopolymer="4")}
    return noisy(rng, texts, truth, 0.5, design=design)


def helical_phase(rng: np.random.Generator) -> Case:
    """An activator upstream of a start at the right end: it must face it, turn by turn of 10.5 letters."""
    word = "GGGACTTTCC"

    def truth(text: str) -> float:
        total = 0.0
        for i in range(len(text) - len(word) + 1):
            same = sum(map(str.__eq__, word, text[i : i + len(word)]))
            if same >= 9:
                far = len(text) - i - 14
                facing = 0.5 + 0.5 * np.cos(2 * np.pi * far / 10.5)
                total += (
                    (1.0 if same == 10 else 0.4) * (2.5 * facing - 0.4) * float(np.exp(-max(far, 0) / 60))
                )
        return float(4 * np.tanh(total / 4))

    texts = random_texts(rng, 900, 80)
    for i in range(900):
        words = [planted(word, str(rng.choice(list(DNA))), int(rng.integers(10))) for _ in range(i % 3)]
        texts[i] = sprinkled(rng, texts[i], words, 0, 76)
    return noisy(rng, texts, truth, 0.3)


# Measured landscapes, looked up.


@cache
def words_of_eight(path: Path, column: str = "escore") -> dict[str, float]:
    """Measured binding of all words of eight, on both strands."""
    table = {}
    with gzip.open(path, "rt") as handle:
        for row in csv.DictReader(handle):
            table[row["sequence"]] = table[row["revcomp"]] = float(row[column])
    return table


def best_word(table: dict[str, float], text: str) -> tuple[float, int]:
    return max((table.get(text[i : i + 8], -0.5), i) for i in range(len(text) - 7))


def one_array_by_another(data: Path) -> Maker:
    """Binding of SIX6 to words of eight as one array read it; what a second array read is the truth."""

    def make(rng: np.random.Generator) -> Case:
        first, second = (words_of_eight(data / f"dna_pbm8_SIX6_R{k}.csv.gz") for k in (1, 2))
        texts = rng.permutation(sorted(set(first) & set(second))).tolist()[:1500]
        return observed(texts, true_values(first.__getitem__, texts), second.get)  # type: ignore[arg-type]

    return make


def rare_binders(data: Path) -> Maker:
    """Intensities of 500 words of eight for GFI1B: hardly one of them is bound, and that one strongly."""

    def make(rng: np.random.Generator) -> Case:
        table = words_of_eight(data / "dna_pbm8_GFI1B.csv.gz", "zscore")
        return noisy(rng, rng.permutation(sorted(table)).tolist()[:500], table.get, 0.5)

    return make


def around_one_site(data: Path) -> Maker:
    """Up to three changes of one middling site of EGR2, whose letters do not add up."""

    def make(rng: np.random.Generator) -> Case:
        table = words_of_eight(data / "dna_pbm8_EGR2.csv.gz")
        low, high = np.quantile(list(table.values()), [0.6, 0.7])
        parent = str(rng.choice(sorted(t for t, value in table.items() if low < value < high)))
        rules = ConstraintOptions(max_edits=4)
        texts = mutants(rng, parent, 350, 3, DNA)
        return noisy(rng, texts, table.get, 0.05, start=[parent], design={"rules": rules})

    return make


def peaks(data: Path) -> Maker:
    """Pieces of 40 in peaks of EGR2 or not: measured words decide, but peaks were taken where GC is high."""

    def make(rng: np.random.Generator) -> Case:
        table = words_of_eight(data / "dna_pbm8_EGR2.csv.gz")
        strong = sorted(text for text, value in table.items() if value > 0.45)

        def truth(text: str) -> float:
            return 0.03 + 0.94 * sigmoid((best_word(table, text)[0] - 0.42) / 0.015)

        texts = []
        for i in range(700):
            half = 0.31 if i % 2 else 0.2
            text = "".join(rng.choice(list(DNA), 40, p=[0.5 - half, half, half, 0.5 - half]))
            if i % 2 and rng.random() < 0.7:
                text = planted(text, str(rng.choice(strong)), int(rng.integers(33)))
            texts.append(text)
        values = rng.binomial(1, true_values(truth, texts)).astype(float)
        return observed(texts, values, truth)

    return make


def neighbouring_factors(data: Path) -> Maker:
    """Enhancers of 26 to 34: the best measured word of each of two factors counts, near each other more."""

    def make(rng: np.random.Generator) -> Case:
        tables = [words_of_eight(data / f"dna_pbm8_{name}.csv.gz") for name in ("POU3F4", "SIX6_R1")]
        strong = [sorted(t for t, value in table.items() if value > 0.42) for table in tables]

        def truth(text: str) -> float:
            (one, i), (two, j) = (best_word(table, text) for table in tables)
            return 2 * (one + two) + 1.0 * (min(one, two) > 0.4 and 8 <= abs(i - j) <= 14)

        texts = [random_texts(rng, 1, int(n))[0] for n in rng.integers(26, 35, 900)]
        for i in range(0, 900, 2):
            words = [str(rng.choice(found)) for found in strong if rng.random() < 0.7]
            texts[i] = sprinkled(rng, texts[i], rng.permutation(words).tolist() if words else [])
        design = {"length": 30, "rules": ConstraintOptions(gc="0.3-0.6")}
        return noisy(rng, texts, truth, 0.5 * spread(truth, texts), design=design)

    return make


def few_antibodies(rng: np.random.Generator) -> Case:
    """110 of the 2,048 antibodies between a germline and CR6261; weak ones read as the detection floor."""
    records = load_dataset("prot_cr6261_121")
    assert records.outcomes is not None
    table = dict(zip(records.sequences, records.outcomes.tolist(), strict=True))
    texts = rng.permutation(records.sequences).tolist()[:110]
    return Case(texts, np.maximum(noisy(rng, texts, table.get, 0.15).values, 7.0), table.get, 0.15)


def splice_replicates(data: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Splice sites measured twice: log10 of percent spliced in, at most all of it."""
    found: tuple[dict[str, float], dict[str, float]] = ({}, {})
    with gzip.open(data / "rna_mpsa_5ss9.csv.gz", "rt") as handle:
        for row in csv.DictReader(handle):
            if row["outcome"] and row["outcome_rep"]:
                for table, column in zip(found, ("outcome", "outcome_rep"), strict=True):
                    table[row["sequence"]] = min(float(row[column]), 2.0)
    return found


def one_replicate(data: Path) -> Maker:
    """1,200 splice sites by one replicate, with its own errors; the other replicate is the truth."""

    def make(rng: np.random.Generator) -> Case:
        other, table = splice_replicates(data)
        texts = rng.permutation(sorted(table)).tolist()[:1200]
        rules = ConstraintOptions(template="NNNGYNNNN")
        values = true_values(table.__getitem__, texts)
        return observed(texts, values, other.get, design={"rules": rules})  # type: ignore[arg-type]

    return make


def silent_sites(data: Path) -> Maker:
    """1,000 splice sites that one replicate found used by less than a tenth; the other is the truth."""

    def make(rng: np.random.Generator) -> Case:
        table, other = splice_replicates(data)
        texts = rng.permutation(sorted(t for t, value in table.items() if value < 1)).tolist()[:1000]
        return observed(texts, true_values(table.__getitem__, texts), other.get)  # type: ignore[arg-type]

    return make


def near_the_red_parent(data: Path) -> Maker:
    """Red fluorescence of 300 proteins within four changes of the red parent; any of 8,192 may be made."""

    def make(rng: np.random.Generator) -> Case:
        records = read_sequences(data / "prot_fluorescence13_red_blue.csv.gz", outcome="red")
        assert records.outcomes is not None
        table = dict(zip(records.sequences, records.outcomes.tolist(), strict=True))
        blue, red = "DVLTFNSAAYNNK", "NAMPSAGCLRDKR"
        assert {blue, red} <= set(table)
        near = [text for text in sorted(table) if 0 < len(differences(text, red)) <= 4]
        texts = [red, *rng.permutation(near).tolist()[:300]]
        return noisy(rng, texts, table.get, 0.05, start=[red])

    return make


# Measured landscapes of mutants, and two states fitted to all rows.


@cache
def two_states(path: Path) -> tuple[str, list[str], FloatArray, FloatArray, FloatArray]:
    """Wild type, mutants, outcomes, effects (L, 20) and (floor, height) of two states fitted to all rows.

    The wild type is held at 0, as the scores are; rows count by their standard errors. R2 over all rows
    is .80 for amyloid beta and .92 for TDP-43.
    """
    records = read_sequences(path)
    assert records.outcomes is not None
    wild = "".join(max(set(column), key=column.count) for column in zip(*records.sequences, strict=True))
    with gzip.open(path, "rt") as handle:
        errors = np.array([float(row["sigma"]) for row in csv.DictReader(handle)])
    assert len(errors) == len(records.sequences)
    nothing = 20 * len(wild)
    edits = [[20 * p + PROTEIN.index(c) for p, c in differences(t, wild)] for t in records.sequences]
    index = torch.tensor([(row + 2 * [nothing])[:2] for row in edits])
    y = torch.as_tensor(np.asarray(records.outcomes), dtype=torch.float32)
    scale = float(y.std())
    weight = torch.as_tensor(1 / (errors**2 + (0.3 * scale) ** 2), dtype=torch.float32)
    weight /= weight.mean()
    effects = torch.zeros(nothing + 1, requires_grad=True)
    ends = torch.log(torch.tensor([-float(y.quantile(0.01)), float(y.quantile(0.99))])).requires_grad_()
    optimizer = torch.optim.Adam([effects, ends], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        low, high = -ends[0].exp(), ends[1].exp()
        told = low + (high - low) * torch.sigmoid(torch.log(-low / high) + effects[index].sum(1))
        error = (weight * (told - y) ** 2).mean() / scale**2
        (error + 1e-4 * (effects**2).mean()).backward()
        with torch.no_grad():
            assert effects.grad is not None
            effects.grad[nothing] = 0.0
        optimizer.step()
    found = effects.detach().numpy().astype(float)[:nothing].reshape(-1, 20)
    shape = ends.detach().exp().numpy().astype(float)
    return wild, records.sequences, np.asarray(records.outcomes, dtype=float), found, shape


def fitted(wild: str, effects: FloatArray, ends: FloatArray, text: str) -> float:
    low, high = -ends[0], ends[1]
    changed = sum(effects[p, PROTEIN.index(c)] for p, c in differences(text, wild))
    return float(low + (high - low) * sigmoid(np.log(-low / high) + changed))


def nucleation(data: Path) -> Maker:
    """800 mutants of amyloid beta with one or two changes as measured; two states fitted to all 14,483."""

    def make(rng: np.random.Generator) -> Case:
        wild, known, outcomes, effects, ends = two_states(data / "prot_abeta42.csv.gz")
        rows = rng.permutation(len(known))[:800]
        texts = [known[i] for i in rows]
        rules = {"rules": ConstraintOptions(max_edits=3)}
        return observed(
            texts, outcomes[rows], lambda t: fitted(wild, effects, ends, t), start=[wild], design=rules
        )

    return make


def two_libraries(data: Path) -> Maker:
    """TDP-43 as measured, half by half as the libraries were; all of the second half reads a step higher.

    The wild type was read six times with each library. The truth is two states fitted to all rows.
    """

    def make(rng: np.random.Generator) -> Case:
        wild, known, outcomes, effects, ends = two_states(data / "prot_tdp43_84.csv.gz")
        rows = rng.permutation(len(known))[:700]
        step = float(outcomes.std())
        late = np.array([min(p for p, _ in differences(known[i], wild)) >= len(wild) // 2 for i in rows])
        texts = [known[i] for i in rows] + [wild] * 12
        controls = 0.03 * rng.standard_normal(12) + step * (np.arange(12) % 2)
        values = np.concatenate([outcomes[rows] + step * late, controls])
        rules = {"rules": ConstraintOptions(max_edits=3)}
        return observed(texts, values, lambda t: fitted(wild, effects, ends, t), start=[wild], design=rules)

    return make


def cases(data: Path) -> dict[str, Maker]:
    """Name and maker of each case."""
    return {
        "codon choice": codon_choice,
        "displayed peptides": displayed_peptides,
        "copies of a site": copies,
        "quadruplexes": quadruplexes,
        "guides of one transcript": guides,
        "two backgrounds": two_backgrounds,
        "reporter grammar": reporter_grammar,
        "alanine scan, three times": alanine_scan,
        "second round": second_round,
        "primer yield": primer_yield,
        "helical phase": helical_phase,
        "SIX6, two arrays": one_array_by_another(data),
        "GFI1B, 500 intensities": rare_binders(data),
        "around one EGR2 site": around_one_site(data),
        "EGR2 peaks or not": peaks(data),
        "neighbouring factors": neighbouring_factors(data),
        "CR6261, 110": few_antibodies,
        "one splice replicate": one_replicate(data),
        "silent splice sites": silent_sites(data),
        "near the red parent": near_the_red_parent(data),
        "nucleation of amyloid": nucleation(data),
        "TDP-43, two libraries": two_libraries(data),
    }


def best_found(case: Case) -> float:
    """The best truth among all sequences where these are few, else where climbs from rows end.

    Designs that are bound to few changes of a start are looked for from there.
    """
    if getattr(case.design.get("rules"), "max_edits", None):
        return ascent(case)
    columns = [sorted(set(column)) for column in zip(*case.texts, strict=False)]
    if len(set(map(len, case.texts))) == 1 and np.prod([float(len(column)) for column in columns]) <= 300_000:
        values = [case.truth("".join(row)) for row in product(*columns)]
        return max(value for value in values if value is not None)
    top = sorted(set(case.texts), key=lambda text: case.truth(text) or 0.0)[-8:]
    return max(ascent(replace(case, start=[text], design={})) for text in top)


def probe(makers: dict[str, Maker]) -> None:
    """Fails unless rows come again by their seed, follow the truth, and can be beaten where they should."""
    for name, make in makers.items():
        case, again = (make(np.random.default_rng([0, len(name)])) for _ in range(2))
        assert (case.texts, case.values.tolist()) == (again.texts, again.values.tolist()), name
        assert 60 <= len(case.texts) <= 3000, name
        true = np.array([case.truth(text) for text in case.texts], dtype=float)
        rank = float(spearmanr(true, case.values).statistic)
        along = np.corrcoef(true, case.values)[0, 1]
        gain = (best_found(case) - float(true.max())) / float(true.std())
        print(
            f"{name:<28} correlation {along:.2f}  rank correlation {rank:.2f}  "
            f"best row {true.max():.2f}  better by {gain:.2f} sd of the truth",
            flush=True,
        )
        assert along > 0.1, name
        assert (gain > 0.02) == (name not in NOTHING_BETTER), name


if __name__ == "__main__":
    found = cases(Path(sys.argv[1]))
    probe(found)
    check(found)
