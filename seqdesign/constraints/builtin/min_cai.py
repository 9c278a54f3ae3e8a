"""Codon usage of reading frames: ``--min-cai ecoli:0.8``, the frames being those of ``--translate``.

The geometric mean of w is at least T exactly when the sum of log w - log T over the codons that count is not
negative, so it can be followed codon by codon.

Shapes: N starts, c codons of a frame, V = 4 nucleotides; positions count from 0.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdesign.constraints.builtin.translate import frame
from seqdesign.constraints.constraint import State, Violation, at
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError
from seqdesign.sequences.lab.codon_usage import codon_usage

OPTION = "--min-cai"
_SCALE = 1e6
"""Sums are integers in millionths, so that every order of adding gives the same."""
_FAR = -(1 << 40)


@dataclass(frozen=True)
class _Frame:
    """Codons in [first, end), and what each of the 64 adds to the sum as it stands on the plus strand."""

    first: int
    end: int
    worth: Tensor


def min_cai(text: str, starts: Starts) -> MinCAI:
    """Designs of DNA or RNA whose reading frames have at least such an index. Raises UsageError.

    Without frames the whole design is one.
    """
    starts.need_complement(OPTION, "codon usage")
    starts.need_fixed_length(OPTION)
    match = re.fullmatch(r"\s*([A-Za-z]+)\s*:\s*(\d*\.?\d+)\s*", text, re.ASCII)
    if match is None or not 0 < float(match[2]) <= 1:
        raise UsageError(
            "must be a host and the least codon adaptation index, above 0 and at most 1, such as ecoli:0.8, "
            f"got {text!r}",
            option=OPTION,
        )
    if not starts.frames and starts.length % 3:
        raise UsageError(
            f"designs have {starts.length} letters, which is no multiple of 3; name the reading frame with "
            "--translate",
            option=OPTION,
        )
    usage = codon_usage(match[1], starts.codon_table, option=OPTION)
    frames = []
    for name in starts.frames or (f"1-{starts.length}",):
        first, end, minus = frame(name, starts.length)
        logs, counts = usage.table(starts.alphabet.letters, minus=minus)
        worth = [(x - math.log(float(match[2]))) * c for x, c in zip(logs, counts, strict=True)]
        # Rounding upwards, so that 1 can be reached.
        table = torch.tensor([math.ceil(x * _SCALE) for x in worth], device=starts.device)
        frames.append(_Frame(first, end, table))
    return MinCAI(f"{OPTION} {text}", frames, math.log(float(match[2])))


class MinCAI:
    """A sum over the codons of all frames that must not be negative."""

    def __init__(self, name: str, frames: list[_Frame], least: float) -> None:
        self.name, self.frames, self.least = name, frames, least

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def walk(self, mask: Tensor, shortest: int) -> _Walk:
        """The sum so far, with what the codons to come can add."""
        return _Walk(self, mask)

    def _worth(self, tokens: Tensor) -> list[Tensor]:
        """What each codon adds, (B, c) of each frame; what is no letter adds too little."""
        found = []
        for own in self.frames:
            x, y, z = tokens[:, own.first : own.end].unflatten(1, (-1, 3)).unbind(2)
            known = (x < 4) & (y < 4) & (z < 4)
            found.append(own.worth[((16 * x + 4 * y + z) * known)].masked_fill(~known, _FAR))
        return found

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether the index is large enough."""
        longest = max(own.end for own in self.frames)
        if tokens.shape[1] < longest:
            return torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
        return torch.stack([worth.sum(1) for worth in self._worth(tokens)]).sum(0) >= 0

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One at most."""
        if bool(self.is_feasible(tokens.unsqueeze(0), torch.zeros(1))[0]):
            return []
        if not bool((tokens < 4).all()):
            return [Violation(self.name, "codons with unknown letters have no usage")]
        worth = torch.cat([part[0] for part in self._worth(tokens.unsqueeze(0))])
        # Codons that do not count add nothing; those that add nothing by chance are as good as the bound.
        counted = worth[worth != 0]
        index = math.exp(float(counted.double().mean()) / _SCALE + self.least)
        return [Violation(self.name, f"codon adaptation index {index:.4g}")]


class _Walk:
    """The state: the letters before, as numbers of up to two letters, and the sum of finished codons."""

    def __init__(self, rule: MinCAI, mask: Tensor) -> None:
        self.frames = rule.frames
        length = mask.shape[1]
        self.steps: list[tuple[Tensor, Tensor, Tensor]] = []
        """For each frame and place of a codon: the most that (N or 1, c, letters before and the next one as a
        number) can add."""
        rest = torch.zeros(len(mask), length + 1, dtype=torch.long, device=mask.device)
        for own in self.frames:
            x, y, z = mask[:, own.first : own.end].unflatten(1, (-1, 3)).unbind(2)
            may = x[..., :, None, None] & y[..., None, :, None] & z[..., None, None, :]
            worth = own.worth.view(4, 4, 4).expand(may.shape).masked_fill(~may, _FAR)
            one, two = worth.amax((3, 4)), worth.amax(4)
            self.steps.append((one, two.flatten(2), worth.flatten(2)))
            rest[:, own.first : own.end : 3] += one.amax(2)
        self.rest = rest.flip(1).cumsum(1).flip(1)
        """(N or 1, L+1): what codons that begin at a position or later can add."""
        dead = self.rest[:, 0] < 0
        self.dead = dead if bool(dead.any()) else None

    def start(self, rows: Tensor) -> State:
        """No letter."""
        return torch.zeros_like(rows), torch.zeros_like(rows)

    def _open(self, before: Tensor, rows: Tensor, t: int) -> list[tuple[int, Tensor]]:
        """Of each frame at position t: the place in its codon, and the most (B, V) that the codon can add."""
        found = []
        for own, steps in zip(self.frames, self.steps, strict=True):
            if not own.first <= t < own.end:
                continue
            codon, place = divmod(t - own.first, 3)
            table = at(steps[place], rows, codon).expand(len(rows), -1).unflatten(1, (-1, 4))
            found.append((place, table[torch.arange(len(rows), device=rows.device), before % 4**place]))
        return found

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Letters after which the sum need not be negative."""
        before, so_far = state
        codons = self._open(before, rows, t)
        most = so_far + at(self.rest, rows, t + 1)
        if not codons:
            return (most >= 0).unsqueeze(1).expand(-1, 4)
        return most.unsqueeze(1) + torch.stack([worth for _, worth in codons]).sum(0) >= 0

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """The sum with the codons that end here."""
        before, so_far = state
        for place, worth in self._open(before, rows, t):
            if place == 2:
                so_far = so_far + worth.gather(1, letters.unsqueeze(1)).squeeze(1)
        return before % 4 * 4 + letters, so_far

    def may_end(self, state: State, rows: Tensor, t: int) -> None:
        """Lengths are fixed."""
        return
