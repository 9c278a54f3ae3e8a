"""Rounds of measurements on complete landscapes: 96 + 4 x 96, best found / optimum, beside rivals.

    python benchmarks/design/rounds.py fluorescence13=FILE.csv.gz:red --starts 30

Each landscape is ``NAME=FILE[:COLUMN]``; in one whose name begins with ``pbm`` a reverse complement is the
same thing, one that begins with ``splice`` is RNA, others are proteins. The first round is drawn at random,
the same for all methods: random; greedy (our ensemble, the highest means); gp-ucb (one Gaussian process,
additive + RBF, mean + 2 sd); upper and thompson (what ``seqdesign propose`` offers). All budgets are equal.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdesign.design.judges import KINDS, RELATED
from seqdesign.design.rounds import FLOORS, Acquisition, Ensemble, choose
from seqdesign.sequences.alphabets import Alphabet, get_alphabet

TOP = 100
METHODS = ("random", "greedy", "gp-ucb", "upper", "thompson", "expected")


def main() -> None:
    """Print a line for each landscape and method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("landscapes", nargs="+")
    parser.add_argument("--starts", type=int, default=30)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    options = parser.parse_args()
    for landscape in options.landscapes:
        name, _, rest = landscape.partition("=")
        file, _, column = rest.partition(":")
        table = pd.read_csv(file)
        both = name.startswith("pbm")
        alphabet = get_alphabet("dna" if both else "rna" if name.startswith("splice") else "protein")
        if both:
            table = table[[s <= alphabet.reverse_complement(s) for s in table["sequence"]]]
        values = table[column or ("escore" if both else "outcome")].to_numpy(dtype=float)
        truth = Truth(table["sequence"].tolist(), values - values.min(), alphabet, both)
        for method in options.methods:
            begin = time.monotonic()
            runs = [run(truth, method, s, options.batch, options.rounds) for s in range(options.starts)]
            best, top = np.array([one for one, _ in runs]), np.array([found for _, found in runs])
            share = best / truth.outcomes.max()
            error = share[:, -1].std(ddof=1) / len(share) ** 0.5
            print(
                f"{name} {method}: {share[:, -1].mean():.3f} +- {error:.3f}, optimum in "
                f"{(share[:, -1] > 1 - 1e-9).mean():.0%}, "
                f"of the best {TOP} found {top.mean():.3f} +- {top.std(ddof=1) / len(top) ** 0.5:.3f}, "
                f"by round {' '.join(f'{x:.3f}' for x in share.mean(0))}, {options.starts} starts, "
                f"{(time.monotonic() - begin) / options.starts:.1f} s a start",
                flush=True,
            )


@dataclass(frozen=True)
class Truth:
    """A complete landscape; outcomes from 0."""

    texts: list[str]
    outcomes: NDArray[np.float64]
    alphabet: Alphabet
    both: bool


def run(truth: Truth, method: str, seed: int, batch: int, rounds: int) -> tuple[list[float], float]:
    """Best value after each round, and the share of the best sequences that was measured in the end."""
    rng = np.random.default_rng(seed)
    known: list[int] = rng.permutation(len(truth.texts))[:batch].tolist()
    best = [float(truth.outcomes[known].max())]
    alone = [kind for kind in KINDS if kind.name == ("like words" if truth.both else "near sequences")]
    ways: dict[str, Acquisition] = {
        "greedy": "mean", "gp-ucb": "upper", "upper": "upper", "expected": "expected",
    }  # fmt: skip
    for number in range(rounds):
        rest = np.setdiff1d(np.arange(len(truth.texts)), known)
        if method == "random":
            chosen = rng.permutation(rest)[:batch]
        else:
            ensemble = Ensemble(
                [truth.texts[i] for i in known],
                truth.outcomes[known],
                truth.alphabet,
                both_strands=truth.both,
                kinds=alone if method == "gp-ucb" else (*KINDS, *RELATED),
                floors=(None,) if method == "gp-ucb" else FLOORS,
                seed=number,
            )
            found = choose(
                ensemble,
                [truth.texts[i] for i in rest],
                batch,
                acquisition=ways.get(method, "thompson"),
                both_strands=truth.both,
                seed=seed + 1000 * number,
            )
            chosen = rest[found.places]
        known += chosen.tolist()
        best.append(float(truth.outcomes[known].max()))
    top = np.argsort(-truth.outcomes, kind="stable")[:TOP]
    return best, float(np.isin(top, known).mean())


if __name__ == "__main__":
    main()
