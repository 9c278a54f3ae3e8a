"""DnaChisel, which shares no code with us, finds no violation in what ``maximize`` delivers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dnachisel
import pytest

from seqdesign.sequences.fasta import read_fasta

ENZYMES = ("EcoRI", "BsaI", "HindIII")
PATTERNS = ("TATAAA", "CCWGG")
GENE = "ATGGAATTCAAGCTTGGTCTCAAAAAACCCTGGTATAAACGTGCTTAA"
ORACLE = '''
def score(x):
    """Rewards EcoRI sites, TATA boxes and runs of A: all that is forbidden."""
    def hits(pattern):
        windows = x.shape[2] - len(pattern) + 1
        return sum(x[:, "ACGT".index(letter), i : i + windows] for i, letter in enumerate(pattern))

    return sum(hits(p).square().sum(1) for p in ("GAATTC", "TATAAA", "AAAAAA"))
'''
Cli = Callable[..., Any]


def violations(text: str, judges: list[dnachisel.Specification]) -> int:
    problem = dnachisel.DnaOptimizationProblem(text, constraints=judges, logger=None)
    return sum(not found.passes for found in problem.constraints_evaluations().evaluations)


@pytest.fixture(autouse=True)
def oracle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tempting_oracle.py").write_text(ORACLE)
    monkeypatch.syspath_prepend(tmp_path)


def designs(cli: Cli, folder: Path, *words: str) -> list[str]:
    out = folder / "designs.fa"
    done = cli("maximize", "--oracle", "tempting_oracle:score", "-o", out, "--min-distance", "1", *words)
    assert done.code == 0, done.err
    return [record.sequence for record in read_fasta(out)]


def avoided() -> list[dnachisel.Specification]:
    return [
        *(dnachisel.AvoidPattern(pattern) for pattern in (*(f"{name}_site" for name in ENZYMES), *PATTERNS)),
        *(dnachisel.AvoidPattern(letter * 5, strand=1) for letter in "ACGT"),
    ]


@pytest.mark.parametrize(
    "num", [100, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_no_design_breaks_a_rule_that_the_oracle_tempts_it_to_break(
    cli: Cli, tmp_path: Path, num: int
) -> None:
    forbidden = [word for name in (*ENZYMES, *PATTERNS) for word in ("--forbid", name)]
    found = designs(
        cli, tmp_path, "-n", str(num), "--length", "60", "--tries", "1", "--budget", "60", *forbidden,
        "--gc", "0.4-0.6", "--gc-window", "30:0.3-0.7", "--max-homopolymer", "4",
    )  # fmt: skip
    judges = [
        *avoided(),
        dnachisel.EnforceGCContent(mini=0.4, maxi=0.6),
        dnachisel.EnforceGCContent(mini=0.3, maxi=0.7, window=30),
    ]
    assert len(set(found)) == num
    assert sum(violations(text, judges) for text in found) == 0


def test_a_gene_keeps_its_protein(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "gene.fa").write_text(f">gene\n{GENE}\n")
    forbidden = [word for name in (*ENZYMES, *PATTERNS) for word in ("--forbid", name)]
    found = designs(
        cli, tmp_path, "--start", str(tmp_path / "gene.fa"), "-n", "20", "--translate", f"1-{len(GENE)}",
        "--max-homopolymer", "4", "--budget", "60", *forbidden,
    )  # fmt: skip
    protein = dnachisel.translate(GENE)
    judges = [*avoided(), dnachisel.EnforceTranslation(translation=protein)]
    assert len(set(found)) == 20
    assert violations(GENE, judges) > 0
    assert sum(violations(text, judges) for text in found) == 0
