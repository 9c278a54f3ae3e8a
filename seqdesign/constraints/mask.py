"""Constraints that are nothing but a mask: what may stand where."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdesign.constraints.constraint import Violation, Walk, at


class MaskConstraint:
    """Letters (N or 1, L, V) that may stand at each position.

    ``wanted`` says what a position (counted from 0) of a start must be, for ``explain``.
    """

    def __init__(self, name: str, allowed: Tensor, wanted: Callable[[int, int], str]) -> None:
        self.name = name
        self._allowed, self._wanted = allowed, wanted
        # A column more for what is no letter: it may stand where the position is free.
        self._table = torch.cat([allowed, allowed.all(2, keepdim=True)], 2)

    def mask(self) -> Tensor:
        """The letters themselves."""
        return self._allowed

    def walk(self, mask: Tensor, shortest: int) -> Walk | None:
        """None: the mask says it all."""
        return None

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether each letter is one that may stand there."""
        return self._good(tokens, rows).all(1)

    def _good(self, tokens: Tensor, rows: Tensor) -> Tensor:
        table = at(self._table, rows, slice(None)).expand(len(tokens), -1, -1)
        return table.gather(2, tokens.clamp(max=table.shape[2] - 1).unsqueeze(2)).squeeze(2)

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One for each wrong letter."""
        rows = torch.tensor([row], device=tokens.device)
        wrong = (~self._good(tokens.unsqueeze(0), rows)[0]).nonzero().flatten().tolist()
        return [Violation(self.name, f"not {self._wanted(row, i)}", i + 1, i + 1) for i in wrong]
