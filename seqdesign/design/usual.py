"""How far outside of what a predictor learned from a sequence lies, as something that designers can feel.

A predictor can be asked about any sequence, and knows one kind. Where nothing holds designers, they go
where it knows nothing: to other compositions, to words that rows hardly have. So the objective that they see
falls there, before a design is so far that it would be called ``unusual``.

Shapes: N sequences of length L over V letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdesign.design.evidence import Usual
from seqdesign.models.predictor.store import Reference

HELD = 1.0
"""Where the objective begins to fall, on the scale of ``FAR``: at the distance of 99% of the rows."""
STEEP = 10.0
"""Standard deviations of the objective, over training sequences, that one step on this scale costs."""
FEWEST = 5
"""Held-out sequences from which on one can say how far from the typical one they are."""


class Excess:
    """One-hot or soft x (N, V, L) -> how far they lie beyond ``HELD`` (N,), on the scale of ``FAR``.

    Parts are added: of the likelihood under the simple model of ``ood``, and of each composition. The
    likelihood is that of the likeliest letters; its slope for a letter is what that letter would change.
    """

    def __init__(self, reference: Reference, compositions: Sequence[Usual]) -> None:
        self._typical, most = reference.spread
        self._width = max(most - self._typical, 1e-6)
        self._compositions = tuple(compositions)
        self._table = torch.from_numpy(np.ascontiguousarray(reference.novelty.table))
        self._positional = reference.novelty.positional
        self._on: dict[torch.device, tuple[Tensor, list[tuple[Tensor, Tensor]]]] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """Excesses (N,), at least 0."""
        if x.device not in self._on:
            pairs = [
                (torch.from_numpy(known.mean), torch.from_numpy(known.variance))
                for known in self._compositions
            ]
            self._on[x.device] = (
                self._table.to(x.device, torch.float32),
                [(a.to(x.device, torch.float32), b.to(x.device, torch.float32)) for a, b in pairs],
            )
        table, pairs = self._on[x.device]
        nats = _Nats.apply(x, table, self._positional)
        found = ((nats - self._typical) / self._width - HELD).clamp(min=0)
        for known, (mean, variance) in zip(self._compositions, pairs, strict=True):
            apart = (_shares(x, known.size) - mean).square() / variance
            distance = apart.sum(1).clamp(min=1e-12).sqrt()
            width = max(known.most - known.typical, 1e-6)
            found = found + ((distance - known.typical) / width - HELD).clamp(min=0)
        return found


def _shares(x: Tensor, size: int) -> Tensor:
    """Shares (N, V^size) of letters or of pairs of neighbours in x (N, V, L)."""
    if size == 1:
        return x.mean(2)
    return (x[..., :-1] @ x[..., 1:].transpose(1, 2)).flatten(1) / (x.shape[2] - 1)


class _Nats(torch.autograd.Function):
    """-log p per letter (N,) of the likeliest letters of x (N, V, L)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, table: Tensor, positional: bool) -> Tensor:
        """Nats (N,)."""
        tokens = x.argmax(1)
        cells = _cells(tokens, table, positional)
        ctx.save_for_backward(tokens, cells, table)
        ctx.letters, ctx.order = x.shape[1], _order(table, positional)
        return -table.flatten()[cells].mean(1).to(x)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None, None]:
        """Nats with each letter at each place."""
        tokens, cells, table = ctx.saved_tensors
        length, size = tokens.shape[1], table.shape[-1]
        letters = torch.arange(ctx.letters, device=tokens.device)[:, None]
        change = table.new_zeros(len(tokens), ctx.letters, length)
        # A letter is part of the steps that end up to ``order`` places behind it.
        for back in range(min(ctx.order + 1, length)):
            moved = (letters - tokens[:, None, : length - back]) * size**back
            change[:, :, : length - back] -= table.flatten()[cells[:, None, back:] + moved]
        return (change / length * grad[0][:, None, None]).to(grad[0]), None, None


def _order(table: Tensor, positional: bool) -> int:
    """Letters that a step depends on."""
    return 1 if positional else table.ndim - 1


def _cells(tokens: Tensor, table: Tensor, positional: bool) -> Tensor:
    """Of each letter of tokens (N, L) the place (N, L) in the flat table of its log probability."""
    size, order = table.shape[-1], _order(table, positional)
    before = tokens.new_full((len(tokens), order), size - 1)
    windows = torch.cat([before, tokens], 1).unfold(1, order + 1, 1)
    strides = size ** torch.arange(order, -1, -1, device=tokens.device)
    cells = (windows * strides).sum(2)
    if positional:
        place = torch.arange(tokens.shape[1], device=tokens.device).clamp(max=len(table) - 1)
        cells = cells + place * size ** (order + 1)
    return cells


@dataclass(frozen=True)
class Pull:
    """What holds designs near what was learned from: an excess, and what it costs."""

    excess: Excess
    unit: float
    """Standard deviation of the objective over training sequences."""
    own: Tensor | None = None
    """Excess (S,) of each start that may stay as far outside as it is; None where no start may."""

    def __call__(self, x: Tensor, keys: Tensor) -> Tensor:
        """What is taken off the scores (N,) of x (N, V, L); keys (N,) are numbers of starts."""
        beyond = self.excess(x)
        if self.own is not None:
            beyond = (beyond - self.own[keys]).clamp(min=0)
        return STEEP * self.unit * beyond
