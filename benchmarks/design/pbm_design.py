"""Designs looked up: train on weak binders, design, and read the measured affinity of what was designed.

    python benchmarks/design/pbm_design.py TABLE.csv.gz [TABLE.csv.gz ...] [--below 90 40] [--num 64]
        [--seed 0]

A table holds the protein-binding-microarray score of every 8-mer (columns ``sequence`` and ``escore``; a
sequence and its reverse complement are one row). For each table and each percentile the two commands run as a
user would type them, with their defaults:

    seqdesign train-predictor weak.csv -o MODEL
    seqdesign maximize -m MODEL -n 64 -o designs.fa

``weak.csv`` has only the 8-mers below that percentile. Then the measured score of every design is looked up:
mean, best, and for comparison the best 64 of the training table and a random 64 of all. No two designs are
reverse complements; ``as strings`` is the mean of the better half, which with their reverse complements are
as many strings.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
import time
from pathlib import Path

import numpy as np

from seqdesign.reports.tables import Column, text_table
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.fasta import read_fasta
from seqdesign_cli.main import main as seqdesign

COLUMNS = (
    Column("table"),
    Column("below", "trained below", ".0f"),
    Column("designs", spec=".3f"),
    Column("strings", "as strings", ".3f"),
    Column("best", spec=".3f"),
    Column("train", "best of training", ".3f"),
    Column("random", spec=".3f"),
    Column("ceiling", spec=".3f"),
    Column("num", "distinct", ".0f"),
    Column("seconds", "CPU s", ".0f"),
)


def read(path: Path) -> dict[str, float]:
    """Score of every 8-mer, both strands."""
    reverse = get_alphabet("dna").reverse_complement
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        rows = {row["sequence"]: float(row["escore"]) for row in csv.DictReader(handle)}
    return rows | {reverse(sequence): score for sequence, score in rows.items()}


def design(truth: dict[str, float], below: float, args: argparse.Namespace) -> dict[str, object]:
    """One row of the table."""
    reverse = get_alphabet("dna").reverse_complement
    distinct = sorted({min(sequence, reverse(sequence)) for sequence in truth})
    scores = np.array([truth[sequence] for sequence in distinct])
    weak = scores <= np.percentile(scores, below)
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open(folder / "weak.csv", "w", encoding="utf-8") as handle:
            handle.write("sequence,outcome\n")
            handle.writelines(f"{distinct[i]},{scores[i]:.5f}\n" for i in np.flatnonzero(weak))
        seed = str(args.seed)
        model, found = str(folder / "model"), str(folder / "designs.fa")
        run(["train-predictor", str(folder / "weak.csv"), "-o", model, "--seed", seed, *args.train])
        run(["maximize", "-m", model, "-n", str(args.num), "-o", found, "--seed", seed, *args.design])
        designs = [record.sequence for record in read_fasta(found)]
    values = np.array([truth[sequence] for sequence in designs])
    ranked = np.sort(scores)[::-1]
    rng = np.random.default_rng(args.seed)
    return {
        "below": below,
        "designs": values.mean(),
        "strings": values[: len(values) // 2].mean(),
        "best": values.max(),
        "train": np.sort(scores[weak])[::-1][: args.num].mean(),
        "random": rng.choice(scores, args.num, replace=False).mean(),
        "ceiling": ranked[: args.num].mean(),
        "num": len({min(sequence, reverse(sequence)) for sequence in designs}),
        "seconds": time.process_time() - begin,
    }


def run(words: list[str]) -> None:
    """One command; its failure is ours."""
    code = seqdesign(words)
    if code != 0:
        raise SystemExit(f"seqdesign {' '.join(words)} ended with {code}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--below", nargs="+", type=float, default=[90.0, 40.0])
    parser.add_argument("--num", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", nargs="*", default=["-q"], help="options for train-predictor")
    parser.add_argument("--design", nargs="*", default=["-q"], help="options for maximize")
    args = parser.parse_args()
    rows = []
    for below in args.below:
        for path in args.tables:
            rows.append({"table": path.name.split(".")[0], **design(read(path), below, args)})
            print(text_table(rows[-1:], COLUMNS), flush=True)
    means = [
        {"table": "mean", "below": below}
        | {
            key: float(np.mean([row[key] for row in rows if row["below"] == below]))
            for key in ("designs", "strings", "best", "train", "random", "ceiling", "num", "seconds")
        }
        for below in args.below
    ]
    print(text_table([*rows, *means], COLUMNS))


if __name__ == "__main__":
    main()
