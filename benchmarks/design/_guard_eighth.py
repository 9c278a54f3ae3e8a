"""The eighth family of cases of guard.py: eleven data sets as laboratories have them, of other kinds.

Written by somebody who had read neither the rules of the guard nor any result of theirs, and not tuned to any
outcome. In the first six cases usual models have the right form and enough rows; in the other five something
that rows show rarely or badly decides what designs are worth. Mechanisms follow the sources named; numbers
are of their size, but not their tables unless that is said. A twelfth case asked for linkers longer than all
rows, which `maximize` refuses.

    python benchmarks/design/_guard_eighth.py ../shared/data

checks the generators as ``_guard_fourth.py`` does, and what a climb under the rules of each case reaches.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from _guard_cases import DNA, PROTEIN, Case, FloatArray, noisy, random_texts
from _guard_fifth import PAIRED, observed, sigmoid, true_values
from _guard_fourth import CHARGE, HYDROPATHY, check, differences, planted
from _guard_fresh import RNA
from _guard_seventh import doped, matches
from _guard_sixth import gc_of
from _guard_third import Maker, mutants, spread

from seqdesign.constraints.options import ConstraintOptions

PARTNER = str.maketrans("ACGURY", "UGCAYR")
# About how far one X or Y in a host of Gly-Pro-Hyp changes its melting (after Persikov 2000), as in PROTEIN.
COLLAGEN_X = (-5.6, -11.2, -7.2, -4.4, -13.8, -14.1, -10.8, -8.9, -5.8, -8.3, -8.7, -9.0, 0.0, -6.9, -6.7,
              -9.3, -11.1, -8.4, -15.4, -13.0)  # fmt: skip
COLLAGEN_Y = (-6.4, -9.6, -13.3, -7.6, -19.0, -14.6, -11.6, -5.8, -10.5, -15.6, -4.7, -17.0, -1.8, -6.0, -0.1,
              -12.3, -7.6, -7.3, -21.2, -17.1)  # fmt: skip
# About the energies of Hessa 2005 in kcal/mol for a residue in the middle of a membrane, as in PROTEIN.
MEMBRANE = dict(
    zip(
        PROTEIN,
        (0.11, -0.13, 3.49, 2.68, -0.32, 0.74, 2.06, -0.60, 2.71, -0.55, -0.10, 2.05, 2.23, 2.36, 2.58, 0.84,
         0.52, -0.31, 0.30, 0.68),
        strict=True,
    )
)  # fmt: skip


def letters_at(rng: np.random.Generator, text: str, places: Sequence[int], letters: str) -> str:
    """A text with random letters of some at each of several places."""
    for place in places:
        text = planted(text, str(rng.choice(list(letters))), place)
    return text


def turned(text: str) -> str:
    """The strand of RNA that pairs with a text all along."""
    return text.translate(PARTNER)[::-1]


def stem(left: str, right: str) -> float:
    """Of two strands of RNA, end to end: what neighbouring pairs hold together, none across a mismatch."""
    held = [PAIRED.get(a + b, 0.0) for a, b in zip(left, reversed(right), strict=True)]
    return sum((a + b) / 2 for a, b in pairwise(held) if a and b)


# Cases in which usual models have the right form.


def collagen(rng: np.random.Generator) -> Case:
    """Collagen peptides of nine Gly-X-Y with a few guests each: melting adds up, K before E or D holds more.

    Host-guest peptides (Persikov 2000 and 2005); the user asks for Gly at every third place.
    """
    x, y = dict(zip(PROTEIN, COLLAGEN_X, strict=True)), dict(zip(PROTEIN, COLLAGEN_Y, strict=True))
    bonus = {"KE": 12.0, "KD": 12.0, "RE": 3.0, "RD": 3.0}

    def truth(text: str) -> float:
        total = 60 + 0.6 * sum(x[a] + y[b] for a, b in zip(text[1::3], text[2::3], strict=True))
        total += 0.6 * sum(bonus.get(b + a, 0.0) for b, a in zip(text[2::3], text[4::3], strict=False))
        return total - 25.0 * sum(c != "G" for c in text[::3])

    guests = PROTEIN.replace("C", "") + "AEKRQDEK"  # as often as in collagens: more that is charged
    texts = []
    for _ in range(350):
        free = [p for p in range(27) if p % 3 and rng.random() < 0.25]
        texts.append(letters_at(rng, "GPP" * 9, free, guests))
    rules = ConstraintOptions(template="GXX" * 9)
    return noisy(rng, texts, truth, 3.0, design={"rules": rules})


def membrane_segments(rng: np.random.Generator) -> Case:
    """Segments of 17 to 25 residues: percent that a membrane takes up, by residues and how central they are.

    Reporters of insertion with one test segment (Hessa 2005 and 2007).
    """

    def truth(text: str) -> float:
        centre = np.linspace(-9, 9, len(text))
        energy = 0.0
        for at, c in zip(centre.tolist(), text, strict=True):
            near = float(np.exp(-0.02 * at * at))
            energy += MEMBRANE[c] * ((1 - near) * 0.6 if c in "WY" else near)
        energy += 9.3 - 0.645 * len(text) + 0.0082 * len(text) ** 2
        return 100 * sigmoid(-energy / 0.6)

    texts = []
    for n in rng.integers(17, 26, 500).tolist():  # guests in leucine and alanine, as in those segments
        share = float(rng.uniform(0.15, 0.55))
        host = "".join(rng.choice(["L", "A"], n, p=[share, 1 - share]))
        guests = rng.choice(n, int(rng.integers(1, 5)), replace=False).tolist()
        texts.append(letters_at(rng, host, guests, PROTEIN))
    return noisy(rng, texts, truth, 7.0, design={"length": 21})


def polyadenylation(rng: np.random.Generator) -> Case:
    """RNA of 70 with a hexamer near the middle: log odds of cleavage by the hexamer and what follows it.

    Libraries of isoforms of one site that competes with another (Bogard 2019).
    """
    near = {"AAUAAA": 3.0, "AUUAAA": 2.2, "AGUAAA": 1.3, "UAUAAA": 1.1, "CAUAAA": 0.9, "GAUAAA": 0.8}

    def truth(text: str) -> float:
        best = -1.5
        for i in range(10, 41):
            if text[i : i + 6] in near:
                after = text[i + 18 : i + 42]
                pull = 3 * (after.count("U") / 24 - 0.25) + 0.35 * min(after.count("GU"), 4)
                best = max(best, near[text[i : i + 6]] - 0.006 * (i - 25) ** 2 + pull - 0.5)
        return best + 0.4 * min(text[:40].count("UGUA"), 2)

    texts = random_texts(rng, 1000, 70, RNA)
    for i, head in enumerate(texts):
        share = float(rng.uniform(0.15, 0.5))
        tail = "".join(rng.choice(list(RNA), 30, p=[(1 - share) / 3] * 3 + [share]))
        texts[i] = head[:40] + tail
        if rng.random() < 0.75:
            texts[i] = planted(texts[i], str(rng.choice(list(near))), int(rng.integers(22, 29)))
    rules = ConstraintOptions(max_homopolymer="6")
    return noisy(rng, texts, truth, 0.4 * spread(truth, texts), design={"rules": rules})


def base_editing(rng: np.random.Generator) -> Case:
    """Targets of 20 with a C at the sixth place: percent of reads in which that C alone was edited.

    Each C has its odds by place and the letter before it, and one that stands by spoils the outcome, so odds
    multiply; a few hundred reads each (libraries of Arbab 2020 and Song 2020).
    """
    place = {2: -3.0, 3: -0.8, 4: 0.6, 5: 1.2, 6: 1.0, 7: 0.0, 8: -1.6, 9: -3.0}
    before = {"T": 1.0, "A": -0.2, "C": -0.2, "G": -1.6}
    seed = rng.normal(0, 0.25, (20, 4))

    def truth(text: str) -> float:
        if text[5] != "C":
            return 0.0
        odds = {i: sigmoid(w + before[text[i - 1]]) for i, w in place.items() if text[i] == "C"}
        share = odds.pop(5) * float(np.prod([1 - 0.9 * other for other in odds.values()]))
        return 90 * share * sigmoid(1 + sum(seed[i, DNA.index(c)] for i, c in enumerate(text)))

    texts = [planted(text, "C", 5) for text in random_texts(rng, 1000, 20)]
    reads = rng.integers(80, 400, len(texts))
    true = true_values(truth, texts)
    values = 100 * rng.binomial(reads, true / 100) / reads + 4.0 * rng.standard_normal(len(texts))
    rules = ConstraintOptions(template="NNNNNC" + "N" * 14, max_homopolymer="4")
    return observed(texts, values, truth, design={"rules": rules})


def exon_words(rng: np.random.Generator) -> Case:
    """Exons with a random stretch of 30: included in most transcripts or not; words of four add up.

    Words anywhere count a little each (Ke 2011, Rosenberg 2015); a label for each of 1,600 clones.
    """
    table = rng.laplace(0, 1.0, (4,) * 4)
    table -= table.mean()
    table += 0.5 * np.array([0.5, -0.3, 0.3, -0.5])[:, None, None, None]  # purines help
    scale = 1.8 / float(np.std(table) * 27**0.5)

    def truth(text: str) -> float:
        codes = np.array([RNA.index(c) for c in text])
        return sigmoid(scale * float(table[codes[:-3], codes[1:-2], codes[2:-1], codes[3:]].sum()))

    texts = random_texts(rng, 1600, 30, RNA)
    values = rng.binomial(1, true_values(truth, texts)).astype(float)
    rules = ConstraintOptions(forbid=("GURAGU",), gc="0.3-0.65")
    return observed(texts, values, truth, design={"rules": rules})


def nucleosome_depletion(rng: np.random.Generator) -> Case:
    """DNA of 100: how empty of nucleosomes, which GC attracts and stretches of A or of T keep off.

    Reconstituted chromatin (Kaplan 2009; Tillo and Hughes 2009); a synthesis house bounds GC and runs.
    """

    def truth(text: str) -> float:
        tracts = [min(len(run), 12) - 3 for run in re.findall("A{4,}|T{4,}", text)]
        return 6 * (0.5 - gc_of(text)) + 0.12 * sum(tracts) - 0.12 * min(text.count("GC"), 8)

    texts = []
    for share in rng.uniform(0.2, 0.65, 700).tolist():
        text = "".join(rng.choice(list(DNA), 100, p=np.array([1 - share, share, share, 1 - share]) / 2))
        for _ in range(int(rng.integers(0, 4))):
            size = int(rng.integers(4, 13))
            text = planted(text, str(rng.choice(["A", "T"])) * size, int(rng.integers(0, 101 - size)))
        texts.append(text)
    rules = ConstraintOptions(gc="0.3-0.6", max_homopolymer="8")
    return noisy(rng, texts, truth, 0.5 * spread(truth, texts), design={"rules": rules})


# Cases in which what decides is rare among rows, or hard to see in them.


def generations(rng: np.random.Generator) -> Case:
    """Directed evolution of a protein of 60: 70 mutants a round of what read best in the round before.

    Winners are chosen by one reading each, so what rose to be in most rows is partly luck, and what stands
    beside it rides along; residues in contact depend on each other (contingency: Starr and Thornton 2016).
    """
    parent = random_texts(rng, 1, 60, PROTEIN)[0]
    effect = np.where(
        rng.random((60, 20)) < 0.1, rng.normal(0.5, 0.25, (60, 20)), -rng.exponential(0.5, (60, 20))
    )
    contacts = [tuple(rng.choice(60, 2, replace=False).tolist()) for _ in range(90)]
    table = rng.normal(0, 0.6, (90, 20, 20))

    def truth(text: str) -> float:
        edits = [(p, PROTEIN.index(c)) for p, c in differences(text, parent)]
        changed = {p for p, _ in edits}
        total = sum(effect[edit] for edit in edits)
        for (i, j), pair in zip(contacts, table, strict=True):
            if i in changed and j in changed:
                total += pair[PROTEIN.index(text[i]), PROTEIN.index(text[j])]
        return float(total)

    winner, rows, values = parent, [parent] * 4, (0.5 * rng.standard_normal(4)).tolist()
    for _ in range(6):
        made = mutants(rng, winner, 70, 3)
        read = true_values(truth, made) + 0.5 * rng.standard_normal(70)
        winner = made[int(read.argmax())]
        rows += made
        values += read.tolist()
    rules = ConstraintOptions(max_edits=5)
    return Case(rows, np.array(values), truth, 0.5, start=[winner], design={"rules": rules})


def assayed_if_soluble(rng: np.random.Generator) -> Case:
    """Activity in lysate of mutants with a cleft that likes greasy residues; insoluble clones are missing.

    Only what was purified is in the table, as usual with enzymes: what is greasy also aggregates, by the sum
    over the protein, and the rows with several such residues are those that something else kept soluble.
    """
    parent = random_texts(rng, 1, 50, PROTEIN)[0]
    cleft = sorted(rng.choice(50, 12, replace=False).tolist())
    like = rng.gamma(3.0, 0.09, 12)
    activity = rng.normal(-0.1, 0.15, (50, 20))
    for place, size in zip(cleft, like.tolist(), strict=True):
        greasy = np.array([HYDROPATHY[c] - HYDROPATHY[parent[place]] for c in PROTEIN])
        activity[place] = 0.3 * size * greasy + rng.normal(0, 0.1, 20)
    burden = rng.gamma(2.0, 0.08, 50)

    def load(text: str) -> float:
        total = 0.0
        for p, c in differences(text, parent):
            charged = abs(CHARGE.get(c, 0)) - abs(CHARGE.get(parent[p], 0))
            total += burden[p] * (HYDROPATHY[c] - HYDROPATHY[parent[p]]) - 0.3 * charged
        return total

    def truth(text: str) -> float:
        active = sum(activity[p, PROTEIN.index(c)] for p, c in differences(text, parent))
        return float(active - np.logaddexp(0, 3 * (load(text) - 1.2)) / np.log(10))

    rows: list[str] = []
    while len(rows) < 500:
        some = int(rng.integers(0, 4))
        places = rng.choice(cleft, some, replace=False).tolist()
        row = letters_at(rng, mutants(rng, parent, 1, 3)[0], places, "AVILMFWYGST")
        if load(row) + 0.2 * rng.standard_normal() < 1.0:
            rows.append(row)
    rules = ConstraintOptions(max_edits=6)
    return noisy(rng, rows, truth, 0.15, start=[parent], design={"rules": rules})


def linker_scan(rng: np.random.Generator) -> Case:
    """An enhancer of 90, every six letters of it swapped in turn (A with C, G with T), seven times each.

    Two sites of an activator stand in for each other, so a block in either hardly tells; a second activator
    needs them, and a repressor has two sites between (scanning mutagenesis: Patwardhan 2009, Melnikov 2012).
    """
    words = {"GATAAGAT": (6, 68), "CCGGAAGT": (36,), "CAGGTGTA": (22, 54)}
    parent = random_texts(rng, 1, 90)[0]
    for word, places in words.items():
        for place in places:
            parent = planted(parent, word, place + int(rng.integers(3)))

    def bound(text: str, word: str) -> FloatArray:
        return 1 / (1 + np.exp(-2.5 * (matches(text, word) - 6.5)))

    def truth(text: str) -> float:
        gata, ets, zeb = (bound(text, word) for word in words)
        on = 1 - float(np.prod(1 - 0.9 * gata))
        off = 1 - float(np.prod(1 - 0.6 * zeb))
        return float(np.log2(0.2 + on * (1 + 2.5 * ets.max()) * (1 - 0.8 * off)))

    swap = str.maketrans("ACGT", "CATG")
    texts = [parent] * 20
    for first in range(0, 85, 3):
        texts += [planted(parent, parent[first : first + 6].translate(swap), first)] * 7
    rules = ConstraintOptions(max_edits=14)
    return noisy(rng, texts, truth, 0.35, start=[parent], design={"rules": rules})


def toeholds(rng: np.random.Generator) -> Case:
    """Toehold switches of 59: log10 of ON by OFF; every row was drawn by a program with perfect stems.

    No row has a mismatch, or a stop in frame after the start codon, so no row says what they cost: a leak,
    and no protein at all (Green 2014; Angenent-Mari 2020). Strong stems are tight, the upper one must open.
    """
    loop, stops = "AACAGAGGAGA", {"UAA", "UAG", "UGA"}

    def truth(text: str) -> float:
        toe, lower, upper = text[:12], text[12:21], text[24:30]
        start, back = text[47:50], text[50:59]
        if any(back[i : i + 3] in stops for i in (0, 3, 6)) or start != "AUG":
            return 0.0
        top = stem(upper, text[41:47])
        closed = stem(lower, back) + top
        off = sigmoid((30 - closed) / 1.2)
        own = sum(toe[i : i + 4] in turned(text[12:30]) for i in range(9))
        grip = sigmoid((gc_of(toe) - 0.25) * 10) * float(np.exp(-0.5 * own))
        on = sigmoid((12.5 - top) / 1.2) * grip * (1 if "GGAG" in text[30:41] else 0.1)
        return float(np.log10((max(on, 0.5 * off) + 0.003) / (0.5 * off + 0.003)))

    texts: list[str] = []
    while len(texts) < 600:
        toe, lower, upper = (random_texts(rng, 1, n, RNA)[0] for n in (12, 9, 6))
        back = turned(lower)
        if not stops & {back[i : i + 3] for i in (0, 3, 6)}:
            bulge = random_texts(rng, 1, 3, RNA)[0]
            texts.append(toe + lower + bulge + upper + loop + turned(upper) + "AUG" + back)
    return noisy(rng, texts, truth, 0.4 * spread(truth, texts))


def riboswitch(rng: np.random.Generator) -> Case:
    """Mutants of a riboswitch of 52 that is stuck: percent of its range that the ligand switches.

    One strand pairs either with the aptamer's or with another; a ligand adds little, so both must be nearly
    as strong. Each change that loosens the stronger stem helps, two of them go too far (design of switches:
    Wayment-Steele 2022).
    """
    core = {10: "G", 12: "A", 14: "U", 15: "C", 17: "G", 19: "A"}

    def states(text: str) -> float:
        """Energy of the stem that the ligand likes less that of the other."""
        shared = text[21:30]
        return stem(text[:9], shared) - stem(shared, text[36:45])

    def truth(text: str) -> float:
        bonus = 4.0 - 2.0 * sum(text[p] != c for p, c in core.items())
        apart = states(text) / 1.5
        return 100 * (sigmoid(apart + max(bonus, 0.0) / 1.5) - sigmoid(apart))

    while True:
        parent = random_texts(rng, 1, 52, RNA)[0]
        for place, letter in core.items():
            parent = planted(parent, letter, place)
        other = doped(rng, turned(parent[21:30]), 0.25, RNA)
        parent = other + parent[9:36] + turned(parent[21:30]) + parent[45:]
        if -9 < states(parent) < -7:
            break
    rows = [parent] * 5 + mutants(rng, parent, 700, 4, RNA)
    rules = ConstraintOptions(max_edits=5)
    return noisy(rng, rows, truth, 8.0, start=[parent], design={"rules": rules})


def cases(data: Path) -> dict[str, Maker]:
    """Name and maker of each case."""
    return {
        "collagen triplets": collagen,
        "membrane segments": membrane_segments,
        "polyadenylation sites": polyadenylation,
        "base editing, one C": base_editing,
        "exon words, labels": exon_words,
        "nucleosome depletion": nucleosome_depletion,
        "six generations": generations,
        "assayed if soluble": assayed_if_soluble,
        "linker scan of an enhancer": linker_scan,
        "toeholds, perfect stems": toeholds,
        "stuck riboswitch": riboswitch,
    }


def obeys(case: Case, text: str) -> bool:
    """Whether a text keeps what cases here ask for; templates are kept where no other letters are tried."""
    rules = case.design.get("rules", ConstraintOptions())
    low, high = map(float, (rules.gc or "0-1").split("-"))
    words = [*rules.forbid, *map(turned, rules.forbid)]
    patterns = [word.replace("R", "[AG]").replace("Y", "[CU]") for word in words]
    patterns.append(rf"(.)\1{{{rules.max_homopolymer or 99}}}")
    return (
        (rules.gc is None or low <= gc_of(text) <= high)
        and not any(re.search(pattern, text) for pattern in patterns)
        and (rules.max_edits is None or len(differences(text, case.start[0])) <= rules.max_edits)
    )


def climb(case: Case, rng: np.random.Generator, tries: int = 4000) -> float:
    """Truth that random changes of a text reach under the rules, with letters that rows have at a place."""

    def value(text: str) -> float:
        found = case.truth(text)
        return -np.inf if found is None or not obeys(case, text) else found

    size = case.design.get("length", len(case.texts[0]))
    fixed = len(set(map(len, case.texts))) == 1
    letters = [sorted(set(c)) for c in zip(*case.texts, strict=True)] if fixed else []
    letters = letters or [sorted(set("".join(case.texts)))] * size
    joined = [
        "".join(rng.choice(case.texts, 1 + size // min(map(len, case.texts))))[:size] for _ in range(50)
    ]
    text = max(case.start or joined, key=value)
    best = value(text)
    for _ in range(tries):
        other = text
        for place in rng.integers(0, size, int(rng.integers(1, 4))).tolist():
            own = case.start[0][place] if case.start and rng.random() < 0.3 else ""
            other = planted(other, own or str(rng.choice(letters[place])), place)
        if (new := value(other)) >= best:
            text, best = other, new
    return best


if __name__ == "__main__":
    found = cases(Path(sys.argv[1]))
    check(found)
    for name, make in found.items():
        rng = np.random.default_rng([0, len(name)])
        print(f"{name:<28} a climb under the rules reaches {climb(make(rng), rng):.2f}", flush=True)
