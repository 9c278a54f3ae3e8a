"""The ninth family of cases of guard.py: ten data sets as laboratories have them, of other kinds again.

Written by somebody who had read neither the rules of the guard nor any result of theirs, and not tuned to any
outcome. In the first six cases usual models have about the right form and enough rows; in the other four some
rows carry evidence of what spoils designs, and a careful reader could see it. Mechanisms follow the sources
named; numbers are of their size, but not their tables.

    python benchmarks/design/_guard_ninth.py ../shared/data

checks the generators as ``_guard_fourth.py`` does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from _guard_cases import DNA, PROTEIN, Case, noisy, random_texts
from _guard_eighth import letters_at, stem, turned
from _guard_fifth import observed, sigmoid, true_values
from _guard_fourth import CHARGE, HYDROPATHY, check, differences, planted
from _guard_fresh import RNA
from _guard_seventh import doped
from _guard_sixth import gc_of
from _guard_third import Maker

from seqdesign.constraints.options import ConstraintOptions

# Codons of NNK for each residue, as in PROTEIN; the stop is left out.
NNK = (2, 1, 1, 1, 1, 2, 1, 1, 1, 3, 1, 1, 2, 1, 3, 3, 2, 2, 1, 1)


def singles(parent: str, letters: str) -> list[str]:
    """Every text that differs from the parent at one place."""
    return [planted(parent, c, i) for i, own in enumerate(parent) for c in letters if c != own]


def changed(rng: np.random.Generator, parent: str, count: int, letters: str) -> str:
    """A parent with random letters at a number of places, some of them by chance its own."""
    return letters_at(rng, parent, rng.choice(len(parent), count, replace=False).tolist(), letters)


# Cases in which usual models have about the right form.


def ribozyme_scan(rng: np.random.Generator) -> Case:
    """A hammerhead of 54, all single mutants and 700 of two to four changes: percent cleaved.

    Core letters each cost, three stems must hold, a share of 100 bends (scans of Kobori and Yokobayashi
    2016). Rows show every letter, both changes that mend the second stem, and how costs of two combine.
    """
    core = {6 + i: c for i, c in enumerate("CUGAUGA")} | {27 + i: c for i, c in enumerate("GAAA")}
    core |= {45 + i: c for i, c in enumerate("GUC")}
    cost = dict(zip(core, rng.gamma(2.0, 0.8, len(core)).tolist(), strict=True))

    def truth(text: str) -> float:
        held = stem(text[:6], text[48:]), stem(text[13:18], text[22:27]), stem(text[31:36], text[40:45])
        lost = sum(np.log1p(np.exp((need - h) / 1.5)) for need, h in zip((8.0, 7.0, 5.0), held, strict=True))
        return 100 * sigmoid(2.0 - lost - sum(cost[p] for p, c in core.items() if text[p] != c))

    while True:
        one, two, three = (random_texts(rng, 1, n, RNA)[0] for n in (6, 5, 5))
        mended = turned(two)
        wrong = planted(mended, {"A": "C", "C": "A", "G": "A", "U": "C"}[mended[2]], 2)
        parent = f"{one}CUGAUGA{two}GUGA{wrong}GAAA{three}UUCG{turned(three)}GUC{turned(one)}"
        if 20 < truth(parent) < 45:
            break
    texts = [parent] * 4 + singles(parent, RNA)
    texts += [changed(rng, parent, count, RNA) for count in rng.integers(2, 5, 700).tolist()]
    rules = ConstraintOptions(max_edits=4)
    return noisy(rng, texts, truth, 5.0, start=[parent], design={"rules": rules})


def nanobody_loops(rng: np.random.Generator) -> Case:
    """A nanobody of 110, twelve sites in two loops, a few letters each: -log10 of KD, 350 clones.

    Sites add up, as in most affinity maturation (Adams 2016), but for two weak couplings between the loops;
    each letter is in dozens of rows, so nearly all of the law can be known.
    """
    parent = random_texts(rng, 1, 110, PROTEIN)[0]
    sites = [26, 27, 29, 30, 31, 96, 97, 98, 99, 101, 102, 104]
    offered = {p: rng.permutation(list("ADEFGHIKLNQRSTVWY")).tolist()[:5] for p in sites}
    effect = {(p, c): float(rng.normal(-0.15, 0.25)) for p in sites for c in PROTEIN}
    pairs = [(27, 98), (30, 102)]
    table = rng.normal(0, 0.2, (2, 20, 20))

    def truth(text: str) -> float:
        total = 7.3
        for p, c in differences(text, parent):
            total += effect.get((p, c), -0.8) - 0.5 * (p in offered and c not in offered[p])
        for (i, j), both in zip(pairs, table, strict=True):
            if text[i] != parent[i] and text[j] != parent[j]:
                total += both[PROTEIN.index(text[i]), PROTEIN.index(text[j])]
        return float(total)

    texts = [parent] * 3
    while len(texts) < 350:
        row = parent
        for place in sites:
            if rng.random() < 0.5:
                row = planted(row, str(rng.choice(offered[place])), place)
        texts.append(row)
    rules = ConstraintOptions(max_edits=8)
    return noisy(rng, texts, truth, 0.2, start=[parent], design={"rules": rules})


def cas9_targets(rng: np.random.Generator) -> Case:
    """Targets of 30 with NGG for Cas9: percent of reads with an indel, 1,500 integrated targets.

    Letters by place add up to odds, GC of the spacer has an optimum of ten, and TTTT ends the guide (Doench
    2014 and 2016, Kim 2019). One row in twenty has TTTT, and rows lie on both sides of the optimum.
    """
    table = rng.normal(0, 0.15, (30, 4))  # spacer at 4 to 23, NGG at 24 to 26
    known = {
        (23, "G"): 0.6, (23, "C"): -0.3, (23, "T"): -0.4, (22, "T"): -0.3, (21, "T"): -0.3, (19, "C"): 0.4,
        (19, "G"): -0.3, (24, "C"): 0.3, (24, "T"): -0.4, (6, "T"): -0.2, (20, "A"): 0.2,
    }  # fmt: skip
    for (place, letter), size in known.items():
        table[place, DNA.index(letter)] += size

    def truth(text: str) -> float:
        spacer = text[4:24]
        odds = 0.3 + sum(table[i, DNA.index(c)] for i, c in enumerate(text))
        odds -= 0.03 * (20 * gc_of(spacer) - 10) ** 2 + 1.5 * ("TTTT" in spacer)
        return 90 * sigmoid(float(odds)) * (1 if text[25:27] == "GG" else 0.03)

    texts = [planted(text, "GG", 25) for text in random_texts(rng, 1500, 30)]
    values = np.clip(true_values(truth, texts) + 9.0 * rng.standard_normal(len(texts)), 0, 100)
    rules = ConstraintOptions(template="N" * 25 + "GG" + "NNN")
    return observed(texts, values, truth, design={"rules": rules})


def tail_stability(rng: np.random.Generator) -> Case:
    """3' UTR of 80 to 120, 1,500 of them: log2 of what is left of a reporter after some hours.

    AUUUA and a seed of a microRNA destroy, the first copies most, Pumilio sites less; patches of C protect,
    and so does GC (reporters of Rabani 2017 and Litterman 2019). Each word is in a quarter of the rows.
    """
    words = {"AUUUA": -0.9, "GCACUU": -1.1, "UGUAAAUA": -0.7, "CCCUCCC": 0.7}

    def truth(text: str) -> float:
        total = sum(size * (1 - 0.5 ** text.count(word)) * 1.6 for word, size in words.items())
        return total + 3 * (gc_of(text) - 0.45) + 0.3 * text.count("GCACUUA") * words["GCACUU"]

    texts = []
    for n in rng.integers(80, 121, 1500).tolist():
        share = float(rng.uniform(0.3, 0.6))
        text = "".join(rng.choice(list(RNA), n, p=np.array([1 - share, share, share, 1 - share]) / 2))
        for word in words:
            for _ in range(int(rng.poisson(0.3))):
                text = planted(text, word, int(rng.integers(n - len(word) + 1)))
        texts.append(text)
    rules = ConstraintOptions(gc="0.3-0.6", max_homopolymer="6")
    return noisy(rng, texts, truth, 0.5, design={"length": 100, "rules": rules})


def peptide_array(rng: np.random.Generator) -> Case:
    """An epitope of 13 on an array: all single substitutions and 200 double ones, log2 of intensity.

    Six residues are hot, elsewhere greasy or charged ones help a little; energies add up, between background
    and saturation (substitution arrays, as Forsstrom 2014). Rows show the floor, and at most a few double
    mutants are near the ceiling.
    """
    parent = random_texts(rng, 1, 13, PROTEIN)[0]
    nature = np.array([[HYDROPATHY[c] / 3, CHARGE.get(c, 0)] for c in PROTEIN])
    table = nature @ rng.normal(0, 0.35, (13, 2, 1)) + rng.normal(0, 0.25, (13, 20, 1))
    energy = table[..., 0]
    energy -= energy[np.arange(13), [PROTEIN.index(c) for c in parent]][:, None]
    hot = sorted(rng.choice(np.arange(2, 11), 6, replace=False).tolist())
    energy[hot] = 0.5 * energy[hot] - rng.gamma(3.0, 0.7, (6, 1))

    def truth(text: str) -> float:
        total = -1.5 + sum(energy[p, PROTEIN.index(c)] for p, c in differences(text, parent))
        return float(np.log2(200 + 20000 * sigmoid(total)))

    texts = [parent] * 6 + singles(parent, PROTEIN)
    texts += [changed(rng, parent, 2, PROTEIN) for _ in range(200)]
    rules = ConstraintOptions(max_edits=4)
    return noisy(rng, texts, truth, 0.35, start=[parent], design={"rules": rules})


def capsid_inserts(rng: np.random.Generator) -> Case:
    """2,000 peptides of seven in a loop of a capsid, coded by NNK: log2 of virus by plasmid, from reads.

    Residues count by place, cysteine and much charge cost, and there is a mild ceiling (7-mer libraries: Eid
    2024). What packs badly has few reads and reads badly; each residue is in dozens of rows at each place.
    """
    table = rng.normal(0, 0.45, (7, 20)) + rng.normal(0, 0.3, 20)

    def truth(text: str) -> float:
        net = sum(CHARGE.get(c, 0) for c in text)
        total = sum(table[i, PROTEIN.index(c)] for i, c in enumerate(text))
        total -= 0.8 * text.count("C") + 0.5 * max(0, net - 1) + 0.3 * max(0, -net - 2)
        return float(-np.log2(2**-total + 2**-5.5))

    weight = np.array(NNK) / sum(NNK)
    texts = ["".join(row) for row in rng.choice(list(PROTEIN), (2000, 7), p=weight)]
    plasmid = 60 * rng.lognormal(0, 0.5, len(texts))
    virus = rng.poisson(plasmid * 2 ** true_values(truth, texts))
    values = np.log2((virus + 1) / (rng.poisson(plasmid) + 1))
    return observed(texts, values, truth)


# Cases in which something spoils designs of which only some rows tell.


def signal_peptides(rng: np.random.Generator) -> Case:
    """450 signal peptides of 20 to 32: log of what is secreted; greasier is better until it is too greasy.

    K and R at the head, small residues at -3 and -1, and an optimum of the greasiest ten residues, beyond
    which precursors stay in the membrane (Grasso 2023). One row in ten lies beyond it, some of them far.
    """

    def truth(text: str) -> float:
        levels = [HYDROPATHY[c] for c in text]
        greasy = max(float(np.mean(levels[i : i + 10])) for i in range(1, max(2, len(text) - 12)))
        total = 1.2 * min(greasy, 2.6) - 2.5 * max(0.0, greasy - 2.6)
        total += 0.4 * min(sum(c in "KR" for c in text[1:7]), 3) - 0.4 * sum(c in "DE" for c in text[:12])
        ends = {"A": 0.0, "S": -0.3, "G": -0.4, "V": -0.6, "T": -0.6}
        return total + ends.get(text[-3], -1.5) + ends.get(text[-1], -1.5)

    texts = []
    for n in rng.integers(20, 33, 450).tolist():
        head = "M" + "".join(rng.choice(list("KKRNSTEQ"), 5))
        share = float(rng.uniform(0.55, 0.85)) if rng.random() < 0.06 else float(rng.uniform(0.0, 0.38))
        middle = [
            str(rng.choice(list("LLLIVF" if rng.random() < share else "AAAGSTLMP"))) for _ in range(n - 12)
        ]
        tail = "".join(rng.choice(list("PSNQTG"), 3)) + str(rng.choice(list("AAAVSTL"))) + "S"
        texts.append(head + "".join(middle) + tail + str(rng.choice(list("AAAASGTN"))))
    return noisy(rng, texts, truth, 0.4, design={"length": 26})


def activation_domains(rng: np.random.Generator) -> Case:
    """1,200 tiles of 40: log2 of activation by W, F and L, which acids must keep from sticking together.

    Each greasy residue beyond what net negative charge keeps apart hides all of them, and there is saturation
    (Staller 2022, Sanborn 2021). About one tile in fifteen is greasy with few acids, and nearly silent.
    """
    strength = {"W": 1.2, "F": 1.0, "L": 0.6, "Y": 0.5, "M": 0.4, "I": 0.2}

    def truth(text: str) -> float:
        pull = sum(strength.get(c, 0.0) for c in text)
        negative = -sum(CHARGE.get(c, 0) for c in text)
        active = pull * sigmoid((negative + 3 - sum(c in "WFLYMIV" for c in text)) / 1.2)
        return float(np.log2(1 + 15 * active**2 / (active**2 + 60)))

    texts = []
    for greasy in rng.uniform(0.05, 0.3, 1200).tolist():
        acid = float(np.clip(greasy + rng.normal(0.13, 0.06), 0.02, 0.5))
        rest = 1 - greasy - acid
        kinds = rng.choice(["WFLYMIV", "DE", "STPNQGAKRSTPNQGAH"], 40, p=[greasy, acid, rest])
        texts.append("".join(kind[rng.integers(len(kind))] for kind in kinds))
    return noisy(rng, texts, truth, 0.5)


def two_polymerases(rng: np.random.Generator) -> Case:
    """A doped aptamer of 40 in two pools of 400, told by their first two letters: log2 of enrichment.

    Twelve places bind. The second pool was amplified by a polymerase that loses what is rich in G and C (Aird
    2011), by 0.3 a letter; rows of the first pool show that these letters do nothing to binding.
    """
    body = random_texts(rng, 1, 38)[0]
    first, second = "GG" + body, "CA" + body
    places = sorted(rng.choice(np.arange(2, 40), 12, replace=False).tolist())
    effect = {(p, c): float(rng.normal(-0.6, 0.7)) for p in places for c in DNA}

    def truth(text: str) -> float:
        return sum(effect.get(edit, 0.0) for edit in differences(text, first) if edit[0] > 1)

    texts = [start + doped(rng, body, 0.3) for start in ("GG", "CA") for _ in range(400)]
    bias = np.array([0.3 * 40 * (gc_of(second) - gc_of(t)) * t.startswith("CA") for t in texts])
    values = true_values(truth, texts) + bias
    values += 0.4 * rng.standard_normal(len(texts))
    order = rng.permutation(len(texts)).tolist()
    rules = ConstraintOptions(max_edits=10, keep="1-2")
    return Case([texts[i] for i in order], values[order], truth, 0.4, start=[first], design={"rules": rules})


def survivors(rng: np.random.Generator) -> Case:
    """A protein of 70 under selection: log10 of reads by reads expected, where at least ten were seen.

    Most changes cost stability, of which there is a reserve, and some raise function (two states: Bershtein
    2006). What unfolded is missing, so that rows say too little of what changes cost; rows of one change far
    outnumber those of five, though as many were made, and the latter read low.
    """
    parent = random_texts(rng, 1, 70, PROTEIN)[0]
    better = rng.random((70, 20)) < 0.08
    function = np.where(better, rng.uniform(0.1, 0.35, (70, 20)), -rng.exponential(0.06, (70, 20)))
    cost = np.where(rng.random((70, 20)) < 0.12, -0.3, rng.gamma(1.2, 0.9, (70, 20)))

    def truth(text: str) -> float:
        edits = [(p, PROTEIN.index(c)) for p, c in differences(text, parent)]
        folded = sigmoid((3.0 - sum(cost[edit] for edit in edits)) / 0.6)
        return float(np.log10(1e-3 + folded * 10 ** sum(function[edit] for edit in edits)))

    made = [changed(rng, parent, count, PROTEIN) for count in range(1, 8) for _ in range(280)]
    reads = rng.poisson(25 * 10 ** true_values(truth, made))
    kept = rng.permutation(np.flatnonzero(reads >= 10)).tolist()
    texts = [made[i] for i in kept]
    rules = ConstraintOptions(max_edits=8)
    return observed(texts, np.log10(reads[kept] / 25), truth, start=[parent], design={"rules": rules})


def cases(data: Path) -> dict[str, Maker]:
    """Name and maker of each case."""
    return {
        "ribozyme scan": ribozyme_scan,
        "nanobody loops": nanobody_loops,
        "targets of Cas9": cas9_targets,
        "stability of 3' UTRs": tail_stability,
        "epitope on an array": peptide_array,
        "capsid inserts of seven": capsid_inserts,
        "signal peptides": signal_peptides,
        "activation domains": activation_domains,
        "two polymerases": two_polymerases,
        "survivors of a selection": survivors,
    }


if __name__ == "__main__":
    check(cases(Path(sys.argv[1])))
