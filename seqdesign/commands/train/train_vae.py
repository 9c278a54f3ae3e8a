"""``seqdesign train-vae``: learn a sequence VAE, its outcome network and its language model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from seqdesign.commands.session import checked_training
from seqdesign.commands.train.options import WriterOptions, fitting, in_folder, read_to_write, shared_stdin
from seqdesign.config import RunConfig, part
from seqdesign.errors import UsageError
from seqdesign.models.vae.config import VAEOptions
from seqdesign.runs.atomic import together
from seqdesign.runs.folder import RunDir
from seqdesign.runs.progress import note, say
from seqdesign.runs.result import Result
from seqdesign.training.config import FitOptions, GivenSplitOptions

if TYPE_CHECKING:
    from seqdesign.models.vae.fit import VAETraining
    from seqdesign.models.vae.quality import VAEQuality
    from seqdesign.sequences.encoders import TokenArray
    from seqdesign.sequences.reader import SequenceSet


@dataclass(frozen=True, kw_only=True)
class TrainVAEConfig(WriterOptions, VAEOptions, GivenSplitOptions, FitOptions, RunConfig):
    """Learn a latent model of sequences and, where outcomes are given, of their outcome.

    Outcomes stand in FASTA headers (>id outcome=1.25) or in a table's column.

    Example: seqdesign train-vae seqs.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "sequence", "outcome", "id_", "alphabet", "output", "resume", "overwrite", "on_unknown",
        "epochs",
    )  # fmt: skip

    def problems(self) -> Iterator[str]:
        """Every process reads the input for itself; one outcome at a time."""
        yield from shared_stdin(self.inputs(), self)
        if None not in (self.outcome, self.condition) and self.outcome != self.condition:
            yield "--outcome: must be the one of --condition, or be left out"


@dataclass(frozen=True, kw_only=True)
class TrainVAEResult(Result):
    """What was learned, and how well it does on held-out sequences."""

    command = "train-vae"
    KEY: ClassVar[tuple[str, ...]] = (
        r"R2 (-?[\d.,]*\d(?:e[-+]?\d+)?%?)",
        r"^reconstruction accuracy +(-?[\d.,]*\d(?:e[-+]?\d+)?%?)",
    )

    model: Path
    alphabet: str
    num_train: int
    num_held_out: int
    outcome: str | None
    measured: str
    """What the column of the outcome holds, in words; empty without one."""
    epochs: int
    stop_reason: str
    best_held_out_loss: float
    seconds: float
    quality: VAEQuality

    def text(self) -> str:
        """The table at the end of a run."""
        q = self.quality
        rows: list[tuple[str, str]] = [
            (
                "sequences",
                f"{self.num_train:,} to learn from, {self.num_held_out:,} held out ({self.alphabet})",
            ),
            ("training", f"{self.epochs} passes in {self.seconds:.0f} s, stopped by {self.stop_reason}"),
            (
                "reconstruction accuracy",
                f"{q.token_accuracy:.1%} of letters, {q.exact_accuracy:.1%} of sequences",
            ),
            ("NLL bound of the VAE", f"{q.nll_bound:.2f} nats per sequence"),
            ("NLL of the language model", f"{q.language_nll:.2f} nats per sequence"),
            ("KL to the prior", f"{q.kl:.2f} nats, {q.active_units} of {q.latent_dim} units active"),
        ]
        if q.outcome_r2 is not None and q.outcome_spearman is not None and q.invariance is not None:
            auroc = "" if q.outcome_auroc is None else f", AUROC {q.outcome_auroc:.3f}"
            shrunk = "" if q.outcome_slope in (None, 1.0) else f"; shrunk by {q.outcome_slope:.2f}"
            rows += [
                ("outcome", self.measured),
                (
                    "outcome F(E(x))",
                    f"R2 {q.outcome_r2:.3f}, Spearman {q.outcome_spearman:.3f}{auroc}{shrunk}",
                ),
                ("invariance loss / Var(y)", f"{q.invariance:.3f}"),
            ]
        else:
            rows.append(("outcome", "none in the input; revise will need one"))
        rows.append(("model", str(self.model)))
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        return "\n".join(["Held-out quality", *lines, *(f"warning: {w}" for w in q.warnings)])


