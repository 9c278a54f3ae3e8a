"""Code of other people, called so that it can neither end the program nor write into its standard output."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

from seqdesign.errors import InputError


@contextlib.contextmanager
def foreign(what: str) -> Iterator[None]:
    """Around a call of somebody else's code: what it prints goes to stderr, an exit becomes an InputError.

    Standard output belongs to sequences and tables, so it is closed to prints of Python and of libraries
    below it alike. ``what`` names the code in the error.
    """
    with _stdout_to_stderr(), _no_hard_exit():
        try:
            yield
        except SystemExit as error:
            raise InputError(
                f"{what} tried to end the program (exit code {error.code}); take the exit out of it, or "
                "raise an exception instead"
            ) from error


@contextlib.contextmanager
def _no_hard_exit() -> Iterator[None]:
    """``os._exit`` raises in this process; processes that are forked inside end as they like."""
    here, plain = os.getpid(), os._exit

    def leave(status: int) -> NoReturn:
        if os.getpid() == here:
            raise SystemExit(status)
        plain(status)

    os._exit = leave
    try:
        yield
    finally:
        os._exit = plain


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    _flush()
    try:
        kept = os.dup(1)
    except OSError:  # closed already
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    try:
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _flush()  # what the code has put into the buffer of a stream that it kept goes where it belongs
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    if sys.__stdout__ is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.__stdout__.flush()
    if sys.stdout is not None and sys.stdout is not sys.__stdout__:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
