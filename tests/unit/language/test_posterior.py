"""Promises of what a conditional language model believes of an outcome."""

from __future__ import annotations

import torch

from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.language.posterior import LEVELS, expected_outcome
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary


def model(*knots: float) -> SequenceLM:
    torch.manual_seed(2)
    options = LMOptions(architecture="gru", width=8, dropout=0.0)
    made = SequenceLM(options, Vocabulary(get_alphabet("letters:ABC")), 4, 4, knots).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return made


def test_it_is_the_mean_of_the_outcomes_by_the_rule_of_bayes() -> None:
    made = model(-1.0, 3.0)
    tokens, lengths = torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0]]), torch.tensor([4, 4])
    low, high = (
        made.log_likelihood(tokens, lengths, torch.tensor([c, c])).double().exp() for c in (-1.0, 3.0)
    )
    found = expected_outcome(made, tokens, lengths)
    torch.testing.assert_close(found, (3 * high - low) / (high + low), atol=1e-5, rtol=0)
    assert (found[0] - found[1]).abs() > 0.01


def test_few_of_many_knots_are_asked_about_the_first_and_the_last_among_them() -> None:
    made = model(*range(16))
    asked: list[float] = []
    whole = made.log_likelihood

    def noted(tokens: torch.Tensor, lengths: torch.Tensor, outcomes: torch.Tensor) -> torch.Tensor:
        asked.append(float(outcomes[0]))
        return whole(tokens, lengths, outcomes)

    made.log_likelihood = noted  # type: ignore[method-assign, assignment]
    expected_outcome(made, torch.zeros(2, 4, dtype=torch.long), torch.tensor([4, 4]))
    assert len(asked) == LEVELS
    assert (min(asked), max(asked)) == (0, 15)
