"""What a config class says about its fields: types, rules, help. ``seqdesign.config`` is the public face."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import linecache
import re
import sys
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

REQUIRED: Any = dataclasses.MISSING
"""Default of a field that has none and must be given."""

_SCALARS: dict[type, str] = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH"}
_WANTED = {
    int: "a whole number",
    float: "a finite number",
    str: "text",
    Path: "a file path",
    bool: "true or false",
}


@dataclass(frozen=True)
class Positional:
    """The field is an argument, not an option; ``metavar`` is what the help calls it."""

    metavar: str | None = None


WrittenKind = Literal["sequences", "table", "page", "drawing", "motifs", "folder", "campaign", "any"]


@dataclass(frozen=True)
class Written:
    """The field names a file or folder that the command writes; ``kind`` is what it will hold."""

    kind: WrittenKind = "any"


@dataclass(frozen=True, init=False)
class MadeBy:
    """The field names a model's folder; ``commands`` are those that make such a model."""

    commands: tuple[str, ...]

    def __init__(self, *commands: str) -> None:
        object.__setattr__(self, "commands", commands)


@dataclass(frozen=True, init=False)
class Flag:
    """Further names of the option, such as ``Flag("-n")``."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


@dataclass(frozen=True)
class Between:
    """Closed numeric range, open at an end where asked; ``None`` leaves that end free."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in the range."""
        if self.low is not None and (value < self.low or (self.low_open and value == self.low)):
            return False
        return self.high is None or not (value > self.high or (self.high_open and value == self.high))

    def __str__(self) -> str:
        low = "" if self.low is None else f"{self.low} {'<' if self.low_open else '<='} "
        high = "" if self.high is None else f" {'<' if self.high_open else '<='} {self.high}"
        return f"{low}x{high}"


@dataclass(frozen=True)
class FieldSpec:
    """What the command line and the config file need to know about one field."""

    name: str
    option: str
    """Name as the user types it: ``--alpha-scale``, or the metavar of a positional."""
    type: Any
    """Annotation without ``Annotated``."""
    kinds: tuple[Any, ...]
    """Alternatives in the order tried: scalar types and tuples of allowed strings."""
    default: Any
    help: str
    panel: str
    optional: bool
    repeatable: bool
    positional: bool
    flags: tuple[str, ...]
    between: Between | None
    written: WrittenKind | None
    """What the command writes there, if it names a file or folder that is written."""
    made_by: tuple[str, ...] = ()
    """The commands that make what it names, if that is a model's folder."""

    @property
    def reads(self) -> bool:
        """Whether it names files or folders that the command reads."""
        return Path in self.kinds and self.written is None and self.name != "config"

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is REQUIRED

    @property
    def is_bool(self) -> bool:
        """Whether the option is an on/off switch."""
        return self.kinds == (bool,)

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed words, empty when any value of the type goes."""
        return tuple(word for kind in self.kinds if isinstance(kind, tuple) for word in kind)

    @property
    def metavar(self) -> str:
        """Stand-in for the value in help: ``INT``, ``a|b`` or ``INT|auto``."""
        return "|".join("|".join(kind) if isinstance(kind, tuple) else _SCALARS[kind] for kind in self.kinds)

    @property
    def wanted(self) -> str:
        """What a value must be, for messages."""
        return " or ".join(self._wanted(kind) for kind in self.kinds)

    def _wanted(self, kind: Any) -> str:
        if isinstance(kind, tuple):
            return f"one of {', '.join(kind)}" if len(kind) > 1 else f"'{kind[0]}'"
        return (
            f"{_WANTED[kind]} with {self.between}" if self.between and kind in (int, float) else _WANTED[kind]
        )


def fields_of(cls: type) -> tuple[FieldSpec, ...]:
    """Describe every field of a config class, in declaration order.

    Raises:
        TypeError: a field has a type that options cannot carry.
    """
    return _cached_fields(cls)


@functools.cache
def _cached_fields(cls: type) -> tuple[FieldSpec, ...]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return tuple(_spec(cls, field, hints[field.name]) for field in dataclasses.fields(cls))


def _spec(cls: type, field: dataclasses.Field[Any], hint: Any) -> FieldSpec:
    marks: tuple[Any, ...] = ()
    if typing.get_origin(hint) is Annotated:
        marks, hint = hint.__metadata__, hint.__origin__
    positional = next((mark for mark in marks if isinstance(mark, Positional)), None)
    kinds, optional, repeatable = _kinds(hint, f"{cls.__name__}.{field.name}")
    base = field.name.rstrip("_")
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    owner = [c for c in cls.__mro__ if field.name in inspect.get_annotations(c)]
    return FieldSpec(
        name=field.name,
        option=(positional.metavar or base.upper()) if positional else f"--{base.replace('_', '-')}",
        type=hint,
        kinds=kinds,
        default=default,
        help=next(filter(None, (_field_docs(c).get(field.name) for c in owner)), ""),
        panel=_panel(owner[-1]),
        optional=optional,
        repeatable=repeatable,
        positional=positional is not None,
        flags=tuple(name for mark in marks if isinstance(mark, Flag) for name in mark.names),
        between=next((mark for mark in marks if isinstance(mark, Between)), None),
        written=next((mark.kind for mark in marks if isinstance(mark, Written)), None),
        made_by=next((mark.commands for mark in marks if isinstance(mark, MadeBy)), ()),
    )


def _kinds(hint: Any, where: str) -> tuple[tuple[Any, ...], bool, bool]:
    """Alternatives, whether None is allowed, whether the option repeats."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return _kinds(args[0], where)[0], False, True
    if origin is Literal and all(isinstance(word, str) for word in args):
        return (args,), False, False
    if origin in (typing.Union, types.UnionType):
        parts = [_kinds(arg, where) for arg in args if arg is not type(None)]
        repeatable = any(part[2] for part in parts)
        return tuple(kind for part in parts for kind in part[0]), type(None) in args, repeatable
    if hint in _WANTED:
        return (hint,), False, False
    raise TypeError(f"{where}: an option cannot have the type {hint}")


def _panel(cls: type) -> str:
    """Heading of the group in ``--help``: the class's own PANEL, or its name in words."""
    if "PANEL" in cls.__dict__:
        return str(cls.__dict__["PANEL"])
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", cls.__name__).split()
    head = [w if w.isupper() else w.lower() for w in words if w not in ("Config", "Options")]
    text = " ".join([*head, "options"])
    return text[0].upper() + text[1:]


@functools.cache
def _field_docs(cls: type) -> dict[str, str]:
    """Docstrings under the fields of one class body, read from its source; they do not exist at run time."""
    module = sys.modules[cls.__module__]
    lines = linecache.getlines(getattr(module, "__file__", None) or "", vars(module))
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse("".join(lines))):
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            for item, below in zip(node.body, node.body[1:], strict=False):
                is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and is_text:
                    found[item.target.id] = " ".join(str(below.value.value).split())  # type: ignore[attr-defined]
    return found


def panels_of(cls: type) -> tuple[str, ...]:
    """Headings in the order of help: the class's own options, then those of its bases as they are written."""
    return tuple(dict.fromkeys(_panel(c) for c in cls.__mro__ if c is not object))
