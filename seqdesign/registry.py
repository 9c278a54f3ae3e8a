"""Extension points found by file name and imported on first use, with entry-point plug-ins beside them.

A designer is a file such as ``seqdesign/designers/methods/adalead.py``; its name on the command line is
the file name with dashes. A plug-in is an entry point of the group ``seqdesign.designers``. Nothing is
imported to list names, so a broken member costs nothing until it is asked for.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import warnings
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

from seqdesign.config import suggest
from seqdesign.errors import SeqDesignError, UsageError


class PluginWarning(UserWarning):
    """A plug-in cannot be used; everything else works."""


class PluginError(SeqDesignError):
    """A plug-in that was asked for by name cannot be loaded."""


class Registry:
    """Members of one kind: the modules of ``package`` and the entry points of ``group``.

    Args:
        kind: singular noun for messages, such as ``"optimizer"``.
        package: dotted name of the package whose files are the members; files starting with ``_`` are
        helpers. group: entry-point group of plug-ins; ``seqdesign.<last part of package>`` when not given.
    """

    def __init__(self, kind: str, package: str, group: str | None = None) -> None:
        self.kind = kind
        self.package = package
        self.group = group or f"seqdesign.{package.rpartition('.')[2]}"

    def __repr__(self) -> str:
        return f"Registry({self.kind!r}, {self.package!r}, {self.group!r})"

    def __contains__(self, name: object) -> bool:
        return name in self._modules or name in self._plugins

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    @property
    def built_in(self) -> frozenset[str]:
        """Names of the members that are files of this package."""
        return frozenset(self._modules)

    def names(self) -> tuple[str, ...]:
        """All names, sorted; nothing but the package itself is imported."""
        return tuple(sorted({*self._modules, *self._plugins}))

    def load(self, name: str) -> Any:
        """The member itself: of a file, the object named as the file if there is one, else the module.

        Raises:
            UsageError: no member has this name; says which exist and which is nearest.
            PluginError: the name is a plug-in that fails to import.
        """
        if name in self._modules:
            module = importlib.import_module(self._modules[name])
            return getattr(module, name.replace("-", "_"), module)
        if name not in self._plugins:
            known = ", ".join(self.names()) or "none"
            raise UsageError(
                f"unknown {self.kind} '{name}'; must be one of: {known}{suggest(name, self.names())}"
            )
        try:
            return self._plugins[name].load()
        except (Exception, SystemExit) as error:  # a plug-in may raise anything while it is imported
            raise PluginError(self._broken(name, error)) from error

    def module(self, name: str) -> Any:
        """The module behind a built-in member, for what stands beside it (its Config); else as ``load``."""
        return importlib.import_module(self._modules[name]) if name in self._modules else self.load(name)

    def available(self) -> dict[str, Any]:
        """Every member that loads; a plug-in that does not is a PluginWarning."""
        found = {}
        for name in self.names():
            try:
                found[name] = self.load(name)
            except PluginError as error:
                warnings.warn(str(error), PluginWarning, stacklevel=2)
        return found

    @functools.cached_property
    def _modules(self) -> dict[str, str]:
        paths = importlib.import_module(self.package).__path__
        files = (found.name for found in pkgutil.iter_modules(paths))
        return {
            name.replace("_", "-"): f"{self.package}.{name}" for name in files if not name.startswith("_")
        }

    @functools.cached_property
    def _plugins(self) -> dict[str, EntryPoint]:
        from importlib.metadata import entry_points

        found: dict[str, EntryPoint] = {}
        for point in entry_points(group=self.group):
            name = point.name.replace("_", "-")
            if name in self._modules or name in found:
                owner = "a built-in" if name in self._modules else f"'{found[name].value}'"
                message = (
                    f"{self.kind} plug-in '{name}' ({point.value}) is ignored: the name belongs to {owner}"
                )
                warnings.warn(message, PluginWarning, stacklevel=2)
            else:
                found[name] = point
        return found

    def _broken(self, name: str, error: BaseException) -> str:
        point = self._plugins[name]
        origin = f"{point.value}, from {point.dist.name}" if point.dist else point.value
        reason = f"{type(error).__name__}: {error}"
        return f"{self.kind} plug-in '{name}' ({origin}) cannot be loaded: {reason}; update or uninstall it"
