"""Samples that were asked for something: an outcome, or letters and rules. Run by 'seqdesign sample'.

    python benchmarks/generators_asked.py condition prot_fluorescence13_red_blue.csv.gz [--outcome red]
    python benchmarks/generators_asked.py infill MODEL [--num 10000]

condition  'train-lm --condition' on half of a table that is complete (2^13 variants of a protein, all
           measured); 200 samples for each of five quantiles of the outcome. Every sample has been measured,
           so the rank correlation of what was asked and what is true needs no predictor; beside it, that of
           samples which the training half does not hold
infill     samples under a template, forbidden words on both strands, a range of GC and a longest run: how
           many break anything, checked here by other code; their mean log-likelihood beside that of
           unconstrained samples of the same model that happen to obey (rejection)
"""

from __future__ import annotations

import argparse
import csv
import re
import shlex
import tempfile
from pathlib import Path

import numpy as np
from generators import run
from scipy.stats import spearmanr

from seqdesign.sequences.compression import open_input
from seqdesign.sequences.reader import read_sequences

ASKED = (0.1, 0.3, 0.5, 0.7, 0.9)
EACH = 200
MEANING = {"N": "ACGTU", "R": "AG", "Y": "CTU", "S": "CG", "W": "ATU"}
FORBIDDEN = ("GAGAG", "CCWGG")


def condition(args: argparse.Namespace) -> None:
    with open_input(args.input) as handle:
        rows = list(csv.DictReader(line.decode() for line in handle))
    truth = {row["sequence"]: float(row[args.outcome]) for row in rows}
    order = np.random.default_rng(args.seed).permutation(len(rows))
    train = [rows[i]["sequence"] for i in order[: len(rows) // 2]]
    known = set(train)
    folder = Path(tempfile.mkdtemp())
    table = folder / "train.csv"
    table.write_text(f"sequence,{args.outcome}\n" + "".join(f"{s},{truth[s]}\n" for s in train))
    words = ["--condition", args.outcome, "--seed", str(args.seed), *shlex.split(args.options)]
    seconds = run(["train-lm", str(table), "-o", str(folder / "m"), *words])
    asked, found, new = [], [], []
    print("| asked | median measured | not of the training half | never measured |\n|---|---|---|---|")
    for quantile in ASKED:
        value = float(np.quantile([truth[s] for s in train], quantile))
        output = folder / f"{quantile}.fa"
        run(["sample", str(folder / "m"), "-n", str(EACH), "--condition", str(value), "-o", str(output)])
        texts = read_sequences(output).sequences
        inside = [t for t in texts if t in truth]
        asked += [value] * len(inside)
        found += [truth[t] for t in inside]
        new += [t not in known for t in inside]
        middle = np.median([truth[t] for t in inside])
        share = np.mean([t not in known for t in inside])
        print(f"| {value:.3f} | {middle:.3f} | {share:.2f} | {len(texts) - len(inside)} |", flush=True)
    a, f, n = np.array(asked), np.array(found), np.array(new)
    print(
        f"rank correlation {spearmanr(a, f).statistic:.3f}, of samples that are not of the training half "
        f"{spearmanr(a[n], f[n]).statistic:.3f}; trained in {seconds:.0f} CPU s"
    )


def breaches(text: str, template: str, gc: tuple[float, float], run_of: int) -> bool:
    """Whether a sequence breaks anything, said by regular expressions."""
    letters = text.replace("U", "T")
    turned = letters[::-1].translate(str.maketrans("ACGT", "TGCA"))
    shape = "".join(f"[{MEANING.get(c, c)}]" for c in template)
    words = [re.sub("W", "[AT]", word) for word in FORBIDDEN]
    share = (text.count("G") + text.count("C")) / len(text)
    return (
        re.fullmatch(shape, text) is None
        or any(re.search(word, strand) for word in words for strand in (letters, turned))
        or not gc[0] <= share <= gc[1]
        or re.search(rf"(.)\1{{{run_of}}}", text) is not None
    )


def likelihoods(path: Path) -> tuple[list[str], np.ndarray]:
    """Sequences and their log-likelihoods."""
    text = path.read_text()
    return text.splitlines()[1::2], np.array([float(v) for v in re.findall(r"loglik=(\S+)", text)])


def infill(args: argparse.Namespace) -> None:
    folder = Path(tempfile.mkdtemp())
    free = folder / "free.fa"
    run(["sample", str(args.input), "-n", str(args.free), "-o", str(free), "--seed", "1"])
    texts, log_p = likelihoods(free)
    length = len(texts[0])
    typical = texts[0]
    template = "".join(
        c if i in (length // 3, length - 3) else "S" if i == length // 2 and c in "CG" else "N"
        for i, c in enumerate(typical)
    )
    gc, run_of = (0.35, 0.6), 4
    rules = ["--template", template, "--gc", f"{gc[0]}-{gc[1]}", "--max-homopolymer", str(run_of)]
    for word in FORBIDDEN:
        rules += ["--forbid", word]
    output = folder / "asked.fa"
    seconds = run(["sample", str(args.input), "-n", str(args.num), "-o", str(output), *rules])
    asked, own = likelihoods(output)
    kept = np.array([not breaches(t, template, gc, run_of) for t in texts])
    bad = sum(breaches(t, template, gc, run_of) for t in asked)
    error = log_p[kept].std() / np.sqrt(kept.sum()) + own.std() / np.sqrt(len(own))
    print(f"template {template}")
    print(f"{bad} of {len(asked):,} samples break a rule ({seconds:.0f} CPU s)")
    print(
        f"mean log-likelihood {own.mean():.3f}; of the {int(kept.sum()):,} of {len(texts):,} free samples "
        f"that obey {log_p[kept].mean():.3f} (standard error of the difference {error:.3f}); of all "
        f"free ones {log_p.mean():.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=["condition", "infill"])
    parser.add_argument("input", type=Path)
    parser.add_argument("--outcome", default="red")
    parser.add_argument("--options", default="", help="further options of train-lm")
    parser.add_argument("--num", type=int, default=10_000)
    parser.add_argument("--free", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    (condition if args.task == "condition" else infill)(args)


if __name__ == "__main__":
    main()
