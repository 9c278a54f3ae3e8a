"""From options to rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor

from seqdesign.constraints.constraint import Constraint
from seqdesign.constraints.options import ConstraintOptions, LetterRules
from seqdesign.constraints.rules import Rules
from seqdesign.constraints.starts import Starts
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import Alphabet

REGISTRY = Registry("constraint", "seqdesign.constraints.builtin", "seqdesign.constraints")


def build_rules(
    options: LetterRules,
    alphabet: Alphabet,
    parents: Tensor,
    device: torch.device | str = "cpu",
    *,
    lengths: Tensor | None = None,
    shortest: int | None = None,
    ids: Sequence[str] = (),
    source: str | None = None,
    first: int = 1,
    leave_out: Collection[str] = (),
    more: Sequence[Callable[[Starts], Constraint]] = (),
) -> Rules:
    """The rules that options state for designs of some starts.

    Every option named as a constraint makes one, or one for each of its values.

    parents: (N, L) int64. lengths: (N,); without, all parents have L letters. shortest: letters of a design
    at least; without, L. ids, source: for messages. first: number of the first
    position. leave_out: constraints that the caller sees to.
    more: what makes further ones, which no option states by itself.

    Raises UsageError for options that cannot be read or cannot work with the alphabet or the length,
    InputError for a start that an option cannot work with.
    """
    parents = parents.to(device)
    count, length = parents.shape
    starts = Starts(
        alphabet=alphabet,
        tokens=parents,
        lengths=torch.full((count,), length, device=device) if lengths is None else lengths.to(device),
        shortest=length if shortest is None else shortest,
        ids=ids,
        source=source,
        first=first,
        codon_table=options.codon_table if isinstance(options, ConstraintOptions) else 1,
    )
    found: list[Constraint] = []
    for name in REGISTRY.names():
        value = getattr(options, name.replace("-", "_"), None)
        if value is None or name in leave_out:
            continue
        make = REGISTRY.load(name)
        found += [make(str(text), starts) for text in (value if isinstance(value, tuple) else (value,))]
    found += [make(starts) for make in more]
    return Rules(
        found,
        num_starts=count,
        length=length,
        num_letters=alphabet.size,
        device=device,
        shortest=starts.shortest,
    )
