"""What a run says on stderr while it works."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from seqdesign.runs.printable import printable, printable_lines


def say(line: str, *, quiet: bool) -> None:
    """A message on stderr, unless ``quiet``."""
    if not quiet:
        _write(f"{printable_lines(line)}\n")


class Progress:
    """Live progress on stderr: a line redrawn on a terminal, lines now and then elsewhere."""

    def __init__(self, what: str, *, quiet: bool) -> None:
        self.what, self.quiet = what, quiet
        self.terminal = sys.stderr is not None and sys.stderr.isatty()
        self._next = 0.0
        self._open = False

    def update(self, done: int, total: int | None = None, note: str = "") -> None:
        """Show ``done``, of ``total`` if known: five times a second on a terminal, else every 15 seconds."""
        now = time.monotonic()
        if self.quiet or (now < self._next and done != total):
            return
        self._next = now + (0.2 if self.terminal else 15.0)
        share = "" if total is None else f" of {total:,} ({done / max(total, 1):.0%})"
        line = printable(f"{self.what}: {done:,}{share} {note}".rstrip())
        self._open = True
        _write(f"\r\x1b[2K{line}" if self.terminal else f"{line}\n")

    def close(self) -> None:
        """End the line of the bar."""
        if self.terminal and self._open and not self.quiet:
            _write("\n")
        self._open = False


def _write(text: str) -> None:
    # A closed or full stderr must not end hours of training.
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
