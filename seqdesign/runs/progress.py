"""What a run says on stderr while it works."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from seqdesign.runs.printable import printable, printable_lines

FIRST_STEPS, FIRST_SECONDS = 20, 3.0
"""A run's time is estimated after so many steps, or so many seconds."""


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


class Clock:
    """How long a run of equal steps will take: said once, soon after it began, then what is left of it."""

    def __init__(self, what: str, *, quiet: bool) -> None:
        self.what, self.quiet = what, quiet
        self._start: tuple[int, float] | None = None
        self._said = False

    def left(self, step: int, total: int) -> str:
        """Time left after ``step`` of ``total``, such as "3 min left"; nothing before it can be known."""
        now = time.monotonic()
        if self._start is None:
            self._start = (step, now)  # the first step is slower than all others
        done, seconds = step - self._start[0], now - self._start[1]
        if not done or (done < FIRST_STEPS and seconds < FIRST_SECONDS):
            return ""
        rest = seconds / done * (total - step)
        if not self._said:
            self._said = True
            say(f"{self.what}: {total:,} steps will take about {duration(rest + seconds)}", quiet=self.quiet)
        return f"{duration(rest)} left"


def duration(seconds: float) -> str:
    """Seconds as a person says them: "40 s", "12 min", "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _write(text: str) -> None:
    # A closed or full stderr must not end hours of training.
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
