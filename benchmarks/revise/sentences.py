"""Sentences made more positive: REVISE on words, judged by VADER, which the model never sees.

``prepare`` cuts sentences with human ratings (-4 to 4) into training and held-out files; sentences of 3 to
``--longest`` words and marks. ``judge`` revises held-out sentences that people rated below 0 and says, for
REVISE at each alpha, and for SEARCH with the same budget of edits: the mean change of (VADER compound + 1) /
2, the share whose compound ends above 0, word edits, the share that was changed, the gain by F, the change of
the log-likelihood by the language model inside the VAE, and that of the negative log-likelihood by another
one (``train-lm``) of the same words where one is given.

    python benchmarks/revise/sentences.py prepare text_rated_sentences.csv.gz --out kept
    seqdesign train-vae kept/train.csv --sequence sentence --alphabet words -o kept/vae
    seqdesign train-lm kept/train.csv --sequence sentence --alphabet kept/vae -o kept/lm
    python benchmarks/revise/sentences.py judge kept/vae --test kept/test.csv --lm kept/lm

Needs the extra ``bench``.
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import seqdesign as sd
from seqdesign.sequences.alphabets import learn_alphabet

TEST = 1_200
SHOWN = 5


def main() -> None:
    """Prepare the tables, or judge a model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(dest="step", required=True)
    first = steps.add_parser("prepare")
    first.add_argument("table", type=Path)
    first.add_argument("--out", type=Path, required=True)
    first.add_argument("--longest", type=int, default=16, help="words of a sentence that is held out")
    first.add_argument("--longest-learned", type=int, default=24, help="words of one to learn from")
    second = steps.add_parser("judge")
    second.add_argument("model", type=Path)
    second.add_argument("--test", type=Path, required=True)
    second.add_argument("--lm", type=Path)
    second.add_argument("--num", type=int, default=500)
    second.add_argument("--max-edits", type=int, default=4)
    second.add_argument("--alpha", type=float, nargs="*", default=[])
    second.add_argument("--neighbours", type=int, help="of REVISE; its default where not given")
    second.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.step == "prepare":
        prepare(args.table, args.out, args.longest, args.longest_learned)
    else:
        judge(args)


def prepare(table: Path, folder: Path, longest: int, longest_learned: int) -> None:
    """train.csv and test.csv."""
    data = sd.read(table, sequence="sentence", words=True)
    words = learn_alphabet("words", data.sequences)
    lengths = [len(words.tokenize(text)) for text in data.sequences]
    rows = [(f"s{i}", text, data.columns["outcome"][i]) for i, text in enumerate(data.sequences)]
    short = [row for row, length in zip(rows, lengths, strict=True) if 3 <= length <= longest]
    random.Random(1).shuffle(short)
    test, apart = short[:TEST], {text.lower() for _, text, _ in short[:TEST]}
    train = [
        row
        for row, length in zip(rows, lengths, strict=True)
        if 3 <= length <= longest_learned and row[1].lower() not in apart
    ]
    random.Random(2).shuffle(train)
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("test", test), ("train", train)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as handle:
            csv.writer(handle).writerows([("id", "sentence", "outcome"), *part])
        print(f"{name}: {len(part):,} sentences")


def judge(args: argparse.Namespace) -> None:
    """Print the rows."""
    model = sd.load(args.model)
    lm = None if args.lm is None else sd.load(args.lm)
    data = sd.read(args.test, sequence="sentence", words=True)
    ratings = data.numbers("outcome")
    scope = model.trained.record
    negative = [
        text
        for text, rating in zip(data.sequences, ratings, strict=True)
        if rating < 0 and scope.min_length <= len(model.alphabet.tokenize(text)) <= scope.max_length
    ][: args.num]
    vader = SentimentIntensityAnalyzer()
    predicted = model.predict(data.sequences)
    column = next(name for name in predicted.columns if name.startswith("predicted_"))
    compound = [vader.polarity_scores(text)["compound"] for text in data.sequences]
    print(
        f"{len(negative)} negative sentences; Pearson with the ratings of {len(ratings):,} held out: F(E(x)) "
        f"{np.corrcoef(ratings, predicted[column])[0, 1]:.2f}, "
        f"VADER {np.corrcoef(ratings, compound)[0, 1]:.2f}"
    )
    more = {} if args.neighbours is None else {"neighbours": args.neighbours}
    rows = [("revise", {"alpha": alpha, **more}) for alpha in args.alpha] or [("revise", more)]
    for method, options in [*rows, ("search", {})]:
        designs = sd.revise(
            model, negative, method=method, max_edits=args.max_edits, seed=args.seed, **options
        )
        report(f"{method} {options or ''}", list(designs), float(ratings.std()), vader, lm)


def report(name: str, designs: list[Any], scale: float, vader: SentimentIntensityAnalyzer, lm: Any) -> None:
    """One row, and a few sentences; ``scale`` is the standard deviation of the ratings."""
    before, after = [d.original for d in designs], [d.revised for d in designs]
    edits = np.array([d.edits for d in designs])
    scores = np.array(
        [[vader.polarity_scores(text)["compound"] for text in texts] for texts in (before, after)]
    )
    rise = (scores[1] - scores[0]) / 2
    unknown = sum(text.count("[unk]") for text in after)
    line = (
        f"{name}: VADER {rise.mean():+.3f} +- {rise.std():.3f}, right sign {np.mean(scores[1] > 0):.2f} "
        f"(before {np.mean(scores[0] > 0):.2f}), {edits.mean():.2f} edits, {np.mean(edits > 0):.2f} changed, "
        f"F {np.mean([d.delta for d in designs]) / scale:+.2f} sd, own log-likelihood "
        f"{np.nanmean([d.loglik_change for d in designs]):+.2f} nats, {unknown} [unk]"
    )
    if lm is not None:
        nats = [-lm.predict(texts)["loglik"].mean() for texts in (before, after)]
        line += f", NLL {nats[1] - nats[0]:+.2f} nats from {nats[0]:.1f}"
    print(line, flush=True)
    for i in np.flatnonzero(edits)[:SHOWN]:
        print(f"    {before[i]}\n    -> {after[i]}", flush=True)


if __name__ == "__main__":
    main()
