"""Which of several translations of a source is kept: the likeliest of those that a classifier believes.

The letters of the most probable translation are each the most probable one by themselves. Where a motif fits
at two places neither may win anywhere, and nothing is written; a draw writes one. The classifier learned from
the rows that the translator learned from, so it can be part of the model.

Shapes: N sources, K translations of each, S symbols, L letters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdesign.models.translate.model import SIDES, SequenceTranslator
from seqdesign.models.translate.recogniser import Recogniser
from seqdesign.revisers.hashes import hashes, luck
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import decode

TYPICAL = 0.1
"""Share of the real sequences of a set that may look less like it than a translation that is believed."""


@dataclass(frozen=True)
class Chooser:
    """A classifier of two sets, and how sure it is of their real sequences."""

    recogniser: Recogniser
    levels: tuple[float, float]
    """Log-odds that all but ``TYPICAL`` of each set reach in favour of it, those it learned from."""
    alphabet: Alphabet

    @classmethod
    def of(cls, a: Sequence[str], b: Sequence[str], alphabet: Alphabet) -> Chooser:
        """Learned from both sets. Raises ValueError where either is empty."""
        recogniser = Recogniser(a, b, alphabet.letters)
        levels = np.quantile(-recogniser(a), TYPICAL), np.quantile(recogniser(b), TYPICAL)
        return cls(recogniser, (float(levels[0]), float(levels[1])), alphabet)

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return {"recogniser": self.recogniser.to_dict(), "levels": list(self.levels)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], alphabet: Alphabet) -> Chooser:
        """Inverse of ``to_dict``."""
        first, second = values["levels"]
        recogniser = Recogniser.from_dict(values["recogniser"], alphabet.letters)
        return cls(recogniser, (first, second), alphabet)

    def odds(self, drafts: Tensor, side: str) -> Tensor:
        """Log-odds (N, K) that translations (N, K, L) are sequences of a side."""
        texts, place = np.unique(decode(drafts.flatten(0, 1).cpu(), self.alphabet), return_inverse=True)
        found = (1 if side == "b" else -1) * self.recogniser(texts.tolist())[place]
        return torch.from_numpy(found).view(drafts.shape[:2]).to(drafts.device)


@torch.no_grad()
def chosen(
    model: SequenceTranslator,
    chooser: Chooser | None,
    symbols: Tensor,
    side: str,
    choose_from: int,
    write: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """The translation (N, L) of symbols (N, L) to a side, a or b, out of ``choose_from``.

    The first is the most probable one, the others are draws, the same for the same source. Of those that
    look as much like the side as nine in ten of its real sequences the most probable one is kept, where
    there are none the one that looks most like it. Without a chooser: the most probable one.

    write: log-probabilities (N, S, L), with noise or without, as symbols (N, L) that obey rules.
    """
    write = write or model.written
    wish = model.towards(side)(model.one_hot(symbols)).log_softmax(1)
    drafts = [write(wish)]
    if choose_from == 1 or chooser is None:
        return drafts[0]
    places = torch.arange(wish[0].numel(), device=symbols.device)
    for number in range(1, choose_from):
        keys = hashes(torch.full_like(symbols[:, 0], number), symbols).unsqueeze(1)
        drafts.append(write(wish + luck(keys, places).view_as(wish).to(wish)))
    made = torch.stack(drafts, 1)
    odds = chooser.odds(made, side)
    likely = torch.stack([wish.gather(1, draft.unsqueeze(1)).sum((1, 2)) for draft in drafts], 1).to(odds)
    good = odds >= chooser.levels[SIDES.index(side)]
    best = torch.where(good.any(1), likely.masked_fill(~good, -torch.inf).argmax(1), odds.argmax(1))
    return made[torch.arange(len(made), device=made.device), best]
