"""The HTML page of ``seqdesign motifs``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from seqdesign.motifs.enrichment import MotifChange
from seqdesign.motifs.findings import SIGNIFICANT, MotifFindings, best_of_groups
from seqdesign.motifs.motif import Motif
from seqdesign.motifs.result import MotifSearch
from seqdesign.pages.methods import add_methods
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import draw_logos, small_logo
from seqdesign.reports.logo_spec import LogoSpec, value_spec
from seqdesign.reports.plots import Site, bar_chart, line_chart, site_map
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

SHOWN = 25
_CURVES = 4
_BARS = 8
_NAMES = 6
_KINDS, _MAPPED = 6, 30
"""Motifs and sequences of the map of sites."""


@phase("writing the page")
def motif_page(result: MotifFindings, found: MotifSearch, manifest: Manifest) -> Page:
    """The page that ``--report`` writes."""
    page = Page("Motifs", answer=_answer(result), provenance=provenance(manifest))
    motifs = {m.id: m for m in found.collection.motifs}
    _add_enrichment(page, result, found, motifs)
    if result.num_pairs:
        add_changes(page, result.changes, result.num_pairs, motifs, result.collection)
    _add_new(page, result)
    add_methods(page, manifest, {name: getattr(result, name) for name in MotifFindings.__dataclass_fields__})
    return page


def _answer(result: MotifFindings) -> Answer:
    """Which motifs the sequences have more often than the background."""
    enriched = [e for e in result.enrichment if e.q_value <= SIGNIFICANT]
    asked = (
        f"Which of {result.num_motifs:,} motifs ({result.collection}) do {result.num_sequences:,} sequences "
        f"have more often than {result.num_background:,} of background ({result.background})?"
    )
    leaders = best_of_groups(enriched)
    named = _listed([e.motif_name or e.motif_id for e in leaders])
    verdict = f"Enriched: {named}." if named else f"None is enriched at q <= {SIGNIFICANT:g}."
    verdict += "".join(f" {note[0].upper()}{note[1:]}." for note in result.notes)
    hits = f"{result.num_with_hit:,} sequences have one, p <= {result.p_value:g}"
    tiles = [
        Tile(f"{len(leaders):,}", "groups of enriched motifs", f"{len(enriched):,} motifs"),
        Tile(f"{result.num_hits:,}", "hits", hits),
    ]
    if result.denovo:
        tiles.append(Tile(f"{len(result.denovo):,}", "new motifs"))
    return Answer(asked, verdict, tiles)


def _add_enrichment(
    page: Page, result: MotifFindings, found: MotifSearch, motifs: Mapping[str, Motif]
) -> None:
    rows = [e for e in result.enrichment if e.q_value <= SIGNIFICANT]
    text = (
        f"Share of sequences with a hit, here and in {result.num_background:,} sequences of background "
        f"({result.background}). p is that of Fisher's exact test, one-sided; q is Benjamini and Hochberg's "
        f"over {len(result.enrichment):,} motifs. Motifs that find mostly the same sequences (at least half "
        "of those that have either) are one group, since they are one finding; the first describes the "
        "letters of the sites best, the others are named from the next best on."
    )
    if not rows:
        page.section("Enriched motifs", f"No motif is enriched at q <= {SIGNIFICANT:g}. {text}")
        return
    columns = [
        Column("logo"),
        Column("motif_id", "motif"),
        Column("motif_name", "name"),
        Column("share", "with it", ".1%"),
        Column("background_share", "background", ".1%"),
        Column("odds_ratio", "odds ratio", ".2f"),
        Column("p_value", "p", ".1e"),
        Column("q_value", "q", ".1e"),
        Column("others", "alike"),
    ]
    leaders = best_of_groups(rows)
    others = {
        e.group: [o.motif_name or o.motif_id for o in rows if o.group == e.group and o is not e]
        for e in leaders
    }
    table = Table(
        [
            {**vars(e), "logo": _small(motifs[e.motif_id]), "others": _listed(others[e.group])}
            for e in leaders[:SHOWN]
        ],
        columns,
        f"{len(rows):,} motifs with q <= {SIGNIFICANT:g} in {len(leaders):,} groups; the best of "
        f"{min(SHOWN, len(leaders))} groups.",
        "enriched-motifs",
    )
    enriched = [e.motif_id for e in leaders]
    page.section("Enriched motifs", text, _positions(found, enriched), [table])
    _add_sites(page, found, enriched[:_KINDS])


def _add_sites(page: Page, found: MotifSearch, enriched: Sequence[str]) -> None:
    """The sites of the most enriched motifs along the sequences that have most of them."""
    places = {motif.id: i for i, motif in enumerate(found.collection.motifs)}
    sites: dict[int, list[Site]] = {}
    for motif_id in enriched:
        motif, hits = found.collection.motifs[places[motif_id]], found.hits[places[motif_id]]
        for row in range(len(hits)):
            first = int(hits.start[row]) + 1
            site = Site(
                motif.name or motif.id,
                first,
                first + motif.width - 1,
                bool(hits.forward[row]),
                f"p = {hits.p_value[row]:.1e}",
            )
            sites.setdefault(int(hits.sequence[row]), []).append(site)
    if not sites:
        return
    kinds = {row: len({site.name for site in some}) for row, some in sites.items()}
    rows = sorted(sites, key=lambda row: (-kinds[row], -len(sites[row]), row))[:_MAPPED]
    lengths = found.sequences.text.lengths
    figure = site_map(
        [found.sequences.ids[row] for row in rows],
        [int(lengths[row]) for row in rows],
        [sites[row] for row in rows],
        title="Sites along the sequences",
    )
    caption = (
        f"The {len(rows):,} of {len(lengths):,} sequences with most of the first {len(enriched)} motifs; "
        "below the line is the other strand. The table of --table has all hits."
    )
    page.section("Sites", "", [Figure(figure, caption)])


def _positions(found: MotifSearch, enriched: Sequence[str]) -> list[Figure]:
    """Where the hits of the most enriched motifs are, for sequences of one length."""
    lengths = found.sequences.text.lengths
    if lengths.min() != lengths.max():
        return []
    length = int(lengths[0])
    edges = np.linspace(0, length, min(50, length) + 1)
    middles = (edges[:-1] + edges[1:]) / 2 + 0.5
    places = {motif.id: i for i, motif in enumerate(found.collection.motifs)}
    curves = {}
    for motif_id in enriched[:_CURVES]:
        motif, hits = found.collection.motifs[places[motif_id]], found.hits[places[motif_id]]
        counts, _ = np.histogram(hits.start + motif.width / 2, edges)
        curves[motif.label] = (middles, counts / len(lengths))
    chart = line_chart(
        curves,
        title="Where the hits are",
        x_label="position of the middle of the hit",
        y_label="hits per sequence",
    )
    return [Figure(chart, f"The best motifs of the first {len(curves)} groups, in {len(middles)} bins.")]


def add_changes(
    page: Page, found: Sequence[MotifChange], num_pairs: int, motifs: Mapping[str, Motif], collection: str
) -> None:
    """Motifs that sequences gain and lose against their parents, the clearest first."""
    text = (
        f"{num_pairs:,} sequences compared with their parents ({collection}). A motif is gained if only the "
        "sequence has a hit, lost if only the parent has. p is that of the exact McNemar test, two-sided."
    )
    if not found:
        page.section("Gained and lost motifs", f"None. {text}")
        return
    top = found[:_BARS]
    chart = bar_chart(
        {"gained": [c.gained for c in top], "lost": [c.lost for c in top]},
        [c.motif_name or c.motif_id for c in top],
        title="Gained and lost motifs",
        x_label="motif",
        y_label="pairs",
    )
    columns = [
        Column("logo"),
        Column("motif_id", "motif"),
        Column("motif_name", "name"),
        Column("parents_with", "parents with it"),
        Column("revisions_with", "sequences with it"),
        Column("gained"),
        Column("lost"),
        Column("p_value", "p", ".1e"),
        Column("q_value", "q", ".1e"),
    ]
    rows = [{**vars(c), "logo": _small(motifs[c.motif_id])} for c in found[:SHOWN]]
    table = Table(rows, columns, f"The {len(rows)} clearest of {len(found):,} changes.", "motif-changes")
    page.section(
        "Gained and lost motifs", text, [Figure(chart, "The clearest changes, by p-value.")], [table]
    )


def _add_new(page: Page, result: MotifFindings) -> None:
    if not result.denovo:
        return
    held_out = result.denovo[0].held_out
    text = (
        "Enriched words refined by expectation maximisation, without the collection. "
        + (
            f"Shares and p are those of {held_out:,} sequences that the search did not see."
            if held_out
            else "There were too few sequences to hold any out, so p is too small."
        )
        + " Motifs of the collection that are similar have the q-value of the comparison in brackets."
    )
    figures = [
        Figure(
            draw_logos([motif_spec(new.motif, new.motif.id)]),
            f"In {new.share:.1%} of the sequences and {new.background_share:.1%} of the background, "
            f"p = {new.p_value:.1e}. "
            + (
                "Similar: "
                + ", ".join(f"{m.motif_id} {m.motif_name} ({m.q_value:.1e})" for m in new.matches[:4])
                if new.matches
                else "No motif of the collection is similar"
            )
            + ".",
        )
        for new in result.denovo
    ]
    page.section("New motifs", text, figures)


def motif_spec(motif: Motif, title: str) -> LogoSpec:
    """A motif's logo in bits, on an axis that reaches log2 V."""
    p = motif.probabilities
    entropy = -np.sum(p * np.log2(np.where(p > 0, p, 1.0)), axis=1, keepdims=True)
    heights = p * np.maximum(np.log2(p.shape[1]) - entropy, 0.0)
    spec = value_spec(heights, letters=motif.letters, unit="bits", title=title)
    return LogoSpec(
        heights, motif.letters, (0.0, float(np.log2(p.shape[1]))), "bits", title, spec.description
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")


def _small(motif: Motif) -> Markup:
    return small_logo(motif.probabilities, motif.letters, name=motif.label)
