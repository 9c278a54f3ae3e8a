"""Sequences that stand in several columns of a table, such as the two chains of an antibody, as one sequence.

They are joined by a linker, by which what is designed is cut again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from seqdesign.errors import InputError
from seqdesign.sequences.tables import TableBatch, choose_columns

LINKER = "GGGGSGGGGSGGGGS"
"""Between proteins, where no other is named; nothing between DNA or RNA, as in a construct."""
_NUCLEOTIDES = frozenset("ACGTUNacgtun-. ")


@dataclass(frozen=True)
class Joined:
    """Columns that were joined, in order, the letters between them, and how long each column is.

    lengths: 0 where they differ.
    """

    columns: tuple[str, ...]
    linker: str
    lengths: tuple[int, ...]

    def cut(self, text: str) -> tuple[str, ...] | None:
        """The sequence of each column; None where the text does not say where they end.

        It does where the linker occurs just as often as it was put there, or where all columns but one have
        one length each.
        """
        parts = text.split(self.linker) if self.linker else []
        if len(parts) == len(self.columns):
            return tuple(parts)
        gap, varying = len(self.linker), self.lengths.count(0)
        rest = len(text) - sum(self.lengths) - gap * (len(self.columns) - 1)
        if varying > 1 or rest < varying or (rest and not varying):
            return None
        found, at = [], 0
        for length in self.lengths:
            found.append(text[at : at + (length or rest)])
            at += (length or rest) + gap
        return tuple(found)


@dataclass
class Chains:
    """Columns to join. linker: None to choose by their letters, which is done once there are rows.

    asked: whether they were named by an option; else they are those of a model, of which a table may have
    others.
    """

    columns: tuple[str, ...]
    linker: str | None = None
    asked: bool = True
    lengths: dict[str, int] = field(default_factory=dict)

    @property
    def joined(self) -> Joined | None:
        """What was found so far; None where nothing was joined."""
        if not self.lengths:
            return None
        return Joined(self.columns, self.linker or "", tuple(self.lengths[name] for name in self.columns))

    def join(
        self, batches: Iterator[TableBatch], column: str, source: str, sequence_columns: Sequence[str]
    ) -> Iterator[TableBatch]:
        """The batches with a further ``column`` of joined sequences.

        sequence_columns: names of columns that have whole sequences, which go first where nothing was asked
        for. Raises InputError for a column that is missing or has an empty cell.
        """
        for batch in batches:
            whole = any(name in batch.columns for name in sequence_columns)
            if whole or not (self.asked or set(self.columns) <= set(batch.columns)):
                yield batch
                continue
            choose_columns(list(batch.columns), self.columns, source)
            parts = [["".join(cell.split()) for cell in batch.columns[name]] for name in self.columns]
            for name, cells in zip(self.columns, parts, strict=True):
                if "" in cells:
                    line = batch.lines[cells.index("")]
                    raise InputError(f"column '{name}' is empty here", path=source, line=line)
                self._measure(name, cells)
            if self.linker is None:
                self.linker = "" if all(map(_NUCLEOTIDES.issuperset, parts[0])) else LINKER
            made = [self.linker.join(row) for row in zip(*parts, strict=True)]
            how = f"{' and '.join(self.columns)} joined" + (f" by {self.linker}" if self.linker else "")
            dialect = "; ".join(filter(None, (batch.dialect, how)))
            yield replace(batch, columns={**batch.columns, column: made}, dialect=dialect)

    def _measure(self, name: str, cells: Sequence[str]) -> None:
        """Keep the length of a column as long as it is the same everywhere."""
        found = {len(cell) for cell in cells} | {self.lengths.get(name, len(cells[0]))}
        self.lengths[name] = found.pop() if len(found) == 1 else 0
