"""Promises of the bundled data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences import bundled
from seqdesign.sequences.alphabets import guess_alphabet
from seqdesign.sequences.bundled import data_dir, dataset_info, list_datasets, resolve_input
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.reader import read_sequences

SEQUENCES = [n for n in list_datasets() if dataset_info(n, verify=False).kind == "sequences"]


def test_every_folder_is_a_described_data_set() -> None:
    folders = sorted(p.name for p in data_dir().iterdir() if p.is_dir())
    assert list(list_datasets()) == folders
    assert len(folders) == 13
    assert sum(p.stat().st_size for p in data_dir().rglob("*")) < 4_000_000


@pytest.mark.parametrize("name", list_datasets())
def test_files_are_those_described(name: str) -> None:
    info = dataset_info(name)
    files = {p.name for p in info.path.parent.iterdir()}
    assert files == {"README.md", "SHA256SUMS", "meta.toml", info.file, *info.other_files}
    readme = (info.path.parent / "README.md").read_text(encoding="utf-8")
    for fact in (info.source, info.licence, info.reference, f"{info.rows:,}"):
        assert fact in readme


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_data_set_is_what_its_description_says_and_encodes_without_an_option(name: str) -> None:
    info, records = dataset_info(name), load_dataset(name)
    assert len(records) == info.rows
    lengths = [len(s) for s in records.sequences]
    assert (min(lengths), max(lengths)) == (info.min_length, info.max_length)
    alphabet = guess_alphabet(records.sequences)
    assert alphabet.name == info.alphabet
    assert len(encode(records.sequences, alphabet)) == info.rows
    assert (records.outcomes is None) == (info.outcome == "")
    assert (records.weights is None) == (info.weight_column == "")


def test_known_values_of_the_splice_sites() -> None:
    """Counts and the share of measured sites as published with the data: 30,483 of 32,768 NNNGYNNNN sites."""
    records = load_dataset("rna_mpsa_5ss9")
    assert len(set(records.sequences)) == 30_483
    assert {s[3:5] for s in records.sequences} == {"GU", "GC"}


def test_the_peptides_have_no_duplicate_and_no_contradiction() -> None:
    unique = load_dataset("prot_amp_vs_uniprot")
    raw = load_dataset("prot_amp_vs_uniprot", file="prot_amp_vs_uniprot.csv.gz")
    assert len(set(unique.sequences)) == len(unique) == 4_620
    classes: dict[str, set[float]] = {}
    for sequence, outcome in zip(raw.sequences, raw.outcomes, strict=True):  # type: ignore[arg-type]
        classes.setdefault(sequence, set()).add(float(outcome))
    assert len(raw) == 5_200
    assert set(unique.sequences) == {s for s, c in classes.items() if len(c) == 1}
    assert sum(len(c) == 2 for c in classes.values()) == 22
    assert all(classes[s] == {o} for s, o in zip(unique.sequences, unique.outcomes, strict=True))  # type: ignore[arg-type]


def test_a_name_stands_for_a_file() -> None:
    assert read_sequences("dataset:dna_crp_sites26").ids == load_dataset("dna_crp_sites26").ids
    assert len(read_sequences(Path("dataset:prot_globins630/prot_globins630.fa.gz"))) == 630
    assert resolve_input("some/file.fa") == "some/file.fa"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("dataset:dna_crp", "did you mean dna_crp_sites26"),
        ("dataset:", "there are"),
        ("dataset:dna_crp_sites26/x", "no file"),
    ],
)
def test_an_unknown_name_is_a_usage_error(path: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_sequences(path)


def test_motifs_are_no_sequences() -> None:
    with pytest.raises(UsageError, match="motifs"):
        load_dataset("jaspar2024_core_vertebrates")


def test_a_changed_or_missing_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(data_dir() / "dna_crp_sites26", tmp_path / "dna_crp_sites26")
    monkeypatch.setattr(bundled, "data_dir", lambda: tmp_path)
    file = tmp_path / "dna_crp_sites26" / "dna_crp_sites26.fa.gz"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match="has changed"):
        load_dataset("dna_crp_sites26")
    file.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        dataset_info("dna_crp_sites26")
