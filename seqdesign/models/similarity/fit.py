"""Train a SequenceSimilarity from encoded sequences in memory: split, fit, judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.models.similarity.config import (
    SimilarityFitOptions,
    SimilarityOptions,
    TeachingOptions,
    num_epochs,
)
from seqdesign.models.similarity.data import PairData
from seqdesign.models.similarity.model import PLAYER, SequenceSimilarity
from seqdesign.models.similarity.quality import SimilarityQuality, judge
from seqdesign.models.similarity.store import SimilarityRecord, TrainedSimilarity
from seqdesign.models.similarity.teachers import (
    LabelTeacher,
    MeasureTeacher,
    PairTeacher,
    make_measure,
    make_mutants,
)
from seqdesign.sequences.encoders import TokenArray, decode, encode
from seqdesign.sequences.tables import read_table
from seqdesign.training.config import patience
from seqdesign.training.fitting import Run, fit_record
from seqdesign.training.loop import Fit
from seqdesign.training.plan import Plan, PlayerSettings
from seqdesign.training.splitting import Indices, hold_out

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric

REFERENCES = 2000
"""Training sequences whose codes are kept."""
MIN_PAIRS = 20
ROWS = 512


@dataclass(frozen=True)
class Pairs:
    """Given similarities (P,), 0 to 1, of the sequences with the numbers first (P,) and second (P,)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: NDArray[np.float64]


def read_pairs(path: Path, ids: list[str]) -> Pairs:
    """Given similarities of the sequences with these ids. Raises InputError."""
    columns = ("a", "b", "similarity")
    table: dict[str, list[str]] = {name: [] for name in columns}
    for batch in read_table(path, columns=columns):
        for name in columns:
            table[name] += batch.columns[name]
    place = {name: i for i, name in enumerate(ids)}
    ends = []
    for name in columns[:2]:
        unknown = next((text for text in table[name] if text not in place), None)
        if unknown is not None:
            raise InputError(f"column {name}: no sequence has the id {unknown!r}", path=str(path))
        ends.append(np.array([place[text] for text in table[name]], dtype=np.int64))
    try:
        score = np.array([float(text) for text in table["similarity"]])
    except ValueError as error:
        raise InputError(f"column similarity: {error}", path=str(path)) from error
    if not ((score >= 0) & (score <= 1)).all():
        row = int(np.flatnonzero(~((score >= 0) & (score <= 1)))[0])
        raise InputError(
            f"column similarity, row {row + 1}: must lie in 0 .. 1, got {table['similarity'][row]}; "
            "divide by the largest",
            path=str(path),
        )
    return Pairs(first=ends[0], second=ends[1], score=score)


@dataclass(frozen=True)
class SimilarityTraining:
    """A trained model, how its training went, how good it is; ``train`` and ``held_out`` index the input."""

    trained: TrainedSimilarity
    fit: Fit
    quality: SimilarityQuality
    train: Indices
    held_out: Indices


def train_sequence_similarity(
    tokens: TokenArray,
    *,
    teaching: TeachingOptions,
    options: SimilarityOptions,
    fit_options: SimilarityFitOptions,
    seed: int,
    fabric: Fabric,
    labels: Sequence[str] | None = None,
    pairs: Pairs | None = None,
    folder: Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    on_step: Callable[[int, int], None] = lambda step, total: None,
) -> SimilarityTraining:
    """Learn from N encoded sequences which are alike, by their labels (N,), by given pairs, or by a measure.

    Held-out pairs are of two sequences that were both not learned from. With a ``folder``, a checkpoint and
    the figures of all passes are written there after every pass, and ``resume`` continues from it.

    Raises InputError for too few sequences, labels or pairs, TrainingError, and ModelError when there is
    nothing to resume.
    """
    train, held_out = hold_out(tokens, None, fit_options, seed)
    make = _Maker(tokens, teaching, labels, pairs, seed)
    parts = make.data(train, "training"), make.data(held_out, "held-out")
    record = SimilarityRecord(
        options=options,
        alphabet=tokens.alphabet,
        max_length=int(tokens.lengths.max()),
        min_length=int(tokens.lengths.min()),
        teacher=make.name,
        num_reference=min(len(train), REFERENCES),
    )
    epochs = num_epochs(fit_options, len(parts[0]), parts[0].typical_length)
    model, fitted = fit_record(
        record,
        parts[0],
        parts,
        options,
        fit_options,
        Run(seed, fabric, folder, resume, on_epoch, on_step),
        mark=parts[1].fingerprint(),
        plan=Plan(
            epochs=epochs,
            patience=patience(fit_options, epochs),
            players={PLAYER: PlayerSettings.of(fit_options)},
        ),
    )
    remember(model, tokens.take(train[: record.num_reference]), fabric.device)
    quality = judge(model, parts[1], make.name, fabric.device)
    return SimilarityTraining(TrainedSimilarity(model, record), fitted, quality, train, held_out)


