"""What codons mean: the genetic codes of NCBI, by number."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import STOP

if TYPE_CHECKING:
    from seqdesign.sequences.encoders import TokenArray

OPTION = "--codon-table"
FEWEST_CODONS = 20
"""Of a gene: shorter sequences without a stop occur by chance."""


@dataclass(frozen=True)
class GeneticCode:
    """A genetic code, in letters of DNA.

    acids: the amino acid of each of the 64 codons, * for a stop. starts: the codons that begin a protein.
    """

    acids: Mapping[str, str]
    starts: frozenset[str]


@functools.cache
def genetic_code(number: int = 1) -> GeneticCode:
    """The genetic code with this number at NCBI; 1 is the standard code. Raises UsageError."""
    from Bio.Data.CodonTable import unambiguous_dna_by_id

    if number not in unambiguous_dna_by_id:
        known = ", ".join(map(str, sorted(unambiguous_dna_by_id)))
        raise UsageError(f"must be one of the genetic codes {known}, got {number}", option=OPTION)
    table = unambiguous_dna_by_id[number]
    # In some codes a codon is both a stop and an amino acid: what it adds to a protein counts.
    acids = {**dict.fromkeys(table.stop_codons, STOP), **table.forward_table}
    return GeneticCode(MappingProxyType(acids), frozenset(table.start_codons))


def are_genes(tokens: TokenArray) -> bool:
    """Whether all rows, of DNA or RNA, are read in threes from their first letter without a stop but at the
    end, by the standard code.
    """
    letters = tokens.alphabet.letters
    if sorted(letters.replace("U", "T")) != list("ACGT") or not len(tokens):
        return False
    if (tokens.lengths % 3).any() or tokens.lengths.min() < 3 * FEWEST_CODONS:
        return False
    bases = letters.replace("U", "T")
    acids = genetic_code().acids
    stops = np.array([[bases.index(base) for base in codon] for codon in acids if acids[codon] == STOP])
    width = tokens.tokens.shape[1] // 3
    codons = tokens.tokens[:, : 3 * width].reshape(len(tokens), width, 3)
    found = (codons[:, :, None] == stops).all(3).any(2)
    return not (found & (np.arange(width) < tokens.lengths[:, None] // 3 - 1)).any()
