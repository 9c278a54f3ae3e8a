"""How the opinions of ensemble members become one score: members (M, N) -> (N,)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from seqdesign.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

DRAWS = 64
"""Draws of the noise at least; always the same, so that the score is a function."""


@dataclass(frozen=True)
class Risk:
    """``mean`` of the members; ``lower``: mean - amount * standard deviation; ``quantile``: of level amount.

    The standard deviation divides by M, so that a single member has none. Raises UsageError for an amount out
    of range.
    """

    kind: Literal["mean", "lower", "quantile"] = "mean"
    amount: float = 0.0

    def __post_init__(self) -> None:
        if self.kind == "lower" and not 0 <= self.amount < math.inf:
            raise UsageError(f"lower needs a number from 0, such as lower:1.0, got {self.amount:g}")
        if self.kind == "quantile" and not 0 <= self.amount <= 1:
            raise UsageError(f"quantile needs a level from 0 to 1, such as quantile:0.1, got {self.amount:g}")

    def __call__(self, members: Tensor) -> Tensor:
        """(M, ...) -> (...), differentiable."""
        if self.kind == "quantile":
            return self._quantile(members)
        mean = members.mean(0)
        if self.kind == "mean":
            return mean
        variance = (members - mean).square().mean(0)
        # The root has no slope at 0, where members agree.
        agreed = variance <= 0
        return mean - self.amount * variance.masked_fill(agreed, 1.0).sqrt().masked_fill(agreed, 0.0)

    def _quantile(self, members: Tensor) -> Tensor:
        """Between the two nearest members; torch.quantile takes neither empty nor large tensors."""
        place = self.amount * (len(members) - 1)
        low = members.sort(0).values[math.floor(place)]
        high = members.sort(0).values[math.ceil(place)]
        return low + (place - math.floor(place)) * (high - low)


def parse_risk(text: str) -> Risk:
    """``mean``, ``lower:1.0`` or ``quantile:0.1``. Raises UsageError."""
    kind, colon, amount = text.strip().partition(":")
    try:
        if kind == "mean" and not colon:
            return Risk()
        if kind == "lower":
            return Risk("lower", float(amount))
        if kind == "quantile":
            return Risk("quantile", float(amount))
    except ValueError:
        pass
    except UsageError as error:
        raise UsageError(str(error), option="--risk") from None
    raise UsageError(
        f"must be mean, lower:NUMBER or quantile:LEVEL, such as lower:1.0, got {text!r}", option="--risk"
    )


def with_noise(predictions: Tensor, noise: Tensor, used: Sequence[int]) -> Tensor:
    """(M, N, K) -> (M * S, N, K): each member S times, plus normal noise of deviation ``noise`` (K,).

    Only the outcomes ``used`` get noise. The S draws have mean 0 and the identity as covariance exactly, so
    that of any linear score the variance over members and draws is the one over members plus the one of the
    noise.
    """
    import torch

    columns = list(used)
    draws = max(DRAWS, 4 * len(columns))
    rng = torch.Generator().manual_seed(0)
    half = torch.randn(draws // 2, len(columns), generator=rng, dtype=torch.float64)
    normal = torch.cat([half, -half])
    root = torch.linalg.cholesky(normal.T @ normal / len(normal))
    normal = torch.linalg.solve_triangular(root, normal.T, upper=False).T
    shift = predictions.new_zeros(len(normal), predictions.shape[-1])
    shift[:, columns] = normal.to(predictions) * noise.to(predictions)[columns]
    return (predictions.unsqueeze(1) + shift[None, :, None]).flatten(0, 1)
