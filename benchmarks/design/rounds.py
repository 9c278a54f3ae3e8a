"""Rounds of measurements on complete landscapes: 96 + 4 x 96, best found / optimum, beside rivals.

    python benchmarks/design/rounds.py fluorescence13=FILE.csv.gz:red --starts 30

Each landscape is ``NAME=FILE[:COLUMN]``; in one whose name begins with ``pbm`` a reverse complement is the
same thing, one that begins with ``splice`` is RNA, others are proteins. The first round is drawn at random,
the same for all methods, which are random and those of ``_rounds_methods.py``. All budgets are equal.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from _rounds_methods import METHODS, pick
from numpy.typing import NDArray

from seqdesign.sequences.alphabets import Alphabet, get_alphabet

TOP = 100


def main() -> None:
    """Print a line for each landscape and method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("landscapes", nargs="+")
    parser.add_argument("--starts", type=int, default=30)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--methods", nargs="+", default=["random", *METHODS])
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
            begin = time.process_time()
            runs = []
            for start in range(options.first, options.first + options.starts):
                runs.append(run(truth, method, start, options.batch, options.rounds))
                share = runs[-1][0][-1] / truth.outcomes.max()
                print(f"  {name} {method} start {start}: {share:.3f}, {runs[-1][2]}", flush=True)
            shares = np.array([one[0] for one in runs]) / truth.outcomes.max()
            top, last = np.array([one[1] for one in runs]), shares[:, -1]
            print(
                f"{name} {method}: {last.mean():.3f} +- {_error(last):.3f}, optimum in "
                f"{(last > 1 - 1e-9).mean():.0%}, of the best {TOP} found {top.mean():.3f} "
                f"+- {_error(top):.3f}, by round {' '.join(f'{x:.3f}' for x in shares.mean(0))}, "
                f"{len(last)} starts, {(time.process_time() - begin) / len(last):.1f} CPU s a start",
                flush=True,
            )


def _error(values: NDArray[np.float64]) -> float:
    """Standard error of a mean; NaN for one value."""
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")


@dataclass(frozen=True)
class Truth:
    """A complete landscape; outcomes from 0."""

    texts: list[str]
    outcomes: NDArray[np.float64]
    alphabet: Alphabet
    both: bool


def run(truth: Truth, method: str, seed: int, batch: int, rounds: int) -> tuple[list[float], float, str]:
    """Best value after each round, the share of the best sequences that was measured in the end, and how."""
    rng = np.random.default_rng(seed)
    known: list[int] = rng.permutation(len(truth.texts))[:batch].tolist()
    best, how = [float(truth.outcomes[known].max())], "chance"
    for number in range(rounds):
        rest = np.setdiff1d(np.arange(len(truth.texts)), known)
        if method == "random":
            known += rng.permutation(rest)[:batch].tolist()
        else:
            place = {truth.texts[i]: int(i) for i in rest}
            chosen, how = pick(
                method, [truth.texts[i] for i in known], truth.outcomes[known], truth.alphabet, batch,
                both=truth.both, pool=list(place), seed=number,
            )  # fmt: skip
            known += [place[text] for text in chosen]
        best.append(float(truth.outcomes[known].max()))
    top = np.argsort(-truth.outcomes, kind="stable")[:TOP]
    return best, float(np.isin(top, known).mean()), how


if __name__ == "__main__":
    main()
