"""From designs to what is ordered, from Python: checks, genes, degenerate libraries, plates."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seqdesign.config import SeedOption
from seqdesign.constraints import codons
from seqdesign.constraints.verdicts import judge
from seqdesign.errors import InputError
from seqdesign.libraries.cover import cover
from seqdesign.libraries.degenerate import base_codes, codon_codes, expansions
from seqdesign.metrics.edits import edit_list
from seqdesign.ordering.barcodes import Errors
from seqdesign.ordering.files import genbank
from seqdesign.ordering.order import Construct, constructs, reverse_complement, warnings_of
from seqdesign.ordering.plates import Direction
from seqdesign.ordering.primers import TM
from seqdesign.rules import Rule
from seqdesign.sequences.compression import open_output
from seqdesign.sequences.fasta import Record as SequenceRecord
from seqdesign.sequences.fasta import format_fields, write_fasta
from seqdesign.sequences.lab.codon_usage import codon_usage
from seqdesign.sequences.options import LetterOptions, alphabet_with, encode_with, normal_records
from seqdesign.verbs.data import sequence_set
from seqdesign.verbs.options import letter_rules, pick, verb
from seqdesign.verbs.record import Record

FASTA = (".fa", ".fasta", ".fna", ".fa.gz", ".fasta.gz")


@dataclass(frozen=True, eq=False, repr=False)
class Listing(Record[Mapping[str, Any]]):
    """What the verbs of the bench give: a row for each sequence, and what is to be said of all."""

    rows: tuple[Mapping[str, Any], ...]
    lines: tuple[str, ...]
    """The summary, and warnings."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.rows)

    @property
    def sequences(self) -> list[str]:
        """Those that there are; a row for which none was found has none."""
        return [row["sequence"] for row in self.rows if row["sequence"]]

    def _lines(self) -> Sequence[str]:
        return self.lines

    def _rows(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self.rows]

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write FASTA or a table by suffix (.fa, .csv, .xlsx, ...); returns how many. OutputError."""
        if not str(path).endswith(FASTA):
            return super().write(path)
        named = [row for row in self.rows if row["sequence"]]
        with open_output(Path(path)) as handle:
            write_fasta(
                (SequenceRecord(row["id"], self._header(row), row["sequence"]) for row in named), handle
            )
        return len(named)

    def _header(self, row: Mapping[str, Any]) -> str:
        shown = {key: value for key, value in row.items() if key in self.headers and value is not None}
        return format_fields(
            {key: f"{v:.4g}" if isinstance(v, float) else str(v) for key, v in shown.items()}
        )

    headers = ("cai", "size", "role", "changes", "quality", "parent", "measured", "similarity")
    """Columns that a FASTA header has."""


@dataclass(frozen=True, eq=False, repr=False)
class Order(Listing):
    """What `order` gives: a row for each construct, which ``constructs`` has in parts."""

    constructs: tuple[Construct, ...] = ()

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write FASTA, GenBank (.gb) or the table of the bench by suffix; returns how many. OutputError."""
        if not str(path).endswith((".gb", ".gbk")):
            return super().write(path)
        with open_output(Path(path)) as handle:
            handle.write(genbank(self.constructs))
        return len(self.constructs)


