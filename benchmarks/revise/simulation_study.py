"""The simulation study of Mueller, Gifford and Jaakkola (2017), on one thread.

    python benchmarks/revise/simulation_study.py [--n 10000] [--revise 500] [--seed 0] [--model DIR] [--fast]

A model is trained with the defaults of train-vae on strings of the published grammar, whose outcome is their
number of A's / 20. It then revises fresh strings, and the grammar itself judges the revisions:

    Delta_Y    true change of the outcome in standard deviations of the grammar (.0562)
    predicted  the change that the model promises, F(E(x)) - F(E(x0)), in the same unit
    -log p     unnaturalness under the exact grammar, nats
    d          Levenshtein distance to the start

Goals: R2 > .95, invariance / Var(y) < .15, and a revision of <= 3.3 edits on average with Delta_Y >= 1.25 and
-log p <= 32. A second model without the regularisers (KL and invariance) shows what they are good for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from _common import as_problem, as_tensors, first_designs, parser, trained

from seqdesign.metrics.edits import levenshtein_pairs
from seqdesign.metrics.regression import r2
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.store import TrainedVAE
from seqdesign.reports.tables import Column, text_table
from seqdesign.revisers.methods.revise import revise
from seqdesign.revisers.methods.search import search
from seqdesign.revisers.problem import evaluate
from seqdesign.revisers.revise_options import ReviseOptions, SearchOptions
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.testing.grammar import LETTERS, SimulationGrammar
from seqdesign.training.config import FitOptions

COLUMNS = (
    Column("method"),
    Column("delta", "Delta_Y", ".2f"),
    Column("sd", "sd", ".2f"),
    Column("predicted", spec=".2f"),
    Column("nll", "-log p", ".2f"),
    Column("d", spec=".2f"),
    Column("unchanged", spec=".2f"),
    Column("seconds", "s", ".0f"),
)
BARE = VAEOptions(kl_weight=0.0, invariance_weight=0.0, outcome_on="mean")
FAST_EPOCHS, FAST_REVISE = 25, 100
BARE_EPOCHS = 30
"""Enough for the second model: its R2 is at its height, and only its invariance matters here."""


@dataclass(frozen=True)
class Method:
    """A line of the table: an optimizer's options, and what its revisions must obey."""

    name: str
    options: ReviseOptions | SearchOptions
    rules: dict[str, Any] = field(default_factory=dict)


def paper(alpha: float) -> ReviseOptions:
    """REVISE as published: the authors' ascent, and greedy decoding of its end."""
    return ReviseOptions(
        alpha=alpha,
        select="end",
        decode="plain",
        width=1,
        optimizer="original",
        steps=1000,
        learning_rate=1.0,
    )


def published() -> list[Method]:
    return [Method(f"log alpha {alpha:g}, as published", paper(alpha)) for alpha in (-10000.0, -1.0)]


def opponents(floors: Sequence[float]) -> list[Method]:
    plain = [
        Method(f"SEARCH-100, {k} operations", SearchOptions(operations=k), {"max_edits": k}) for k in (3, 5)
    ]
    fair = [
        Method(
            f"SEARCH-100, 3 operations, log p change >= {floor:g}",
            SearchOptions(operations=3),
            {"max_edits": 3, "min_loglik_change": floor},
        )
        for floor in floors
    ]
    return plain + fair


def ours(floors: Sequence[float], edits: Sequence[int]) -> list[Method]:
    return [
        Method(
            f"ours, <= {k} edits, log p change >= {floor:g}",
            ReviseOptions(alpha=-10000.0),
            {"max_edits": k, "min_loglik_change": floor},
        )
        for k in edits
        for floor in floors
    ]


