"""Which 96 of many designs to measure: `seqdesign select`'s choice beside the best and the most different.

    python benchmarks/design/selection.py [--seeds 10] [FILE ...]

Complete landscapes. Pairwise ridge learns from 200 random measured sequences; the 2,000 best by prediction
of all others are the pool, as a designer would deliver it; 96 of them are chosen and their true values looked
up. best: rank quantile of the best in the whole landscape; top: how many of the 96 are in its best 1%; modes:
how many of these differ pairwise in at least a third of the median distance of the pool; then the mean rank.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from seqdesign.ordering.selection import choose
from seqdesign.sequences.reader import read_sequences

LANDSCAPES = ("dataset:rna_mpsa_5ss9", "dataset:prot_cr6261_121")
NUM, POOL, LEARN = 96, 2_000, 200
Chooser = Callable[[list[str], NDArray[np.float64]], list[int]]


def features(texts: list[str]) -> NDArray[np.float64]:
    """One-hot letters of the positions that vary, and their products."""
    codes = np.array([list(text) for text in texts])
    codes = codes[:, (codes != codes[0]).any(axis=0)]
    one = np.concatenate([(codes == c) for c in np.unique(codes)], axis=1).astype(np.float64)
    a, b = np.triu_indices(one.shape[1], 1)
    return np.concatenate([one, one[:, a] * one[:, b]], axis=1)


def distances(texts: list[str], place: int) -> NDArray[np.int64]:
    codes = np.array([list(text) for text in texts])
    return (codes != codes[place]).sum(axis=1)


def max_min(texts: list[str], quality: NDArray[np.float64]) -> list[int]:
    """The best, then always the one farthest from those taken."""
    taken = [int(quality.argmax())]
    nearest = distances(texts, taken[0]).astype(float)
    while len(taken) < NUM:
        taken.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, distances(texts, taken[-1]))
    return taken


def by_determinant(diversity: float) -> Chooser:
    return lambda texts, quality: [p.place for p in choose(texts, quality, NUM, diversity=diversity)]


CHOOSERS: dict[str, Chooser] = {
    "top": lambda _, quality: np.argsort(-quality)[:NUM].tolist(),
    "max-min": max_min,
    **{f"d={d}": by_determinant(d) for d in (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)},
}


def modes(texts: list[str], places: list[int], apart: float) -> int:
    """Largest greedy set that is pairwise apart."""
    chosen: list[str] = []
    for place in places:
        if all(sum(x != y for x, y in zip(texts[place], other, strict=True)) >= apart for other in chosen):
            chosen.append(texts[place])
    return len(chosen)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("files", nargs="*", help="complete landscapes with a column outcome")
    asked = parser.parse_args()
    seeds = asked.seeds
    for name in [*LANDSCAPES, *asked.files]:
        data = read_sequences(name, on_missing="drop")
        assert data.outcomes is not None
        texts, truth = data.sequences, data.outcomes
        x = features(texts)
        rank = truth.argsort().argsort() / (len(truth) - 1)
        print(f"{name}: {len(texts):,} sequences; best, top, modes, mean rank")
        rows: dict[str, list[tuple[float, float, float, float]]] = {key: [] for key in CHOOSERS}
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            order = rng.permutation(len(texts))
            learn, rest = order[:LEARN], order[LEARN:]
            predicted = Ridge(alpha=1.0).fit(x[learn], truth[learn]).predict(x[rest])
            keep = np.argsort(-predicted)[: min(POOL, len(rest) // 2)]
            pool, quality = rest[keep], predicted[keep]
            mine = [texts[i] for i in pool]
            pairs = rng.integers(0, len(mine), (2, 500))
            typical = np.median(
                [sum(p != q for p, q in zip(mine[i], mine[j], strict=True)) for i, j in pairs.T]
            )
            for key, chooser in CHOOSERS.items():
                got = chooser(mine, quality)
                ranks = rank[pool[got]]
                hits = [got[i] for i in np.argsort(-ranks) if ranks[i] >= 0.99]
                rows[key].append((ranks.max(), len(hits), modes(mine, hits, typical / 3), ranks.mean()))
        for key, values in rows.items():
            print(f"  {key:8}", " ".join(f"{v:9.4f}" for v in np.mean(values, axis=0)), flush=True)


if __name__ == "__main__":
    main()
