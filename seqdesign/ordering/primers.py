"""Melting temperatures, and primers that amplify what was ordered."""

from __future__ import annotations

from typing import NamedTuple

from Bio.SeqUtils import MeltingTemp

from seqdesign.errors import InputError

SHORTEST, LONGEST = 18, 36
TM = 60.0
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


class Primer(NamedTuple):
    """sequence: 5' to 3'. tm: degrees Celsius."""

    sequence: str
    tm: float


def melting_temperature(dna: str) -> float:
    """Degrees Celsius of a duplex of A, C, G and T by nearest neighbours.

    Allawi and SantaLucia 1997, with 50 mM sodium and 25 nM of each strand, the defaults of biopython. Longer
    than 70 bases the model of two states does not hold, and the value is an upper end.
    """
    return float(MeltingTemp.Tm_NN(dna, nn_table=MeltingTemp.DNA_NN3))


def gc_share(dna: str) -> float:
    """Share of G and C, 0 to 1."""
    return sum(base in "GCS" for base in dna) / len(dna)


def primers(dna: str, tm: float = TM) -> tuple[Primer, Primer]:
    """Forward and reverse primer of the whole of ``dna``, of 18 to 36 bases each.

    Each is the shortest that melts at ``tm`` or above and ends in G or C; where none ends so, the one nearest
    to ``tm``. Raises InputError for less than 18 bases.
    """
    if len(dna) < SHORTEST:
        raise InputError(f"primers need at least {SHORTEST} bases, got {len(dna)}")
    return _primer(dna, tm), _primer(dna.translate(_COMPLEMENT)[::-1], tm)


def _primer(dna: str, tm: float) -> Primer:
    found = [
        Primer(dna[:length], melting_temperature(dna[:length]))
        for length in range(SHORTEST, min(LONGEST, len(dna)) + 1)
    ]
    good = [one for one in found if one.tm >= tm and one.sequence[-1] in "GC"]
    return good[0] if good else min(found, key=lambda one: abs(one.tm - tm))