@verb(LetterOptions)
def check(
    sequences: Any,
    *,
    rules: Iterable[Rule] = (),
    mend: bool = False,
    coding: bool = False,
    codon_table: int = 1,
    **options: Any,
) -> Listing:
    """Whether each sequence obeys the rules, the reason where it does not, and the smallest remedy.

    Args:
        sequences: a SequenceSet, strings, a DataFrame with a column ``sequence``, or a path.
        rules: what must hold, such as ``seqdesign.rules.synthesis("twist")``.
        mend: look for the nearest sequence that obeys them, by substitutions.
        coding: each sequence is a reading frame, whose protein ``mend`` keeps.
        codon_table: genetic code of the frame, by its NCBI number.

    Returns:
        One row a sequence: id, ok, reason, mended, changes, edits, and the sequence, mended where it was.

    Raises:
        InputError: sequences that cannot be read. UsageError: rules that need a start.

    Example:
        >>> check(genes, rules=[seqdesign.rules.synthesis("twist")], mend=True).to_frame()
    """
    given, letters = sequence_set(sequences), pick(LetterOptions, options)
    alphabet = alphabet_with(letters, given.sequences)
    records = normal_records(letters, given, encode_with(letters, given, alphabet))
    verdicts = judge(
        records.sequences, letter_rules(rules), alphabet, mend=mend, coding=coding, codon_table=codon_table
    )
    rows = []
    for name, text, verdict in zip(records.ids, records.sequences, verdicts, strict=True):
        rows.append({
            "id": name,
            "ok": verdict.ok,
            "reason": "; ".join(f"{v} ({v.constraint})" for v in verdict.violations),
            "mended": None if verdict.ok or not mend else verdict.mended is not None,
            "changes": verdict.changes,
            "edits": ",".join(edit_list(text, verdict.mended)) if verdict.mended else "",
            "sequence": verdict.mended or text,
        })  # fmt: skip
    mended = sum(bool(row["mended"]) for row in rows)
    line = f"{sum(bool(row['ok']) for row in rows):,} of {len(rows):,} obey the rules"
    return Listing(tuple(rows), (f"{line}, {mended:,} more were mended" if mended else line,))


@verb(SeedOption)
def back_translate(
    proteins: Any,
    *,
    host: str = "ecoli",
    rules: Iterable[Rule] = (),
    usage: Literal["optimal", "match"] = "optimal",
    stop: bool = True,
    codon_table: int = 1,
    **options: Any,
) -> Listing:
    """Genes of proteins, in the codons that a host prefers, under the same rules as designs.

    Args:
        proteins: a SequenceSet, strings, a DataFrame with a column ``sequence``, or a path.
        host: ecoli, bsubtilis, yeast, celegans, fly, chicken, mouse or human.
        rules: what every gene obeys, such as ``seqdesign.rules.forbid("BsaI")``.
        usage: ``optimal`` takes the most frequent codons, ``match`` all in the proportions of the host.
        stop: whether genes end with a stop codon.
        codon_table: genetic code, by its NCBI number.

    Returns:
        One row a protein: id, protein, sequence (None where no gene was found), cai, best_cai, lost.

    Raises:
        InputError: a residue without codons. UsageError: a host that nobody knows, rules that need a start.

    Example:
        >>> back_translate(["MKTAYIAK"], host="yeast").sequences
    """
    records = sequence_set(proteins)
    genes = codons.back_translate(
        records.sequences, codon_usage(host, codon_table), letter_rules(rules),
        usage=usage, stop=stop, ids=records.ids, source=records.source, seed=pick(SeedOption, options).seed,
    )  # fmt: skip
    rows = tuple(
        {
            "id": name, "protein": protein, "sequence": gene.sequence,
            "cai": None if gene.sequence is None else gene.cai, "best_cai": gene.best_cai,
            "lost": None if gene.sequence is None else gene.lost,
        }
        for name, protein, gene in zip(records.ids, records.sequences, genes, strict=True)
    )  # fmt: skip
    found = sum(row["sequence"] is not None for row in rows)
    return Listing(rows, (f"{found:,} of {len(rows):,} proteins have a gene that obeys the rules",))


@verb(SeedOption)
def library(
    targets: Any,
    *,
    max_size: float = 1e7,
    sublibraries: int = 4,
    host: str = "ecoli",
    stops: bool = True,
    searches: int = 12,
    **options: Any,
) -> Listing:
    """Degenerate oligos that together cover as many of the wanted sequences as they can.

    Args:
        targets: aligned DNA or proteins of one length: a SequenceSet, strings, a DataFrame, or a path.
        max_size: DNA sequences of all sublibraries together, at most.
        sublibraries: degenerate oligos, at most.
        host: whose frequent codons are preferred where several degenerate ones do.
        stops: whether a degenerate codon may stand for a stop codon as well.
        searches: searches by simulated annealing, of which the best result is taken.

    Returns:
        One row a sublibrary: id, sequence in IUPAC codes, size, products, targets, and their ids.

    Raises:
        InputError: targets of several lengths or with other letters.

    Example:
        >>> library(["MKT", "MKS", "MRT"], max_size=100, sublibraries=1).sequences
    """
    records = sequence_set(targets)
    letters = LetterOptions()
    alphabet = alphabet_with(letters, [text.replace("-", "") for text in records.sequences])
    if alphabet.name not in ("dna", "protein", "protein-stop"):
        raise InputError(f"a library is made of DNA or proteins, this is {alphabet.name}")
    codes, usage = base_codes(), dict[str, float]()
    if alphabet.name != "dna":
        codes = codon_codes(stops)
        shares = codon_usage(host).shares.values()
        usage = {codon: share for own in shares for codon, share in own.items()}
    found = cover(
        records.sequences, codes, max_size, sublibraries, pick=lambda wanted: codes.best(wanted, usage),
        searches=searches, seed=pick(SeedOption, options).seed,
    )  # fmt: skip
    rows = tuple(
        {
            "id": f"library{i + 1}", "sequence": one.dna, "size": one.size, "products": one.num_products,
            "targets": len(one.members), "ids": " ".join(records.ids[k] for k in one.members),
        }
        for i, one in enumerate(found)
    )  # fmt: skip
    covered, size = len({k for one in found for k in one.members}), sum(one.size for one in found)
    words = (
        f"{covered:,} of {len(records):,} targets are in {len(rows)} sublibraries of {size:,} DNA sequences"
    )
    return Listing(rows, (words,))


