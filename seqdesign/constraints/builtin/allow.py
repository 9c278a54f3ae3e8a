"""Letters that may stand at some positions: ``--allow 34:AKR,40-45:-CP``; ``-CP`` is all but C and P."""

from __future__ import annotations

import re

import torch

from seqdesign.constraints.mask import MaskConstraint
from seqdesign.constraints.starts import Starts, classes
from seqdesign.errors import UsageError

OPTION = "--allow"


def allow(text: str, starts: Starts) -> MaskConstraint:
    """The letters of each place named, IUPAC codes included; other places are free.

    Positions are numbered as those of the start are. Raises UsageError.
    """
    size = starts.alphabet.size
    allowed = torch.ones(1, starts.length, size, dtype=torch.bool)
    said: dict[int, str] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(-?\d{1,9})(?:-(-?\d{1,9}))?\s*:\s*(-?)(\S+)\s*", part, re.ASCII)
        if match is None:
            raise UsageError(
                f"must be positions and their letters, such as 34:AKR,40-45:-CP, got {part.strip()!r}",
                option=OPTION,
            )
        before = starts.first - 1
        named = int(match[2] or match[1])
        first, last = int(match[1]) - before, named - before
        if not 1 <= first <= last:
            raise UsageError(
                f"positions count from {starts.first} and ranges go upwards, got {part.strip()!r}",
                option=OPTION,
            )
        if last > starts.length:
            raise UsageError(
                f"names position {named}, but the designs have {starts.length} letters", option=OPTION
            )
        letters = classes(match[4], starts.alphabet, OPTION).any(0)
        allowed[0, first - 1 : last] &= ~letters if match[3] else letters
        for i in range(first - 1, last):
            said[i] = f"{said[i]} and {match[3]}{match[4]}" if i in said else f"{match[3]}{match[4]}"
    for i in (~allowed[0].any(1)).nonzero().flatten().tolist():
        raise UsageError(f"leaves no letter for position {i + starts.first} ({said[i]})", option=OPTION)
    return MaskConstraint(
        f"{OPTION} {text}", allowed.to(starts.device), lambda row, i: _words(said.get(i, ""))
    )


def _words(said: str) -> str:
    """``one of AKR`` or ``anything but CP``."""
    return " and ".join(
        f"anything but {part[1:]}" if part.startswith("-") else f"one of {part}"
        for part in said.split(" and ")
    )
