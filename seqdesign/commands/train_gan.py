"""``seqdesign train-gan``: learn a generator of sequences against a critic, and report its health."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.device import compute
from seqdesign.commands.training import ModelFolder, begin, in_folder
from seqdesign.config import Flag, Positional, RunConfig, Written, part
from seqdesign.errors import InputError
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.fit_options import GANFitOptions
from seqdesign.runs.progress import Progress
from seqdesign.runs.result import Result
from seqdesign.sequences.options import LetterOptions, ReadOptions, alphabet_with, encode_with, read_with

if TYPE_CHECKING:
    from seqdesign.evaluation.health import Checked, GANHealth
    from seqdesign.models.gan.fit import GANTraining
    from seqdesign.runs.folder import RunDir
    from seqdesign.sequences.encoders import TokenArray

REPORT = "health.html"
SHOWN = 6
"""Motifs that are named."""


@dataclass(frozen=True, kw_only=True)
class TrainGANConfig(ModelFolder, ReadOptions, LetterOptions, GANOptions, GANFitOptions, RunConfig):
    """Learn to write sequences like yours: a generator and a critic that play against each other.

    Example: seqdesign train-gan seqs.fa
    """

    sequences: Annotated[Path, Positional("SEQS")]
    """FASTA, CSV, TSV or Parquet, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    output: Annotated[Path, Flag("-o"), Written()] = Path("models/gan")
    """Folder of the model."""

    def problems(self) -> Iterator[str]:
        """Every process reads the input for itself."""
        if self.sequences == Path("-") and self.devices * self.num_nodes > 1:
            yield "--devices: several processes cannot share stdin; name a file"


@dataclass(frozen=True, kw_only=True)
class TrainGANResult(Result):
    """What was learned, and whether it is healthy."""

    command: ClassVar[str] = "train-gan"

    model: Path
    alphabet: str
    num_train: int
    num_held_out: int
    condition: str | None
    """Outcome that the model is conditional on."""
    classes: tuple[float | str, ...]
    """Labels, or the largest outcome of each bin."""
    motifs: tuple[str, ...]
    """Words that no Markov chain of the positions explains, with which the generator started."""
    steps: int
    """Generator steps."""
    best_step: int
    """Generator steps after which held-out statistics were last as good as ever; those weights were kept."""
    stop_reason: str
    score: float
    """Mean logarithm of the distances to held-out sequences over their floor; 0 is as good as real."""
    seconds: float
    health: GANHealth

    def text(self) -> str:
        """The health report."""
        from seqdesign.evaluation.health import words

        lines = [
            f"{self.num_train:,} sequences to learn from, {self.num_held_out:,} held out ({self.alphabet})",
            f"{self.steps:,} generator steps in {self.seconds:.0f} s; kept: those after {self.best_step:,}",
            *self._motif_line(),
            *words(self.health),
            f"model: {self.model} (report: {self.model / REPORT})",
        ]
        return "\n".join(["Health on held-out sequences", *lines])

    def _motif_line(self) -> Iterator[str]:
        if self.motifs:
            more = ", ..." if len(self.motifs) > SHOWN else ""
            yield f"motifs to start with: {len(self.motifs)} ({', '.join(self.motifs[:SHOWN])}{more})"


def train_gan(config: TrainGANConfig) -> TrainGANResult:
    """Train on ``config.sequences`` and write a model folder. Raises SeqDesignError."""
    started = time.monotonic()
    return in_folder(config, lambda run: _train(config, run, started))


def _train(config: TrainGANConfig, run: RunDir | None, started: float) -> TrainGANResult:
    from seqdesign.models.gan.fit import train_sequence_gan
    from seqdesign.models.gan.model import OBJECTIVES
    from seqdesign.training.loop import make_fabric

    OBJECTIVES.load(config.objective)  # an unknown name is said before the input is read
    asked = config.condition != "none"
    # Without a condition outcomes matter only where they say which records to drop.
    records = read_with(
        config,
        config.sequences,
        outcomes=asked or config.on_missing == "drop",
        labels=config.condition != "bins",
    )
    if asked and records.origin is not None and records.outcomes is None:
        raise InputError(
            f"the file was {records.origin.says()}; --condition needs measured ones", path=records.source
        )
    tokens = encode_with(config, records, alphabet_with(config, records.sequences))
    records = records.take(tokens.kept)
    progress = Progress("training", quiet=config.quiet)
    with compute(config) as device:
        fabric = make_fabric(config, device)
        if run is not None:
            begin(run, config, config.sequences, str(fabric.device), anew=config.overwrite)
        last: dict[str, float] = {}

        def on_step(step: int, total: int) -> None:
            note = f"distance over floor {2.718281828 ** last['held_out_score']:.2f}" if last else ""
            progress.update(step, total, note)

        try:
            result = train_sequence_gan(
                tokens,
                records.outcomes,
                options=part(config, GANOptions),
                fit_options=part(config, GANFitOptions),
                seed=config.seed,
                fabric=fabric,
                outcome_name=config.outcome or "outcome",
                labels=records.labels,
                folder=config.output,
                resume=config.resume,
                on_epoch=last.update,
                on_step=on_step,
            )
        finally:
            progress.close()
        return _finish(config, run, result, tokens, started)


def _finish(
    config: TrainGANConfig, run: RunDir | None, result: GANTraining, tokens: TokenArray, started: float
) -> TrainGANResult:
    """Judge the generator and, in the main process, write the files of a finished run."""
    from seqdesign.evaluation.health import check
    from seqdesign.models.gan.fit import SAMPLES
    from seqdesign.models.gan.store import save_gan
    from seqdesign.pages.gan import health_page
    from seqdesign.training.store import CHECKPOINT, CONFIG, METRICS, WEIGHTS, write_metrics

    progress = Progress("nearest training sequences", quiet=config.quiet)
    try:
        checked = check(result, tokens, config.seed, config.threads or 1, progress.update)
    finally:
        progress.close()
    done = _result(config, result, checked, tokens, started)
    if run is not None:
        write_metrics(run.path, result.fit.state.history)  # a run killed after its last checkpoint lacks it
        save_gan(run.path, result.model, result.trained.record)
        assert run.manifest is not None
        health_page(checked, result, run.manifest).write(run.path / REPORT)
        grids = sorted(p.relative_to(run.path).as_posix() for p in (run.path / SAMPLES).glob("*.fa"))
        outputs = [WEIGHTS, CONFIG, METRICS, CHECKPOINT, REPORT, *grids]
        run.finish("complete", outputs=outputs, result=done.to_dict())
    return done


def _result(
    config: TrainGANConfig, result: GANTraining, checked: Checked, tokens: TokenArray, started: float
) -> TrainGANResult:
    from seqdesign.models.gan.fit import kept

    state, record = result.fit.state, result.trained.record
    best = kept(state.history)
    return TrainGANResult(
        model=config.output,
        alphabet=tokens.alphabet.name,
        num_train=len(result.train),
        num_held_out=len(result.held_out),
        condition=record.outcome,
        classes=record.class_names if record.labels else record.classes,
        motifs=tuple(motif.spelled(tokens.alphabet.letters) for motif in result.motifs),
        steps=state.moves["generator"],
        best_step=int(best["epoch"]) * config.steps_per_look,
        stop_reason=result.fit.stop_reason,
        score=best["held_out_score"],
        seconds=time.monotonic() - started,
        health=checked.health,
    )
