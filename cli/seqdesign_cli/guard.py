"""What a failure looks like from outside: one line on stderr and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback

DONE, FAILED, USAGE, INTERRUPTED, CLOSED_PIPE = 0, 1, 2, 130, 141
LACKING = ("can't allocate memory", "out of memory", "status_alloc_failed")
"""What a RuntimeError says whose cause is too little memory: of a CPU, a GPU, and libraries for GPUs."""


def exit_code(error: BaseException, *, debug: bool) -> int:
    """Report ``error`` on stderr as its kind asks for, and give the exit code."""
    from seqdesign.errors import SeqDesignError

    if isinstance(error, BrokenPipeError):
        _detach_stdout()
        return CLOSED_PIPE
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    if debug:
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        say("interrupted")
        return INTERRUPTED
    if isinstance(error, SeqDesignError):
        say(f"error: {error}")
        return error.exit_code
    if _is_out_of_memory(error):
        say("error: out of memory; use a smaller --batch-size, shorter sequences or --device cpu")
        return FAILED
    if isinstance(error, OSError):
        say(f"error: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}")
        return FAILED
    if type(error).__module__.startswith("typer."):
        say(f"error: {_typer_message(error)}; see --help")
        return int(getattr(error, "exit_code", FAILED))
    say(
        f"error: this is a bug in seqdesign, please report it: {type(error).__name__}: {error}"
        " (--debug shows where)"
    )
    return FAILED


def flush_stdout(*, report: bool) -> int:
    """Push out what is buffered, so that a full disk or a closed pipe is seen before the process ends.

    ``report`` is False when an error line stands already.
    """
    if sys.stdout is None:
        return DONE
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _detach_stdout()
        return CLOSED_PIPE
    except OSError as error:
        _detach_stdout()
        if report:
            say(f"error: cannot write to stdout: {error.strerror}")
        return FAILED
    return DONE


def say(message: str) -> None:
    """One line on stderr, whatever the message holds; nothing when stderr is closed."""
    from seqdesign.runs.printable import printable
    from seqdesign.runs.progress import aside

    if sys.stderr is None:  # print() would take stdout in its place
        return
    with aside(), contextlib.suppress(OSError, ValueError):
        print(f"seqdesign: {printable(' '.join(message.split()))}", file=sys.stderr, flush=True)


def _typer_message(error: BaseException) -> str:
    text = str(getattr(error, "format_message", error.__str__)()).rstrip(".")
    return text[:1].lower() + text[1:]


def _is_out_of_memory(error: BaseException) -> bool:
    """MemoryError, a GPU's OutOfMemoryError (not imported here), or a RuntimeError that says so."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in LACKING)


def _detach_stdout() -> None:
    """Point stdout at nothing: the interpreter flushes it once more as it ends, and would fail again."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
