"""Batteries: the named checks that every member of a kind must pass, run together.

A check is a function that asserts. A battery runs all of them and reports every failure by name, so that the
author of a plug-in sees at once what is missing, and can list what is known to fail with the reason why.
"""

from __future__ import annotations

import itertools
import traceback
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from seqdesign.config import suggest
from seqdesign.errors import UsageError

SubjectT = TypeVar("SubjectT")
FunctionT = TypeVar("FunctionT", bound=Callable[..., None])


class Battery(Generic[SubjectT]):
    """Checks of one kind of member, by name, in the order in which they are written.

    Args:
        kind: singular noun for messages, such as ``"designer"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._checks: dict[str, Callable[[SubjectT], None]] = {}

    def check(self, **variants: Mapping[str, Any] | Iterable[Any]) -> Callable[[FunctionT], FunctionT]:
        """Register a function of the subject; with variants, once for each combination of their values.

        The keys of a mapping name its values.
        """

        def register(function: FunctionT) -> FunctionT:
            choices = [
                [(name, str(key), value) for key, value in _labelled(values)]
                for name, values in variants.items()
            ]
            for chosen in itertools.product(*choices):
                listed = ", ".join(f"{name}={label}" for name, label, _ in chosen)
                name = f"{function.__name__}[{listed}]" if listed else function.__name__
                self._checks[name] = _with(function, {name: value for name, _, value in chosen})
            return function

        return register

    def names(self) -> list[str]:
        """Names of all checks."""
        return list(self._checks)

    def run(
        self,
        subject: SubjectT,
        *,
        name: str,
        checks: Iterable[str] | None = None,
        expected_failures: Mapping[str, str] | None = None,
    ) -> None:
        """Run the checks on ``subject``.

        Args:
            subject: what is checked.
            name: what messages call it.
            checks: names of the checks to run; all of them when None.
            expected_failures: check -> why it fails.

        Raises:
            AssertionError: lists every check that fails, and every expected failure that passes.
            UsageError: a check that does not exist, or Python runs without assertions (``-O``).
        """
        if not __debug__:
            raise UsageError("checks are assertions; run Python without -O and PYTHONOPTIMIZE")
        wanted = self.names() if checks is None else self._known(checks, "checks")
        excused = set(self._known(expected_failures or (), "expected_failures"))
        lines: list[str] = []
        raised: list[Exception] = []
        for check in wanted:
            error = self._failure(check, subject)
            if error is not None and check not in excused:
                lines.append(f"{check}: {_reason(error)}")
                raised.append(error)
            elif error is None and check in excused:
                lines.append(f"{check}: passes, but is listed in expected_failures; take it off the list")
        if lines:
            count = f"{len(lines)} of {len(wanted)} checks"
            listed = "".join(f"\n  {line}" for line in lines)
            cause = ExceptionGroup("failed checks", raised) if raised else None
            raise AssertionError(f"{self.kind} {name} fails {count}:{listed}") from cause

    def _failure(self, check: str, subject: SubjectT) -> Exception | None:
        try:
            self._checks[check](subject)
        except Exception as error:  # a member of somebody else may raise anything
            return error
        return None

    def _known(self, names: Iterable[str], argument: str) -> list[str]:
        names = list(names)
        for name in names:
            if name not in self._checks:
                raise UsageError(
                    f"there is no check {name!r} of a {self.kind}{suggest(name, self.names())}",
                    option=argument,
                )
        return names


def name_of(member: object) -> str:
    """What messages call a member: the name of a function, or of the class of an object that is called."""
    return str(getattr(member, "__name__", type(member).__name__)).replace("_", "-")


def default_options(member: Callable[..., Any]) -> Any:
    """The defaults of the class that the parameter ``options`` of a member is annotated with. UsageError."""
    kind = typing.get_type_hints(member).get("options")
    if not isinstance(kind, type) or kind is object:
        raise UsageError(
            f"is needed: the parameter 'options' of {name_of(member)} is annotated with no class of options",
            option="options",
        )
    return kind()


def _labelled(values: Mapping[str, Any] | Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    return values.items() if isinstance(values, Mapping) else ((value, value) for value in values)


def _with(function: Callable[..., None], given: Mapping[str, Any]) -> Callable[[Any], None]:
    """The check with the values of one variant; it takes the subject."""
    return lambda subject: function(subject, **given)


def _reason(error: Exception) -> str:
    """What went wrong in one line: the message, or the assertion itself where it has none."""
    message = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    if isinstance(error, AssertionError) and not message:
        return traceback.extract_tb(error.__traceback__)[-1].line or "an assertion fails"
    return message if isinstance(error, AssertionError) else f"{type(error).__name__}: {message}"
