"""Melting temperatures as Biopython has them, windows apart, and presets of makers."""

from __future__ import annotations

import random

import pytest
import torch
from Bio.SeqUtils.MeltingTemp import Tm_NN

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.builtin.tm import MeltingTemperature
from seqdesign.constraints.options import LetterRules
from seqdesign.constraints.vendors import VENDORS
from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")
ROW = torch.zeros(1, dtype=torch.long)


def tokens_of(text: str) -> torch.Tensor:
    return torch.tensor([[DNA.letters.index(c) for c in text]])


def test_melting_temperatures_are_those_of_biopython() -> None:
    rng = random.Random(2)
    for _ in range(20):
        text = "".join(rng.choices("ACGT", k=rng.randint(12, 40)))
        truth = Tm_NN(text, saltcorr=5, dnac1=50, dnac2=50)
        rules = build_rules(LetterRules(tm=f"{max(0, truth - 1):.3f}-{truth + 1:.3f}"), DNA, tokens_of(text))
        (rule,) = rules.constraints
        assert isinstance(rule, MeltingTemperature)
        assert rule.temperature(tokens_of(text)[0]) == pytest.approx(truth, abs=0.01)
        assert bool(rules.is_feasible(tokens_of(text), ROW))
        other = build_rules(LetterRules(tm=f"{truth + 0.02:.3f}-{truth + 9:.3f}"), DNA, tokens_of(text))
        assert not bool(other.is_feasible(tokens_of(text), ROW))
        assert "melts at" in str(other.explain(tokens_of(text)[0], 0)[0])


def test_windows_that_lie_apart_are_found_and_mended() -> None:
    text = "GC" * 30 + "ATTA" * 15
    rules = build_rules(LetterRules(gc_difference="50:0.52"), DNA, tokens_of(text))
    (found,) = rules.explain(tokens_of(text)[0], 0)
    assert (found.first, found.last) == (1, 50)
    assert "but 0 at 61-110: a difference of 1" in found.message
    wish = torch.nn.functional.one_hot(tokens_of(text), 4).float()
    mended, good = rules.repair(wish, ROW)
    shares = [
        float(((mended[0, i : i + 50] == 1) | (mended[0, i : i + 50] == 2)).float().mean()) for i in range(71)
    ]
    assert bool(good)
    assert max(shares) - min(shares) <= 0.52 + 1e-6


@pytest.mark.parametrize("name", VENDORS)
def test_a_preset_asks_all_of_its_rules_of_a_gene_and_none_that_a_primer_cannot_break(name: str) -> None:
    vendor = VENDORS[name]
    long = build_rules(LetterRules(synthesis=name), DNA, torch.zeros(1, 400, dtype=torch.long))  # type: ignore[arg-type]
    assert [c.name for c in long.constraints] == [
        f"--synthesis {name}/{rule.option} {rule.text}" for rule in vendor.rules
    ]
    short = build_rules(LetterRules(synthesis=name), DNA, torch.zeros(1, 5, dtype=torch.long))  # type: ignore[arg-type]
    assert len(short.constraints) == 1
    assert vendor.source
    assert vendor.read
    assert vendor.left_out


def test_a_preset_names_the_rule_that_is_broken() -> None:
    text = "ACGT" * 10 + "A" * 10 + "CGTA" * 5
    rules = build_rules(LetterRules(synthesis="twist"), DNA, tokens_of(text))
    codes = [v.code for v in rules.explain(tokens_of(text)[0], 0)]
    assert "synthesis:twist/max-homopolymer:9@41-50" in codes
    assert any(code.startswith("synthesis:twist/repeat:20@") for code in codes)
    with pytest.raises(UsageError, match="applies to DNA and RNA only"):
        build_rules(
            LetterRules(synthesis="twist"), get_alphabet("protein"), torch.zeros(1, 9, dtype=torch.long)
        )
