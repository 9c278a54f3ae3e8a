"""What do two changes do together, told from single mutants alone?

    python benchmarks/predictors/from_singles.py ../shared/data/prot_tdp43_84.csv.gz --simulated 80 100 240

A predictor learns nine tenths of the single mutants of a table and predicts its double mutants. Printed are
``inside``, Spearman's rho of the tenth; what is said of the parent (log ratios of a scan are 0 there); rho
over the double mutants; bias and root mean square error in standard deviations of the single mutants; and the
60 double mutants of which most is predicted: as said, as measured, and the best 60 that there are. ``sums``
needs no model: what two changes measure alone, less the median of all single mutants.

--simulated: scans of proteins of so many letters (sd .08 of noise, 92% of all changes). Buried places, which
come as in a helix and in stretches, tolerate no smaller, larger or more polar residues; proline costs; each
change has an effect of its own; what is measured saturates above the parent. Half of the double mutants
join two of the 150 best single ones.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

import seqdesign as sd
from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.sequences.alphabets import get_alphabet

MOST, TOP = 6000, 60
LETTERS = get_alphabet("protein").letters

Floats = NDArray[np.float64]
Scan = tuple[str, list[str], Floats, list[str], Floats]
"""Parent, single mutants and what they measure, double mutants and what they do."""


def main() -> None:
    """Print a line for each scan and kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", help="tables with sequence and outcome, all of one length")
    parser.add_argument("--simulated", nargs="*", type=int, default=[], help="letters of simulated proteins")
    parser.add_argument("--kinds", nargs="*", default=["sums", "ridge", "kernel"])
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    for seed in range(options.seeds):
        scans = {path: measured(pd.read_csv(path), seed) for path in options.data}
        scans |= {f"simulated, {n} letters": simulated(n, seed) for n in options.simulated}
        for name, scan in scans.items():
            for kind in options.kinds:
                print(
                    f"{name}, seed {seed}, {len(scan[1])} singles, {kind}: {line(kind, scan, seed)}",
                    flush=True,
                )


def measured(table: pd.DataFrame, seed: int) -> Scan:
    """Single mutants of the most common letters, and some of the double mutants."""
    length = Counter(table["sequence"].str.len()).most_common(1)[0][0]
    table = table[table["sequence"].str.len() == length]
    letters = np.array([list(text) for text in table["sequence"]])
    parent = [Counter(column).most_common(1)[0][0] for column in letters.T]
    changes = (letters != np.array(parent)).sum(axis=1)
    one, two = table[changes == 1], table[changes == 2]
    two = two.sample(min(len(two), MOST), random_state=seed)
    return "".join(parent), *(
        part for t in (one, two) for part in (list(t["sequence"]), t["outcome"].to_numpy())
    )


def simulated(length: int, seed: int) -> Scan:
    """A scan as the docstring says."""
    rng = np.random.default_rng([length, seed])
    hydropathy, volume = letter_descriptors(get_alphabet("protein"))[:, :2].double().numpy().T
    smooth = np.convolve(rng.normal(size=length + 4), np.full(5, 5**-0.5), "valid")
    buried = 1 / (1 + np.exp(0.3 - 1.2 * np.sin(2 * np.pi * np.arange(length) / 3.6) - smooth))
    likely = np.exp((2 * buried[:, None] - 1) * hydropathy)
    old = np.array([rng.choice(len(LETTERS), p=p / p.sum()) for p in likely])
    polar = (hydropathy[old][:, None] - hydropathy).clip(min=0)
    size = np.abs(volume[old][:, None] - volume)
    effect = -0.15 - buried[:, None] * (0.4 * polar + 0.4 * size) - 0.9 * (np.array(list(LETTERS)) == "P")
    effect = effect + rng.normal(0, 0.25, effect.shape) + 0.5 * (rng.random(effect.shape) < 0.03)

    def text(*changes: tuple[int, int]) -> str:
        letters = [LETTERS[v] for v in old]
        for i, v in changes:
            letters[i] = LETTERS[v]
        return "".join(letters)

    def outcome(total: Floats) -> Floats:
        return np.asarray(1.6 / (1 + np.exp(-2.5 * (total + 1.2))) - 1.6 / (1 + np.exp(-3.0)))

    cells = [
        (i, v) for i in range(length) for v in range(len(LETTERS)) if v != old[i] and rng.random() < 0.92
    ]
    y = outcome(np.array([effect[c] for c in cells])) + rng.normal(0, 0.08, len(cells))
    best = [cells[i] for i in np.argsort(-y)[:150]]
    pairs = [
        tuple(group[i] for i in rng.choice(len(group), 2))
        for _ in range(MOST // 4)
        for group in (cells, best)
    ]
    pairs = [pair for pair in pairs if pair[0][0] != pair[1][0]]
    truth = outcome(np.array([effect[a] + effect[b] for a, b in pairs]))
    return text(), [text(c) for c in cells], y, [text(*pair) for pair in pairs], truth


def line(kind: str, scan: Scan, seed: int) -> str:
    """What is printed of a kind."""
    parent, singles, y, doubles, truth = scan
    begin, inside = time.process_time(), np.nan
    if kind == "sums":
        value = dict(zip(singles, y, strict=True))
        start = float(np.median(y))
        said = np.array([sums(text, parent, value, start) for text in doubles])
    else:
        model = sd.train_predictor(singles, y, architecture=kind, seed=seed, device="cpu")
        inside = model.quality.outcomes[0].spearman or np.nan
        found = model.predict([parent, *doubles])["mean"].to_numpy()
        start, said = float(found[0]), found[1:]
    known = ~np.isnan(said)
    said, truth, unit = said[known], truth[known], y.std()
    errors, top = said - truth, np.argsort(-said)[:TOP]
    return (
        f"inside {inside:.3f}, parent {start:.2f}, rho {spearmanr(said, truth)[0]:.3f}, "
        f"bias {errors.mean() / unit:.2f}, error {np.sqrt(np.square(errors).mean()) / unit:.2f}, first {TOP} "
        f"{said[top].mean():.2f} said {truth[top].mean():.2f} true {np.sort(truth)[-TOP:].mean():.2f} best, "
        f"{time.process_time() - begin:.0f} CPU s"
    )


def sums(text: str, parent: str, value: dict[str, float], start: float) -> float:
    """Of the two changes alone, less the parent; NaN where one was not measured."""
    total = start
    for i, (new, old) in enumerate(zip(text, parent, strict=True)):
        if new != old:
            total += value.get(parent[:i] + new + parent[i + 1 :], np.nan) - start
    return total


if __name__ == "__main__":
    main()
