"""The logos and the HTML page of ``seqdesign attribute``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqdesign.attribution.edits import COLUMNS, EditTable
from seqdesign.attribution.explainer import Explained, Explainer
from seqdesign.pages.methods import add_methods
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import draw_logos
from seqdesign.reports.logo_spec import LogoSpec, value_spec
from seqdesign.reports.plots import bar_chart, line_chart
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

TOP = 5
"""Positions that the answer names."""
EDITS = 12
"""Edits named below a logo."""
BARS = 30
"""Positions up to which the profile is drawn as bars."""
SHOWN = 200
"""Edits in the page's table; the file of --edits has all."""


def logo_specs(
    explainer: Explainer, shown: Sequence[Explained], marks: dict[str, list[int]] | None = None
) -> list[LogoSpec]:
    """A logo of each sequence, all on one axis; columns in ``marks`` (by id) are shaded."""
    specs = [_spec(explainer, one, frozenset((marks or {}).get(one.id, ()))) for one in shown]
    low = min(float(s.heights.min(initial=0.0)) for s in specs) * 1.02
    high = max(float(s.heights.max(initial=0.0)) for s in specs) * 1.02
    if low == high:
        return specs
    return [replace(spec, limits=(low, high)) for spec in specs]


def _spec(explainer: Explainer, one: Explained, marks: frozenset[int]) -> LogoSpec:
    letters = explainer.alphabet.letters
    heights = np.zeros((len(one.text), len(letters)))
    values = np.nan_to_num(one.contribution.mean(0))
    for i, letter in enumerate(one.text):
        if letter in letters:
            heights[i, letters.index(letter)] = values[i]
    unit = explainer.outcome + (" (log-odds)" if explainer.model.log_odds else "")
    spec = value_spec(heights, letters=letters, unit=unit, title=f"{one.id}, {_scored(one)}")
    largest = np.argsort(-np.abs(values), kind="stable")[:5] + 1
    listed = ", ".join(f"{one.text[i - 1]}{i}" for i in largest.tolist())
    return replace(spec, marks=marks, description=f"{len(one.text)} positions; the largest are {listed}.")


def _scored(one: Explained) -> str:
    spread = f" +- {one.score.std():.2g}" if len(one.score) > 1 else ""
    return f"score {one.score.mean():.4g}{spread}"


@phase("writing the page")
def attribution_page(
    text: str,
    explainer: Explainer,
    changed: EditTable | None,
    manifest: Manifest,
    said: Mapping[str, Any] | None = None,
) -> Page:
    """The page that ``attribute --report`` writes.

    text: what the command says at its end. said: the same as ``--json`` prints it.
    """
    page = Page(
        "Why the sequences score", answer=_answer(text, explainer, changed), provenance=provenance(manifest)
    )
    page.warnings([*explainer.notes(), *(changed.warnings if changed else ())])
    _add_profile(page, explainer)
    _add_logos(page, explainer, changed)
    if changed is not None:
        _add_edits(page, changed)
    add_methods(page, manifest, said)
    return page


def _answer(text: str, explainer: Explainer, changed: EditTable | None) -> Answer:
    """What the prediction comes from, by places and by edits."""
    asked = (
        f"Which letters of {len(explainer.records):,} sequences does the predicted {explainer.outcome} come "
        "from? It says what the model does, not what the molecule does."
    )
    lines = [line for line in text.split("\n") if not line.startswith("wrote")]
    verdict = "; ".join(lines[1:] or lines)
    tiles = [Tile(f"{len(explainer.records):,}", "sequences explained")]
    profile = explainer.profile()
    if profile is not None and profile.sum() > 0:
        top = np.argsort(-profile, kind="stable")[:TOP]
        share = float(profile[top].sum() / profile.sum())
        places = ", ".join(str(i + 1) for i in sorted(top.tolist()))
        tiles.append(Tile(places, "positions that matter most", f"{share:.0%} of all contributions"))
    if changed is not None and changed.rows:
        best = max(changed.rows, key=lambda row: abs(row["contribution"]))
        note = f"{best['contribution']:+.3g} in {best['id']}"
        tiles.append(Tile(str(best["edit"]), "edit with the largest contribution", note))
        tiles.append(Tile(f"{len(changed.rows):,}", "edits explained"))
    return Answer(asked, f"{verdict[:1].upper()}{verdict[1:].rstrip('.')}.", tiles)


def _add_logos(page: Page, explainer: Explainer, changed: EditTable | None) -> None:
    text = (
        "The height of a letter is what it adds to the prediction over the average letter at its position; "
        "below the line it takes away. All logos have one axis. It says what the model does, not what "
        "the molecule does."
    )
    marks = changed.changed if changed else {}
    edits: dict[str, list[str]] = {}
    for row in changed.rows if changed else ():
        edits.setdefault(row["id"], []).append(row["edit"])
    specs = logo_specs(explainer, explainer.shown, marks)
    figures = [
        Figure(draw_logos([spec]), _caption(edits.get(one.id, [])))
        for spec, one in zip(specs, explainer.shown, strict=True)
    ]
    left = len(explainer.records) - len(figures)
    page.section("Letters", f"{text} {left:,} more sequences are not drawn." if left else text, figures)


def _caption(edits: list[str]) -> str:
    """The edits, which are shaded in the logo, the largest contribution first."""
    shown = ", ".join(edits[:EDITS]) + (" and others" if len(edits) > EDITS else "")
    return f"Edits, the largest contribution first: {shown}." if edits else ""


def _add_profile(page: Page, explainer: Explainer) -> None:
    profile = explainer.profile()
    if profile is None or len(explainer.records) < 2:
        return
    name, title = "mean absolute contribution", "Which positions matter"
    places = np.arange(1, len(profile) + 1)
    if len(profile) <= BARS:
        chart = bar_chart(
            {name: profile.tolist()},
            [str(i) for i in places],
            title=title,
            x_label="position",
            y_label=explainer.outcome,
        )
    else:
        chart = line_chart(
            {name: (places, profile)}, title=title, x_label="position", y_label=explainer.outcome
        )
    caption = f"Mean over {len(explainer.records):,} sequences."
    page.section("Positions", "", [Figure(chart, caption)])


def _add_edits(page: Page, changed: EditTable) -> None:
    text = (
        "Contribution is the edit's Shapley value, the mean of what it adds over all orders of making the "
        "edits; the contributions of a sequence sum to its gain. Undo is what is lost when this edit alone "
        "is taken back, alone what it gains without the others. sd is the spread over the members of the "
        "ensemble."
    )
    if not changed.rows:
        page.section("Edits", "No sequence differs from its parent.")
        return
    forms = dict.fromkeys(("gain", "contribution", "sd", "undo", "alone"), ".3g") | {"share": ".0%"}
    shown = [name for name in COLUMNS if name not in ("gain_sd", "error")]
    columns = [Column(name, name, forms.get(name, "")) for name in shown]
    rows = changed.rows[:SHOWN]
    caption = f"{len(rows):,} of {len(changed.rows):,} edits, sequence by sequence, the largest first."
    page.section("Edits", text, tables=[Table(rows, columns, caption, "edits")])
