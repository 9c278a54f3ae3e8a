"""How far outside of what a predictor learned from a sequence lies, as something that designers can feel.

A predictor can be asked about any sequence, and knows one kind. Where nothing holds designers, they go
where it knows nothing: to other compositions, to words that rows hardly have. So the objective that they see
falls there, before a design is so far that it would be called ``unusual``.

Shapes: N sequences of length L over V letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.design.evidence import Usual
from seqdesign.design.model import TYPICAL, Beginning, DesignModel
from seqdesign.judging.ends import cut_off
from seqdesign.models.predictor.store import Reference
from seqdesign.objectives.composite import Composite
from seqdesign.oracles.codons import beside
from seqdesign.sequences.encoders import encode, one_hot

FloatArray = NDArray[np.float64]
HELD = 1.0
"""Where the objective begins to fall, on the scale of ``FAR``: at the distance of 99% of the rows."""
STEEP = 10.0
"""Standard deviations of the objective, over training sequences, that one step on this scale costs."""
FEWEST = 5
"""Held-out sequences from which on one can say how far from the typical one they are."""


class Counting(NamedTuple):
    """Which measures say how usual a sequence is."""

    likelihood: bool = True
    composition: bool = True


class Excess:
    """One-hot or soft x (N, V, L) -> how far they lie beyond ``HELD`` (N,), on the scale of ``FAR``.

    Parts are added: of the likelihood under the simple model of ``ood``, of composition, and of pairs of
    neighbours, where mean and largest share (V^2,) in rows are given. The likelihood is that of the likeliest
    letters; its slope for a letter is what that letter would change. Of pairs it is how much more often they
    are than in the row that has them most and once more, with its distance from the mean as the unit.
    counting: which of likelihood and composition count.
    """

    def __init__(
        self,
        reference: Reference,
        usual: Usual,
        pairs: tuple[FloatArray, FloatArray] | None = None,
        *,
        counting: Counting | None = None,
    ) -> None:
        self.counting = counting or Counting()
        self._typical, most = reference.spread
        self._width = max(most - self._typical, 1e-6)
        self._usual = usual
        self._positional = reference.novelty.positional
        self._tensors = [
            torch.from_numpy(np.ascontiguousarray(part))
            for part in (reference.novelty.table, usual.mean, usual.variance, *(pairs or ()))
        ]
        self._on: dict[torch.device, list[Tensor]] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """Excesses (N,), at least 0."""
        if x.device not in self._on:
            self._on[x.device] = [part.to(x.device, torch.float32) for part in self._tensors]
        table, mean, variance, *pairs = self._on[x.device]
        found = x.new_zeros(len(x))
        if self.counting.composition:
            distance = ((x.mean(2) - mean).square() / variance).sum(1).clamp(min=1e-12).sqrt()
            width = max(self._usual.most - self._usual.typical, 1e-6)
            found = found + ((distance - self._usual.typical) / width - HELD).clamp(min=0)
        if self.counting.likelihood:
            nats = _Nats.apply(x, table, self._positional)
            found = found + ((nats - self._typical) / self._width - HELD).clamp(min=0)
        if pairs and x.shape[2] > 1:
            usual, most = pairs
            once = 1.0 / (x.shape[2] - 1)
            shares = (x[..., :-1] @ x[..., 1:].transpose(1, 2)).flatten(1) * once
            found = found + ((shares - most - once).clamp(min=0) / (most + once - usual)).sum(1)
        return found


def count_on(
    reference: Reference,
    usual: Usual | None,
    tokens: NDArray[np.uint8],
    lengths: NDArray[np.int64],
    scores: Tensor,
) -> Counting:
    """What counts where better rows were left out: measures by which rows, tokens (n, L), that are further
    from the usual ones have no better scores (n,).
    """
    nats = reference.novelty.nats(tokens, lengths)
    other = usual is not None and made_rare(usual.distance(tokens, lengths), scores)
    return Counting(not made_rare(nats, scores), not other)


def made_rare(distance: FloatArray, scores: Tensor) -> bool:
    """Whether rows (n,) that are further from the usual ones have better scores: where better ones were left
    out, that is what made their likes rare. Rows without a score do not count.
    """
    pair = torch.stack([torch.from_numpy(distance), scores.double().cpu()])
    pair = pair[:, pair.isfinite().all(0)]
    return float(torch.corrcoef(pair)[0, 1].nan_to_num()) > 0


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


def pull(model: DesignModel, objective: Sequence[str], risk: str, starts: Beginning) -> Pull | None:
    """What holds designs near training sequences.

    None where those are not known or too few to say how far they are from each other, where the objective
    is the same for all, or where they are variants of a parent: the number of changes holds those.
    """
    if model.reference is None or model.evidence is None or model.evidence.variants is not None:
        return None
    typical, most = model.reference.spread
    if model.evidence.measured.held_out.sum() < FEWEST or not most > typical:
        return None
    composite, length = model.composite(objective, risk), starts.tokens.shape[1]
    pairs = model.evidence.pairs
    if pairs is not None and model.may_go_on(composite, length):
        pairs = None
    scores = _typical_scores(model, composite, starts)
    scores = scores[scores.isfinite()]
    unit = float(scores.std()) if len(scores) > 1 else 0.0
    if not unit:
        return None
    which = counting(model, composite, starts)
    excess = Excess(model.reference, model.evidence.usual_letters, pairs, counting=which)
    own = None if starts.compared is None else excess(one_hot(starts.tokens, model.alphabet))
    return Pull(excess, unit, own)


def _typical_scores(model: DesignModel, composite: Composite, starts: Beginning) -> Tensor:
    """Scores (n,) of training sequences, or of the starts where these are not known."""
    told = model.typical(starts)
    if model.codons is not None:  # of which training sequences say nothing
        told = beside(told, told.new_zeros(told.shape[1]))
    return composite(told, torch.zeros(told.shape[1], dtype=torch.long, device=told.device))


def counting(model: DesignModel, composite: Composite, starts: Beginning) -> Counting:
    """Whether likelihood and composition say how usual a sequence is: neither does where measurements end
    abruptly on the better side and rows that it calls unusual are predicted to be better.
    """
    length = starts.tokens.shape[1]
    panel = model.panel(length) if model.trained is not None else None
    ends = None if panel is None else panel.ends
    if model.reference is None or not ends or not cut_off(ends, model.better_ends(composite, length)):
        return Counting()
    usual = None if model.evidence is None else model.evidence.usual_letters
    rows = model.reference.some(TYPICAL)
    return count_on(model.reference, usual, *rows, _typical_scores(model, composite, starts))


def strange(model: DesignModel, texts: Sequence[str], which: Counting) -> NDArray[np.bool_]:
    """Whether texts (B,) are far from all that the model learned from, by likelihood and by composition
    (2, B), where these count; never where that is not known.
    """
    found, array = np.zeros((2, len(texts)), dtype=bool), encode(texts, model.alphabet)
    if model.reference is not None and which.likelihood:
        found[0] = model.reference.far(array.tokens, array.lengths)
    if model.evidence is not None and which.composition:
        found[1] = model.evidence.unlike(texts)
    return found
