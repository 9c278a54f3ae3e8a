"""The fourth family of cases of guard.py: libraries, pools, scans, natural families and measured tables.

Written by somebody who had read neither the rules of the guard nor any result of theirs, and not tuned to any
outcome. As many cases are well determined, where designs should come out well, as are treacherous.

    python benchmarks/design/_guard_fourth.py ../shared/data

checks the generators: rows, lengths, spread, share of noise, and the best truth that a plain ascent finds.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from _guard_cases import DNA, PROTEIN, Case, FloatArray, noisy, random_texts
from _guard_fresh import RNA
from _guard_third import Maker, added, mutants, spread

from seqdesign.constraints.options import ConstraintOptions
from seqdesign.sequences.reader import read_sequences

# Kyte and Doolittle 1982, and volumes in cubic angstrom (Zamyatnin 1972), in the order of PROTEIN.
HYDROPATHY = dict(
    zip(
        PROTEIN,
        (1.8, 2.5, -3.5, -3.5, 2.8, -0.4, -3.2, 4.5, -3.9, 3.8, 1.9, -3.5, -1.6, -3.5, -4.5, -0.8, -0.7, 4.2,
         -0.9, -1.3),
        strict=True,
    )
)  # fmt: skip
VOLUME = dict(
    zip(
        PROTEIN,
        (88.6, 108.5, 111.1, 138.4, 189.9, 60.1, 153.2, 166.7, 168.6, 166.7, 162.9, 114.1, 112.7, 143.8,
         173.4, 89.0, 116.1, 140.0, 227.8, 193.6),
        strict=True,
    )
)  # fmt: skip
CHARGE = {"K": 1, "R": 1, "D": -1, "E": -1}


def differences(text: str, parent: str) -> list[tuple[int, str]]:
    return [(i, c) for i, (c, own) in enumerate(zip(text, parent, strict=True)) if c != own]


def planted(text: str, word: str, place: int) -> str:
    return text[:place] + word + text[place + len(word) :]


# Libraries and scans, where positions have a meaning.


def five_sites(rng: np.random.Generator) -> Case:
    """An enzyme with six letters at each of five sites, four plates of it; sites nearly add up."""
    parent = random_texts(rng, 1, 32, PROTEIN)[0]
    sites = sorted(rng.choice(32, 5, replace=False).tolist())
    others = [rng.permutation([c for c in PROTEIN if c != parent[p]])[:5].tolist() for p in sites]
    letters = [[parent[p], *found] for p, found in zip(sites, others, strict=True)]
    single, pair = rng.standard_normal((5, 6)), 0.5 * rng.standard_normal((6, 6))

    def truth(text: str) -> float:
        if any(p not in sites or c not in letters[sites.index(p)] for p, c in differences(text, parent)):
            return -3.0
        at = [found.index(text[p]) for p, found in zip(sites, letters, strict=True)]
        return float(single[np.arange(5), at].sum() + pair[at[1], at[3]])

    texts = []
    for _ in range(384):
        row = list(parent)
        for p, found in zip(sites, letters, strict=True):
            row[p] = str(rng.choice(found))
        texts.append("".join(row))
    return noisy(rng, texts, truth, 0.3 * spread(truth, texts))


def stability_scan(data: Path) -> Maker:
    """Measured folding energies of most single mutants of a small domain, which add up in multiples."""

    def make(rng: np.random.Generator) -> Case:
        records = read_sequences(data / "prot_gb1_stability_nisthal.csv.gz")
        assert records.outcomes is not None
        parent = "TYKLILNGKTLKGETTTEAVDAATAEKVFKQYANDNGVDGEWTYDDATKTFTVTE"
        gain = {
            edits[0]: -value
            for text, value in zip(records.sequences, records.outcomes.tolist(), strict=True)
            if len(edits := differences(text, parent)) == 1
        }

        def truth(text: str) -> float | None:
            effects = [gain.get(edit) for edit in differences(text, parent)]
            known = [effect for effect in effects if effect is not None]
            return float(sum(known)) if len(known) == len(effects) else None

        texts = [planted(parent, c, p) for p, c in gain]
        return noisy(rng, texts, truth, 0.2, start=[parent], design={"rules": ConstraintOptions(max_edits=3)})

    return make


def operators(rng: np.random.Generator) -> Case:
    """Many operators of a repressor, hardly any noise: the logarithm of expression has a ceiling."""
    energy = added(rng.normal(0.0, 1.0, (12, 4)), DNA)

    def truth(text: str) -> float:
        return float(-np.log10(1 + np.exp(1.5 - energy(text))))

    return noisy(rng, random_texts(rng, 4000, 12), truth, 0.02)


def triplicates(rng: np.random.Generator) -> Case:
    """Each of 150 sequences three times, and the three disagree as much as sequences differ."""
    truth = added(rng.standard_normal((12, 4)) / 12**0.5, DNA)
    texts = rng.permutation(random_texts(rng, 150, 12) * 3).tolist()
    return noisy(rng, texts, truth, spread(truth, texts))


def few_many_times(rng: np.random.Generator) -> Case:
    """240 rows that are 40 sequences six times each, of which pairs of places tell most."""
    single = added(0.5 * rng.standard_normal((18, 4)) / 18**0.5, DNA)
    pairs = [rng.choice(18, 2, replace=False) for _ in range(12)]
    tables = rng.standard_normal((12, 4, 4)) / 12**0.5

    def truth(text: str) -> float:
        c = [DNA.index(letter) for letter in text]
        return single(text) + float(sum(t[c[i], c[j]] for (i, j), t in zip(pairs, tables, strict=True)))

    texts = rng.permutation(random_texts(rng, 40, 18) * 6).tolist()
    return noisy(rng, texts, truth, 0.3 * spread(truth, texts))


def buried_face(rng: np.random.Generator) -> Case:
    """A helix of 18 residues: one face must be greasy, and the net charge should be two."""
    face = np.cos(np.deg2rad(100.0) * np.arange(18))

    def truth(text: str) -> float:
        greasy = float(face @ np.array([HYDROPATHY[c] for c in text])) / 8
        charge = sum(CHARGE.get(c, 0) for c in text)
        return greasy - 0.06 * (charge - 2) ** 2

    texts = random_texts(rng, 500, 18, PROTEIN)
    return noisy(rng, texts, truth, 0.4 * spread(truth, texts))


def plates(rng: np.random.Generator) -> Case:
    """Five plates of 96 in the order of rows: each has an offset, and wells at the edge read low."""
    truth = added(rng.standard_normal((20, 4)) / 20**0.5, DNA)
    texts = random_texts(rng, 480, 20)
    sd = spread(truth, texts)
    made = noisy(rng, texts, truth, 0.4 * sd)
    well = np.arange(480) % 96
    edge = (well // 12 % 7 == 0) | (well % 12 % 11 == 0)
    offset = sd * rng.standard_normal(5).repeat(96) - 0.5 * sd * edge
    return replace(made, values=made.values + offset)


def house_of_cards(rng: np.random.Generator) -> Case:
    """Every sequence has a value of its own, and neighbours tell nothing; measured well."""
    table = rng.standard_normal(4**7)

    def truth(text: str) -> float:
        return float(table[int("".join(str(DNA.index(c)) for c in text), 4)])

    return noisy(rng, random_texts(rng, 600, 7), truth, 0.05)


def costly_activity(rng: np.random.Generator) -> Case:
    """What raises activity costs stability: the third such mutation is borne, the sixth unfolds it."""
    parent = random_texts(rng, 1, 50, PROTEIN)[0]
    helps = rng.random((50, 20)) < 0.15
    activity = np.where(helps, rng.normal(0.6, 0.2, (50, 20)), rng.normal(-0.3, 0.3, (50, 20)))
    cost = np.where(helps, rng.normal(1.6, 0.4, (50, 20)), rng.exponential(0.8, (50, 20)))

    def truth(text: str) -> float:
        at = [(p, PROTEIN.index(c)) for p, c in differences(text, parent)]
        unfolding = sum(cost[i] for i in at) - 4.0
        return float(sum(activity[i] for i in at) - np.logaddexp(0, unfolding) / np.log(10))

    rows = mutants(rng, parent, 700, 3)
    return noisy(rng, rows, truth, 0.2, start=[parent], design={"rules": ConstraintOptions(max_edits=6)})


def dead_or_alive(rng: np.random.Generator) -> Case:
    """Three in ten clones read as dead, whatever the sequence, and the others are all the same."""
    parent = random_texts(rng, 1, 40, PROTEIN)[0]
    rows = mutants(rng, parent, 450, 4)
    values = np.where(rng.random(450) < 0.3, 0.0, 1.0) + 0.15 * rng.standard_normal(450)
    rules = ConstraintOptions(max_edits=4)
    return Case(rows, values, lambda text: 0.7, 0.5, start=[parent], design={"rules": rules})


def sixty_peptides(rng: np.random.Generator) -> Case:
    """Nonamers that a receptor holds by their second and last residue; sixty of them, badly measured."""
    weight = np.array([0.15, 1.0, 0.3, 0.1, 0.15, 0.15, 0.3, 0.1, 1.0])
    truth = added(weight[:, None] * rng.standard_normal((9, 20)), PROTEIN)
    texts = random_texts(rng, 60, 9, PROTEIN)
    return noisy(rng, texts, truth, 0.8 * spread(truth, texts))


def chimeras(rng: np.random.Generator) -> Case:
    """Three parents in eight blocks: blocks add up, and contacts that no parent has cost stability."""
    ancestor = random_texts(rng, 1, 64, PROTEIN)[0]
    parents = []
    for _ in range(3):
        letters = np.array(list(ancestor))
        new = rng.random(64) < 0.45
        letters[new] = rng.choice(list(PROTEIN), int(new.sum()))
        parents.append("".join(letters))
    effect = rng.standard_normal((64, 20)) / 4
    contacts = [tuple(rng.choice(64, 2, replace=False).tolist()) for _ in range(90)]
    held = {(i, j, p[i], p[j]) for i, j in contacts for p in parents}

    def truth(text: str) -> float:
        broken = sum((i, j, text[i], text[j]) not in held for i, j in contacts)
        return float(sum(effect[i, PROTEIN.index(c)] for i, c in enumerate(text)) - 0.2 * broken)

    picks = rng.integers(0, 3, (120, 8)).tolist()
    texts = ["".join(parents[k][8 * b : 8 * b + 8] for b, k in enumerate(row)) for row in picks]
    return noisy(rng, texts, truth, 0.4 * spread(truth, texts))


# RNA: leaders, stems, pools of selection.


def leaders(rng: np.random.Generator) -> Case:
    """5' leaders: a start codon out of frame costs, so does GC; the last six letters count one by one."""
    end = added(np.array([0.3, 0.2, 0.2, 1.0, 0.3, 0.3])[:, None] * rng.normal(0, 0.5, (6, 4)), RNA)

    def truth(text: str) -> float:
        starts = [(len(text) - i) % 3 for i in range(len(text) - 2) if text.startswith("AUG", i)]
        early = sum(0.3 if frame == 0 else 1.0 for frame in starts)
        gc = (text.count("G") + text.count("C")) / len(text)
        return end(text[-6:]) - min(early, 2.0) - 2.5 * (gc - 0.5)

    made = noisy(rng, random_texts(rng, 1500, 45, RNA), truth, 0.0)
    return replace(made, values=made.values + rng.laplace(0, 0.3, 1500), noise=0.42)


