"""Memory that is kept, in a process of its own: what is freed does not come fresh again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

CODE = """
import resource, torch
from seqdesign.devices.memory import keep_memory
torch.set_num_threads(1)
keep_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        held = [torch.ones(1 << 20) for _ in range(8)]
        del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library of GNU")
def test_steps_do_not_ask_for_the_same_pages_again(python: Callable[..., Any]) -> None:
    # 20 times 8 pieces of 4 MB are 163,840 pages of 4 KB. Without it the C library may or may not keep them.
    assert int(python("-c", CODE).out) < 1000
