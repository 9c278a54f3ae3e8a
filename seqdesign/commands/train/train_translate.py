"""``seqdesign train-translate``: learn to make sequences of one set look like those of another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.session import checked_training
from seqdesign.commands.train.options import (
    FolderOptions,
    PlainInput,
    fitting,
    in_folder,
    read_plain,
    shared_stdin,
)
from seqdesign.config import Flag, Positional, RunConfig, Written, part
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.fit_options import TranslateFitOptions
from seqdesign.runs.atomic import together
from seqdesign.runs.folder import RunDir
from seqdesign.runs.progress import note
from seqdesign.runs.result import Result
from seqdesign.sequences.options import LetterOptions, alphabet_with, encode_with

if TYPE_CHECKING:
    from seqdesign.models.translate.fit import TranslateTraining
    from seqdesign.models.translate.quality import Direction
    from seqdesign.sequences.encoders import TokenArray


@dataclass(frozen=True, kw_only=True)
class TrainTranslateConfig(
    FolderOptions,
    PlainInput,
    LetterOptions,
    TranslateOptions,
    TranslateFitOptions,
    RunConfig,
):
    """Learn to make sequences of one set look like those of another, and back; no pairs are needed.

    Each set should hold some hundred sequences or more. Nothing here reads codons: for proteins from DNA see
    back-translate.

    Example: seqdesign train-translate weak.fa strong.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "sequence", "id_", "alphabet", "output", "resume", "overwrite", "on_unknown", "steps", "stay",
    )  # fmt: skip

    set_a: Annotated[Path, Positional("A")]
    """First set: FASTA, GenBank or a table, plain or compressed; - is stdin."""
    set_b: Annotated[Path, Positional("B")]
    """Second set, which shares no sequence with the first."""
    output: Annotated[Path, Flag("-o"), Written("folder")] = Path("models/translate")
    """Folder of the model."""

    def inputs(self) -> Sequence[Path]:
        """Both sets."""
        return [self.set_a, self.set_b]

    def problems(self) -> Iterator[str]:
        """Every process reads the input for itself; two sets are two files."""
        yield from shared_stdin(self.inputs(), self)
        if self.set_a == self.set_b:
            yield "B: is the same file as A; a translator needs two sets that differ"