def fixed_stem(rng: np.random.Generator) -> Case:
    """A stem of eight pairs around a loop of four, of which half is paired: what counts is stacked pairs."""
    strength = {"GC": 1.5, "CG": 1.5, "AU": 1.0, "UA": 1.0, "GU": 0.5, "UG": 0.5}
    partner = dict(zip(RNA, "UGCA", strict=True))

    def truth(text: str) -> float:
        pairs = [strength.get(text[i] + text[19 - i], -0.3) for i in range(8)]
        stacked = sum(a > 0 and b > 0 for a, b in pairwise(pairs))
        return float(sum(pairs) + 0.3 * stacked)

    texts = []
    for text in random_texts(rng, 1200, 20, RNA):
        row = list(text)
        for i in range(8):
            if rng.random() < 0.4:
                row[19 - i] = partner[row[i]]
        texts.append("".join(row))
    return noisy(rng, texts, truth, 0.3 * spread(truth, texts))


def longest_stem(text: str) -> int:
    """Pairs of the longest stem anywhere around a loop of 3 to 8 letters, with wobbles."""
    pairs, best = {"GC", "CG", "AU", "UA", "GU", "UG"}, 0
    for loop in range(3, 9):
        for left in range(len(text) - loop - 1):
            size, right = 0, left + loop + 1
            while left - size >= 0 and right + size < len(text):
                if text[left - size] + text[right + size] not in pairs:
                    break
                size += 1
            best = max(best, size)
    return best


