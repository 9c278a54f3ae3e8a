"""What codons mean: the genetic codes of NCBI, by number."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import STOP

OPTION = "--codon-table"


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
