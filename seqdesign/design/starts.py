"""Where designs begin: sequences of a file, or noise; one set for each length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.check import find_conflict
from seqdesign.constraints.letters import linker_stays, near_parent, near_rows
from seqdesign.constraints.options import ConstraintOptions, flanks_of
from seqdesign.constraints.rules import Rules
from seqdesign.design.best_rows import best_rows, best_variants
from seqdesign.design.brief import Brief
from seqdesign.design.common import Leaning, leaning
from seqdesign.design.evidence import MakeConstraint
from seqdesign.errors import InputError, SeqDesignError, UsageError
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.fasta import check_header_ids
from seqdesign.sequences.options import encode_with, normal_records
from seqdesign.sequences.reader import SequenceSet

if TYPE_CHECKING:
    from seqdesign.design.model import DesignModel
    from seqdesign.training.measured import Measured

BLOCK = 256
NEARBY, FEWEST_EDITS = 0.05, 2
"""Share of its letters by which a design may differ from the measured sequence that it begins from, where it
must stay near it; and at least so many letters.
"""
NEAR = 1
"""Group of the starts that stay near measured sequences. Their designs are so far apart that each has another
of these sequences, as long as there are enough.
"""
NEED_A_START = ("keep", "max_edits", "translate")
"""Constraints that refer to the sequence a design is made from."""


@dataclass(frozen=True)
class StartSet:
    """N starts of one length L: ``copies`` in a row for each of G groups, ``directions`` groups for a parent.

    tokens: (N, L), obeying the rules. groups: (N,). parents: (P, L) as they were read, None from noise.
    """

    options: ConstraintOptions
    alphabet: Alphabet
    tokens: Tensor
    groups: Tensor
    directions: int
    parents: Tensor | None = None
    records: SequenceSet | None = None
    """The parents."""
    places: Sequence[int] = ()
    """Of the parents in their file."""
    more: tuple[MakeConstraint, ...] = ()
    """Constraints that follow from the training data."""
    first: int = 1
    """Number of the first position."""
    codes: Tensor | None = None
    """(N, d): what a generator made the starts from, where one did."""
    origins: Tensor | None = None
    """(P, l): what the parents come from by insertions and deletions, where they do."""
    indels: int = 0
    """Letters inserted and deleted in the parents."""
    near: tuple[Tensor, Tensor] | None = None
    """Sequences (N, L) of which each start keeps all but so many letters (N,) while it is worked on."""

    lean: Leaning | None = None
    """How designs lean on what rows have in common, where they do."""

    @property
    def compared(self) -> Tensor | None:
        """What designs are compared with: the parents (P, l) as they were read, None from noise."""
        return self.parents if self.origins is None else self.origins

    def parent_of(self, groups: Tensor) -> Tensor:
        """Rows of ``parents`` that groups (n,) belong to."""
        return groups // self.directions

    def rules(self, index: Tensor) -> Rules:
        """The rules of the starts with these indices (n,)."""
        if self.parents is None:
            if self.near is None:
                return self._rules(self.tokens[index], ())
            rows, limits = self.near
            return self._rules(self.tokens[index], (), (partial(near_rows, rows[index], limits[index]),))
        return self.rules_of(self.parent_of(self.groups[index]))

    def rules_of(self, parents: Tensor) -> Rules:
        """The rules of designs of these parents (n,); from noise there is one set of rules for all."""
        if self.parents is None or self.records is None:
            return self._rules(self.tokens[:1].expand(len(parents), -1), ())
        return self._rules(self.parents[parents], [self.records.ids[i] for i in parents.tolist()])

    def rule_names(self) -> tuple[str, ...]:
        """The constraints as typed."""
        rules = self.rules_of(torch.zeros(1, dtype=torch.long, device=self.tokens.device))
        return tuple(constraint.name for constraint in rules.constraints)

    def _rules(self, parents: Tensor, ids: Sequence[str], held: Sequence[MakeConstraint] = ()) -> Rules:
        source = None if self.records is None else self.records.source
        return build_rules(
            self.options,
            self.alphabet,
            parents,
            parents.device,
            ids=ids,
            source=source,
            first=self.first,
            more=(*self.more, *held),
        )


def design_length(brief: Brief, model: DesignModel) -> int:
    """Letters of designs from noise. Raises UsageError."""
    length, option = _asked_length(brief, model.typical_length)
    _check_length(brief, model, length, lambda message: UsageError(message, option=option))
    return length


def _check_length(
    brief: Brief, model: DesignModel, length: int, error: Callable[[str], SeqDesignError]
) -> None:
    """Raise ``error`` unless the model takes this length, with advice where it takes whole constructs."""
    left, right = flanks_of(brief.rules)

    def advised(message: str) -> SeqDesignError:
        whole = len(left) + length + len(right)
        if whole == length or model.scope is None or model.scope.objection(whole, "it") is not None:
            return error(message)
        ends = [f"1-{len(left)}"] if left else []
        ends += [f"{whole - len(right) + 1}-{whole}"] if right else []
        return error(
            f"{message}; it has learned from whole constructs, such as these {whole} letters with --left and "
            "--right: leave those out, and give the whole construct to --start with --keep "
            f"{','.join(ends)}, or to --template with N for what is designed"
        )

    model.check_length(length, advised)


def _asked_length(brief: Brief, typical: int | None) -> tuple[int, str]:
    """Letters of designs from noise, and the option that says so."""
    template = brief.rules.template
    if template is not None:
        if brief.length not in (None, len(template)):
            raise UsageError(
                f"the template has {len(template)} letters, got {brief.length}; leave it out",
                option="--length",
            )
        return len(template), "--template"
    if brief.length is not None:
        return brief.length, "--length"
    if typical is None:
        raise UsageError(
            "is missing: say how long a design shall be, or give --template or --start", option="--length"
        )
    return typical, "--length"


def noise_starts(brief: Brief, model: DesignModel, length: int, *, directions: int, copies: int) -> StartSet:
    """Random sequences, or those of a generator, that obey the rules. Raises UsageError and InputError."""
    for name in NEED_A_START:
        if getattr(brief.rules, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                "refers to the sequence that a design is made from, so it needs --start", option=option
            )
    rng = torch.Generator().manual_seed(brief.seed)
    alphabet, device = model.alphabet, model.device
    groups = torch.arange(directions, device=device).repeat_interleave(copies)
    codes, more, lean = None, more_rules(brief, model, length), None
    known = getattr(model.oracle, "known_sequences", None)
    if model.generator is None:
        measured = best_variants(model, brief.objective, brief.risk, length) if brief.only_seen else None
        if measured is not None and not brief.pareto:
            lean = leaning(model, model.composite(brief.objective, brief.risk), length)
        if measured is not None and lean is not None:
            measured = torch.cat([lean.letters[None], measured])
        preference = torch.rand(len(groups), length, alphabet.size, generator=rng).to(device)
        if known is not None and (texts := known(length)):
            # A search that begins where nothing has a value finds nothing.
            tokens = torch.from_numpy(encode(texts, alphabet).tokens.astype(np.int64))
            chosen = tokens[torch.randint(len(tokens), (len(groups),), generator=rng)].to(device)
            preference = preference + 2.0 * torch.nn.functional.one_hot(chosen, alphabet.size)
        elif measured is not None:
            chosen = measured[torch.arange(len(groups)) % len(measured)].to(device)
            preference = preference + 2.0 * torch.nn.functional.one_hot(chosen, alphabet.size)
    else:
        one = torch.zeros(1, length, dtype=torch.long, device=device)
        rules = build_rules(brief.rules, alphabet, one, device, first=brief.numbering.first, more=more)
        codes, preference = model.generator.draw(len(groups), rules, rng)
    made = StartSet(
        brief.rules,
        alphabet,
        preference.argmax(2),
        groups,
        directions,
        more=more,
        codes=codes,
        first=brief.numbering.first,
        lean=lean,
    )
    made = _repaired(made, preference)
    if brief.pareto or model.generator is not None or not brief.only_seen or known is not None:
        return made
    best = best_rows(model, brief.objective, brief.risk, length)
    return made if best is None else _and_near(made, best, max(1, brief.wanted // 2))


def _and_near(made: StartSet, best: Tensor, count: int) -> StartSet:
    """The same starts, and a group of ``count`` that begin at the best rows (n, L) and stay near them.

    What makes these rows good may depend on what no judge has words for, and is kept where little is changed.
    Without these where no row can obey the rules.
    """
    rows = best.to(made.tokens.device)[torch.arange(count) % len(best)]
    edits = max(FEWEST_EDITS, round(NEARBY * rows.shape[1]))
    limits = torch.full_like(rows[:, 0], edits)
    there = replace(made, tokens=rows, near=(rows, limits))
    preference = torch.nn.functional.one_hot(rows, made.alphabet.size).float()
    repaired, good = _repair(there, preference)
    if not bool(good.any()):
        return made
    good = torch.nonzero(good).flatten()
    chosen = good[torch.arange(count, device=good.device) % len(good)]
    free = made.tokens
    tokens = torch.cat([free, repaired[chosen]])
    anywhere = limits.new_full((len(free),), rows.shape[1])
    return replace(
        made,
        tokens=tokens,
        groups=(torch.arange(len(tokens), device=tokens.device) >= len(free)).long(),
        directions=2,
        near=(torch.cat([free, rows[chosen]]), torch.cat([anywhere, limits])),
    )


def read_starts(
    brief: Brief, model: DesignModel, records: SequenceSet, *, directions: int, copies: int
) -> Iterator[StartSet]:
    """The records, those of one length together. Raises InputError and UsageError."""
    alphabet, device = model.alphabet, model.device
    array = encode_with(brief.letters, records, alphabet)
    records = normal_records(brief.letters, records, array)
    if not len(array):
        raise InputError("no record is left after --on-unknown skip", path=records.source)
    check_header_ids(records.ids, records.source)
    for name, length in zip(records.ids, array.lengths.tolist(), strict=True):
        _check_length(brief, model, length, partial(InputError, path=records.source, record=name))
    for length in np.unique(array.lengths):
        mine = np.flatnonzero(array.lengths == length)
        parents = torch.from_numpy(array.tokens[mine, :length].astype(np.int64)).to(device)
        groups = torch.arange(len(mine) * directions, device=device).repeat_interleave(copies)
        owner = groups // directions
        made = StartSet(
            brief.rules, alphabet, parents[owner], groups, directions, parents, records.take(mine),
            mine.tolist(), more=more_rules(brief, model, int(length)), first=brief.numbering.first,
        )  # fmt: skip
        letters = torch.arange(alphabet.size, device=device)
        preference = (parents.unsqueeze(2) == letters).float()
        # Where a parent breaks a rule, its copies take different ways out.
        rng = torch.Generator().manual_seed(brief.seed)
        noise = 0.1 * torch.rand(len(groups), *preference.shape[1:], generator=rng).to(device)
        yield _repaired(made, preference[owner] + noise)


def more_rules(brief: Brief, model: DesignModel, length: int) -> tuple[MakeConstraint, ...]:
    """What training rules out for designs of ``length`` letters."""
    if model.evidence is None:
        return ()
    found = _linkers(model.evidence.measured, brief, model.alphabet, length)
    if not brief.only_seen:
        return found
    found = (*found, *model.evidence.constraints(length, own=brief.starts is not None))
    variants, own = model.evidence.variants, brief.starts is not None
    free = model.generator is None and brief.rules.max_edits is None
    if variants and free and length == model.evidence.length:
        parent, limit = torch.from_numpy(variants[0]), variants[1]
        found = (*found, partial(near_parent, parent, limit, own=own))
    return found


def _linkers(measured: Measured, brief: Brief, alphabet: Alphabet, length: int) -> tuple[MakeConstraint, ...]:
    """What keeps designs of ``length`` letters such that they can be cut where sequences were joined.

    Without a start the linker stands where most training sequences of this length have it.
    """
    joined = brief.numbering.joined
    if joined is None or not joined.linker or brief.indels:
        return ()
    linker = encode([joined.linker], alphabet).tokens[0].astype(np.int64)
    rows = measured.tokens[measured.lengths == length, :length]
    if length < len(linker):
        return ()
    places: list[int] = []
    if len(rows):
        windows = np.lib.stride_tricks.sliding_window_view(rows, len(linker), 1)
        patterns, counts = np.unique((windows == linker).all(2), axis=0, return_counts=True)
        places = np.flatnonzero(patterns[counts.argmax()]).tolist()
    return (partial(linker_stays, torch.from_numpy(linker), places),)


def _repaired(made: StartSet, preference: Tensor) -> StartSet:
    """The same set with starts that obey the rules. Raises InputError that names what contradicts what."""
    tokens, good = _repair(made, preference)
    if not bool(good.all()):
        bad = torch.nonzero(~good).flatten()[:1] // BLOCK * BLOCK
        index = torch.arange(int(bad), min(int(bad) + BLOCK, len(good)), device=good.device)
        raise _contradiction(made, made.rules(index), index, good[index])
    return replace(made, tokens=tokens)


def _repair(made: StartSet, preference: Tensor) -> tuple[Tensor, Tensor]:
    """Starts (N, L) that obey the rules, as far as they can (N,)."""
    parts = []
    for index in torch.arange(len(preference), device=preference.device).split(BLOCK):
        rules = made.rules(index)
        parts.append(rules.repair(preference[index], torch.arange(len(index), device=index.device)))
    tokens, good = zip(*parts, strict=True)
    return torch.cat(tokens), torch.cat(good)


def _contradiction(made: StartSet, rules: Rules, index: Tensor, good: Tensor) -> InputError:
    """What to say of the first start without a feasible sequence."""
    conflict = find_conflict(rules, made.tokens[index])
    row = int((~good).nonzero()[0]) if conflict is None else conflict.row
    what = "no sequence was found that obeys the constraints; loosen one of them"
    if conflict is not None:
        what = conflict.message
    if made.records is None:
        return InputError(what)
    parent = int(made.parent_of(made.groups[index[row]]))
    return InputError(what, path=made.records.source, record=made.records.ids[parent])
