"""How different the sequences of one set are from each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqdesign.metrics.edits import levenshtein_matrix

FloatArray = npt.NDArray[np.float64]


def mean_pairwise_distance(sequences: Sequence[str]) -> tuple[float, float]:
    """(mean, standard error) of the Levenshtein distance over the longer length, over all pairs; in [0, 1].

    The error is that of a U-statistic by its first projection (Hoeffding 1948): 2 sd(row means) / sqrt(N).
    Needs N >= 2 (ValueError); time grows with N^2.
    """
    num = len(sequences)
    if num < 2:
        raise ValueError(f"pairs need at least 2 sequences, got {num}")
    lengths = np.fromiter(map(len, sequences), dtype=np.float64, count=num)
    longer = np.maximum(np.maximum(lengths[:, None], lengths), 1.0)
    rows = (levenshtein_matrix(sequences, sequences) / longer).sum(axis=1) / (num - 1)
    return float(rows.mean()), 2.0 * float(rows.std(ddof=1)) / math.sqrt(num)


def effective_number(labels: npt.ArrayLike) -> tuple[float, float]:
    """(number, standard error of its logarithm): exp of the Shannon entropy of the sizes of clusters.

    The Hill number of order 1 (Hill 1973): N for N clusters of one sequence, 1 for one cluster. ``labels``
    (N,) name each sequence's cluster. The error is that of the plug-in entropy H by the delta method,
    sqrt((sum p log^2 p - H^2) / N).
    """
    sizes = np.unique(np.asarray(labels), return_counts=True)[1].astype(np.float64)
    p = sizes / sizes.sum()
    entropy = float(-(p * np.log(p)).sum())
    variance = max(0.0, float((p * np.log(p) ** 2).sum()) - entropy**2) / sizes.sum()
    return math.exp(entropy), math.sqrt(variance)
