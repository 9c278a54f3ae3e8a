"""Guided writing: the chains have their law, what is unlikely does not count, and rules are obeyed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.designers.black_box_options import GuidedOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.methods import guided as module
from seqdesign.designers.methods.guided import guided
from seqdesign.designers.problem import Language
from seqdesign.errors import UsageError
from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.language.rewriting import Rewriter
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

LENGTH = 3
EVERY = torch.tensor(list(itertools.product(range(4), repeat=LENGTH)))


def language(starts: Tensor, usual: float = -1e9) -> Language:
    torch.manual_seed(0)
    options = LMOptions(architecture="gru", width=8, layers=1, dropout=0.0)
    model = SequenceLM(options, Vocabulary(get_alphabet("dna")), starts.shape[1], starts.shape[1]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.4 * torch.randn_like(parameter)
    return Language(Rewriter(model), torch.full((len(starts),), usual).double(), 1.0)


def formula(x: Tensor) -> Tensor:
    """Letters and neighbours matter."""
    w = torch.randn(4, x.shape[2], generator=torch.Generator().manual_seed(1)).to(x)
    pairs = torch.randn(4, 4, generator=torch.Generator().manual_seed(2)).to(x)
    return (w * x).sum((1, 2)) + torch.einsum("nat,ab,nbt->n", x[:, :, :-1], pairs, x[:, :, 1:])


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_a_chain_has_the_law_that_the_docs_state(
    closed: Any, problem: Any, monkeypatch: pytest.MonkeyPatch, strength: float
) -> None:
    """At a fixed temperature T its states are drawn from p(x) exp(f(x) / T)."""
    heat, count = 1.5, 3000
    monkeypatch.setattr(
        module._Walk, "_heat", lambda self, rows: torch.full((len(rows),), heat, dtype=torch.float64)
    )
    starts = torch.zeros(count, LENGTH, dtype=torch.long)
    task = replace(problem(closed(formula), starts, 1000), language=language(starts))
    crowd = Crowd(task, 0)
    walk = module._Walk(crowd, task.language, GuidedOptions(strength=strength, chains=1))
    rows = torch.arange(count)
    for _ in range(40):
        walk.step(rows)
    one_hot = torch.nn.functional.one_hot(EVERY, 4).transpose(1, 2).float()
    wanted = (task.language.writer.log_prob(EVERY) + formula(one_hot).double() / heat).softmax(0)
    place = torch.tensor([16, 4, 1])
    found = torch.bincount((walk.tokens[:, 0] * place).sum(1), minlength=64) / count
    assert float((found - wanted).abs().sum()) < 0.2
    assert float((found - wanted.new_full((64,), 1 / 64)).abs().sum()) > 0.6


def test_what_the_model_finds_unlikely_does_not_count(closed: Any, problem: Any) -> None:
    """The best sequence of those that are likely enough is found, whatever better ones promise."""
    starts = torch.zeros(6, LENGTH, dtype=torch.long)
    written = language(starts)
    log_p = written.writer.log_prob(EVERY)
    floor = float(log_p.quantile(0.7))
    starts = EVERY[log_p >= floor][:6]
    task = replace(
        problem(closed(formula), starts, 300),
        language=replace(written, usual=torch.full((6,), floor - 0.5).double()),
    )
    made = guided(task, GuidedOptions(least_likely=0.5), 0)
    scores = formula(torch.nn.functional.one_hot(EVERY, 4).transpose(1, 2).float())
    assert made.score.max().item() == pytest.approx(float(scores[log_p >= floor].max()))
    assert float(scores.max()) > float(scores[log_p >= floor].max())
    assert bool((written.writer.log_prob(made.tokens) >= floor).all())


def test_it_serves_oracles_without_a_gradient(closed: Any, problem: Any) -> None:
    starts = torch.zeros(4, LENGTH, dtype=torch.long)
    oracle = closed(formula, differentiable=False)
    made = guided(replace(problem(oracle, starts, 300), language=language(starts)), GuidedOptions(), 0)
    scores = formula(torch.nn.functional.one_hot(EVERY, 4).transpose(1, 2).float())
    assert made.score.max().item() == pytest.approx(float(scores.max()))
    assert bool((made.score > made.start_score).all())


def test_a_problem_without_a_language_model_is_refused(closed: Any, problem: Any) -> None:
    with pytest.raises(UsageError, match="--generator"):
        guided(problem(closed(formula), torch.zeros(2, LENGTH, dtype=torch.long), 10), GuidedOptions(), 0)
