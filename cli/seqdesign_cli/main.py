"""Entry point. Everything heavy is imported inside, so that Ctrl-C is in hand from the first moment."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

from seqdesign_cli.guard import DONE, exit_code, flush_stdout

SPINS = "3000"
"""How often a thread of libgomp looks for work, some microseconds, before it sleeps (thread_speed.py)."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line; exit code 0 done, 1 failed, 2 usage, 130 interrupted, 141 closed pipe."""
    words = sys.argv[1:] if args is None else list(args)
    previous = _on_terminate(_interrupt)
    try:
        _tolerate_any_text()
        _sleep_while_waiting()
        code = _dispatch(words)
    except BaseException as error:
        code = exit_code(error, debug="--debug" in words)
    finally:
        _on_terminate(previous)
    flushed = flush_stdout(report=code == DONE)
    return code or flushed


def _dispatch(words: list[str]) -> int:
    import typer

    from seqdesign_cli.app import build

    app = build(styled=sys.stdout is not None and sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    if "_SEQDESIGN_COMPLETE" in os.environ:  # the shell asks for completions
        app.main(words, prog_name="seqdesign")
    try:
        # Not app.main(): it turns a closed pipe and Ctrl-C into exit codes of its own.
        with app.make_context("seqdesign", words) as context:
            app.invoke(context)
    except typer.Exit as error:
        return error.exit_code
    return DONE


def _tolerate_any_text() -> None:
    """A terminal that cannot show a letter shows its escape; it is no reason to fail."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _sleep_while_waiting() -> None:
    """CPU threads that wait for each other soon sleep (threads.py in seqdesign.devices); torch reads this as
    it loads.
    """
    if "torch" not in sys.modules and "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM as Ctrl-C: a run ends in order under a job scheduler too."""
    raise KeyboardInterrupt


def _on_terminate(handler: Any) -> Any:
    """Set the SIGTERM handler and return the previous one; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, handler)
