"""Spans that a language model writes anew: their probabilities are proper, and those of what is drawn."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.language.prior import LanguagePrior
from seqdesign.language.rewriting import Rewriter
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

ABC = Vocabulary(get_alphabet("letters:ABC"))
ARCHITECTURES = ("transformer", "gru", "masked")


def model(architecture: str, longest: int = 5) -> SequenceLM:
    """Random weights, large enough to prefer some letters."""
    torch.manual_seed(2)
    small = {} if architecture == "gru" else {"heads": 2, "window": 3}
    options = LMOptions(architecture=architecture, width=8, layers=1, dropout=0.0, **small)  # type: ignore[arg-type]
    made = SequenceLM(options, ABC, longest, longest).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.4 * torch.randn_like(parameter)
    return made


def around(middle: Tensor) -> Tensor:
    """Sequences with these three letters (N, 3) between two fixed ones."""
    ends = torch.ones(len(middle), 1, dtype=torch.long)
    return torch.cat([0 * ends, middle, 2 * ends], 1)


MIDDLES = torch.tensor(list(itertools.product(range(3), repeat=3)))


def span(count: int, begin: int, end: int) -> tuple[Tensor, Tensor]:
    return torch.full((count,), begin), torch.full((count,), end)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_probabilities_of_all_ways_to_write_a_span_sum_to_one(architecture: str) -> None:
    tilt = torch.randn(1, 5, 3, dtype=torch.float64).expand(27, -1, -1)
    said = Rewriter(model(architecture)).log_q(around(MIDDLES), *span(27, 1, 4), tilt)
    assert float(said.exp().sum()) == pytest.approx(1.0, abs=1e-6)
    assert float(said.std()) > 0.1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_spans_are_drawn_as_often_as_is_said(architecture: str) -> None:
    writer, n = Rewriter(model(architecture)), 6000
    tilt = torch.randn(1, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    luck = torch.rand(n, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    before = around(torch.zeros(n, 3, dtype=torch.long))
    drawn, log_q = writer.rewrite(before, *span(n, 1, 4), tilt.expand(n, -1, -1), luck)
    assert torch.equal(drawn[:, [0, 4]], before[:, [0, 4]])
    again = writer.log_q(drawn, *span(n, 1, 4), tilt.expand(n, -1, -1))
    torch.testing.assert_close(again, log_q, atol=1e-5, rtol=1e-5)
    expected = writer.log_q(around(MIDDLES), *span(27, 1, 4), tilt.expand(27, -1, -1)).exp()
    found = torch.bincount(drawn[:, 1] * 9 + drawn[:, 2] * 3 + drawn[:, 3], minlength=27) / n
    assert float((found - expected).abs().sum()) < 0.06


@pytest.mark.parametrize("architecture", ["transformer", "gru"])
def test_a_whole_sequence_is_written_with_its_likelihood(architecture: str) -> None:
    writer, every = Rewriter(model(architecture, 3)), MIDDLES
    said = writer.log_q(every, *span(27, 0, 3), torch.zeros(27, 3, 3, dtype=torch.float64))
    torch.testing.assert_close(said, writer.log_prob(every), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_likelihood_of_one_hot_letters_is_that_of_tokens_and_has_its_slope(architecture: str) -> None:
    made = model(architecture)
    tokens = around(MIDDLES[:7])
    x = torch.nn.functional.one_hot(tokens, 3).transpose(1, 2).float()
    torch.testing.assert_close(made.log_prob_letters(x), made.log_prob_letters(tokens))
    leaf = x.double().requires_grad_(True)
    double = made.double()
    (slope,) = torch.autograd.grad(double.log_prob_letters(leaf).sum(), leaf)
    step = 1e-5 * torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    change = double.log_prob_letters(x + step) - double.log_prob_letters(x - step)
    torch.testing.assert_close((2 * slope * step).sum((1, 2)), change.detach(), rtol=1e-4, atol=1e-9)


def test_realness_is_a_percentage_of_the_models_own_samples() -> None:
    prior = LanguagePrior(model("gru"), torch.device("cpu"))
    usual = prior.usual(5)
    every = torch.tensor(list(itertools.product(range(3), repeat=5)))
    log_p = prior.writer.log_prob(every)
    real = prior.realness(every.numpy().astype("uint8"))
    assert real[int(log_p.argmax())] >= 95
    assert real[int(log_p.argmin())] == 0
    assert abs(float(usual.mean()) - float((log_p.exp() * log_p).sum())) < 0.3
    language = prior.language(every[:4], drawn=False)
    torch.testing.assert_close(language.usual, log_p[:4], rtol=1e-6, atol=1e-6)
    assert language.spread == pytest.approx(float(usual.std()))
