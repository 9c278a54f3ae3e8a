"""The logos and the HTML page of ``seqdesign attribute``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqdesign.attribution.edits import IDLE, EditTable
from seqdesign.attribution.explainer import Explained, Explainer
from seqdesign.pages.designed import operations_in
from seqdesign.pages.methods import add_methods
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.bars import span_of
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import draw_logos
from seqdesign.reports.logo_spec import LogoSpec, value_spec
from seqdesign.reports.plots import bar_chart, letter_map, line_chart
from seqdesign.reports.tables import Bar, Column
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

TOP = 5
"""Positions that the answer names."""
BARS = 30
"""Positions up to which the profile is drawn as bars."""
LOGOS = 3
"""Logos that stand on the page; the others are in the cards."""
MAPPED, MAPPED_PLACES = 40, 60
"""Sequences and positions of the map, at most."""
FAINT = 0.03
"""Share of the largest contribution below which a position is left out of the map."""


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
    explainer: Explainer,
    changed: EditTable | None,
    manifest: Manifest,
    said: Mapping[str, Any] | None = None,
    doubts: Sequence[str] = (),
) -> Page:
    """The page that ``attribute --report`` writes; said: what ``--json`` prints; doubts: of the model."""
    page = Page(
        "Why the sequences score",
        answer=_answer(explainer, changed, manifest),
        provenance=provenance(manifest, said),
    )
    page.warnings([*doubts, *explainer.notes(), *(changed.warnings if changed else ())])
    if changed is not None:
        _add_edits(page, changed)
    _add_sequences(page, explainer, changed)
    _add_profile(page, explainer)
    _add_logos(page, explainer, changed)
    add_methods(page, manifest, said)
    return page


def _answer(explainer: Explainer, changed: EditTable | None, manifest: Manifest) -> Answer:
    """What the prediction comes from, by places and by edits."""
    asked = (
        f"Which letters of {len(explainer.records):,} sequences does the predicted {explainer.outcome} come "
        f"from, by {explainer.model.name}? It says what the model does, not what the molecule does."
    )
    tiles, said = [Tile(f"{len(explainer.records):,}", "sequences explained")], []
    profile = explainer.profile()
    if profile is not None and profile.sum() > 0:
        top = np.argsort(-profile, kind="stable")[:TOP]
        share = float(profile[top].sum() / profile.sum())
        places = ", ".join(str(i + 1) for i in sorted(top.tolist()))
        tiles.append(Tile(places, "positions that matter most", f"{share:.0%} of all contributions"))
        said.append(f"positions {places} make up {share:.0%} of what the letters add or take away")
    summary = None if changed is None else changed.summary()
    if changed is not None and summary is not None and changed.rows:
        best = max(_by_edit(changed), key=lambda row: changed.sign * row["contribution"] * row["sequences"])
        said.append(
            f"the edit that brings most over all is {best['edit']}, {best['contribution']:+.3g} each time"
        )
        note = f"{best['contribution']:+.3g}, in {best['sequences']:,} of {summary.pairs:,} sequences"
        tiles.append(Tile(str(best["edit"]), "edit that brings most", note))
        tiles.append(Tile(f"{summary.mean_gain:+.3g}", "change from the parents, mean", explainer.outcome))
        share = summary.harmless / summary.edits
        note = f"each undone, less than {IDLE:.0%} of the gain is lost"
        tiles.append(Tile(f"{summary.harmless:,} of {summary.edits:,}", "edits that do nothing", note))
        if summary.harmless:
            said.append(f"{share:.0%} of the edits do nothing and could be left out")
    verdict = "; ".join(said)
    written = [("All contributions:", "output"), ("All edits:", "edits"), ("Logos:", "logo")]
    files = [
        (what, str(path)) for what, key in written if (path := manifest.config.get(key)) not in (None, "-")
    ]
    return Answer(asked, f"{verdict[:1].upper()}{verdict[1:]}." if verdict else "", tiles, files=files)


def _by_edit(changed: EditTable) -> list[dict[str, Any]]:
    """Each edit once, over the sequences that have it, the best mean contribution first."""
    same: dict[str, list[Mapping[str, Any]]] = {}
    for row in changed.rows:
        same.setdefault(str(row["edit"]), []).append(row)
    rows = []
    for edit, found in same.items():
        values = [float(row["contribution"]) for row in found]
        idle = sum(map(changed.idle, found))
        rows.append(
            {
                "edit": edit,
                "sequences": len(found),
                "contribution": float(np.mean(values)),
                "least": min(values),
                "most": max(values),
                "undo": float(np.mean([row["undo"] for row in found])),
                "alone": float(np.mean([row["alone"] for row in found])),
                "idle": idle or None,
            }
        )
    return sorted(rows, key=lambda row: -changed.sign * row["contribution"])


def _add_edits(page: Page, changed: EditTable) -> None:
    """Which edits to keep, and which bring nothing."""
    if not changed.rows:
        page.section("Edits", "No sequence differs from its parent.")
        return
    rows = _by_edit(changed)
    ends = [float(row[key]) for row in rows for key in ("least", "most")]
    bar = Bar("least", "most", span_of(None, [*ends, 0.0]))
    columns = [
        Column("edit"),
        Column("sequences", "in sequences", ",d"),
        Column("contribution", "contribution", "+.3g", bar=bar, about="mean over the sequences that have it"),
        Column("undo", "lost if undone", "+.3g", about="when this edit alone is taken back, mean"),
        Column("alone", "gained alone", "+.3g", about="without the other edits, mean"),
        Column("idle", "does nothing in", ",d", about=f"sequences that lose less than {IDLE:.0%} without it"),
        Column("least", "least contribution", "+.3g", shown=False),
        Column("most", "largest contribution", "+.3g", shown=False),
    ]
    text = (
        "Contribution is the edit's Shapley value, the mean of what it adds over all orders of making the "
        "edits; the contributions of a sequence sum to its gain. An edit that loses nothing when undone can "
        "be left out; one that gains nothing alone works only with others."
    )
    caption = f"{len(rows):,} different edits; the bar spans the sequences that have it."
    page.section("Edits", text, tables=[Table(rows, columns, caption, "edits")])


def _add_sequences(page: Page, explainer: Explainer, changed: EditTable | None) -> None:
    """The map of contributions, and a table whose cards hold the logos."""
    edits: dict[str, list[Mapping[str, Any]]] = {}
    for row in changed.rows if changed else ():
        edits.setdefault(str(row["id"]), []).append(row)
    rows = [_sequence_row(one, edits.get(one.id, [])) for one in explainer.kept]
    unit = explainer.outcome + (" (log-odds)" if explainer.model.log_odds else "")
    columns = [
        Column("id", below="edit_list"),
        Column("score", f"predicted {unit}", ".4g"),
        Column("sd", "spread of members", ".2g"),
        Column("gain", "gain over the parent", "+.3g"),
        Column("best", "add most", about="the letters that add most"),
        Column("worst", "take away most", about="the letters that take away most"),
        Column("sequence", sequence=True, edits="edit_list"),
        Column("edit_list", shown=False),
        Column("edit_contributions", shown=False, about="of each edit, in the order of edit_list"),
        Column("contributions", shown=False, about="of each letter, in the order of the sequence"),
    ]
    have = {key for row in rows for key, value in row.items() if value is not None}
    left = len(explainer.records) - len(rows)
    caption = f"{len(rows):,} sequences" + (f"; {left:,} more are in the table of -o." if left else ".")
    text = "A click on a name opens what each of its letters adds, as a logo. All logos have one axis."
    table = Table(rows, [c for c in columns if c.key in have], caption, "sequences", cards=True, unit=unit)
    page.section("Sequences", text, list(_map(explainer, changed, unit)), [table])


def _sequence_row(one: Explained, edits: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A sequence with its largest contributions."""
    values = np.nan_to_num(one.contribution.mean(0))
    order = np.argsort(-values, kind="stable")
    most = [i for i in order[:3] if values[i] > 0]
    least = [i for i in order[::-1][:2] if values[i] < 0]
    placed = sorted(edits, key=lambda row: int("".join(c for c in row["edit"][1:] if c.isdigit())))
    row = {
        "id": one.id,
        "score": float(one.score.mean()),
        "sd": float(one.score.std()) if len(one.score) > 1 else None,
        "gain": float(edits[0]["gain"]) if edits else None,
        "best": "\N{NO-BREAK SPACE}".join(f"{one.text[i]}{i + 1}" for i in most) or None,
        "worst": "\N{NO-BREAK SPACE}".join(f"{one.text[i]}{i + 1}" for i in least) or None,
        "sequence": one.text,
        "edit_list": ",".join(row["edit"] for row in placed) or None,
        "edit_contributions": ",".join(f"{row['contribution']:+.3g}" for row in placed) or None,
        "contributions": ",".join(f"{v:.3g}" if v else "" for v in values.tolist()),
    }
    if edits and operations_in(row) is None:
        row["edit_list"] = row["edit_contributions"] = None
    return row


