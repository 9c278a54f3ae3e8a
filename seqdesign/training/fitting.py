"""One run of training from a record: build the networks, fit them, keep a checkpoint of every pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from seqdesign.config import Options
from seqdesign.training.config import RunOptions
from seqdesign.training.loop import Fit, Hooks, fit
from seqdesign.training.plan import Plan
from seqdesign.training.protocols import Data
from seqdesign.training.store import (
    Checkpoint,
    Record,
    load_checkpoint,
    run_identity,
    save_checkpoint,
    write_metrics,
)

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric


@dataclass(frozen=True)
class Run:
    """Where a run leaves its checkpoints, and who is told how far it is.

    folder: a checkpoint and the figures of all passes are written there after every pass; None: nowhere.
    resume: go on from the checkpoint there.
    """

    seed: int
    fabric: Fabric
    folder: Path | None = None
    resume: bool = False
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None
    on_step: Callable[[int, int], None] = lambda step, total: None


def build(record: Record[Any], seed: int) -> Any:
    """The networks of a record, with weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed the GPUs too
        return record.build()


def fit_record(
    record: Record[Any],
    whole: Data,
    parts: tuple[Data, Data],
    options: Options,
    fit_options: RunOptions,
    run: Run,
    *,
    mark: str = "",
    prepare: Callable[[Any], None] = lambda model: None,
    plan: Plan | None = None,
) -> tuple[Any, Fit]:
    """The trained networks of ``record``, in eval mode, and how it went.

    whole: all data, by which a resumed run is recognised, with the ``mark`` of a given split; parts: what is
    learned from and what is held out. prepare: done to the networks before the first step. Raises
    TrainingError, and ModelError when there is nothing to resume.
    """
    identity = run_identity(whole.fingerprint() + mark, options, fit_options, run.seed, run.fabric.world_size)

    def save(checkpoint: Checkpoint, improved: bool) -> None:
        if run.folder is not None:
            save_checkpoint(run.folder, checkpoint, record, identity)
            write_metrics(run.folder, checkpoint.state.history)

    model: nn.Module = build(record, run.seed)
    prepare(model)
    fitted = fit(
        model,
        *parts,
        fit_options,
        seed=run.seed,
        fabric=run.fabric,
        hooks=Hooks(on_epoch=run.on_epoch, on_step=run.on_step, save=save),
        resume=load_checkpoint(run.folder, identity) if run.resume and run.folder is not None else None,
        plan=plan,
    )
    return model.eval(), fitted
