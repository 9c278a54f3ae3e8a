"""``seqdesign train-lm``: learn a likelihood model of sequences, from left to right or in any order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.session import checked_training
from seqdesign.commands.train.options import WriterOptions, fitting, in_folder, read_to_write, shared_stdin
from seqdesign.config import Flag, RunConfig, Written, part
from seqdesign.language.config import LMOptions
from seqdesign.models.lm.fit_options import LMFitOptions
from seqdesign.runs.atomic import together
from seqdesign.runs.folder import RunDir
from seqdesign.runs.progress import note
from seqdesign.runs.result import Result

if TYPE_CHECKING:
    from seqdesign.models.lm.fit import LMTraining
    from seqdesign.models.lm.quality import LMQuality


@dataclass(frozen=True, kw_only=True)
class TrainLMConfig(WriterOptions, LMOptions, LMFitOptions, RunConfig):
    """Learn to write sequences like yours, and how likely a given sequence is.

    Example: seqdesign train-lm seqs.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "sequence", "outcome", "id_", "alphabet", "output", "resume", "overwrite", "on_unknown",
        "epochs", "architecture", "condition",
    )  # fmt: skip

    output: Annotated[Path, Flag("-o"), Written()] = Path("models/lm")
    """Folder of the model."""

    def problems(self) -> Iterator[str]:
        """Every process reads the input for itself; one outcome at a time."""
        yield from shared_stdin(self.inputs(), self)
        if None not in (self.outcome, self.condition) and self.outcome != self.condition:
            yield "--outcome: must be the one of --condition, or be left out"


@dataclass(frozen=True, kw_only=True)
class TrainLMResult(Result):
    """What was learned, and how well it explains held-out sequences."""

    command: ClassVar[str] = "train-lm"
    KEY: ClassVar[tuple[str, ...]] = (r"^held-out sequences +(-?[\d.,]*\d(?:e[-+]?\d+)?%?)",)

    model: Path
    alphabet: str
    num_train: int
    num_held_out: int
    condition: str | None
    """Outcome that the model is conditional on."""
    shortest: int
    longest: int
    epochs: int
    stop_reason: str
    best_held_out_loss: float
    seconds: float
    quality: LMQuality

    def text(self) -> str:
        """The table at the end of a run."""
        q = self.quality
        name, nats = q.simplest
        lengths = (
            f"{self.shortest}" if self.shortest == self.longest else f"{self.shortest} to {self.longest}"
        )
        rows = [
            ("sequences", f"{self.num_train:,} to learn from, {self.num_held_out:,} held out"),
            ("letters", f"{lengths} ({self.alphabet})"),
            ("training", f"{self.epochs} passes in {self.seconds:.0f} s, stopped by {self.stop_reason}"),
            ("held-out sequences", f"{q.nll:.4f} nats per letter{'' if q.exact else ' at most'}"),
            ("training sequences", f"{q.train_nll:.4f}"),
            (name, f"{nats:.4f}"),
        ]
        if self.condition is not None:
            rows.append(("condition", self.condition))
        rows.append(("model", str(self.model)))
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        return "\n".join(["Held-out quality", *lines, *(f"warning: {w}" for w in q.warnings)])


@checked_training
def train_lm(config: TrainLMConfig) -> TrainLMResult:
    """Train on ``config.sequences`` and write a model folder. Raises SeqDesignError."""
    started = time.monotonic()
    return in_folder(config, lambda run: _train(config, run, started))


def _train(config: TrainLMConfig, run: RunDir | None, started: float) -> TrainLMResult:
    records, tokens = read_to_write(config, config.condition)  # what is wrong is said before torch is loaded

    from seqdesign.models.lm.fit import train_sequence_lm
    from seqdesign.pages.model import leave_page
    from seqdesign.training.store import CHECKPOINT, CONFIG, METRICS, WEIGHTS, save_model, write_metrics

    with fitting(config, config, run) as how:
        result = train_sequence_lm(
            tokens,
            records.outcomes,
            options=part(config, LMOptions),
            fit_options=part(config, LMFitOptions),
            on_epoch=lambda record: note(f"held-out loss {record['held_out_lm_loss']:.3f}"),
            **how,
        )
    done = _result(config, result, tokens.alphabet.name, started)
    if run is not None:
        with together():
            # A run killed after its last checkpoint lacks the figures.
            write_metrics(run.path, result.fit.state.history)
            save_model(run.path, result.trained.model, result.trained.record)
        assert run.manifest is not None
        page = leave_page(run.path, "Language model", done.to_dict(), run.manifest)
        outputs = [WEIGHTS, CONFIG, METRICS, CHECKPOINT, page]
        run.finish("complete", outputs=outputs, result=done.to_dict())
    return done


def _result(config: TrainLMConfig, result: LMTraining, alphabet: str, started: float) -> TrainLMResult:
    state, record = result.fit.state, result.trained.record
    return TrainLMResult(
        model=config.output,
        alphabet=alphabet,
        num_train=len(result.train),
        num_held_out=len(result.held_out),
        condition=record.outcome,
        shortest=record.min_length,
        longest=record.max_length,
        epochs=state.epoch,
        stop_reason=result.fit.stop_reason,
        best_held_out_loss=state.best["lm"],
        seconds=time.monotonic() - started,
        quality=result.quality,
    )