def _map(explainer: Explainer, changed: EditTable | None, unit: str) -> Iterator[Figure]:
    """Sequences by the positions at which anything is added or taken away."""
    shown = explainer.kept[:MAPPED]
    if len({len(one.text) for one in shown}) > 1 or len(shown) < 2:
        return
    values = np.stack([np.nan_to_num(one.contribution.mean(0)) for one in shown])
    size = np.abs(values).max(axis=0)
    places = np.flatnonzero(size > FAINT * size.max(initial=0.0))
    if not len(places):
        return
    places = np.sort(places[np.argsort(-size[places], kind="stable")[:MAPPED_PLACES]])
    edited = changed.changed if changed else {}
    figure = letter_map(
        values[:, places],
        ["".join(one.text[i] for i in places) for one in shown],
        [one.id for one in shown],
        [int(i) + 1 for i in places],
        title="What each letter adds",
        unit=unit,
        marked=[[int(i) in edited.get(one.id, ()) for i in places] for one in shown],
    )
    total = len(shown[0].text)
    yield Figure(
        figure,
        f"{len(shown):,} of {len(explainer.records):,} sequences, {len(places)} of {total} positions: those "
        f"where a letter adds or takes away more than {FAINT:.0%} of the largest contribution.",
    )


def _add_logos(page: Page, explainer: Explainer, changed: EditTable | None) -> None:
    text = (
        "The height of a letter is what it adds to the prediction over the average letter at its position; "
        "below the line it takes away. Edited positions are shaded."
    )
    specs = logo_specs(explainer, explainer.shown[:LOGOS], changed.changed if changed else {})
    figures = [Figure(draw_logos([spec]), spec.description) for spec in specs]
    left = len(explainer.records) - len(figures)
    page.section("Logos", f"{text} Those of {left:,} more are in their cards." if left > 0 else text, figures)


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
