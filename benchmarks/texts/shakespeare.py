"""The lecture's table: modern lines revised by steps towards Shakespeare, judged by a classifier of others.

``prepare`` takes lines of 3 to ``--longest`` words from aligned plays, modern ones with outcome 0.1, original
ones with 0.9: 200 pairs are held out, a third of the rest teaches the judge, and then the modern line
of one half and the original of the other are learned from, so that no line meets its partner. ``judge``
revises the lecture's three sentences and the 200 modern lines by the authors' ascent of so many steps (the
last code is decoded), by the same within log alpha -1, by REVISE as it is here and by SEARCH, both with a
budget of edits, and says of each: the share that the judge (logistic regression on words and pairs of them)
takes for Shakespeare, word edits, and the change of the log-likelihood by the language model of the VAE.

    python benchmarks/texts/shakespeare.py prepare text_shakespeare_modern.csv.gz --out kept
    seqdesign train-vae kept/train.csv --sequence sentence --alphabet words:2000 -o kept/vae
    python benchmarks/texts/shakespeare.py judge kept/vae --kept kept
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _texts import AUTHORS, aligned_lines, two_steps, write
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

import seqdesign as sd

HELD_OUT = 200
LECTURE = (
    "where are you, henry??",
    "somewhere, somebody is bound to love us.",
    "you are both the same size.",
)
STEPS = (100, 1000, 5000, 10000)
LEARNED, JUDGES, TEST = "train", "judge", "test"


def prepare(args: argparse.Namespace) -> None:
    """train.csv, judge.csv and test.csv."""
    pairs = aligned_lines(args.table, args.longest, differ=True)
    test = pairs[:HELD_OUT]
    apart = {text.lower() for pair in test for text in pair}
    rest = [pair for pair in pairs[HELD_OUT:] if not apart & {text.lower() for text in pair}]
    third = len(rest) // 3
    taught, modern, original = rest[:third], rest[third : 2 * third], rest[2 * third :]
    rows = {
        LEARNED: [(m, 0.1) for m, _ in modern] + [(o, 0.9) for _, o in original],
        JUDGES: [row for m, o in taught for row in ((m, 0.1), (o, 0.9))],
        TEST: [row for m, o in test for row in ((m, 0.1), (o, 0.9))],
    }
    for name, part in rows.items():
        write(args.out, name, ["sentence", "outcome"], part)


def classifier(path: Path) -> Pipeline:
    """What tells the sides apart."""
    data = sd.read(path, sequence="sentence", words=True)
    counts = CountVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=r"[^\s\w]|[\w’']+", binary=True)
    return make_pipeline(counts, LogisticRegression(C=1.0, max_iter=500)).fit(
        data.sequences, data.numbers("outcome") > 0.5
    )


def judge(args: argparse.Namespace) -> None:
    """Print the rows, and the lecture's three sentences."""
    model, told = sd.load(args.model), classifier(args.kept / f"{JUDGES}.csv")
    data = sd.read(args.kept / f"{TEST}.csv", sequence="sentence", words=True)
    real = data.numbers("outcome") > 0.5
    sides = [[t for t, r in zip(data.sequences, real, strict=True) if r == side] for side in (False, True)]
    predicted = model.predict(data.sequences)
    column = next(name for name in predicted.columns if name.startswith("predicted_"))
    print(
        f"called Shakespeare: modern lines {told.predict(sides[0]).mean():.3f}, original ones "
        f"{told.predict(sides[1]).mean():.3f}; F(E(x)) is on the right side of 0.5 for "
        f"{np.mean((predicted[column] > 0.5) == real):.3f}"
    )
    starts = [*LECTURE, *sides[0][: args.num]]
    ways: list[tuple[str, str, dict[str, object]]] = [
        (f"{steps} steps", "revise", {**AUTHORS, "alpha": -10000, "steps": steps}) for steps in STEPS
    ]
    budget = {"max_edits": args.max_edits}
    ways += [
        ("x*, log alpha -1", "revise", {**AUTHORS, "alpha": -1, "steps": STEPS[-1]}),
        (f"REVISE, {args.max_edits} edits", "revise", budget),
        (f"SEARCH, {args.max_edits} edits", "search", budget),
    ]
    print("| | called Shakespeare | edits | changed | log-likelihood |\n|---|---|---|---|---|")
    shown: list[list[str]] = [[] for _ in LECTURE]
    for name, method, options in ways:
        found = sd.revise(model, starts, method=method, **options)
        for i in range(len(LECTURE)):
            shown[i].append(f"{name}: {found[i].revised}")
        made = found[len(LECTURE) :]
        share = told.predict([one.revised for one in made]).mean()
        edits = np.array([one.edits for one in made])
        change = np.nanmean([one.loglik_change for one in made])
        print(
            f"| {name} | {share:.3f} | {edits.mean():.2f} | {(edits > 0).mean():.2f} | {change:+.2f} |",
            flush=True,
        )
    for start, lines in zip(LECTURE, shown, strict=True):
        print("\n    ".join([start, *lines]))


if __name__ == "__main__":
    options = {
        "--kept": {"type": Path, "required": True},
        "--num": {"type": int, "default": HELD_OUT},
        "--max-edits": {"type": int, "default": 4},
    }
    two_steps(__doc__, prepare, judge, 12, options)
