"""The seventh family of cases of guard.py: eighteen data sets as laboratories have them, all of other kinds.

Written by somebody who had read neither the rules of the guard nor any result of theirs, and not tuned to any
outcome. In the first nine cases usual models have the right form and enough rows; in the other nine something
that rows show rarely or badly decides what designs are worth.

    python benchmarks/design/_guard_seventh.py ../shared/data

checks the generators as ``_guard_fourth.py`` does.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

import numpy as np
from _guard_cases import DNA, PROTEIN, Case, FloatArray, noisy, random_texts
from _guard_fifth import observed, sigmoid
from _guard_fourth import CHARGE, HYDROPATHY, VOLUME, check, differences, planted
from _guard_fresh import RNA
from _guard_sixth import splice_replicates, words_of_eight
from _guard_third import Maker, added, spread

from seqdesign.constraints.options import ConstraintOptions
from seqdesign.sequences.alphabets import reverse_complement
from seqdesign.sequences.reader import read_sequences

# Energies of neighbouring pairs of DNA in kcal/mol (SantaLucia 1998).
STACKS = {
    "AA": -1.00, "AT": -0.88, "TA": -0.58, "CA": -1.45, "GT": -1.44,
    "CT": -1.28, "GA": -1.30, "CG": -2.17, "GC": -2.24, "GG": -1.84,
}  # fmt: skip
STACKS |= {reverse_complement(pair): energy for pair, energy in STACKS.items()}
# Retention on C18 in minutes (Guo 1986), in the order of PROTEIN.
RETENTION = dict(
    zip(
        PROTEIN,
        (2.0, 2.6, 0.2, 1.1, 8.1, -0.2, -2.1, 7.4, -2.1, 8.1, 5.5, -0.6, 2.0, 0.0, -0.6, -0.2, 0.6, 5.0, 8.8,
         4.5),
        strict=True,
    )
)  # fmt: skip


def matches(text: str, word: str) -> FloatArray:
    """How many letters of a word are found at each place of a text (L - width + 1,)."""
    codes = np.frombuffer(text.encode(), dtype=np.uint8)
    places = len(text) - len(word) + 1
    return np.sum([codes[j : j + places] == ord(c) for j, c in enumerate(word)], axis=0).astype(float)


def doped(rng: np.random.Generator, word: str, share: float, letters: str = DNA) -> str:
    """A word of which each letter is drawn anew with a probability."""
    return "".join(str(rng.choice(list(letters))) if rng.random() < share else c for c in word)


# Cases in which usual models have the right form.


def probes(rng: np.random.Generator) -> Case:
    """Probes of 16: how firmly they pair is the sum over neighbouring letters; GC is bounded by the user."""

    def truth(text: str) -> float:
        ends = sum(0.98 if c in "GC" else 1.03 for c in (text[0], text[-1]))
        return -ends - sum(STACKS[text[i : i + 2]] for i in range(len(text) - 1))

    texts = random_texts(rng, 300, 16)
    rules = ConstraintOptions(gc="0.4-0.65")
    return noisy(rng, texts, truth, 0.5 * spread(truth, texts), design={"rules": rules})


def retention(rng: np.random.Generator) -> Case:
    """Tryptic peptides of 8 to 20: residues add up, the first three weigh more, what is late bends."""

    def truth(text: str) -> float:
        total = sum(RETENTION[c] for c in text)
        total += sum(w * RETENTION[c] for w, c in zip((0.42, 0.22, 0.05), text, strict=False))
        total *= 1 - 0.027 * max(0, 10 - len(text))
        return total if total < 38 else 38 + 0.7 * (total - 38)

    lengths = rng.integers(8, 21, 500).tolist()
    texts = [random_texts(rng, 1, n - 1, PROTEIN)[0] + str(rng.choice(["K", "R"])) for n in lengths]
    return noisy(rng, texts, truth, 4.0, design={"length": 12})


def binder_loop(rng: np.random.Generator) -> Case:
    """A loop of ten in a domain of 34: each place tolerates some size and greasiness, and they add up."""
    parent = random_texts(rng, 1, 34, PROTEIN)[0]
    loop = range(12, 22)
    nature = np.array([[HYDROPATHY[c] / 3, (VOLUME[c] - 140) / 40, CHARGE.get(c, 0)] for c in PROTEIN])
    wanted = rng.normal(0, 0.8, (10, 3))
    weight = rng.exponential(0.12, (10, 3))
    table = np.zeros((34, 20))
    for k, place in enumerate(loop):
        cost = -((nature - wanted[k]) ** 2) @ weight[k] + rng.normal(0, 0.1, 20)
        table[place] = cost - cost[PROTEIN.index(parent[place])]
    outside = [p for p in range(34) if p not in loop]
    table[outside] = -3.0  # the framework is not to be touched, nor did anybody
    table[outside, [PROTEIN.index(parent[p]) for p in outside]] = 0.0
    texts = [parent]
    while len(texts) < 384:
        row = parent
        for place in rng.choice(list(loop), int(rng.integers(1, 6)), replace=False).tolist():
            row = planted(row, str(rng.choice(list(PROTEIN))), place)
        texts.append(row)
    truth = added(table, PROTEIN)
    rules = ConstraintOptions(max_edits=4)
    noise = 0.4 * spread(truth, texts)
    return noisy(rng, texts, truth, noise, start=[parent], design={"rules": rules})


def bacterial_promoters(rng: np.random.Generator) -> Case:
    """Boxes of 6 with 15 to 19 between, anywhere in 50: the logarithm of expression, which saturates."""
    gaps = {15: 1.8, 16: 0.6, 17: 0.0, 18: 0.5, 19: 1.6}

    def truth(text: str) -> float:
        first, second = 1.1 * matches(text, "TTGACA"), 1.3 * matches(text, "TATAAT")
        bound = 0.0
        for gap, cost in gaps.items():
            shift = gap + 6
            bound += float(np.exp(first[: len(first) - shift] + second[shift:] - cost - 12).sum())
        return float(np.log10(0.01 + bound / (1 + bound)))

    texts = random_texts(rng, 800, 50)
    for i in range(500):
        gap = int(rng.choice([15, 16, 17, 18, 19], p=[0.1, 0.2, 0.4, 0.2, 0.1]))
        place = int(rng.integers(0, 50 - 12 - gap + 1))
        texts[i] = planted(texts[i], doped(rng, "TTGACA", 0.4), place)
        texts[i] = planted(texts[i], doped(rng, "TATAAT", 0.4), place + 6 + gap)
    return noisy(rng, rng.permutation(texts).tolist(), truth, 0.4 * spread(truth, texts))


def by_distance(rng: np.random.Generator) -> Case:
    """CCAAT boxes in 100 letters before a start at the right end: nearer is stronger, turned round half."""

    def truth(text: str) -> float:
        total = 0.0
        for word, weight in (("CCAAT", 1.0), ("ATTGG", 0.5)):
            for found in re.finditer(word, text):
                total += weight * float(np.exp(-(len(text) - found.end()) / 30))
        return float(np.log2(0.2 + total))

    texts = random_texts(rng, 1000, 100)
    for i in range(0, 1000, 2):
        for _ in range(int(rng.integers(1, 4))):
            texts[i] = planted(texts[i], str(rng.choice(["CCAAT", "ATTGG"])), int(rng.integers(96)))
    return noisy(rng, texts, truth, 0.5 * spread(truth, texts))


def one_well(rng: np.random.Generator) -> Case:
    """1,500 sequences of 20 read once: letters and neighbours add up, and four fifths of it all is error."""
    single = added(rng.standard_normal((20, 4)), DNA)
    pairs = 0.6 * rng.standard_normal((19, 4, 4))

    def truth(text: str) -> float:
        codes = [DNA.index(c) for c in text]
        return (single(text) + float(sum(pairs[i, codes[i], codes[i + 1]] for i in range(19)))) / 4

    texts = random_texts(rng, 1500, 20)
    return noisy(rng, texts, truth, 2 * spread(truth, texts))


def sticky_proteins(rng: np.random.Generator) -> Case:
    """Disordered proteins of 30 to 60: shares of stickers, net charge, patches of charge, at any length."""
    letters = "GSQNYFRKDEAP"
    sign = {**dict.fromkeys("RK", 1.0), **dict.fromkeys("DE", -1.0)}

    def truth(text: str) -> float:
        share = {c: text.count(c) / len(text) for c in letters}
        sticky = share["Y"] + 0.9 * share["F"] + 0.6 * share["R"] - 0.3 * share["K"]
        charges = np.array([sign.get(c, 0.0) for c in text])
        near = np.convolve(charges, np.ones(5), "valid") / 5
        patches = min(float(np.var(near)), 0.3)
        return 10 * sticky - 14 * sticky**2 - 12 * float(charges.mean()) ** 2 + 4 * patches - share["P"]

    texts = []
    for length in rng.integers(30, 61, 500).tolist():
        shares = rng.dirichlet(np.full(len(letters), 1.5))
        texts.append("".join(rng.choice(list(letters), length, p=shares)))
    return noisy(rng, texts, truth, 0.35 * spread(truth, texts), design={"length": 40})


def splice_rows(data: Path) -> Maker:
    """400 splice sites like the consensus, each in two rows, a replicate each; their mean is the truth."""

    def make(rng: np.random.Generator) -> Case:
        tables = splice_replicates(data)
        mean = {t: (tables[0][t] + tables[1][t]) / 2 for t in tables[0]}
        near = sorted(t for t in mean if sum(map(str.__eq__, t, "CAGGUAAGU")) >= 5)
        sites = rng.permutation(near).tolist()[:400]
        middle = [t for t in sites if 0.9 < mean[t] < 1.3]
        texts = sites + sites
        values = np.array([table[t] for table in tables for t in sites])
        rules = ConstraintOptions(max_edits=3)
        return observed(texts, values, mean.get, start=middle[:1], design={"rules": rules})  # type: ignore[arg-type]

    return make


def called_or_not(data: Path) -> Maker:
    """600 words of eight called bound by CRX or not, by the odds of what was measured; half look like it."""

    def make(rng: np.random.Generator) -> Case:
        table = words_of_eight(data / "dna_pbm8_CRX.csv.gz")

        def truth(text: str) -> float | None:
            return 0.02 + 0.96 * sigmoid((table[text] - 0.3) / 0.04) if text in table else None

        strong, words = sorted(t for t in table if table[t] > 0.25), sorted(table)
        texts = [str(rng.choice(strong if i % 2 else words)) for i in range(600)]
        values = rng.binomial(1, np.array([truth(t) for t in texts], dtype=float)).astype(float)
        return observed(texts, values, truth)  # type: ignore[arg-type]

    return make


# Cases in which what decides is rare among rows, or hard to see in them.


def acceptors(rng: np.random.Generator) -> Case:
    """3' splice sites of 40: a branch point, a tract of C and U, and an AG in between takes the splice."""

    def truth(text: str) -> float:
        tract = sum(0.35 if c == "U" else 0.25 if c == "C" else -0.2 for c in text[18:34])
        found = np.max([matches(text[2:22], f"CU{r}A{y}") for r in "AG" for y in "CU"], axis=0)
        place = int(found.argmax())
        branch = 1.2 * (found[place] - 4)
        tail = 0.4 * (text[34] == "C") + 0.2 * (text[34] == "U") - 0.8 * (text[34] == "G")
        earlier = "AG" in text[2 + place + 8 : 36]
        return 100 * sigmoid(tract + branch + tail - 3 - 3.5 * earlier)

    texts = []
    for _ in range(900):
        tract = "".join(rng.choice(list(RNA), 13, p=[0.12, 0.32, 0.12, 0.44]))
        text = random_texts(rng, 1, 22, RNA)[0] + tract + "AG" + random_texts(rng, 1, 3, RNA)[0]
        if rng.random() < 0.6:
            text = planted(text, doped(rng, "CUAAC", 0.25, RNA), int(rng.integers(2, 16)))
        texts.append(text)
    rules = ConstraintOptions(template="N" * 35 + "AG" + "NNN")
    return noisy(rng, texts, truth, 8.0, design={"rules": rules})


