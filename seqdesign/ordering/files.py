"""Files of an order that no table holds: GenBank and the words beside it."""

from __future__ import annotations

import datetime
import io
from collections import Counter
from collections.abc import Sequence

from seqdesign.ordering.order import Construct

_KEYS = {"left": "misc_feature", "right": "misc_feature", "barcode": "misc_feature", "insert": "misc_feature"}
_LABELS = {"left": "left flank", "right": "right flank", "barcode": "barcode", "insert": "insert"}


def genbank(made: Sequence[Construct], date: datetime.date | None = None) -> bytes:
    """All constructs with their parts and primers as features, which SnapGene and Benchling show.

    date: of the LOCUS lines; 1 January 1980 when not given, so that equal orders are equal bytes.
    """
    from Bio import SeqIO
    from Bio.Seq import Seq
    from Bio.SeqFeature import SeqFeature, SimpleLocation
    from Bio.SeqRecord import SeqRecord

    day = date or datetime.date(1980, 1, 1)
    records = []
    for one in made:
        # The LOCUS line has room for 16 letters of a name; the whole of it stands in the definition.
        record = SeqRecord(
            Seq(one.sequence), id=one.name, name=one.name[:16], description=f"{one.name} {one.role}"
        )
        record.annotations |= {
            "molecule_type": "DNA",
            "data_file_division": "SYN",
            "date": day.strftime("%d-%b-%Y").upper(),
        }
        start = 0
        for kind, text in one.parts:
            label = one.id if kind == "insert" else _LABELS[kind]
            record.features.append(
                SeqFeature(
                    SimpleLocation(start, start + len(text), 1),
                    type=_KEYS[kind],
                    qualifiers={"label": [label]},
                )
            )
            start += len(text)
        for text, first, strand in (
            (one.forward, 0, 1), (one.reverse, len(one.sequence) - len(one.reverse), -1)
        ):  # fmt: skip
            if text:
                place = SimpleLocation(first, first + len(text), strand)
                label = "forward primer" if strand == 1 else "reverse primer"
                record.features.append(SeqFeature(place, type="primer_bind", qualifiers={"label": [label]}))
        records.append(record)
    handle = io.StringIO()
    SeqIO.write(records, handle, "genbank")
    return handle.getvalue().encode("ascii")


def readme(made: Sequence[Construct], sheet: str, notes: Sequence[str], settings: Sequence[str]) -> str:
    """What the folder holds, for the person who receives it."""
    lengths = [len(one.sequence) for one in made]
    roles = Counter(one.role for one in made)
    plates = Counter(one.plate for one in made)
    lines = [
        "# Order",
        "",
        f"{len(made):,} constructs of {min(lengths):,} to {max(lengths):,} bases, {sum(lengths):,} in all: "
        + ", ".join(f"{count:,} {role}" for role, count in roles.items())
        + ".",
        "",
        *(f"- Plate {plate}: {count} wells" for plate, count in plates.items()),
        "",
        "| file | what |",
        "|---|---|",
        f"| {sheet} | the sheet to upload |",
        f"| bench.{sheet.rpartition('.')[2]} | wells, parts, length, GC, melting temperature, primers |",
        "| constructs.fa | the constructs as FASTA |",
        "| constructs.gb | the same with their parts as features, for SnapGene or Benchling |",
        "| manifest.json | how this folder was made, and checksums |",
        "",
        "Sequences are written 5' to 3'. " + " ".join(settings),
        *([""] + [f"- Mind: {note}." for note in notes] if notes else []),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
