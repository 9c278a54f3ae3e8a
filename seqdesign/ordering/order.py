"""An order: constructs in wells, with barcodes, primers, temperatures, and the records to send."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from seqdesign.errors import InputError
from seqdesign.ordering.barcodes import Errors, barcodes
from seqdesign.ordering.plates import Direction, wells
from seqdesign.ordering.primers import TM, gc_share, melting_temperature, primers

Layout = Literal["plate", "pool", "agilent"]
LAYOUTS: Mapping[Layout, Mapping[str, str]] = {
    "plate": {"Plate": "plate", "Well Position": "well", "Name": "name", "Sequence": "sequence"},
    "pool": {"Name": "name", "Sequence": "sequence"},
    "agilent": {"SequenceName": "name", "Sequence": "sequence", "Replication": "copies"},
}
"""Columns of the sheet to upload -> what stands in them. ``agilent`` is the three columns that the help of
SureDesign gives for pools of oligos; the others are what forms for plates and pools ask for."""
LONGEST_NAME = 40
_BASES = set("ACGT")
_AMBIGUOUS = set("ACGTRYSWKMBDHVN")
_MANY = 0.75
"""Share of A, C, G and T from which letters are taken for DNA with ambiguity codes; few proteins have it."""


def _remedy(text: str) -> str:
    """What to do about letters that are not bases."""
    bases = sum(c in _BASES for c in text)
    if set(text) <= _AMBIGUOUS and bases >= _MANY * len(text):
        return (
            "ambiguity codes stand for several bases: write the one that is wanted, or leave the record out"
        )
    if "-" in text or "." in text:
        return "take the gaps of the alignment out"
    return "back-translate turns proteins into genes"


@dataclass(frozen=True, kw_only=True)
class Construct:
    """One well: left flank, barcode, insert, barcode or right flank, 5' to 3'."""

    name: str
    id: str
    """Of the design."""
    role: str
    plate: int
    well: str
    insert: str
    left: str
    right: str
    barcode: str
    barcode_first: bool
    """Whether it stands before the insert."""
    forward: str
    forward_tm: float | None
    reverse: str
    reverse_tm: float | None

    @property
    def parts(self) -> list[tuple[str, str]]:
        """(kind, sequence) in order, those that are there."""
        barcode = ("barcode", self.barcode)
        middle = (
            [barcode, ("insert", self.insert)] if self.barcode_first else [("insert", self.insert), barcode]
        )
        return [part for part in (("left", self.left), *middle, ("right", self.right)) if part[1]]

    @property
    def sequence(self) -> str:
        """What is synthesised."""
        return "".join(text for _, text in self.parts)

    def row(self) -> dict[str, Any]:
        """The row of the sheet for the bench."""
        whole = self.sequence
        return {
            "name": self.name,
            "id": self.id,
            "role": self.role,
            "plate": self.plate,
            "well": self.well,
            "length": len(whole),
            "gc": round(gc_share(whole), 4),
            "tm": round(melting_temperature(self.insert), 2),
            "barcode": self.barcode or None,
            "insert": self.insert,
            "sequence": whole,
            "forward_primer": self.forward or None,
            "forward_tm": None if self.forward_tm is None else round(self.forward_tm, 2),
            "reverse_primer": self.reverse or None,
            "reverse_tm": None if self.reverse_tm is None else round(self.reverse_tm, 2),
        }

    def vendor_row(self, layout: Layout) -> dict[str, Any]:
        """The row of the sheet to upload."""
        values = {
            "plate": self.plate, "well": self.well, "name": self.name, "sequence": self.sequence, "copies": 1
        }  # fmt: skip
        return {column: values[key] for column, key in LAYOUTS[layout].items()}


def constructs(
    ids: Sequence[str],
    inserts: Sequence[str],
    roles: Sequence[str],
    *,
    prefix: str | None = None,
    left: str = "",
    right: str = "",
    barcode_length: int | None = None,
    barcode_errors: Errors = "edits",
    barcode_first: bool = False,
    forbidden: Sequence[str] = (),
    plate: int = 96,
    direction: Direction = "rows",
    first: int = 0,
    with_primers: bool = False,
    tm: float = TM,
    seed: int = 0,
) -> list[Construct]:
    """Constructs of N inserts of DNA, in the order given.

    roles: such as design or parent. prefix: names are PREFIX_001, ...; made of the ids when None. left,
    right: flanks that every construct has. barcode_length: bases of a barcode, none when None; they differ
    in three ``barcode_errors`` or more and occur in no insert or flank. forbidden: words, such as sites of
    enzymes, that barcodes avoid. first: empty wells at the beginning. tm: of primers, degrees Celsius; they
    amplify the whole construct.

    Raises InputError for letters other than A, C, G and T, and where barcodes or primers are not found.
    """
    texts = [text.upper().replace("U", "T") for text in inserts]
    for name, text in [*zip(ids, texts, strict=True), ("--left", left), ("--right", right)]:
        place = next((i for i, c in enumerate(text) if c not in _BASES), None)
        if place is not None:
            what = f"an order is made of A, C, G and T, got {text[place]!r} at position {place + 1}"
            raise InputError(f"{what}; {_remedy(text)}", record=name)
    tags = [""] * len(texts)
    if barcode_length is not None:
        tags = barcodes(
            len(texts), barcode_length, errors=barcode_errors, avoid=[*texts, left, right],
            forbidden=forbidden, seed=seed,
        )  # fmt: skip
    names = _numbered(prefix, len(texts)) if prefix is not None else plain_names(ids)
    made = []
    for name, id_, text, role, tag, well in zip(
        names, ids, texts, roles, tags, wells(len(texts), plate, direction, first), strict=True
    ):
        whole = left + (tag + text if barcode_first else text + tag) + right
        pair = primers(whole, tm) if with_primers else None
        made.append(
            Construct(
                name=name, id=id_, role=role, plate=well.plate, well=well.name, insert=text, left=left,
                right=right, barcode=tag, barcode_first=barcode_first,
                forward=pair[0].sequence if pair else "", forward_tm=pair[0].tm if pair else None,
                reverse=pair[1].sequence if pair else "", reverse_tm=pair[1].tm if pair else None,
            )
        )  # fmt: skip
    return made


def plain_names(ids: Sequence[str]) -> list[str]:
    """Names that every form takes: letters, digits, - and _, at most 40, a letter first, all different."""
    taken: set[str] = set()
    names = []
    for id_ in ids:
        base = re.sub(r"[^A-Za-z0-9_-]+", "_", id_).strip("_") or "design"
        base = (base if base[0].isalpha() else f"d{base}")[:LONGEST_NAME]
        name, number = base, 2
        while name.lower() in taken:
            name = f"{base[: LONGEST_NAME - 5]}_{number}"
            number += 1
        taken.add(name.lower())
        names.append(name)
    return names


def _numbered(prefix: str, num: int) -> list[str]:
    return [f"{prefix}_{i + 1:0{max(3, len(str(num)))}d}" for i in range(num)]


def warnings_of(made: Sequence[Construct], forbidden: Mapping[str, str]) -> list[str]:
    """What speaks against sending this: sites in the finished constructs, equal inserts.

    forbidden: name -> pattern of bases and IUPAC codes.
    """
    from seqdesign.libraries.degenerate import iupac

    table = iupac()
    notes = []
    for name, site in forbidden.items():
        both = {site, reverse_complement(site)}
        pattern = re.compile("|".join("".join(f"[{table[c]}]" for c in word) for word in sorted(both)))
        hit = [one.name for one in made if pattern.search(one.sequence)]
        if hit:
            notes.append(f"{name} ({site}) is in {len(hit):,} constructs, such as {hit[0]}")
    repeated = len(made) - len({one.insert for one in made})
    if repeated:
        notes.append(f"{repeated:,} inserts repeat another one")
    return notes


def reverse_complement(dna: str) -> str:
    """Of IUPAC codes."""
    from seqdesign.sequences.alphabets import get_alphabet

    return get_alphabet("dna").reverse_complement(dna)