def terminator(rng: np.random.Generator) -> Case:
    """A promoter of 36, doped: letters add up, T is often good, and four T in a row end transcription."""
    parent = random_texts(rng, 1, 36)[0]
    while "TTT" in parent:
        parent = random_texts(rng, 1, 36)[0]
    table = rng.normal(0, 0.12, (36, 4))
    table[:, DNA.index("T")] += 0.08
    level = added(table, DNA)
    middle = level(parent)

    def truth(text: str) -> float:
        rate = float(np.exp(level(text) - middle))
        return 10 * rate * (0.08 if "TTTT" in text else 1.0)

    texts = [doped(rng, parent, 0.45) for _ in range(700)]
    rules = ConstraintOptions(max_edits=12)
    noise = 0.3 * spread(truth, texts)
    return noisy(rng, texts, truth, noise, start=[parent], design={"rules": rules})


def salt_bridges(rng: np.random.Generator) -> Case:
    """Eight pairs of places in 50: a charge alone does nothing good, opposite ones hold, like ones part."""
    parent = random_texts(rng, 1, 50, PROTEIN.translate(str.maketrans("", "", "DEKR")))[0]
    places = rng.permutation(50)[:16].tolist()
    pairs = list(zip(places[:8], places[8:], strict=True))
    strength = rng.gamma(3.0, 0.25, 8)
    cost = rng.exponential(0.25, (50, 20))

    def truth(text: str) -> float:
        total = -float(sum(cost[p, PROTEIN.index(c)] for p, c in differences(text, parent)))
        for (i, j), size in zip(pairs, strength, strict=True):
            total -= size * CHARGE.get(text[i], 0) * CHARGE.get(text[j], 0)
        return total

    texts = []
    for _ in range(500):
        row = parent
        for place in rng.choice(places, int(rng.integers(2, 8)), replace=False).tolist():
            row = planted(row, str(rng.choice(list("DEKRQ"))), place)
        texts.append(row)
    rules = ConstraintOptions(max_edits=6)
    noise = 0.5 * spread(truth, texts)
    return noisy(rng, texts, truth, noise, start=[parent], design={"rules": rules})


