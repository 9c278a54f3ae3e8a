"""Blocks of a run, each worked on once by whichever process is free, and kept as a file of its own.

A run that is made of blocks hands them to ``results`` as functions and gets what they return, in order.
Alone it calls one after the other. As a worker of a campaign it calls those that nobody has done or is doing,
puts each result into the folder and yields nothing. When a campaign is merged it reads what the workers have
left. What a block returns depends on the options and its number only, so it does not matter who does it, how
often a worker was killed, or whether two did the same block because their file systems share no locks.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from seqdesign.errors import ModelError, OutputError, UsageError
from seqdesign.runs.atomic import alone, atomic_write, remove_stale, write_json
from seqdesign.runs.folder import unlock_file
from seqdesign.runs.manifest import MANIFEST, Manifest, read_manifest, utc_now

T = TypeVar("T")
STATUS = "status.json"
PART, CLAIM = ".part", ".lock"
LIBRARIES = ("seqdesign", "torch", "numpy")
"""Whose versions decide the numbers of a block."""


@dataclass(frozen=True)
class Shard:
    """The blocks of one of several processes: those whose number is ``index`` modulo ``of``."""

    index: int
    of: int

    def owns(self, number: int) -> bool:
        """Whether the block is one of them."""
        return number % self.of == self.index


def parse_shard(text: str) -> Shard:
    """``2/8``, or ``slurm``: what the environment of a job array says. Raises UsageError."""
    if text == "slurm":
        return _slurm()
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(
            f"must be such as 2/8 for the second of eight, or slurm, got {text!r}", option="--shard"
        )
    return Shard(int(found[1]) - 1, int(found[2]))


def _slurm() -> Shard:
    """This task among those of its job array."""
    names = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT")
    try:
        task, first, count = (int(os.environ[name]) for name in names)
        last, step = (
            int(os.environ["SLURM_ARRAY_TASK_MAX"]),
            int(os.environ.get("SLURM_ARRAY_TASK_STEP", "1")),
        )
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"slurm needs the variables of a job array (sbatch --array=1-8), and {error} is not there",
            option="--shard",
        ) from None
    if count != (last - first) // step + 1:
        raise UsageError(
            f"slurm needs an array without gaps, such as --array=1-8, got {count} tasks in {first}-{last}",
            option="--shard",
        )
    return Shard((task - first) // step, count)


class WorkDone(BaseException):
    """A worker has nothing more to do; what follows the blocks is a matter of ``seqdesign merge``."""


@dataclass
class Blocks:
    """The folder of a campaign, for one process that works on it or merges it.

    ``plan`` of a manifest is what must be the same in all of them.
    """

    folder: Path
    plan: Callable[[Manifest], dict[str, Any]]
    merging: bool = False
    shard: Shard | None = None
    done_here: int = 0
    busy: int = 0
    """Blocks that others were working on when this process passed by."""
    done: int = 0
    total: int | None = None
    """Blocks of the run; None where that is known at its end only."""
    _stage: int = -1
    _records: dict[str, int] = field(default_factory=dict)
    _last_status: float = 0.0

    def join(self, manifest: Manifest) -> None:
        """Begin the campaign of this run, or go on with it. Raises UsageError for that of another run."""
        with alone():
            if not self.merging:
                _make(self.folder)
            mine = self.folder / MANIFEST
            if not mine.exists():
                _claim_name(mine, manifest)
        then, now = self.plan(read_manifest(self.folder)), self.plan(manifest)
        different = [key for key in {**then, **now} if then.get(key) != now.get(key)]
        if different:
            said = "; ".join(f"{key} was {then.get(key)} and is {now.get(key)}" for key in different[:3])
            raise UsageError(
                f"{self.folder} holds the campaign of another run ({said}); name another folder, or give the "
                "same options",
                option="CAMPAIGN" if self.merging else "--campaign",
            )

    def results(
        self,
        jobs: Iterable[Callable[[], T]],
        pack: Callable[[T], Any],
        unpack: Callable[[Any], T],
        wanted: int | None,
        size: Callable[[T], int],
        total: int | None,
    ) -> Iterator[T]:
        """See the function of this name."""
        self._stage += 1
        if total is not None:
            self.total = total + (self.total or 0)
        if self.merging:
            yield from self._kept(jobs, unpack, endless=wanted is not None)
            return
        share = None if wanted is None else -(-wanted // (1 if self.shard is None else self.shard.of))
        have = 0
        for number, job in enumerate(jobs):
            if share is not None and have >= share:
                break
            if self.shard is None or self.shard.owns(self._stage + number):
                have += self._do(number, job, pack, size)
        self._tell(at_once=True)

    def _kept(
        self, jobs: Iterable[Callable[[], T]], unpack: Callable[[Any], T], *, endless: bool
    ) -> Iterator[T]:
        """The results of the workers; of a run without end the merge itself draws what is still missing."""
        for number, job in enumerate(jobs):
            path = self._path(number)
            if path.exists():
                yield unpack(_read(path)["result"])
            elif endless:
                yield job()
            else:
                raise ModelError(
                    f"{self.folder}: block {path.stem} is not there yet ({self._count()} are done); run the "
                    "command with --campaign again, as often as it was killed, and then merge"
                )

    def _do(
        self, number: int, job: Callable[[], T], pack: Callable[[T], Any], size: Callable[[T], int]
    ) -> int:
        """One block, unless it is done or somebody is at it; how many records it has, as far as is known."""
        path = self._path(number)
        if path.exists():
            return self._size(path)
        claim = path.with_suffix(CLAIM)
        lock = _try_lock(claim)
        if lock is None:
            self.busy += 1
            known = list(self._records.values())
            return sum(known) // len(known) if known else 0
        try:
            if path.exists():
                return self._size(path)
            result = job()
            num = self._records[path.name] = size(result)
            content = json.dumps({"records": num, "result": pack(result)}, default=_plain)
            # A block whose name a power failure undoes is done once more.
            with alone(), atomic_write(path, sync="file") as handle:
                handle.write(content.encode())
        finally:
            unlock_file(claim, lock)
        self.done_here += 1
        self._tell()
        return num

    def _path(self, number: int) -> Path:
        return self.folder / f"{self._stage:03d}-{number:06d}{PART}"

    def _size(self, path: Path) -> int:
        if path.name not in self._records:
            self._records[path.name] = int(_read(path)["records"])
        return self._records[path.name]

    def _count(self) -> int:
        return sum(1 for name in os.listdir(self.folder) if name.endswith(PART))

    def _tell(self, *, at_once: bool = False) -> None:
        """Write ``status.json``, at most once in a second."""
        now = time.monotonic()
        if not at_once and now < self._last_status + 1:
            return
        self._last_status = now
        names = os.listdir(self.folder)
        self.done = sum(name.endswith(PART) for name in names)
        status = {
            "status": "complete" if self.done == self.total else "running",
            "blocks": self.total,
            "done": self.done,
            "in_work": sum(name.endswith(CLAIM) for name in names),
            "updated": utc_now(),
        }
        with alone():
            write_json(self.folder / STATUS, status, sync="none")


_blocks: ContextVar[Blocks | None] = ContextVar("blocks", default=None)


@contextlib.contextmanager
def working(blocks: Blocks) -> Iterator[Blocks]:
    """Inside, ``results`` and ``join`` are about this campaign."""
    token = _blocks.set(blocks)
    try:
        yield blocks
    finally:
        _blocks.reset(token)


def results(
    jobs: Iterable[Callable[[], T]],
    *,
    pack: Callable[[T], Any],
    unpack: Callable[[Any], T],
    wanted: int | None = None,
    size: Callable[[T], int] = lambda result: 0,
    total: int | None = None,
) -> Iterator[T]:
    """What the jobs return, in their order; see above for what happens in a campaign.

    pack, unpack: from a result to JSON types, and back, exactly. wanted: of jobs without end, so many
    records, counted by ``size``, are enough. total: how many jobs there are, where that is known.

    Raises ModelError when a campaign is merged that lacks a block.
    """
    blocks = _blocks.get()
    if blocks is None:
        for job in jobs:
            yield job()
    else:
        yield from blocks.results(jobs, pack, unpack, wanted, size, total)


def join(manifest: Manifest) -> None:
    """Tell the campaign, if there is one, what run this is. Raises UsageError if it is that of another."""
    blocks = _blocks.get()
    if blocks is not None:
        blocks.join(manifest)


def end_of_blocks() -> None:
    """Where a worker's work ends: raises WorkDone in one, does nothing elsewhere."""
    blocks = _blocks.get()
    if blocks is not None and not blocks.merging:
        raise WorkDone


