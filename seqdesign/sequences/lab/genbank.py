"""GenBank files in and out: sequences with their features, which move along when a sequence is edited.

Biopython reads and writes; what it writes is read by SnapGene, Benchling, Geneious and ApE.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, TextIO

from rapidfuzz.distance import Levenshtein

from seqdesign.errors import InputError, OutputError
from seqdesign.sequences.alphabets import guess_alphabet
from seqdesign.sequences.bundled import resolve_input
from seqdesign.sequences.compression import (
    GENBANK_SUFFIXES,
    inner_suffix,
    open_input,
    open_output,
    source_name,
)
from seqdesign.sequences.fasta import Record, header_fields, write_fasta

KINDS = {"dna": "DNA", "rna": "RNA", "protein": "protein", "protein-stop": "protein"}
"""Alphabet -> kind of molecule."""
_HEAD = 6


def is_genbank(head: bytes) -> bool:
    """Whether a file begins as GenBank does."""
    return head.startswith(b"LOCUS ")


def is_genbank_name(path: Any) -> bool:
    """Whether a file of this name is GenBank."""
    return inner_suffix(path) in GENBANK_SUFFIXES


def parse_genbank(handle: BinaryIO, source: str) -> list[Any]:
    """The records (Bio.SeqRecord) of a GenBank file. Raises InputError if damaged or without letters."""
    from Bio import SeqIO
    from Bio.Seq import UndefinedSequenceError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about columns and dates, which matter to nobody here
            records = list(SeqIO.parse(io.StringIO(handle.read().decode()), "genbank"))
    except (ValueError, AssertionError, IndexError, KeyError) as error:
        detail = " ".join(str(error).split())[:150]
        raise InputError(f"damaged GenBank file ({detail})", path=source) from None
    for record in records:
        try:
            if not str(record.seq):
                raise UndefinedSequenceError
        except UndefinedSequenceError:
            raise InputError("has no sequence", path=source, record=record.name) from None
    return records


def genbank_records(path: str | os.PathLike[str] | None) -> dict[str, Any]:
    """Name -> record (Bio.SeqRecord) of a file, empty for None, standard input and files of another kind.

    Raises InputError.
    """
    if path is None or os.fspath(path) == "-":
        return {}
    with open_input(resolve_input(path)) as handle:
        if not is_genbank(handle.peek(_HEAD)[:_HEAD]):
            return {}
        return {record.name: record for record in parse_genbank(handle, source_name(path))}


def write_genbank(records: Iterable[Any], handle: BinaryIO) -> int:
    """Write records (Bio.SeqRecord); returns how many. Raises OutputError for what GenBank cannot hold."""
    from Bio import SeqIO

    made = list(records)
    text: TextIO = io.StringIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a LOCUS line that is longer than in 1990
            SeqIO.write(made, text, "genbank")
    except (ValueError, TypeError) as error:
        raise OutputError(f"cannot be written as GenBank: {' '.join(str(error).split())[:150]}") from None
    assert isinstance(text, io.StringIO)
    handle.write(text.getvalue().encode())
    return len(made)


def write_sequences(
    records: Iterable[Record],
    path: str | os.PathLike[str],
    *,
    alphabet: str | None = None,
    parents: Mapping[str, Any] | None = None,
) -> int:
    """Write records as GenBank where the suffix says so, else as FASTA; returns how many.

    alphabet: its name; guessed when not given. parents: what ``genbank_records`` gives, by the id that the
    key ``parent`` of a header names, or by the record's own. Raises OutputError.
    """
    if not is_genbank_name(path):
        with open_output(path) as handle:
            return write_fasta(records, handle)
    listed = list(records)
    kind = alphabet or guess_alphabet([record.sequence for record in listed]).name
    made = []
    for record in listed:
        fields = header_fields(record.description)
        parent = (parents or {}).get(fields.get("parent", record.id))
        made.append(
            edited(record.id, record.sequence, kind, record.description, parent, fields.get("edit_list", ""))
        )
    with open_output(path) as handle:
        return write_genbank(made, handle)


def edited(
    name: str, sequence: str, alphabet: str, note: str, parent: Any | None = None, edits: str = ""
) -> Any:
    """A record (Bio.SeqRecord) of a design: the parent's features, moved along, and one for each edit.

    name becomes the LOCUS, without white space. note: a line of the comment. Features whose letters are all
    removed are left out; a feature grows and shrinks with what is inserted and removed within it.
    Raises OutputError for an alphabet that GenBank does not know.
    """
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    if alphabet not in KINDS:
        raise OutputError(f"GenBank holds DNA, RNA and protein, not the alphabet {alphabet}; write .fa")
    locus = "_".join(name.split())
    about = {"molecule_type": KINDS[alphabet], "comment": note, "topology": "linear"}
    record = SeqRecord(Seq(sequence), id=locus, name=locus, description=f"{name}: {edits}" if edits else name)
    record.annotations = about
    if parent is None:
        return record
    kept = ("molecule_type", "topology", "organism", "source", "taxonomy", "keywords", "data_file_division")
    record.annotations = about | {key: parent.annotations[key] for key in kept if key in parent.annotations}
    original = str(parent.seq)
    places = _boundaries(original.upper(), sequence.upper())
    record.features = [moved for one in parent.features if (moved := _moved(one, places)) is not None]
    record.features += _edit_features(original.upper(), sequence.upper())
    return record


def _boundaries(original: str, revised: str) -> list[int]:
    """Where the boundary before each letter of ``original``, and that after the last, is in ``revised``."""
    places = [0] * (len(original) + 1)
    for block in Levenshtein.opcodes(original, revised):
        size, new = block.src_end - block.src_start, block.dest_end - block.dest_start
        for i in range(size):
            places[block.src_start + i] = block.dest_start + min(i, new)
        places[block.src_end] = block.dest_end
    return places


def _moved(feature: Any, places: Sequence[int]) -> Any | None:
    """The feature in the edited sequence; None where nothing of it is left."""
    from Bio.SeqFeature import CompoundLocation, SeqFeature, SimpleLocation

    if feature.location is None:
        return None
    parts = []
    for part in feature.location.parts:
        start, end = places[int(part.start)], places[int(part.end)]
        if end > start:
            parts.append(
                SimpleLocation(
                    _like(part.start, start),
                    _like(part.end, end),
                    part.strand,
                    ref=part.ref,
                    ref_db=part.ref_db,
                )
            )
    if not parts:
        return None
    location = parts[0] if len(parts) == 1 else CompoundLocation(parts, feature.location.operator)
    return SeqFeature(location, feature.type, id=feature.id, qualifiers=dict(feature.qualifiers))


def _like(position: Any, value: int) -> Any:
    """A position of the same kind (exact, before, after) at another place."""
    from Bio.SeqFeature import AfterPosition, BeforePosition, ExactPosition

    kind = type(position) if isinstance(position, BeforePosition | AfterPosition) else ExactPosition
    return kind(value)


def _edit_features(original: str, revised: str) -> list[Any]:
    """A feature for each run of edited letters; a deletion is marked at the letter after it."""
    from Bio.SeqFeature import SeqFeature, SimpleLocation

    found = []
    for block in Levenshtein.opcodes(original, revised):
        if block.tag == "equal":
            continue
        old, new = original[block.src_start : block.src_end], revised[block.dest_start : block.dest_end]
        start = min(block.dest_start, len(revised) - 1)
        location = SimpleLocation(start, max(block.dest_end, start + 1), 1)
        label = {"replace": f"{old} to {new}", "delete": f"without {old}", "insert": f"plus {new}"}[block.tag]
        found.append(
            SeqFeature(location, "misc_difference", qualifiers={"label": [label], "note": [f"edit: {label}"]})
        )
    return found
