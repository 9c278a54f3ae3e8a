"""Positions of the start that must not change: ``--keep 5-12,30``."""

from __future__ import annotations

import torch

from seqdesign.constraints.mask import MaskConstraint
from seqdesign.constraints.positions import ranges
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError

OPTION = "--keep"


def keep(text: str, starts: Starts) -> MaskConstraint:
    """The letters of each start at these positions.

    Raises UsageError for text that names no positions, InputError for a start that has no letter there.
    """
    positions: list[int] = []
    before = starts.first - 1
    for named, end in ranges(text, OPTION):
        first, last = named - before, end - before
        if not 1 <= first <= last:
            raise UsageError(
                f"positions count from {starts.first} and ranges go upwards, got {text!r}", option=OPTION
            )
        if last > starts.length:  # before a range of billions of positions is written down
            position = int(starts.lengths.argmin())
            raise starts.error(
                position, f"has {int(starts.lengths[position])} letters, but --keep names position {end}"
            )
        positions += range(first - 1, last)
    for row in (starts.lengths <= max(positions)).nonzero().flatten().tolist():
        raise starts.error(
            row,
            f"has {int(starts.lengths[row])} letters, but --keep names position "
            f"{max(positions) + starts.first}",
        )
    letters, size = starts.tokens[:, positions], starts.alphabet.size
    for row, i in (letters >= size).nonzero().tolist():
        raise starts.error(
            row, f"position {positions[i] + starts.first} is to be kept (--keep) but holds an unknown letter"
        )
    allowed = torch.ones((*starts.tokens.shape, size), dtype=torch.bool, device=starts.device)
    allowed[:, positions] = letters.unsqueeze(2) == torch.arange(size, device=starts.device)
    return MaskConstraint(
        f"{OPTION} {text}", allowed, lambda row, i: starts.text(starts.tokens[row, i, None])
    )
