"""Run one command: config, messages, function, result."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from seqdesign.config import CommandConfig, resolve
from seqdesign.errors import OutputError
from seqdesign.runs import progress
from seqdesign.runs.printable import printable_lines
from seqdesign_cli.guard import say


def run(config_class: type[CommandConfig], function: Callable[[Any], Any], typed: dict[str, Any]) -> None:
    """Resolve the config, call the command and print its result."""
    config = resolve(config_class, typed, Path(typed["config"]) if typed.get("config") else None)
    with messages(config), progress.shown(quiet=config.quiet or not _is_main()):
        result = function(config)
    if config.json:
        _print(json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False))
    elif result.text_to == "stdout":
        _print(emphasised(printable_lines(result.text()), result.KEY, sys.stdout))
    elif not config.quiet and sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            text = emphasised(printable_lines(result.text()), result.KEY, sys.stderr)
            print(text, file=sys.stderr, flush=True)
    if result.exit_code:
        raise SystemExit(result.exit_code)


def emphasised(text: str, key: Sequence[str], stream: TextIO | None) -> str:
    """``text`` with the first match of every pattern of ``key`` in bold, where ``stream`` is a terminal."""
    if not progress.is_terminal(stream) or "NO_COLOR" in os.environ:
        return text
    spans = {found.span(1) for found in (re.search(pattern, text, re.MULTILINE) for pattern in key) if found}
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}\x1b[1m{text[start:end]}\x1b[0m{text[end:]}"
    return text


def _is_main() -> bool:
    """Whether this is the process that speaks for all processes of a run."""
    from seqdesign.commands.train.options import is_main_process

    return is_main_process()


@contextlib.contextmanager
def messages(config: CommandConfig) -> Iterator[None]:
    """Send the library's log records and warnings to stderr as lines, as loud as the config asks for."""
    level = logging.ERROR if config.quiet else logging.DEBUG if config.verbose else logging.INFO
    logger = logging.getLogger("seqdesign")
    handler = _LineHandler(level)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning(logger)
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _LineHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        prefix = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        say(f"{prefix}{record.getMessage()}")


def _show_warning(logger: logging.Logger) -> Callable[..., None]:
    """Warnings meant for users are shown; those about other people's code only with --verbose."""

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        about_code = issubclass(category, DeprecationWarning | PendingDeprecationWarning | FutureWarning)
        logger.log(logging.DEBUG if about_code else logging.WARNING, "%s", message)

    return show


def _print(text: str) -> None:
    if sys.stdout is None:
        raise OutputError("cannot write to stdout: it is closed; name a file or leave it open")
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to stdout: {error.strerror}") from error
