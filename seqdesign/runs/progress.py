"""What a run says on stderr while it works: named phases, the time they took and will take, never silent.

Work is named where it is done, by ``with phase("reading"):``, or ``@phase("judging")`` on a function. Used
from Python a phase says nothing. The command line shows them all, by one ``shown`` around every command: its
thread draws the innermost and the outermost phase again and again, so that no work can be silent, whether or
not it counts its steps.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager, suppress
from typing import Any, BinaryIO, cast

from seqdesign.runs.printable import printable, printable_lines

REDRAW = 0.2
"""Seconds between two looks at the work; on a terminal the line is drawn anew each time."""
CALM = 0.4
"""Seconds without any line on a terminal, so that quick commands do not flicker."""
PLAIN = 4.5
"""Seconds between two lines elsewhere, in the first minute; then a twelfth of the time so far."""
PLAIN_MOST = 60.0
"""Most seconds between two lines elsewhere."""
STARTED = 1.5
"""Seconds that Python and the command line took before, in which nothing could be said."""
KEPT = 5.0
"""A phase that took so many seconds leaves a line when it ends."""
MEASURED = 3.0
"""Seconds of equal steps after which the time of all of them is estimated."""
LONG = 20.0
"""An estimate of fewer seconds is not said."""
BAR = 10
"""Characters of the bar on a terminal."""


class Phase(ContextDecorator):
    """A named part of the work, for ``with``, or on a function. Call ``update`` where steps are counted."""

    def __init__(self, name: str, *, even: bool = True, at_most: bool = False) -> None:
        self.name, self.even, self.at_most = name, even, at_most
        self.done, self.total, self.note = 0, cast("int | None", None), ""
        self.begun = 0.0
        self.first: tuple[int, float] | None = None
        self.estimated = False

    def _recreate_cm(self) -> Phase:  # a function may be called twice, or within itself
        return Phase(self.name, even=self.even, at_most=self.at_most)

    def __enter__(self) -> Phase:
        if _display is not None:
            _display.open(self)
        return self

    def __exit__(self, *_: object) -> None:
        if _display is not None:
            _display.close(self)

    def update(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """``done`` steps, of ``total`` if known; ``note`` stays until the next one."""
        self.done, self.total = done, total
        if note is not None:
            self.note = note
        if self.first is None and _display is not None:
            self.first = (done, _display.clock())  # the first step is slower than all others

    def left(self, now: float) -> float | None:
        """Seconds left by the steps so far; None where they do not say so."""
        if self.first is None or self.total is None or not self.even:
            return None
        done, seconds = self.done - self.first[0], now - self.first[1]
        return None if done < 1 else seconds / done * (self.total - self.done)

    def says(self, now: float, *, bar: str = "") -> str:
        """The phase in words, with its time; in fewer words beside a ``bar``, for a line must not wrap."""
        share = f"{self.done:,}" if self.done else ""
        if self.total:
            share, per_cent = f"{self.done:,} of {self.total:,}", f"{min(self.done / self.total, 1):.0%}"
            if bar:
                share = share if self.total < 100 else per_cent
            else:
                share = f"{share} ({per_cent})"
        left, rest = self.left(now), ""
        if left and self.first is not None and now - self.first[1] >= 1.0:
            rest = f"{duration(left)} left{' at most' if self.at_most and not bar else ''}"
        parts = [share, f"{duration(now - self.begun)} so far", rest, self.note]
        return f"{self.name}{bar}: {', '.join(filter(None, parts))}"


def phase(name: str, *, even: bool = True, at_most: bool = False) -> Phase:
    """A named part of the work; ``shown`` shows it.

    name: a verb in -ing. even: its steps take about the same time, so that the time left can be told.
    at_most: it may end before the last step.
    """
    return Phase(name, even=even, at_most=at_most)


def note(text: str) -> None:
    """Say ``text`` beside the phase that is open, such as how good the model is so far."""
    if _display is not None:
        _display.note(text)


def count(done: int, total: int | None = None, said: str | None = None) -> None:
    """``done`` steps, of ``total``, of the innermost phase that is open; ``said`` is its note."""
    if _display is not None and _display.phases:
        _display.phases[-1].update(done, total, said)


def say(line: str, *, quiet: bool) -> None:
    """A message on stderr, unless ``quiet``."""
    if not quiet:
        with aside():
            _write(f"{printable_lines(line)}\n")


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[None]:
    """Show all work inside on stderr: one line drawn anew on a terminal, sparse lines elsewhere."""
    global _display
    if quiet or _display is not None or sys.stderr is None:
        yield
        return
    display = _display = Display(terminal=is_terminal(sys.stderr))
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(REDRAW):
            display.tick()

    thread = threading.Thread(target=look, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        _display = None
        display.clear()


@contextmanager
def aside() -> Iterator[None]:
    """Take the line of progress away while something else is written on the terminal."""
    display = _display
    if display is None:
        yield
        return
    with display.lock:
        display.clear()
        yield
        display.last = display.clock()


def beside(handle: BinaryIO) -> BinaryIO:
    """``handle`` of stdout, which shares a terminal with the line of progress only line by line."""
    if _display is None or not _display.terminal or not is_terminal(handle):
        return handle
    return cast(BinaryIO, _Lines(handle))


class _Lines(io.BufferedIOBase):
    """Whole lines, each written while the line of progress is away."""

    def __init__(self, below: BinaryIO) -> None:
        self._below, self._rest = below, b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        text = self._rest + bytes(data)
        end = text.rfind(b"\n") + 1
        self._rest = text[end:]
        if end:
            with aside():
                self._below.write(text[:end])
                self._below.flush()
        return len(data)

    def flush(self) -> None:
        if self._rest:
            with aside():
                self._below.write(self._rest)
                self._below.flush()
            self._rest = b""

    def close(self) -> None:  # standard output stays open
        self.flush()


class Display:
    """Phases as a person sees them. ``tick`` is called by a thread, all else by the work."""

    def __init__(self, *, terminal: bool, clock: Callable[[], float] | None = None) -> None:
        self.terminal, self.clock = terminal, clock or time.monotonic
        self.lock = threading.RLock()
        self.begun = self.clock()
        self.last = self.begun - STARTED
        self.phases: list[Phase] = []
        self._idle = Phase("starting")
        self._idle.begun = self.begun
        self._drawn = False

    def open(self, one: Phase) -> None:
        """A phase begins."""
        with self.lock:
            one.begun = self.clock()
            self.phases.append(one)

    def close(self, one: Phase) -> None:
        """A phase ends; one that took long, and is part of no other, leaves a line."""
        with self.lock:
            if one not in self.phases:  # it began before anything was shown
                return
            self.phases.remove(one)
            if self.phases:
                return
            now = self.clock()
            self._idle = Phase("working")
            self._idle.begun = now
            if now - one.begun >= KEPT:
                steps = f" ({one.done:,} of {one.total:,})" if one.total else ""
                self._line(f"{one.name}: took {duration(now - one.begun)}{steps}")

    def note(self, text: str) -> None:
        """A word beside the innermost phase."""
        with self.lock:
            if self.phases:
                self.phases[-1].note = text

    def tick(self) -> None:
        """Look at the work, and say what there is to say."""
        with self.lock:
            now = self.clock()
            self._estimate(now)
            if self.terminal:
                if now - self.begun >= CALM:
                    _write(f"\r\x1b[2K{self._fit(self.text(now))}")
                    self._drawn = True
            elif now - self.last >= self._pause(now):
                self._line(self.text(now))

    def clear(self) -> None:
        """Take the line away."""
        with self.lock:
            if self._drawn:
                _write("\r\x1b[2K")
            self._drawn = False

    def text(self, now: float) -> str:
        """The work in one line: the outermost phase, and the innermost one inside."""
        if not self.phases:
            return self._idle.says(now)
        outer, inner = self.phases[0], self.phases[-1]
        said = outer.says(now, bar=self._bar(outer))
        if inner is outer:
            return said
        share = f" {inner.done / inner.total:.0%}" if inner.total else ""
        return f"{said}; {inner.name}{share}" + (f", {inner.note}" if inner.note else "")

    def _estimate(self, now: float) -> None:
        """Say once how long a long phase will take, after a short measurement."""
        outer = self.phases[0] if self.phases else None
        if outer is None or outer.estimated or outer.first is None:
            return
        left = outer.left(now)
        if left is None or now - outer.first[1] < MEASURED or outer.done - outer.first[0] < 2:
            return
        outer.estimated = True
        seconds = now - outer.begun + left
        if seconds >= LONG:
            most = " at most" if outer.at_most else ""
            self._line(f"{outer.name}: about {spoken(seconds)} on this machine{most}")

    def _pause(self, now: float) -> float:
        return max(PLAIN, min(PLAIN_MOST, (now - self.begun) / 12))

    def _line(self, text: str) -> None:
        self.clear()
        _write(f"{printable(text)}\n")
        self.last = self.clock()

    def _bar(self, one: Phase) -> str:
        if not self.terminal or not one.total:
            return ""
        full = int(BAR * min(one.done / one.total, 1))
        return f" [{'#' * full}{'-' * (BAR - full)}]"

    def _fit(self, text: str) -> str:
        # A line that wraps would not be taken away.
        width = 80
        with suppress(OSError, ValueError, AttributeError):
            width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        text = printable(text)
        return text if len(text) < width else f"{text[: max(width - 4, 0)]}..."


_display: Display | None = None


def is_terminal(stream: Any) -> bool:
    """Whether lines on ``stream`` can be drawn anew."""
    try:
        return stream is not None and bool(stream.isatty()) and os.environ.get("TERM") != "dumb"
    except ValueError:  # it is closed
        return False


def duration(seconds: float) -> str:
    """Seconds as a person says them in short: "40 s", "12 min", "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def spoken(seconds: float) -> str:
    """The same in whole words, rounded as estimates are: "40 seconds", "9 minutes", "2.5 hours"."""
    number, unit = duration(round(seconds, -1) if seconds < 90 else seconds).split()
    return f"{number} {({'s': 'seconds', 'min': 'minutes', 'h': 'hours'})[unit]}"


def _write(text: str) -> None:
    # A closed or full stderr must not end hours of training.
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
