"""Every error that a user can cause, as one small tree.

    SeqDesignError              exit 1   anything this package reports on purpose
    ├── UsageError              exit 2   an option or config key is wrong
    ├── InputError              exit 1   a file, record or value that was read is wrong
    │   └── UnknownLetterError  exit 1   a letter outside the alphabet
    ├── ModelError              exit 1   a model folder is missing, damaged or of the wrong kind
    ├── TrainingError           exit 1   training cannot go on (NaN loss, out of memory)
    ├── OutputError             exit 1   a result cannot be written
    └── MissingExtraError       exit 1   an optional package is not installed

A message says what is wrong, what was expected, what was found, and how to fix it, in one line.
Where a place in a file is known, it stands in front as ``FILE:LINE:``.
"""

from __future__ import annotations

import os


class SeqDesignError(Exception):
    """Base of all errors that seqdesign raises on purpose; the command line prints one line of it."""

    exit_code = 1


class UsageError(SeqDesignError):
    """An option, argument or config key is wrong. ``option`` names it as the user typed it."""

    exit_code = 2

    def __init__(self, message: str, *, option: str | None = None) -> None:
        self.option = option
        super().__init__(f"{option}: {message}" if option else message)


class InputError(SeqDesignError):
    """Something that was read is wrong; carries the file, line (1-based) and record where known."""

    def __init__(
        self,
        message: str,
        *,
        path: str | os.PathLike[str] | None = None,
        line: int | None = None,
        record: str | None = None,
    ) -> None:
        self.path = None if path is None else os.fspath(path)
        self.line = line
        self.record = record
        place = "".join(f"{part}:" for part in (self.path, line) if part is not None)
        who = f"record '{record}': " if record is not None else ""
        super().__init__(f"{place} {who}{message}" if place else f"{who}{message}")


class UnknownLetterError(InputError):
    """A letter that the alphabet does not have; ``position`` is 1-based within the sequence."""

    def __init__(
        self,
        message: str,
        *,
        letter: str,
        position: int,
        path: str | os.PathLike[str] | None = None,
        line: int | None = None,
        record: str | None = None,
    ) -> None:
        self.letter = letter
        self.position = position
        super().__init__(message, path=path, line=line, record=record)


class ModelError(SeqDesignError):
    """A model folder is missing, incomplete, damaged, of another kind or of a newer format."""


class TrainingError(SeqDesignError):
    """Training cannot continue; the last good checkpoint is kept."""


class OutputError(SeqDesignError):
    """A result cannot be written; nothing that was there before is lost."""


class MissingExtraError(SeqDesignError):
    """An optional dependency is needed for what was asked."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs an optional package: pip install 'seqdesign[{extra}]'")
