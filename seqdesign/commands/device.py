"""Device, threads and progress, as the common options ask for them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from seqdesign.config import CommandConfig
from seqdesign.errors import UsageError

if TYPE_CHECKING:
    import torch


def choose_device(config: CommandConfig) -> torch.device:
    """The device that ``--device`` names; auto is the first GPU, or the CPU. Raises UsageError if absent."""
    import torch

    name = config.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name.startswith("cuda") and (torch.device(name).index or 0) >= count:
        raise UsageError(
            f"{name} is not available here ({count} GPUs seen); use --device cpu", option="--device"
        )
    if name == "mps" and not torch.backends.mps.is_available():
        raise UsageError("mps is not available here; use --device cpu", option="--device")
    device = torch.device(name)
    return torch.device("cuda", 0) if name == "cuda" else device


@contextmanager
def compute(config: CommandConfig) -> Iterator[torch.device]:
    """The device, with torch's thread count set while inside.

    One thread unless ``--threads`` says otherwise: recurrent steps this small lose more to waiting threads
    than they win, and several runs side by side do not fight for cores.
    """
    import torch

    device = choose_device(config)
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads or 1)
    try:
        yield device
    finally:
        torch.set_num_threads(before)


def say(config: CommandConfig, line: str) -> None:
    """A message on stderr, unless ``--quiet``."""
    if not config.quiet:
        _write(f"{line}\n")


class Progress:
    """Live progress on stderr: a line redrawn on a terminal, lines now and then elsewhere."""

    def __init__(self, what: str, config: CommandConfig) -> None:
        self.what, self.quiet = what, config.quiet
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
        line = f"{self.what}: {done:,}{share} {note}".rstrip()
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
