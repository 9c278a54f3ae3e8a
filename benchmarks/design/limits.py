"""One outcome raised while another is kept within a limit: `at-least` beside other ways to ask for it.

    python benchmarks/design/limits.py [--seeds 3] [--rows 400]

Two simulated sets whose outcomes pull in opposite directions: variants of a protein of 60 letters with 1 to 8
changes, most of which cost stability, those that help activity more than others; and DNA of 50 letters, where
two words raise expression and one of them raises toxicity, too. Noise is a third of a standard deviation.
Three in ten rows keep the limit. Predictors and designs are by the defaults. Printed are, over 32 designs,
the true goal, in standard deviations of the rows over the best row that keeps the limit, and how many of them
truly keep it; of designs with a limit also how many have the status ok, and what probability they say.
``rank and filter`` is the usual script: of designs for the goal alone, four times as many, those predicted
within the limit come first.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

import seqdesign as sd

FloatArray = NDArray[np.float64]
Figures = list[float]
DESIGNS = 32
NOISE = 1 / 3


@dataclass(frozen=True)
class Law:
    texts: list[str]
    truth: Callable[[str], tuple[float, float]]
    """Goal, of which more is better, and what has a limit."""
    most: bool
    """Whether the limit is an upper one."""


def protein(rng: np.random.Generator, rows: int) -> Law:
    letters = "ACDEFGHIKLMNPQRSTVWY"
    parent = "".join(rng.choice(list(letters), 60))
    helps = rng.normal(-0.6, 0.8, (60, 20))
    costs = -0.5 * np.maximum(helps, 0) - rng.gamma(1.0, 0.5, (60, 20))
    texts = []
    for _ in range(rows):
        text = list(parent)
        for i in rng.choice(60, rng.integers(1, 9), replace=False):
            text[i] = letters[rng.integers(20)]
        texts.append("".join(text))

    def truth(text: str) -> tuple[float, float]:
        changed = [(i, letters.index(b)) for i, (a, b) in enumerate(zip(parent, text, strict=True)) if a != b]
        return sum(float(helps[c]) for c in changed), sum(float(costs[c]) for c in changed)

    return Law(texts, truth, most=False)


def promoters(rng: np.random.Generator, rows: int) -> Law:
    both, clean = ("".join(rng.choice(list("ACGT"), 5)) for _ in range(2))
    texts = []
    for _ in range(rows):
        text = "".join(rng.choice(list("ACGT"), 50))
        for word in (both, clean):
            for _ in range(rng.integers(0, 3)):
                i = int(rng.integers(0, 46))
                text = text[:i] + word + text[i + 5 :]
        texts.append(text)

    def truth(text: str) -> tuple[float, float]:
        many, few = text.count(both), text.count(clean)
        return 2.0 * many + few, many + 0.02 * sum(text.count(x) for x in "GC")

    return Law(texts, truth, most=True)


def ways(limit: float, most: bool) -> dict[str, tuple[str, ...]]:
    better = "min" if most else "max"
    return {
        "goal alone": ("max:goal",),
        "both, equal weights": ("max:goal", f"{better}:held"),
        "target of the limit, thrice": ("max:goal", f"target:held={limit:.6g}*3"),
        "limit": ("max:goal", f"{'at-most' if most else 'at-least'}:held={limit:.6g}"),
    }


def filtered(found: sd.SequenceSet, limit: float, most: bool) -> list[str]:
    frame = found.to_frame()
    fits = frame["predicted_held"] <= limit if most else frame["predicted_held"] >= limit
    order = frame.assign(fits=fits).sort_values(["fits", "predicted_goal"], ascending=False)
    return list(order["sequence"][:DESIGNS])


def run(make: Callable[[np.random.Generator, int], Law], seed: int, rows: int) -> dict[str, Figures]:
    rng = np.random.default_rng([seed, 5])
    law = make(rng, rows)
    true = np.array([law.truth(text) for text in law.texts])
    unit = true.std(axis=0)
    values = true + NOISE * unit * rng.standard_normal(true.shape)
    limit = float(np.quantile(true[:, 1], 0.3 if law.most else 0.7))

    def keeps(held: FloatArray) -> NDArray[np.bool_]:
        return held <= limit if law.most else held >= limit

    best = true[keeps(true[:, 1]), 0].max()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        lines = [f"{t},{a},{b}" for t, (a, b) in zip(law.texts, values, strict=True)]
        path.write_text("\n".join(["sequence,goal,held", *lines]) + "\n")
        names = ["goal", "held"]
        data = sd.read(path, outcome=names)
        model = sd.train_predictor(data, outcome=names, seed=seed)
        frames = {
            name: sd.maximize(model, num=DESIGNS, objective=goals, seed=seed).to_frame()
            for name, goals in ways(limit, law.most).items()
        }
        asked = {name: list(frame["sequence"]) for name, frame in frames.items()}
        many = sd.maximize(model, num=4 * DESIGNS, objective="max:goal", seed=seed)
        asked["rank and filter"] = filtered(many, limit, law.most)
    found = {}
    for name, texts in asked.items():
        goal, held = np.array([law.truth(text) for text in texts]).T
        found[name] = [float((goal.mean() - best) / unit[0]), float(keeps(held).mean())]
        if name in frames and "predicted_held_kept" in frames[name]:
            frame = frames[name]
            found[name] += [
                float((frame["status"] == "ok").mean()),
                float(frame["predicted_held_kept"].mean()),
            ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=400)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for make in (protein, promoters):
        every = [run(make, seed, args.rows) for seed in range(args.seeds)]
        for name in every[0]:
            shown = "; ".join(" ".join(f"{x:.2f}" for x in one[name]) for one in every)
            means = [statistics.mean(column) for column in zip(*(one[name] for one in every), strict=True)]
            words = zip(("goal", "kept", "ok", "said"), means, strict=False)
            said = "  ".join(f"{word} {value:5.2f}" for word, value in words)
            print(f"{make.__name__:10} {name:28} {said}   {shown}", flush=True)


if __name__ == "__main__":
    main()
