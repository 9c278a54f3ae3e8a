"""Fast SeqProp: the normalisation of its logits, and that its ascent alone does the work."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seqdesign.designers.gradient_options import FastSeqpropOptions
from seqdesign.designers.methods.fast_seqprop import _NormalisedLogits, normalised
from seqdesign.designers.scorer import Scorer


def test_each_letter_has_the_mean_and_deviation_that_it_was_given() -> None:
    """Linder & Seelig (2021): instance normalisation over positions, then scale and offset."""
    logits = 5.0 + 3.0 * torch.randn(2, 4, 50, generator=torch.Generator().manual_seed(0))
    scale, offset = torch.rand(2, 4, 1) + 0.5, torch.rand(2, 4, 1)
    made = normalised(logits, scale, offset)
    torch.testing.assert_close(made.mean(2, keepdim=True), offset, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(made.std(2, correction=0, keepdim=True), scale, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("forward", ["sampled", "argmax"])
def test_the_ascent_alone_reaches_most_of_a_linear_optimum(
    forward: Any, closed: Any, problem: Any, random_starts: Any
) -> None:
    w = torch.randn(4, 30, generator=torch.Generator().manual_seed(3))
    scorer = Scorer(problem(closed(lambda x: (x * w).sum((1, 2))), random_starts(4, 30), 1000))
    steps = _NormalisedLogits(scorer, FastSeqpropOptions(steps=200, forward=forward), 0).run()
    assert steps.tolist() == [200] * 4
    best = w.max(0).values.sum()
    assert bool(((scorer.best - scorer.start_score) / (best - scorer.start_score) > 0.9).all())
