"""Revisions of real sequences, looked up among the measurements, on one thread.

    python benchmarks/revise/measured_truth.py [--data rna_mpsa_5ss9 prot_cr6261_121] [--inputs N]
        [--model DIR]

A random half of a measured landscape is learned from; held-out sequences from below the training median are
revised within 1 to 4 edits, and what comes out is looked up. All gains are measured ones, in standard
deviations of the training outcome, averaged over the revisions that were measured:

    possible             the best measured sequence within the budget: no method can do better
    argmax of F          the measured sequence within the budget that our F(E(x)) likes best: the same F,
                         searched exhaustively and told what was measured
    exhaustive F         the same F and naturalness floor, all sequences of letters seen at each place
    greedy F             the best single substitution by F, as long as one is better, of those
    ridge                exhaustive search as before by pairwise ridge regression, without a floor
    ours                 revise with its defaults and log alpha -10000, so that the edit budget is what holds
    ours, log alpha -1   revise with its defaults (for one budget)
    SEARCH-100           the best of 100 random mutants by the same F; some of their operations do nothing
    SEARCH-100 subst.    the same, all operations being substitutions at different places
    SEARCH-100 measured  the same, told what was measured: 100 random measured sequences within the budget
    end point            plain REVISE: greedy decoding of the end of the ascent, no edit budget

inside: share of the outputs that were measured (an unchanged one is). all: the gain over all outputs, those
that nobody measured counted as no gain. predicted: the gain that F promises.
Edits are substitutions for what is looked up in the table, and Levenshtein edits for what is designed.
Goal for rna_mpsa_5ss9: ours at <= 3 edits gains at least 4.75 with at least 96% inside.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from _common import as_problem, as_tensors, first_designs, parser, trained
from numpy.typing import NDArray

from seqdesign.constraints.letters import seen_letters
from seqdesign.constraints.rules import Rules
from seqdesign.constraints.starts import Starts
from seqdesign.metrics.edits import hamming_matrix, letter_codes, levenshtein_pairs
from seqdesign.metrics.regression import r2, spearman
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.store import TrainedVAE
from seqdesign.oracles.table import TableOracle
from seqdesign.reports.tables import Column, text_table
from seqdesign.revisers.methods.revise import revise
from seqdesign.revisers.methods.search import search
from seqdesign.revisers.problem import DesignResult, evaluate
from seqdesign.revisers.revise_options import ReviseOptions, SearchOptions
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.bundled import dataset_info
from seqdesign.sequences.datasets import load_dataset
from seqdesign.training.config import FitOptions

COLUMNS = (
    Column("budget", "edits <="),
    Column("method"),
    Column("gain", spec=".2f"),
    Column("inside", spec=".3f"),
    Column("all", spec=".2f"),
    Column("predicted", spec=".2f"),
    Column("edits", "mean edits", ".2f"),
    Column("unchanged", spec=".2f"),
    Column("seconds", "s", ".0f"),
)
BUDGETS = (1, 2, 3, 4)
DEFAULT_ALPHA_BUDGET = 3
CANDIDATES = 100
MOST = 1_000_000
PENALTIES = (0.1, 1.0, 10.0, 100.0)
PLANS: dict[str, tuple[int | Literal["auto"], int]] = {"prot_cr6261_121": (100, 100)}
"""Passes and inputs for data where the usual ones would take an hour: train-vae would choose 400 passes."""
USUAL_PLAN: tuple[int | Literal["auto"], int] = ("auto", 500)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Everything:
    """All sequences of letters seen at each place. M of them: letter codes (M, L), F(E(x)), log p(x) per
    letter, and what pairwise ridge regression of the training rows says.
    """

    sequences: list[str]
    codes: NDArray[np.uint8]
    score: Floats
    naturalness: Floats
    ridge: Floats

    @classmethod
    def of(cls, model: TrainedVAE, sequences: list[str], outcomes: Floats) -> Everything:
        """``sequences`` and ``outcomes`` are the training rows."""
        letters = [sorted(set(column)) for column in zip(*sequences, strict=True)]
        number = math.prod(map(len, letters))
        if number > MOST:
            raise SystemExit(f"{number:,} sequences are too many to look at all of them")
        every = ["".join(one) for one in itertools.product(*letters)]
        found = evaluate(model.model, *as_tensors(model, every))
        return cls(
            sequences=every,
            codes=letter_codes(every),
            score=found.outcome.double().numpy(),
            naturalness=found.log_likelihood.double().numpy() / (len(every[0]) + 1),
            ridge=pairwise_ridge(sequences, outcomes, every, letters),
        )

    def within(self, start: str, budget: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Indices of those at most ``budget`` substitutions from ``start``, and their distances."""
        distance = hamming_matrix(letter_codes([start]), self.codes)[0]
        near = np.flatnonzero(distance <= budget)
        return near, distance[near]


