"""How good a learned similarity is: pairs of held-out sequences, beside measures that need no training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.metrics.kmers import kmer_matrix
from seqdesign.metrics.likeness import edit_similarity
from seqdesign.metrics.regression import auroc, spearman
from seqdesign.models.similarity.data import PairData
from seqdesign.models.similarity.model import SequenceSimilarity
from seqdesign.runs.progress import phase
from seqdesign.sequences.encoders import decode

MAX_ROWS = 512
KMERS = (1, 2, 3)
GOOD = 0.9

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SimilarityQuality:
    """Figures of pairs of held-out sequences, none of which was learned from."""

    pairs: int
    agreement: float
    """Rank correlation with what was taught; of families the AUROC."""
    measure: str
    """``rank correlation`` or ``AUROC``."""
    error: float
    """Mean absolute error of the similarity, close mutants included where there were such."""
    kmer_agreement: float
    """Of the cosine of counts of words, the best length of ``kmer``."""
    kmer: int
    edit_agreement: float | None
    """Of 1 - edit distance / length; None where that is what was taught."""
    warnings: tuple[str, ...]


@torch.no_grad()
@phase("judging")
def judge(
    model: SequenceSimilarity, held_out: PairData, teacher: str, device: torch.device
) -> SimilarityQuality:
    """Measure ``model`` (in eval mode) on pairs of the first held-out rows."""
    index = torch.arange(min(len(held_out), MAX_ROWS))
    lesson = held_out.teacher.lesson(index.numpy())
    batch = held_out.rows(index)
    codes = model.code(batch.tokens.to(device), batch.lengths.to(device))
    found = model.similarity(codes[lesson.first], codes[lesson.second]).cpu().double().numpy()
    error = float(np.abs(found - lesson.score).mean())

    real = lesson.members < held_out.teacher.mutants
    kept = real[lesson.first] & real[lesson.second]
    first, second = lesson.first[kept], lesson.second[kept]
    score, found = lesson.score[kept], found[kept]
    texts = decode(batch.tokens, model.vocabulary.alphabet)
    labels = teacher.startswith("label")

    def agree(found: FloatArray) -> float:
        value = auroc(score > 0.5, found) if labels else spearman(score, found)
        return value if value == value else 0.0  # constant where there is nothing to tell apart

    letters = model.vocabulary.alphabet.letters
    words = {k: agree(cosine(texts, letters, k, first, second)) for k in KMERS}
    best = max(words, key=lambda k: words[k])
    edits = None
    if teacher != "edits":
        edits = agree(edit_similarity([texts[i] for i in first], [texts[i] for i in second]))
    own = agree(found)
    return SimilarityQuality(
        pairs=len(score),
        agreement=own,
        measure="AUROC" if labels else "rank correlation",
        error=error,
        kmer_agreement=words[best],
        kmer=best,
        edit_agreement=edits,
        warnings=tuple(_warnings(own, words[best], edits)),
    )


def _warnings(own: float, words: float, edits: float | None) -> Iterator[str]:
    if own < GOOD:
        yield (
            f"the rank correlation of held-out pairs is {own:.2f} only; train on more sequences or "
            "longer (--epochs), or "
            "hold revisions by --max-edits"
        )
    simple = max((words, "counting words"), (-1.0 if edits is None else edits, "edit distance"))
    if own < simple[0]:
        yield (
            f"{simple[1]} tells as well which held-out pairs are alike ({simple[0]:.3f}, the model {own:.3f})"
        )


def cosine(
    texts: list[str], letters: str, k: int, first: NDArray[np.int64], second: NDArray[np.int64]
) -> FloatArray:
    """Cosine (P,) of the counts of words of k letters of texts[first] and texts[second]."""
    counts = kmer_matrix(texts, letters, k)
    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    product = np.asarray(counts[first].multiply(counts[second]).sum(axis=1)).ravel()
    return product / np.maximum(norms[first] * norms[second], 1e-12)
