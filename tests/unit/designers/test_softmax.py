"""Softmax activation maximization: its slope by hand and by autograd, and the gap that it reports."""

from __future__ import annotations

from typing import Any

import torch

from seqdesign.designers.gradient_options import SoftmaxOptions
from seqdesign.designers.methods.softmax import softmax, softmax_slope


def test_the_slope_at_uniform_letters_is_that_of_the_formula() -> None:
    """oracles.md 11: W = (1, 2, 3, 4) gives (-.375, -.125, .125, .375)."""
    slope = softmax_slope(torch.full((1, 4, 1), 0.25), torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 4, 1))
    torch.testing.assert_close(slope.flatten(), torch.tensor([-0.375, -0.125, 0.125, 0.375]))


def test_the_slope_is_that_of_autograd() -> None:
    logits = torch.randn(3, 4, 7, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    w = torch.randn(4, 7, generator=torch.Generator().manual_seed(1))
    probs = logits.softmax(1)
    (slope,) = torch.autograd.grad((probs.square() * w).sum(), logits)
    torch.testing.assert_close(softmax_slope(probs.detach(), 2 * probs.detach() * w), slope)


def test_a_blend_that_beats_every_sequence_shows_as_a_gap(closed: Any, problem: Any) -> None:
    """f = -sum (x - 1/4)^2 is best at the centre of the simplex, where no sequence is."""
    task = problem(
        closed(lambda x: -(x - 0.25).square().sum((1, 2))), torch.zeros(1, 6, dtype=torch.long), 100
    )
    made = softmax(task, SoftmaxOptions(steps=40), 0)
    assert made.stop == ("steps",) or made.stop == ("budget",)
    assert float(made.score) == float(made.start_score)
    assert bool(made.soft_score.isnan().all())
