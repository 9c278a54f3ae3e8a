"""Two rules for the next point of an ascent inside an ellipsoid.

`BarrierRule` maximises F(z) + w log(1 - m2(z) / kappa2) for weights w that fall to almost 0. With
u = (z - mean) / (sqrt(kappa2) scale), which makes the ellipsoid the unit ball, and slack = 1 - |u|^2, it
steps by

    P^-1 grad,   P = damping * D + w * (2 / slack * I + 4 / slack^2 * u u'):

the exact curvature of the barrier, and the metric D times an estimate of the curvature of F (after Barzilai
and Borwein 1988) or, for steps of a given length, times what gives the gradient step that length. Newton's
treatment of the barrier lets points slide along the boundary, where the bare gradient crawls. A step is cut
at 0.99 of the way to the boundary and halved until Armijo's condition holds, one evaluation per halving.

`OriginalRule` is the loop of the authors of REVISE (Mueller, Gifford and Jaakkola 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.revisers.ascent_config import AscentConfig, Point, Stop
from seqdesign.revisers.ellipsoid import Ellipsoid, unit_ball_step

_STOPS = tuple(Stop)
_MOVING = -1

_ON_BOUNDARY = 0.999  # share of kappa2 beyond which the boundary is what holds an item
_TO_BOUNDARY = 0.99  # share of the way to the boundary that one step may go
_ARMIJO = 1e-4  # share of the promised gain that a step must deliver
_MIN_FRACTION = 2.0**-30  # a step halved this far is lost in rounding
_DISAGREE = 0.3  # ratio of the two curvature estimates below which the larger one is taken
_DAMPING_DROP = 0.01  # the curvature estimate falls at most this fast, also where F is straight or convex
_TINY = torch.finfo(torch.float64).tiny

_ORIGINAL_WEIGHT = 1e-6
_ORIGINAL_DELAY = 1000.0
_ORIGINAL_MIN_STEP = 1e-10
_ORIGINAL_MIN_CHANGE = 1e-8
_MOST_HALVINGS = 60.0


class _Rule:
    """Who still moves, and why the others do not. ``eps`` is the rounding of the objective's dtype."""

    def __init__(self, ellipsoid: Ellipsoid, point: Point, eps: float) -> None:
        self.ellipsoid = ellipsoid
        self.point = point
        self.half_axes = ellipsoid.half_axes()
        self.codes = torch.full(point.value.shape, _MOVING, device=point.value.device)
        self.slope = (self.half_axes * point.gradient).norm(dim=1)
        self._stop(~ellipsoid.feasible, Stop.INFEASIBLE)
        self._stop(~ellipsoid.contains(point.z), Stop.BOUNDARY)
        # F changes by at most about the slope over the whole ellipsoid; less than its rounding is nothing.
        self._stop(self.slope <= eps * point.value.abs(), Stop.ZERO_GRADIENT)

    @property
    def moving(self) -> Tensor:
        """Items that have not stopped, (N,) bool."""
        return self.codes == _MOVING

    def reasons(self) -> tuple[Stop, ...]:
        """Why each item stopped."""
        codes: list[int] = self.codes.tolist()
        return tuple(Stop.BUDGET if code == _MOVING else _STOPS[code] for code in codes)

    def _stop(self, mask: Tensor, reason: Stop) -> None:
        self.codes = self.codes.masked_fill(mask & self.moving, _STOPS.index(reason))

    def _finish(self, mask: Tensor) -> None:
        """Stop items that cannot rise further."""
        held = self.ellipsoid.mahalanobis2(self.point.z) > _ON_BOUNDARY * self.ellipsoid.kappa2
        self._stop(mask & held, Stop.BOUNDARY)
        self._stop(mask, Stop.CONVERGED)


