"""Traces of PDB and mmCIF files, and which residue is which letter."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest

from seqdesign.errors import InputError
from seqdesign.sequences.lab.structures import map_chain, read_chains

THREE = {
    "A": "ALA", "C": "CYS", "D": "ASP", "E": "GLU", "F": "PHE", "G": "GLY", "K": "LYS", "L": "LEU",
    "M": "MET", "S": "SER", "T": "THR", "V": "VAL", "W": "TRP", "Y": "TYR",
}  # fmt: skip
HELIX = "MKTAYLEDGSWFCVKLA"


def helix(i: int) -> tuple[float, float, float]:
    """C-alpha of an ideal helix: 2.3 angstroms from its axis, 100 degrees and 1.5 angstroms a residue."""
    turn = math.radians(100 * i)
    return 2.3 * math.cos(turn), 2.3 * math.sin(turn), 1.5 * i


def pdb(chains: dict[str, tuple[int, str]]) -> str:
    lines, number = [], 0
    for name, (first, text) in chains.items():
        for i, letter in enumerate(text):
            x, y, z = helix(i)
            for atom in ("N", "CA"):
                number += 1
                lines.append(
                    f"ATOM  {number:5d}  {atom:<3} {THREE[letter]} {name}{first + i:4d}    "
                    f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00 10.00           {atom[0]}"
                )
    lines.append(f"HETATM{number + 1:5d}  O   HOH W   1       0.000   0.000   0.000  1.00 10.00           O")
    return "\n".join([*lines, "END", ""])


CIF = """data_toy
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_entity_id
_atom_site.label_seq_id
_atom_site.pdbx_PDB_ins_code
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.B_iso_or_equiv
_atom_site.auth_seq_id
_atom_site.auth_asym_id
_atom_site.pdbx_PDB_model_num
"""


def test_a_pdb_file_gives_the_trace_of_each_chain_plain_or_compressed(tmp_path: Path) -> None:
    text = pdb({"A": (5, HELIX), "B": (1, "GGG")})
    (tmp_path / "m.pdb").write_text(text)
    (tmp_path / "m.pdb.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("m.pdb", "m.pdb.gz"):
        first, second = read_chains(tmp_path / name)
        assert (first.name, first.sequence, second.sequence) == ("A", HELIX, "GGG")
        assert first.numbers[:2] == ("5", "6")
        assert first.places[3].tolist() == pytest.approx(helix(3), abs=1e-3)


def test_a_cif_file_is_read_too_and_nucleotides_by_their_sugar(tmp_path: Path) -> None:
    rows = [
        f'ATOM {i + 1} C "C1\'" . {name} A 1 {i + 1} ? {5.0 * i} 0 0 1 10 {i + 1} A 1'
        for i, name in enumerate(("DA", "DC", "DG", "DT"))
    ]
    (tmp_path / "m.cif").write_text(CIF + "\n".join(rows) + "\n#\n")
    (chain,) = read_chains(tmp_path / "m.cif")
    assert chain.sequence == "ACGT"
    assert chain.places[2].tolist() == [10, 0, 0]


def test_letters_map_to_the_chain_that_is_most_like_them(tmp_path: Path) -> None:
    # The chain begins earlier, lacks two residues in the middle, and has one other letter.
    shown = "GS" + HELIX[:6] + HELIX[8:12] + "W" + HELIX[13:]
    (tmp_path / "m.pdb").write_text(pdb({"A": (1, "GGGGGG"), "B": (10, shown)}))
    mapped = map_chain(HELIX, read_chains(tmp_path / "m.pdb"))
    assert mapped.chain.name == "B"
    assert mapped.missing == [6, 7]
    assert mapped.different == (12,)
    assert mapped.residues[:6] == (2, 3, 4, 5, 6, 7)
    assert mapped.chain.numbers[mapped.residues[8] or 0] == "18"
    assert mapped.identity == pytest.approx(14 / 15)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (">a\nACGT\n", "must be a PDB or mmCIF file"),
        ("data_x\nloop_\n_atom_site.id\n", "damaged structure"),
        (pdb({}), "no residue with a C-alpha"),
        (pdb({"A": (1, "WWWWWWWWWW")}), "no chain is like the sequences"),
    ],
)
def test_what_is_no_structure_of_the_sequences_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "m.pdb").write_text(content)
    with pytest.raises(InputError, match=words):
        map_chain(HELIX, read_chains(tmp_path / "m.pdb"), source="m.pdb")
