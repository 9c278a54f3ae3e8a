"""What all training commands share: the folder of the run, and the processes of a run on several devices."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, TypedDict, TypeVar

from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest
from seqdesign.commands.session import CHECKPOINT
from seqdesign.config import Flag, Options, Positional, RunConfig, Written
from seqdesign.errors import OutputError, TrainingError, UsageError
from seqdesign.runs.folder import RunDir
from seqdesign.runs.progress import say
from seqdesign.sequences.options import (
    DuplicatePolicy,
    LetterOptions,
    ReadOptions,
    SequenceColumns,
    alphabet_with,
    encode_with,
    file_format,
    layout_of,
    read_with,
)
from seqdesign.training.config import RunOptions

if TYPE_CHECKING:
    from seqdesign.sequences.encoders import TokenArray
    from seqdesign.sequences.reader import SequenceSet
    from seqdesign.training.loop import Fabric

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


@dataclass(frozen=True, kw_only=True)
class FolderOptions(ModelFolder, RunConfig):
    """What every training command takes, whatever it reads."""

    def inputs(self) -> Sequence[Path]:
        """Files that the run reads."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class TrainOptions(FolderOptions):
    """What a training command takes that learns from one set of sequences."""

    sequences: Annotated[Path, Positional("SEQS")]
    """FASTA, GenBank or a table, plain or compressed; - is stdin; dataset:NAME is bundled data."""

    def inputs(self) -> Sequence[Path]:
        """The sequences to learn from."""
        return [self.sequences]


@dataclass(frozen=True, kw_only=True)
class WriterOptions(TrainOptions, ReadOptions, LetterOptions, RunConfig):
    """What a command takes that learns to write sequences."""


def shared_stdin(inputs: Sequence[Path], options: RunOptions) -> Iterator[str]:
    """The problem of a run whose processes would each have to read standard input."""
    if Path("-") in inputs and options.devices * options.num_nodes > 1:
        yield "--devices: several processes cannot share stdin; name a file"


def is_main_process() -> bool:
    """Whether this is the first process of the first machine (launchers number them in the environment)."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


def in_folder(config: FolderOptions, work: Callable[[RunDir | None], ResultT]) -> ResultT:
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


def read_to_write(
    config: WriterOptions, condition: str | None, columns: Sequence[str] = ()
) -> tuple[SequenceSet, TokenArray]:
    """The records to learn from, with these columns, and their tokens; a condition is their outcome.

    Raises InputError and UsageError.
    """
    reading = config if condition is None else replace(config, outcome=condition)
    records = read_with(reading, config.sequences, columns=columns)
    tokens = encode_with(config, records, alphabet_with(config, records.sequences))
    records = records.take(tokens.kept)
    if condition is not None and records.outcomes is None:
        raise UsageError(
            f"no sequence has a measured outcome '{condition}'; name a column or a header key",
            option="--condition",
        )
    if records.origin is not None and records.outcomes is None:
        said = f"{records.source} was {records.origin.says()}; they are not learned from"
        say(f"warning: {said}", quiet=config.quiet)
    return records, tokens


@dataclass(frozen=True, kw_only=True)
class PlainInput(SequenceColumns, DuplicatePolicy):
    """How sequences are read whose outcomes do not matter."""


def read_plain(config: PlainInput, path: Path, columns: Sequence[str] = ()) -> SequenceSet:
    """The records of a file without outcomes, with these columns. Raises InputError and UsageError."""
    from seqdesign.sequences.reader import read_sequences

    return read_sequences(
        path,
        sequence_column=config.sequence,
        id_column=config.id_,
        columns=columns,
        format=file_format(config),
        layout=layout_of(config),
        on_duplicate=config.on_duplicate,
        outcomes=False,
    )


class Fitting(TypedDict):
    """What every training function is told by its command."""

    seed: int
    fabric: Fabric
    folder: Path
    resume: bool
    on_step: Callable[[int, int], None]


@contextmanager
def fitting(config: FolderOptions, options: RunOptions, run: RunDir | None) -> Iterator[Fitting]:
    """The device and its Fabric while a model is trained, in the folder of the run if this process has it.

    The manifest is prepared here and written with the first step, or at the end for a model that takes none;
    that also clears the checkpoint of a model that is replaced. Until then the run may still be refused, and
    what was there stays as it was.
    """
    from seqdesign.training.loop import make_fabric

    def on_step(step: int, total: int) -> None:
        if run is not None:
            run.start()

    with compute(config) as device:
        fabric = make_fabric(options, device)
        if run is not None:
            manifest = begin_manifest(config, device=str(fabric.device), inputs=config.inputs())
            run.prepare(manifest, clear=[CHECKPOINT] if config.overwrite else [])
        yield Fitting(
            seed=config.seed, fabric=fabric, folder=config.output, resume=config.resume, on_step=on_step
        )
        if run is not None:
            run.start()
