"""``seqdesign train-gan``: learn a generator of sequences against a critic, and report its health."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.adversarial.members import OBJECTIVES
from seqdesign.commands.session import checked_training
from seqdesign.commands.train.options import WriterOptions, fitting, in_folder, shared_stdin
from seqdesign.config import Flag, RunConfig, Written, part
from seqdesign.errors import InputError
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.fit_options import GANFitOptions
from seqdesign.runs.atomic import together
from seqdesign.runs.progress import count, note
from seqdesign.runs.result import Result
from seqdesign.sequences.options import alphabet_with, encode_with, read_with

if TYPE_CHECKING:
    from seqdesign.evaluation.game import Game
    from seqdesign.evaluation.health import Checked, GeneratorHealth
    from seqdesign.models.gan.fit import GANTraining
    from seqdesign.runs.folder import RunDir
    from seqdesign.sequences.encoders import TokenArray

REPORT = "report.html"


@dataclass(frozen=True, kw_only=True)
class TrainGANConfig(WriterOptions, GANOptions, GANFitOptions, RunConfig):
    """Learn to write sequences like yours: a generator and a critic that play against each other.

    Example: seqdesign train-gan seqs.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "sequence", "outcome", "id_", "alphabet", "output", "resume", "overwrite", "on_unknown", "steps",
        "objective", "condition",
    )  # fmt: skip

    output: Annotated[Path, Flag("-o"), Written("folder")] = Path("models/gan")
    """Folder of the model."""

    def problems(self) -> Iterator[str]:
        """Every process reads the input for itself; an outcome must serve something."""
        yield from shared_stdin(self.inputs(), self)
        if self.outcome is not None and self.condition == "none" and self.on_missing != "drop":
            yield "--outcome: has no effect without --condition (bins or label); add it, or leave both out"


@dataclass(frozen=True, kw_only=True)
class TrainGANResult(Result):
    """What was learned, and whether it is healthy."""

    command: ClassVar[str] = "train-gan"
    KEY: ClassVar[tuple[str, ...]] = (r"^(The generator is .*?:|Too few to tell)",)

    model: Path
    alphabet: str
    num_train: int
    num_validation: int
    num_test: int
    condition: str | None
    """Outcome that the model is conditional on."""
    classes: tuple[float | str, ...]
    """Labels, or the largest outcome of each bin."""
    steps: int
    """Generator steps."""
    best_step: int
    """Generator steps after which validation figures were last as good as ever; those weights were kept."""
    stop_reason: str
    score: float
    """Mean logarithm of the distances to validation sequences over their floor; 0 is as good as real."""
    seconds: float
    health: GeneratorHealth
    game: Game

    def text(self) -> str:
        """The health report."""
        from seqdesign.evaluation.game import game_words
        from seqdesign.evaluation.health import beside, verdict_line, words

        counts = (
            f"{self.num_train:,} sequences to learn from, {self.num_validation:,} to choose weights, "
            f"{self.num_test:,} to test"
        )
        lines = [
            f"{counts} ({self.alphabet})",
            f"{self.steps:,} generator steps in {self.seconds:.0f} s; kept: those after {self.best_step:,}",
            *words(self.health),
            *game_words(self.game),
            *beside(self.health),
            verdict_line(self.health),
            f"model: {self.model} (report: {self.model / REPORT})",
        ]
        return "\n".join(["Health on sequences that had no part in training", *lines])


@checked_training
def train_gan(config: TrainGANConfig) -> TrainGANResult:
    """Train on ``config.sequences`` and write a model folder. Raises SeqDesignError."""
    started = time.monotonic()
    return in_folder(config, lambda run: _train(config, run, started))


def _train(config: TrainGANConfig, run: RunDir | None, started: float) -> TrainGANResult:
    # What is wrong with options and input is said before torch is loaded, which takes seconds.
    if config.objective not in OBJECTIVES:
        OBJECTIVES.load(config.objective)
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

    from seqdesign.models.gan.fit import train_sequence_gan

    with fitting(config, config, run) as how:
        result = train_sequence_gan(
            tokens,
            records.outcomes,
            options=part(config, GANOptions),
            fit_options=part(config, GANFitOptions),
            outcome_name=config.outcome or "outcome",
            labels=records.labels,
            on_epoch=_say_how_near,
            **how,
        )
        return _finish(config, run, result, tokens, started)


def _say_how_near(record: dict[str, float]) -> None:
    """Samples against real sequences, beside the progress."""
    times = math.exp(record["held_out_score"])
    note(f"samples lie {times:.2f} times as far from real sequences as those from each other")


def _finish(
    config: TrainGANConfig, run: RunDir | None, result: GANTraining, tokens: TokenArray, started: float
) -> TrainGANResult:
    """Judge the generator and, in the main process, write the files of a finished run."""
    from seqdesign.devices.cores import cores
    from seqdesign.evaluation.game import check_gan
    from seqdesign.models.gan.fit import SAMPLES
    from seqdesign.models.gan.store import save_gan
    from seqdesign.pages.gan import health_page
    from seqdesign.training.store import CHECKPOINT, CONFIG, METRICS, WEIGHTS, write_metrics

    checked = check_gan(result, tokens, config.seed, config.threads or cores(), count)
    done = _result(config, result, checked, tokens, started)
    if run is not None:
        assert run.manifest is not None
        with together():
            # A run killed after its last checkpoint lacks the last row.
            write_metrics(run.path, result.fit.state.history)
            save_gan(run.path, result.model, result.trained.record)
            page = health_page(checked, result, run.manifest, run.path, done.to_dict())
            page.write(run.path / REPORT)
            grids = sorted(p.relative_to(run.path).as_posix() for p in (run.path / SAMPLES).glob("*.fa"))
            outputs = [WEIGHTS, CONFIG, METRICS, CHECKPOINT, REPORT, *grids]
            run.finish("complete", outputs=outputs, result=done.to_dict())
    return done


def _result(
    config: TrainGANConfig, result: GANTraining, checked: Checked, tokens: TokenArray, started: float
) -> TrainGANResult:
    from seqdesign.evaluation.game import game_of
    from seqdesign.models.gan.fit import kept

    state, record = result.fit.state, result.trained.record
    best = kept(state.history)
    return TrainGANResult(
        model=config.output,
        alphabet=tokens.alphabet.name,
        num_train=len(result.train),
        num_validation=len(result.validation),
        num_test=len(result.test),
        condition=record.outcome,
        classes=record.class_names if record.labels else record.classes,
        steps=state.moves["generator"],
        best_step=int(best["epoch"]) * config.steps_per_look,
        stop_reason=result.fit.stop_reason,
        score=best["held_out_score"],
        seconds=time.monotonic() - started,
        health=checked.health,
        game=game_of(result),
    )
