"""The time that a run will take, and what is left of it."""

from __future__ import annotations

import pytest

from seqdesign.runs.progress import Clock, duration


def test_the_time_of_a_run_is_said_once_and_then_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a second a step; the first step, which is slower, does not count."""
    now = [100.0]
    monkeypatch.setattr("seqdesign.runs.progress.time.monotonic", lambda: now[0])
    clock = Clock("training", quiet=False)
    said = []
    for step in range(1, 401):
        now[0] += 7.0 if step == 1 else 0.5
        said.append(clock.left(step, 400))
    assert said[0] == said[5] == ""
    assert said[99] == "2 min left"
    assert said[-1] == "0 s left"
    assert capsys.readouterr().err == "training: 400 steps will take about 3 min\n"


@pytest.mark.parametrize(("seconds", "said"), [(41.2, "41 s"), (720, "12 min"), (9000, "2.5 h")])
def test_durations_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said
