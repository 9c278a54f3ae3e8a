"""The black-box designers on functions other than Ehrlich's, with and without noise.

    python benchmarks/design/black_boxes.py [--methods evolution ...] [--boxes conv ...] [--seeds 3]

- conv: the convolutional network of `design.py`, 200 letters of DNA, 2,000 queries.
- potts: fields and couplings of 48 positions of proteins, a tenth of the pairs coupled, 2,000 queries.
- exp, sigmoid, rough: the four protein sites of `four_sites.py`, 480 queries.
- motifs: the sum over five random matrices of eight letters of DNA of their best match anywhere in 100
  letters, 2,000 queries.

Each seed is another function and another random start. With noise every score is off by a normal error of a
tenth of the deviation of random sequences. Prints the true value of the design, in deviations of random
sequences above their mean, its mean over seeds and its standard error.
"""

from __future__ import annotations

import argparse
import statistics
import time
import typing
from collections.abc import Callable

import torch
from _design_oracle import network, one_hot
from four_sites import LETTERS, landscape
from torch import Tensor

from seqdesign.constraints.rules import Rules
from seqdesign.designers.problem import SequenceProblem
from seqdesign.registry import Registry

DESIGNERS = Registry("designer", "seqdesign.designers.methods", "seqdesign.designers")
NOISE = 0.1
Score = Callable[[Tensor], Tensor]


def conv(seed: int) -> tuple[Score, int, int, int]:
    """Scores of (N, L) letters, L, the number of letters, queries."""
    net = network(seed)
    return lambda tokens: net(one_hot(tokens))[:, 0], 200, 4, 2000


def potts(seed: int) -> tuple[Score, int, int, int]:
    rng = torch.Generator().manual_seed(seed)
    length, letters = 48, 20
    field = torch.randn(length, letters, generator=rng)
    pairs = torch.combinations(torch.arange(length))
    pairs = pairs[torch.rand(len(pairs), generator=rng) < 0.1]
    coupling = torch.randn(len(pairs), letters, letters, generator=rng)
    places, each = torch.arange(length), torch.arange(len(pairs))

    def score(tokens: Tensor) -> Tensor:
        two = coupling[each, tokens[:, pairs[:, 0]], tokens[:, pairs[:, 1]]]
        return field[places, tokens].sum(1) + two.sum(1)

    return score, length, letters, 2000


def sites(name: str) -> Callable[[int], tuple[Score, int, int, int]]:
    def made(seed: int) -> tuple[Score, int, int, int]:
        fitness = torch.from_numpy(landscape(name, seed, None).fitness).float()
        return lambda tokens: fitness[tuple(tokens.T)], 4, len(LETTERS), 480

    return made


def motifs(seed: int) -> tuple[Score, int, int, int]:
    rng = torch.Generator().manual_seed(seed)
    words = torch.randn(5, 4, 8, generator=rng)

    def score(tokens: Tensor) -> Tensor:
        return torch.nn.functional.conv1d(one_hot(tokens), words).amax(2).sum(1)

    return score, 100, 4, 2000


BOXES = {
    "conv": conv, "potts": potts, "motifs": motifs,
    **{name: sites(name) for name in ("exp", "sigmoid", "rough")},
}  # fmt: skip


class Noisy:
    """A function as an oracle, in deviations of random sequences; each score with an error."""

    outcomes, differentiable = ("score",), False

    def __init__(self, score: Score, length: int, letters: int, noise: float, seed: int) -> None:
        rng = torch.Generator().manual_seed(seed + 10_000)
        values = score(torch.randint(letters, (2000, length), generator=rng))
        self.plain, self.mean, self.deviation = score, values.mean(), values.std()
        self.noise, self.rng = noise, rng

    def true(self, tokens: Tensor) -> Tensor:
        """(N, L) -> (N,)."""
        return (self.plain(tokens) - self.mean) / self.deviation

    def __call__(self, x: Tensor, /) -> Tensor:
        value = self.true(x.argmax(1))
        return (value + self.noise * torch.randn(value.shape, generator=self.rng))[None, :, None]


def run(box: str, method: str, noise: float, seed: int) -> tuple[float, float]:
    """The true value of the design, and CPU seconds."""
    score, length, letters, budget = BOXES[box](seed)
    oracle = Noisy(score, length, letters, noise, seed)
    start = torch.randint(letters, (1, length), generator=torch.Generator().manual_seed(seed + 500))
    rules = Rules([], num_starts=1, length=length, num_letters=letters)
    design = DESIGNERS.load(method)
    options = typing.get_type_hints(design)["options"]()
    problem = SequenceProblem(
        oracle, lambda predictions, _: predictions[0, :, 0], start, rules, torch.tensor([0]), budget
    )
    begin = time.process_time()
    found = design(problem, options, seed)
    return float(oracle.true(found.tokens)[0]), time.process_time() - begin


def main() -> None:
    """Print a line for each function, noise and method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--boxes", nargs="+", default=list(BOXES), choices=list(BOXES))
    parser.add_argument(
        "--methods", nargs="+", default=["evolution", "adalead", "ada-beam", "annealing", "greedy"]
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for box in options.boxes:
        for noise in (0.0, NOISE):
            for method in options.methods:
                seeds = range(options.first, options.first + options.seeds)
                values, seconds = zip(*(run(box, method, noise, seed) for seed in seeds), strict=True)
                error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
                each = " ".join(f"{x:.2f}" for x in values)
                print(
                    f"{box:8} noise {noise:.1f} {method:10} {statistics.mean(values):.2f} +- {error:.2f}, "
                    f"{statistics.mean(seconds):.1f} CPU s a run; each {each}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