def hairpin_anywhere(rng: np.random.Generator) -> Case:
    """RNA of 35 to 60 letters: the longest stem anywhere counts, and no word tells it."""
    texts = [random_texts(rng, 1, int(n), RNA)[0] for n in rng.integers(35, 61, 1000)]
    return noisy(rng, texts, lambda text: 0.5 * min(longest_stem(text), 12), 0.4, design={"length": 48})


def selected_pool(rng: np.random.Generator) -> Case:
    """The third round of a selection: families of mutants of a few winners, and enrichment from few reads."""
    table = rng.normal(0, 0.8, (9, 4))
    width = np.arange(9)

    def best(text: str) -> float:
        codes = np.array([RNA.index(c) for c in text])
        return max(float(table[width, codes[i : i + 9]].sum()) for i in range(len(text) - 8))

    first = random_texts(rng, 3000, 30, RNA)
    scores = np.array([best(text) for text in first])
    middle, scale = float(np.quantile(scores, 0.98)), 0.6 * float(scores.std())

    def truth(text: str) -> float:
        return float(4 / (1 + np.exp((middle - best(text)) / scale)))

    winners = sorted(first, key=truth)[-60::10]
    texts = random_texts(rng, 250, 30, RNA)
    for winner, size in zip(winners, (200, 150, 120, 90, 60, 30), strict=True):
        texts += mutants(rng, winner, size, 4, RNA)
    true = np.array([truth(text) for text in texts])
    before = rng.lognormal(2.0, 1.0, len(texts))
    after = rng.poisson(before * 2 ** (true - true.mean()))
    values = np.log2((after + 0.5) / (rng.poisson(before) + 0.5))
    noise = float(np.std(values - true + true.mean()))
    return Case(texts, values + float(true.mean()), truth, noise)


