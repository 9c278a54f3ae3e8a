"""Sites across junctions: 10,000 random constructs, linear and circular, searched as plain text.

    python benchmarks/rules/junctions.py [-n 10000] [--only circle]

Designs of 6 to 60 letters with flanks of 0 to 20 letters are mended under three sites of enzymes. The judge
reads the construct, around the circle where it is one, and looks for the sites on both strands.
"""

from __future__ import annotations

import argparse
import random

import torch

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.options import LetterRules
from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")
ENZYMES = {"EcoRI": "GAATTC", "BsaI": "GGTCTC", "FauI": "CCCGC"}


def sites(construct: str, circular: bool) -> int:
    """Occurrences on either strand."""
    read = construct + (construct[: max(map(len, ENZYMES.values())) - 1] if circular else "")
    both = f"{read}|{DNA.reverse_complement(read)}"
    return sum(both.count(site) for site in ENZYMES.values())


def main() -> None:
    """Print a line for linear and one for circular constructs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-n", type=int, default=10_000)
    parser.add_argument("--only", choices=["linear", "circle"], help="one kind of construct")
    args = parser.parse_args()
    count = args.n
    torch.set_num_threads(1)
    print("construct\ttried\tflanks refused\tbroken before\tacross a junction\tsites after")
    for circular in (False, True):
        name = "circle" if circular else "linear"
        if args.only not in (None, name):
            continue
        rng, generator = random.Random(7), torch.Generator().manual_seed(7)
        refused = before = across = after = 0
        for _ in range(count // 2):
            left, right = ("".join(rng.choices("ACGT", k=rng.randint(0, 20))) for _ in range(2))
            tokens = torch.randint(4, (1, rng.randint(6, 60)), generator=generator)
            options = LetterRules(
                forbid=tuple(ENZYMES), left=left or None, right=right or None, circular=circular
            )
            try:
                rules = build_rules(options, DNA, tokens)
            except UsageError:
                refused += 1
                assert sites(left, False) + sites(right, False) + circular * sites(right + left, False)
                continue
            text = "".join(DNA.letters[i] for i in tokens[0].tolist())
            found = sites(left + text + right, circular)
            assert bool(found) != bool(rules.is_feasible(tokens, torch.zeros(1, dtype=torch.long)))
            before += found > 0
            across += found > sites(text, False)
            if found:
                wish = torch.nn.functional.one_hot(tokens, 4).float()
                mended, good = rules.repair(wish, torch.zeros(1, dtype=torch.long))
                text = "".join(DNA.letters[i] for i in mended[0].tolist())
                assert bool(good)
            after += sites(left + text + right, circular)
        print(f"{name}\t{count // 2}\t{refused}\t{before}\t{across}\t{after}")


if __name__ == "__main__":
    main()
