"""What `propose` says of its batches beside what is measured, on simulated libraries whose truth is known.

    python benchmarks/design/rounds_promised.py [--laws adds pairs ...] [--seeds 8] [--first 100]

A parent of 60 letters has 24 sites with three other letters each. The first round are 90 variants with one
change and 1.5 more on average; two rounds of 90 follow as `propose` chooses them by default. Laws of the
outcome, with noise of a fifth of its standard deviation in the first round:

adds        effects of letters (mean -.3, standard deviation .6) and a few of pairs add up
pairs       the same with 250 pairs (standard deviation .5)
harsh       adds, with effects of mean -.9 and standard deviation .8
multiplies  exp(z / 2) of what adds up
ceiling     4 / (1 + exp(1 - z))
mixed       adds, and the first round has any letters at all sites

Printed for each round are the share of measurements in their 95% intervals (mean over seeds, and each), the
mean of (measured - predicted) / standard deviation, means promised and measured, the correlation within the
batch, and the true value of the best row in the end.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seqdesign.design.rounds import Surrogate, choose, compare, neighbourhood
from seqdesign.sequences.alphabets import get_alphabet

ALPHABET = get_alphabet("protein")
LENGTH, SITES, OTHERS, BATCH = 60, 24, 3, 90
LAWS = ("adds", "pairs", "harsh", "multiplies", "ceiling", "mixed")


class World:
    """A parent, the letters that may stand at its sites, and what they do."""

    def __init__(self, law: str, seed: int) -> None:
        self.law, self.rng = law, np.random.default_rng([seed, 77])
        letters = list(ALPHABET.letters)
        self.parent = "".join(self.rng.choice(letters, LENGTH))
        sites = [int(i) for i in self.rng.choice(LENGTH, SITES, replace=False)]
        self.other = {
            i: [c for c in self.rng.permutation(letters) if c != self.parent[i]][:OTHERS] for i in sites
        }
        mean, sd = (-0.9, 0.8) if law == "harsh" else (-0.3, 0.6)
        self.effect = {(i, c): self.rng.normal(mean, sd) for i in sites for c in self.other[i]}
        self.pair = {}
        changes = list(self.effect)
        for _ in range(250 if law == "pairs" else 60):
            one, other = (changes[i] for i in self.rng.choice(len(changes), 2, replace=False))
            if one[0] != other[0]:
                self.pair[one, other] = self.rng.normal(0, 0.5)
        self.noise = 0.2 * float(np.std([self.true(text) for text in self.library(300)]))

    def library(self, count: int) -> list[str]:
        """Different variants."""
        found: dict[str, None] = {}
        while len(found) < count:
            text, sites = list(self.parent), list(self.other)
            if self.law == "mixed":
                for i in sites:
                    text[i] = str(self.rng.choice([self.parent[i], *self.other[i]]))
            else:
                for i in self.rng.choice(sites, 1 + min(self.rng.poisson(1.5), SITES - 1), replace=False):
                    text[i] = str(self.rng.choice(self.other[int(i)]))
            found["".join(text)] = None
        return list(found)

    def true(self, text: str) -> float:
        """The outcome without noise."""
        changes = {(i, c) for i, c in enumerate(text) if c != self.parent[i]}
        z = sum(self.effect[one] for one in changes)
        z += sum(value for pair, value in self.pair.items() if changes.issuperset(pair))
        if self.law == "multiplies":
            return float(np.exp(z / 2))
        return float(4 / (1 + np.exp(1 - z)) if self.law == "ceiling" else z)

    def measure(self, texts: list[str]) -> NDArray[np.float64]:
        """The outcomes (N,) with noise."""
        return np.array([self.true(text) for text in texts]) + self.noise * self.rng.standard_normal(
            len(texts)
        )


def run(law: str, seed: int) -> tuple[list[dict[str, float]], float]:
    """What is said of two rounds, and the true value of the row that measured best."""
    world = World(law, seed)
    texts = world.library(BATCH)
    values, found = world.measure(texts), []
    for _ in range(2):
        surrogate = Surrogate(texts, values, ALPHABET, seed=seed)
        anything: Callable[[object], list[bool]] = lambda some: [True] * len(some)  # noqa: E731
        known = set(texts)
        pool = neighbourhood(surrogate, texts, values, anything, seed=seed)
        pool = [text for text in pool if text not in known]
        batch = [pool[i] for i in choose(surrogate, pool, BATCH).places]
        measured = world.measure(batch)
        said = compare(surrogate, float(values.max()), batch, measured)
        mean, sd = surrogate(batch)
        wide = np.hypot(sd, surrogate.noise_at(mean))
        found.append(
            {
                "coverage": said.coverage,
                "z": float(((measured - mean) / wide).mean()),
                "promised": said.promised,
                "measured": said.measured,
                "r": float(np.corrcoef(mean, measured)[0, 1]),
                "width": float(np.mean([point.high - point.low for point in said.points])),
            }
        )
        texts, values = [*texts, *batch], np.concatenate([values, measured])
    return found, world.true(texts[int(values.argmax())])


def main() -> None:
    """Print a line for each law and round."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--laws", nargs="+", default=LAWS, choices=LAWS)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first", type=int, default=100)
    options = parser.parse_args()
    for law in options.laws:
        runs = [run(law, options.first + i) for i in range(options.seeds)]
        best = np.mean([one[1] for one in runs])
        for k in range(2):
            rows = [one[0][k] for one in runs]
            mean = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
            each = " ".join(f"{row['coverage']:.2f}" for row in rows)
            said = (
                f"{law:10} round {k + 2}: inside {mean['coverage']:.2f} ({each}), z {mean['z']:+.2f}, "
                f"promised {mean['promised']:.2f}, measured {mean['measured']:.2f}, r {mean['r']:.2f}, "
                f"width {mean['width']:.2f}"
            )
            print(said + (f", best in the end {best:.2f}" if k else ""), flush=True)


if __name__ == "__main__":
    main()
