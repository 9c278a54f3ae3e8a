"""``seqdesign predict``: outcome and naturalness of sequences, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from seqdesign.commands._result import Result
from seqdesign.commands._runtime import Progress, compute
from seqdesign.config import CommandConfig, Flag, Options, Positional
from seqdesign.sequences.options import ColumnOptions, LetterPolicy, encode_with, file_format

if TYPE_CHECKING:
    from seqdesign.training.vae_store import TrainedVAE


@dataclass(frozen=True, kw_only=True)
class TableOutput(Options):
    """Options of commands whose result is a table."""

    PANEL: ClassVar[str] = "Output options"

    output: Annotated[Path | None, Flag("-o")] = None
    """Table to write, CSV, TSV or Parquet by suffix; - or nothing is CSV on stdout. With --json a file is
    needed."""

    def problems(self) -> Iterator[str]:
        """Stdout carries either the table or the JSON object, never both."""
        if getattr(self, "json", False) and self.output in (None, Path("-")):
            yield "--json: stdout carries the table; add --output FILE for it, or leave --json out"


@dataclass(frozen=True, kw_only=True)
class PredictConfig(TableOutput, ColumnOptions, LetterPolicy, CommandConfig):
    """Predict the outcome and the log-likelihood of sequences, as a table.

    Example: seqdesign predict candidates.fa -o predictions.csv
    """

    input: Annotated[Path, Positional("INPUT")]
    """FASTA, CSV, TSV or Parquet, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    model: Annotated[Path, Flag("-m")] = Path("models/vae")
    """Folder of a model made by train-vae."""


@dataclass(frozen=True, kw_only=True)
class PredictResult(Result):
    """What was predicted, and how it compares with measured outcomes where the input has them."""

    command: ClassVar[str] = "predict"

    model: Path
    num: int
    num_measured: int
    r2: float | None
    """1 - squared error / variance of the measured outcomes."""
    pearson: float | None
    output: Path | None

    def text(self) -> str:
        """One or two lines."""
        lines = [
            f"predicted {self.num:,} sequences with {self.model}"
            + (f" into {self.output}" if self.output else "")
        ]
        if self.r2 is not None and self.pearson is not None:
            lines.append(
                f"against {self.num_measured:,} measured outcomes: R2 {self.r2:.3f}, Pearson "
                f"{self.pearson:.3f}"
            )
        return "\n".join(lines)


@dataclass
class _Agreement:
    """Running sums for R2 and Pearson's r, so that memory does not grow with the file (Welford 1962)."""

    n: int = 0
    mean: list[float] = field(default_factory=lambda: [0.0, 0.0])
    products: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    squared_error: float = 0.0

    def add(self, measured: float, predicted: float) -> None:
        self.n += 1
        before = (measured - self.mean[0], predicted - self.mean[1])
        self.mean = [m + d / self.n for m, d in zip(self.mean, before, strict=True)]
        after = (measured - self.mean[0], predicted - self.mean[1])
        terms = (before[0] * after[0], before[1] * after[1], before[0] * after[1])
        self.products = [p + t for p, t in zip(self.products, terms, strict=True)]
        self.squared_error += (measured - predicted) ** 2

    def figures(self) -> tuple[float | None, float | None]:
        """(R2, Pearson), None where they mean nothing."""
        yy, ff, yf = self.products
        if self.n < 2 or yy <= 0:
            return None, None
        return 1 - self.squared_error / yy, yf / math.sqrt(yy * ff) if ff > 0 else None


def predict(config: PredictConfig) -> PredictResult:
    """Write a table with one row per sequence. Raises SeqDesignError."""
    from seqdesign.sequences.tables import write_table
    from seqdesign.training.vae_store import load_vae

    agreement = _Agreement()
    with compute(config) as device:
        trained = load_vae(config.model, device)
        columns = ["id", "sequence", "loglik", "loglik_per_letter", "measured"]
        if trained.model.has_outcome:
            columns.insert(2, "outcome")
        rows = _rows(config, trained, agreement)
        num = write_table(rows, config.output or "-", columns=columns)
    r2, pearson = agreement.figures()
    return PredictResult(
        model=config.model,
        num=num,
        num_measured=agreement.n,
        r2=r2,
        pearson=pearson,
        output=config.output,
    )


def _rows(config: PredictConfig, trained: TrainedVAE, agreement: _Agreement) -> Iterator[dict[str, Any]]:
    import numpy as np
    import torch

    from seqdesign.optimizers._problem import evaluate
    from seqdesign.sequences.reader import stream_sequences

    model, record = trained.model, trained.record
    device = next(model.parameters()).device
    progress, done = Progress("predicting", config), 0
    for block in stream_sequences(
        config.input,
        sequence_column=config.sequence,
        outcome=config.outcome,
        id_column=config.id_,
        format=file_format(config),
    ):
        array = encode_with(config, block, record.alphabet, max_length=record.max_length)
        block = block.take(array.kept)
        if not len(block):
            continue
        tokens = torch.from_numpy(array.tokens.astype(np.int64)).to(device)
        lengths = torch.from_numpy(array.lengths).to(device)
        scored = evaluate(model, tokens, lengths)
        outcome, loglik = (v.cpu().double().tolist() for v in (scored.outcome, scored.log_likelihood))
        for i, name in enumerate(block.ids):
            measured = (
                None if block.outcomes is None or math.isnan(block.outcomes[i]) else float(block.outcomes[i])
            )
            row = {
                "id": name,
                "sequence": block.sequences[i],
                "loglik": loglik[i],
                "loglik_per_letter": loglik[i] / (int(array.lengths[i]) + 1),
                "measured": measured,
            }
            if model.has_outcome:
                row["outcome"] = outcome[i]
                if measured is not None:
                    agreement.add(measured, outcome[i])
            yield row
        done += len(block)
        progress.update(done)
    progress.close()