@torch.no_grad()
def remember(model: SequenceSimilarity, tokens: TokenArray, device: torch.device) -> None:
    """Keep the codes of some sequences (R,) as the reference."""
    model.reference.copy_(codes(model, tokens, device))


@torch.no_grad()
def codes(model: SequenceSimilarity, tokens: TokenArray, device: torch.device) -> torch.Tensor:
    """Codes (N, H) of encoded sequences, on the device."""
    letters, lengths = torch.from_numpy(tokens.tokens.astype(np.int64)), torch.from_numpy(tokens.lengths)
    parts = [
        model.code(x[:, : max(1, int(n.max()))].to(device), n.to(device))
        for x, n in zip(letters.split(ROWS), lengths.split(ROWS), strict=True)
    ]
    return torch.cat(parts)


class _Maker:
    """Pairs of training and of held-out sequences, by one teacher."""

    def __init__(
        self,
        tokens: TokenArray,
        teaching: TeachingOptions,
        labels: Sequence[str] | None,
        pairs: Pairs | None,
        seed: int,
    ) -> None:
        self.tokens, self.labels, self.pairs, self.seed = tokens, labels, pairs, seed
        self.measure = teaching.measure
        taught: str = "pairs" if pairs is not None else self.measure
        self.name = taught if labels is None else f"label {teaching.label or 'given'}"

    def data(self, part: Indices, which: str) -> PairData:
        """The pairs of the sequences ``part``. Raises InputError where there are too few."""
        if self.labels is not None:
            return self._of_labels(self.labels, part, which)
        if self.pairs is not None:
            return self._of_pairs(self.pairs, part, which)
        array = self.tokens.take(part)
        texts = decode(array.tokens, array.alphabet)
        indels = len(np.unique(self.tokens.lengths)) > 1
        mutants = make_mutants(texts, array.alphabet.letters, indels=indels, seed=self.seed)
        whole = encode(texts + mutants, array.alphabet, on_unknown="mask")
        measure = make_measure(self.measure, array.alphabet)
        return _data(whole, MeasureTeacher(texts + mutants, measure, dear=self.measure == "alignment"))

    def _of_labels(self, labels: Sequence[str], part: Indices, which: str) -> PairData:
        mine = [labels[i] for i in part]
        known, numbers, counts = np.unique(mine, return_inverse=True, return_counts=True)
        if len(known) < 2 or counts.max() < 2:
            raise InputError(
                f"the {which} sequences have {len(known)} labels, {int((counts > 1).sum())} of them more "
                "than once; needed are two labels, one of them twice"
            )
        return _data(self.tokens.take(part), LabelTeacher(numbers.reshape(-1).astype(np.int64)))

    def _of_pairs(self, pairs: Pairs, part: Indices, which: str) -> PairData:
        place = np.full(len(self.tokens), -1)
        place[part] = np.arange(len(part))
        first, second = place[pairs.first], place[pairs.second]
        kept = (first >= 0) & (second >= 0)
        if kept.sum() < MIN_PAIRS:
            raise InputError(
                f"{int(kept.sum())} of {len(kept)} pairs are of two {which} sequences; at least {MIN_PAIRS} "
                "are needed: give more, or change --held-out"
            )
        teacher = PairTeacher(len(part), first[kept], second[kept], pairs.score[kept])
        return _data(self.tokens.take(part), teacher)


def _data(array: TokenArray, teacher: MeasureTeacher | LabelTeacher | PairTeacher) -> PairData:
    return PairData(torch.from_numpy(array.tokens.copy()), torch.from_numpy(array.lengths.copy()), teacher)
