"""Gradient ascent on an outcome inside an ellipsoid: the optimizer of REVISE, batched over items.

Maximises F(z) + w log(1 - m2(z) / kappa2) for weights w that fall to almost 0 (a log-barrier). With
u = (z - mean) / (sqrt(kappa2) scale), so that the ellipsoid is the unit ball, and slack = 1 - |u|^2, the step is

    P^-1 grad,   P = damping * D + w * (2 / slack * I + 4 / slack^2 * u u'),

the exact curvature of the barrier plus a multiple of the metric D that stands for the curvature of F
(Barzilai and Borwein 1988). Newton's treatment of the barrier lets points slide along the boundary, where the
bare gradient crawls. Each turn evaluates F once for the whole batch; an item whose trial did not raise its
objective (Armijo) tries half the step in the next turn. Every evaluated point is strictly inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Literal

import torch
from torch import Tensor

from seqdesign.config import Between, Options
from seqdesign.optimizers._ellipsoid import Ellipsoid

Objective = Callable[[Tensor], Tensor]

_ARMIJO = 1e-4  # share of the gain that the slope promises which a step must deliver
_TO_BOUNDARY = 0.99  # share of the way to the boundary that one step may go
_MIN_FRACTION = 2.0**-30  # below this part of a step, rounding decides and the search ends
_ORIGINAL_WEIGHT = 1e-6
_ORIGINAL_MIN_STEP = 1e-10
_ORIGINAL_MIN_CHANGE = 1e-8


class Stop(StrEnum):
    """Why an item stopped."""

    CONVERGED = "converged"
    """A maximum inside the ellipsoid."""
    BOUNDARY = "boundary"
    """A maximum held by the boundary: beyond 0.999 of kappa2, or kappa2 leaves no room to move."""
    BUDGET = "budget"
    """The turns were used up."""
    ZERO_GRADIENT = "zero-gradient"
    """F has no slope at the start."""
    INFEASIBLE = "infeasible"
    """No point is feasible; the item stays at the mean."""
