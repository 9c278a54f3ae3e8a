"""From options to rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor

from seqdesign.constraints.constraint import Constraint
from seqdesign.constraints.context import context_of, in_context
from seqdesign.constraints.options import EditOptions, LetterRules
from seqdesign.constraints.positions import LOCAL
from seqdesign.constraints.rules import Rules
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError
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
    skip_idle: bool = False,
) -> Rules:
    """The rules that options state for designs of some starts.

    Every option named as a constraint makes one, or one for each of its values.

    parents: (N, L) int64. lengths: (N,); without, all parents have L letters. shortest: letters of a design
    at least; without, L. ids, source: for messages. first: number of the first position. leave_out:
    constraints that the caller sees to. more: what makes further ones, which no option states by itself.
    skip_idle: leave out what does not apply to designs of this length, such as windows that are longer; else
    that is an error.

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
        codon_table=options.codon_table if isinstance(options, EditOptions) else 1,
        frames=options.translate if isinstance(options, EditOptions) else (),
    )
    around = context_of(options.left, options.right, options.circular, alphabet, starts.device)
    found: list[Constraint] = []
    for name in REGISTRY.names():
        value = getattr(options, name.replace("-", "_"), None)
        if value is None or name in leave_out:
            continue
        make = REGISTRY.load(name)
        for text in value if isinstance(value, tuple) else (value,):
            beside = around if name in LOCAL and name not in options.without_flanks else None
            try:
                found.append(
                    make(str(text), starts) if beside is None else in_context(make, str(text), starts, beside)
                )
            except UsageError:
                if not skip_idle:
                    raise
    found += [make(starts) for make in more]
    return Rules(
        found,
        num_starts=count,
        length=length,
        num_letters=alphabet.size,
        device=device,
        shortest=starts.shortest,
    )
