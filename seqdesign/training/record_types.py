"""Whether the fields of a record hold what its class says, for records that come from a file."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any, Literal


def check_types(record: Any) -> None:
    """Raise TypeError for the first field of a dataclass whose value is not of the declared type.

    Numbers must be finite; tuples, unions, ``Literal`` and dataclasses inside are looked into.
    """
    hints = typing.get_type_hints(type(record))
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if not _fits(value, hints[field.name]):
            raise TypeError(f"{field.name} cannot be {str(value)[:60]!r}")


def _fits(value: Any, hint: Any) -> bool:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _fits(value, args[0])
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, arg) for arg in args)
    if origin is Literal:
        return value in args
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, args[0]) for item in value)
    if hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(hint, type):
        return True
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and isinstance(value, hint):
        check_types(value)
        return True
    return isinstance(value, hint)
