"""Verdicts of the health report beside the truth, for samples of generators that 'generators.py --kept' left.

    python benchmarks/generators/verdicts.py DATA --kept DIR [--input FILE] [--held-out 200 1000] [--seed 0]

Rows: real sequences (of those to learn from, a thousand that the report is not told of), of some data also
the same with what makes them work broken, a Markov chain, a position matrix, and every model of DATA and the
seed in DIR. Of the sequences that judge, the report is given as many of one half as --held-out says; the
other half is for the truth alone. Truth: the figures of generators.py, and AUC network, a convolutional
network unlike the one of the report.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import _generator_judges as judges
import numpy as np
from _generator_classes import BROKEN
from generators import CHAIN, DATA, MATRIX, Task, drawn_before, line, markov, position_matrix, task

from seqdesign.evaluation.health import GeneratorHealth, check
from seqdesign.evaluation.sets import Sets
from seqdesign.sequences.alphabets import get_alphabet

REAL = "real sequences"


def samples(asked: Task, kept: Path, data: str, seed: int) -> Iterator[tuple[str, list[str]]]:
    """(name, sequences) of each row; those of the first are taken out of ``asked.train``."""
    rng = np.random.default_rng(seed)
    num = min(1000, len(asked.train) // 4)
    yield REAL, asked.train[-num:]
    if data in BROKEN:
        name, broken = BROKEN[data]
        yield name, broken(asked.train[-num:], rng)
    yield CHAIN, markov(asked.train, asked.num, asked.order, rng)
    yield MATRIX, position_matrix(asked.train, asked.num, rng)
    yield from drawn_before(kept, data, seed)


def health(asked: Task, texts: list[str], real: list[str], training: list[str], seed: int) -> GeneratorHealth:
    """The report on ``texts`` by the held-out sequences ``real``."""
    kind = {"ACGU": "rna", "ACGT": "dna"}.get(asked.letters, "protein")
    sets = Sets(get_alphabet(kind), texts, training, real, ())
    done = check(sets, name="", seed=seed, workers=1, progress=lambda a, b: None, simple=False)
    return done.health


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", choices=DATA)
    parser.add_argument("--kept", type=Path, metavar="DIR", required=True)
    parser.add_argument("--input", type=Path)
    parser.add_argument("--held-out", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    asked = task(args)
    shown, hidden = asked.test[::2], asked.test[1::2]
    for number, (name, texts) in enumerate(samples(asked, args.kept, args.data, args.seed)):
        real = name == REAL or (args.data in BROKEN and name == BROKEN[args.data][0])
        training = asked.train[: -len(texts)] if real else asked.train
        figures = asked.judge(texts)
        truth = figures | {"AUC network": judges.network_auc(texts, hidden, asked.letters, args.seed)}
        said = [health(asked, texts, shown[:n], training, args.seed) for n in args.held_out]
        if number == 0:
            print(f"{args.data}, seed {args.seed}")
            columns = [*truth, *(f"verdict with {n:,} held out" for n in args.held_out), "measures flagged"]
            print(f"| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}", flush=True)
        verdicts = " | ".join(one.verdict for one in said)
        flagged = ", ".join(
            f"{r.name} {r.value:.3g} ({r.real:.3g})" for r in said[-1].measures if r.verdict == "flagged"
        )
        print(f"{line(name, truth, {})} {verdicts} | {flagged} |", flush=True)


if __name__ == "__main__":
    main()
