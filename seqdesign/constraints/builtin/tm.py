"""Melting temperature of the whole sequence: ``--tm 55-65``, for primers, probes and short pieces.

Nearest neighbours of Allawi & SantaLucia 1997 at 50 mM sodium (entropy correction of SantaLucia 1998) and
50 nM of each strand, the defaults of Biopython's ``Tm_NN`` with ``saltcorr=5``. The temperature is above T
exactly when a sum over neighbouring letters is negative, so it can be followed letter by letter.
"""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor

from seqdesign.constraints.constraint import State, Violation, at, lengths_of
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError

OPTION = "--tm"
KELVIN, GAS = 273.15, 1.987
SODIUM = 0.05
"""Molar."""
STRANDS = 25e-9
"""Molar: that of one strand less half of the other, 50 and 50 nM."""
_SCALE = 1000
"""Sums are integers in thousandths of a calorie, so that every order of adding gives the same."""
_FAR = 1 << 50


def tm(text: str, starts: Starts) -> MeltingTemperature:
    """Sequences of DNA that melt between two temperatures, degrees Celsius. Raises UsageError."""
    match = re.fullmatch(r"\s*(\d+\.?\d*)\s*-\s*(\d+\.?\d*)\s*", text, re.ASCII)
    low, high = (float(match[1]), float(match[2])) if match else (1.0, 0.0)
    if low > high:
        raise UsageError(
            f"must be two temperatures in degrees Celsius, the lower first, such as 55-65, got {text!r}",
            option=OPTION,
        )
    if starts.alphabet.name != "dna":
        raise UsageError(
            f"the melting temperature is that of DNA, but the alphabet is {starts.alphabet.name}; "
            "leave it out",
            option=OPTION,
        )
    return MeltingTemperature(f"{OPTION} {text}", low, high, starts)


class MeltingTemperature:
    """``low`` to ``high`` degrees Celsius; sequences of fewer than two letters do not melt."""

    def __init__(self, name: str, low: float, high: float, starts: Starts) -> None:
        self.name, self.low, self.high = name, low, high
        self.size = starts.alphabet.size
        self.enthalpy, self.entropy = (x.to(starts.device) for x in _tables(starts.alphabet.letters))
        self.bounds = [self._sums(low), self._sums(high)]
        """Terms of the sum that is at most 0 where it melts above ``low``, at least 0 below ``high``."""

    def _sums(self, celsius: float) -> tuple[Tensor, Tensor, int]:
        """Of neighbours (V, V), of an end (V,), and once, in thousandths of a calorie."""
        pair = ((self.enthalpy - (celsius + KELVIN) * self.entropy) * _SCALE).round().long()
        once = -(celsius + KELVIN) * GAS * math.log(STRANDS)
        return pair[:-1], pair[-1], round(once * _SCALE)

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def walk(self, mask: Tensor, shortest: int) -> _Walk:
        """Sums so far, with what the letters to come can add."""
        return _Walk(self, mask, shortest)

    def _value(self, bound: tuple[Tensor, Tensor, int], tokens: Tensor) -> Tensor:
        """The sum (B,) of sequences (B, L)."""
        pair, end, once = bound
        letters = lengths_of(tokens, self.size)
        inside = tokens.clamp(max=self.size - 1)
        both = (tokens[:, :-1] < self.size) & (tokens[:, 1:] < self.size)
        found = (pair[inside[:, :-1], inside[:, 1:]] * both).sum(1) + once
        last = inside.gather(1, (letters - 1).clamp(min=0).unsqueeze(1)).squeeze(1)
        return found + end[inside[:, 0]] + end[last]

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether it melts between the two temperatures."""
        if tokens.shape[1] < 2:
            return torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
        above, below = (self._value(bound, tokens) for bound in self.bounds)
        return (above <= 0) & (below >= 0) & (lengths_of(tokens, self.size) >= 2)

    def temperature(self, tokens: Tensor) -> float:
        """Degrees Celsius of one sequence (L,) of at least two letters."""
        letters = tokens[tokens < self.size]
        ends = [self.enthalpy[-1][letters[[0, -1]]].sum(), self.entropy[-1][letters[[0, -1]]].sum()]
        heat = float(self.enthalpy[letters[:-1], letters[1:]].sum() + ends[0])
        order = float(self.entropy[letters[:-1], letters[1:]].sum() + ends[1])
        return heat / (order + GAS * math.log(STRANDS)) - KELVIN

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One at most."""
        if bool(self.is_feasible(tokens.unsqueeze(0), torch.zeros(1))):
            return []
        if int((tokens < self.size).sum()) < 2:
            return [Violation(self.name, "too short to melt")]
        return [Violation(self.name, f"melts at {self.temperature(tokens):.4g} degrees Celsius")]


