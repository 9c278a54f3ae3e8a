"""Numbers that say what letters are like, by which a kernel carries over from one letter to another.

Amino acids: hydropathy (Kyte & Doolittle 1982), residue volume in cubic angstroms (Zamyatnin 1972), charge,
helix propensity in kcal/mol (Pace & Scholtz 1998; proline counts as 1.2), strand propensity (Chou & Fasman
1978), aromaticity, and proline, which is like no other. Bases: purine, strong pairing, keto group.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.sequences.alphabets import Alphabet

RESIDUES = "ARNDCQEGHILKMFPSTWYV"
_TABLE = (
    (1.8, -4.5, -3.5, -3.5, 2.5, -3.5, -3.5, -0.4, -3.2, 4.5, 3.8, -3.9, 1.9, 2.8, -1.6, -0.8, -0.7, -0.9,
     -1.3, 4.2),
    (88.6, 173.4, 114.1, 111.1, 108.5, 143.8, 138.4, 60.1, 153.2, 166.7, 166.7, 168.6, 162.9, 189.9, 112.7,
     89.0, 116.1, 227.8, 193.6, 140.0),
    (0, 1, 0, -1, 0, 0, -1, 0, 0.3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    (0, 0.21, 0.65, 0.69, 0.68, 0.39, 0.40, 1.0, 0.61, 0.41, 0.21, 0.26, 0.24, 0.54, 1.2, 0.50, 0.66, 0.49,
     0.53, 0.61),
    (0.83, 0.93, 0.89, 0.54, 1.19, 1.10, 0.37, 0.75, 0.87, 1.60, 1.30, 0.74, 1.05, 1.38, 0.55, 0.75, 1.19,
     1.37, 1.47, 1.70),
    (0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0),
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0),
)  # fmt: skip
_BASES = {"A": (1, 0, 0), "C": (0, 1, 0), "G": (1, 1, 1), "T": (0, 0, 1), "U": (0, 0, 1)}


def letter_descriptors(alphabet: Alphabet) -> Tensor:
    """(V, F) of mean 0 and variance 1 over the letters; zeros (V, 1) where nothing is known of them."""
    letters = alphabet.letters
    if alphabet.name in ("dna", "rna"):
        table = torch.tensor([_BASES[letter] for letter in letters], dtype=torch.float32)
    elif alphabet.name.startswith("protein"):
        columns = torch.tensor(_TABLE, dtype=torch.float32).T
        columns = torch.cat([columns, columns.mean(0, keepdim=True)])  # a stop is like none
        table = columns[[RESIDUES.find(letter) for letter in letters]]
    else:
        return torch.zeros(len(letters), 1)
    return (table - table.mean(0)) / table.std(0, correction=0).clamp(min=1e-6)
