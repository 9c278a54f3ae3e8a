"""Sentences made more positive: REVISE on words, judged by VADER, which no model ever sees.

``prepare`` cuts sentences with human ratings (-4 to 4) into training and held-out files; held-out ones have 3
to ``--longest`` words and marks. ``judge`` revises held-out sentences that people rated below 0, from the
``--first`` on, and prints the lecture's four rows (the authors' ascent with log alpha -10000 and -1, the
former also with a model of --kl-weight 0 where ``--plain`` names one, and SEARCH), and REVISE as it is here
with a budget of edits and a limit of naturalness, with F alone and with ``--judge``. Columns: the mean change
of (VADER compound + 1) / 2, the same in standard deviations of VADER over all held-out sentences, the share
whose compound ends above 0, word edits, and the change of the log-likelihood by the language model inside the
VAE and by another one (``train-lm``), in all and per word; ``--rows`` names some rows. The limit and the
judge were chosen on the last 40 sentences, and the first ones are reported.

    python benchmarks/texts/sentences.py prepare text_rated_sentences.csv.gz --out kept
    seqdesign train-vae kept/train.csv --sequence sentence --alphabet words:3000 -o kept/vae
    seqdesign train-lm kept/train.csv --sequence sentence --alphabet kept/vae -o kept/lm
    seqdesign train-predictor kept/train.csv --sequence sentence --alphabet kept/vae --architecture ridge \\
        -o kept/r
    python benchmarks/texts/sentences.py judge kept/vae --test kept/test.csv --lm kept/lm --judge kept/r

Needs the extra ``bench``.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from _texts import AUTHORS, two_steps, write
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import seqdesign as sd
from seqdesign.metrics.edits import levenshtein_pairs
from seqdesign.sequences.alphabets import learn_alphabet

TEST = 1_200
LEARNED = 24
"""Words of a sentence to learn from at most."""
SHOWN = 6
Pair = tuple[str, str]
"""A sentence and its revision."""
CANDIDATES, AT_ONCE = 8, 40
"""Revisions that a judge chooses from; sentences that are revised side by side."""
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "log alpha -10000": ("revise", {**AUTHORS, "alpha": -10000}),
    "log alpha -1": ("revise", {**AUTHORS, "alpha": -1}),
    "no prior": ("revise", {**AUTHORS, "alpha": -10000}),
    "SEARCH": ("search", {}),
}


def prepare(args: argparse.Namespace) -> None:
    """train.csv and test.csv."""
    data = sd.read(args.table, sequence="sentence", words=True)
    words = learn_alphabet("words", data.sequences)
    lengths = [len(words.tokenize(text)) for text in data.sequences]
    rows = [(f"s{i}", text, data.columns["outcome"][i]) for i, text in enumerate(data.sequences)]
    short = [row for row, length in zip(rows, lengths, strict=True) if 3 <= length <= args.longest]
    random.Random(1).shuffle(short)
    test, apart = short[:TEST], {text.lower() for _, text, _ in short[:TEST]}
    train = [
        row
        for row, length in zip(rows, lengths, strict=True)
        if 3 <= length <= LEARNED and row[1].lower() not in apart
    ]
    random.Random(2).shuffle(train)
    for name, part in (("test", test), ("train", train)):
        write(args.out, name, ["id", "sentence", "outcome"], part)


def judge(args: argparse.Namespace) -> None:
    """Print the rows."""
    model = sd.load(args.model)
    data = sd.read(args.test, sequence="sentence", words=True)
    ratings = data.numbers("outcome")
    scope = model.trained.record
    negative = [
        text
        for text, rating in zip(data.sequences, ratings, strict=True)
        if rating < 0 and scope.min_length <= len(model.alphabet.tokenize(text)) <= scope.max_length
    ]
    starts = negative[args.first :][: args.num]
    vader = SentimentIntensityAnalyzer()
    predicted = model.predict(data.sequences)
    column = next(name for name in predicted.columns if name.startswith("predicted_"))
    compound = np.array([vader.polarity_scores(text)["compound"] for text in data.sequences])
    print(
        f"{len(starts)} of {len(negative)} negative sentences; Pearson with the ratings of {len(ratings):,} "
        f"held out: F(E(x)) {np.corrcoef(ratings, predicted[column])[0, 1]:.2f}, "
        f"VADER {np.corrcoef(ratings, compound)[0, 1]:.2f}"
    )
    lms = [model, *([sd.load(args.lm)] if args.lm else [])]
    scale = float(compound.std())
    for row, (method, options) in ROWS.items():
        if row not in args.rows or (row == "no prior" and args.plain is None):
            continue
        budget = {"max_edits": args.max_edits} if method == "search" else {}
        writer = sd.load(args.plain) if row == "no prior" else model
        designs = sd.revise(writer, starts, method=method, seed=args.seed, **options, **budget)
        report(row, [(d.original, d.revised) for d in designs], scale, vader, lms)
    if "REVISE" in args.rows:
        revise(model, starts, args, lambda name, pairs: report(name, pairs, scale, vader, lms))


def revise(
    model: Any, starts: list[str], args: argparse.Namespace, show: Callable[[str, list[Pair]], None]
) -> None:
    """REVISE as it is here, by F alone and as ``seqdesign revise --judge`` chooses; a look at every block."""
    told = sd.load(args.judge) if args.judge else None
    alone: list[Pair] = []
    judged: list[Pair] = []
    begun = time.process_time()
    for first in range(0, len(starts), AT_ONCE):
        block = starts[first:][:AT_ONCE]
        found = sd.revise(
            model, block, max_edits=args.max_edits, min_loglik_change=args.min_loglik_change,
            top=CANDIDATES, seed=args.seed,
        )  # fmt: skip
        for _, group in groupby(found, key=lambda one: one.parent or one.id):
            of = [(one.original, one.revised) for one in group]
            alone.append(of[0])
            if told is not None:
                low = told.predict([after for _, after in of])["low_80"]
                judged.append(of[int(np.argmax(low))])
        seconds = (time.process_time() - begun) / len(alone)
        print(f"{len(alone)} sentences, {seconds:.2f} CPU s each")
        show(f"REVISE, log-likelihood {args.min_loglik_change:+g} at least", alone)
        if judged:
            show("the same with a judge", judged)


def report(
    name: str, pairs: list[Pair], scale: float, vader: SentimentIntensityAnalyzer, lms: list[Any]
) -> None:
    """One row, and a few sentences; ``scale`` is the standard deviation of VADER's compound."""
    before, after = ([pair[i] for pair in pairs] for i in (0, 1))
    split = lms[0].alphabet.tokenize
    words = [["".join(split(text)) for text in texts] for texts in (before, after)]
    edits = levenshtein_pairs(*words)
    scores = np.array(
        [[vader.polarity_scores(text)["compound"] for text in texts] for texts in (before, after)]
    )
    rise = scores[1] - scores[0]
    unknown = sum(text.count("[unk]") for text in after)
    line = (
        f"{name}: VADER {rise.mean() / 2:+.3f} +- {rise.std() / 2:.3f} ({rise.mean() / scale:+.2f} sd), "
        f"right sign {np.mean(scores[1] > 0):.2f} (before {np.mean(scores[0] > 0):.2f}), "
        f"{edits.mean():.2f} +- {edits.std():.2f} edits, {np.mean(edits > 0):.2f} changed, {unknown} [unk]"
    )
    for lm, by in zip(lms, ("its own", "another"), strict=False):
        said = [lm.predict(texts) for texts in (before, after)]
        whole, each = (
            said[1][column].to_numpy() - said[0][column].to_numpy()
            for column in ("loglik", "loglik_per_letter")
        )
        line += f"; by {by} language model {whole.mean():+.2f} +- {whole.std():.2f} nats"
        line += f", {each.mean():+.3f} a word"
    print(line, flush=True)
    for i in np.flatnonzero(edits)[:SHOWN]:
        print(f"    {before[i]}\n    -> {after[i]}", flush=True)


if __name__ == "__main__":
    options = {
        "--test": {"type": Path, "required": True},
        "--lm": {"type": Path},
        "--plain": {"type": Path, "help": "a model of train-vae --kl-weight 0"},
        "--judge": {"type": Path, "help": "a model of train-predictor"},
        "--rows": {"nargs": "+", "choices": [*ROWS, "REVISE"], "default": [*ROWS, "REVISE"]},
        "--min-loglik-change": {"type": float, "default": 0.0},
        "--first": {"type": int, "default": 0},
        "--num": {"type": int, "default": 200},
        "--max-edits": {"type": int, "default": 4},
        "--seed": {"type": int, "default": 0},
    }
    two_steps(__doc__, prepare, judge, 16, options)
