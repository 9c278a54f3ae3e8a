"""What the training loop asks of its data and of its models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Generator, Tensor, nn


class Data(Protocol):
    """Rows to learn from."""

    def __len__(self) -> int: ...
    @property
    def typical_length(self) -> int:
        """Letters of a typical row: what a step costs."""
        ...

    def to(self, device: torch.device) -> Data:
        """The same on another device."""
        ...

    def batches(self, order: Tensor, num: int, rng: Generator) -> Sequence[Tensor]:
        """The rows ``order`` (N,) of one pass in ``num`` batches of nearly one size."""
        ...

    def rows(self, index: Tensor) -> Any:
        """One batch."""
        ...

    def fingerprint(self) -> str:
        """Changes when the data change."""
        ...


class Trainable(Protocol):
    """A ``nn.Module`` whose losses are asked for player by player."""

    players: tuple[str, ...]

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """What the player's optimizer moves."""
        ...

    def losses(self, player: str, batch: Any, rng: Generator, progress: Any) -> dict[str, Tensor]:
        """Terms, each a scalar or (M,); ``loss`` is minimised, of an ensemble the sum over its members.

        On GPUs a step is recorded and replayed (``capture.py``). So nothing here may read what the device
        holds; random numbers come from ``rng``, drawn on its device; ``progress`` is a number, or there a
        tensor (). What a step does must not depend on anything else, unless an optional method
        ``variant(player, rng)`` names it. Of players that are ``paced`` (``PlayerSettings``) the model has
        ``pace(player, terms)``, too, recorded like everything else; of those with ``sparse`` parameters
        ``sparse_parameters(player)``.
        """
        ...