def pairwise_ridge(
    sequences: list[str], outcomes: Floats, asked: list[str], letters: list[list[str]]
) -> Floats:
    """Ridge regression on letters and pairs of letters, the penalty by a tenth of the rows; of ``asked``."""
    rare = [(place, letter) for place, column in enumerate(letters) for letter in column[1:]]

    def features(texts: list[str]) -> Floats:
        codes = letter_codes(texts)
        one = np.stack([codes[:, place] == ord(letter) for place, letter in rare], 1).astype(float)
        pairs = [
            i * len(rare) + j
            for i, j in itertools.combinations(range(len(rare)), 2)
            if rare[i][0] != rare[j][0]
        ]
        return np.concatenate([one, (one[:, :, None] * one[:, None, :]).reshape(len(one), -1)[:, pairs]], 1)

    x, everywhere = features(sequences), np.ones(len(sequences), dtype=bool)
    mean, shift = x.mean(0), outcomes.mean()
    apart = np.arange(len(x)) % 10 == 0

    def solved(rows: NDArray[np.bool_], penalty: float) -> Floats:
        own, y = x[rows] - mean, outcomes[rows] - shift
        return np.asarray(np.linalg.solve(own.T @ own + penalty * np.eye(x.shape[1]), own.T @ y))

    def error(penalty: float) -> float:
        left = (x[apart] - mean) @ solved(~apart, penalty) + shift - outcomes[apart]
        return float(left.std())

    weights = solved(everywhere, min(PENALTIES, key=error))
    parts = [asked[i : i + 20_000] for i in range(0, len(asked), 20_000)]
    return np.concatenate([(features(part) - mean) @ weights + shift for part in parts])


@dataclass(frozen=True)
class Landscape:
    """A model, the sequences it is to revise and what is known about all others.

    measured_scores: F(E(x)) of every measured sequence, in the order of ``oracle.sequences``.
    """

    model: TrainedVAE
    oracle: TableOracle
    starts: list[str]
    values: Floats
    measured_scores: Floats
    unit: float
    seed: int
    everything: Everything
    rules: Rules

    def row(self, method: str, designs: list[str], **more: object) -> dict[str, object]:
        """Judge designs, one for each start."""
        found = self.oracle(designs)
        known = ~np.isnan(found)
        gain = float((found - self.values)[known].mean()) / self.unit if known.any() else float("nan")
        return {
            "method": method,
            "gain": gain,
            "inside": float(known.mean()),
            "all": float(np.where(known, found - self.values, 0.0).mean()) / self.unit,
            "edits": float(levenshtein_pairs(self.starts, designs).mean()),
            "unchanged": float(np.mean([a == b for a, b in zip(self.starts, designs, strict=True)])),
            **more,
        }

    def designed(self, method: str, result: DesignResult, begin: float) -> dict[str, object]:
        """As ``row``, for what an optimizer returned; it was called at ``begin``."""
        seconds = time.perf_counter() - begin
        promised = (result.outcome[:, 0] - result.before.outcome).mean().item() / self.unit
        return self.row(method, first_designs(self.model, result), predicted=promised, seconds=seconds)


