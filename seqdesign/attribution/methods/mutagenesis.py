"""In-silico mutagenesis: every letter is tried at every position."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.attribution.effects import Score, centred, rows_at_once

NEEDS_GRADIENT = False


@torch.no_grad()
def mutagenesis(score: Score, x: Tensor) -> Tensor:
    """Scores of all single substitutions of x, centred over the letters of a position.

    Exact for any score: the difference of two letters at a position is the difference of the scores of the
    two sequences. It costs L (V - 1) + 1 sequences for each; at a masked position L V. Scores that are not
    finite, such as those of infeasible sequences, are NaN.
    """
    _, letters, length = x.shape
    own = score(x)
    found = own[:, :, None, None].expand(-1, -1, letters, length).clone()
    rows, letter, place = (x != 1).nonzero(as_tuple=True)
    eye = torch.eye(letters, device=x.device, dtype=x.dtype)
    block = rows_at_once(length)
    for start in range(0, len(rows), block):
        n, v, i = (index[start : start + block] for index in (rows, letter, place))
        mutants = x[n]
        mutants[torch.arange(len(n), device=x.device), :, i] = eye[v]
        found[:, n, v, i] = score(mutants)
    return centred(found.masked_fill(~found.isfinite(), torch.nan))
