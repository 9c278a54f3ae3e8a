"""Which letters an oracle refuses side by side, learnt from sequences that it scored minus infinity.

Some oracles know forbidden sequences that the rules do not: an Ehrlich function refuses every sequence with
a forbidden pair of neighbours. A pair is known to be good once a sequence with it was scored, and under
suspicion when a sequence with it was refused. As long as nothing was refused nothing is held against a pair.

Shapes: N starts, of which R (``rows``) have P sequences each; L positions, V letters; B places.
"""

from __future__ import annotations

import torch
from torch import Tensor


class Neighbours:
    """What is known about ordered pairs of letters, (N, V, V), for each start on its own."""

    def __init__(self, count: int, letters: int, device: torch.device) -> None:
        self.letters = letters
        self.good = torch.zeros(count, letters, letters, dtype=torch.bool, device=device)
        self.blame = torch.zeros(count, letters, letters, device=device)
        """Refusals that a pair was part of, each shared among its pairs not known to be good."""
        self.refused = torch.zeros(count, dtype=torch.bool, device=device)

    def learn(self, tokens: Tensor, rows: Tensor, scores: Tensor) -> None:
        """From sequences (R, P, L) and their scores (R, P); NaN teaches nothing."""
        if tokens.shape[2] < 2:
            return
        pairs = tokens[:, :, :-1] * self.letters + tokens[:, :, 1:]
        owner = rows[:, None, None].expand_as(pairs)
        table = self.good.flatten(1)
        fine = (scores > -torch.inf).unsqueeze(2).expand_as(pairs)
        table[owner[fine], pairs[fine]] = True
        bad = scores == -torch.inf
        self.refused[rows] |= bad.any(1)
        unknown = ~table[owner, pairs] & bad.unsqueeze(2)
        share = (1.0 / unknown.sum(2).clamp(min=1)).unsqueeze(2).expand_as(pairs)
        blame = self.blame.flatten(1)
        blame.index_put_((owner[unknown], pairs[unknown]), share[unknown], accumulate=True)

    def weight(self, tokens: Tensor, place: Tensor, rows: Tensor, courage: Tensor) -> Tensor:
        """How much speaks for each letter (B, V) at ``place`` (B,) of the sequences (B, L) of ``rows`` (B,).

        1 for a pair that is known to be good, ``courage`` (B,) and less with every refusal for another one;
        the product for the pairs with the letter before and the letter after.
        """
        length = tokens.shape[1]
        item = torch.arange(len(tokens), device=tokens.device)
        before = tokens[item, (place - 1).clamp(min=0)]
        after = tokens[item, (place + 1).clamp(max=length - 1)]
        left = self._trust(self.good[rows, before], self.blame[rows, before], courage)
        right = self._trust(self.good[rows, :, after], self.blame[rows, :, after], courage)
        free = ~self.refused[rows]
        left = left.masked_fill((free | (place == 0))[:, None], 1.0)
        right = right.masked_fill((free | (place == length - 1))[:, None], 1.0)
        return left * right

    @staticmethod
    def _trust(good: Tensor, blame: Tensor, courage: Tensor) -> Tensor:
        return torch.where(good, 1.0, courage[:, None] * torch.exp(-2.0 * blame))