def is_worker() -> bool:
    """Whether this process works on blocks only."""
    blocks = _blocks.get()
    return blocks is not None and not blocks.merging


def is_merge() -> bool:
    """Whether this process reads what the workers of a campaign have left."""
    blocks = _blocks.get()
    return blocks is not None and blocks.merging


def packed(array: Any) -> dict[str, Any]:
    """A numpy array as JSON types, bit by bit."""
    text = base64.b64encode(array.tobytes()).decode("ascii")
    return {"dtype": array.dtype.str, "shape": list(array.shape), "base64": text}


def unpacked(value: dict[str, Any]) -> Any:
    """Inverse of ``packed``."""
    import numpy as np

    data = base64.b64decode(value["base64"])
    return np.frombuffer(data, dtype=value["dtype"]).reshape(value["shape"]).copy()


def _plain(value: Any) -> Any:
    """A numpy number as JSON has it; a float keeps all its digits."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"cannot keep {type(value).__name__}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create the folder {folder}: {error.strerror}") from error
    others = [name for name in os.listdir(folder) if not name.startswith(".")]
    if others and MANIFEST not in others:
        raise OutputError(f"--campaign: {folder} holds other files ({others[0]}); name a new folder")
    remove_stale(folder)


def _claim_name(path: Path, manifest: Manifest) -> None:
    """Write the manifest unless another process has just done so."""
    temp = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    write_json(temp, manifest)
    try:
        os.link(temp, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        os.replace(temp, path)
    with contextlib.suppress(OSError):
        os.unlink(temp)


def _try_lock(path: Path) -> IO[str] | None:
    """The lock file of a block, held; None where another process holds it."""
    import fcntl

    handle = open(path, "a+", encoding="ascii")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    except OSError:
        pass  # without locks two processes may do one block, and write the same
    return handle


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found
    except (ValueError, OSError) as error:
        raise ModelError(f"{path} is damaged ({error}); remove it, and run the command again") from error
