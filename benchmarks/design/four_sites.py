"""Rounds on simulated landscapes of four protein sites, 160,000 variants, most of them dead.

    python benchmarks/design/four_sites.py exp sigmoid rough triple gb1 --starts 8 --methods gp-ucb propose

All landscapes add effects of letters, of pairs and of triples of sites, and bend the sum. Letters that
BLOSUM62 finds alike have like effects, more or less:

- exp: pairs hold a third of the variance; a power of the sum, so that few variants hold most of the fitness.
- sigmoid: pairs hold half; two plateaus, 95% of the variants on the lower one.
- rough: as exp, but nothing is shared between like letters.
- triple: pairs hold half of the variance, one triple in five 15%.
- gb1: four positions of the double mutants of Olson 2014 (``--doubles FILE``), other than 39, 40, 41, 54:
  fitted effects of letters, and what is left of each pair that was measured; its power.

Each seed is another landscape and another first round. 96 + 4 x 96 measurements with an error of 1% of the
optimum; best true value / optimum. Candidates are those that ``seqdesign propose`` finds by itself.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from _rounds_methods import METHODS, pick
from numpy.typing import NDArray

from seqdesign.sequences.alphabets import get_alphabet

PROTEIN = get_alphabet("protein")
LETTERS, SITES = PROTEIN.letters, 4
ERROR = 0.01
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Landscape:
    """Fitness of all variants (20, 20, 20, 20), the least 0 and the best 1."""

    fitness: Array

    def __call__(self, texts: Sequence[str]) -> Array:
        """The true values of texts."""
        return np.array([self.fitness[tuple(LETTERS.index(c) for c in text)] for text in texts])


def main() -> None:
    """Print a line for each landscape and method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("landscapes", nargs="+")
    parser.add_argument("--doubles", type=Path)
    parser.add_argument("--starts", type=int, default=8)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--methods", nargs="+", default=["random", *METHODS])
    options = parser.parse_args()
    for name in options.landscapes:
        worlds = [
            landscape(name, s, options.doubles) for s in range(options.first, options.first + options.starts)
        ]
        for method in options.methods:
            begin = time.process_time()
            runs = [
                run(world, method, options.first + s, options.batch, options.rounds)
                for s, world in enumerate(worlds)
            ]
            share = np.array(runs)
            last = share[:, -1]
            print(
                f"{name} {method}: {last.mean():.3f} +- {last.std(ddof=1) / len(last) ** 0.5:.3f}, "
                f"optimum in {(last > 1 - 1e-9).mean():.0%}, "
                f"by round {' '.join(f'{x:.3f}' for x in share.mean(0))}, "
                f"{len(last)} starts, {(time.process_time() - begin) / len(last):.1f} CPU s a start; "
                f"each {' '.join(f'{x:.2f}' for x in last)}",
                flush=True,
            )


def landscape(name: str, seed: int, doubles: Path | None) -> Landscape:
    """One of the landscapes above."""
    rng = np.random.default_rng([seed, 5])
    z = _of_doubles(rng, doubles) if name == "gb1" else _drawn(name, rng)
    if name == "sigmoid":
        y = 1 / (1 + np.exp(-4 * (z - np.quantile(z, 0.975)) / z.std()))
    elif name == "gb1":
        y = 2.0 ** np.maximum(z, -8)
    else:  # the top 2.5% reach about a tenth of the best
        y = np.exp(np.log(10) * (z - z.max()) / (z.max() - np.quantile(z, 0.975)))
    y = y - y.min()
    return Landscape(y / y.max())


