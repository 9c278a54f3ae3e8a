"""GenBank in and out: names and letters are read, features move along with edits."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqFeature import CompoundLocation, SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord

from seqdesign.errors import InputError, OutputError
from seqdesign.sequences.fasta import Record
from seqdesign.sequences.lab.genbank import edited, genbank_records, parse_genbank, write_sequences
from seqdesign.sequences.reader import read_sequences

TEXT = "AAAACCCCGGGGTTTTACGT"


def parent() -> SeqRecord:
    about = {"molecule_type": "DNA", "topology": "circular"}
    record = SeqRecord(Seq(TEXT), id="p1", name="p1", annotations=about)
    across = CompoundLocation([SimpleLocation(16, 20, -1), SimpleLocation(0, 2, -1)])
    record.features = [
        SeqFeature(SimpleLocation(4, 12, 1), "promoter", qualifiers={"label": ["P"]}),
        SeqFeature(across, "CDS"),
        SeqFeature(SimpleLocation(4, 8, 1), "misc_feature"),
    ]
    return record


def letters(record: SeqRecord, kind: str) -> list[str]:
    return [str(one.extract(record.seq)) for one in record.features if one.type == kind]


@pytest.mark.parametrize(
    ("text", "promoter", "cds"),
    [
        ("AAAACCCCGGGATTTTACGT", "CCCCGGGA", "TTACGT"),  # substitution within
        ("GAAAACCCCGGGGTTTTACGT", "CCCCGGGG", "TTACGT"),  # insertion before
        ("AAAACCCCTGGGGTTTTACGT", "CCCCTGGGG", "TTACGT"),  # insertion within
        ("AAAACCCGGGGTTTTACGT", "CCCGGGG", "TTACGT"),  # deletion within
    ],
)
def test_features_move_along(tmp_path: Path, text: str, promoter: str, cds: str) -> None:
    made = edited("A:1", text, "dna", "score=1", parent(), "x")
    assert letters(made, "promoter") == [promoter]
    assert len(letters(made, "CDS")[0]) == len(cds)
    assert made.features[-1].type == "misc_difference"
    assert made.annotations["topology"] == "circular"


def test_a_feature_without_letters_left_is_gone_and_a_file_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "d.gb"
    text = TEXT[:4] + TEXT[8:]
    records = [
        Record("design 1", "parent=p1 edit_list=del5C,del6C,del7C,del8C", text),
        Record("other", "", TEXT),
    ]
    assert write_sequences(records, path, parents={"p1": parent()}) == 2
    with path.open() as handle:
        one, two = list(SeqIO.parse(handle, "genbank"))
    assert letters(one, "misc_feature") == [] == two.features
    assert letters(one, "promoter") == ["GGGG"]
    assert "del5C" in one.description
    again = read_sequences(path)
    assert again.ids == ["design_1", "other"]
    assert again.sequences == [text, TEXT]
    assert set(genbank_records(path)) == {"design_1", "other"}


def test_what_is_no_genbank_or_no_molecule_is_said(tmp_path: Path) -> None:
    assert genbank_records(None) == genbank_records("-") == {}
    with pytest.raises(InputError, match="GenBank"):
        parse_genbank(io.BytesIO(b"LOCUS       x   10 bp DNA\nFEATURES\n  !!\nORIGIN\n"), "x.gb")
    with pytest.raises(OutputError, match="alphabet letters"):
        edited("a", "XYZ", "letters:XYZ", "")
    with pytest.raises(InputError, match="holds no 'outcome'"):
        SeqIO.write([parent()], tmp_path / "p.gb", "genbank")
        read_sequences(tmp_path / "p.gb", outcome="outcome")
