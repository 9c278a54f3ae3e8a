"""What all training commands share: the folder of the run, and the processes of a run on several devices."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

from seqdesign.commands.provenance import begin_manifest
from seqdesign.commands.session import CHECKPOINT
from seqdesign.config import CommandConfig, Flag, Options, Written
from seqdesign.errors import OutputError, TrainingError
from seqdesign.runs.folder import RunDir
from seqdesign.runs.manifest import Manifest

RANKS = ("LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID")
"""Where launchers (Fabric, torchrun, srun) say which process of a run this is."""

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, kw_only=True)
class ModelFolder(Options):
    """Where a model is written."""

    PANEL: ClassVar[str] = "Output options"

    output: Annotated[Path, Flag("-o"), Written("folder")] = Path("models/vae")
    """Folder of the model."""
    overwrite: bool = False
    """Replace a model that is already there."""
    resume: bool = False
    """Continue the run that was interrupted there, with the same input and options."""

    def problems(self) -> Iterator[str]:
        """Replace or continue, not both."""
        if self.overwrite and self.resume:
            yield "--overwrite: cannot be combined with --resume"


def is_main_process() -> bool:
    """Whether this is the first process of the first machine (launchers number them in the environment)."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


def in_folder(config: ModelFolder, work: Callable[[RunDir | None], ResultT]) -> ResultT:
    """``work`` with the locked folder of the run; with None in a process that is not the main one.

    Such a process computes and leaves all words to the main one: an interrupt or a failed step ends all
    processes at once, and a bad exit code here would have the launcher kill the main process before it has
    said so. Raises OutputError for a folder that may not be written.
    """
    if not is_main_process():
        with suppress(KeyboardInterrupt, TrainingError):
            work(None)
        raise SystemExit(0)
    with RunDir(config.output, overwrite=config.overwrite, resume=config.resume) as run:
        if (config.output / CHECKPOINT).exists() and not (config.overwrite or config.resume):
            raise OutputError(
                f"{config.output} holds an unfinished run; add --resume to continue it or --overwrite "
                "to start anew"
            )
        return work(run)


def begin(
    run: RunDir, config: CommandConfig, source: Path, device: str, *, anew: bool, more: Sequence[Path] = ()
) -> Manifest:
    """Prepare the manifest; ``run.start`` writes it, and clears the checkpoint of a model that is replaced.

    That is to be called when the first step has been made: until then the run may still be refused, and what
    was there stays as it was.
    """
    manifest = begin_manifest(config, device=device, inputs=[source, *more])
    run.prepare(manifest, clear=[CHECKPOINT] if anew else [])
    return manifest


def starting(run: RunDir | None) -> Callable[[int, int], None]:
    """To be called after each step: the first one starts the run in its folder, if this process has it."""

    def on_step(step: int, total: int) -> None:
        if run is not None:
            run.start()

    return on_step
