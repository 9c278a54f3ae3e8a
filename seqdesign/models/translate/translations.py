"""Translations of records by a trained model, under hard constraints where there are any.

Shapes: N records, L letters, V letters of the alphabet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.check import check_feasible
from seqdesign.constraints.options import EditOptions
from seqdesign.constraints.rules import Rules
from seqdesign.errors import InputError, UsageError
from seqdesign.metrics.edits import carry_over, edit_list, levenshtein
from seqdesign.models.translate.choosing import chosen
from seqdesign.models.translate.config import CHOOSE_FROM
from seqdesign.models.translate.model import SIDES
from seqdesign.models.translate.store import TrainedTranslator
from seqdesign.sequences.encoders import TokenArray, decode
from seqdesign.sequences.fasta import Record, check_header_ids, format_fields
from seqdesign.sequences.options import LetterPolicy, encode_with, normal_records
from seqdesign.sequences.reader import SequenceSet
from seqdesign.sequences.scope import Scope

BLOCK = 256
"""Records that are translated side by side."""


@dataclass(frozen=True, kw_only=True)
class Translation:
    """What became of one record."""

    id: str
    status: str
    """translated, or unchanged."""
    original: str
    translation: str
    to: str
    """The side that it was translated to: a or b."""
    edits: int
    edit_list: str
    returned: float
    """Share of the letters that the way back restores: low where the model has lost the source."""

    def fasta(self) -> Record:
        """The FASTA record."""
        fields = {
            "status": self.status,
            "to": self.to,
            "edits": self.edits,
            "edit_list": self.edit_list or None,
            "returned": f"{self.returned:.4g}",
        }
        return Record(
            self.id, format_fields({k: v for k, v in fields.items() if v is not None}), self.translation
        )

    def row(self) -> dict[str, Any]:
        """The table row."""
        return asdict(self)


def translations(
    trained: TrainedTranslator,
    records: SequenceSet,
    side: str,
    *,
    rules: EditOptions | None = None,
    choose_from: int = CHOOSE_FROM,
    letters: LetterPolicy | None = None,
    first_position: int = 1,
    device: torch.device | str = "cpu",
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> list[Translation]:
    """The best translation of each record to a side, a or b, in their order, out of ``choose_from``.

    rules: what every translation must obey; its length is then that of its source. Raises InputError and
    UsageError where a record or an option cannot be used.
    """
    rules, letters = rules or EditOptions(), letters or LetterPolicy()
    alphabet = trained.record.alphabet
    check_header_ids(records.ids, records.source)
    array = encode_with(letters, records, alphabet)
    records = normal_records(letters, records, array)
    scope = Scope(trained.record.min_length, trained.record.max_length)
    for row, why in scope.objections(array).items():
        raise InputError(f"{why}; leave it out", path=records.source, record=records.ids[row])
    trained.model.to(device)
    if trained.record.choices is None and choose_from not in (1, CHOOSE_FROM):
        raise UsageError(
            "has no effect on a model of an earlier version, which has no classifier; train it again",
            option="--choose-from",
        )
    bound = rules != EditOptions()
    found: list[str] = []
    back: list[str] = []
    for first in range(0, len(array), BLOCK):
        rows = range(first, min(first + BLOCK, len(array)))
        part, block = array.take(rows), records.take(rows)
        symbols = _symbols(trained, part)
        write = _obeying(trained, part, block, symbols, rules, first_position) if bound else None
        with torch.no_grad():
            made = chosen(trained.model, trained.record.chooser, symbols, side, choose_from, write)
            other = next(name for name in SIDES if name != side)
            back += decode(trained.model.translate(made, other).cpu(), alphabet)
        found += decode(made.cpu(), alphabet)
        on_step(rows.stop, len(array))
    known = decode(array.tokens, alphabet)
    told = zip(records.ids, records.sequences, known, found, back, strict=True)
    return [_told(*one, side) for one in told]


def _told(name: str, original: str, known: str, made: str, back: str, side: str) -> Translation:
    """``known`` is the original as the model reads it: what it did not change stays as it was written."""
    text = carry_over(original, known, made)
    edits = edit_list(original, text)
    return Translation(
        id=name,
        status="translated" if edits else "unchanged",
        original=original,
        translation=text,
        to=side,
        edits=len(edits),
        edit_list=",".join(edits),
        returned=1 - levenshtein(known, back) / max(1, len(known)),
    )


def _obeying(
    trained: TrainedTranslator,
    part: TokenArray,
    block: SequenceSet,
    symbols: Tensor,
    options: EditOptions,
    first_position: int,
) -> Callable[[Tensor], Tensor]:
    """What writes symbols (N, L) that obey the rules, by log-probabilities (N, S, L), as long as the sources.

    The most probable letters that do: for every length by itself, since rules speak of positions.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for row, length in enumerate(part.lengths.tolist()):
        by_length[length].append(row)
    built: dict[int, Rules] = {}
    for length, rows in by_length.items():
        ids = [block.ids[row] for row in rows]
        starts = symbols[rows, :length]
        built[length] = build_rules(
            options,
            trained.record.alphabet,
            starts,
            starts.device,
            ids=ids,
            source=block.source or None,
            first=first_position,
        )
        check_feasible(built[length], starts, ids=ids, source=block.source or None)

    def write(wish: Tensor) -> Tensor:
        made = torch.full_like(symbols, trained.model.vocabulary.pad)
        for length, rows in by_length.items():
            preference = wish[rows, : trained.record.alphabet.size, :length].transpose(1, 2)
            tokens, good = built[length].repair(preference, torch.arange(len(rows), device=symbols.device))
            bad = (~good).nonzero().flatten().tolist()
            if bad:
                raise InputError(
                    "no translation was found that obeys all rules; loosen one of them",
                    path=block.source,
                    record=block.ids[rows[bad[0]]],
                )
            made[rows, :length] = tokens
        return trained.model.symbols(made)

    return write


def _symbols(trained: TrainedTranslator, part: TokenArray) -> Tensor:
    """(N, L) on the model's device."""
    device = next(trained.model.parameters()).device
    width = trained.record.max_length
    tokens = torch.from_numpy(part.tokens[:, :width].astype(np.int64))
    return trained.model.symbols(tokens.to(device))
