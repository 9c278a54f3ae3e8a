"""Which codons a host prefers: shares of codons, and the codon adaptation index (Sharp & Li 1987)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seqdesign.errors import UsageError
from seqdesign.sequences.genetic_code import genetic_code

OPTION = "--codons"
HOSTS: Mapping[str, str] = {
    "bsubtilis": "b_subtilis_1423",
    "celegans": "c_elegans_6239",
    "chicken": "g_gallus_9031",
    "ecoli": "e_coli_316407",
    "fly": "d_melanogaster_7227",
    "human": "h_sapiens_9606",
    "mouse": "m_musculus_10090",
    "yeast": "s_cerevisiae_4932",
}
"""Names of the command line, and those of the tables in python-codon-tables (Kazusa)."""
_LEAST = 0.01
"""Share of a codon that a table does not know, so that it is rare and not forbidden."""


@dataclass(frozen=True)
class Codons:
    """Codon usage of a host: amino acid (* for a stop) -> codon of DNA -> share among its codons."""

    host: str
    shares: Mapping[str, Mapping[str, float]]

    def weights(self) -> dict[str, float]:
        """The w of each codon, 1 for the most frequent one of its amino acid."""
        return {
            codon: max(share, _LEAST) / max(*own.values(), _LEAST)
            for own in self.shares.values()
            for codon, share in own.items()
        }

    def table(self, letters: str, *, minus: bool = False) -> tuple[list[float], list[bool]]:
        """Log w of the 64 codons, and whether they count: M, W and stops do not.

        letters: the four letters of the alphabet; codon 16 x + 4 y + z is that of letters x, y and z as they
        stand on the plus strand. minus: they are read on the other one.
        """
        weights, silent = self.weights(), {c for a in "MW*" for c in self.shares.get(a, {})}
        dna = letters.replace("U", "T")
        codons = [a + b + c for a in dna for b in dna for c in dna]
        if minus:
            codons = [codon.translate(str.maketrans("ACGT", "TGCA"))[::-1] for codon in codons]
        return [float(np.log(weights[c])) for c in codons], [c not in silent for c in codons]

    def log_cai(self, gene: str) -> float:
        """Mean log w of a gene's codons, those of M, W and stops left out; 0 without any."""
        weights, silent = self.weights(), {c for a in "MW*" for c in self.shares.get(a, {})}
        codons = [gene[i : i + 3] for i in range(0, len(gene) - 2, 3)]
        logs = [np.log(weights[codon]) for codon in codons if codon not in silent]
        return float(np.mean(logs)) if logs else 0.0


@lru_cache(maxsize=8)
def codon_usage(host: str, codon_table: int = 1, *, option: str = OPTION) -> Codons:
    """The usage of a host for a genetic code. Raises UsageError for a host that nobody knows."""
    import python_codon_tables

    name = HOSTS.get(host.strip().lower())
    if name is None:
        raise UsageError(f"must be one of {', '.join(HOSTS)}, got {host!r}", option=option)
    table = python_codon_tables.get_codons_table(name)
    known = {codon: share for own in table.values() for codon, share in own.items()}
    shares: dict[str, dict[str, float]] = {}
    for codon, amino in sorted(genetic_code(codon_table).acids.items()):
        shares.setdefault(amino, {})[codon] = float(known.get(codon, 0.0))
    return Codons(host, shares)