def measure(
    method: Method, model: TrainedVAE, grammar: SimulationGrammar, starts: list[str], seed: int
) -> dict[str, object]:
    """One line of the table."""
    problem = as_problem(model, starts, **method.rules)
    begin = time.perf_counter()
    if isinstance(method.options, ReviseOptions):
        result = revise(problem, method.options, seed)
    else:
        result = search(problem, method.options, seed)
    seconds = time.perf_counter() - begin
    revised = first_designs(model, result)
    outside = [x for x in revised if len(x) not in grammar.lengths]
    assert not outside, f"the model is bounded by its training data, yet it made {outside[0]}"
    sigma = grammar.moments().std_outcome
    gains = (grammar.outcome(revised) - grammar.outcome(starts)) / sigma
    promised = (result.outcome[:, 0] - result.before.outcome).double() / sigma
    return {
        "method": method.name,
        "delta": gains.mean(),
        "sd": gains.std(),
        "predicted": promised.mean().item(),
        "nll": -grammar.log_prob(revised).mean(),
        "d": levenshtein_pairs(starts, revised).mean(),
        "unchanged": np.mean([a == b for a, b in zip(starts, revised, strict=True)]),
        "seconds": seconds,
    }


def describe(name: str, model: TrainedVAE, grammar: SimulationGrammar, test: list[str], seed: int) -> None:
    """Held-out R2 and invariance / Var(y)."""
    found = evaluate(model.model, *as_tensors(model, test))
    z = torch.randn(2000, model.model.latent_dim, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        invariance = float(model.model.invariance_loss(z))
    score = r2(grammar.outcome(test), found.outcome.double().numpy())
    nll = -found.log_likelihood.mean().item()
    print(
        f"{name}: held-out R2 {score:.3f} (goal > .95), invariance / Var(y) {invariance:.3f} (goal < .15), "
        f"language model -log p {nll:.2f} nats (exact {-grammar.log_prob(test).mean():.2f})",
        flush=True,
    )


def train(
    arguments: argparse.Namespace, grammar: SimulationGrammar, options: VAEOptions, name: str
) -> TrainedVAE:
    strings = grammar.sample(arguments.n, np.random.default_rng(arguments.seed))
    usual: int | Literal["auto"] = BARE_EPOCHS if options is BARE else "auto"
    epochs = arguments.epochs or (FAST_EPOCHS if arguments.fast else usual)
    folder: Path | None = arguments.model and arguments.model / name
    return trained(
        strings,
        grammar.outcome(strings),
        get_alphabet(f"letters:{LETTERS}"),
        options=options,
        fit=FitOptions(epochs=epochs),
        seed=arguments.seed,
        folder=folder,
        recipe={"study": name, "n": arguments.n, "seed": arguments.seed, "epochs": epochs},
    )


def main() -> None:
    made = parser(__doc__, "keep the two models here, or use those kept here by an earlier run")
    made.add_argument("--n", type=int, default=10_000, help="training strings")
    made.add_argument("--test", type=int, default=1000, help="fresh strings that judge the model")
    made.add_argument("--revise", type=int, default=500, help="how many of them to revise")
    made.add_argument(
        "--fast", action="store_true", help=f"{FAST_EPOCHS} passes, {FAST_REVISE} strings to revise"
    )
    made.add_argument("--edits", type=int, nargs="+", default=[3, 4], help="edit budgets of our lines")
    made.add_argument(
        "--min-loglik-change",
        type=float,
        nargs="+",
        default=[0.0, -2.0],
        help="of our lines, nats",
    )
    arguments = made.parse_args()
    torch.set_num_threads(1)
    grammar = SimulationGrammar()
    test = grammar.sample(arguments.test, np.random.default_rng([arguments.seed, 1]))
    starts = test[: FAST_REVISE if arguments.fast else arguments.revise]
    nothing: dict[str, object] = {
        "method": "x0",
        "delta": 0.0,
        "sd": 0.0,
        "predicted": 0.0,
        "d": 0.0,
        "unchanged": 1.0,
        "seconds": 0.0,
    }
    rows = [{**nothing, "nll": -grammar.log_prob(starts).mean()}]
    model = train(arguments, grammar, VAEOptions(), "defaults")
    describe("defaults", model, grammar, test, arguments.seed)
    floors, edits = arguments.min_loglik_change, arguments.edits
    methods = [*published(), *opponents(floors), *ours(floors, edits)]
    rows += [measure(method, model, grammar, starts, arguments.seed) for method in methods]
    print(text_table(rows, COLUMNS), flush=True)
    bare = train(arguments, grammar, BARE, "no_regularisers")
    describe("no regularisers", bare, grammar, test, arguments.seed)
    rows = [measure(method, bare, grammar, starts, arguments.seed) for method in published()]
    print(text_table(rows, COLUMNS), end="")


if __name__ == "__main__":
    main()
