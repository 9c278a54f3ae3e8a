"""What may have been meant by an option that a command does not have."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Sequence

from seqdesign.config import FieldSpec, fields_of
from seqdesign_cli.commands import COMMANDS

ALIKE = 0.65
"""Share of letters that two names must have in common to be taken for each other."""
VERY_ALIKE = 0.8
"""The same where the other is an option of another command."""
MOST = 3
"""Options or commands that are named."""


def meant(typed: str, command: str, specs: Sequence[FieldSpec]) -> str:
    """Words such as ``did you mean --forbid?``, "" where nothing is like it.

    Args:
        typed: the option, with its dashes.
        command: name of the command that lacks it.
        specs: the fields of that command.
    """
    options = [spec.option for spec in specs if not spec.positional]
    elsewhere = {name: fields for name, fields in _all_fields() if name != command}
    same = {
        name: spec
        for name, fields in elsewhere.items()
        for spec in fields
        if typed == spec.option or typed in spec.flags
    }
    if any(spec.written is not None for spec in same.values()):
        places = [spec.option for spec in specs if spec.written is not None and not spec.positional]
        return f"files are named by {_listed(places)}" if places else f"{command} writes no file"
    if same:
        return f"{_listed([*same][:MOST])} {'has' if len(same) == 1 else 'have'} it, {command} has not"
    if near := _near(typed, options):
        return f"did you mean {_listed(near)}?"
    others = {spec.option: name for name, fields in elsewhere.items() for spec in fields}
    close = _near(typed, others, VERY_ALIKE)
    return f"did you mean {close[0]} of {others[close[0]]}?" if close else ""


def _near(typed: str, options: Iterable[str], alike: float = ALIKE) -> list[str]:
    """The options whose names, without dashes, begin or end the one that was typed, or are most like it."""
    names, word = {option.strip("-"): option for option in options}, typed.strip("-")
    close = difflib.get_close_matches(word, names, MOST, alike)
    parts = [name for name in names if word.startswith(f"{name}-") or word.endswith(f"-{name}")]
    return [names[name] for name in dict.fromkeys((close or parts)[:MOST])]


def _all_fields() -> Iterable[tuple[str, Sequence[FieldSpec]]]:
    for name, row in COMMANDS.items():
        yield name, fields_of(getattr(importlib.import_module(row.module), row.config))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
