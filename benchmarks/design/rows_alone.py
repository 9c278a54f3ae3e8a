"""What rows of the cases of guard.py show before any outcome is asked: rules that all of them keep.

For every case whose sequences have one length: which places rows fill together (``Evidence.parts``: places,
and how many combinations of letters), and which property of letters varies less, summed over a sequence, than
if every place were drawn by itself (z of the ratio of the variances).

    python benchmarks/design/rows_alone.py --data ../shared/data
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from guard import FAMILIES

from seqdesign.design.evidence import Evidence
from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.training.measured import Measured

LITTLE = -3.5
"""Standard errors from which on a property is printed."""


def alphabet_of(texts: list[str]) -> str:
    letters = set("".join(texts))
    return "dna" if letters <= set("ACGT") else "rna" if letters <= set("ACGU") else "protein"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = parser.parse_args()
    for family, cases in FAMILIES.items():
        for name, make in cases(args.data).items():
            case = make(np.random.default_rng([0, len(name)]))
            if len(set(map(len, case.texts))) > 1:
                continue
            alphabet = get_alphabet(alphabet_of(case.texts))
            array = encode(case.texts, alphabet)
            nothing = np.zeros(len(array), dtype=bool)
            rows = Measured(array.tokens, array.lengths, case.values[:, None], nothing)
            parts = Evidence(rows, alphabet, positional=True).parts
            property_of = letter_descriptors(alphabet).numpy()[array.tokens]
            alone = np.maximum(property_of.var(0).sum(0), 1e-9)
            z = (property_of.sum(1).var(0) / alone - 1) / np.sqrt(2 / len(array))
            if parts or z.min() < LITTLE:
                found = "; ".join(f"{len(part.places)}: {len(part.words)}" for part in parts)
                print(f"{family:<12}{name:<34}parts {found or 'none':<60} least z {z.min():6.1f}", flush=True)


if __name__ == "__main__":
    main()
