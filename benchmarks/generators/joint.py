"""Design through a generator and on letters at equal CPU seconds, judged by the truth; one thread.

    python benchmarks/generators/joint.py tata|promoters|splice --model DIR [--seconds S] [--gan-steps N]
        [--num N]

Only natural sequences are measured, so a predictor of them errs elsewhere, as in practice.

tata    natural: 50-mers of C and G with one TATA planted uniformly. Truth: 2 exp(-((p - 23) / 8)^2) for its
        place p + 3 times the share of G among the other letters; 0, dead, for what is not natural. 5,000
        natural sequences are measured with noise .1. The best natural sequence has 5.
promoters
        natural: Drosophila core promoters (dna_dm3_core_promoter100), 1,720 held out. Truth: the best matches
        of the motifs of TBP, NFYA and CREB1 (JASPAR), summed, in bits. It is the oracle itself: the only
        question is what its maximum costs in naturalness.
splice  natural: 5' splice sites of human genes, as often as they occur (rna_human_5ss9_counts). Truth: the
        measured log10 of percent spliced in (rna_mpsa_5ss9). A random half of the natural sites is measured.

truth       mean over the designs; for splice over those that were measured
natural     share of the designs. tata: C and G with one TATA. promoters: as likely by a Markov chain of
            order 3 of natural sequences as the middle 95% of held-out ones. splice: occurs in the genome
k-mers      Jensen-Shannon distance of their k-mers (4, splice 3) to held-out natural sequences, in bits; the
            first row is that of as many natural ones
critic      mean percentile of the critic's score among samples of the generator
predicted   what the judging members of the ensemble say

Rows: natural sequences; samples of the generator; every method from noise, and from samples of the generator
("+ generator"); ``latent`` moves the code, with and without a word of the critic. Both models are kept in
DIR, or used where they are there.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqdesign.commands.design.maximize import MaximizeConfig, maximize
from seqdesign.commands.train.train_gan import TrainGANConfig, train_gan
from seqdesign.commands.train.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.metrics.kmers import kmer_matrix
from seqdesign.metrics.spectra import jensen_shannon
from seqdesign.models.gan.design import DesignGAN
from seqdesign.models.gan.sampling import draw
from seqdesign.models.gan.store import load_gan
from seqdesign.motifs.files import bundled_motifs
from seqdesign.oracles.motif import MotifOracle
from seqdesign.reports.tables import Column, text_table
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.encoders import decode, encode, one_hot
from seqdesign.sequences.fasta import header_fields, read_fasta

CPU, DNA = torch.device("cpu"), get_alphabet("dna")
PUBLISHED = ("critic=0", "least_real=-100")
"""The joint method as published: the critic has no say."""
PROBES = (40, 200)
"""Budgets from whose seconds the budget of the wanted seconds is found."""
COLUMNS = (
    Column("method", "", ""),
    Column("truth", spec=".3f"),
    Column("natural", spec=".2f"),
    Column("kmers", "k-mers", ".4f"),
    Column("critic", spec=".0f"),
    Column("predicted", spec=".3f"),
    Column("designs", spec="d"),
    Column("budget", spec="d"),
    Column("seconds", "CPU s", ".1f"),
)


@dataclass(frozen=True)
class Case:
    """Natural sequences, those of them that are measured, and the truth about any sequence."""

    alphabet: str
    natural: list[str]
    held_out: list[str]
    measured: dict[str, float]
    truth: Callable[[str], float]
    is_natural: Callable[[str], bool]
    k: int
    rules: dict[str, Any]


def planted(num: int, rng: np.random.Generator) -> list[str]:
    """50-mers of C and G with one TATA."""
    letters = rng.choice(list("CG"), size=(num, 50))
    places = rng.integers(0, 47, num)
    for i, letter in enumerate("TATA"):
        letters[np.arange(num), places + i] = letter
    return ["".join(row) for row in letters]


def is_planted(text: str) -> bool:
    place = text.find("TATA")
    return place >= 0 and set(text[:place] + text[place + 4 :]) <= {"C", "G"}


def activity(text: str) -> float:
    if not is_planted(text):
        return 0.0
    return 2 * float(np.exp(-(((text.find("TATA") - 23) / 8) ** 2))) + 3 * text.count("G") / 46


def tata(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    some = planted(5000, rng)
    return Case(
        alphabet="dna",
        natural=planted(50_000, rng),
        held_out=planted(5000, rng),
        measured={text: activity(text) + 0.1 * rng.standard_normal() for text in some},
        truth=activity,
        is_natural=is_planted,
        k=4,
        rules={},
    )


def splice(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    counts, known = load_dataset("rna_human_5ss9_counts"), load_dataset("rna_mpsa_5ss9")
    assert known.outcomes is not None
    truth = dict(zip(known.sequences, known.outcomes.tolist(), strict=True))
    weights = counts.weights
    assert weights is not None
    drawn = rng.choice(len(counts), size=25_000, p=weights / weights.sum())
    natural = [counts.sequences[i] for i in drawn]
    measured = [text for text in counts.sequences if text in truth]
    half = rng.permutation(len(measured))[: len(measured) // 2]
    genome = set(counts.sequences)
    return Case(
        alphabet="rna",
        natural=natural[:20_000],
        held_out=natural[20_000:],
        measured={measured[i]: truth[measured[i]] for i in half},
        truth=lambda text: truth.get(text, float("nan")),
        is_natural=genome.__contains__,
        k=3,
        rules={"template": "NNNGYNNNN"},
    )


def log_likelihood(texts: Sequence[str], chain: np.ndarray) -> np.ndarray:
    """Mean log-probability of a letter after three others, by a chain (4, 4, 4, 4)."""
    tokens = encode(texts, DNA).tokens.astype(np.int64)
    steps = chain[tokens[:, :-3], tokens[:, 1:-2], tokens[:, 2:-1], tokens[:, 3:]]
    return np.asarray(np.log(steps).mean(1))


@functools.cache
def motifs() -> list[MotifOracle]:
    chosen = [m for m in bundled_motifs().motifs if m.name in ("TBP", "NFYA", "CREB1")]
    weights = [torch.from_numpy(m.weights(np.full(4, 0.25), 0.1)).float() for m in chosen]
    return [MotifOracle(w, alphabet=DNA) for w in weights]


def matches(x: torch.Tensor) -> torch.Tensor:
    """Bits (N,) of one-hot sequences (N, 4, L): the oracle joint:matches."""
    return torch.stack([oracle(x)[0, :, 0] for oracle in motifs()]).sum(0)


def promoters(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    every = list(dict.fromkeys(load_dataset("dna_dm3_core_promoter100").sequences))
    texts = [every[i] for i in rng.permutation(len(every))]
    held_out, natural = texts[:1720], texts[1720:]
    print(f"largest truth: {sum(oracle.optimum(100)[1] for oracle in motifs()):.1f}")
    tokens = encode(natural, DNA).tokens.astype(np.int64)
    counts = np.full((4, 4, 4, 4), 0.1)
    np.add.at(counts, (tokens[:, :-3], tokens[:, 1:-2], tokens[:, 2:-1], tokens[:, 3:]), 1.0)
    chain = counts / counts.sum(3, keepdims=True)
    low, high = np.quantile(log_likelihood(held_out, chain), [0.025, 0.975])
    return Case(
        alphabet="dna",
        natural=natural,
        held_out=held_out,
        measured={},
        truth=lambda text: float(
            matches(one_hot(torch.from_numpy(encode([text], DNA).tokens).long(), DNA)).item()
        ),
        is_natural=lambda text: bool(low <= log_likelihood([text], chain)[0] <= high),
        k=4,
        rules={},
    )


def models(case: Case, folder: Path, steps: int, seed: int) -> None:
    """Train the GAN and the predictor, where ``folder`` lacks them."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "gan" / "model.safetensors").exists():
        path = folder / "natural.fa"
        path.write_text("".join(f">{i}\n{text}\n" for i, text in enumerate(case.natural)))
        made = train_gan(
            TrainGANConfig(
                sequences=path, output=folder / "gan", alphabet=case.alphabet, steps=steps, seed=seed,
                overwrite=True, quiet=True,
            )
        )  # fmt: skip
        print(f"GAN: {made.steps:,} steps in {made.seconds:.0f} s, score {made.score:.2f}", flush=True)
    if case.measured and not (folder / "predictor" / "model.safetensors").exists():
        path = folder / "measured.csv"
        rows = [f"{text},{value}" for text, value in case.measured.items()]
        path.write_text("\n".join(["sequence,outcome", *rows, ""]))
        learned = train_predictor(
            TrainPredictorConfig(
                sequences=path, output=folder / "predictor", alphabet=case.alphabet, seed=seed,
                overwrite=True, quiet=True,
            )
        )  # fmt: skip
        print(learned.text(), flush=True)