# Unaligned, natural, or read off tables of measurements.


def order_matters(rng: np.random.Generator) -> Case:
    """Two words: in one order, near each other, they activate; in the other they silence."""
    front, back = "GCCACA", "TTGCG"

    def truth(text: str) -> float:
        first = [i for i in range(len(text)) if text.startswith(front, i)]
        second = [i for i in range(len(text)) if text.startswith(back, i)]
        gaps = [b - a for a in first for b in second]
        active = any(6 <= gap <= 26 for gap in gaps)
        silent = any(-26 <= gap < 0 for gap in gaps)
        return 1.5 * active - 1.0 * silent + 0.3 * bool(first)

    texts = random_texts(rng, 1400, 50)
    for i in range(1000):
        low, high = sorted(rng.choice(7, 2, replace=False).tolist())
        words = [front, back] if rng.random() < 0.5 else [back, front]
        for word, place in zip(words, (low, high), strict=True):
            if rng.random() < 0.85:
                texts[i] = planted(texts[i], word, 7 * place + int(rng.integers(2)))
    return noisy(rng, rng.permutation(texts).tolist(), truth, 0.4)


def gc_cliff(rng: np.random.Generator) -> Case:
    """More GC is better as far as anybody has looked; beyond 62% it is not."""

    def truth(text: str) -> float:
        gc = (text.count("G") + text.count("C")) / len(text)
        return 4 * (gc - 0.4) - 25 * max(0.0, gc - 0.62) + 0.5 * ("CACCC" in text)

    texts: list[str] = []
    while len(texts) < 900:
        half = float(rng.uniform(0.15, 0.28))
        text = "".join(rng.choice(list(DNA), 50, p=[0.5 - half, half, half, 0.5 - half]))
        if text.count("G") + text.count("C") <= 29:
            texts.append(text)
    return noisy(rng, texts, truth, 0.25)


