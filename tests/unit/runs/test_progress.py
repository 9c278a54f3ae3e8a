"""Phases as they are shown: never silent on a terminal, never a flood in a file, nothing from Python."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from seqdesign.runs import progress
from seqdesign.runs.progress import Display, count, duration, note, phase, say, shown, spoken

SILENCE = 5.0


class Watched:
    """A display with a clock that the test moves, and the times at which something was written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> None:
        self.now = 1000.0
        self.written: list[tuple[float, str]] = []
        monkeypatch.setattr(progress, "_write", lambda text: self.written.append((self.now, text)))
        self.display = Display(terminal=terminal, clock=lambda: self.now)
        monkeypatch.setattr(progress, "_display", self.display)

    def work(self, seconds: float, step: Callable[[float], None] = lambda done: None) -> None:
        """Work that takes so long, looked at as the thread does; ``step`` hears the seconds done."""
        ticks = round(seconds / progress.REDRAW)
        for tick in range(1, ticks + 1):
            self.now += progress.REDRAW
            step(tick * progress.REDRAW)
            self.display.tick()

    def gaps(self, begun: float = 1000.0) -> list[float]:
        """Seconds between two outputs, from the start to the end."""
        times = [begun, *(when for when, _ in self.written), self.now]
        return [b - a for a, b in pairwise(times)]

    def text(self) -> str:
        return "".join(text for _, text in self.written)


