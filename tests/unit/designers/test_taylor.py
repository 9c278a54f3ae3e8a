"""The moves behind every gradient designer: ranking, combination, kicks, beams, reproducible noise."""

from __future__ import annotations

from typing import Any

import torch

from seqdesign.designers.beam import beam
from seqdesign.designers.moves import combined, kicked, ranked
from seqdesign.designers.noise import gumbel, uniform
from seqdesign.designers.scorer import Scorer


def test_the_ranking_of_a_linear_function_is_exact(closed: Any, problem: Any, random_starts: Any) -> None:
    """oracles.md 21: for a linear f the Taylor expansion is exact."""
    w = torch.randn(4, 9, generator=torch.Generator().manual_seed(3))
    starts = random_starts(3, 9)
    scorer = Scorer(problem(closed(lambda x: (x * w).sum((1, 2))), starts, 100))
    rows = torch.arange(3)
    candidates, ok = ranked(scorer, starts, rows, 27)
    values = (scorer.one_hot(candidates.flatten(0, 1)) * w).sum((1, 2)).view(3, 27)
    assert bool(ok.all())
    assert bool((values.diff(dim=1) <= 1e-5).all())
    assert ((candidates != starts.unsqueeze(1)).sum(2) == 1).all()


def test_a_limit_on_edits_is_met_by_exchanging_edits(closed: Any, problem: Any) -> None:
    """With one edit allowed and one made, the better edit is reached by taking the first back."""

    w = torch.zeros(4, 6)
    w[1, 1], w[1, 4] = 1.0, 2.0
    starts = torch.zeros(1, 6, dtype=torch.long)
    scorer = Scorer(problem(closed(lambda x: (x * w).sum((1, 2))), starts, 50, rules=[("max-edits", "1")]))
    candidates, ok = ranked(scorer, torch.tensor([[0, 1, 0, 0, 0, 0]]), torch.tensor([0]), 8)
    assert [0, 0, 0, 0, 1, 0] in candidates[ok].tolist()
    assert bool(((candidates[ok] != 0).sum(1) <= 1).all())


def test_improvements_are_made_together_and_the_better_of_two_counts() -> None:
    tokens, base = torch.zeros(1, 5, dtype=torch.long), torch.zeros(1)
    candidates = torch.tensor([[[1, 0, 0, 0, 0], [2, 0, 0, 0, 0], [0, 0, 3, 0, 0], [0, 0, 0, 0, 1]]])
    sets, exist = combined(tokens, base, candidates, torch.tensor([[1.0, 4.0, 2.0, -1.0]]), (2, 4))
    assert sets.tolist() == [[[2, 0, 3, 0, 0], [2, 0, 3, 0, 0]]]
    assert exist.tolist() == [[True, True]]


def test_a_kick_changes_as_many_letters_as_asked_and_no_fixed_one(
    closed: Any, problem: Any, random_starts: Any
) -> None:
    starts = random_starts(50, 20)
    scorer = Scorer(problem(closed(lambda x: x.sum((1, 2))), starts, 5, rules=[("keep", "1-5")]))
    made, good = kicked(scorer, starts, torch.arange(50), torch.full((50,), 3), 0, 0)
    assert bool(good.all())
    assert torch.equal(made[:, :5], starts[:, :5])
    assert (made != starts).sum(1).tolist() == [3] * 50


def test_a_wide_beam_finds_what_greedy_misses(closed: Any, problem: Any) -> None:
    """The best first step ends at 3; a lesser one leads to 5."""

    def trap(x: torch.Tensor) -> torch.Tensor:
        a, b, c = x[:, 1, 0], x[:, 1, 1], x[:, 1, 2]
        return 3.0 * a + (1.0 - a) * (2.0 * b + 3.0 * b * c)

    best = {}
    for width in (1, 4):
        scorer = Scorer(problem(closed(trap), torch.zeros(1, 4, dtype=torch.long), 500))
        beam(scorer, width, 12)
        best[width] = float(scorer.best)
    assert best == {1: 3.0, 4: 5.0}


def test_noise_is_that_of_the_key_and_has_the_right_moments() -> None:
    keys = torch.tensor([5, 2**62, -3])
    every = uniform(9, keys, 4, 40_000)
    assert torch.equal(every[1:2], uniform(9, keys[1:2], 4, 40_000))
    assert not torch.equal(every, uniform(9, keys, 5, 40_000))
    assert float(every.min()) > 0.0
    assert float(every.max()) < 1.0
    torch.testing.assert_close(every.mean(1), torch.full((3,), 0.5), atol=0.008, rtol=0)
    torch.testing.assert_close(every.var(1), torch.full((3,), 1 / 12), atol=0.003, rtol=0)
    assert float(torch.corrcoef(every).fill_diagonal_(0.0).abs().max()) < 0.02
    torch.testing.assert_close(
        gumbel(9, keys, 4, 40_000).mean(1), torch.full((3,), 0.5772), atol=0.03, rtol=0
    )