def few_binders(rng: np.random.Generator) -> Case:
    """RNA of 26, a logarithm of fluorescence: two parts of a site 3 to 8 apart; hardly a row has both."""

    def truth(text: str) -> float:
        one, two = matches(text, "GGAC"), matches(text, "CUUG")
        best = max(float((one[: len(one) - 4 - gap] + two[4 + gap :]).max()) for gap in range(3, 9))
        return float(np.log10(100 + 20000 * sigmoid(3 * (best - 7.5))))

    texts = random_texts(rng, 690, 26, RNA)
    for gap in rng.integers(3, 9, 10).tolist():
        loop = random_texts(rng, 1, gap, RNA)[0]
        word = doped(rng, "GGAC" + loop + "CUUG", 0.1, RNA)
        place = int(rng.integers(0, 27 - len(word)))
        texts.append(planted(random_texts(rng, 1, 26, RNA)[0], word, place))
    return noisy(rng, rng.permutation(texts).tolist(), truth, 0.12)


def without_the_bright(data: Path) -> Maker:
    """350 fluorescent proteins that are not of the reddest tenth of the 8,192, which are all known."""

    def make(rng: np.random.Generator) -> Case:
        records = read_sequences(data / "prot_fluorescence13_red_blue.csv.gz", outcome="red")
        assert records.outcomes is not None
        table = dict(zip(records.sequences, records.outcomes.tolist(), strict=True))
        limit = float(np.quantile(records.outcomes, 0.9))
        dim = [t for t in rng.permutation(records.sequences).tolist() if table[t] < limit][:350]
        return noisy(rng, dim, table.get, 0.3 * spread(table.__getitem__, dim))

    return make


