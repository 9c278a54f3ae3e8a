"""A map of the codes of a VAE: posterior means on their two principal components, with what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.models.vae.model import SequenceVAE
from seqdesign.sequences.encoders import TokenArray

LATENT = "latent.csv"
"""The map beside the model."""
COLUMNS = ("id", "first", "second", "share_first", "share_second", "measured")
MOST = 1500
"""Sequences on the map; of more, evenly spaced ones."""
_BLOCK = 256


@torch.no_grad()
def latent_rows(
    model: SequenceVAE, array: TokenArray, outcomes: NDArray[np.float64] | None, ids: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """A row for each of some sequences: where its code lies, and its outcome (N,) if it was measured.

    ``share_first`` and ``share_second`` are the shares of the variance of the codes that the two directions
    (principal components: Pearson 1901) have.
    """
    chosen = np.unique(np.linspace(0, len(array) - 1, min(len(array), MOST)).round().astype(np.int64))
    device = next(model.parameters()).device
    codes = []
    for start in range(0, len(chosen), _BLOCK):
        rows = chosen[start : start + _BLOCK]
        tokens = torch.from_numpy(array.tokens[rows].astype(np.int64)).to(device)
        lengths = torch.from_numpy(array.lengths[rows]).to(device)
        codes.append(model.encode(tokens, lengths).mean.cpu().double().numpy())
    z = np.concatenate(codes)
    z = z - z.mean(axis=0)
    left, sizes, _ = np.linalg.svd(z, full_matrices=False)
    shares = np.square(sizes) / max(float(np.square(sizes).sum()), 1e-300)
    plane = np.zeros((len(z), 2))
    kept = min(2, len(sizes))
    plane[:, :kept] = left[:, :kept] * sizes[:kept]
    shares = np.pad(shares, (0, 2))[:2]
    for i, row in enumerate(chosen.tolist()):
        value = None if outcomes is None or np.isnan(outcomes[row]) else float(outcomes[row])
        first, second = plane[i].tolist()
        yield {
            "id": ids[row],
            "first": first,
            "second": second,
            "share_first": float(shares[0]),
            "share_second": float(shares[1]),
            "measured": value,
        }
