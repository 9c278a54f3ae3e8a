"""Agreement with seqme 0.5.1 on a few sequences, where it has the same metric.

The stored values are those of ``seqme.metrics`` on GENERATED with reference REFERENCE:
``Uniqueness()``, ``Novelty(REFERENCE)``, ``Diversity()``, and
``MMD(REFERENCE, KmerFrequencyEmbedding(words of k), estimate=..., sigma=0.5, scale=1.0)``.
"""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.metrics.diversity import mean_pairwise_distance
from seqdesign.metrics.kmers import kmer_matrix
from seqdesign.metrics.mmd import mmd_rbf
from seqdesign.metrics.novelty import num_copies, num_distinct

GENERATED = ["ACGTACGT", "ACGTACGT", "TTGACA", "GGGCCCAAA", "TATAATGC", "ACGTTCGT"]
REFERENCE = ["ACGTTCGT", "TTGACATT", "TATAAT", "GGGCCCAA", "CATGCATG"]


def test_uniqueness_novelty_and_diversity() -> None:
    assert num_distinct(GENERATED) / len(GENERATED) == pytest.approx(0.8333333333333334)
    assert 1 - num_copies(GENERATED, REFERENCE) / len(GENERATED) == pytest.approx(0.8333333333333334)
    assert mean_pairwise_distance(GENERATED)[0] == pytest.approx(0.6083333333333333)


@pytest.mark.parametrize(
    ("k", "unbiased", "expected"),
    [
        (1, False, 0.029992226590220827),
        (1, True, -0.053735762193636516),
        (2, False, 0.10912413036497748),
        (2, True, -0.0767491256990731),
    ],
)
def test_mmd_of_word_frequencies(k: int, unbiased: bool, expected: float) -> None:
    def embed(texts: list[str]) -> np.ndarray:
        counts = kmer_matrix(texts, "ACGT", k).toarray()
        return counts / counts.sum(axis=1, keepdims=True)

    found = mmd_rbf(embed(GENERATED), embed(REFERENCE), 0.5, unbiased=unbiased)
    assert found == pytest.approx(expected, abs=1e-12)
