"""A protein that must stay: ``--translate 4-303``; ``--translate 303-4`` is read on the minus strand.

Shapes: N starts, c codons of a region, V = 4 nucleotides; positions count from 0.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor

from seqdesign.constraints.constraint import State, Violation, at
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import STOP
from seqdesign.sequences.genetic_code import genetic_code

OPTION = "--translate"


def translate(text: str, starts: Starts) -> Translation:
    """Codons of a region that mean the same amino acids as those of the start.

    The first codon stays as it is where it is a start codon of the genetic code. Raises UsageError,
    InputError for a start with unknown letters or a stop codon before the last codon of the region.
    """
    starts.need_complement(OPTION, "a reading frame")
    starts.need_fixed_length(OPTION)
    first, end, minus = frame(text, starts.length)
    return Translation(f"{OPTION} {text}", first, end, minus, starts)


def frame(text: str, length: int | None = None) -> tuple[int, int, bool]:
    """A reading frame [first, end) of sequences of some length, and whether it is on the minus strand.

    Positions count from 0, those of the text from 1. Raises UsageError.
    """
    match = re.fullmatch(r"\s*(\d{1,9})-(\d{1,9})\s*", text, re.ASCII)
    begin, end = (int(match[1]), int(match[2])) if match else (0, 0)
    first, last = sorted((begin, end))
    if first < 1:
        raise UsageError(
            f"must be the first and the last position of a reading frame, such as 4-303, got {text!r}",
            option=OPTION,
        )
    if length is not None and last > length:
        raise UsageError(f"names position {last}, but the designs have {length} letters", option=OPTION)
    if (last - first + 1) % 3:
        raise UsageError(
            f"a reading frame has a multiple of 3 letters, but {text} has {last - first + 1}", option=OPTION
        )
    return first - 1, last, begin > end


class Translation:
    """The codons that may stand in a region [first, end) for each start."""

    def __init__(self, name: str, first: int, end: int, minus: bool, starts: Starts) -> None:
        self.name, self.first, self.end, self.minus = name, first, end, minus
        self.starts = starts
        code = genetic_code(starts.codon_table)
        self.code, self.start_codons = code.acids, code.starts
        letters = starts.alphabet.letters.replace("U", "T")
        complement = str.maketrans("ACGT", "TGCA")
        self.codons = [a + b + c for a in letters for b in letters for c in letters]
        """As they stand on the plus strand, in the order of 16 x + 4 y + z of their tokens."""
        if minus:
            self.codons = [codon.translate(complement)[::-1] for codon in self.codons]
        amino = [self.code[codon] for codon in self.codons]
        self.same = torch.tensor([[a == b for b in amino] for a in amino], device=starts.device)
        """(64, 64): which codons mean the same."""
        region = starts.tokens[:, first:end]
        for row, position in (region >= 4).nonzero().tolist():
            raise starts.error(
                row,
                f"position {first + position + 1} is in the reading frame ({name}) but holds an unknown "
                "letter",
            )
        self.wanted = self._index(region)
        """(N, c): the codons of the starts."""
        self._check_stops()
        self.allowed = self.same[self.wanted]
        """(N, c, 64)."""
        begin = self.wanted.shape[1] - 1 if minus else 0
        is_start = torch.tensor([c in self.start_codons for c in self.codons], device=starts.device)
        itself = torch.eye(64, dtype=torch.bool, device=starts.device)[self.wanted[:, begin]]
        keep = is_start[self.wanted[:, begin], None]
        self.allowed[:, begin] = torch.where(keep, itself, self.allowed[:, begin])

    @staticmethod
    def _index(region: Tensor) -> Tensor:
        """Tokens (B, 3c) -> codons (B, c)."""
        triples = region.unflatten(1, (-1, 3))
        return triples[..., 0] * 16 + triples[..., 1] * 4 + triples[..., 2]

    def _check_stops(self) -> None:
        is_stop = torch.tensor([self.code[c] == STOP for c in self.codons], device=self.wanted.device)
        stops = is_stop[self.wanted]
        stops[:, 0 if self.minus else -1] = False
        for row, codon in stops.nonzero().tolist():
            place, stop = self.first + 3 * codon + 1, self.codons[int(self.wanted[row, codon])]
            raise self.starts.error(
                row,
                f"has the stop codon {stop} at {place}-{place + 2}, inside the reading frame of {self.name}; "
                "is the frame right?",
            )

    def mask(self) -> Tensor:
        """The letters that some codon has at each place of the region."""
        codons = self.allowed.unflatten(2, (4, 4, 4))
        places = [codons.amax((3, 4)), codons.amax((2, 4)), codons.amax((2, 3))]
        count, length = self.starts.tokens.shape
        found = torch.ones(count, length, 4, dtype=torch.bool, device=codons.device)
        found[:, self.first : self.end] = torch.stack(places, 2).flatten(1, 2)
        return found

    def walk(self, mask: Tensor, shortest: int) -> _Walk:
        """Codon by codon, as far as the mask admits them."""
        return _Walk(self, mask)

    def _good(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """(B, c) bool."""
        region = tokens[:, self.first : self.end]
        codons = self._index(region.clamp(max=3))
        good = self.allowed[rows].gather(2, codons.unsqueeze(2)).squeeze(2)
        return good & (region < 4).unflatten(1, (-1, 3)).all(2)

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether each codon is one that may stand there."""
        return self._good(tokens, rows).all(1)

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One for each wrong codon."""
        rows = torch.tensor([row], device=tokens.device)
        found = []
        for i in (~self._good(tokens.unsqueeze(0), rows)[0]).nonzero().flatten().tolist():
            place = self.first + 3 * i
            text = self.starts.text(tokens[place : place + 3])
            codon = self.starts.alphabet.reverse_complement(text) if self.minus else text
            wanted = self.codons[int(self.wanted[row, i])]
            message = f"codon {codon} instead of one for {self.code[wanted]}"
            if self.code.get(codon.replace("U", "T")) == self.code[wanted]:
                message = f"codon {codon} instead of the start codon {wanted}"
            found.append(Violation(self.name, message, place + 1, place + 3))
        return found


class _Walk:
    """The state is the letters of the codon that is being read as a number, (B,)."""

    def __init__(self, rule: Translation, mask: Tensor) -> None:
        self.first, self.end = rule.first, rule.end
        region = mask[:, rule.first : rule.end].unflatten(1, (-1, 3))
        x, y, z = region.unbind(2)
        inside = x[..., :, None, None] & y[..., None, :, None] & z[..., None, None, :]
        codons = rule.allowed.unflatten(2, (4, 4, 4)) & inside
        self.steps = (codons.amax((3, 4)), codons.amax(4).flatten(2, 3), codons.flatten(2, 4))
        """For each place of a codon: (N, c, letters so far and the next one as a number) bool."""
        dead = ~self.steps[0].any(2).all(1)
        self.dead = dead if bool(dead.any()) else None

    def start(self, rows: Tensor) -> State:
        """No letter."""
        return (torch.zeros_like(rows),)

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Letters with which a codon for the same amino acid can be made."""
        if not self.first <= t < self.end:
            return None
        codon, place = divmod(t - self.first, 3)
        table = at(self.steps[place], rows, codon)
        if place == 0:
            return table.expand(len(rows), -1)
        return table.expand(len(rows), -1).unflatten(1, (-1, 4))[
            torch.arange(len(rows), device=rows.device), state[0]
        ]

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """Letters of a new codon, or one more of the present one."""
        if not self.first <= t < self.end:
            return state
        place = (t - self.first) % 3
        if place == 2:
            return (torch.zeros_like(letters),)
        return (letters if place == 0 else state[0] * 4 + letters,)

    def may_end(self, state: State, rows: Tensor, t: int) -> None:
        """Lengths are fixed."""
        return
