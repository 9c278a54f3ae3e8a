"""CPU seconds of the health report of a generator, and how often the nearest sequences are the true ones.

    python benchmarks/speed/health_speed.py [--data dna_dm3_core_promoter100] [--queries 150] [--profile]

A tenth of the data set is held out; the rest trains. First ``LikelyNearest`` against the exact ``nearest``
for held-out sequences: the share of distances that are the same, and how much further the others are. Then
the report on 2,000 sequences of a Markov chain of the training letters, one thread.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from seqdesign.evaluation.health import check
from seqdesign.evaluation.sets import Sets
from seqdesign.evaluation.simple import simple_samples
from seqdesign.metrics.nearest import LikelyNearest, nearest
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.datasets import load_dataset

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What it returns, and CPU seconds."""
    begin = time.process_time()
    return work(), time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="dna_dm3_core_promoter100")
    parser.add_argument("--alphabet", default="dna")
    parser.add_argument("--queries", type=int, default=150)
    parser.add_argument("--profile", action="store_true", help="where the time of the report goes")
    arguments = parser.parse_args()
    rng, texts = np.random.default_rng(0), sorted(set(load_dataset(arguments.data).sequences))
    texts = [texts[i] for i in rng.permutation(len(texts))]
    cut = len(texts) * 9 // 10
    training, held_out = texts[:cut], texts[cut:]
    queries = held_out[: arguments.queries]
    exact, slow = timed(lambda: nearest(queries, training).distance)
    found, quick = timed(lambda: LikelyNearest(training).find(queries)[0].distance)
    more = found - exact
    print(
        f"{arguments.data}: {len(queries):,} queries, {len(training):,} references; every pair "
        f"{slow:.2f} s, likely ones {quick:.2f} s; the same distance {np.mean(more == 0):.1%}, further by "
        f"{more.mean():.3f} on average, {more.max()} at most, of {exact.mean():.1f} edits",
        flush=True,
    )
    alphabet = get_alphabet(arguments.alphabet)
    _, generated = list(simple_samples(training, alphabet, 2000, rng))[-1]
    sets = Sets(alphabet, list(generated), training, held_out, ())

    def report() -> object:
        return check(sets, name="chain", seed=0, workers=1, progress=lambda done, total: None, simple=False)

    profile = cProfile.Profile()
    _, seconds = timed(lambda: profile.runcall(report) if arguments.profile else report())
    print(f"health report: {seconds:.1f} CPU s", flush=True)
    if arguments.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
