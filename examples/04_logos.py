"""Figures: sequence logos of two groups of sites and their difference, on one page and as an SVG file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import seqdesign as sd
from seqdesign.reports.answer import Answer
from seqdesign.reports.html import Figure, Page
from seqdesign.reports.logo import difference_logo, sequence_logo
from seqdesign.reports.plots import histogram
from seqdesign.reports.svg import standalone
from seqdesign.sequences.bundled import dataset_info

FOLDER = Path("example-04")


def main() -> None:
    info = dataset_info("rna_mpsa_5ss9")
    sites = sd.load_dataset(info.name)
    assert sites.outcomes is not None
    active = sites.outcomes >= np.quantile(sites.outcomes, 0.95)
    high = sites.take(np.flatnonzero(active)).sequences
    low = sites.take(np.flatnonzero(~active)).sequences

    page = Page(
        "What makes a 5' splice site", answer=Answer(info.title + "."), provenance={"data": info.reference}
    )
    page.section(
        "Outcomes",
        info.note,
        [Figure(histogram({"sites": sites.outcomes}, title="Outcome", x_label=info.outcome), "All sites.")],
    )
    change = difference_logo(low, high, letters="ACGU", title="Active against the rest")
    page.section(
        "Logos",
        "Height is information content in bits; in the last figure, the change of each letter's share.",
        [
            Figure(sequence_logo(high, letters="ACGU", title="Active sites"), "The upper 5%."),
            Figure(sequence_logo(low, letters="ACGU", title="All others"), "The other 95%."),
            Figure(change, "Upwards: more frequent in active sites."),
        ],
    )
    FOLDER.mkdir(exist_ok=True)
    page.write(FOLDER / "page.html")
    (FOLDER / "difference.svg").write_text(standalone(change), encoding="utf-8")
    print(f"wrote {FOLDER / 'page.html'} and {FOLDER / 'difference.svg'}")


if __name__ == "__main__":
    main()
