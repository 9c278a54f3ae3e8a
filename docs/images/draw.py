"""Draw the picture of README.md from a demo's folder: python docs/images/draw.py [DEMO_FOLDER]."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from seqdesign.oracles.table import TableOracle
from seqdesign.reports.plots import bar_chart
from seqdesign.reports.svg import standalone
from seqdesign.sequences.datasets import load_dataset

BUDGETS = (1, 2, 3, 4)


def main(demo: Path, target: Path) -> None:
    """Write the measured gains of the demo's revisions as one SVG."""
    sites = load_dataset("rna_mpsa_5ss9")
    assert sites.outcomes is not None
    oracle = TableOracle(sites.sequences, sites.outcomes)
    with open(demo / "train.fa", encoding="utf-8") as handle:
        known = [float(line.rpartition("outcome=")[2]) for line in handle if line.startswith(">")]
    unit = float(np.std(known))
    gains: dict[str, list[float]] = {"revise": [], "search": []}
    possible = []
    for budget in BUDGETS:
        for method, values in gains.items():
            with open(demo / "revisions" / f"{method}_{budget}.csv", encoding="utf-8", newline="") as handle:
                rows = list(csv.DictReader(handle))
            starts = [row["original"] for row in rows]
            found, before = oracle([row["revised"] for row in rows]), oracle(starts)
            values.append(float(np.nanmean(found - before)) / unit)
        possible.append(float(np.nanmean(oracle.best_within(starts, budget).values - before)) / unit)
    figure = bar_chart(
        {"REVISE": gains["revise"], "SEARCH": gains["search"]},
        [f"<= {budget}" for budget in BUDGETS],
        title="Measured gain of revised splice sites",
        x_label="edits",
        y_label="gain, standard deviations",
        reference=("best possible", possible),
    )
    target.write_text(standalone(figure), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"), Path(__file__).with_name("measured_gain.svg"))
