"""Markov chains: what a learned proposal gains over one substitution by the gradient, in effective samples.

    python benchmarks/generators/mcmc.py [TABLE.csv.gz ...] [--heat 1.0 0.5 0.25] [--seeds 3] [--steps 1000]

Laws p(x) ~ exp(score(x) / T): two Potts models with random fields and couplings (24 letters of 4, 60 of 20),
and for each table the protein-binding-microarray score of every 8-mer (columns ``sequence`` and ``escore``),
in standard deviations. Oracles give their exact effects of single substitutions as gradients. All chains
begin at one sequence; the first fifth of the steps is burn-in for both and trains the learned proposal.
Effective samples are the fewest of those of the score and of five random projections of the one-hot sequence,
from autocorrelations up to the first negative pair (Geyer 1992), over all chains.

``per query`` is the ratio of effective samples per step, which is what counts where the oracle is a network;
``per second`` that with these oracles, which cost next to nothing. A pairwise model is exact for the Potts
models and is not for the tables.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqdesign.constraints.rules import Rules
from seqdesign.designers.chains import Walk
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.problem import SequenceProblem
from seqdesign.designers.surrogate import Surrogate
from seqdesign.reports.tables import Column, text_table
from seqdesign.sequences.alphabets import Alphabet, get_alphabet

Score = Callable[[Tensor], Tensor]
PROJECTIONS = 5


class Law:
    """A score of one-hot sequences (B, V, L) as an oracle."""

    outcomes, differentiable = ("score",), True

    def __init__(self, name: str, alphabet: Alphabet, length: int, score: Score) -> None:
        self.name, self.alphabet, self.length, self.score = name, alphabet, length, score

    def __call__(self, x: Tensor, /) -> Tensor:
        return self.score(x)[None, :, None]


def potts(name: str, alphabet: str, length: int) -> Law:
    """Fields of standard deviation 1/2, couplings that add up to one of about 1 at each position."""
    letters = get_alphabet(alphabet)
    generator = torch.Generator().manual_seed(0)
    size = letters.size * length
    field = 0.5 * torch.randn(size, generator=generator)
    pair = torch.randn(length, letters.size, length, letters.size, generator=generator) / length**0.5
    pair = (pair + pair.permute(2, 3, 0, 1)) / 2
    pair[torch.arange(length), :, torch.arange(length)] = 0.0
    pair = pair.reshape(size, size)

    def score(x: Tensor) -> Tensor:
        flat = x.transpose(1, 2).flatten(1)
        return flat @ field + 0.5 * ((flat @ pair) * flat).sum(1)

    return Law(name, letters, length, score)


class Lookup(torch.autograd.Function):
    """A table of all sequences; the gradient holds the scores of all single substitutions."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, table: Tensor) -> Tensor:
        letters, length = x.shape[1:]
        weight = letters ** torch.arange(length - 1, -1, -1)
        tokens = x.argmax(1)
        index = (tokens * weight).sum(1)
        others = index[:, None, None] + (torch.arange(letters)[:, None] - tokens.unsqueeze(1)) * weight
        ctx.save_for_backward(table[others])
        return table[index]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0][:, None, None] * ctx.saved_tensors[0], None


def binding(path: Path) -> Law:
    """The measured score of every 8-mer, of both strands, in standard deviations."""
    letters = get_alphabet("dna")
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        rows = [(row["sequence"], float(row["escore"])) for row in csv.DictReader(handle)]
    known = dict(rows) | {letters.reverse_complement(sequence): score for sequence, score in rows}
    table = torch.tensor([known[sequence] for sequence in sorted(known)])
    table = table / table.std()
    name = path.name.removesuffix(".csv.gz").removeprefix("dna_pbm8_")
    return Law(name, letters, 8, lambda x: Lookup.apply(x, table))  # type: ignore[no-any-return,no-untyped-call]


