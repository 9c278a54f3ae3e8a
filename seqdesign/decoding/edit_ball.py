"""The strings within k edits of an original, as a constraint that beam search can follow letter by letter.

Each beam carries one row of the Levenshtein table: entry j is the distance between the prefix decoded so far and the
first j letters of the original (Wagner & Fischer 1974). A prefix can still end inside the ball exactly when the
smallest entry is <= k, because the rest of the original may follow unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class EditBall:
    """originals: tokens (N, L) padded; lengths (N,); max_edits: (N,) substitutions, insertions and deletions."""

    originals: Tensor
    lengths: Tensor
    max_edits: Tensor

    def start(self) -> Tensor:
        """Distances (N, 1, L+1) of the empty prefix; entries past an original's own length are out of reach."""
        j = torch.arange(self.originals.shape[1] + 1, device=self.originals.device, dtype=torch.int16)
        return self._within_length(j.expand(len(self.originals), 1, -1))

    def _within_length(self, rows: Tensor) -> Tensor:
        j = torch.arange(rows.shape[2], device=rows.device)
        return rows.masked_fill((j > self.lengths[:, None])[:, None], 30_000)

    def allowed(self, rows: Tensor, num_outputs: int, end: int) -> Tensor:
        """(N, W, V+1) bool: the tokens after which the original can still be reached within the budget."""
        n, beams, _ = rows.shape
        budget = self.max_edits[:, None, None]
        # Below the budget any letter is fine; at the budget only a letter that matches the original for free.
        spare = (rows.amin(2, keepdim=True) < budget).expand(n, beams, num_outputs)
        on_budget = rows[..., :-1] <= budget
        letters = self.originals.clamp(max=end)[:, None].expand(n, beams, -1)
        matches = torch.zeros(n, beams, num_outputs, dtype=torch.int8, device=rows.device)
        matches = matches.scatter_reduce(2, letters, on_budget.to(torch.int8), "amax")
        allowed = spare | matches.bool()
        last = rows.gather(2, self.lengths[:, None, None].expand(n, beams, 1))
        allowed[..., end] = (last <= budget).squeeze(2)
        return allowed

    def advance(self, rows: Tensor, parents: Tensor, tokens: Tensor) -> Tensor:
        """The rows (N, W', L+1) after each beam's new token (N, W'); END leaves a row without meaning."""
        rows = rows.gather(1, parents.unsqueeze(2).expand(-1, -1, rows.shape[2]))
        differs = (self.originals[:, None] != tokens.unsqueeze(2)).to(rows.dtype)
        substituted = torch.nn.functional.pad(rows[..., :-1] + differs, (1, 0), value=30_000)
        best = torch.minimum(rows + 1, substituted)
        # Deleting letters of the original: best[j] = min over i <= j of best[i] + (j - i).
        j = torch.arange(best.shape[2], device=best.device, dtype=best.dtype)
        return self._within_length((best - j).cummin(2).values + j)
