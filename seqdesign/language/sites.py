"""Letters at places inside a language model: how much more or less frequent than Markov chains expect there.

Start codons, adapters and conserved letters stand at one place, where a network gives them .99 instead of
all, and so breaks one sequence in ten that has two adapters. With p_t the letters of training sequences at
place t and m_t the mean of what chains say there, log rho is added to the logits,

    rho_t(a) = p_t(a) / m_t(a)        p_t = mean over s of (n_t(a) + s m_t(a)) / (n_t + s)

(one step of iterative proportional fitting). The weights of s, between 1 and 16^6, are those of the
Dirichlet-multinomial likelihood of n_t: where chains are right rho is 1.
Shapes: N sequences, T places, V letters.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqdesign.language.counts import by_place

CELLS = 4_000_000
"""Numbers that are looked at together."""


class Sites(nn.Module):
    """Log rho, nothing before ``count`` has seen training sequences."""

    table: Tensor
    """(T, V)."""
    without: Tensor | None
    """(T, V, V): the table without one training letter at the place, the second index."""

    def __init__(self, size: int, max_length: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("table", torch.zeros(max_length, size))
        self.register_buffer("without", None, persistent=False)

    def count(self, tokens: Tensor, chains: Callable[[Tensor], Tensor]) -> None:
        """Learn from training sequences (N, T). chains: what they say (N, T, V) of letters (N, T), each left
        out of its own counts, log-probabilities up to a constant.
        """
        steps, device = tokens.shape[1], self.table.device
        found = torch.zeros(steps, self.size, dtype=torch.float64, device=device)
        expected = torch.zeros_like(found)
        for part in tokens.split(max(1, CELLS // (steps * self.size))):
            rows = part.to(device).long()
            letters = rows[:, :, None] == torch.arange(self.size, device=device)
            said = chains(rows).softmax(2) * (rows < self.size)[:, :, None]
            found += letters.sum(0)
            expected += said.sum(0)
        expected = (expected + 1e-9) / (expected + 1e-9).sum(1, keepdim=True)
        one, ones = torch.ones_like(found), torch.ones_like(found)[:, None].expand(-1, self.size, -1)
        prior_out = expected[:, None].expand_as(ones)
        here, here_out = by_place(found[None], one, ones, expected[None], prior_out[None])
        self.table[:steps] = (here[0] / expected).log()
        self.without = (here_out[0] / prior_out).log().to(self.table)

    def forward(self, steps: int, targets: Tensor | None = None, places: Tensor | None = None) -> Tensor:
        """Log rho of ``steps`` places (T, V), or (N, k, V) of ``places`` (N, k).

        targets: training letters (N, T), each left out of its own count (N, T, V).
        """
        if places is not None:
            return self.table[places]
        if targets is None or self.without is None:
            return self.table[:steps]
        known = targets.long().clamp(max=self.size - 1)
        return self.without[torch.arange(steps, device=known.device), known]
