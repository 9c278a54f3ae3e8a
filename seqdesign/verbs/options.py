"""From keyword arguments of a verb to the option groups of the command line, and errors that speak Python."""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from seqdesign.config import REQUIRED, FieldSpec, fields_of, part, resolve, suggest
from seqdesign.constraints.options import ConstraintOptions, LetterRules
from seqdesign.errors import SeqDesignError, UsageError
from seqdesign.rules import Rule
from seqdesign.rules import options as rule_options

P = ParamSpec("P")
R = TypeVar("R")

OptionsT = TypeVar("OptionsT")


RENAMED = {"set": "settings"}
"""Options whose argument has another name."""


def verb(*groups: type) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a public verb whose ``**options`` are the fields of ``groups``.

    Its signature and docstring name every option with default and help, and its errors name arguments
    (``on_unknown="skip"``) where the command line names flags (``--on-unknown skip``).
    """

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        own = inspect.signature(function)
        specs = {s.name: s for group in groups for s in fields_of(group) if s.name not in own.parameters}

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            unknown = [name for name in kwargs if name not in own.parameters and name not in specs]
            if unknown:
                known = [*own.parameters, *specs]
                raise TypeError(
                    f"{function.__name__}() has no option {unknown[0]!r}{suggest(unknown[0], known)}"
                )
            try:
                return function(*args, **kwargs)
            except SeqDesignError as error:
                error.args = (in_python(str(error), specs),)
                if isinstance(error, UsageError) and error.option is not None:
                    error.option = in_python(error.option, specs)
                raise

        kept = [p for p in own.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        called.__signature__ = own.replace(parameters=[*kept, *map(_parameter, specs.values())])  # type: ignore[attr-defined]
        called.__doc__ = f"{inspect.getdoc(function)}\n{_described(specs)}"
        return called

    return mark


def pick(group: type[OptionsT], options: Mapping[str, Any]) -> OptionsT:
    """The options that belong to ``group``. Raises UsageError for a wrong value."""
    names = {spec.name for spec in fields_of(group)}
    return resolve(group, {name: value for name, value in options.items() if name in names})


def in_python(message: str, specs: Mapping[str, FieldSpec]) -> str:
    """``--on-unknown skip`` as ``on_unknown="skip"``; a flag alone as the argument's name."""

    def said(match: re.Match[str]) -> str:
        name, word = match[1].replace("-", "_"), match[2]
        name = RENAMED.get(name, name)
        spec = specs.get(name) or specs.get(f"{name}_")
        if spec is not None and spec.is_bool:
            return f"{name}=True{'' if word is None else f' {word}'}"
        if word is None:
            return name
        if re.fullmatch(r"-?\d+(\.\d+)?", word):
            return f"{name}={word}"
        if spec is not None and (word in spec.choices or word.isupper()):
            return f'{name}="{word}"'
        return f"{name} {word}"

    return re.sub(r"(?<![\w-])--([a-z][a-z-]*[a-z])(?: ([\w.-]*\w))?", said, message)


def _parameter(spec: FieldSpec) -> inspect.Parameter:
    default = inspect.Parameter.empty if spec.default is REQUIRED else spec.default
    return inspect.Parameter(spec.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=spec.type)


def _described(specs: Mapping[str, FieldSpec]) -> str:
    """The section of a docstring about the options."""
    if not specs:
        return ""
    lines = [""]
    panel = ""
    for spec in specs.values():
        if spec.panel != panel:
            panel = spec.panel
            lines += ["", f"{panel}:"]
        text = f"{spec.name}: {spec.help}" + (
            "" if spec.default is REQUIRED else f" Default: {spec.default!r}."
        )
        text = in_python(text, specs)
        lines += textwrap.wrap(text, 104, initial_indent="    - ", subsequent_indent="      ")
    return "\n".join(lines)


def letter_rules(rules: Iterable[Rule]) -> LetterRules:
    """The rules that can hold without a start. Raises UsageError for others."""
    stated, own = rule_options(rules), {spec.name for spec in fields_of(LetterRules)}
    plain = ConstraintOptions()
    for spec in fields_of(ConstraintOptions):
        if spec.name not in own and getattr(stated, spec.name) != getattr(plain, spec.name):
            raise UsageError(f"{spec.name} refers to a start, and here is none", option="rules")
    return part(stated, LetterRules)
