"""Nearest reference sequences against rapidfuzz's own matrix of distances, on one thread.

    python benchmarks/speed/nearest_speed.py [--queries 100] [--references 20000] [--lengths 50 100]

Random DNA has no near neighbours, so every pair must be compared: the worst case. Then queries with a few
substitutions, as a memorizing generator makes them, and queries of various lengths, which take no short cut.
Both must find the same distances; both are timed in turns. The opponent is one ``cdist`` call and the minimum
of its rows, whose matrix needs 4 bytes a pair; ours holds at most 8 MB of distances. Goal: at most twice the
opponent's time. ``--queries 10000 --references 100000`` is the size of a large evaluation; it takes hours for
sequences of more than 64 letters, whoever does it.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from seqdesign.metrics.nearest import nearest


def random_dna(num: int, low: int, high: int, rng: np.random.Generator) -> list[str]:
    lengths = rng.integers(low, high + 1, num)
    return ["".join("ACGT"[c] for c in rng.integers(0, 4, n)) for n in lengths]


def mutated(texts: list[str], edits: int, rng: np.random.Generator) -> list[str]:
    made = []
    for text in texts:
        letters = list(text)
        for place in rng.integers(0, len(text), edits):
            letters[place] = "ACGT"[rng.integers(4)]
        made.append("".join(letters))
    return made


def seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def compare(name: str, queries: list[str], references: list[str], rounds: int) -> None:
    def opponent() -> np.ndarray:
        return cdist(queries, references, scorer=Levenshtein.distance, dtype=np.int32).min(axis=1)

    assert nearest(queries, references).distance.tolist() == opponent().tolist()
    times = [(seconds(lambda: nearest(queries, references)), seconds(opponent)) for _ in range(rounds)]
    ratio = float(np.median([ours / theirs for ours, theirs in times]))
    rate = len(queries) * len(references) / np.median([ours for ours, _ in times]) / 1e6
    tracemalloc.start()
    nearest(queries, references)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"  {name:34s} {rate:8.2f} M pairs/s   {ratio:5.2f} of the opponent's time   peak {peak:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--references", type=int, default=20000)
    parser.add_argument("--lengths", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    for length in arguments.lengths:
        print(f"{arguments.queries:,} queries, {arguments.references:,} references of {length} letters")
        references = random_dna(arguments.references, length, length, rng)
        queries = random_dna(arguments.queries, length, length, rng)
        compare("unrelated", queries, references, arguments.rounds)
        near = mutated(references[: arguments.queries], length // 20, rng)
        compare("1 in 20 letters changed", near, references, arguments.rounds)
        mixed = random_dna(arguments.references, length * 4 // 5, length, rng)
        compare("unrelated, various lengths", queries, mixed, arguments.rounds)


if __name__ == "__main__":
    main()
