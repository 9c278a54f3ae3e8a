"""Which letters an oracle refuses side by side, learnt from sequences that it scored minus infinity.

Some oracles know forbidden sequences that the rules do not: an Ehrlich function refuses every sequence with
a forbidden pair of neighbours. A pair is known to be good once a sequence with it was scored. A refused
sequence accuses its other pairs, each the more, the more likely it was bad before and the fewer others could
be to blame (Bayes). As long as nothing was refused nothing is held against a pair.

Shapes: N starts, of which R (``rows``) have P sequences each; L positions, V letters.
"""

from __future__ import annotations

import torch
from torch import Tensor

BAD = 0.25
"""Chance that a pair is bad of which nothing is known."""
OTHERWISE = 0.01
"""Chance that a sequence is refused for another reason."""
MOST = 0.999
"""Largest chance that a pair is bad."""


class Neighbours:
    """What is known about ordered pairs of letters, (N, V, V), for each start on its own."""

    def __init__(self, count: int, letters: int, device: torch.device) -> None:
        self.letters = letters
        self.good = torch.zeros(count, letters, letters, dtype=torch.bool, device=device)
        self.bad = torch.full((count, letters, letters), BAD, device=device)
        """Chance that a pair is bad that is not known to be good."""
        self.refused = torch.zeros(count, dtype=torch.bool, device=device)

    def learn(self, tokens: Tensor, rows: Tensor, scores: Tensor) -> None:
        """From sequences (R, P, L) and their scores (R, P); NaN teaches nothing."""
        if tokens.shape[2] < 2 or not len(rows):
            return
        pairs = tokens[:, :, :-1] * self.letters + tokens[:, :, 1:]
        owner = rows[:, None, None].expand_as(pairs)
        table = self.good.flatten(1)
        fine = (scores > -torch.inf).unsqueeze(2).expand_as(pairs)
        table[owner[fine], pairs[fine]] = True
        refused = scores == -torch.inf
        self.refused[rows] |= refused.any(1)
        # One after the other: what the first says counts for the second.
        rank = torch.where(refused, refused.cumsum(1), 0)
        for number in range(1, int(rank.max()) + 1):
            item, which = (rank == number).nonzero().T
            self._accuse(rows[item], pairs[item, which])

    def _accuse(self, rows: Tensor, pairs: Tensor) -> None:
        """A refused sequence of each of these starts, given as pairs (R, L - 1)."""
        suspect = torch.zeros(len(rows), self.letters**2, dtype=torch.bool, device=rows.device)
        suspect = suspect.scatter(1, pairs, True) & ~self.good[rows].flatten(1)
        bad = self.bad[rows].flatten(1)
        innocent = (1 - bad).where(suspect, 1.0).prod(1, keepdim=True) * (1 - OTHERWISE)
        # P(refused) = 1 - innocent, and 1 if the pair is bad.
        now = torch.where(suspect, (bad / (1 - innocent)).clamp(max=MOST), bad)
        self.bad[rows] = now.view(-1, self.letters, self.letters)

    def pairs(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of pairs for the starts ``rows``, each (R, V, V): 1 for those known to be good; of others.

        The latter are the chances that they are good.
        """
        good, free = self.good[rows], ~self.refused[rows]
        good = good | free[:, None, None]
        return good.float(), (1 - self.bad[rows]).masked_fill(good, 0.0)
