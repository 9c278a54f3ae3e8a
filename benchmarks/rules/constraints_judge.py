"""DnaChisel as an independent judge of hard constraints: repaired random DNA, and how long the repair takes.

python benchmarks/rules/constraints_judge.py [--sequences 10000]
"""

from __future__ import annotations

import argparse
import time

import dnachisel
import torch

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.sequences.alphabets import get_alphabet

LENGTHS = (150, 200)
ENZYMES = ("EcoRI", "BsaI", "BbsI", "HindIII", "XbaI")
OPTIONS = ConstraintOptions(
    forbid=(*ENZYMES, "TATAAA", "CCWGG"),
    gc="0.4-0.6",
    gc_window=("50:0.3-0.7",),
    max_homopolymer="5",
    keep="11-20",
)


def judges() -> list[dnachisel.Specification]:
    patterns = [*(f"{name}_site" for name in ENZYMES), "TATAAA", "CCWGG"]
    return [
        *(dnachisel.AvoidPattern(pattern) for pattern in patterns),
        *(dnachisel.AvoidPattern(letter * 6, strand=1) for letter in "ACGT"),
        dnachisel.EnforceGCContent(mini=0.4, maxi=0.6),
        dnachisel.EnforceGCContent(mini=0.3, maxi=0.7, window=50),
    ]


def violations(text: str) -> int:
    problem = dnachisel.DnaOptimizationProblem(text, constraints=judges(), logger=None)
    return sum(not found.passes for found in problem.constraints_evaluations().evaluations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=10_000)
    count = parser.parse_args().sequences
    torch.set_num_threads(1)
    alphabet = get_alphabet("dna")
    generator = torch.Generator().manual_seed(0)
    for length in LENGTHS:
        starts = torch.randint(4, (count // len(LENGTHS), length), generator=generator)
        starts[:, 10:20] = torch.tensor([0, 1, 2, 3, 0, 2, 1, 3, 1, 0])
        rules = build_rules(OPTIONS, alphabet, starts)
        rows = torch.arange(len(starts))
        before = int(rules.is_feasible(starts, rows).sum())
        noise = torch.randn(*starts.shape, 4, generator=generator)
        noise += 2 * torch.nn.functional.one_hot(starts, 4)
        begin = time.process_time()
        parts = [rules.repair(noise[i], i) for i in rows.split(256)]
        seconds = time.process_time() - begin
        tokens = torch.cat([part for part, _ in parts])
        good = int(sum(found.sum() for _, found in parts))
        texts = ["".join(alphabet.letters[i] for i in row) for row in tokens.tolist()]
        broken = sum(violations(text) > 0 for text in texts)
        kept = bool((tokens[:, 10:20] == starts[:, 10:20]).all())
        edits = float((tokens != noise.argmax(2)).sum(1).float().mean())
        print(
            f"{length} letters: {len(starts)} sequences, {before} feasible before, {good} repaired in "
            f"{seconds:.1f} s of CPU time, {edits:.1f} letters from the best unconstrained ones; "
            f"kept letters kept: {kept}; DnaChisel finds violations in {broken}"
        )


if __name__ == "__main__":
    main()
