"""1,000 proteins of 100 to 300 residues to genes under the Twist preset and two enzymes, judged by DnaChisel.

    python benchmarks/rules/genes.py FOLDER

FOLDER holds prot_amp_vs_uniprot.csv.gz and prot_globins630.fa.gz. Proteins come in equal parts from UniProt
(the class 0 of the first file, fragments joined until they are long enough), from globins, and from a
generator with the composition of both. DnaChisel evaluates each gene with specifications of its
own; the difference between windows and runs of one letter are counted here from the text.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import dnachisel as dc

from seqdesign.constraints.codons import back_translate
from seqdesign.constraints.options import LetterRules
from seqdesign.sequences.lab.codon_usage import codon_usage
from seqdesign.sequences.reader import read_sequences

RESIDUES = frozenset("ACDEFGHIKLMNPQRSTVWY")
SHORTEST, LONGEST = 100, 300


def proteins(folder: Path, count: int) -> list[str]:
    """Proteins from three sources, repeats left out."""
    rng = random.Random(1)
    table = read_sequences(folder / "prot_amp_vs_uniprot.csv.gz")
    assert table.outcomes is not None
    pieces = [
        s for s, y in zip(table.sequences, table.outcomes, strict=True) if y == 0 and set(s) <= RESIDUES
    ]
    globins = [s.upper() for s in read_sequences(folder / "prot_globins630.fa.gz").sequences]
    globins = [s for s in globins if set(s) <= RESIDUES and SHORTEST <= len(s) <= LONGEST]
    letters = "".join([*pieces, *globins])
    found = dict.fromkeys(rng.sample(globins, min(len(globins), count // 3)))

    def joined() -> Iterator[str]:
        while True:
            text = ""
            while len(text) < SHORTEST:
                text += rng.choice(pieces)
            yield text[:LONGEST]

    for text in joined():
        if len(found) >= count * 2 // 3:
            break
        found[text] = None
    while len(found) < count:
        found["M" + "".join(rng.choices(letters, k=rng.randint(SHORTEST - 1, LONGEST - 1)))] = None
    return list(found)


def agrees(protein: str, gene: str, enzymes: list[str]) -> list[str]:
    """What DnaChisel and plain counting find wrong."""
    problem = dc.DnaOptimizationProblem(
        gene,
        constraints=[
            dc.EnforceTranslation(translation=protein + "*"),
            dc.EnforceGCContent(mini=0.25, maxi=0.65),
            dc.UniquifyAllKmers(20, include_reverse_complement=True),
            *(dc.AvoidPattern(f"{enzyme}_site") for enzyme in enzymes),
        ],
        logger=None,
    )
    wrong = [str(e.specification) for e in problem.constraints_evaluations() if not e.passes]
    shares = [sum(c in "GC" for c in gene[i : i + 50]) / 50 for i in range(len(gene) - 49)]
    if max(shares) - min(shares) > 0.52 + 1e-9:
        wrong.append("windows")
    if re.search(r"(.)\1{9}", gene):
        wrong.append("homopolymer")
    return wrong


def main() -> None:
    """Print one line for each host."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--hosts", nargs="+", default=["ecoli", "yeast", "human"])
    args = parser.parse_args()
    texts, enzymes = proteins(args.folder, args.n), ["BsaI", "EcoRI"]
    rules = LetterRules(forbid=tuple(enzymes), synthesis="twist")
    print("host\tproteins\tgenes\tDnaChisel agrees\tCAI\tmean lost\tmost lost\tover 2%\tCPU s")
    for host in args.hosts:
        begin = time.process_time()
        genes = back_translate(texts, codon_usage(host), rules)
        seconds = time.process_time() - begin
        good = [(p, g) for p, g in zip(texts, genes, strict=True) if g.sequence is not None]
        wrong = [w for p, g in good if (w := agrees(p, g.sequence or "", enzymes))]
        lost = [g.lost for _, g in good]
        cai = sum(g.cai for _, g in good) / len(good)
        print(
            f"{host}\t{len(texts)}\t{len(good)}\t{len(good) - len(wrong)}\t{cai:.3f}\t"
            f"{sum(lost) / len(lost):.3%}\t{max(lost):.2%}\t{sum(x > 0.02 for x in lost)}\t{seconds:.1f}"
        )
        for found in wrong[:3]:
            print("  ", found)


if __name__ == "__main__":
    main()
