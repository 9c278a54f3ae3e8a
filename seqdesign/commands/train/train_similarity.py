"""``seqdesign train-similarity``: learn how alike two sequences are."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.session import checked_training
from seqdesign.commands.train.options import (
    PlainInput,
    TrainOptions,
    fitting,
    in_folder,
    read_plain,
    shared_stdin,
)
from seqdesign.config import Flag, RunConfig, Written, part
from seqdesign.errors import InputError
from seqdesign.models.similarity.config import SimilarityFitOptions, SimilarityOptions, TeachingOptions
from seqdesign.runs.atomic import together
from seqdesign.runs.folder import RunDir
from seqdesign.runs.progress import note
from seqdesign.runs.result import Result
from seqdesign.sequences.options import LetterOptions, alphabet_with, encode_with

if TYPE_CHECKING:
    from seqdesign.models.similarity.fit import Pairs, SimilarityTraining
    from seqdesign.models.similarity.quality import SimilarityQuality
    from seqdesign.sequences.encoders import TokenArray
    from seqdesign.sequences.reader import SequenceSet


@dataclass(frozen=True, kw_only=True)
class TrainSimilarityConfig(
    TrainOptions, PlainInput, LetterOptions, TeachingOptions, SimilarityOptions,
    SimilarityFitOptions, RunConfig,
):  # fmt: skip
    """Learn the similarity of two sequences, to keep revisions similar to their inputs.

    Example: seqdesign train-similarity seqs.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "sequence", "id_", "alphabet", "output", "resume", "overwrite", "on_unknown", "measure", "label",
        "pairs", "epochs",
    )  # fmt: skip

    output: Annotated[Path, Flag("-o"), Written("folder")] = Path("models/similarity")
    """Folder of the model."""

    def inputs(self) -> Sequence[Path]:
        """The sequences to learn from, and their given similarities."""
        return [self.sequences] if self.pairs is None else [self.sequences, self.pairs]

    def problems(self) -> Iterator[str]:
        """Every process reads the input for itself; splits by outcome need outcomes."""
        yield from shared_stdin(self.inputs(), self)
        if self.split == "quantile":
            yield "--split: quantile needs an outcome, and a similarity has none; use random or cluster"


@dataclass(frozen=True, kw_only=True)
class TrainSimilarityResult(Result):
    """What was learned, and how well it orders pairs of held-out sequences."""

    command: ClassVar[str] = "train-similarity"
    KEY: ClassVar[tuple[str, ...]] = (r"^held-out pairs +\S+ \S+ (-?[\d.,]*\d)",)

    model: Path
    alphabet: str
    teacher: str
    num_train: int
    num_held_out: int
    epochs: int
    stop_reason: str
    seconds: float
    quality: SimilarityQuality

    def text(self) -> str:
        """The table at the end of a run."""
        q = self.quality
        rows = [
            (
                "sequences",
                f"{self.num_train:,} to learn from, {self.num_held_out:,} held out ({self.alphabet})",
            ),
            ("taught by", self.teacher),
            ("training", f"{self.epochs} passes in {self.seconds:.0f} s, stopped by {self.stop_reason}"),
            ("held-out pairs", f"{q.measure} {q.agreement:.3f} ({q.pairs:,} pairs)"),
            ("mean absolute error", f"{q.error:.3f}"),
            (f"words of {q.kmer}, cosine", f"{q.kmer_agreement:.3f}"),
            *([("edit distance", f"{q.edit_agreement:.3f}")] if q.edit_agreement is not None else []),
            ("model", str(self.model)),
        ]
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        return "\n".join(["Held-out quality", *lines, *(f"warning: {w}" for w in q.warnings)])


@checked_training
def train_similarity(config: TrainSimilarityConfig) -> TrainSimilarityResult:
    """Train on ``config.sequences`` and write a model folder. Raises SeqDesignError."""
    started = time.monotonic()
    records, tokens = _read(config)
    pairs = None if config.pairs is None else _pairs(config.pairs, records.ids)
    return in_folder(config, lambda run: _train(config, records, tokens, pairs, run, started))


def _read(config: TrainSimilarityConfig) -> tuple[SequenceSet, TokenArray]:
    """The records to learn from, and their tokens. Raises InputError and UsageError."""
    records = read_plain(config, config.sequences, () if config.label is None else (config.label,))
    tokens = encode_with(config, records, alphabet_with(config, records.sequences))
    records = records.take(tokens.kept)
    if config.label is not None:
        bare = next((i for i, label in enumerate(records.columns[config.label]) if not label.strip()), None)
        if bare is not None:
            raise InputError(
                f"has no label in '{config.label}'; give it one, or take it out",
                path=records.source,
                record=records.ids[bare],
            )
    return records, tokens


def _pairs(path: Path, ids: list[str]) -> Pairs:
    from seqdesign.models.similarity.fit import read_pairs

    return read_pairs(path, ids)


def _train(
    config: TrainSimilarityConfig,
    records: SequenceSet,
    tokens: TokenArray,
    pairs: Pairs | None,
    run: RunDir | None,
    started: float,
) -> TrainSimilarityResult:
    from seqdesign.models.similarity.fit import train_sequence_similarity
    from seqdesign.pages.model import leave_page
    from seqdesign.training.store import CHECKPOINT, CONFIG, METRICS, WEIGHTS, save_model, write_metrics

    with fitting(config, config, run) as how:
        result = train_sequence_similarity(
            tokens,
            teaching=part(config, TeachingOptions),
            options=part(config, SimilarityOptions),
            fit_options=part(config, SimilarityFitOptions),
            labels=None if config.label is None else records.columns[config.label],
            pairs=pairs,
            on_epoch=lambda record: note(f"held-out loss {record['held_out_similarity_loss']:.4f}"),
            **how,
        )
    done = _result(config, result, tokens.alphabet.name, started)
    if run is not None:
        with together():
            # A run killed after its last checkpoint lacks the figures.
            write_metrics(run.path, result.fit.state.history)
            save_model(run.path, result.trained.model, result.trained.record)
        assert run.manifest is not None
        page = leave_page(run.path, "Similarity model", done.to_dict(), run.manifest)
        outputs = [WEIGHTS, CONFIG, METRICS, CHECKPOINT, page]
        run.finish("complete", outputs=outputs, result=done.to_dict())
    return done


def _result(
    config: TrainSimilarityConfig, result: SimilarityTraining, alphabet: str, started: float
) -> TrainSimilarityResult:
    return TrainSimilarityResult(
        model=config.output,
        alphabet=alphabet,
        teacher=result.trained.record.teacher,
        num_train=len(result.train),
        num_held_out=len(result.held_out),
        epochs=result.fit.state.epoch,
        stop_reason=result.fit.stop_reason,
        seconds=time.monotonic() - started,
        quality=result.quality,
    )
