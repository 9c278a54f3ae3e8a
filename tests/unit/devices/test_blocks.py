"""Blocks shrink where memory is short, and nothing is lost."""

from __future__ import annotations

import logging
import weakref

import pytest
import torch

from seqdesign.devices import blocks
from seqdesign.devices.blocks import block_size, in_blocks


def small_memory(most: int, tried: list[int]) -> object:
    """A call that has room for ``most`` items."""

    def call(rows: slice) -> list[int]:
        tried.append(rows.stop - rows.start)
        if tried[-1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return list(range(rows.start, rows.stop))

    return call


def test_too_little_memory_halves_the_block_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []
    with caplog.at_level(logging.INFO, logger="seqdesign"):
        parts = list(in_blocks(small_memory(10, tried), 100, 64))
    assert [i for part in parts for i in part] == list(range(100))
    assert tried[:5] == [64, 32, 16, 8, 8]
    assert [r.getMessage() for r in caplog.records] == [
        f"too little memory on the GPU: going on with {n} at once" for n in (32, 16, 8)
    ]


@pytest.mark.parametrize("words", [*blocks.LACKING, "no kernel image is available"])
def test_libraries_have_words_of_their_own_for_too_little_memory(words: str) -> None:
    """Other errors are those of the work, and are not tried again."""
    tried: list[int] = []

    def call(rows: slice) -> int:
        tried.append(rows.stop - rows.start)
        if tried[-1] > 2:
            raise RuntimeError(f"{words} when calling something")
        return tried[-1]

    if words in blocks.LACKING:
        assert sum(in_blocks(call, 4, 4)) == 4
        return
    with pytest.raises(RuntimeError, match="no kernel image"):
        list(in_blocks(call, 4, 4))
    assert tried == [4]


def test_a_block_that_is_larger_than_what_there_is_is_halved_too() -> None:
    tried: list[int] = []
    parts = list(in_blocks(small_memory(3, tried), 6, 1000))
    assert [i for part in parts for i in part] == list(range(6))
    assert tried == [6, 3, 3]


def test_where_one_is_too_much_there_is_no_way_on() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        list(in_blocks(small_memory(0, []), 4, 4))


def test_nothing_is_one_empty_slice() -> None:
    assert list(in_blocks(lambda rows: rows, 0, 5)) == [slice(0, 0)]


def test_sizes_follow_the_caches_of_a_cpu_and_the_memory_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert block_size(torch.device("cpu"), 10**12, cpu=512) == 512
    monkeypatch.setattr(blocks, "free_bytes", lambda device: 10**10)
    assert block_size(torch.device("cuda"), 10**5, cpu=512) == 40_000
    assert block_size(torch.device("cuda"), 10**12, cpu=512) == 512, "no less than a CPU takes"
    assert block_size(torch.device("cuda"), 1, cpu=512) == blocks.MOST


def test_what_a_failed_block_had_made_is_gone_before_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[torch.Tensor]] = []
    alive: list[bool] = []
    monkeypatch.setattr(blocks, "_forget_what_failed", lambda: alive.append(made[-1]() is not None))

    def call(rows: slice) -> int:
        half_done = torch.ones(3)
        made.append(weakref.ref(half_done))
        if rows.stop - rows.start > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return len(half_done)

    list(in_blocks(call, 4, 4))
    assert alive == [False]
