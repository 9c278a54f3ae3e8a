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
from seqdesign.errors import InputError
from seqdesign.metrics.edits import carry_over, edit_list, levenshtein
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
    letters: LetterPolicy | None = None,
    first_position: int = 1,
    device: torch.device | str = "cpu",
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> list[Translation]:
    """The most probable translation of each record to a side, a or b, in their order.

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
    bound = rules != EditOptions()
    found: list[str] = []
    back: list[str] = []
    for first in range(0, len(array), BLOCK):
        rows = range(first, min(first + BLOCK, len(array)))
        part, block = array.take(rows), records.take(rows)
        if bound:
            made = _bound(trained, part, block, side, rules, first_position)
        else:
            made = _free(trained, part, side)
        found += decode(made.cpu(), alphabet)
        other = next(name for name in SIDES if name != side)
        back += decode(trained.model.translate(trained.model.symbols(made), other).cpu(), alphabet)
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


@torch.no_grad()
def _free(trained: TrainedTranslator, part: TokenArray, side: str) -> Tensor:
    """Tokens (N, L) of translations that may be anything; END behind the last letter."""
    return trained.model.translate(_symbols(trained, part), side)


@torch.no_grad()
def _bound(
    trained: TrainedTranslator,
    part: TokenArray,
    block: SequenceSet,
    side: str,
    options: EditOptions,
    first_position: int,
) -> Tensor:
    """Tokens (N, L) of translations that obey the rules, each as long as its source.

    The most probable letters that do: for every length by itself, since rules speak of positions.
    """
    model = trained.model
    symbols = _symbols(trained, part)
    logits = model.towards(side)(model.one_hot(symbols)).log_softmax(1)
    made = torch.full_like(symbols, trained.model.vocabulary.pad)
    by_length: dict[int, list[int]] = defaultdict(list)
    for row, length in enumerate(part.lengths.tolist()):
        by_length[length].append(row)
    for length, rows in by_length.items():
        ids = [block.ids[row] for row in rows]
        starts = symbols[rows, :length]
        rules = build_rules(
            options,
            trained.record.alphabet,
            starts,
            starts.device,
            ids=ids,
            source=block.source or None,
            first=first_position,
        )
        check_feasible(rules, starts, ids=ids, source=block.source or None)
        preference = logits[rows, : trained.record.alphabet.size, :length].transpose(1, 2)
        tokens, good = rules.repair(preference, torch.arange(len(rows), device=starts.device))
        bad = (~good).nonzero().flatten().tolist()
        if bad:
            raise InputError(
                "no translation was found that obeys all rules; loosen one of them",
                path=block.source,
                record=ids[bad[0]],
            )
        made[rows, :length] = tokens
    return made


def _symbols(trained: TrainedTranslator, part: TokenArray) -> Tensor:
    """(N, L) on the model's device."""
    device = next(trained.model.parameters()).device
    width = trained.record.max_length
    tokens = torch.from_numpy(part.tokens[:, :width].astype(np.int64))
    return trained.model.symbols(tokens.to(device))
