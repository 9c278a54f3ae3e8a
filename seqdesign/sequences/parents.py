"""Which sequence was made from which: ``parent=`` in a header, a column ``parent``, or equal ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from seqdesign.errors import InputError
from seqdesign.sequences.bundled import resolve_input
from seqdesign.sequences.compression import open_input
from seqdesign.sequences.fasta import header_fields, read_fasta
from seqdesign.sequences.options import SequenceColumns, file_format
from seqdesign.sequences.reader import ID_COLUMNS, guess_format
from seqdesign.sequences.tables import read_table

_KEY = "parent"


def read_parents(
    columns: SequenceColumns,
    paths: tuple[Path, Path],
    ids: Sequence[str],
    parent_ids: Sequence[str],
) -> list[tuple[int, int, str]]:
    """(place in ``ids``, place in ``parent_ids``, parent's id) of every sequence with a parent.

    paths: the file of the sequences, whose headers or ``columns`` are read, and that of their parents.
    Raises InputError if none has one, with what was looked for.
    """
    return by_id(ids, parent_ids, _named_parents(columns, paths[0]), str(paths[1]))


def by_id(
    ids: Sequence[str], parent_ids: Sequence[str], named: Mapping[str, str] | None = None, source: str = ""
) -> list[tuple[int, int, str]]:
    """As ``read_parents``, from ids in memory; ``named``: id -> parent where that is not the id itself."""
    named = named or {}
    places = {name: i for i, name in enumerate(parent_ids)}
    wanted = [named.get(name) or name for name in ids]
    pairs = [(i, places[name], name) for i, name in enumerate(wanted) if name in places]
    if not pairs:
        raise InputError(
            f"no parent was found: the first sequence names the parent '{wanted[0]}', the file begins with "
            f"'{parent_ids[0]}'; give headers {_KEY}=ID, a column '{_KEY}', or the same ids",
            path=source or None,
        )
    return pairs


def _named_parents(columns: SequenceColumns, source: Path) -> dict[str, str]:
    """Id -> parent of those records that name one. Stdin has been read already and names none."""
    if str(source) == "-":
        return {}
    path = resolve_input(source)
    with open_input(path) as handle:
        kind = file_format(columns) or guess_format(handle)
    if kind in ("fasta", "fastq"):
        records = (
            (r.id, header_fields(r.description).get(_KEY, "")) for r in read_fasta(path, on_duplicate="keep")
        )
        return {name: parent for name, parent in records if parent}
    if kind in ("genbank", "alignment"):
        return {}
    named: dict[str, str] = {}
    for batch in read_table(path, sheet=columns.sheet if kind == "xlsx" else None):
        id_column = columns.id_ or next((c for c in ID_COLUMNS if c in batch.columns), None)
        if id_column is None or _KEY not in batch.columns:
            return {}
        named |= dict(zip(batch.columns[id_column], batch.columns[_KEY], strict=True))
    return named
