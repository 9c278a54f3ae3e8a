"""The best sequences that a run has met, so that more than one design can come out of one start.

Independent starts often climb to the same few optima; who asks for 64 distinct designs wants what comes next.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class Archive:
    """Distinct feasible sequences (B, L) of the largest scores, up to ``capacity`` for each group of starts.

    groups: (N,) int64, the group that each start belongs to, numbered from 0. known: sequences that are
    not wanted, as the bytes of their tokens. num_tokens: different tokens there can be.
    """

    def __init__(
        self,
        capacity: int,
        groups: Tensor,
        known: frozenset[bytes] = frozenset(),
        num_tokens: int = 256,
    ) -> None:
        self.capacity, self.known, self._dtype = (
            capacity,
            known,
            torch.uint8 if num_tokens <= 256 else torch.int16,
        )
        self.groups = groups
        self._parts: list[tuple[Tensor, Tensor, Tensor]] = []
        self._num_new = 0
        self._least = torch.full((int(groups.max()) + 1 if len(groups) else 0,), -torch.inf).to(groups.device)

    def add(self, tokens: Tensor, scores: Tensor, rows: Tensor) -> None:
        """Sequences (B, L) with their scores (B,), of the starts ``rows`` (B,)."""
        group = self.groups[rows]
        worth = (scores > self._least[group].to(scores)).nonzero().squeeze(1)
        if not len(worth):
            return
        self._parts.append((tokens[worth].to(self._dtype), scores[worth].double(), group[worth]))
        self._num_new += len(worth)
        if self._num_new > 4 * self.capacity * len(self._least):
            self._compact()

    def take(self, tokens: Tensor, scores: Tensor, groups: Tensor) -> None:
        """What another archive calls its ``best``."""
        if len(tokens):
            self._parts.append((tokens.to(self._dtype), scores.double(), groups))
            self._num_new += len(tokens)
            if self._num_new > 4 * self.capacity * len(self._least):
                self._compact()

    def best(self) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, L) int64, scores (B,) and groups (B,): sorted by group, then from the best down."""
        self._compact()
        if not self._parts:
            device = self.groups.device
            nothing = torch.zeros(0, dtype=torch.long, device=device)
            return nothing.view(0, 0), nothing.double(), nothing
        tokens, scores, group = self._parts[0]
        return tokens.long(), scores, group

    def _compact(self) -> None:
        """One part, distinct, sorted, cut to the capacity of each group."""
        if not self._parts:
            return
        tokens, scores, group = (torch.cat(column) for column in zip(*self._parts, strict=True))
        order = scores.sort(descending=True, stable=True).indices
        order = order[group[order].sort(stable=True).indices]
        tokens, scores, group = tokens[order], scores[order], group[order]
        keys = np.ascontiguousarray(
            torch.cat([part.view(torch.uint8) for part in (group[:, None].int(), tokens.contiguous())], 1)
            .cpu()
            .numpy()
        )
        first = np.unique(keys.view(f"V{keys.shape[1]}").ravel(), return_index=True)[1]
        first = np.sort(first)
        if self.known:
            fresh = [row.tobytes() not in self.known for row in tokens.cpu().numpy()[first]]
            first = first[fresh]
        kept = torch.from_numpy(first).to(group.device)
        group = group[kept]
        counts = torch.bincount(group, minlength=len(self._least))
        rank = torch.arange(len(group), device=group.device) - (counts.cumsum(0) - counts)[group]
        kept = kept[rank < self.capacity]
        tokens, scores, group = tokens[kept], scores[kept], group[rank < self.capacity]
        full = (counts >= self.capacity).nonzero().squeeze(1)
        if len(full):
            last = torch.bincount(group, minlength=len(self._least)).cumsum(0) - 1
            self._least[full] = scores[last[full]].to(self._least)
        self._parts, self._num_new = [(tokens, scores, group)], 0