def effective(values: Tensor) -> float:
    """Effective samples of a chain, from all chains: values (steps, chains)."""
    steps = len(values)
    centred = values - values.mean()
    spectrum = torch.fft.rfft(centred, n=2 * steps, dim=0)
    power = torch.fft.irfft(spectrum * spectrum.conj(), n=2 * steps, dim=0)[:steps].mean(1)
    rho = power / torch.arange(steps, 0, -1)
    rho = rho / rho[0]
    time_constant = 1.0
    for lag in range(1, steps // 2, 2):
        pair = float(rho[lag] + rho[lag + 1])
        if pair < 0:
            break
        time_constant += 2.0 * pair
    return steps / time_constant


def run(law: Law, kind: str, heat: float, seed: int, chains: int, steps: int) -> tuple[float, float, float]:
    """Effective samples per step, seconds per step, and the mean score."""
    letters = law.alphabet.size
    generator = torch.Generator().manual_seed(seed)
    starts = torch.randint(letters, (1, law.length), generator=generator)
    rules = Rules([], num_starts=1, length=law.length, num_letters=letters)
    budget = chains * (2 * steps + 2) + 10
    problem = SequenceProblem(
        law, lambda predictions, rows: predictions[0, :, 0], starts, rules, torch.arange(1), budget
    )
    burn_in = steps // 4
    crowd = Crowd(problem, seed)
    walk = Surrogate(crowd, chains, heat, burn_in) if kind == "learned" else Walk(crowd, chains, heat)
    one = torch.zeros(1, dtype=torch.long)
    for _ in range(burn_in):
        walk.step(one)
    scores, tokens = [], []
    begin = time.process_time()
    for _ in range(steps):
        walk.step(one)
        scores.append(walk.score[0].clone())
        tokens.append(walk.tokens[0].clone())
    seconds = (time.process_time() - begin) / steps
    score, visited = torch.stack(scores), torch.nn.functional.one_hot(torch.stack(tokens), letters).double()
    views = torch.randn(PROJECTIONS, law.length, letters, generator=torch.Generator().manual_seed(1)).double()
    counts = [effective(score), *(effective((visited * view).sum((2, 3))) for view in views)]
    return min(counts) / steps, seconds, float(score.mean())


def main() -> None:
    """Print a row for each law and temperature."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", type=Path)
    parser.add_argument("--only-tables", action="store_true", help="no Potts models")
    parser.add_argument("--heat", nargs="+", type=float, default=[1.0, 0.5, 0.25])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--chains", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    laws = [binding(path) for path in args.tables]
    if not args.only_tables:
        laws = [potts("Potts 24 x 4", "dna", 24), potts("Potts 60 x 20", "protein", 60), *laws]
    rows = []
    for law in laws:
        for heat in args.heat:
            found: dict[str, list[tuple[float, float, float]]] = {"gradient": [], "learned": []}
            for seed in range(args.seeds):
                for kind, done in found.items():
                    done.append(run(law, kind, heat, seed, args.chains, args.steps))
            pairs = list(zip(found["gradient"], found["learned"], strict=True))
            query = [new[0] / old[0] for old, new in pairs]
            rows.append(
                {
                    "law": law.name,
                    "heat": heat,
                    "plain": statistics.median(old[0] for old, _ in pairs),
                    "learned": statistics.median(new[0] for _, new in pairs),
                    "query": statistics.median(query),
                    "low": min(query),
                    "high": max(query),
                    "second": statistics.median(new[0] / new[1] / (old[0] / old[1]) for old, new in pairs),
                    "mean_plain": statistics.mean(old[2] for old, _ in pairs),
                    "mean_learned": statistics.mean(new[2] for _, new in pairs),
                }
            )
            print(text_table(rows[-1:], COLUMNS), flush=True)
    print(text_table(rows, COLUMNS))


COLUMNS = (
    Column("law"),
    Column("heat", "T", ".2f"),
    Column("plain", "gradient, per step", ".4f"),
    Column("learned", "learned, per step", ".4f"),
    Column("query", "per query", ".2f"),
    Column("low", "lowest", ".2f"),
    Column("high", "highest", ".2f"),
    Column("second", "per second", ".2f"),
    Column("mean_plain", "mean score", ".2f"),
    Column("mean_learned", "learned", ".2f"),
)


if __name__ == "__main__":
    main()
