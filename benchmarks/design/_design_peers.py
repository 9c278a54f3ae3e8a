"""One peer of design.py, run by the interpreter it is installed in; prints one JSON object.

python _design_peers.py NAME SEED CPU_SECONDS GOAL COUNT
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _design_oracle import LETTERS, network, one_hot, starts, text

Sequences = list[str]


class Model:
    """What nucleopt asks of a model: letters, a call on strings, a call on tensors; it minimises."""

    def __init__(self, net: Any) -> None:
        self.net = self.model = net
        self.vocab = list(LETTERS)
        self.vocab_to_idx = {letter: i for i, letter in enumerate(LETTERS)}
        self.vocab_array = np.array(self.vocab)

    def inference_on_tensor(self, x: torch.Tensor) -> torch.Tensor:
        return -self.net(x.float())[:, 0]

    def __call__(self, x: Any, return_debug_info: bool = False) -> Any:
        strings = [x] if isinstance(x, str) else list(x)
        tokens = torch.tensor([[LETTERS.index(c) for c in s] for s in strings])
        with torch.no_grad():
            return self.inference_on_tensor(one_hot(tokens)).numpy()


def nucleopt(name: str, net: Any, seed: int, seconds: float) -> Sequences:
    """Runs until the seconds are spent; a method that plans its steps first measures them."""
    from nucleobench import optimizations
    from nucleobench.optimizations.model_class import TISMModelClass

    class Ranked(Model, TISMModelClass):
        """With the gradient ranking that gradabeam takes from a base class of nucleopt."""

    make = optimizations.get_optimization(name)
    rolls = {"beam_size": 10, "mutations_per_sequence": 1, "n_rollouts_per_root": 4, "rng_seed": seed}
    every = {
        "adabeam": {**rolls, "eval_batch_size": 64, "skip_repeat_sequences": False},
        "gradabeam": {**rolls, "eval_batch_size": 1, "exploration_alpha": 0.05, "use_pbt": True},
        "fastseqprop": {"learning_rate": 0.5, "batch_size": 4, "rnd_seed": seed},
        "ledidi": {"lr": 1.0, "train_batch_size": 4, "rng_seed": seed},
    }

    def build() -> Any:
        return make(model_fn=Ranked(net), start_sequence=text(starts(1, seed)[0]), **every[name])

    designer = build()
    if name in ("fastseqprop", "ledidi"):
        designer.run(n_steps=5)
        begin = time.process_time()
        designer.run(n_steps=20)
        each = (time.process_time() - begin) / 20
        designer = build()
        designer.run(n_steps=max(20, int(seconds / each)))
    else:
        begin = time.process_time()
        while time.process_time() - begin < seconds:
            designer.run(n_steps=2)
    return list(designer.get_samples(256))


def ledidi_package(net: Any, seed: int, seconds: float, goal: float) -> Sequences:
    """Sixteen designs a call, each call from the next start, until the seconds are spent."""
    from ledidi import ledidi

    begin, found, k = time.process_time(), [], 0
    every = one_hot(starts(256, seed))
    while time.process_time() - begin < seconds:
        x = every[k % 256 : k % 256 + 1]
        made = ledidi(
            net, x, torch.tensor([[goal]]), device="cpu", random_state=seed + k, verbose=False, l=0.001
        )
        found += [text(row) for row in made.argmax(1)]
        k += 1
    return found


def greedy(net: Any, seed: int, goal: float, count: int) -> Sequences:
    """Tangermeme's greedy substitution, stopping at the goal; falling short is the loss."""
    from tangermeme.design import greedy_substitution

    def short(y: torch.Tensor, y_hat: torch.Tensor) -> torch.Tensor:
        a, b = (y, y_hat) if float(y.flatten()[0]) == goal else (y_hat, y)
        return (a - b).clamp(min=0.0).square()

    found = []
    for row in one_hot(starts(count, seed)):
        made = greedy_substitution(
            net,
            row[None],
            y=torch.tensor([[goal]]),
            loss=short,
            tol=1e-9,
            motifs=None,
            reverse_complement=False,
            max_iter=40,
            batch_size=100,
            device="cpu",
        )
        found.append(text(made.argmax(1)[0]))
    return found


def main() -> None:
    name, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[5])
    seconds, goal = float(sys.argv[3]), float(sys.argv[4])
    torch.set_num_threads(1)
    random.seed(seed)
    torch.manual_seed(seed)
    net = network(seed)
    runs: dict[str, Callable[[], Sequences]] = {
        "ledidi-package": lambda: ledidi_package(net, seed, seconds, goal),
        "greedy": lambda: greedy(net, seed, goal, count),
    }
    with contextlib.redirect_stdout(sys.stderr):
        begin = time.process_time()
        found = runs.get(name, lambda: nucleopt(name, net, seed, seconds))()
        spent = time.process_time() - begin
    print(json.dumps({"sequences": found, "seconds": spent}))


if __name__ == "__main__":
    main()
