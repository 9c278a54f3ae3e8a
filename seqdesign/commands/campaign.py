"""Runs of many processes: their options, what each of them says at its end, and what makes them one run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from seqdesign.commands.provenance import LOUDNESS
from seqdesign.commands.workers import blocks_by_workers
from seqdesign.config import Between, CommandConfig, Options, Written, fields_of
from seqdesign.errors import UsageError
from seqdesign.runs.blocks import LIBRARIES, Blocks, WorkDone, is_merge, parse_shard, working
from seqdesign.runs.manifest import Manifest
from seqdesign.runs.result import Result

ConfigT = TypeVar("ConfigT", bound=CommandConfig)
OWN = ("campaign", "shard", "devices")
"""Options that say who works, not on what."""


@dataclass(frozen=True, kw_only=True)
class CampaignOptions(Options):
    """How a run is shared among processes."""

    PANEL: ClassVar[str] = "Campaign options"

    campaign: Annotated[Path | None, Written("campaign")] = None
    """Folder that keeps the run in blocks: any number of processes with this command can share the work, and
    go on after being killed; seqdesign merge FOLDER then writes the result."""
    shard: str | None = None
    """Blocks that this process works on: 2/8 is the second of eight parts, slurm the part of a job array's
    task; when not given, all that are free."""
    devices: Annotated[int, Between(1, 256)] = 1
    """GPUs, or CPU processes, that share the blocks of the run; what comes out is that of one."""

    def problems(self) -> Iterator[str]:
        """A share of nothing, and what can be read only once."""
        device = str(getattr(self, "device", ""))
        if self.devices > 1 and self.campaign is not None:
            yield "--devices: has no effect with --campaign, which takes as many processes as you start"
        if self.devices > 1 and device.startswith("cuda:"):
            yield f"--device: {device} is one GPU; name cuda for --devices {self.devices}"
        if self.campaign is None and self.shard is not None:
            yield "--shard: has no effect without --campaign; leave it out"
        shared = "--campaign" if self.campaign is not None else "--devices" if self.devices > 1 else None
        if shared and any(
            str(getattr(self, spec.name)) == "-" for spec in fields_of(type(self)) if spec.reads
        ):
            yield f"{shared}: standard input can be read only once; name a file"
        if self.shard is not None:
            try:
                parse_shard(self.shard)
            except UsageError as error:
                yield str(error)


@dataclass(frozen=True, kw_only=True)
class BlockOptions(CampaignOptions):
    """The same for commands that can choose their blocks."""

    block_size: Annotated[int | None, Between(1, 65536)] = None
    """Records processed together: by default 256 starts of maximize, 1,000 records of revise and 4,096 of
    predict. Another size changes the rounding in networks slightly."""


@dataclass(frozen=True, kw_only=True)
class WorkResult(Result):
    """What one process of a campaign has done."""

    command: ClassVar[str] = "campaign"

    campaign: Path
    done_here: int
    """Blocks that this process did."""
    done: int
    """Blocks of the campaign that are done."""
    blocks: int | None
    """Blocks in all; None where nobody can know it before the end."""
    in_work: int
    """Blocks that others were at when this process passed by."""

    def text(self) -> str:
        """What is done, and what to type next."""
        of = "" if self.blocks is None else f" of {self.blocks:,}"
        here = f"{self.done_here:,} block{'' if self.done_here == 1 else 's'}"
        lines = [f"{self.campaign}: {here} done here, {self.done:,}{of} in all"]
        if self.done == self.blocks:
            lines.append(f"type: seqdesign merge {self.campaign}")
        elif self.in_work:
            lines.append(f"{self.in_work:,} are being worked on by other processes")
        return "\n".join(lines)


def sharded(function: Callable[[ConfigT], Any]) -> Callable[[ConfigT], Any]:
    """The function of a command with ``CampaignOptions``: with ``--campaign`` it only works on blocks.

    With ``--devices`` it makes processes that do, and then one run of what they have left.
    """

    @functools.wraps(function)
    def run(config: ConfigT) -> Any:
        folder: Path | None = config.campaign  # type: ignore[attr-defined]
        shard: str | None = config.shard  # type: ignore[attr-defined]
        num: int = config.devices  # type: ignore[attr-defined]
        if folder is None and (num == 1 or is_merge()):
            return function(config)
        if folder is None:
            with blocks_by_workers(config, num) as made, working(Blocks(made, plan, merging=True)):
                return function(config)
        blocks = Blocks(folder, plan, shard=None if shard is None else parse_shard(shard))
        with working(blocks):
            try:
                function(config)
            except WorkDone:
                return WorkResult(
                    campaign=folder,
                    done_here=blocks.done_here,
                    done=blocks.done,
                    blocks=blocks.total,
                    in_work=blocks.busy,
                )
        raise AssertionError("the command has no blocks")

    return run


def plan(manifest: Manifest) -> dict[str, Any]:
    """What must be the same in all processes of a campaign, by a name that a person understands."""
    from seqdesign.commands.provenance import command_of

    kind, _ = command_of(manifest)
    free = {*LOUDNESS, *OWN, "device"} | {spec.name for spec in fields_of(kind) if spec.written}
    options = {
        spec.option: manifest.config.get(spec.name) for spec in fields_of(kind) if spec.name not in free
    }
    versions = {f"the version of {name}": manifest.versions.get(name) for name in LIBRARIES}
    inputs = {f"the SHA-256 of {name}": known[:12] for name, known in manifest.inputs.items()}
    device = {"the kind of device": manifest.device.partition(":")[0]}
    return {"the command": manifest.name, **options, **inputs, **versions, **device}