@checked_training
def train_vae(config: TrainVAEConfig) -> TrainVAEResult:
    """Train on ``config.sequences`` and write a model folder. Raises SeqDesignError."""
    started = time.monotonic()
    return in_folder(config, lambda run: _train(config, run, started))


def _train(config: TrainVAEConfig, run: RunDir | None, started: float) -> TrainVAEResult:
    # What is wrong with the input is said before torch is loaded.
    from seqdesign.training.given_split import read_split, split_column

    given = None if config.split_column is None else split_column(config.split_column)
    records, tokens = read_to_write(config, config.condition, () if given is None else (given[0],))
    split = None if given is None else read_split(records, *given)
    if records.outcomes is None:
        text = f"{config.sequences} has no outcomes, so the model can sample but not revise"
        say(f"{text}; write them into headers (>id outcome=1.25) or a column", quiet=config.quiet)

    from seqdesign.models.vae.fit import train_sequence_vae

    with fitting(config, config, run) as how:
        on_cpu = how["fabric"].device.type == "cpu"
        if config.precision == "bf16" and on_cpu and "lstm" in (config.encoder, config.decoder):
            raise UsageError(
                "torch has no bfloat16 LSTM on CPUs; use 32, or gru networks", option="--precision"
            )
        result = train_sequence_vae(
            tokens,
            records.outcomes,
            options=part(config, VAEOptions),
            fit_options=part(config, FitOptions),
            outcome_name=config.condition or config.outcome or "outcome",
            split=split,
            on_epoch=lambda record: note(f"held-out loss {record['held_out_vae_loss']:.3f}"),
            **how,
        )
    done = _result(config, result, records, tokens.alphabet.name, started)
    if run is not None:
        _leave(run, result, records, tokens, done)
    return done


def _leave(
    run: RunDir, result: VAETraining, records: SequenceSet, tokens: TokenArray, done: TrainVAEResult
) -> None:
    """Write the files of a finished run. Raises OutputError."""
    from seqdesign.models.vae.latent import COLUMNS, LATENT, latent_rows
    from seqdesign.pages.model import leave_page
    from seqdesign.sequences.tables import write_table
    from seqdesign.training.measured import MEASURED, Measured, save_measured
    from seqdesign.training.store import CHECKPOINT, CONFIG, METRICS, WEIGHTS, save_model, write_metrics

    assert run.manifest is not None
    with together():
        write_metrics(run.path, result.fit.state.history)
        save_model(run.path, result.trained.model, result.trained.record)
        rows = latent_rows(result.trained.model, tokens, records.outcomes, records.ids)
        write_table(rows, run.path / LATENT, columns=COLUMNS)
        save_measured(run.path, Measured.of(tokens, records.outcomes, result.held_out, records.numbering))
    page = leave_page(run.path, "Sequence VAE", done.to_dict(), run.manifest)
    outputs = [WEIGHTS, CONFIG, METRICS, CHECKPOINT, MEASURED, LATENT, page]
    run.finish("complete", outputs=outputs, result=done.to_dict())


def _result(
    config: TrainVAEConfig, result: VAETraining, records: SequenceSet, alphabet: str, started: float
) -> TrainVAEResult:
    state = result.fit.state
    return TrainVAEResult(
        model=config.output,
        alphabet=alphabet,
        num_train=len(result.train),
        num_held_out=len(result.held_out),
        outcome=result.trained.record.outcome,
        measured=records.said if result.trained.record.outcome else "",
        epochs=state.epoch,
        stop_reason=result.fit.stop_reason,
        best_held_out_loss=state.best["vae"],
        seconds=time.monotonic() - started,
        quality=result.quality,
    )
