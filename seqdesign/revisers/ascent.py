"""Gradient ascent on an outcome inside an ellipsoid: the engine of REVISE, batched over items.

One loop for every rule: the rule proposes a trial point for each item, the objective is evaluated once for
the whole batch, and the rule hears the result. Items have their own step sizes and their own end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdesign.revisers.ascent_config import AscentConfig, Point, Stop
from seqdesign.revisers.ascent_rules import BarrierRule, OriginalRule
from seqdesign.revisers.ellipsoid import Ellipsoid

__all__ = ["Ascent", "AscentConfig", "Objective", "Stop", "ascend"]

LOOK_EVERY = 8
"""Turns between looks whether anything still moves; the host waits for the device then."""

Objective = Callable[[Tensor], Tensor]
"""Outcome to maximise: z (N, d) -> (N,), differentiable; entry n depends on row n of z alone."""


@dataclass(frozen=True)
class Ascent:
    """What `ascend` found, one row per item; points have the dtype and device of the start."""

    path: Tensor
    """Points on the way, (K, N, d), from start to end; an item that stopped repeats its last point."""
    z: Tensor
    """The point of the way with the largest outcome, (N, d); the mean where nothing is feasible."""
    value: Tensor
    """F(z), (N,), float64."""
    steps: Tensor
    """Moves made, (N,), int64."""
    stop: tuple[Stop, ...]
    """Why each item ended."""


def ascend(
    objective: Objective, ellipsoid: Ellipsoid, start: Tensor, *, config: AscentConfig | None = None
) -> Ascent:
    """Climb ``objective`` from ``start`` without leaving ``ellipsoid``.

    The objective is called with all N items at each turn, in the dtype and on the device of ``start``; every
    point it sees lies strictly inside, items without room excepted, which stay at their mean.

    Args:
        objective: outcome to maximise.
        ellipsoid: feasible set of N items.
        start: (N, d); a start that is outside, or too close to the boundary, is first moved inside by
        `Ellipsoid.shrink`.
        config: how to climb; the defaults of `AscentConfig` when not given.

    Raises:
        ValueError: ``start`` or the result of the objective has a wrong shape, or the outcome or its gradient
        is not finite at the start.
    """
    config = config or AscentConfig()
    if start.shape != ellipsoid.mean.shape:
        raise ValueError(f"start must be {tuple(ellipsoid.mean.shape)}, got {tuple(start.shape)}")
    z = ellipsoid.shrink(start)
    best = point = evaluate(objective, z, ellipsoid)
    if not bool((torch.isfinite(point.value) & torch.isfinite(point.gradient).all(dim=1)).all()):
        raise ValueError("the outcome or its gradient is not finite at the start; is the model damaged?")
    rule_class = BarrierRule if config.method == "barrier" else OriginalRule
    rule = rule_class(ellipsoid, point, config, torch.finfo(start.dtype).eps)
    steps = torch.zeros(len(z), dtype=torch.int64, device=point.z.device)
    path = [z]
    turns = torch.zeros((), dtype=torch.int64, device=point.z.device)
    for turn in range(1, config.steps + 1):
        if turn % LOOK_EVERY == 1 and not bool(rule.moving.any()):
            break
        turns += rule.moving.any()
        proposed = rule.propose()
        # What counts is the point that the objective sees, after rounding to its dtype.
        z = proposed.to(start)
        inside = rule.moving & ellipsoid.contains(z)
        z = torch.where(inside.to(start.device).unsqueeze(1), z, rule.point.z.to(start))
        trial = evaluate(objective, z, ellipsoid)
        moved = rule.receive(trial, inside)
        steps += moved
        best = rule.point.where(rule.point.value > best.value, best)
        if turn % config.record_every == 0:
            path.append(rule.point.z.to(start))
    # Turns in which nobody moved any more, up to the next look, left no points of their own.
    path = path[: 1 + int(turns) // config.record_every]
    if not torch.equal(path[-1], last := rule.point.z.to(start)):
        path.append(last)
    return Ascent(torch.stack(path), best.z.to(start), best.value, steps, rule.reasons())


def evaluate(objective: Objective, z: Tensor, ellipsoid: Ellipsoid) -> Point:
    """Outcome and gradient at ``z`` (N, d), as float64 on the device of the ellipsoid."""
    variable = z.detach().requires_grad_()
    with torch.enable_grad():
        value = objective(variable)
        if value.shape != z.shape[:1]:
            shapes = f"({len(z)},), got {tuple(value.shape)}"
            raise ValueError(f"the objective must return one number per item, shape {shapes}")
        (gradient,) = torch.autograd.grad(value.sum(), variable)
    return Point(*(ellipsoid.wide(tensor.detach()) for tensor in (z, value, gradient)))