def two_ways(rng: np.random.Generator) -> Case:
    """Peptides of 15 that kill cells by piercing membranes or by taking metals: what is better counts."""

    def truth(text: str) -> float:
        charge = sum(CHARGE.get(c, 0) for c in text)
        greasy = sum(HYDROPATHY[c] for c in text) / len(text)
        pierce = 3 * sigmoid(charge - 4) * float(np.exp(-(((greasy + 0.4) / 0.8) ** 2)))
        ligand = np.array([c in "HC" for c in text])
        held = int((ligand[:-3] & ligand[3:]).sum() + (ligand[:-4] & ligand[4:]).sum())
        chelate = 3 * held**2 / (held**2 + 9) - 0.25 * max(0, int(ligand.sum()) - 6)
        return max(pierce, chelate)

    pools = ["KRLIVFWAG", "HCSGTNADE", PROTEIN]
    texts = [random_texts(rng, 1, 15, pools[i % 3])[0] for i in range(750)]
    return noisy(rng, rng.permutation(texts).tolist(), truth, 0.45 * spread(truth, texts))


def heptads(rng: np.random.Generator) -> Case:
    """Coiled coils of 28: greasy residues every first and fourth of seven, whichever place begins."""
    core = {**dict.fromkeys("LI", 1.0), **dict.fromkeys("VM", 0.6), **dict.fromkeys("AF", 0.2)}
    core |= dict.fromkeys("DEKRNQSTHG", -0.5)
    rim = {**dict.fromkeys("EKRQ", 0.35), **dict.fromkeys("AS", 0.15), **dict.fromkeys("LIVFMWY", -0.3)}
    table = np.array([[core.get(c, 0.0), rim.get(c, 0.0)] for c in PROTEIN])

    def truth(text: str) -> float:
        scores = table[[PROTEIN.index(c) for c in text]]
        frames = np.arange(7)[:, None] + np.arange(len(text))
        inside = np.isin(frames % 7, (0, 3))
        best = float(np.where(inside, scores[:, 0], scores[:, 1]).sum(axis=1).max())
        broken = text[3:-3].count("P") + 0.4 * text.count("G")
        return 8 * sigmoid((best - 6) / 2.5) * 0.5**broken

    texts = []
    for i in range(600):
        text = random_texts(rng, 1, 28, PROTEIN)[0]
        if i % 3:
            first = int(rng.integers(7))
            text = "".join(
                str(rng.choice(list("LLIVA" if (first + k) % 7 in (0, 3) else "EKRQASTEK")))
                for k in range(28)
            )
            text = doped(rng, text, float(rng.uniform(0.1, 0.6)), PROTEIN)
        texts.append(text)
    texts = rng.permutation(texts).tolist()
    middle = sorted(texts, key=truth)[450]
    rules = ConstraintOptions(max_edits=6)
    noise = 0.4 * spread(truth, texts)
    return noisy(rng, texts, truth, noise, start=[middle], design={"rules": rules})


