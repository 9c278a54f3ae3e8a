"""Design through generators at equal queries, judged by a truth that no model has seen; one thread.

    python benchmarks/generators/through_generators.py tata|fluorescence|pbm8 [--input FILE] --kept DIR
        [--rows ROW ...]

tata          natural: 50-mers of C and G with one TATA; 3,000 of them are measured with noise .1 (joint.py).
              Truth: a function of its place and of the share of G, 0 (dead) for what is not natural
fluorescence  a complete table of 2^13 variants (prot_fluorescence13_red_blue.csv.gz). Natural: 2,000 of the
              brighter half; measured: 500 of all
pbm8          a complete table of 8-mers (dna_pbm8_*.csv.gz). Known are those up to the 90th percentile.
              Natural: the upper 30% of these; measured: 2,000 of all of these

A row is 'none', or a training command for the generator with its options, and behind ' / ' options of
maximize. Every row has the same predictor, budget and tries. Columns: truth, mean and best over the designs
(those outside a table left out); outside: their share; natural (tata): share of the designs; CPU s of
maximize. --kept DIR keeps the models and uses those that are there.
"""

from __future__ import annotations

import argparse
import csv
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import joint
import numpy as np
from generators import run

from seqdesign.sequences.compression import open_input
from seqdesign.sequences.fasta import read_fasta

ROWS = (
    "none",
    "train-lm --architecture gru --epochs 10",
    "train-lm --architecture masked --epochs 10",
    "train-vae --epochs 12",
    "train-vae --epochs 12 / --method latent",
    "train-gan --steps 1000",
)


@dataclass(frozen=True)
class Case:
    """Sequences to learn from, measurements, and the truth; NaN where there is none."""

    alphabet: str
    natural: list[str]
    measured: dict[str, float]
    truth: Callable[[str], float]
    is_natural: Callable[[str], bool] | None = None


def tata(path: Path | None, rng: np.random.Generator) -> Case:
    case = joint.tata(int(rng.integers(1 << 30)))
    some = dict(list(case.measured.items())[:3000])
    return Case("dna", case.natural[:20_000], some, case.truth, case.is_natural)


def table(path: Path | None, outcome: str) -> dict[str, float]:
    """Outcomes by sequence; of both strands where the table has them."""
    if path is None:
        raise SystemExit("this case needs --input")
    with open_input(path) as handle:
        rows = list(csv.DictReader(line.decode() for line in handle))
    found = {row["sequence"]: float(row[outcome]) for row in rows}
    return found | {row["revcomp"]: float(row[outcome]) for row in rows if "revcomp" in row}


def fluorescence(path: Path | None, rng: np.random.Generator) -> Case:
    truth = table(path, "red")
    texts = rng.permutation(list(truth)).tolist()
    middle = float(np.median(list(truth.values())))
    bright = [t for t in texts if truth[t] >= middle]
    measured = {t: truth[t] for t in rng.permutation(texts)[:500].tolist()}
    return Case("protein", bright[:2000], measured, lambda t: truth.get(t, np.nan))


def pbm8(path: Path | None, rng: np.random.Generator) -> Case:
    truth = table(path, "escore")
    low, high = np.quantile(list(truth.values()), [0.63, 0.9])
    known = [t for t in rng.permutation(list(truth)).tolist() if truth[t] <= high]
    natural = [t for t in known if truth[t] >= low]
    return Case("dna", natural, {t: truth[t] for t in known[:2000]}, lambda t: truth.get(t, np.nan))


def models(case: Case, folder: Path, row: str, seed: int) -> Path:
    """The generator of a row, trained where ``folder`` lacks it."""
    path = folder / row.replace(" ", "_")
    if not (path / "model.safetensors").exists():
        source = folder / "natural.fa"
        source.write_text("".join(f">{i}\n{text}\n" for i, text in enumerate(case.natural)))
        command, *options = shlex.split(row)
        words = [command, str(source), "-o", str(path), "--alphabet", case.alphabet, *options]
        run([*words, "--seed", str(seed), "--overwrite"])
    return path


def designed(case: Case, folder: Path, row: str, args: argparse.Namespace) -> str:
    """A row of the table."""
    command, _, more = row.partition(" / ")
    words = ["maximize", "-m", str(folder / "predictor"), "-n", str(args.num), "--budget", str(args.budget)]
    words += ["-o", str(folder / "designs.fa"), "--seed", str(args.seed), *shlex.split(more)]
    if command != "none":
        words += ["--generator", str(models(case, folder, command, args.seed))]
    seconds = run(words)
    texts = [record.sequence for record in read_fasta(folder / "designs.fa")]
    truth = np.array([case.truth(text) for text in texts])
    outside = float(np.isnan(truth).mean())
    natural = np.nan if case.is_natural is None else np.mean([case.is_natural(text) for text in texts])
    mean, best = np.nanmean(truth), np.nanmax(truth)
    return f"| {row} | {mean:.3f} | {best:.3f} | {outside:.2f} | {natural:.2f} | {seconds:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", choices=["tata", "fluorescence", "pbm8"])
    parser.add_argument("--input", type=Path)
    parser.add_argument("--kept", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rows", nargs="*", default=ROWS)
    parser.add_argument("--num", type=int, default=32)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    makers = {"tata": tata, "fluorescence": fluorescence, "pbm8": pbm8}
    case = makers[args.case](args.input, np.random.default_rng(args.seed))
    folder = args.kept / f"{args.case}_{args.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "predictor" / "model.safetensors").exists():
        source = folder / "measured.csv"
        rows = [f"{text},{value}" for text, value in case.measured.items()]
        source.write_text("\n".join(["sequence,outcome", *rows, ""]))
        words = ["train-predictor", str(source), "-o", str(folder / "predictor"), "--overwrite"]
        run([*words, "--alphabet", case.alphabet, "--architecture", "residual", "--seed", str(args.seed)])
    print(f"{args.case}, seed {args.seed}, {args.budget} queries a run, {args.num} designs")
    print("| through | truth | best | outside | natural | CPU s |\n|---|---|---|---|---|---|", flush=True)
    for row in args.rows:
        print(designed(case, folder, row, args), flush=True)


if __name__ == "__main__":
    main()
