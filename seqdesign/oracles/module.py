"""``module:function``: an object of an installed package or of a file in the current folder."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from torch import nn

from seqdesign.config import suggest
from seqdesign.errors import InputError
from seqdesign.oracles.foreign import foreign

PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")

FILE_PATTERN = re.compile(r"[^:]+\.py:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
"""A module by its file, which people write in the place of its name."""


def find_functions(spec: str) -> tuple[list[Callable[..., Any]], tuple[str, ...] | None]:
    """The functions that ``package.module:name`` means, and names of outcomes if it has an ``outcomes``.

    A module of torch, or a callable, is taken as it is. A class, or a function without parameters, is called
    once and what it makes is taken. A list or tuple is an ensemble. The current folder comes first, as with
    ``python -m``, and stays on the path, since a module may import more later.

    Raises InputError: there is no such module or name, importing or making it fails, or it cannot be called.
    """
    path, _, name = spec.partition(":")
    if path.endswith(".py") or "/" in path:
        raise InputError(f"{spec} must name a module, not a file; write {_as_module(path)}:{name}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    found = _attribute(_import(path), name, spec)
    if not isinstance(found, nn.Module) and callable(found) and _is_factory(found):
        try:
            with foreign(spec):
                found = found()
        except InputError:
            raise
        except Exception as error:  # anything can go wrong in there
            raise InputError(f"{spec} raised {type(error).__name__} when it was called: {error}") from error
    many = isinstance(found, list | tuple | nn.ModuleList)
    functions = list(found) if many else [found]
    for function in functions or [None]:
        if not callable(function):
            raise InputError(
                f"{spec} must be a function of one-hot sequences, a torch.nn.Module, a list of these, "
                f"or a class or function without parameters that makes one, got {type(function).__name__}"
            )
    names = getattr(found, "outcomes", None)
    return functions, None if names is None else tuple(map(str, names))


def _as_module(path: str) -> str:
    return path.removesuffix(".py").removeprefix("./").strip("/").replace("/", ".")


def _import(path: str) -> Any:
    try:
        with foreign(f"importing {path}"):
            return importlib.import_module(path)
    except InputError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise InputError(f"importing {path} needs the package {error.name}, not installed") from error
        raise InputError(
            f"there is no Python module {path}, neither in the current folder nor installed"
        ) from None
    except Exception as error:  # a module may raise anything while it is imported
        raise InputError(f"importing {path} raised {type(error).__name__}: {error}") from error


def _attribute(found: Any, name: str, spec: str) -> Any:
    for part in name.split("."):
        if not hasattr(found, part):
            there = [n for n in dir(found) if not n.startswith("_")]
            raise InputError(
                f"{spec}: {getattr(found, '__name__', type(found).__name__)} has no "
                f"{part}{suggest(part, there)}"
            )
        found = getattr(found, part)
    return found


def _is_factory(function: Callable[..., Any]) -> bool:
    if inspect.isclass(function):
        return True
    try:
        return not inspect.signature(function).parameters
    except (TypeError, ValueError):  # built-in functions do not say
        return False