def peptides(data: Path) -> Maker:
    """Antimicrobial peptides of 10 to 40 residues: charge, an optimum of greasiness, and length."""

    def truth(text: str) -> float:
        charge = sum(CHARGE.get(c, 0) for c in text)
        greasy = sum(c in "AVILMFWC" for c in text) / len(text)
        return float(1.5 * np.tanh(charge / 5) + np.exp(-(((greasy - 0.45) / 0.12) ** 2)) - 0.015 * len(text))

    def make(rng: np.random.Generator) -> Case:
        records = read_sequences(data / "prot_amp_vs_uniprot.csv.gz")
        assert records.outcomes is not None
        texts = sorted(
            {
                text
                for text, active in zip(records.sequences, records.outcomes.tolist(), strict=True)
                if active == 1 and 10 <= len(text) <= 40 and set(text) <= set(PROTEIN)
            }
        )
        return noisy(rng, rng.permutation(texts).tolist()[:700], truth, 0.3, design={"length": 24})

    return make


def aligned_family(path: Path) -> list[str]:
    """Different members of an alignment without gaps in the columns that nearly all members fill."""
    with gzip.open(path, "rt") as handle:
        rows = ["".join(record.split("\n")[1:]) for record in handle.read().split(">")[1:]]
    table = np.array([list(row.upper()) for row in rows])
    some = table[:, np.isin(table, list(PROTEIN)).mean(0) > 0.9]
    return sorted({"".join(row) for row in some[np.isin(some, list(PROTEIN)).all(1)]})


def natural_family(data: Path) -> Maker:
    """Twelve clades of a domain: greasiness and size count column by column, charges in two pairs."""

    def make(rng: np.random.Generator) -> Case:
        members = aligned_family(data / "prot_ww_pfam_aligned.fa.gz")
        codes = np.array([list(text) for text in members])
        chosen: set[str] = set()
        for centre in rng.choice(len(members), 12, replace=False):
            near = np.argsort((codes != codes[centre]).sum(1), kind="stable")[:25]
            chosen.update(members[i] for i in near)
        width = codes.shape[1]
        scales = [np.array([scale[c] for c in PROTEIN]) for scale in (HYDROPATHY, VOLUME)]
        table = sum(rng.standard_normal((width, 1)) * (s - s.mean()) / s.std() for s in scales)
        single = added(np.asarray(table) / width**0.5, PROTEIN)
        pairs = rng.choice(width, (2, 2), replace=False).tolist()

        def truth(text: str) -> float:
            salt = sum(-CHARGE.get(text[i], 0) * CHARGE.get(text[j], 0) for i, j in pairs)
            return single(text) + 0.5 * salt

        texts = rng.permutation(sorted(chosen)).tolist()
        return noisy(rng, texts, truth, 0.5 * spread(truth, texts))

    return make


def genome_sites(data: Path) -> Maker:
    """How often a genome uses a 5' splice site, as a logarithm; rows are sites that it does use."""

    def make(rng: np.random.Generator) -> Case:
        with gzip.open(data / "rna_human_5ss9_counts.csv.gz", "rt") as handle:
            counts = {row["sequence"]: float(row["count"]) for row in csv.DictReader(handle)}

        def truth(text: str) -> float:
            return float(np.log10(1 + counts.get(text, 0.0)))

        return noisy(rng, rng.permutation(sorted(counts)).tolist()[:1500], truth, 0.0)

    return make