def _drawn(name: str, rng: np.random.Generator) -> Array:
    """Sums of drawn effects (20, 20, 20, 20)."""
    shared = 0.0 if name == "rough" else 0.6
    parts = {"exp": (0.67, 0.33, 0.0), "rough": (0.67, 0.33, 0.0), "sigmoid": (0.5, 0.5, 0.0)}
    sizes = parts.get(name, (0.35, 0.5, 0.15))
    root = np.linalg.cholesky(_alike() * shared + np.eye(20) * (1 - shared))
    total = np.zeros((20,) * SITES)
    for order, size in zip((1, 2, 3), sizes, strict=True):
        part = np.zeros_like(total)
        for sites in itertools.combinations(range(SITES), order):
            effect = rng.normal(size=(20,) * order)
            if order < 3:
                for axis in range(order):
                    effect = np.moveaxis(np.tensordot(root, effect, axes=(1, axis)), 0, axis)
            else:
                effect = effect * (rng.random(effect.shape) < 0.2)
            part += effect.reshape([20 if i in sites else 1 for i in range(SITES)])
        part -= part.mean()
        total += np.sqrt(size) * part / (part.std() or 1.0)
    return total


def _alike() -> Array:
    """Correlations of letters (20, 20) by BLOSUM62."""
    from Bio.Align import substitution_matrices

    blosum = substitution_matrices.load("BLOSUM62")
    table = np.array([[blosum[a][b] for b in LETTERS] for a in LETTERS], dtype=float)
    values, vectors = np.linalg.eigh(table)
    table = (vectors * values.clip(min=1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(table))
    return np.asarray(table / scale[:, None] / scale)


def _of_doubles(rng: np.random.Generator, file: Path | None) -> Array:
    """Log2 enrichment (20, 20, 20, 20) at four positions of measured double mutants."""
    if file is None:
        raise SystemExit("gb1 needs --doubles FILE")
    table = pd.read_csv(file)
    tokens = np.array([[LETTERS.index(c) for c in text] for text in table["sequence"]])
    values = table["outcome"].to_numpy(dtype=float)
    parent = np.array([np.bincount(column, minlength=20).argmax() for column in tokens.T])
    changed = tokens != parent
    single, wild = np.zeros((tokens.shape[1], 20)), 0.0
    first, second = np.array([np.flatnonzero(row) for row in changed]).T
    rows = np.arange(len(tokens))
    letters = tokens[rows, first], tokens[rows, second]
    for _ in range(30):  # backfitting of effects that add up
        one, two = (first, letters[0]), (second, letters[1])
        for (place, letter), (other, own) in ((one, two), (two, one)):
            rest = values - wild - single[other, own]
            count, total = np.zeros_like(single), np.zeros_like(single)
            np.add.at(count, (place, letter), 1)
            np.add.at(total, (place, letter), rest)
            single = 0.5 * single + 0.5 * total / (count + 1)
    left = values - wild - single[first, letters[0]] - single[second, letters[1]]
    free = [i for i in range(tokens.shape[1]) if i not in (38, 39, 40, 53)]
    sites = np.sort(rng.choice(free, SITES, replace=False))
    z = np.zeros((20,) * SITES)
    for axis, site in enumerate(sites):
        z += single[site].reshape([20 if i == axis else 1 for i in range(SITES)])
    for a, b in itertools.combinations(range(SITES), 2):
        pair = np.zeros((20, 20))
        mine = (first == sites[a]) & (second == sites[b])
        pair[letters[0][mine], letters[1][mine]] = left[mine]
        z += pair.reshape([20 if i in (a, b) else 1 for i in range(SITES)])
    return z


def run(world: Landscape, method: str, seed: int, batch: int, rounds: int) -> list[float]:
    """Best true value after each round."""
    rng = np.random.default_rng([seed, 3])
    texts = ["".join(rng.choice(list(LETTERS), SITES)) for _ in range(batch)]
    best = [float(world(texts).max())]
    values = world(texts) + ERROR * rng.normal(size=batch)
    for number in range(rounds):
        if method == "random":
            fresh = ["".join(rng.choice(list(LETTERS), SITES)) for _ in range(batch)]
        else:
            fresh, _ = pick(method, texts, values, PROTEIN, batch, seed=number)
        texts += fresh
        values = np.concatenate([values, world(fresh) + ERROR * rng.normal(size=len(fresh))])
        best.append(max(best[-1], float(world(fresh).max())))
    return best


if __name__ == "__main__":
    main()
