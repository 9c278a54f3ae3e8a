"""Whether a sequence and its reverse complement can be taken for the same thing, decided from the data."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.ensembles.ridge import ridge_start
from seqdesign.sequences.encoders import TokenArray
from seqdesign.tasks.by_name import get_task
from seqdesign.training.splitting import folds, reverse_complements

MAX_ROWS = 6000
MIN_ROWS = 200
MIN_R2 = 0.02
"""Below it the counts explain nothing and cannot decide."""
ENOUGH = 0.97
"""Share of what one strand explains that both together must: counts of both are half as many and a little
coarser where the outcome knows no direction."""
WORDS = (1, 2, 3, 4)
"""Lengths of the words that are counted."""
DIRECTED = 0.5
"""Share of a letter profile's variance, against that of its other strand, that speaks of a direction."""


def same_on_both_strands(
    tokens: TokenArray, values: NDArray[np.float64], groups: NDArray[np.int64], seed: int
) -> bool:
    """Whether DNA ``tokens`` with outcomes (N,) may be read on either strand; in doubt not.

    Three things must hold: letters have no profile along the sequence that the other strand lacks (promoters
    and mutants of one parent have one); reverse complements in the data, where there are any, have the
    outcome of their partner; and counting words on both strands together predicts held-back outcomes no worse
    than on the given strand alone, nor than letters at their places there, where all have one length.
    """
    known = np.flatnonzero(~np.isnan(values))
    if tokens.alphabet.name != "dna" or len(known) < MIN_ROWS:
        return False
    rng = np.random.default_rng([seed, 29])
    known = rng.permutation(known)[:MAX_ROWS]
    some, y = tokens.take(known), values[known]
    turned = reverse_complements(some)
    if _profile_difference(some.tokens, turned, some.lengths) > DIRECTED or not _partners_agree(
        some.tokens, turned, y
    ):
        return False
    here, there = (_word_counts(rows, some.lengths) for rows in (some.tokens, turned))
    fold = folds(groups[known], 0.25, 4, rng)
    y_tensor = torch.from_numpy((y - y.mean()) / (y.std() or 1.0)).float()[:, None]
    both = _explained(here + there, y_tensor, fold)
    directed = [here, *([_at_places(some.tokens)] if bool((some.lengths == some.lengths[0]).all()) else [])]
    return both >= max(MIN_R2, *(ENOUGH * _explained(x, y_tensor, fold) for x in directed))


def _profile_difference(
    rows: NDArray[np.uint8], turned: NDArray[np.uint8], lengths: NDArray[np.int64]
) -> float:
    """1 - similarity of the letters' profile to that of the other strand; 0 where there is no profile.

    The first and last positions are left out: a set that names each pair by its first string in the alphabet
    has a profile there.
    """
    width = int(lengths.min())
    if width < 4:
        return 0.0
    profiles = [
        np.stack([(r[:, 1 : width - 1] == letter).mean(axis=0) for letter in range(4)])
        for r in (rows, turned)
    ]
    own, other = (p - 0.25 for p in profiles)
    noise = 3 * 0.1875 / len(rows) * own.size
    if np.square(own).sum() < 0.01 * own.size + noise:
        return 0.0
    return 1.0 - float((own * other).sum() / np.square(own).sum())


def _partners_agree(rows: NDArray[np.uint8], turned: NDArray[np.uint8], y: NDArray[np.float64]) -> bool:
    """Whether reverse complements that both occur have like outcomes; true where there are too few."""
    place = {row.tobytes(): i for i, row in enumerate(rows)}
    pairs = [(i, j) for i, row in enumerate(turned) if (j := place.get(row.tobytes(), i)) > i]
    if len(pairs) < 20:
        return True
    a, b = np.array(pairs).T
    return float(np.square(y[a] - y[b]).mean()) < float(y.var())


def _word_counts(rows: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Tensor:
    """(N, 4 + 16 + 64 + 256): how often each word occurs; words with an unknown letter do not count."""
    parts = []
    n, width = rows.shape
    for size in WORDS:
        if size > width:
            break
        windows = width - size + 1
        code = np.zeros((n, windows), dtype=np.int64)
        fine = np.arange(windows) + size <= lengths[:, None]
        for i in range(size):
            letter = rows[:, i : i + windows].astype(np.int64)
            fine &= letter < 4
            code = code * 4 + np.minimum(letter, 3)
        counts = np.zeros((n, 4**size), dtype=np.float32)
        np.add.at(counts, (np.nonzero(fine)[0], code[fine]), 1.0)
        parts.append(counts)
    return torch.from_numpy(np.concatenate(parts, axis=1))


def _at_places(rows: NDArray[np.uint8]) -> Tensor:
    """(N, 4 L): the letter at each place, none for an unknown one."""
    letters = torch.from_numpy(rows.astype(np.int64))[:, :, None] == torch.arange(4)
    return letters.flatten(1).float()


def _explained(x: Tensor, y: Tensor, fold: NDArray[np.int64]) -> float:
    """Share of the variance that ridge regression explains in rows it has not seen."""
    judge = torch.stack([torch.from_numpy(fold == m).float() for m in range(4)], dim=1)
    weights, biases = ridge_start(x, y, 1 - judge, judge, task=get_task("regression"))
    fitted = torch.einsum("ni,mik->mnk", x, weights) + biases[:, None]
    errors = ((fitted[:, :, 0] - y[:, 0]).square().T * judge).sum()
    return 1.0 - float(errors / judge.sum()) / float(y.var(correction=0))
