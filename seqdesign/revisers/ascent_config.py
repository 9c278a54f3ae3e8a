"""What the rules of ascent share: their options, their points and their reasons to stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

import torch
from torch import Tensor

from seqdesign.config import Between, Options


class Stop(StrEnum):
    """Why an item stopped."""

    CONVERGED = "converged"
    """No direction promises more."""
    BOUNDARY = "boundary"
    """As converged, held by the boundary: beyond 0.999 of kappa2, or kappa2 leaves no room to move."""
    BUDGET = "budget"
    """The evaluations were used up."""
    ZERO_GRADIENT = "zero-gradient"
    """F has no slope at the start."""
    INFEASIBLE = "infeasible"
    """No point is feasible; the item stays at the mean."""


@dataclass(frozen=True, kw_only=True)
class AscentConfig(Options):
    """How to climb. The defaults suit a maximum; set ``step_length`` when the way there is what counts."""

    method: Literal["barrier", "original"] = "barrier"
    """barrier: raises its objective at every step; original: the authors' rule, which does not check."""
    metric: Literal["euclid", "whitened"] = "euclid"
    """Where steepest is measured: in the latent space, or in standard deviations of the posterior."""
    steps: Annotated[int, Between(0)] = 100
    """Evaluations of the outcome after the start; a refused trial uses one as well."""
    step_length: Annotated[float | None, Between(0, low_open=True)] = None
    """Take steps of this length in the metric, shorter only near the boundary and at a maximum."""
    first_weight: Annotated[float, Between(0, low_open=True)] = 0.1
    """First barrier weight, as a share of the slope of the outcome over the ellipsoid at the start."""
    last_weight: Annotated[float, Between(0, low_open=True)] = 1e-8
    """Last barrier weight, as a share of that slope; the optimum is missed by about as much."""
    weight_decay: Annotated[float, Between(0, 1, low_open=True, high_open=True)] = 0.1
    """Factor from one barrier weight to the next."""
    tolerance: Annotated[float, Between(0, low_open=True)] = 1e-3
    """A barrier weight is done when a step promises less than this share of the weight."""
    lr: Annotated[float, Between(0, low_open=True)] = 0.05
    """First step size of the original rule, a multiple of the gradient."""
    record_every: Annotated[int, Between(1)] = 2
    """Keep the point after every so many evaluations in the path."""

    def problems(self) -> Iterator[str]:
        """Rules across fields that types and ranges cannot state."""
        if self.last_weight > self.first_weight:
            most = f"--first-weight {self.first_weight:g}"
            yield f"--last-weight: must be at most {most}, got {self.last_weight:g}"
        if self.method == "original" and self.step_length is not None:
            yield "--step-length: has no effect on the original rule; set --lr, or leave --step-length out"


@dataclass(frozen=True)
class Point:
    """The outcome at one point per item; float64 on the device of the ellipsoid."""

    z: Tensor
    """(N, d), exactly the numbers that the objective was given."""
    value: Tensor
    """F(z), (N,)."""
    gradient: Tensor
    """dF/dz, (N, d)."""

    def where(self, mask: Tensor, other: Point) -> Point:
        """This point where ``mask`` (N,) holds and ``other`` elsewhere."""
        rows = mask.unsqueeze(1)
        return Point(
            torch.where(rows, self.z, other.z),
            torch.where(mask, self.value, other.value),
            torch.where(rows, self.gradient, other.gradient),
        )