@pytest.fixture(params=[True, False], ids=["terminal", "file"])
def watched(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Watched:
    return Watched(monkeypatch, terminal=request.param)


def slow(watched: Watched) -> None:
    """A fake run: loading, a phase that counts nothing, phases within a phase, steps, and no phase at all."""
    watched.work(12)
    with phase("reading"):
        watched.work(9)
    with phase("choosing a model", even=False):
        for kind in range(2):
            count(kind + 1, 2, "network")
            with phase("training"):
                watched.work(8)
    watched.work(8)


def test_no_work_is_silent_for_more_than_five_seconds(watched: Watched) -> None:
    slow(watched)
    assert max(watched.gaps()) <= SILENCE
    for words in ("starting", "reading", "choosing a model", "2 of 2", "network; training", "working"):
        assert words in watched.text()


def test_the_test_of_silence_can_fail(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched.display, "tick", lambda: None)
    slow(watched)
    assert max(watched.gaps()) > SILENCE


def test_a_log_file_is_not_flooded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four hours: a line a minute at most, after the first minutes."""
    watched = Watched(monkeypatch, terminal=False)
    with phase("training") as bar:
        watched.work(4 * 3600, lambda done: bar.update(int(done), 4 * 3600))
    lines = watched.text().splitlines()
    assert 200 < len(lines) < 300
    assert "\x1b" not in watched.text()
    assert "\r" not in watched.text()
    assert max(watched.gaps()) < 61


def test_short_work_leaves_no_line(watched: Watched) -> None:
    with phase("reading"):
        watched.work(2)
    watched.display.clear()
    assert "\n" not in watched.text()
    if watched.display.terminal:
        assert watched.text().endswith("\r\x1b[2K")
    else:
        assert watched.text() == ""


def test_the_time_of_a_phase_is_said_once_then_what_is_left_and_what_it_took(watched: Watched) -> None:
    """A step a second; the first one, which takes 7 s, does not count."""
    with phase("training", at_most=True) as bar:
        watched.work(7)
        watched.work(400, lambda done: bar.update(1 + int(done), 401))
    text = watched.text()
    assert text.count("training: about 7 minutes on this machine at most\n") == 1
    assert re.search(r"(25%|\d+ of 401 \(2\d%\)), \d+ (s|min) so far, 5 min left", text)
    assert text.endswith("training: took 7 min (401 of 401)\n")


def test_steps_of_unequal_cost_promise_no_time(watched: Watched) -> None:
    with phase("choosing a model", even=False) as bar:
        watched.work(60, lambda done: bar.update(int(done // 20), 3))
    assert "left" not in watched.text()
    assert "about" not in watched.text()


def test_what_is_said_beside_a_phase_stays(watched: Watched) -> None:
    with phase("training") as bar:
        watched.work(10, lambda done: bar.update(int(done), 10))
        note("held-out loss 1.234")
        bar.update(10, 10)
        watched.work(6)
    assert "held-out loss 1.234" in watched.text()


def test_a_function_is_a_phase_each_time_it_is_called(watched: Watched) -> None:
    @phase("judging")
    def judge(depth: int) -> int:
        watched.work(6)
        return judge(depth - 1) + 1 if depth else 0

    assert (judge(1), judge(0)) == (1, 0)
    assert watched.text().count("judging: took") == 2
    assert watched.display.phases == []


def test_a_phase_that_fails_ends(watched: Watched) -> None:
    with pytest.raises(ValueError, match="no"), phase("training"):
        raise ValueError("no")
    assert watched.display.phases == []


def test_a_line_is_no_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, terminal=True)
    with phase("training") as bar:
        bar.update(1, 2, "x" * 300 + "\x1b[31m")
        watched.work(1)
    drawn = watched.written[-1][1].removeprefix("\r\x1b[2K")
    assert len(drawn) < 80
    assert "\x1b" not in drawn


def test_from_python_nothing_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with phase("training") as bar:
        bar.update(1, 2)
        count(2, 2)
        note("words")
    assert capfd.readouterr() == ("", "")


def test_quiet_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with shown(quiet=True):
        assert progress._display is None
        say("words", quiet=True)
    with shown():
        first = progress._display
        assert first is not None
        with shown():  # the outer one goes on
            assert progress._display is first
        assert progress._display is first
    assert progress._display is None


@pytest.fixture
def terminal() -> Iterator[tuple[io.TextIOWrapper, Callable[[], list[tuple[float, bytes]]]]]:
    """A pseudo-terminal to write to, and what was read from it with times."""
    master, slave = pty.openpty()
    seen: list[tuple[float, bytes]] = []

    def read() -> None:
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:  # the other end is closed
                return
            seen.append((time.monotonic(), data))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    stream = open(slave, "w", encoding="utf-8")

    def end() -> list[tuple[float, bytes]]:
        stream.close()
        thread.join(timeout=5)
        return seen

    yield stream, end
    if not stream.closed:
        end()
    os.close(master)


def test_a_real_terminal_is_drawn_on_while_the_work_says_nothing(
    terminal: tuple[io.TextIOWrapper, Callable[[], list[tuple[float, bytes]]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread, not the work, speaks; a message and rows of output do not mix with the line."""
    stream, end = terminal
    monkeypatch.setattr(progress, "CALM", 0.0)
    monkeypatch.setattr(progress, "REDRAW", 0.02)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with open(os.dup(stream.fileno()), "wb") as out, shown(), phase("searching"):
        time.sleep(0.5)
        say("warning: words", quiet=False)
        rows = progress.beside(out)
        assert rows is not out
        rows.write(b"a,b\n1")
        rows.write(b",2\n3,")
        time.sleep(0.1)
        rows.flush()
    seen = end()
    text = b"".join(data for _, data in seen)
    assert text.count(b"searching: 0 s so far") + text.count(b"searching: 1 s so far") >= 3
    for line in (b"warning: words\r\n", b"a,b\r\n", b"1,2\r\n"):
        assert re.search(rb"(\x1b\[2K|\n)" + re.escape(line), text), line
    assert text.endswith((b"\x1b[2K", b"3,"))


@pytest.mark.parametrize(
    ("seconds", "short", "whole"),
    [(41.2, "41 s", "40 seconds"), (720, "12 min", "12 minutes"), (9000, "2.5 h", "2.5 hours")],
)
def test_durations_as_people_say_them(seconds: float, short: str, whole: str) -> None:
    assert (duration(seconds), spoken(seconds)) == (short, whole)
