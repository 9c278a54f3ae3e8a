"""All constraints of a design problem together: check, explain and repair.

Shapes: N starts of length L, V letters, B sequences; ``rows`` (B,) says which start a sequence belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqdesign.constraints._constraint import Constraint, Violation

BEAMS = 16


class Rules:
    """Hard constraints on designs of one length for N starts; without constraints everything is feasible."""

    def __init__(
        self,
        constraints: Sequence[Constraint],
        *,
        num_starts: int,
        length: int,
        num_letters: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.constraints = tuple(constraints)
        self.length, self.num_letters = length, num_letters
        self.mask = torch.ones(num_starts, length, num_letters, dtype=torch.bool, device=device)
        """(N, L, V): the letters that can stand at each position."""
        for constraint in self.constraints:
            own = constraint.mask()
            if own is not None:
                self.mask = self.mask & own.to(device)

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether each sequence (B, L) obeys every constraint, (B,) bool."""
        good = self.mask[rows].gather(2, tokens.unsqueeze(2)).squeeze(2).all(1)
        for constraint in self.constraints:
            good = good & constraint.is_feasible(tokens, rows)
        return good

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """Every breach in one sequence (L,)."""
        return [v for constraint in self.constraints for v in constraint.explain(tokens, row)]

    def repair(self, preference: Tensor, rows: Tensor, *, beams: int = BEAMS) -> tuple[Tensor, Tensor]:
        """Feasible sequences with a large sum of preferences (B, L, V), finite numbers.

        Beam search from left to right. Returns tokens (B, L) and whether each is feasible (B,) bool; what is
        not feasible is the best that was found.
        """
        tokens = preference.masked_fill(~self.mask[rows], -torch.inf).argmax(2)
        good = self.is_feasible(tokens, rows)
        bad = (~good).nonzero().squeeze(1)
        if len(bad):
            tokens, good = tokens.clone(), good.clone()
            found = self._search(preference[bad], rows[bad], beams)
            tokens[bad] = found
            good[bad] = self.is_feasible(found, rows[bad])
        return tokens, good

    def _search(self, preference: Tensor, rows: Tensor, beams: int) -> Tensor:
        """(B, L): the best complete sequence of a beam search."""
        count = len(rows)
        prefix = preference.new_zeros((count, 1, 0), dtype=torch.long)
        score = preference.new_zeros((count, 1))
        mask = self.mask[rows]
        for t in range(self.length):
            width = prefix.shape[1]
            flat, owner = prefix.flatten(0, 1), rows.repeat_interleave(width)
            may = mask[:, t].repeat_interleave(width, 0)
            for constraint in self.constraints:
                own = constraint.allowed(flat, owner)
                may = may if own is None else may & own
            step = preference[:, t, None, :].masked_fill(~may.view(count, width, -1), -1e9)
            score, index = (score.unsqueeze(2) + step).flatten(1).topk(min(beams, width * self.num_letters))
            parent, letter = index // self.num_letters, index % self.num_letters
            prefix = prefix.gather(1, parent.unsqueeze(2).expand(-1, -1, t))
            prefix = torch.cat([prefix, letter.unsqueeze(2)], 2)
        good = self.is_feasible(prefix.flatten(0, 1), rows.repeat_interleave(prefix.shape[1]))
        best = score.masked_fill(~good.view(count, -1), -torch.inf).argmax(1)
        return prefix[torch.arange(count, device=rows.device), best]