class BarrierRule(_Rule):
    """Damped Newton steps on a log-barrier whose weight falls; see the module. Letters as there: u, slack."""

    def __init__(self, ellipsoid: Ellipsoid, point: Point, config: AscentConfig, eps: float) -> None:
        super().__init__(ellipsoid, point, eps)
        self.config = config
        self.weight = config.first_weight * self.slope
        self.last_weight = config.last_weight * self.slope
        # The length of a move in the metric is sqrt(du' D du), in units of z or of standard deviations.
        self.metric = self.half_axes.square()
        if config.metric == "whitened":
            self.metric = self.metric / ellipsoid.scale.square()
        self.u, self.slack = self._ball(point.z)
        self.gradient = self.half_axes * point.gradient
        # The first trial goes half way to the boundary if the barrier lets it.
        self.damping = 2.0 / unit_ball_step(self.u, self.gradient / self.metric).clamp_min(_TINY)
        self.damping = torch.where(self.moving, self.damping, torch.ones_like(self.damping))
        self.direction = torch.zeros_like(self.u)
        self.promise = torch.zeros_like(self.slope)
        self.fraction = torch.ones_like(self.slope)
        self._aim(self.moving, exhausted=torch.zeros_like(self.moving))

    def propose(self) -> Tensor:
        """Trial points (N, d)."""
        return self.point.z + self.half_axes * (self.fraction.unsqueeze(1) * self.direction)

    def receive(self, trial: Point, inside: Tensor) -> Tensor:
        """Move where Armijo's condition holds at the trial and aim again; halve the step elsewhere."""
        u, slack = self._ball(trial.z)
        gradient = self.half_axes * trial.gradient
        rise = trial.value - self.point.value + self.weight * (slack / self.slack).log()
        moved = inside & (rise > 0) & (rise >= _ARMIJO * self.fraction * self.promise)
        moved &= torch.isfinite(gradient.sum(dim=1))
        if self.config.step_length is None:
            self.damping = torch.where(moved, self._curvature(u - self.u, gradient), self.damping)
        self.point = trial.where(moved, self.point)
        self.slack = torch.where(moved, slack, self.slack)
        self.u = torch.where(moved.unsqueeze(1), u, self.u)
        self.gradient = torch.where(moved.unsqueeze(1), gradient, self.gradient)
        self.fraction = torch.where(moved, self.fraction, 0.5 * self.fraction)
        exhausted = self.moving & (self.fraction < _MIN_FRACTION)
        self._aim(moved | exhausted, exhausted)
        return moved

    def _aim(self, renew: Tensor, exhausted: Tensor) -> None:
        """New direction for items in ``renew``; a smaller weight where the present one is done."""
        direction, promise = self._newton()
        done = renew & (exhausted | ~(promise > self.config.tolerance * self.weight))
        # For everybody, though few need it: asking whether anybody does would make the host wait.
        self._finish(done & (self.weight <= self.last_weight))
        lower = torch.maximum(self.weight * self.config.weight_decay, self.last_weight)
        self.weight = torch.where(done, lower, self.weight)
        direction, promise = self._newton()
        fraction = (_TO_BOUNDARY * unit_ball_step(self.u, direction)).clamp(max=1.0)
        self.direction = torch.where(renew.unsqueeze(1), direction, self.direction)
        self.promise = torch.where(renew, promise, self.promise)
        self.fraction = torch.where(renew, fraction, self.fraction)

    def _newton(self) -> tuple[Tensor, Tensor]:
        """Step (N, d) in u and the rise (N,) that the gradient promises for it."""
        force = (2.0 * self.weight / self.slack).unsqueeze(1)
        gradient = self.gradient - force * self.u
        damping = self.damping
        if self.config.step_length is not None:
            damping = (gradient.square() / self.metric).sum(dim=1).sqrt() / self.config.step_length
        # Inverse of a diagonal plus bend * u u' (Sherman and Morrison).
        diagonal = (damping.unsqueeze(1) * self.metric + force).clamp_min(_TINY)
        along = self.u / diagonal
        bend = 4.0 * self.weight / self.slack.square()
        share = bend * (along * gradient).sum(dim=1) / (1.0 + bend * (along * self.u).sum(dim=1))
        step = gradient / diagonal - share.unsqueeze(1) * along
        return step, (step * gradient).sum(dim=1)

    def _curvature(self, move: Tensor, gradient: Tensor) -> Tensor:
        """Downward curvature of F along the last move, in the metric, (N,).

        Of the two estimates of Barzilai and Borwein the smaller makes long steps, and the larger is taken
        where they disagree, which shows steep directions (Zhou, Gao and Dai 2006).
        """
        change = self.gradient - gradient
        bent = (move * change).sum(dim=1)
        gentle = bent / (self.metric * move.square()).sum(dim=1).clamp_min(_TINY)
        steep = (change.square() / self.metric).sum(dim=1) / bent.clamp_min(_TINY)
        estimate = torch.where(gentle < _DISAGREE * steep, steep, gentle)
        estimate = torch.where(bent > 0, estimate, torch.zeros_like(estimate))
        return torch.maximum(estimate, _DAMPING_DROP * self.damping)

    def _ball(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates u (N, d), and 1 - |u|^2 (N,), which is 1 for items without room."""
        u = (z - self.ellipsoid.mean) / self.half_axes
        slack = 1.0 - u.square().sum(dim=1)
        return u, torch.where(slack > 0, slack, torch.ones_like(slack))


class OriginalRule(_Rule):
    """The authors' loop: a slowly falling multiple of the gradient, halved until inside, never checked."""

    def __init__(self, ellipsoid: Ellipsoid, point: Point, config: AscentConfig, eps: float) -> None:
        super().__init__(ellipsoid, point, eps)
        self.config = config
        self.turn = 0

    def propose(self) -> Tensor:
        """Trial points (N, d); an item whose step must be tiny to stay inside stops."""
        size = self.config.lr * _ORIGINAL_DELAY / (_ORIGINAL_DELAY + self.turn**0.5)
        step = torch.full_like(self.slope, size)
        self.turn += 1
        room = (self.ellipsoid.kappa2 - self.ellipsoid.mahalanobis2(self.point.z)).unsqueeze(1)
        pull = 2.0 * _ORIGINAL_WEIGHT * (self.point.z - self.ellipsoid.mean) / self.ellipsoid.scale.square()
        gradient = self.point.gradient - pull / torch.where(room > 0, room, torch.ones_like(room))
        # Halved until it is inside. How often, follows from where the boundary is, but for rounding there.
        limit = self.ellipsoid.boundary_step(self.point.z, gradient)
        halvings = (size / limit.clamp_min(_TINY)).log2().ceil().clamp(0.0, _MOST_HALVINGS)
        first = (halvings - 1.0).clamp_min(0.0)
        factor = 0.5 ** (first + 2.0)
        for more in (1.0, 0.0):
            inside = self.ellipsoid.contains(
                self.point.z + (step * 0.5 ** (first + more)).unsqueeze(1) * gradient
            )
            factor = torch.where(inside, 0.5 ** (first + more), factor)
        step = step * factor
        self._finish(self.moving & (factor < 1.0) & (step < _ORIGINAL_MIN_STEP))
        trial = self.point.z + step.unsqueeze(1) * gradient
        return torch.where(self.moving.unsqueeze(1), trial, self.point.z)

    def receive(self, trial: Point, inside: Tensor) -> Tensor:
        """Move to the trial, up or down; stop where the objective hardly changed."""
        change = (self._objective(trial) - self._objective(self.point)).abs()
        moved = inside & self.moving
        self.point = trial.where(moved, self.point)
        self._finish(change < _ORIGINAL_MIN_CHANGE)
        return moved

    def _objective(self, point: Point) -> Tensor:
        share = self.ellipsoid.mahalanobis2(point.z) / self.ellipsoid.kappa2
        return point.value + _ORIGINAL_WEIGHT * (1.0 - share).log()
