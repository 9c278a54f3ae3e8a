"""Samples that were asked for something: an outcome, or letters and rules. Run by 'seqdesign sample'.

    python benchmarks/generators/generators_asked.py condition prot_fluorescence13_red_blue.csv.gz
        [--outcome red] [--row "train-gan --condition bins --bins 5"] [--choose-from 1] [--kept DIR]
    python benchmarks/generators/generators_asked.py infill MODEL [--num 10000]

condition  a conditional model (--row, 'train-lm' if not given) of half of a table of variants of one length;
           200 samples for each of five quantiles of the outcome. They are judged by an additive model of the
           other half, and by their own measured outcomes where the table has them and they were not learned
           from. For comparison the 200 training rows whose outcomes are nearest. --kept DIR keeps the model,
           and uses the one that is there
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


class Additive:
    """A ridge regression on the letters of each position, of sequences of one length."""

    def __init__(self, texts: list[str], outcomes: np.ndarray) -> None:
        self.letters = sorted(set("".join(texts)))
        x = self._features(texts)
        self.mean = outcomes.mean()
        self.weights = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ (outcomes - self.mean))

    def __call__(self, texts: list[str]) -> np.ndarray:
        return self.mean + self._features(texts) @ self.weights

    def _features(self, texts: list[str]) -> np.ndarray:
        rows = np.array([list(text) for text in texts])
        return (rows[:, :, None] == np.array(self.letters)).reshape(len(rows), -1).astype(float)


def condition(args: argparse.Namespace) -> None:
    with open_input(args.input) as handle:
        rows = list(csv.DictReader(line.decode() for line in handle))
    truth = {row["sequence"]: float(row[args.outcome]) for row in rows}
    order = np.random.default_rng(args.seed).permutation(len(rows))
    half = len(rows) // 2
    train, other = ([rows[i]["sequence"] for i in part] for part in (order[:half], order[half:]))
    judge = Additive(other, np.array([truth[s] for s in other]))
    ability = spearmanr(judge(train), [truth[s] for s in train]).statistic
    known = set(train)
    folder = args.kept or Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    table = folder / "train.csv"
    table.write_text(f"sequence,{args.outcome}\n" + "".join(f"{s},{truth[s]}\n" for s in train))
    command, *options = shlex.split(args.row)
    options += ["--outcome" if command == "train-gan" else "--condition", args.outcome]
    seconds, drawing = float("nan"), 0.0
    if not (folder / "m" / "model.safetensors").exists():
        seconds = run([command, str(table), "-o", str(folder / "m"), "--seed", str(args.seed), *options])
    more = [] if args.choose_from is None else ["--choose-from", str(args.choose_from)]
    outcomes = np.array([truth[s] for s in train])
    asked, judged, texts, alike = [], [], [], []
    print("| asked | judged, median | measured, median | of the training half |\n|---|---|---|---|")
    for quantile in ASKED:
        value = float(np.quantile(outcomes, quantile))
        alike += [train[i] for i in np.abs(outcomes - value).argsort()[:EACH]]
        output = folder / f"{quantile}.fa"
        words = ["sample", str(folder / "m"), "-n", str(EACH), "--condition", str(value), *more]
        drawing += run([*words, "-o", str(output), "--seed", str(args.seed)])
        drawn = read_sequences(output).sequences
        said = judge(drawn)
        measured = [truth[t] for t in drawn if t in truth]
        middle = np.median(measured) if measured else np.nan
        share = np.mean([t in known for t in drawn])
        print(f"| {value:.3f} | {np.median(said):.3f} | {middle:.3f} | {share:.2f} |", flush=True)
        asked += [value] * len(drawn)
        judged += said.tolist()
        texts += drawn
    print(
        f"rank correlation of asked and judged {spearmanr(asked, judged).statistic:.3f} (the judge, of the "
        f"other half, has {ability:.3f} with measured outcomes of the training half)"
    )
    real = spearmanr(np.repeat(np.unique(asked), EACH), judge(alike)).statistic
    print(f"of training rows with these outcomes {real:.3f}")
    print(f"{len(set(texts))} of {len(texts)} samples differ")
    both = [(a, truth[t]) for a, t in zip(asked, texts, strict=True) if t in truth and t not in known]
    if len(both) > len(texts) / 4:
        print(
            f"of asked and measured {spearmanr(*zip(*both, strict=True)).statistic:.3f}, {len(both)} samples "
            "that are no training rows"
        )
    print(f"trained in {seconds:.0f} CPU s, drawn in {drawing:.0f}")


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
    run(["sample", str(args.input), "-n", str(args.free), "-o", str(free), "--seed", str(args.seed + 1)])
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
    seconds = run(
        ["sample", str(args.input), "-n", str(args.num), "-o", str(output), "--seed", str(args.seed), *rules]
    )
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
    parser.add_argument("--row", default="train-lm", help="training command of 'condition', with its options")
    parser.add_argument("--choose-from", type=int)
    parser.add_argument("--kept", type=Path, metavar="DIR")
    parser.add_argument("--num", type=int, default=10_000)
    parser.add_argument("--free", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    (condition if args.task == "condition" else infill)(args)


if __name__ == "__main__":
    main()
