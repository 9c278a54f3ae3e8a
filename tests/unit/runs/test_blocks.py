"""Blocks of a run: done once, kept exactly, and put together in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdesign.errors import ModelError, OutputError, UsageError
from seqdesign.runs.blocks import (
    STATUS,
    Blocks,
    Shard,
    WorkDone,
    end_of_blocks,
    join,
    packed,
    parse_shard,
    results,
    unpacked,
    working,
)
from seqdesign.runs.manifest import Manifest


def manifest(seed: int = 0) -> Manifest:
    return Manifest(
        command="x", config={}, seed=seed, device="cpu", threads=None, inputs={}, versions={}, started="now"
    )


def plan(found: Manifest) -> dict[str, Any]:
    return {"--seed": found.seed}


def squares(called: list[int], num: int) -> Iterator[Callable[[], int]]:
    for i in range(num):
        yield lambda i=i: called.append(i) or i * i  # type: ignore[misc]


def work(blocks: Blocks, num: int = 5) -> list[int]:
    """Numbers of the jobs that were called."""
    called: list[int] = []
    with working(blocks), pytest.raises(WorkDone):
        join(manifest())
        assert not list(results(squares(called, num), pack=int, unpack=int, total=num))
        end_of_blocks()
    return called


def merged(folder: Path, num: int = 5) -> list[int]:
    called: list[int] = []
    with working(Blocks(folder, plan, merging=True)):
        join(manifest())
        found = list(results(squares(called, num), pack=int, unpack=int))
        end_of_blocks()
    assert not called
    return found


def test_alone_the_jobs_are_called_one_after_the_other() -> None:
    called: list[int] = []
    assert list(results(squares(called, 3), pack=int, unpack=int)) == [0, 1, 4]
    end_of_blocks()


def test_shards_do_their_own_blocks_and_the_merge_has_all_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    assert work(Blocks(folder, plan, shard=Shard(1, 2))) == [1, 3]
    with pytest.raises(ModelError, match="block 000-000000 is not there yet"):
        merged(folder)
    assert json.loads((folder / STATUS).read_text())["done"] == 2
    assert work(Blocks(folder, plan)) == [0, 2, 4]
    assert merged(folder) == [0, 1, 4, 9, 16]
    assert json.loads((folder / STATUS).read_text())["status"] == "complete"


def test_a_block_in_the_hands_of_another_is_left_to_it(tmp_path: Path) -> None:
    blocks = Blocks(tmp_path / "c", plan)
    inner = Blocks(tmp_path / "c", plan)
    called: list[int] = []

    def first() -> int:
        called.extend(work(inner, 2))
        return 7

    with working(blocks):
        join(manifest())
        list(results([first, lambda: 8], pack=int, unpack=int))
    assert called == [1]
    assert (inner.busy, blocks.done_here) == (1, 1)
    assert merged(tmp_path / "c", 2) == [7, 1]


def test_of_jobs_without_end_enough_are_done_and_the_merge_adds_what_is_missing(tmp_path: Path) -> None:
    blocks = Blocks(tmp_path / "c", plan)
    options: dict[str, Any] = {"pack": list, "unpack": list, "wanted": 5, "size": len}
    with working(blocks):
        join(manifest())
        list(results((lambda: [1, 2] for _ in count()), **options))
    assert blocks.done == 3
    with working(Blocks(tmp_path / "c", plan, merging=True)):
        found = results((lambda: [3, 4] for _ in count()), **options)
        assert [next(found) for _ in range(4)] == [[1, 2]] * 3 + [[3, 4]]


def test_another_run_and_foreign_files_are_refused(tmp_path: Path) -> None:
    work(Blocks(tmp_path / "c", plan))
    with working(Blocks(tmp_path / "c", plan)), pytest.raises(UsageError, match="--seed was 0 and is 1"):
        join(manifest(seed=1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.doc").touch()
    with working(Blocks(tmp_path / "other", plan)), pytest.raises(OutputError, match="thesis.doc"):
        join(manifest())


def test_a_damaged_block_is_named(tmp_path: Path) -> None:
    work(Blocks(tmp_path / "c", plan))
    next((tmp_path / "c").glob("*1.part")).write_text("{")
    with pytest.raises(ModelError, match=r"000-000001.part is damaged"):
        merged(tmp_path / "c")


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u1"])
def test_arrays_come_back_bit_by_bit(dtype: str) -> None:
    array = (np.arange(6).reshape(2, 3) / 7 * 5).astype(dtype)
    if dtype.startswith("f"):
        array[0] = [np.nan, np.inf, -0.0]
    back = unpacked(json.loads(json.dumps(packed(array))))
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


def test_a_share_is_read_from_text_or_from_the_job_array(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_shard("2/8") == Shard(1, 8)
    for wrong in ("0/8", "9/8", "2", "a/b"):
        with pytest.raises(UsageError, match="such as 2/8"):
            parse_shard(wrong)
    with pytest.raises(UsageError, match="job array"):
        parse_shard("slurm")
    for name, value in {"ID": 7, "MIN": 3, "MAX": 9, "COUNT": 4, "STEP": 2}.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", str(value))
    assert parse_shard("slurm") == Shard(2, 4)
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "3")
    with pytest.raises(UsageError, match="without gaps"):
        parse_shard("slurm")
