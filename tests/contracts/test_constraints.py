"""Every constraint of the registry keeps the promises of `seqdesign.testing.check_constraint`.

CASES gives each of them texts for designs of six letters of DNA.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdesign import rules
from seqdesign.config import fields_of
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.registry import Registry
from seqdesign.testing import check_constraint, constraint_checks

REGISTRY = Registry("constraint", "seqdesign.constraints.builtin", "seqdesign.constraints")
CASES = {
    "allow": ["1:A", "2-4:-AC,6:R", "3:AWG"],
    "forbid": ["GGN", "ACGT", "WWW", "A", "NNNNNNN", "RAY"],
    "gc": ["0.5-0.5", "0.1-0.4", "0-1"],
    "gc-window": ["2:0.5-1", "4:0.25-0.5", "6:0.5-0.5", "1:0-0"],
    "gc-difference": ["2:0.5", "3:0", "4:0.25", "1:0"],
    "hairpin": ["2:0-2", "2:1-1", "3:0-0"],
    "keep": ["1", "2-3,6"],
    "length": ["6-9", "2-6"],
    "max-edits": ["1", "3"],
    "min-cai": ["ecoli:0.4", "ecoli:0.999", "human:1"],
    "max-homopolymer": ["1", "2,G:1", "T:3"],
    "repeat": ["2", "3", "4", "5"],
    "synthesis": ["twist", "idt"],
    "template": ["NNNNNN", "ANSWRG"],
    "tm": ["0-5", "5.5-100", "200-300"],
    "translate": ["1-6", "4-6", "6-1", "4-2"],
}
PAIRS = [(name, text) for name in REGISTRY.names() for text in CASES.get(name, [])]
MIXES = [
    [("forbid", "GC"), ("gc", "0.5-0.5"), ("max-homopolymer", "1")],
    [("translate", "1-6"), ("gc-window", "3:0.3-0.7"), ("forbid", "TAA")],
    [("keep", "4-6"), ("forbid", "AGG"), ("max-edits", "2"), ("gc", "0.3-0.7")],
    [("repeat", "2"), ("hairpin", "2:0-2"), ("gc-difference", "3:0.34"), ("tm", "0-20")],
    [("min-cai", "yeast:0.8"), ("translate", "1-6"), ("forbid", "GG")],
    [("allow", "2-3:-G"), ("translate", "1-6"), ("repeat", "3")],
    [("template", "NNNGNN"), ("forbid", "NGN"), ("gc-window", "2:0.5-0.5")],
]


VARYING = [
    [("gc", "0.5-0.5"), ("forbid", "GC"), ("length", "3-4")],
    [("gc-window", "2:0.5-1"), ("gc", "0.5-0.6"), ("keep", "2")],
    [("gc-window", "4:0.5-0.5"), ("max-homopolymer", "2")],
    [("length", "4-6")],
    [("repeat", "2"), ("tm", "0-20")],
    [("hairpin", "2:0-1"), ("gc-difference", "2:0.5"), ("allow", "2:AC")],
]
"""More of them for designs whose lengths vary."""
ALL = [[pair] for pair in PAIRS] + MIXES
CHECKS = constraint_checks()
VARYING_CHECKS = [name for name in CHECKS if name.startswith("with_lengths_that_vary")]


def test_every_member_of_the_registry_has_a_case() -> None:
    assert set(REGISTRY.names()) == set(CASES)
    assert VARYING_CHECKS


def test_every_constraint_has_an_option_a_rule_in_python_and_a_paragraph() -> None:
    options = {spec.name: spec.option for spec in fields_of(ConstraintOptions)}
    manual = (Path(__file__).resolve().parents[2] / "docs/constraints.md").read_text()
    for name in set(REGISTRY.built_in) - {"length"}:  # a matter of the command: of revisions, of samples
        field = name.replace("-", "_")
        assert field in options, name
        assert field in rules.__all__, name
        assert f"{options[field]}" in manual, name


@pytest.mark.parametrize(
    ("parts", "check"),
    [(parts, check) for parts in ALL for check in CHECKS]
    + [(parts, check) for parts in VARYING for check in VARYING_CHECKS],
    ids=lambda value: value if isinstance(value, str) else "+".join(f"{n} {t}" for n, t in value),
)
def test_a_constraint_keeps_its_promises(parts: list[tuple[str, str]], check: str) -> None:
    (make, text), *beside = [(REGISTRY.load(name), text) for name, text in parts]
    check_constraint(make, text, beside=beside, checks=[check])
