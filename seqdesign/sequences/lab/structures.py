"""Structures of molecules: the trace of each chain in a PDB or mmCIF file, and which residue is which letter.

Biopython reads the files. Of a residue one atom is kept: C-alpha of an amino acid, C1' of a nucleotide.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.sequences.bundled import resolve_input
from seqdesign.sequences.compression import open_input, source_name

TRACED = ("CA", "C1'")
NUCLEOTIDES = {"DA": "A", "DC": "C", "DG": "G", "DT": "T", "A": "A", "C": "C", "G": "G", "U": "U"}
LEAST_ALIKE = 0.3
"""Share of the aligned letters that must be equal, or a chain is not of the sequence."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Chain:
    """The residues of a chain that have coordinates."""

    name: str
    sequence: str
    numbers: tuple[str, ...]
    """As the file numbers them, with insertion codes."""
    places: FloatArray
    """(N, 3), in angstroms."""


@dataclass(frozen=True, eq=False)
class Mapped:
    """A chain beside a sequence of L letters."""

    chain: Chain
    residues: tuple[int | None, ...]
    """(L,): place of the residue of each letter in the chain; None for one without coordinates."""
    different: tuple[int, ...]
    """Letters (from 0) of which the residue is another one."""

    @property
    def missing(self) -> list[int]:
        """Letters (from 0) that have no residue."""
        return [i for i, residue in enumerate(self.residues) if residue is None]

    @property
    def identity(self) -> float:
        """Share of the letters with a residue that are equal to it."""
        mapped = len(self.residues) - len(self.missing)
        return 1 - len(self.different) / mapped if mapped else 0.0


def read_chains(path: str | os.PathLike[str]) -> list[Chain]:
    """The chains of the first model in a PDB or mmCIF file, plain or compressed. Raises InputError."""
    from Bio.PDB import MMCIFParser, PDBParser

    source = resolve_input(path)
    with open_input(source) as handle:
        try:
            text = handle.read().decode()
        except UnicodeDecodeError as error:
            raise InputError(f"is not text ({error})", path=source_name(source)) from None
    cif = text.lstrip().startswith("data_")
    if not cif and not any(line.startswith(("ATOM", "HETATM")) for line in text.splitlines()):
        raise InputError("has no atoms; it must be a PDB or mmCIF file", path=source_name(source))
    parser = MMCIFParser(QUIET=True) if cif else PDBParser(QUIET=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = next(iter(parser.get_structure("structure", io.StringIO(text))))
    except (ValueError, KeyError, IndexError, StopIteration, AttributeError, TypeError) as error:
        detail = " ".join(str(error).split())[:150]
        raise InputError(f"damaged structure ({detail})", path=source_name(source)) from None
    chains = [found for chain in model if (found := _chain(chain)) is not None]
    if not chains:
        raise InputError("has no residue with a C-alpha or C1' atom", path=source_name(source))
    return chains


def _chain(chain: object) -> Chain | None:
    """The residues with an atom of the trace; None for water and small molecules."""
    from Bio.Data.PDBData import protein_letters_3to1_extended as amino_acids

    letters, numbers, places = [], [], []
    for residue in chain:  # type: ignore[attr-defined]
        atom = next((residue[name] for name in TRACED if name in residue), None)
        name = residue.get_resname().strip()
        letter = NUCLEOTIDES.get(name) or amino_acids.get(name) or ("M" if name == "MSE" else None)
        if atom is None or letter is None:
            continue
        _, number, insertion = residue.id
        letters.append(letter)
        numbers.append(f"{number}{insertion}".strip())
        places.append(atom.coord)
    if not letters:
        return None
    where = np.asarray(places, dtype=np.float64)
    return Chain(str(chain.id), "".join(letters), tuple(numbers), where)  # type: ignore[attr-defined]


def map_chain(sequence: str, chains: Sequence[Chain], *, source: str = "structure") -> Mapped:
    """The chain most like ``sequence``, aligned to it without cost for ends that hang over.

    Raises InputError if none has 30% of the aligned letters, or three letters, in common.
    """
    mapped = [_aligned(sequence, chain) for chain in chains]
    best = max(mapped, key=_equal)
    if best.identity < LEAST_ALIKE or _equal(best) < min(3, len(sequence)):
        raise InputError(
            f"no chain is like the sequences of the model; the best, {best.chain.name}, has "
            f"{best.identity:.0%} of the aligned letters in common",
            path=source,
        )
    return best


def _equal(mapped: Mapped) -> int:
    return len(mapped.residues) - len(mapped.missing) - len(mapped.different)


def _aligned(sequence: str, chain: Chain) -> Mapped:
    from Bio.Align import PairwiseAligner

    aligner = PairwiseAligner(
        mode="global", match_score=2.0, mismatch_score=-1.0, open_gap_score=-4.0, extend_gap_score=-0.5,
        end_gap_score=0.0,
    )  # fmt: skip
    residues: list[int | None] = [None] * len(sequence)
    blocks = aligner.align(sequence.replace("U", "T"), chain.sequence.replace("U", "T"))[0].aligned
    for (start, end), (first, _) in zip(*blocks, strict=True):
        for i in range(start, end):
            residues[i] = int(first + i - start)
    pairs = enumerate(residues)
    different = tuple(i for i, r in pairs if r is not None and chain.sequence[r] != sequence[i])
    return Mapped(chain, tuple(residues), different)
