"""Design on one convolutional oracle at equal CPU seconds, and the fewest edits to a goal, beside peers.

    python -m venv peers
    peers/bin/pip install "nucleopt==2.0.4" "xxhash<4" "ledidi==2.2.0" "tangermeme==1.6.0"
    python benchmarks/design/design.py --peers-python peers/bin/python [--seconds 20] [--seeds 0 1 2]

The oracle has random weights (`_design_oracle.py`), 200 letters, and scores random sequences at mean 0 and
deviation 1. First table: process CPU seconds of one thread, the best and the mean score of what is returned
(256 designs of ours from 256 random starts with the largest budget that the seconds allow; up to 256
samples of a peer), scored again here on the decoded sequences. Medians over the seeds. Second table: mean
edits until the score reaches ``--goal`` from the same starts. Without ``--peers-python`` only ours run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from _design_oracle import LENGTH, LETTERS, network, one_hot, starts
from torch import Tensor

from seqdesign.constraints.rules import Rules
from seqdesign.designers.gradient_options import (
    FastSeqpropOptions,
    LedidiOptions,
    MeanFieldOptions,
    SoftmaxOptions,
    TaylorOptions,
)
from seqdesign.designers.methods.fast_seqprop import fast_seqprop
from seqdesign.designers.methods.ledidi import ledidi
from seqdesign.designers.methods.mean_field import mean_field
from seqdesign.designers.methods.softmax import softmax
from seqdesign.designers.methods.taylor import taylor
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.sequences.alphabets import get_alphabet

PEERS = ("adabeam", "gradabeam", "fastseqprop", "ledidi", "ledidi-package")
OURS: dict[str, tuple[Callable[..., Designs], Any]] = {
    "mean-field": (mean_field, MeanFieldOptions()),
    "fast-seqprop": (fast_seqprop, FastSeqpropOptions()),
    "softmax": (softmax, SoftmaxOptions()),
    "taylor": (taylor, TaylorOptions()),
}
GOALS: dict[str, tuple[Callable[..., Designs], Any]] = {
    "ledidi, beam alone": (ledidi, LedidiOptions(steps=0)),
    "ledidi": (ledidi, LedidiOptions()),
    "mean-field": (mean_field, MeanFieldOptions()),
}
HIGH = 30.0
"""Goal that the package ledidi is given in the first table: out of reach."""


class Network:
    """The oracle as seqdesign sees it."""

    alphabet, outcomes, differentiable = get_alphabet("dna"), ("score",), True

    def __init__(self, seed: int) -> None:
        self.net = network(seed)

    def __call__(self, x: Tensor, /) -> Tensor:
        return self.net(x)[None]


def problem(seed: int, count: int, budget: int, enough: float | None = None) -> SequenceProblem:
    rules = Rules((), num_starts=count, length=LENGTH, num_letters=4)
    keys = torch.arange(count)
    tokens = starts(count, seed)
    return SequenceProblem(Network(seed), lambda y, rows: y[0, :, 0], tokens, rules, keys, budget, enough)


def spent(run: Callable[[], Designs]) -> tuple[Designs, float]:
    begin = time.process_time()
    made = run()
    return made, time.process_time() - begin


def within(method: Callable[..., Designs], options: Any, seed: int, seconds: float) -> tuple[Tensor, float]:
    """Designs (256, L) and the seconds they took, for a budget that a run of 32 starts says will fit."""
    task = problem(seed, 32, 100)
    _, small = spent(lambda: method(task, options, seed))
    task = problem(seed, 256, max(20, int(0.9 * seconds / (small / 32 / 100 * 256))))
    made, took = spent(lambda: method(task, options, seed))
    return made.tokens, took


def peer(python: str, name: str, seed: int, seconds: float, goal: float, count: int) -> tuple[Tensor, float]:
    """Designs (M, L) of a peer, as its own interpreter returned them."""
    script = Path(__file__).with_name("_design_peers.py")
    command = [python, "-W", "ignore", str(script), name, str(seed), str(seconds), str(goal), str(count)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr.strip().splitlines()[-1]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return torch.tensor([[LETTERS.index(c) for c in s] for s in answer["sequences"]]), answer["seconds"]


@torch.no_grad()
def scores(seed: int, tokens: Tensor) -> Tensor:
    net = network(seed)
    return torch.cat([net(one_hot(part))[:, 0] for part in tokens.split(128)])


def row(name: str, columns: list[list[float]], digits: str) -> None:
    """One line of a table: medians over the seeds."""
    cells = [f"{statistics.median(c):.{d}f}" for c, d in zip(columns, digits, strict=True)]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def equal_seconds(arguments: argparse.Namespace) -> None:
    print("| method | CPU s | designs | designs / CPU s | best | mean |\n|---|---|---|---|---|---|")
    runs: dict[str, Callable[[int], tuple[Tensor, float]]] = {
        f"ours: {name}": lambda seed, m=method, o=options: within(m, o, seed, arguments.seconds)
        for name, (method, options) in OURS.items()
    }
    for name in PEERS if arguments.peers_python else ():
        runs[name] = lambda seed, n=name: peer(arguments.peers_python, n, seed, arguments.seconds, HIGH, 0)
    for name, run in runs.items():
        results = []
        for seed in arguments.seeds:
            tokens, took = run(seed)
            y = scores(seed, tokens)
            results.append([took, len(y), len(y) / took, float(y.max()), float(y.mean())])
        row(name, [list(column) for column in zip(*results, strict=True)], "10122")


def fewest_edits(arguments: argparse.Namespace) -> None:
    print(f"\nUntil the score reaches {arguments.goal:g}, {arguments.starts} starts")
    print("| method | mean edits | reached | CPU s a design |\n|---|---|---|---|")
    count, goal = arguments.starts, arguments.goal

    def ours(method: Callable[..., Designs], options: Any, seed: int) -> tuple[Tensor, float]:
        task = replace(problem(seed, count, arguments.budget), enough=goal)
        made, took = spent(lambda: method(task, options, seed))
        return made.tokens, took

    runs: dict[str, Callable[[int], tuple[Tensor, float]]] = {
        f"ours: {name}": lambda seed, m=method, o=options: ours(m, o, seed)
        for name, (method, options) in GOALS.items()
    }
    if arguments.peers_python:
        runs["tangermeme greedy_substitution"] = lambda seed: peer(
            arguments.peers_python, "greedy", seed, 0.0, goal, count
        )
    for name, run in runs.items():
        results = []
        for seed in arguments.seeds:
            tokens, took = run(seed)
            edits = (tokens != starts(count, seed)).sum(1).float()
            reached = (scores(seed, tokens) >= goal - 1e-4).float()
            results.append([float(edits.mean()), float(reached.mean()), took / count])
        row(name, [list(column) for column in zip(*results, strict=True)], "222")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers-python", help="interpreter of an environment with the peers")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--goal", type=float, default=3.0)
    parser.add_argument("--starts", type=int, default=24)
    parser.add_argument("--budget", type=int, default=3000, help="queries a start towards the goal")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    equal_seconds(arguments)
    fewest_edits(arguments)


if __name__ == "__main__":
    main()
