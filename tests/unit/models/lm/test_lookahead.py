"""Promises of the look ahead: edits fall where the model wants them, and samples stay fair."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.models.lm.lookahead import ball_of
from seqdesign.models.lm.sampling import draw, draw_fairly
from seqdesign.models.lm.store import LMRecord
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")


def model(architecture: str, length: int, gain: float = 0.3) -> SequenceLM:
    torch.manual_seed(1)
    small: dict[str, Any] = {} if architecture == "gru" else {"heads": 2, "window": 3}
    options = LMOptions(architecture=architecture, width=8, dropout=0.0, **small)  # type: ignore[arg-type]
    made = LMRecord(options, DNA, length, length).build()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "chains" not in name:
                parameter += gain * torch.randn_like(parameter)
    made.count_lengths(torch.tensor([length]))
    return made.eval()


def left_to_right(made: SequenceLM, strings: Tensor) -> Tensor:
    """Log p (N,) of letters written from left to right, of a model of any order too."""
    lengths, total = torch.full((len(strings),), strings.shape[1]), torch.zeros(len(strings))
    shown = torch.full_like(strings, made.network.inputs.nothing)
    for t in range(strings.shape[1]):
        seen = strings if made.is_causal else shown
        log_p = made.network(seen, lengths, None)[:, t].log_softmax(1)
        total = total + log_p.gather(1, strings[:, t, None])[:, 0]
        shown[:, t] = strings[:, t]
    return total


@torch.no_grad()
@pytest.mark.parametrize("architecture", ["transformer", "gru", "ensemble", "masked"])
@pytest.mark.parametrize(
    "options", [{"max_edits": 1}, {"max_edits": 2, "template": "NNBN", "forbid": ("AA",)}]
)
def test_weights_make_the_samples_fair(architecture: str, options: dict[str, Any]) -> None:
    made, start = model(architecture, 4), torch.tensor([[0, 1, 2, 0]])
    own = build_rules(ConstraintOptions(**options), DNA, start)
    drawn = draw(made, torch.full((20_000,), 4), torch.Generator().manual_seed(0), rules=own)
    strings = torch.tensor(list(itertools.product(range(4), repeat=4)))
    good = own.is_feasible(strings, torch.zeros(256, dtype=torch.long))
    expected = left_to_right(made, strings).exp().double() * good
    weights = drawn.forced.exp() * drawn.good
    found = torch.zeros(256, dtype=torch.float64).index_add(
        0, drawn.tokens @ 4 ** torch.arange(3, -1, -1), weights
    )
    assert float((found / found.sum() - expected / expected.sum()).abs().sum()) / 2 < 0.02
    assert float(weights.sum() / 20_000) == pytest.approx(float(expected.sum()), rel=0.05)


@pytest.mark.parametrize("architecture", ["ensemble", "masked"])
def test_edits_are_not_spent_on_the_first_letters(architecture: str) -> None:
    made = model(architecture, 24, gain=0.1)
    start = torch.randint(4, (1, 24), generator=torch.Generator().manual_seed(3))
    own = build_rules(ConstraintOptions(max_edits=3), DNA, start)
    drawn = draw_fairly(made, torch.full((100,), 24), torch.Generator().manual_seed(0), rules=own)
    changed = drawn.tokens != start
    assert bool(drawn.good.all())
    assert int(changed.sum(1).max()) == 3
    assert 9 < float(changed.nonzero()[:, 1].double().mean()) < 14


def test_without_a_limit_on_edits_nothing_is_looked_ahead() -> None:
    start = torch.tensor([[0, 1, 2, 0]])
    assert ball_of(build_rules(ConstraintOptions(forbid=("AA",)), DNA, start)) is None
    found = ball_of(build_rules(ConstraintOptions(max_edits=2), DNA, start))
    assert found is not None
    assert found.limit == 2