@verb(SeedOption)
def order(
    designs: Any,
    *,
    left: str = "",
    right: str = "",
    barcode_length: int | None = None,
    barcode_errors: Errors = "edits",
    barcode_first: bool = False,
    avoid: Sequence[str] = (),
    plate: Literal[96, 384] = 96,
    fill: Direction = "rows",
    skip: int = 0,
    primers: bool = False,
    tm: float = TM,
    prefix: str | None = None,
    **options: Any,
) -> Order:
    """Constructs in wells, with adapters, barcodes, primers and melting temperatures.

    Args:
        designs: DNA or RNA: what `maximize` or `select` gave, a SequenceSet, strings, or a path.
        left: adapter before every design.
        right: adapter behind it.
        barcode_length: bases of a barcode for each construct; none when None.
        barcode_errors: ``edits`` survive an insertion or deletion too, or ``substitutions``.
        barcode_first: whether barcodes stand before the designs.
        avoid: sites that barcodes avoid and that are reported, in IUPAC codes or by their enzymes.
        plate: wells of a plate.
        fill: along ``rows`` or down ``columns``.
        skip: wells of the first plate to leave empty.
        primers: add primers that amplify each whole construct.
        tm: their melting temperature, degrees Celsius.
        prefix: constructs are called PREFIX_001 and so on, else after their designs.

    Returns:
        One row a construct; ``.write("bench.xlsx")``, ``.write("all.fa")``, ``.write("all.gb")``.

    Raises:
        InputError: other letters, or no barcodes or primers that fit. UsageError.

    Example:
        >>> order(["ACGTACGT"], left="TTGACA", plate=96).to_frame()
    """
    from seqdesign.constraints.builtin.forbid import resolve
    from seqdesign.sequences.alphabets import get_alphabet

    frame = designs.to_frame() if hasattr(designs, "to_frame") and hasattr(designs, "sequences") else designs
    records = sequence_set(frame)
    roles = ["design"] * len(records)
    if hasattr(frame, "columns") and hasattr(frame, "iloc") and "role" in frame.columns:
        roles = [str(role) for role in frame["role"]]
    sites = {text: resolve(text, get_alphabet("dna")).upper() for text in avoid}
    words = [word for site in sites.values() for word in expansions(site)]
    made = constructs(
        records.ids, records.sequences, roles, prefix=prefix, left=left.upper(), right=right.upper(),
        barcode_length=barcode_length, barcode_errors=barcode_errors, barcode_first=barcode_first,
        forbidden=[*words, *map(reverse_complement, words)], plate=int(plate), direction=fill, first=skip,
        with_primers=primers, tm=tm, seed=pick(SeedOption, options).seed,
    )  # fmt: skip
    bases, plates = sum(len(one.sequence) for one in made), len({one.plate for one in made})
    line = (
        f"{len(made):,} constructs on {plates} {'plate' if plates == 1 else 'plates'}, {bases:,} bases in all"
    )
    warnings = [f"warning: {note}" for note in warnings_of(made, sites)]
    return Order(tuple(one.row() for one in made), (line, *warnings), tuple(made))
