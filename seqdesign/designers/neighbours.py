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

    def pairs(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of pairs for the starts ``rows``, each (R, V, V): 1 for those known to be good; of others.

        The latter weigh less with every refusal.
        """
        good, free = self.good[rows], ~self.refused[rows]
        good = good | free[:, None, None]
        return good.float(), torch.exp(-2.0 * self.blame[rows]).masked_fill(good, 0.0)
