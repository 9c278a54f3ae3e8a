"""The demo's figures are what the table of measurements says, and the demo runs as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqdesign.commands.design.maximize import MaximizeConfig
from seqdesign.oracles.table import TableOracle
from seqdesign.pages.demo import design_truth, obeying, revision_truth
from seqdesign.sequences.datasets import load_dataset

SITES = ["AAA", "AAC", "ACC", "CCC"]
ORACLE = TableOracle(SITES, [0.0, 1.0, 2.0, 3.0])


def test_designs_are_looked_up_and_compared_with_all_that_obey_the_rules() -> None:
    designs: Any = [
        SimpleNamespace(sequence=text, score=score)
        for text, score in (("CCC", 4.0), ("ACC", 2.0), ("GGG", 6.0))
    ]
    truth = design_truth(ORACLE, designs, {"CCC"}, np.array([0.0, 1.0, 2.0, 3.0]))
    assert (truth.designs, truth.measured, truth.mean, truth.predicted) == (3, 2, 2.5, 4.0)
    assert (truth.fresh, truth.fresh_mean, truth.random, truth.top) == (1, 2.0, 1.5, 2.0)


def test_gains_are_in_standard_deviations_and_over_what_was_measured() -> None:
    inputs: Any = SimpleNamespace(sequences=["AAA", "AAC"])
    runs: Any = {
        ("revise", 1): [SimpleNamespace(revised="AAC"), SimpleNamespace(revised="ACC")],
        ("search", 1): [SimpleNamespace(revised="AAA"), SimpleNamespace(revised="AAG")],
    }
    truth = revision_truth(ORACLE, inputs, np.array([0.0, 1.0]), 2.0, 1, runs)
    assert (truth.revise, truth.search, truth.possible) == (0.5, 0.0, 0.5)
    assert (truth.revise_inside, truth.search_inside) == (1.0, 0.5)


def test_only_sites_that_obey_the_rules_count() -> None:
    records = load_dataset("rna_mpsa_5ss9")
    assert records.outcomes is not None
    found = obeying(records, MaximizeConfig(template="NNNGYNNNN", max_homopolymer="3"))
    fine = [
        y
        for text, y in zip(records.sequences, records.outcomes, strict=True)
        if text[3] == "G" and text[4] in "CU" and not any(4 * letter in text for letter in "ACGU")
    ]
    assert 0 < len(fine) < len(records)
    assert found.tolist() == fine


@pytest.mark.slow
def test_the_demo_writes_one_page_about_everything(cli: Callable[..., Any], tmp_path: Path) -> None:
    done = cli("demo", "-o", tmp_path, "--epochs", "3", "--inputs", "20", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["designs"]["mean"] > 1.5
    page = (tmp_path / "report.html").read_text()
    assert all(name in page for name in ("/vae", "/predictor", "/designs.fa", "/revise_3.fa"))
