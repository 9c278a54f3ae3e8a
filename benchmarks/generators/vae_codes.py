"""Where a VAE draws its codes: from the prior N(0, I), or by the law of the codes of its training rows.

    python benchmarks/generators/vae_codes.py splice --data ../shared/data [--seeds 0 1 2]
    python benchmarks/generators/vae_codes.py promoters --data ../shared/data

splice     human 5' splice sites of nine letters, drawn as often as genomes have them
promoters  core promoters of Drosophila, the 100 letters

'train-vae' learns from 3,000; 2,000 samples each, and as many of a position matrix of the same rows, are
compared by 'evaluate' with 3,000 others. Printed: letters that are given back, and how far from the others
samples are, and in parentheses training rows.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from generators import run

from seqdesign.sequences.fasta import Record, write_fasta
from seqdesign.sequences.reader import read_sequences

ROWS, SAMPLES = 3000, 2000
SHOWN = {
    "told from held-out": "AUC of words",
    "words of 3, Jensen-Shannon": "words of 3, JS mbit",
    "words of 3, MMD2 with spectrum": "MMD2 x 1000",
    "letters at each position, Jensen": "letters by position, JS mbit",
    "repeats": "repeats",
    "copies": "copies",
}


def sequences(task: str, data: Path, seed: int) -> list[str]:
    """2 x ROWS of them, shuffled."""
    rng = random.Random(seed)
    if task == "promoters":
        texts = sorted(set(read_sequences(data / "dna_dm3_core_promoter100.fa.gz").sequences))
        return rng.sample([t for t in texts if len(t) == 100 and not set(t) - set("ACGT")], 2 * ROWS)
    with gzip.open(data / "rna_human_5ss9_counts.csv.gz", "rt") as handle:
        rows = list(csv.DictReader(handle))
    texts = [row["sequence"].replace("U", "T") for row in rows]
    return rng.choices(texts, [int(row["count"]) for row in rows], k=2 * ROWS)


def matrix(texts: list[str], seed: int) -> list[str]:
    """Samples of independent positions."""
    rng = np.random.default_rng(seed)
    columns = [rng.choice(list(column), SAMPLES) for column in zip(*texts, strict=True)]
    return ["".join(row) for row in zip(*columns, strict=True)]


def write(path: Path, texts: list[str]) -> None:
    with open(path, "wb") as handle:
        write_fasta((Record(f"s{i}", "", text) for i, text in enumerate(texts)), handle)


def judged(name: str, samples: Path, folder: Path) -> None:
    """One row."""
    table = folder / "table.csv"
    table.unlink(missing_ok=True)
    real = ["--train", str(folder / "train.fa"), "--heldout", str(folder / "heldout.fa")]
    asked = [*real, "--table", str(table), "--max-nearest", "100", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "seqdesign_cli", "evaluate", str(samples), *asked],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with open(table, encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    cells = []
    for start, label in SHOWN.items():
        row = next((row for row in rows if row["measure"].startswith(start)), None)
        if row is not None:
            factor = 1000 if "JS" in label or "MMD" in label else 1
            cells.append(f"{label} {factor * float(row['value']):.3f} ({factor * float(row['real']):.3f})")
    print(f"  {name}: {'; '.join(cells)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=["splice", "promoters"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--options", default="", help="of train-vae, in one word")
    args = parser.parse_args()
    for seed in args.seeds:
        folder = Path(tempfile.mkdtemp())
        texts = sequences(args.task, args.data, seed)
        write(folder / "train.fa", texts[:ROWS])
        write(folder / "heldout.fa", texts[ROWS:])
        words = ["train-vae", str(folder / "train.fa"), "-o", str(folder / "m"), "--seed", str(seed)]
        seconds = run([*words, *args.options.split()])
        quality = json.loads((folder / "m" / "manifest.json").read_text())["result"]["quality"]
        print(
            f"{args.task}, seed {seed}: {quality['token_accuracy']:.3f} of letters given back, "
            f"KL {quality['kl']:.1f}, NLL of the language model {quality['language_nll']:.1f} nats, "
            f"{seconds:.0f} CPU s"
        )
        write(folder / "matrix.fa", matrix(texts[:ROWS], seed))
        judged("position matrix", folder / "matrix.fa", folder)
        for decode in ("sample", "greedy"):
            for origin in ("prior", "data"):
                output = folder / f"{origin}_{decode}.fa"
                drawn = ["-m", str(folder / "m"), "-n", str(SAMPLES), "-o", str(output), "--seed", str(seed)]
                run(["sample-vae", *drawn, "--codes", origin, "--decode", decode])
                judged(f"codes by {origin}, letters {decode}", output, folder)


if __name__ == "__main__":
    main()