def red_or_not(data: Path) -> Maker:
    """A complete library of fluorescent proteins; three readers call 400 red or not, one in ten wrongly.

    The outcome is the share of the readers, .9 or .1 on average (two classes have their score
    in log odds, and guard.py compares outcomes).
    """

    def make(rng: np.random.Generator) -> Case:
        records = read_sequences(data / "prot_fluorescence13_red_blue.csv.gz", outcome="red")
        assert records.outcomes is not None
        limit = float(np.quantile(records.outcomes, 0.75))
        pairs = zip(records.sequences, records.outcomes.tolist(), strict=True)
        table = {text: 0.9 if value > limit else 0.1 for text, value in pairs}
        made = noisy(rng, rng.permutation(records.sequences).tolist()[:400], table.get, 0.0)
        return replace(made, values=rng.binomial(3, made.values) / 3, noise=(0.1 * 0.9 / 3) ** 0.5)

    return make


def cases(data: Path) -> dict[str, Maker]:
    """Name and maker of each case."""
    return {
        "five sites, 384": five_sites,
        "GB1 stability scan": stability_scan(data),
        "operators, 4,000": operators,
        "triplicates": triplicates,
        "few, many times": few_many_times,
        "buried face": buried_face,
        "plates": plates,
        "house of cards": house_of_cards,
        "costly activity": costly_activity,
        "dead or alive": dead_or_alive,
        "sixty peptides": sixty_peptides,
        "chimeras, 120": chimeras,
        "leaders": leaders,
        "fixed stem": fixed_stem,
        "hairpin anywhere": hairpin_anywhere,
        "selected pool": selected_pool,
        "order matters": order_matters,
        "GC cliff": gc_cliff,
        "antimicrobial peptides": peptides(data),
        "WW clades": natural_family(data),
        "sites of a genome": genome_sites(data),
        "red or not, 400 called": red_or_not(data),
    }


def neighbours(text: str, letters: Sequence[set[str]]) -> Iterator[str]:
    for i, found in enumerate(letters):
        yield from (planted(text, c, i) for c in sorted(found) if c != text[i])


def ascent(case: Case) -> float:
    """Truth where single substitutions by letters of the rows no longer help: a bound from below."""

    def value(text: str) -> float:
        found = case.truth(text)
        return -np.inf if found is None else found

    rules = case.design.get("rules")
    most = rules.max_edits if rules is not None else None
    text = max(case.start or case.texts, key=value)
    same = len({len(t) for t in case.texts}) == 1
    every = set("".join(case.texts))
    letters = [set(column) for column in zip(*case.texts, strict=True)] if same else [every] * len(text)
    for _ in range(most if most is not None else 200):
        best = max(neighbours(text, letters), key=value, default=text)
        if value(best) <= value(text):
            break
        text = best
    return value(text)


def elsewhere(case: Case, rng: np.random.Generator, count: int = 200) -> list[str]:
    """Sequences as long as rows: half of random letters of the rows, half of single letters."""
    every = sorted(set("".join(case.texts)))
    long = [len(text) for text in rng.choice(case.texts, count)]
    mixed = ["".join(rng.choice(every, n)) for n in long[::2]]
    return mixed + [str(rng.choice(every)) * n for n in long[1::2]]


def check(makers: dict[str, Maker]) -> None:
    """Prints what rows and truth of each case are like, and fails where one of them is not a number."""
    for name, make in makers.items():
        rng = np.random.default_rng([0, len(name)])
        case = make(rng)
        true: FloatArray = np.array([case.truth(text) for text in case.texts], dtype=float)
        assert len(case.texts) == len(case.values)
        assert np.isfinite(true).all()
        assert np.isfinite(case.values).all()
        assert all(np.isfinite(found) for t in elsewhere(case, rng) if (found := case.truth(t)) is not None)
        lengths = [len(text) for text in case.texts]
        base = float(np.mean([case.truth(t) for t in case.start or case.texts]))  # type: ignore[misc]
        share = float(np.var(case.values - true) / np.var(case.values))
        print(
            f"{name:<24} rows {len(lengths):>5}  different {len(set(case.texts)):>5}  "
            f"letters {min(lengths)}-{max(lengths)}  truth sd {true.std():.2f}  noise share {share:.2f}  "
            f"compared with {base:.2f}  best row {true.max():.2f}  ascent {ascent(case):.2f}",
            flush=True,
        )


if __name__ == "__main__":
    check(cases(Path(sys.argv[1])))
