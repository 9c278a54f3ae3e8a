"""Spans of sequences written anew by a language model, and how likely it was to write them as they are.

A span [begin, end) is written from left to right: by a causal model given what stands before it, by a model
of any order given all that stands around it. What is added to the log-probabilities (``tilt``) draws letters
towards something, or forbids them.
Shapes: N sequences of T letters each, V letters.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.devices.arithmetic import running_sum
from seqdesign.language.model import SequenceLM


class Rewriter:
    """A language model, for sequences of one outcome if it is conditional."""

    def __init__(self, model: SequenceLM, outcome: float | None = None) -> None:
        self.model, self.network, self.outcome = model, model.network, outcome

    @torch.no_grad()
    def log_prob(self, tokens: Tensor) -> Tensor:
        """Log p(letters | length) in nats, (N,), of tokens (N, T)."""
        return self.model.log_prob_letters(tokens, self._context(tokens)).double()

    @torch.no_grad()
    def rewrite(
        self, tokens: Tensor, begin: Tensor, end: Tensor, tilt: Tensor, uniform: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Tokens (N, T) with the span [begin, end) (N,) drawn anew, and the log-probability of the draw (N,).

        tilt: (N, T, V), added to the log-probabilities of letters. uniform: (N, T) in (0, 1), the luck.
        """
        return self._go(tokens, begin, end, tilt, uniform)

    @torch.no_grad()
    def log_q(self, tokens: Tensor, begin: Tensor, end: Tensor, tilt: Tensor) -> Tensor:
        """With which log-probability (N,) ``rewrite`` writes the span as it is in tokens (N, T)."""
        if not self.model.is_causal:
            return self._go(tokens, begin, end, tilt, None)[1]
        logits = self.network(tokens, self._lengths(tokens), self._context(tokens)).double() + tilt
        said = logits.log_softmax(2).gather(2, tokens[:, :, None])[:, :, 0]
        places = torch.arange(tokens.shape[1], device=tokens.device)
        inside = (places >= begin[:, None]) & (places < end[:, None])
        return said.masked_fill(~inside, 0.0).sum(1)

    def _go(
        self, tokens: Tensor, begin: Tensor, end: Tensor, tilt: Tensor, uniform: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """As ``rewrite``; without luck the letters stay, and only the log-probability is new."""
        total = torch.zeros(len(tokens), dtype=torch.float64, device=tokens.device)
        written = tokens.clone()
        if not len(tokens):
            return written, total
        lengths, context = self._lengths(tokens), self._context(tokens)
        causal, nothing = self.model.is_causal, self.network.inputs.nothing
        places = torch.arange(tokens.shape[1], device=tokens.device)
        hidden = (places >= begin[:, None]) & (places < end[:, None])
        shown = tokens.masked_fill(hidden, nothing)
        memory = self.network.begin(*tokens.shape) if causal else None
        previous = torch.full_like(begin, nothing)
        for t in range(0 if causal else int(begin.min()), int(end.max())):
            here = hidden[:, t]
            if causal:
                logits = self.network.step(memory, previous, lengths, context, t)
            elif bool(here.any()):
                logits = tilt.new_zeros(len(tokens), tilt.shape[2])
                part = None if context is None else context[here]
                logits[here] = self.network(shown[here], lengths[here], part)[:, t].to(tilt)
            else:
                continue
            log_p = (logits.double() + tilt[:, t]).log_softmax(1)
            letters = tokens[:, t]
            if uniform is not None:
                cumulative = running_sum(log_p.exp(), 1)
                drawn = (cumulative <= (uniform[:, t] * cumulative[:, -1])[:, None]).sum(1)
                letters = torch.where(here, drawn.clamp(max=tilt.shape[2] - 1), letters)
            total += log_p.gather(1, letters[:, None])[:, 0].masked_fill(~here, 0.0)
            written[:, t], shown[:, t] = letters, torch.where(here, letters, shown[:, t])
            previous = letters
        return written, total

    def _lengths(self, tokens: Tensor) -> Tensor:
        return torch.full((len(tokens),), tokens.shape[1], device=tokens.device)

    def _context(self, tokens: Tensor) -> Tensor | None:
        if self.outcome is None:
            return None
        return self.model.context(torch.full((len(tokens),), self.outcome, device=tokens.device))