def designed(case: Case, folder: Path, args: argparse.Namespace, **options: Any) -> dict[str, Any]:
    """Designs of a method that takes about ``args.seconds`` of CPU time."""
    oracle: dict[str, Any] = {"oracle": "joint:matches", "length": 100}
    who = {"model": folder / "predictor"} if case.measured else oracle
    promise = "outcome" if case.measured else "score"

    def run(budget: int) -> float:
        begin = time.process_time()
        maximize(
            MaximizeConfig(
                num=args.num, budget=budget, output=folder / "designs.fa",
                seed=args.seed, quiet=True, **who, **case.rules, **options,
            )
        )  # fmt: skip
        return time.process_time() - begin

    first, second = (run(budget) for budget in PROBES)
    each = max((second - first) / (PROBES[1] - PROBES[0]), 1e-4)
    budget = max(PROBES[0], round(PROBES[0] + (args.seconds - first) / each))
    seconds = run(budget)
    records = list(read_fasta(folder / "designs.fa"))
    promised = [float(header_fields(record.description)[promise]) for record in records]
    return {
        "texts": [record.sequence for record in records],
        "predicted": float(np.mean(promised)),
        "budget": budget,
        "seconds": seconds,
    }


def judged(case: Case, critic: DesignGAN, method: str, texts: list[str], **more: Any) -> dict[str, Any]:
    """A row of the table."""
    letters = get_alphabet(case.alphabet)
    counts = [kmer_matrix(t, letters.letters, case.k).sum(axis=0) for t in (texts, case.held_out)]
    return {
        "method": method,
        "truth": float(np.nanmean([case.truth(text) for text in texts])),
        "natural": float(np.mean([case.is_natural(text) for text in texts])),
        "kmers": float(jensen_shannon(*counts)),
        "critic": float(critic.realness(encode(texts, letters).tokens).mean()),
        "designs": len(texts),
        **more,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", choices=["tata", "promoters", "splice"])
    parser.add_argument("--model", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--gan-steps", type=int, default=6000)
    parser.add_argument("--num", type=int, default=64)
    parser.add_argument("--letters", nargs="*", default=["mean-field", "fast-seqprop"])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    case = {"tata": tata, "promoters": promoters, "splice": splice}[args.case](args.seed)
    models(case, args.model, args.gan_steps, args.seed)
    trained = load_gan(args.model / "gan", CPU)
    critic = DesignGAN(trained, CPU)
    parts = draw(trained.generator, args.num, torch.Generator().manual_seed(1), end=trained.end)
    samples = [text for part, _ in parts for text in decode(part.numpy(), trained.record.alphabet)]
    rows = [
        judged(case, critic, "natural sequences", case.natural[: args.num]),
        judged(case, critic, "samples of the generator", samples),
    ]
    runs: list[tuple[str, dict[str, Any]]] = []
    for name in args.letters:
        runs.append((name, {"method": name}))
        runs.append((f"{name} + generator", {"method": name, "generator": args.model / "gan"}))
    runs += [
        (f"latent, {', '.join(settings) or 'defaults'}", {"generator": args.model / "gan", "set_": settings})
        for settings in ((), ("prior=0.1",), PUBLISHED, (*PUBLISHED, "forward=argmax"))
    ]
    for name, options in runs:
        found = designed(case, args.model, args, **options)
        rows.append(judged(case, critic, name, **found))
    print(text_table(rows, COLUMNS), flush=True)


if __name__ == "__main__":
    main()
