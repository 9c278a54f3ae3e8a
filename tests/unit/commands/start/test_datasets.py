"""Promises of ``seqdesign datasets``."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdesign.commands.start.datasets import CopyResult, DatasetsConfig, DatasetsResult, datasets
from seqdesign.errors import UsageError
from seqdesign.sequences.bundled import dataset_info, list_datasets


def test_all_data_sets_are_listed() -> None:
    result = datasets(DatasetsConfig())
    assert isinstance(result, DatasetsResult)
    assert [d.name for d in result.datasets] == list(list_datasets())
    for name in list_datasets():
        assert name in result.text()


@pytest.mark.parametrize("name", list_datasets())
def test_one_is_described_with_its_provenance(name: str) -> None:
    text = datasets(DatasetsConfig(name=name)).text()
    info = dataset_info(name)
    for fact in (info.source, info.licence, info.reference, info.sha256, info.title, info.note):
        assert fact in text


def test_a_copy_is_the_same_bytes_or_the_same_content(tmp_path: Path) -> None:
    info = dataset_info("dna_crp_sites26")
    result = datasets(DatasetsConfig(name="dna_crp_sites26", output=tmp_path / "x.fa.gz"))
    assert isinstance(result, CopyResult)
    assert (tmp_path / "x.fa.gz").read_bytes() == info.path.read_bytes()
    datasets(DatasetsConfig(name="dna_crp_sites26", output=tmp_path / "x.fa"))
    assert (tmp_path / "x.fa").read_bytes() == gzip.decompress(info.path.read_bytes())


def test_another_file_of_a_data_set_can_be_copied(tmp_path: Path) -> None:
    datasets(DatasetsConfig(name="prot_globins630/prot_globins630.fa.gz", output=tmp_path / "x.fa"))
    assert (tmp_path / "x.fa").read_text().count(">") == 630


def test_contradictions_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="name the data set"):
        DatasetsConfig(output=Path("x"))
    with pytest.raises(UsageError, match="stdout"):
        DatasetsConfig(name="dna_crp_sites26", output=Path("-"), json=True)
    with pytest.raises(UsageError, match="did you mean"):
        datasets(DatasetsConfig(name="dna_crp"))


def test_the_command_line(cli: Callable[..., Any]) -> None:
    assert "rna_mpsa_5ss9" in cli("datasets").out
    entry = json.loads(cli("datasets", "prot_amp_vs_uniprot", "--json").out)["datasets"][0]
    assert (entry["rows"], entry["licence"]) == (4620, "BSD-3-Clause")
    copy = cli("datasets", "dna_crp_sites26", "-o", "-")
    assert copy.code == 0
    assert copy.out == gzip.decompress(dataset_info("dna_crp_sites26").path.read_bytes()).decode()
    assert "copied" in copy.err
    assert cli("datasets", "no_such").code == 2
