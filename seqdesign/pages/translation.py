"""The HTML page of a set of translations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqdesign.models.translate.sections import sections
from seqdesign.models.translate.store import TranslateRecord
from seqdesign.models.translate.translations import Translation
from seqdesign.pages.answers import order_files
from seqdesign.pages.constraints import add_constraints, check
from seqdesign.pages.design_sections import add_logos
from seqdesign.pages.design_table import add_designs
from seqdesign.pages.designed import DesignSet
from seqdesign.pages.methods import add_methods
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.html import Figure, Page
from seqdesign.reports.plots import histogram, line_chart
from seqdesign.runs.manifest import Manifest, provenance, training_warnings
from seqdesign.runs.progress import phase


@phase("writing the page")
def translation_page(
    found: Sequence[Translation],
    result: Mapping[str, Any],
    record: TranslateRecord,
    model: Path,
    manifest: Manifest,
    *,
    rules: Mapping[str, Any],
) -> Page:
    """The page that ``translate --report`` writes; ``result`` is what ``--json`` prints.

    rules: options of ``EditOptions``.
    """
    option = manifest.config
    page = Page("Translated sequences", provenance=provenance(manifest))
    page.warnings(training_warnings(model))
    designs = DesignSet([_row(one) for one in found])
    checked = check(designs, rules, record.alphabet)
    files = order_files(option.get("output"), option.get("table"), len(designs))
    page.answer = _answer(result, str(option.get("input", "the input")), model, files)
    add_designs(
        page, designs, name="translations", measured={}, breaches=checked.breaches if checked.rows else None
    )
    page.section("Edits", figures=list(_edits(found)))
    add_constraints(page, designs, checked)
    add_logos(page, designs, record.alphabet.letters)
    sections(page, model, {})
    add_methods(page, manifest, dict(result))
    return page


def _row(one: Translation) -> dict[str, Any]:
    row = one.row()
    return {"id": row.pop("id"), "sequence": row.pop("translation"), **row}


def _answer(result: Mapping[str, Any], source: str, model: Path, files: Sequence[tuple[str, str]]) -> Answer:
    changed, num = result["changed"], result["num"]
    tiles = [
        Tile(f"{changed:,} of {num:,}", "changed", "", doubt=changed < num / 2),
        Tile(f"{result['mean_edits']:.1f}", "edits on average"),
        Tile(
            f"{result['returned']:.1%}",
            "of the letters are given back by the way back",
            "",
            doubt=result["returned"] < 0.9,
        ),
    ]
    asked = f"Each sequence of {source} translated from {result['source']} to {result['target']} by {model}."
    verdict = (
        "Whether a translation works is not measured here: predict or test it."
        if changed
        else "Nothing was changed."
    )
    return Answer(asked, verdict, tiles, files=files)


def _edits(found: Sequence[Translation]) -> Iterator[Figure]:
    """How many there are, and where they fall."""
    yield Figure(
        histogram({"translations": [one.edits for one in found]}, title="Edits", x_label="edits"),
        "Between each sequence and its translation.",
    )
    same = [one for one in found if len(one.original) == len(one.translation)]
    lengths = {len(one.original) for one in same}
    if len(lengths) == 1:
        pairs = [zip(one.original, one.translation, strict=True) for one in same]
        share = np.array([[old != new for old, new in pair] for pair in pairs]).mean(axis=0)
        places = np.arange(1, len(share) + 1)
        series = {"share": (places, share)}
        yield Figure(
            line_chart(series, title="Where edits fall", x_label="position", y_label="share changed"),
            "Share of the sequences that are changed at each position.",
        )
