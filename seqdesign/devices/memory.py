"""Memory of a CPU that a step gives back is kept for the next one."""

from __future__ import annotations

import ctypes
import functools
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of ``mallopt`` in the C library of GNU."""
LARGEST = 32 << 20
"""Blocks above this many bytes are given back at once, as before; the library permits no more."""
KEPT = 512 << 20
"""Free bytes at the end of the heap that stay."""


@functools.cache
def keep_memory() -> bool:
    """Let the C library keep what is freed, so that no step asks the system for the same pages again.

    Networks free and ask for some megabytes at every step; each page costs a fault when it comes fresh. Once
    in a process. False where there is no such library, which changes nothing but speed.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # other C libraries, such as musl
        return False
    return bool(mallopt(_MMAP_THRESHOLD, LARGEST)) and bool(mallopt(_TRIM_THRESHOLD, KEPT))
