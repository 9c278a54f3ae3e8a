"""Degenerate libraries of 131 fluorescent proteins beside DeCoDe's: targets covered within 1e7 sequences.

    python benchmarks/rules/degenerate_libraries.py ALIGNMENT.aln [SUBLIBRARIES ...] [--both] [--seeds=0,1,2]

ALIGNMENT is examples/gfp/gfp_exclude_long.aln of OrensteinLab/DeCoDe. Every library is verified by decoding:
each degenerate codon is expanded to its codons, these are translated, and the sizes are counted. Seconds are
CPU seconds of one process.
"""

from __future__ import annotations

import resource
import sys
import time
from itertools import product

from Bio import AlignIO
from Bio.Seq import Seq

from seqdesign.libraries.cover import Sublibrary, cover
from seqdesign.libraries.degenerate import codon_codes

DECODE = {1: 32, 2: 50, 3: 66, 4: 74, 8: 103, 12: 121}
MAX_SIZE = 1e7
IUPAC = {
    "A": "A",
    "C": "C",
    "G": "G",
    "T": "T",
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
}
IUPAC |= {"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"}


def verified(found: list[Sublibrary], targets: list[str]) -> tuple[int, int]:
    """(covered, DNA sequences) counted without any of the library's own tables."""
    covered, size = set(), 0
    for one in found:
        letters, count = [], 1
        for code in one.codes:
            codons = ["".join(bases) for bases in product(*(IUPAC[c] for c in code))] if code != "-" else []
            letters.append({str(Seq(codon).translate()) for codon in codons} or {"-"})
            count *= len(codons) or 1
        size += count
        covered |= {i for i, t in enumerate(targets) if all(a in b for a, b in zip(t, letters, strict=True))}
    return len(covered), size


def main(path: str, numbers: list[int]) -> None:
    targets = [str(record.seq) for record in AlignIO.read(path, "clustal")]
    seeds = next((word[8:] for word in sys.argv if word.startswith("--seeds=")), "0").split(",")
    for stops, num, seed in product(
        [True, False] if "--both" in sys.argv else [True], numbers, map(int, seeds)
    ):
        begin = time.process_time()
        found = cover(targets, codon_codes(stops), MAX_SIZE, num, seed=seed)
        seconds = time.process_time() - begin
        covered, size = verified(found, targets)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(
            f"stops {stops}, {num} sublibraries, seed {seed}: {covered} of {len(targets)} "
            f"(DeCoDe {DECODE.get(num)}), {size:,} sequences, {seconds:.0f} s, {peak:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], [int(word) for word in sys.argv[2:] if word.isdigit()] or list(DECODE))