def prepare(name: str, arguments: argparse.Namespace) -> Landscape:
    data, info = load_dataset(name), dataset_info(name)
    assert data.outcomes is not None
    rng = np.random.default_rng(arguments.seed)
    order = rng.permutation(len(data))
    train, test = np.sort(order[: len(data) // 2]), np.sort(order[len(data) // 2 :])
    folder: Path | None = arguments.model and arguments.model / name
    learned = data.take(train)
    assert learned.outcomes is not None
    epochs, inputs = PLANS.get(name, USUAL_PLAN)
    epochs, inputs = arguments.epochs or epochs, arguments.inputs or inputs
    model = trained(
        learned.sequences,
        learned.outcomes,
        get_alphabet(info.alphabet),
        options=VAEOptions(),
        fit=FitOptions(epochs=epochs),
        seed=arguments.seed,
        folder=folder,
        recipe={"data": name, "sha256": info.sha256, "seed": arguments.seed, "epochs": epochs},
    )
    scores = evaluate(model.model, *as_tensors(model, data.sequences)).outcome.double().numpy()
    truth = data.outcomes[test]
    print(f"{name}: held-out R2 {r2(truth, scores[test]):.3f}, Spearman {spearman(truth, scores[test]):.3f}")
    low = test[truth < np.median(learned.outcomes)]
    chosen = np.sort(rng.permutation(low)[:inputs])
    return Landscape(
        model=model,
        oracle=TableOracle(data.sequences, data.outcomes),
        starts=[data.sequences[i] for i in chosen],
        values=data.outcomes[chosen],
        measured_scores=scores,
        unit=float(learned.outcomes.std()),
        seed=arguments.seed,
        everything=Everything.of(model, list(learned.sequences), learned.outcomes),
        rules=letters_seen(model, list(learned.sequences), [data.sequences[i] for i in chosen]),
    )


def letters_seen(model: TrainedVAE, sequences: list[str], starts: list[str]) -> Rules:
    """The rule ``--letters seen``, which is the default of ``revise``."""
    (tokens, _), (own, lengths) = as_tensors(model, sequences), as_tensors(model, starts)
    alphabet = model.record.alphabet
    seen = (tokens.unsqueeze(2) == torch.arange(len(alphabet.letters))).any(0)
    rule = seen_letters(seen, Starts(alphabet, own, lengths, own.shape[1]))
    return Rules([rule], num_starts=len(starts), length=own.shape[1], num_letters=seen.shape[1])


def told_what_was_measured(place: Landscape, budget: int) -> list[dict[str, object]]:
    """The best measured sequence by F within the budget: of all, and of 100 random ones."""
    rng = np.random.default_rng(place.seed)
    all_codes = letter_codes(place.oracle.sequences)
    best: dict[str, list[int]] = {"argmax of F": [], f"SEARCH-{CANDIDATES} measured": []}
    for start in place.starts:
        own = place.oracle.sequences.index(start)
        near = np.flatnonzero(hamming_matrix(letter_codes([start]), all_codes)[0] <= budget)
        some = rng.choice(near, size=min(CANDIDATES, len(near)), replace=False)
        for kept, candidates in zip(best.values(), (near, np.append(some, own)), strict=True):
            kept.append(int(candidates[place.measured_scores[candidates].argmax()]))
    rows = []
    own_scores = place.measured_scores[[place.oracle.sequences.index(s) for s in place.starts]]
    for method, places in best.items():
        promised = float((place.measured_scores[places] - own_scores).mean()) / place.unit
        rows.append(place.row(method, [place.oracle.sequences[i] for i in places], predicted=promised))
    return rows


def told_nothing(place: Landscape, budget: int) -> list[dict[str, object]]:
    """The best of all sequences of letters seen, by F with the naturalness floor and by ridge."""
    every, floor = place.everything, place.model.record.naturalness_floor
    best: dict[str, list[int]] = {"exhaustive F": [], "greedy F": [], "ridge": []}
    for start in place.starts:
        near, distance = every.within(start, budget)
        own = int(near[distance == 0][0])
        natural = every.naturalness[near] >= min(floor, every.naturalness[own])
        best["exhaustive F"].append(int(near[natural][every.score[near[natural]].argmax()]))
        best["ridge"].append(int(near[every.ridge[near].argmax()]))
        here = own
        for _ in range(budget):
            beside, _ = every.within(every.sequences[here], 1)
            beside = np.intersect1d(beside, near[natural], assume_unique=True)
            here = max([here, *beside.tolist()], key=lambda i: float(every.score[i]))
        best["greedy F"].append(here)
    own_scores = every.score[[every.within(s, 0)[0][0] for s in place.starts]]
    rows = []
    for method, places in best.items():
        told = (
            {}
            if method == "ridge"
            else {"predicted": float((every.score[places] - own_scores).mean()) / place.unit}
        )
        rows.append(place.row(method, [every.sequences[i] for i in places], **told))
    return rows


def substituted(place: Landscape, budget: int) -> dict[str, object]:
    """SEARCH whose mutants all have ``budget`` random substitutions."""
    begin = time.perf_counter()
    rng = np.random.default_rng(place.seed)
    letters = place.model.record.alphabet.letters
    designs, promised = [], []
    for start in place.starts:
        tried = [start]
        for _ in range(CANDIDATES):
            mutant = list(start)
            for at in rng.choice(len(start), size=budget, replace=False):
                mutant[at] = letters[rng.integers(len(letters))]
            tried.append("".join(mutant))
        scores = evaluate(place.model.model, *as_tensors(place.model, tried)).outcome
        designs.append(tried[int(scores.argmax())])
        promised.append(float(scores.max() - scores[0]))
    return place.row(
        f"SEARCH-{CANDIDATES} subst.",
        designs,
        predicted=float(np.mean(promised)) / place.unit,
        seconds=time.perf_counter() - begin,
    )


def compare(place: Landscape, budget: int) -> list[dict[str, object]]:
    """All lines of one edit budget."""
    possible = place.oracle.best_within(place.starts, budget)
    rows = [place.row("possible", possible.sequences), *told_what_was_measured(place, budget)]
    rows += told_nothing(place, budget)
    ours = {"ours": -10000.0}
    if budget == DEFAULT_ALPHA_BUDGET:
        ours["ours, log alpha -1"] = -1.0
    for method, alpha in ours.items():
        begin = time.perf_counter()
        problem = as_problem(
            place.model,
            place.starts,
            max_edits=budget,
            floor_per_letter=place.model.record.naturalness_floor,
            rules=place.rules,
        )
        rows.append(place.designed(method, revise(problem, ReviseOptions(alpha=alpha), place.seed), begin))
    begin = time.perf_counter()
    problem = as_problem(place.model, place.starts, max_edits=budget)
    found = search(problem, SearchOptions(candidates=CANDIDATES), place.seed)
    rows += [place.designed(f"SEARCH-{CANDIDATES}", found, begin), substituted(place, budget)]
    return [{"budget": str(budget), **row} for row in rows]


def end_point(place: Landscape) -> dict[str, object]:
    """Plain REVISE: no path, no beam, no budget, no floor."""
    begin = time.perf_counter()
    options = ReviseOptions(alpha=-10000.0, select="end", decode="plain", width=1)
    found = revise(as_problem(place.model, place.starts), options, place.seed)
    return {"budget": "any", **place.designed("end point", found, begin)}


def main() -> None:
    made = parser(__doc__, "keep the models here, or use those kept here by an earlier run")
    made.add_argument("--data", nargs="+", default=["rna_mpsa_5ss9", "prot_cr6261_121"])
    made.add_argument("--inputs", type=int, help="sequences to revise (default: 500, or fewer for long ones)")
    arguments = made.parse_args()
    torch.set_num_threads(1)
    for name in arguments.data:
        place = prepare(name, arguments)
        rows = [row for budget in BUDGETS for row in compare(place, budget)]
        print(text_table([*rows, end_point(place)], COLUMNS), flush=True)


if __name__ == "__main__":
    main()
