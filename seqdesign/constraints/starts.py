"""What constraints are built for: the starts of a design problem, and the errors that name one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import Alphabet


@dataclass(frozen=True)
class Starts:
    """Starts that designs are made from, and how long a design may be."""

    alphabet: Alphabet
    tokens: Tensor
    """(N, L) int64; tokens from V on are no letters."""
    lengths: Tensor
    """(N,) int64."""
    shortest: int
    """Letters of a design at least; L at most."""
    ids: Sequence[str] = field(default=())
    """Names for messages; empty: numbers from 1."""
    source: str | None = None
    """Where they were read."""
    codon_table: int = 1
    """Genetic code, by its NCBI number."""
    first: int = 1
    """Number of the first position, by which options name positions."""
    frames: Sequence[str] = field(default=())
    """Reading frames whose protein stays, as ``--translate`` names them."""

    @property
    def length(self) -> int:
        """L, letters of a design at most."""
        return self.tokens.shape[1]

    @property
    def fixed_length(self) -> bool:
        """Whether all designs have L letters."""
        return self.shortest == self.length

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.tokens.device

    def error(self, row: int, message: str) -> InputError:
        """An error about one start."""
        return InputError(message, path=self.source, record=self.ids[row] if self.ids else str(row + 1))

    def text(self, tokens: Tensor) -> str:
        """The letters of one sequence (L,); what is no letter becomes the alphabet's sign for it."""
        letters = self.alphabet.letters
        return "".join(letters[i] if i < len(letters) else self.alphabet.unknown for i in tokens.tolist())

    def need_fixed_length(self, option: str) -> None:
        """Raises UsageError unless all designs have one length."""
        if not self.fixed_length:
            raise UsageError(
                f"needs designs of one length, but they may have {self.shortest} to {self.length} letters",
                option=option,
            )

    def need_complement(self, option: str, what: str) -> None:
        """Raises UsageError for alphabets that are neither DNA nor RNA."""
        if self.alphabet.name not in ("dna", "rna"):
            raise UsageError(
                f"{what} applies to DNA and RNA only, and the alphabet is {self.alphabet.name}; leave it out",
                option=option,
            )


def classes(pattern: str, alphabet: Alphabet, option: str) -> Tensor:
    """(length, V) bool: the letters that each place of an IUPAC pattern stands for. Raises UsageError."""
    text = alphabet.tokenize(pattern)
    text = text if alphabet.case_sensitive else text.upper()
    codes = {**alphabet.ambiguity, **{letter: letter for letter in alphabet.letters}}
    for position, letter in enumerate(text, start=1):
        if letter not in codes:
            raise UsageError(
                f"{pattern!r} has {letter!r} at position {position}, which is not a letter or ambiguity "
                "code of "
                f"the alphabet {alphabet.name}; possible are "
                f"{alphabet.shown if alphabet.named else ''.join(codes)}",
                option=option,
            )
    found = [[letter in codes[character] for letter in alphabet.letters] for character in text]
    return torch.tensor(found, dtype=torch.bool).view(len(text), alphabet.size)
