"""Scans of one sequence: every single substitution, every deletion, or NNK at every codon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from seqdesign.constraints.positions import ranges
from seqdesign.errors import InputError, UsageError
from seqdesign.libraries.degenerate import codon_codes
from seqdesign.sequences.genetic_code import genetic_code

Scan = Literal["single", "deletion", "nnk"]
NNK = "NNK"


class Variant(NamedTuple):
    """One record of a scan. name: the change, as A42G, A42del, A42_C44del or A42NNK. size: DNA sequences that
    it stands for.
    """

    name: str
    sequence: str
    position: int
    size: int = 1


def chosen(text: str | None, length: int) -> list[int]:
    """Positions (0-based, in order) of a scan; all where ``text`` is None. Raises UsageError."""
    if text is None:
        return list(range(length))
    found: set[int] = set()
    for first, last in ranges(text, "--positions"):
        if not 1 <= first <= last <= length:
            raise UsageError(f"{first}-{last} is not within 1-{length}", option="--positions")
        found |= set(range(first - 1, last))
    return sorted(found)


def single(sequence: str, letters: str, positions: Sequence[int]) -> Iterator[Variant]:
    """Every other letter at every position."""
    for i in positions:
        for letter in letters:
            if letter != sequence[i]:
                yield Variant(
                    f"{sequence[i]}{i + 1}{letter}", f"{sequence[:i]}{letter}{sequence[i + 1 :]}", i + 1
                )


def deletions(sequence: str, width: int, positions: Sequence[int]) -> Iterator[Variant]:
    """``width`` letters less at every position; of deletions that give the same sequence the first."""
    seen: set[str] = set()
    for i in positions:
        if i + width > len(sequence):
            continue
        left = sequence[:i] + sequence[i + width :]
        if left and left not in seen:
            seen.add(left)
            last = f"_{sequence[i + width - 1]}{i + width}" if width > 1 else ""
            yield Variant(f"{sequence[i]}{i + 1}{last}del", left, i + 1)


def nnk(
    sequence: str, *, protein: bool, usage: Mapping[str, float], positions: str | None
) -> Iterator[Variant]:
    """DNA with NNK, which stands for all amino acids and one stop in 32 codons, at every codon.

    sequence: a protein, written in the codons used most, or DNA in frame. Positions are those of the protein.
    Raises InputError for DNA that is no whole number of codons.
    """
    if protein:
        codes = codon_codes()
        codons = [codes.best(letter, usage) for letter in sequence]
    else:
        if len(sequence) % 3:
            raise InputError(
                f"a scan with NNK needs whole codons, the sequence has {len(sequence)} bases; cut it to its "
                "frame"
            )
        codons = [sequence[i : i + 3] for i in range(0, len(sequence), 3)]
    for i in chosen(positions, len(codons)):
        acid = genetic_code().acids[codons[i]]
        yield Variant(f"{acid}{i + 1}{NNK}", "".join([*codons[:i], NNK, *codons[i + 1 :]]), i + 1, 32)
