"""Samples drawn towards what a predictor likes, letter by letter (Nisonoff et al. 2024, arXiv 2406.01572).

A letter a at place i is drawn from p(a | shown) exp(gamma E f(x with a at i)), the expectation being over
the letters that are not chosen yet. These are drawn from the model's own probabilities, each by itself, so
that the predictor, which has learned from whole sequences, only sees whole ones.
Shapes: N sequences, T positions, V letters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from seqdesign.devices.arithmetic import running_sum

COMPLETIONS = 4
"""Ways in which the letters that are not chosen yet are filled in."""


class PredictorGuide:
    """gamma times the score of a predictor, for every letter of a place.

    score: one-hot (N, V, T) -> (N,), in standard deviations, differentiable. by: ``exact`` asks about each
    letter, ``taylor`` takes the gradient, one question for all of them.
    """

    def __init__(
        self,
        score: Callable[[Tensor], Tensor],
        num_letters: int,
        strength: float,
        *,
        by: Literal["taylor", "exact"] = "taylor",
        seed: int = 0,
    ) -> None:
        self.score, self.num_letters, self.strength, self.by = score, num_letters, strength, by
        self.rng = torch.Generator().manual_seed(seed)

    def __call__(self, tokens: Tensor, logits: Tensor, places: Tensor) -> Tensor:
        """What to add to the logits (N, V) of ``places`` (N,) of sequences (N, T) with logits (N, T, V)."""
        terms = [
            self._taylor(whole, places) if self.by == "taylor" else self._exact(whole, places)
            for whole in (self._complete(tokens, logits) for _ in range(COMPLETIONS))
        ]
        return self.strength * torch.stack(terms).mean(0).to(logits)

    def _complete(self, tokens: Tensor, logits: Tensor) -> Tensor:
        """Tokens (N, T) whose hidden letters are drawn from the model, each by itself."""
        uniform = torch.rand(tokens.shape, generator=self.rng, dtype=torch.float64).to(logits.device)
        cumulative = running_sum(logits.softmax(2), 2)
        drawn = (cumulative <= (uniform * cumulative[:, :, -1])[:, :, None]).sum(2)
        return tokens.where(tokens < self.num_letters, drawn)

    def _taylor(self, whole: Tensor, places: Tensor) -> Tensor:
        rows = torch.arange(len(whole), device=whole.device)
        with torch.inference_mode(False), torch.enable_grad():
            letters = F.one_hot(whole.clone(), self.num_letters).transpose(1, 2).float().requires_grad_()
            (slope,) = torch.autograd.grad(self.score(letters).sum(), letters)
        mine = slope[rows, :, places]
        return mine - mine.gather(1, whole[rows, places][:, None])

    def _exact(self, whole: Tensor, places: Tensor) -> Tensor:
        rows = torch.arange(len(whole), device=whole.device)
        terms = []
        for letter in range(self.num_letters):
            changed = whole.clone()
            changed[rows, places] = letter
            terms.append(self.score(F.one_hot(changed, self.num_letters).transpose(1, 2).float()))
        scores = torch.stack(terms, 1)
        return scores - scores.gather(1, whole[rows, places][:, None])
