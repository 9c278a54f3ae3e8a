"""The HTML page in the folder of an order: what was ordered, the plates, and every construct."""

from __future__ import annotations

from collections.abc import Sequence

from seqdesign.ordering.order import Construct
from seqdesign.pages.methods import add_methods
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import plate_map
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

PLATES = {96: (8, 12), 384: (16, 24)}
"""Wells -> rows and columns."""
VOLATILE = ("overwrite", "output", "quiet", "json", "verbose", "debug")
"""Options that change no byte of an order."""
MOST_PLATES = 12
"""Plates that are drawn."""


@phase("writing the page")
def order_page(made: Sequence[Construct], notes: Sequence[str], manifest: Manifest, *, sheet: str) -> Page:
    """The page of an order. notes: what to mind. sheet: the file to upload."""
    page = Page("Order", answer=_answer(made, manifest, sheet), provenance=_provenance(manifest))
    page.warnings(notes)
    _add_plates(page, made, int(manifest.config.get("plate") or 96))
    rows = [one.row() for one in made]
    hidden = ("insert", "forward_primer", "forward_tm", "reverse_primer", "reverse_tm", "barcode")
    specs = {"gc": ".0%", "tm": ".1f", "forward_tm": ".1f", "reverse_tm": ".1f"}
    about = {"tm": "melting temperature of the design alone, degrees Celsius", "gc": "of the whole construct"}
    columns = [
        Column(
            key,
            {"gc": "GC", "id": "design"}.get(key, key.replace("_", " ")),
            specs.get(key, ""),
            sequence=key in ("sequence", "insert"),
            shown=key not in hidden,
            about=about.get(key, ""),
        )
        for key in rows[0]
        if any(row[key] is not None for row in rows)
    ]
    text = "A click on a name opens its parts: insert, barcode and primers."
    table = Table(
        rows, columns, f"{len(rows):,} constructs, in the order of their wells.", "constructs", cards=True
    )
    page.section("Constructs", text, tables=[table])
    add_methods(page, manifest, _said(made))
    return page


def _said(made: Sequence[Construct]) -> dict[str, object]:
    """What the command says, as far as the paragraph on methods needs it."""
    lengths = [len(one.sequence) for one in made]
    return {
        "constructs": len(made),
        "shortest": min(lengths),
        "longest": max(lengths),
        "barcodes": sum(bool(one.barcode) for one in made),
        "roles": {role: sum(one.role == role for one in made) for role in sorted({one.role for one in made})},
    }


def _answer(made: Sequence[Construct], manifest: Manifest, sheet: str) -> Answer:
    lengths = [len(one.sequence) for one in made]
    plates = len({one.plate for one in made})
    asked = f"The sequences of {manifest.config.get('input')}, ready to send to a synthesis firm."
    wells = int(manifest.config.get("plate") or 96)
    verdict = (
        f"{len(made):,} constructs of {_bases(lengths)} stand on "
        f"{plates:,} plate{'s' * (plates != 1)} of {wells} wells."
    )
    roles = {one.role: sum(other.role == one.role for other in made) for one in made}
    tiles = [
        Tile(f"{len(made):,}", "constructs", ", ".join(f"{n:,} {role}" for role, n in roles.items())),
        Tile(
            f"{plates:,}", "plate" if plates == 1 else "plates", f"{plates * wells - len(made):,} wells empty"
        ),
        Tile(f"{sum(lengths):,}", "bases", f"{_bases(lengths)} each"),
    ]
    if any(one.barcode for one in made):
        tiles.append(Tile(f"{sum(bool(one.barcode) for one in made):,}", "barcodes"))
    files = [("To upload:", sheet), ("For SnapGene or Benchling:", "constructs.gb")]
    return Answer(asked, verdict, tiles, files=files)


def _provenance(manifest: Manifest) -> dict[str, object]:
    """The same for the same order, whenever it is made; the manifest beside the page has the rest."""
    found = provenance(manifest)
    options = {key: str(value) for key, value in manifest.config.items() if key not in VOLATILE and value}
    kept = {key: value for key, value in found.items() if key not in ("command", "started")}
    return {**kept, "options": options, "command and time": "in manifest.json"}


def _bases(lengths: Sequence[int]) -> str:
    low, high = min(lengths), max(lengths)
    return f"{low:,} bases" if low == high else f"{low:,} to {high:,} bases"


def _add_plates(page: Page, made: Sequence[Construct], size: int) -> None:
    rows, columns = PLATES[size]
    groups = list(dict.fromkeys(one.role for one in made))
    numbers = sorted({one.plate for one in made})
    figures = []
    for number in numbers[:MOST_PLATES]:
        wells = {
            one.well: (one.role, f"{one.name}, {len(one.sequence)} bases")
            for one in made
            if one.plate == number
        }
        figure = plate_map(wells, groups, title=f"Plate {number}", columns=columns, rows=rows)
        figures.append(Figure(figure, f"{len(wells)} of {size} wells."))
    left = len(numbers) - len(figures)
    page.section("Plates", f"{left:,} more plates are in the table only." if left else "", figures)
