"""Where designs begin: sequences of a file, or noise; one set for each length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints._build import build_rules
from seqdesign.constraints._check import find_conflict
from seqdesign.constraints._options import ConstraintOptions
from seqdesign.constraints._rules import Rules
from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.options import encode_with, file_format
from seqdesign.sequences.reader import SequenceSet, read_sequences

if TYPE_CHECKING:
    from seqdesign.commands.maximize import MaximizeConfig

BLOCK = 256
NEED_A_START = ("keep", "max_edits", "translate")
"""Constraints that refer to the sequence a design is made from."""


@dataclass(frozen=True)
class StartSet:
    """N starts of one length L, ``copies`` in a row for each of G parents, or one group from noise.

    tokens: (N, L), obeying the rules. parents: (G, L) as they were read, None from noise. groups: (N,).
    """

    options: ConstraintOptions
    alphabet: Alphabet
    tokens: Tensor
    groups: Tensor
    parents: Tensor | None
    ids: Sequence[str]
    """Of the parents."""
    sequences: Sequence[str]
    """Of the parents."""
    source: str | None

    def rules(self, index: Tensor) -> Rules:
        """The rules of some starts (n,)."""
        parents = self.tokens[index] if self.parents is None else self.parents[self.groups[index]]
        ids = [self.ids[g] for g in self.groups[index].tolist()] if self.ids else ()
        return build_rules(
            self.options, self.alphabet, parents, parents.device, ids=ids, source=self.source
        )


def design_length(config: MaximizeConfig, model_lengths: tuple[int, int, int] | None) -> int | None:
    """Letters of designs from noise; None when they come from a file.

    model_lengths: the shortest, typical and longest sequence that the model learned from. Raises UsageError.
    """
    if config.start is not None:
        return None
    if config.template is not None:
        if config.length not in (None, len(config.template)):
            raise UsageError(
                f"the template has {len(config.template)} letters, got --length {config.length}; leave it out",
                option="--length",
            )
        return len(config.template)
    if config.length is not None:
        return config.length
    if model_lengths is None:
        raise UsageError("is missing: say how long a design shall be, or give --template or --start", option="--length")
    return model_lengths[1]


def noise_starts(config: MaximizeConfig, alphabet: Alphabet, length: int, num: int, device: torch.device) -> StartSet:
    """``num`` random sequences that obey the rules. Raises UsageError and InputError."""
    for name in NEED_A_START:
        if getattr(config, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError("refers to the sequence that a design is made from, so it needs --start", option=option)
    rng = torch.Generator().manual_seed(config.seed)
    preference = torch.rand(num, length, alphabet.size, generator=rng).to(device)
    groups = torch.zeros(num, dtype=torch.long, device=device)
    made = StartSet(config, alphabet, preference.argmax(2), groups, None, (), (), None)
    return _repaired(made, preference)


def read_starts(
    config: MaximizeConfig, alphabet: Alphabet, copies: int, device: torch.device, max_length: int | None
) -> Iterator[StartSet]:
    """The sequences of ``--start``, those of one length together. Raises InputError and UsageError."""
    assert config.start is not None
    records = read_sequences(
        config.start,
        sequence_column=config.sequence,
        outcome=config.outcome,
        id_column=config.id_,
        format=file_format(config),
        on_missing="unlabelled",
    )
    array = encode_with(config, records, alphabet, max_length=max_length)
    records = records.take(array.kept)
    if not len(array):
        raise InputError("no record is left after --on-unknown skip", path=records.source)
    for length in np.unique(array.lengths):
        mine = np.flatnonzero(array.lengths == length)
        tokens = torch.from_numpy(array.tokens[mine, :length].astype(np.int64)).to(device)
        yield _copied(config, alphabet, tokens, records.take(mine), copies)


def _copied(
    config: MaximizeConfig, alphabet: Alphabet, parents: Tensor, records: SequenceSet, copies: int
) -> StartSet:
    groups = torch.arange(len(parents), device=parents.device).repeat_interleave(copies)
    sequences = records.sequences if alphabet.case_sensitive else [s.upper() for s in records.sequences]
    made = StartSet(
        config, alphabet, parents[groups], groups, parents, records.ids, sequences, records.source
    )
    letters = torch.arange(alphabet.size, device=parents.device)
    preference = (parents.unsqueeze(2) == letters).float()
    # Where a parent breaks a rule, its copies take different ways out.
    rng = torch.Generator().manual_seed(config.seed)
    noise = 0.1 * torch.rand(len(groups), *preference.shape[1:], generator=rng).to(parents.device)
    return _repaired(made, preference[groups] + noise)


def _repaired(made: StartSet, preference: Tensor) -> StartSet:
    """The same set with starts that obey the rules. Raises InputError that names what contradicts what."""
    parts = []
    for index in torch.arange(len(preference), device=preference.device).split(BLOCK):
        rules = made.rules(index)
        local = torch.arange(len(index), device=index.device)
        tokens, good = rules.repair(preference[index], local)
        if not bool(good.all()):
            conflict = find_conflict(rules, made.tokens[index])
            row = conflict.row if conflict is not None else int((~good).nonzero()[0])
            what = (
                conflict.message
                if conflict is not None
                else "no sequence was found that obeys the constraints; loosen one of them"
            )
            who = made.ids[int(made.groups[index[row]])] if made.ids else None
            raise InputError(what, path=made.source, record=who)
        parts.append(tokens)
    return replace(made, tokens=torch.cat(parts))
