"""Mean-field annealing: the field of a linear function is its weights, whatever is drawn."""

from __future__ import annotations

from typing import Any

import torch

from seqdesign.designers.gradient_options import MeanFieldOptions
from seqdesign.designers.methods.mean_field import _MeanField, mean_field
from seqdesign.designers.scorer import Scorer


def test_the_letters_of_a_linear_function_follow_its_weights_over_the_temperature(
    closed: Any, problem: Any, random_starts: Any
) -> None:
    """q_i(v) = softmax(w_iv / T) exactly, with T in units of the centred weights' root mean square."""
    w = torch.randn(4, 10, generator=torch.Generator().manual_seed(3))
    scorer = Scorer(problem(closed(lambda x: (x * w).sum((1, 2))), random_starts(2, 10), 100))
    ascent = _MeanField(scorer, MeanFieldOptions(steps=20, hot=2.0, cold=0.5), 0)
    ascent.run()
    centred = w - w.mean(0)
    expected = (centred / centred.square().mean().sqrt() / 0.5).softmax(0)
    torch.testing.assert_close(ascent.logits(19).softmax(1), expected.expand(2, -1, -1), atol=1e-4, rtol=1e-4)


def test_a_barrier_between_two_letters_is_crossed(closed: Any, problem: Any) -> None:
    """Either of two substitutions makes it worse, both together are best: the start is a local optimum."""

    def pair(x: torch.Tensor) -> torch.Tensor:
        a, b = x[:, 1, 2], x[:, 1, 7]
        return 5.0 * a * b - a - b

    made = mean_field(
        problem(closed(pair), torch.zeros(8, 10, dtype=torch.long), 1000), MeanFieldOptions(), 0
    )
    assert made.score.tolist() == [3.0] * 8