class _Walk:
    """The state: the last letter, and the two sums so far without the last end, (B,) each."""

    def __init__(self, rule: MeltingTemperature, mask: Tensor, shortest: int) -> None:
        self.rule, self.size = rule, rule.size
        above, below = rule.bounds
        self.least = _ahead(above, mask, shortest, -1)
        self.most = _ahead(below, mask, shortest, 1)
        """(N or 1, L, V): what the rest adds to the first sum at least, to the second at most, by the letter
        at a position."""
        first = [
            (end + once + rest[:, 0]).masked_fill(~mask[:, 0], sign * _FAR)
            for (_, end, once), rest, sign in ((above, self.least, 1), (below, self.most, -1))
        ]
        dead = (first[0].amin(1) > 0) | (first[1].amax(1) < 0)
        self.dead = dead if bool(dead.any()) else None

    def start(self, rows: Tensor) -> State:
        """No letter."""
        none = torch.zeros_like(rows)
        return none, none, none

    def _after(self, state: State, t: int) -> list[Tensor]:
        """Both sums (B, V) after each letter."""
        found = []
        for bound, so_far in zip(self.rule.bounds, state[1:], strict=True):
            pair, end, once = bound
            found.append(
                (end + once).expand(len(so_far), -1) if t == 0 else so_far.unsqueeze(1) + pair[state[0]]
            )
        return found

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Letters after which both temperatures can still be met."""
        above, below = self._after(state, t)
        return (above + at(self.least, rows, t) <= 0) & (below + at(self.most, rows, t) >= 0)

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """The sums after one letter more."""
        sums = [x.gather(1, letters.unsqueeze(1)).squeeze(1) for x in self._after(state, t)]
        return letters, *sums

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Whether it melts between the two temperatures as it is."""
        if t < 2:
            return torch.zeros_like(rows, dtype=torch.bool)
        above, below = (s + bound[1][state[0]] for s, bound in zip(state[1:], self.rule.bounds, strict=True))
        return (above <= 0) & (below >= 0)


def _ahead(bound: tuple[Tensor, Tensor, int], mask: Tensor, shortest: int, sign: int) -> Tensor:
    """What can follow each letter at each place, (N, L, V): the least sum for sign -1, the most for 1."""
    pair, end, _ = bound
    rest = [end.expand(len(mask), -1)]
    for t in range(mask.shape[1] - 2, -1, -1):
        later = (rest[-1] * sign).masked_fill(~mask[:, t + 1], -_FAR)
        best = (pair * sign + later.unsqueeze(1)).amax(2)
        if t + 1 >= max(shortest, 2):
            best = torch.maximum(best, end * sign)
        rest.append(best * sign)
    return torch.stack(rest[::-1], 1)


def _tables(letters: str) -> tuple[Tensor, Tensor]:
    """Enthalpy, cal / mol, and entropy, cal / (mol K), of neighbours; the last row of ends, (V+1, V)."""
    from Bio.SeqUtils.MeltingTemp import DNA_NN3

    heat, order = torch.zeros(2, len(letters) + 1, len(letters), dtype=torch.float64)
    turn = str.maketrans("ACGT", "TGCA")
    for i, a in enumerate(letters):
        for j, b in enumerate(letters):
            key = f"{a}{b}/{(a + b).translate(turn)}"
            values = DNA_NN3[key] if key in DNA_NN3 else DNA_NN3[key[::-1]]
            heat[i, j], order[i, j] = values[0] * 1000, values[1] + 0.368 * math.log(SODIUM)
        values = DNA_NN3["init_A/T" if a in "AT" else "init_G/C"]
        heat[-1, i], order[-1, i] = values[0] * 1000, values[1]
    return heat, order
