"""Learned similarities in memory: trained, asked for pairs of sequences, and saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.config import ComputeOptions, SeedOption
from seqdesign.models.similarity.config import SimilarityFitOptions, SimilarityOptions, TeachingOptions
from seqdesign.models.similarity.fit import codes, train_sequence_similarity
from seqdesign.models.similarity.rows import SimilarityRows
from seqdesign.models.similarity.store import KIND, TrainedSimilarity
from seqdesign.sequences.options import LetterOptions, encode_with
from seqdesign.training.device import computing
from seqdesign.training.loop import make_fabric
from seqdesign.training.store import save_model
from seqdesign.verbs.base import Model, table_of
from seqdesign.verbs.data import alphabet_of, sequence_set
from seqdesign.verbs.options import pick, verb

if TYPE_CHECKING:
    import pandas as pd


class Similarity(Model):
    """How alike two sequences are, from 0 to 1."""

    kind = KIND

    def __init__(self, trained: TrainedSimilarity, quality: Any = None, name: str = "") -> None:
        super().__init__(trained.record.alphabet, quality, name)
        self.trained = trained

    def _write(self, path: Path) -> None:
        save_model(path, self.trained.model, self.trained.record)

    @torch.no_grad()
    def between(self, first: Any, second: Any) -> NDArray[np.float64]:
        """Similarities (N,) of N pairs of sequences. ValueError where there are not as many of both."""
        model = self.trained.model
        found = [
            codes(model, self._encoded(texts, {})[1], model.reference.device) for texts in (first, second)
        ]
        if len(found[0]) != len(found[1]):
            raise ValueError(f"there must be as many of both, got {len(found[0])} and {len(found[1])}")
        return model.similarity(*found).cpu().double().numpy()

    def predict(self, sequences: Any, **options: Any) -> pd.DataFrame:
        """Similarity to the nearest of the training sequences, and the mean over them."""
        return table_of(SimilarityRows(self.trained), *self._encoded(sequences, options))


@verb(TeachingOptions, SimilarityOptions, SimilarityFitOptions, LetterOptions, SeedOption, ComputeOptions)
def train_similarity(data: Any, labels: Sequence[str] | None = None, **options: Any) -> Similarity:
    """Learn how alike two sequences are (MaLSTM; Mueller and Thyagarajan 2016).

    Args:
        data: a SequenceSet, strings, a DataFrame or a path; see `read`.
        labels: (N,) families beside strings; sequences of one family are alike.

    Returns:
        The model, for ``revise(..., similarity=FOLDER)`` once it is saved, and with ``between(a, b)``.

    Raises:
        InputError: too few sequences, or labels that cannot be learned from. UsageError. TrainingError.

    Example:
        >>> train_similarity(read("dataset:prot_globins630")).between(["MVLSPADK"], ["MVLSAADK"])
    """
    records = sequence_set(data)
    letters = pick(LetterOptions, options)
    array = encode_with(letters, records, alphabet_of(letters.alphabet, records.sequences))
    teaching = pick(TeachingOptions, options)
    families, pairs = None if labels is None else [labels[i] for i in array.kept], None
    if families is None and teaching.label is not None:
        families = [records.columns[teaching.label][i] for i in array.kept]
    if teaching.pairs is not None:
        from seqdesign.models.similarity.fit import read_pairs

        pairs = read_pairs(teaching.pairs, records.take(array.kept).ids)
    fit, compute = pick(SimilarityFitOptions, options), pick(ComputeOptions, options)
    with computing(compute.device, compute.threads) as device:
        done = train_sequence_similarity(
            array,
            teaching=teaching,
            options=pick(SimilarityOptions, options),
            fit_options=fit,
            seed=pick(SeedOption, options).seed,
            fabric=make_fabric(fit, device),
            labels=families,
            pairs=pairs,
        )
    return Similarity(done.trained, done.quality)
