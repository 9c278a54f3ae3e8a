"""Ehrlich functions (Stanton et al. 2024, arXiv 2407.00236) beside the genetic algorithm of pytorch-holo.

    pip install pytorch-holo==0.0.5 "botorch<0.15" pooch
    python benchmarks/design/ehrlich.py [--methods evolution adalead ...] [--functions 3] [--seeds 3]

Everybody optimises holo's own function from its own feasible start, and every sequence scored counts, those
that the function refuses (minus infinity) included. The default function has 32 states, length 128 and four
motifs of length 4, quantisation 4; its optimum is 1. holo's algorithm runs with 1,000 particles, mutation and
recombination 1/length and ten survivors, for as many generations as the budget pays. Prints the best score of
each run, the query that brought it, and medians. One sequence beyond the budget is the prediction that is
reported with a design.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import typing

import torch
from torch import Tensor

from seqdesign.constraints.rules import Rules
from seqdesign.designers.problem import SequenceProblem
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import get_alphabet

try:
    from holo.optim import DiscreteEvolution
    from holo.test_functions.closed_form import Ehrlich
except ImportError:
    sys.exit('this benchmark needs holo: pip install pytorch-holo==0.0.5 "botorch<0.15" pooch')

DESIGNERS = Registry("designer", "seqdesign.designers.methods", "seqdesign.designers")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SURVIVORS = 10
POP = {}


class Counted:
    """holo's function as an oracle: counts sequences, and when the best one came."""

    outcomes = ("score",)
    differentiable = False

    def __init__(self, function: Ehrlich) -> None:
        self.function = function
        self.alphabet = get_alphabet(f"letters:{LETTERS[: function.num_states]}")
        self.queries, self.best, self.when = 0, -float("inf"), 0

    def score(self, tokens: Tensor) -> Tensor:
        """(N, L) -> (N,)."""
        scores = self.function(tokens)
        top = float(scores.max()) if len(scores) else self.best
        if top > self.best:
            self.best, self.when = top, self.queries + int(scores.argmax()) + 1
        self.queries += len(tokens)
        return scores

    def __call__(self, x: Tensor, /) -> Tensor:
        return self.score(x.argmax(1))[None, :, None]


def run_ours(name: str, oracle: Counted, seed: int, budget: int) -> None:
    function = oracle.function
    start = function.initial_solution().long()[None]
    rules = Rules([], num_starts=1, length=function.dim, num_letters=function.num_states)
    design = DESIGNERS.load(name)
    options = typing.get_type_hints(design)["options"](**POP)
    keys = torch.tensor([0])
    problem = SequenceProblem(oracle, lambda predictions, _: predictions[0, :, 0], start, rules, keys, budget)
    design(problem, options, seed)


def run_holo(oracle: Counted, seed: int, budget: int, particles: int) -> None:
    function = oracle.function
    torch.manual_seed(seed)  # it draws from the global generator
    start = torch.nn.Parameter(function.initial_solution().float())
    optimizer = DiscreteEvolution(
        [start],
        list(range(function.num_states)),
        mutation_prob=1 / function.dim,
        recombine_prob=1 / function.dim,
        num_particles=particles,
        survival_quantile=SURVIVORS / particles,
    )
    for _ in range(budget // particles):
        optimizer.step(lambda particles: -oracle.score(particles[0]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--methods", nargs="*", default=["evolution", "adalead", "ada-beam", "annealing", "greedy"]
    )
    parser.add_argument("--states", type=int, default=32)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--motifs", type=int, default=4)
    parser.add_argument("--motif-length", type=int, default=4)
    parser.add_argument("--functions", type=int, default=3, help="functions: holo's random seeds 0, 1, ...")
    parser.add_argument("--seeds", type=int, default=3, help="runs on each function")
    parser.add_argument("--budget", type=int, default=50_000)
    parser.add_argument(
        "--particles", type=int, default=1000, help="sequences of a generation of holo's algorithm"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in ["holo", *options.methods]:
        found = []
        for number in range(options.functions):
            for seed in range(options.seeds):
                oracle = Counted(
                    Ehrlich(
                        num_states=options.states,
                        dim=options.length,
                        num_motifs=options.motifs,
                        motif_length=options.motif_length,
                        quantization=options.motif_length,
                        random_seed=number,
                    )
                )
                begin = time.process_time()
                if name == "holo":
                    run_holo(oracle, seed, options.budget, options.particles)
                else:
                    run_ours(name, oracle, seed, options.budget)
                seconds = time.process_time() - begin
                found.append((oracle.best, oracle.when, seconds))
                print(
                    f"{name:10} function {number} seed {seed}: {oracle.best:.3f} at query {oracle.when:,} of "
                    f"{oracle.queries:,}, {seconds:.1f} CPU s",
                    flush=True,
                )
        best, when, seconds = (statistics.median(column) for column in zip(*found, strict=True))
        solved = sum(score == 1.0 for score, _, _ in found)
        print(
            f"{name:10} median {best:.3f} at query {when:,.0f}, optimum in {solved} of {len(found)}, "
            f"{seconds:.1f} CPU s a run",
            flush=True,
        )


if __name__ == "__main__":
    main()