def open_site(rng: np.random.Generator) -> Case:
    """RNA of 44 with a site of ten: its letters add up, unless five or more pair with what is beside it."""
    level = added(rng.normal(0, 0.5, (10, 4)), RNA)
    complement = str.maketrans("ACGU", "UGCA")

    def truth(text: str) -> float:
        site = text[17:27]
        beside = (text[:14], text[30:])
        paired = 0
        for size in range(4, 11):
            turned = [site[i : i + size].translate(complement)[::-1] for i in range(11 - size)]
            if not any(word in part for word in turned for part in beside):
                break
            paired = size
        return float(np.logaddexp(0, 2 + level(site))) * sigmoid(1.5 * (4.7 - paired))

    texts = random_texts(rng, 900, 44, RNA)
    for i in range(0, 900, 3):
        size, first = int(rng.integers(4, 8)), int(rng.integers(3))
        word = texts[i][17 + first : 17 + first + size].translate(complement)[::-1]
        place = int(rng.integers(0, 15 - size)) + (30 if rng.random() < 0.5 else 0)
        texts[i] = planted(texts[i], word, place)
    return noisy(rng, texts, truth, 0.35 * spread(truth, texts))


@cache
def capsid_singles(path: Path) -> tuple[str, dict[str, float]]:
    """The capsid and how well it and each single substitution of it packs, as log2 of the capsid's own."""
    records = read_sequences(path)
    assert records.outcomes is not None
    rows = dict(zip(records.sequences, records.outcomes.tolist(), strict=True))
    same = [t for t in rows if len(t) == 150]
    wild = "".join(max(set(column), key=column.count) for column in zip(*same, strict=True))
    table = {t: rows[t] for t in same if len(differences(t, wild)) == 1}
    return wild, {**table, wild: 0.0}


def one_substitution(data: Path) -> Maker:
    """700 single substitutions of a capsid as measured; which of the other 2,000, any letter, is best?"""

    def make(rng: np.random.Generator) -> Case:
        wild, table = capsid_singles(data / "prot_aav2_indels451_600.csv.gz")
        known = sorted(t for t in table if t != wild)
        texts = [wild, *rng.permutation(known).tolist()[:700]]
        design = {"only_seen": False, "rules": ConstraintOptions(max_edits=1)}
        return noisy(rng, texts, table.get, 0.2, start=[wild], design=design)

    return make


def cases(data: Path) -> dict[str, Maker]:
    """Name and maker of each case."""
    return {
        "probe stability": probes,
        "retention times": retention,
        "loop of a binder": binder_loop,
        "bacterial promoters": bacterial_promoters,
        "CCAAT by distance": by_distance,
        "one well each": one_well,
        "sticky proteins": sticky_proteins,
        "splice sites, two rows each": splice_rows(data),
        "CRX called or not": called_or_not(data),
        "acceptor sites": acceptors,
        "terminator in a promoter": terminator,
        "salt bridges": salt_bridges,
        "few binders": few_binders,
        "red, without the bright": without_the_bright(data),
        "two ways to kill": two_ways,
        "heptads": heptads,
        "open site": open_site,
        "capsid, one substitution": one_substitution(data),
    }


if __name__ == "__main__":
    check(cases(Path(sys.argv[1])))
