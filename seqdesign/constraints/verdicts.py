"""Whether sequences obey rules, why not, and the smallest change after which they do.

Shapes: N sequences of at most L letters, V letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.constraint import Violation
from seqdesign.constraints.options import ConstraintOptions, LetterRules
from seqdesign.constraints.rules import Rules
from seqdesign.errors import SeqDesignError
from seqdesign.sequences.alphabets import STOP, Alphabet
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.genetic_code import genetic_code

BLOCK = 256
"""Sequences of one length that are mended side by side."""


@dataclass(frozen=True)
class Verdict:
    """What rules say of one sequence, and what was made of it."""

    violations: tuple[Violation, ...]
    """Empty exactly when it obeys all rules."""
    mended: str | None = None
    """A sequence that obeys them, where one was asked for and found."""
    changes: int = 0
    """Letters that were changed for it."""

    @property
    def ok(self) -> bool:
        """Whether it obeys all rules as it is."""
        return not self.violations


def judge(
    sequences: Sequence[str],
    options: LetterRules,
    alphabet: Alphabet,
    *,
    mend: bool = False,
    coding: bool = False,
    codon_table: int = 1,
) -> list[Verdict]:
    """What the rules say of each sequence, which must have letters of the alphabet only.

    mend: also look for the nearest sequence of the same length that obeys them. coding: each sequence is a
    reading frame, whose protein must stay; one that is none breaks a rule. codon_table: the genetic code.
    Raises UsageError for rules that cannot be read or that no sequence of these lengths could break.
    """
    if not sequences:
        return []
    array = encode(sequences, alphabet)
    tokens = torch.from_numpy(array.tokens).long()
    lengths = torch.from_numpy(array.lengths).long()
    rules = build_rules(options, alphabet, tokens, lengths=lengths, shortest=int(lengths.min()))
    good = rules.is_feasible(tokens, torch.arange(len(tokens)))
    found = []
    for i, fine in enumerate(good.tolist()):
        said = [] if fine else rules.explain(tokens[i], i)
        if coding:
            said = [*frame_problems(sequences[i], codon_table), *said]
        found.append(Verdict(tuple(said)))
    if mend:
        _mend(found, tokens, lengths, options, alphabet, rules, codon_table if coding else None)
    return found


def frame_problems(sequence: str, codon_table: int) -> list[Violation]:
    """Why a sequence is no reading frame from its first to its last letter."""
    text = sequence.upper().replace("U", "T")
    if len(text) % 3:
        return [Violation("--coding", f"{len(text)} letters are not a multiple of 3")]
    acids = genetic_code(codon_table).acids
    return [
        Violation("--coding", f"the stop codon {text[i : i + 3]} inside the reading frame", i + 1, i + 3)
        for i in range(0, len(text) - 3, 3)
        if acids.get(text[i : i + 3]) == STOP
    ]


def _mend(
    found: list[Verdict],
    tokens: Tensor,
    lengths: Tensor,
    options: LetterRules,
    alphabet: Alphabet,
    judges: Rules,
    codon_table: int | None,
) -> None:
    """Put what could be mended into the verdicts."""
    broken = [
        i
        for i, v in enumerate(found)
        if not v.ok and not any(x.constraint == "--coding" for x in v.violations)
    ]
    for length in sorted({int(lengths[i]) for i in broken}):
        mine = torch.tensor([i for i in broken if lengths[i] == length])
        for rows in mine.split(BLOCK):
            own = tokens[rows, :length]
            try:
                rules = build_rules(_options(options, length, codon_table), alphabet, own, skip_idle=True)
            except SeqDesignError:
                continue  # such a rule holds for no sequence of this length
            better, done = rules.repair(one_hot(own, alphabet.size).float(), torch.arange(len(own)))
            for k, i in enumerate(rows.tolist()):
                if not bool(done[k]):
                    continue
                near = _reverted(rules, own[k], better[k], k)
                whole = tokens[i].clone()
                whole[:length] = near
                if bool(judges.is_feasible(whole[None], torch.tensor([i]))):
                    changes = int((near != own[k]).sum())
                    found[i] = replace(found[i], mended=decode(near[None], alphabet)[0], changes=changes)


def _options(options: LetterRules, length: int, codon_table: int | None) -> ConstraintOptions:
    """The rules of sequences of one length, with the protein if there is one."""
    stated = {spec.name: getattr(options, spec.name) for spec in fields(LetterRules)}
    if codon_table is None:
        return ConstraintOptions(**stated)
    return ConstraintOptions(**stated, translate=(f"1-{length}",), codon_table=codon_table)


def _reverted(rules: Rules, own: Tensor, better: Tensor, row: int) -> Tensor:
    """The mended sequence (L,) without the changes that it can do without, one after the other."""
    while True:
        places = (own != better).nonzero().flatten()
        tried = better.repeat(len(places), 1)
        tried[torch.arange(len(places)), places] = own[places]
        good = rules.is_feasible(tried, torch.full((len(places),), row)).nonzero().flatten()
        if not len(good):
            return better
        better = tried[int(good[0])]
