"""Train a SequenceTranslator from two encoded sets in memory: split each, fit, judge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdesign.errors import InputError
from seqdesign.models.translate.choosing import Chooser
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.fit_options import TranslateFitOptions
from seqdesign.models.translate.model import OBJECTIVE, Pair
from seqdesign.models.translate.quality import Direction, Judge, texts_of
from seqdesign.models.translate.store import TrainedTranslator, TranslateRecord
from seqdesign.sequences.encoders import TokenArray, Vocabulary
from seqdesign.sequences.splits import random_split
from seqdesign.training.data import TokenData
from seqdesign.training.fitting import Run, fit_record
from seqdesign.training.loop import Fit
from seqdesign.training.plan import Plan, PlayerSettings
from seqdesign.training.splitting import hold_out, together

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric

TAUGHT = 2 / 3
"""Share of the held-out rows that teach the classifier."""

MANY = 32
"""Symbols up to which the learning rate is as it is given."""
SHARED = 0.1
"""Largest share of the smaller set that may stand in the other one too."""

Indices = NDArray[np.int64]
Sets = tuple[TokenArray, TokenArray]


@dataclass(frozen=True)
class TranslateTraining:
    """A trained model, how its training went, and both directions on sequences that had no part in it.

    ``train``, ``teach`` and ``test`` hold for each set the indices of rows learned from, of those that taught
    the classifier, and of those that were translated and judged.
    """

    trained: TrainedTranslator
    fit: Fit
    directions: tuple[Direction, Direction]
    train: tuple[Indices, Indices]
    teach: tuple[Indices, Indices]
    test: tuple[Indices, Indices]


@dataclass(frozen=True, eq=False)
class TwoSets:
    """Rows of two sets as an endless stream, of which one pass of the loop sees ``length`` of each."""

    a: TokenData
    b: TokenData
    length: int

    def __len__(self) -> int:
        return self.length

    @property
    def typical_length(self) -> int:
        """Letters of a typical row."""
        return max(self.a.typical_length, self.b.typical_length)

    def to(self, device: torch.device) -> TwoSets:
        """The same on another device."""
        return TwoSets(self.a.to(device), self.b.to(device), self.length)

    def batches(self, order: Tensor, num: int, rng: torch.Generator) -> Sequence[Tensor]:
        """``num`` batches (n, 2) of rows of either set, each out of as many shuffled rounds as are needed."""
        columns = [_rounds(len(part), self.length, rng) for part in (self.a, self.b)]
        return torch.stack(columns, dim=1).tensor_split(num)

    def rows(self, index: Tensor) -> Pair:
        """One batch."""
        index = index.to(self.a.tokens.device)
        return Pair(self.a.tokens[index[:, 0]].long(), self.b.tokens[index[:, 1]].long())

    def fingerprint(self) -> str:
        """Of both sets, in their order."""
        return hashlib.sha256((self.a.fingerprint() + self.b.fingerprint()).encode()).hexdigest()


def _rounds(rows: int, length: int, rng: torch.Generator) -> Tensor:
    """The first ``length`` places of shuffled rounds through ``rows``."""
    return torch.cat([torch.randperm(rows, generator=rng) for _ in range(-(-length // rows))])[:length]


def train_sequence_translator(
    a: TokenArray,
    b: TokenArray,
    *,
    names: tuple[str, str] = ("a", "b"),
    options: TranslateOptions,
    fit_options: TranslateFitOptions,
    seed: int,
    fabric: Fabric,
    folder: Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    on_step: Callable[[int, int], None] = lambda step, total: None,
) -> TranslateTraining:
    """Learn to translate between two sets of encoded sequences of one alphabet; no pairs are needed.

    names: what the sets are called. With a ``folder``, a checkpoint and the figures of all looks are written
    there at every look, and ``resume`` continues from it.

    Raises InputError for too few sequences or sets that share sequences, TrainingError, and ModelError when
    there is nothing to resume.
    """
    _check_apart(a, b, names)
    parts = [split(tokens, fit_options, seed) for tokens in (a, b)]
    train, teach, test = ((parts[0][i], parts[1][i]) for i in range(3))
    known = texts_of(a.take(train[0])), texts_of(b.take(train[1]))
    record = TranslateRecord(
        options=options,
        alphabet=a.alphabet,
        max_length=int(max(a.lengths.max(), b.lengths.max())),
        min_length=int(min(a.lengths.min(), b.lengths.min())),
        names=names,
        choices=Chooser.of(*known, a.alphabet).to_dict(),
    )
    judge = Judge(record, _take(a, b, teach), _take(a, b, test), _take(a, b, train))
    length = fit_options.steps_per_look * fit_options.batch_size
    whole = TwoSets(TokenData.of(a, None), TokenData.of(b, None), length)
    data = TwoSets(TokenData.of(a.take(train[0]), None), TokenData.of(b.take(train[1]), None), length)
    model, fitted = fit_record(
        record,
        whole,
        (data, data),
        options,
        fit_options,
        Run(seed, fabric, folder, resume, on_epoch, on_step),
        plan=make_plan(fit_options, record, judge),
    )
    directions = judge.directions(model)
    return TranslateTraining(TrainedTranslator(model, record), fitted, directions, train, teach, test)


def split(tokens: TokenArray, options: TranslateFitOptions, seed: int) -> tuple[Indices, Indices, Indices]:
    """(train, teach, test) indices: of those held out, two thirds teach the classifier that judges the rest.

    Raises InputError for too few sequences.
    """
    train, held_out = hold_out(tokens, None, options, seed)
    groups = together(tokens, options)[held_out]
    rng = np.random.default_rng([seed, len(held_out)])
    first, second = random_split(len(held_out), [TAUGHT, 1 - TAUGHT], rng, groups=groups)
    return train, held_out[first], held_out[second]


def make_plan(
    options: TranslateFitOptions, record: TranslateRecord, judge: Callable[[nn.Module], dict[str, float]]
) -> Plan:
    """Both players move in every step; the last averaged weights are kept, so that no figure chose them."""
    critic = PlayerSettings(
        learning_rate=options.learning_rate * _slower(record),
        optimizer=OBJECTIVE.optimizer,
        betas=OBJECTIVE.betas,
        schedule=OBJECTIVE.schedule,
        watch=True,
    )
    return Plan(
        epochs=options.looks,
        patience=options.looks + 1,
        players={"critic": critic, "generator": replace(critic, average=options.average)},
        judge=judge,
        last=True,
    )


def _slower(record: TranslateRecord) -> float:
    """Many symbols are learned at a lower rate."""
    return min(1.0, MANY / (record.alphabet.size + (record.min_length < record.max_length)))


def _take(a: TokenArray, b: TokenArray, part: tuple[Indices, Indices]) -> Sets:
    return a.take(part[0]), b.take(part[1])


def _check_apart(a: TokenArray, b: TokenArray, names: tuple[str, str]) -> None:
    """Refuse sets that are mostly the same. Raises InputError."""
    first, second = ({row.tobytes() for row in _wide(part, a, b)} for part in (a, b))
    shared = len(first & second)
    if shared > SHARED * min(len(first), len(second)):
        raise InputError(
            f"{shared:,} different sequences are both in {names[0]} and in {names[1]}; a translator needs "
            "sets that differ: take out of one what is in the other"
        )


def _wide(part: TokenArray, *others: TokenArray) -> NDArray[np.int64]:
    """Tokens filled up to one width."""
    width = max(other.tokens.shape[1] for other in others)
    missing = ((0, 0), (0, width - part.tokens.shape[1]))
    return np.pad(part.tokens.astype(np.int64), missing, constant_values=Vocabulary(part.alphabet).pad)
