"""A flat map of the latent space: where the data lie, and where a property of theirs is high."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.models.vae.store import TrainedVAE, load_vae
from seqdesign.training.measured import load_measured

SHOWN = 2000
"""Sequences on the map, drawn at random from more."""
FEWEST = 10
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class LatentMap:
    """Codes E(x) of N sequences along the two directions in which they vary most (principal axes)."""

    points: NDArray[np.float64]
    """(N, 2), in units of the latent space."""
    shares: tuple[float, float]
    """Of the variance of all codes, by axis."""
    values: NDArray[np.float64]
    """(N,) of the property."""
    name: str
    """What the property is."""
    unmeasured: int
    """Sequences without the outcome, which are left out."""


def latent_map(folder: Path, *, seed: int = 0) -> LatentMap | None:
    """The map of the data that a VAE was trained on, held-out ones included; None where it did not keep them.

    The property is the measured outcome; without one, the GC content of DNA and RNA, else the length.
    """
    measured = load_measured(folder)
    if measured is None or len(measured) < FEWEST:
        return None
    trained = load_vae(folder, torch.device("cpu"))
    size, name = trained.record.alphabet.size, "length"
    values = measured.lengths.astype(np.float64)
    if measured.values.shape[1] and np.isfinite(measured.values[:, 0]).sum() >= FEWEST:
        values, name = measured.values[:, 0], trained.record.outcome or "outcome"
    elif trained.record.alphabet.name in ("dna", "rna"):
        strong = [i for i, letter in enumerate(trained.record.alphabet.letters) if letter in "GC"]
        known = (measured.tokens < size).sum(axis=1)
        values, name = np.isin(measured.tokens, strong).sum(axis=1) / np.maximum(known, 1), "GC content"
    there = np.flatnonzero(np.isfinite(values))
    rows = np.sort(np.random.default_rng(seed).permutation(there)[:SHOWN])
    points, shares = principal_axes(codes(trained, measured.tokens[rows], measured.lengths[rows]))
    return LatentMap(points, shares, values[rows], name, len(values) - len(there))


@torch.no_grad()
def codes(
    trained: TrainedVAE, tokens: NDArray[np.integer], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Posterior means (N, d) of tokens (N, L)."""
    found = []
    for first in range(0, len(tokens), _BLOCK):
        part = slice(first, first + _BLOCK)
        found.append(
            trained.model.encode(
                torch.from_numpy(tokens[part].astype(np.int64)), torch.from_numpy(lengths[part])
            ).mean.double()
        )
    return torch.cat(found).numpy()


def principal_axes(z: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Codes (N, d) along their first two principal axes (N, 2), and the shares of variance along these.

    The sign of an axis is chosen so that its largest coordinate is positive, so equal data give equal maps.
    """
    centred = z - z.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    axes = np.vstack([axes, np.zeros((2 - len(axes), z.shape[1]))])
    points = centred @ axes.T
    largest = np.abs(points).argmax(axis=0)
    points = points * np.where(points[largest, [0, 1]] < 0, -1.0, 1.0)
    total = float((centred**2).sum()) or 1.0
    first, second = (points**2).sum(axis=0) / total
    return points, (float(first), float(second))