@dataclass(frozen=True, kw_only=True)
class TrainTranslateResult(Result):
    """What was learned, and how well both directions do on sequences that had no part in it."""

    command: ClassVar[str] = "train-translate"
    KEY: ClassVar[tuple[str, ...]] = (r"recognised +(-?[\d.,]*\d(?:e[-+]?\d+)?%?)",)

    model: Path
    alphabet: str
    num_train: tuple[int, int]
    """Sequences of a and b that were learned from."""
    num_teach: tuple[int, int]
    """Those that taught the classifier that judges."""
    num_test: tuple[int, int]
    """Those that were judged."""
    shortest: int
    longest: int
    steps: int
    seconds: float
    directions: tuple[Direction, Direction]
    """a to b, and b to a."""
    warnings: tuple[str, ...]

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """What is measured, for both directions."""
        first, second = self.directions
        shares = {
            "recognised": "recognised",
            "real ones recognised": "real",
            "untouched recognised": "untouched",
            "letters given back": "returned",
            "different": "distinct",
            "copies of the training set": "copies",
        }
        edits = {
            "edits": "edits",
            "edits to the nearest real one": "edits_to_nearest",
            "translation to nearest real one": "distance",
            "the same of real ones": "real_distance",
        }

        def row(name: str, key: str, form: str) -> tuple[str, str, str]:
            return name, format(getattr(first, key), form), format(getattr(second, key), form)

        rows = [row(name, key, ".1%") for name, key in shares.items()]
        return rows + [row(name, key, ".1f") for name, key in edits.items()]

    def text(self) -> str:
        """The table at the end of a run."""
        first, second = self.directions
        counts = " and ".join(f"{n:,}" for n in self.num_train)
        judged = " and ".join(f"{n:,}" for n in self.num_test)
        taught = " and ".join(f"{n:,}" for n in self.num_teach)
        ways = [f"{one.source} to {one.target}" for one in (first, second)]
        table = [("", *ways), *self.rows]
        widths = [max(len(row[i]) for row in table) for i in range(3)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        return "\n".join(
            [
                f"{counts} sequences to learn from, {taught} for the classifier that judges {judged} others",
                f"{self.steps:,} steps in {self.seconds:.0f} s ({self.alphabet})",
                "Held-out quality",
                *lines,
                *(f"warning: {text}" for text in self.warnings),
                f"model: {self.model}",
            ]
        )


@checked_training
def train_translate(config: TrainTranslateConfig) -> TrainTranslateResult:
    """Train on two sets and write a model folder. Raises SeqDesignError."""
    started = time.monotonic()
    a, b = _read(config)
    return in_folder(config, lambda run: _train(config, a, b, run, started))


def _read(config: TrainTranslateConfig) -> tuple[TokenArray, TokenArray]:
    """Both sets in the letters of both. Raises InputError and UsageError."""
    from itertools import chain

    sets = [read_plain(config, path) for path in (config.set_a, config.set_b)]
    alphabet = alphabet_with(config, chain(*(records.sequences for records in sets)))
    first, second = (encode_with(config, records, alphabet) for records in sets)
    return first, second


def _train(
    config: TrainTranslateConfig, a: TokenArray, b: TokenArray, run: RunDir | None, started: float
) -> TrainTranslateResult:
    from seqdesign.models.translate.fit import train_sequence_translator
    from seqdesign.pages.model import leave_page
    from seqdesign.training.store import CHECKPOINT, CONFIG, METRICS, WEIGHTS, save_model, write_metrics

    with fitting(config, config, run) as how:
        result = train_sequence_translator(
            a,
            b,
            names=names_of(config.set_a, config.set_b),
            options=part(config, TranslateOptions),
            fit_options=part(config, TranslateFitOptions),
            on_epoch=_say_how_many_arrive,
            **how,
        )
    done = _result(config, result, a.alphabet.name, started)
    if run is not None:
        assert run.manifest is not None
        with together():
            # A run killed after its last checkpoint lacks the figures.
            write_metrics(run.path, result.fit.state.history)
            save_model(run.path, result.trained.model, result.trained.record)
        page = leave_page(run.path, "Translator", done.to_dict(), run.manifest)
        outputs = [WEIGHTS, CONFIG, METRICS, CHECKPOINT, page]
        run.finish("complete", outputs=outputs, result=done.to_dict())
    return done


def _say_how_many_arrive(record: dict[str, float]) -> None:
    """Beside the progress."""
    first, second = (f"{record[f'held_out_recognised_{side}']:.0%}" for side in ("b", "a"))
    note(f"{first} of a recognised as b, {second} of b as a")


def names_of(a: Path, b: Path) -> tuple[str, str]:
    """What to call two sets: their files without suffixes, or a and b where these are the same."""
    first, second = (path.name.split(".")[0].removeprefix("dataset:") or path.name for path in (a, b))
    return ("a", "b") if first == second or "-" in (first, second) else (first, second)


def _result(
    config: TrainTranslateConfig, result: TranslateTraining, alphabet: str, started: float
) -> TrainTranslateResult:
    record = result.trained.record
    counts = [(len(rows[0]), len(rows[1])) for rows in (result.train, result.teach, result.test)]
    return TrainTranslateResult(
        model=config.output,
        alphabet=alphabet,
        num_train=counts[0],
        num_teach=counts[1],
        num_test=counts[2],
        shortest=record.min_length,
        longest=record.max_length,
        steps=result.fit.state.moves["generator"],
        seconds=time.monotonic() - started,
        directions=result.directions,
        warnings=tuple(text for one in result.directions for text in one.doubts()),
    )
