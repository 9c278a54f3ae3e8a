"""Ascent in an ellipsoid: closed-form optima, strict interior, items that do not depend on each other."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from seqdesign.errors import UsageError
from seqdesign.revisers.ascent import AscentConfig, Stop, ascend
from seqdesign.revisers.ellipsoid import Ellipsoid
from seqdesign.testing.toy import ConstantOutcome, LinearOutcome, QuadraticOutcome

DIMENSIONS = [1, 2, 16, 128]
METRICS = ["euclid", "whitened"]
KAPPA2 = (0.01, 1.0, 2.0, 64.0, 1e4)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def ellipsoids(dim: int, kappa2: tuple[float, ...] = KAPPA2, low: float = 0.01) -> Ellipsoid:
    """One item per kappa2, scales random in [low, 1]."""
    num = len(kappa2)
    scale = low + (1 - low) * torch.rand(num, dim, generator=generator(0), dtype=torch.float64)
    return Ellipsoid(
        normal(num, dim, seed=1), scale, torch.tensor(kappa2, dtype=torch.float64), torch.zeros(num)
    )


def linear(dim: int) -> LinearOutcome:
    return LinearOutcome(normal(dim, seed=2), bias=0.3)


def quadratic(dim: int) -> QuadraticOutcome:
    root = normal(dim, dim, seed=3)
    return QuadraticOutcome(
        root @ root.T / dim + 0.1 * torch.eye(dim, dtype=torch.float64), 2 * normal(dim, seed=4)
    )


def waves(z: Tensor) -> Tensor:
    """Smooth, not concave, and computed row by row in the same order whatever the batch."""
    frequency = torch.linspace(0.5, 2.0, z.shape[1], dtype=z.dtype)
    return (torch.sin(frequency * z) + 0.3 * z).sum(dim=1) / z.shape[1]


class Recorder:
    """An objective that keeps every point it is given."""

    def __init__(self, objective: Callable[[Tensor], Tensor]) -> None:
        self.objective = objective
        self.seen: list[Tensor] = []

    def __call__(self, z: Tensor) -> Tensor:
        self.seen.append(z.detach().clone())
        return self.objective(z)


def relative_gap(outcome: LinearOutcome | QuadraticOutcome, ellipsoid: Ellipsoid, value: Tensor) -> Tensor:
    """Share of the possible gain over the mean that ``value`` misses."""
    start = outcome(ellipsoid.mean)
    best = outcome(outcome.optimum(ellipsoid.mean, ellipsoid.scale, ellipsoid.kappa2))
    return (best - value) / (best - start)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", DIMENSIONS)
def test_a_linear_outcome_reaches_its_closed_form_optimum(dim, metric):
    """Algorithms 1.4, oracle 13: z* = mean + sqrt(kappa2) S^2 w / ||S w||, within the default budget."""
    ellipsoid, outcome = ellipsoids(dim), Recorder(linear(dim))
    found = ascend(outcome, ellipsoid, ellipsoid.mean, config=AscentConfig(metric=metric))
    gap = relative_gap(outcome.objective, ellipsoid, found.value)
    assert (gap.abs() < 1e-5).all(), gap
    optimum = outcome.objective.optimum(ellipsoid.mean, ellipsoid.scale, ellipsoid.kappa2)
    assert (((found.z - optimum) / ellipsoid.half_axes()).norm(dim=1) < 1e-3).all()
    assert found.stop == (Stop.BOUNDARY,) * 5
    assert all(ellipsoid.contains(z).all() for z in outcome.seen)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", DIMENSIONS)
def test_a_concave_quadratic_outcome_reaches_its_closed_form_optimum(dim, metric):
    """Algorithms 1.4, oracle 13: the optimum by Karush, Kuhn and Tucker, on the boundary and inside."""
    ellipsoid, outcome = ellipsoids(dim), Recorder(quadratic(dim))
    found = ascend(outcome, ellipsoid, ellipsoid.mean, config=AscentConfig(metric=metric, steps=1000))
    gap = relative_gap(outcome.objective, ellipsoid, found.value)
    assert (gap.abs() < 1e-5).all(), gap
    center = outcome.objective.center.expand_as(ellipsoid.mean)
    share = ellipsoid.mahalanobis2(center) / ellipsoid.kappa2
    for n, stop in enumerate(found.stop):
        assert stop is (Stop.BOUNDARY if share[n] > 1 else Stop.CONVERGED), (n, share[n])
    assert all(ellipsoid.contains(z).all() for z in outcome.seen)


@pytest.mark.parametrize("share", [1.0, 0.1, 1e-3, 1e-6])
def test_each_barrier_weight_ends_at_the_closed_form_of_the_barrier(share):
    """Algorithms 1.4: fraction a / (w + sqrt(w^2 + a^2)) of the radius, with w = share * a."""
    ellipsoid, outcome = ellipsoids(16, (2.0,)), linear(16)
    config = AscentConfig(first_weight=1.0, last_weight=share, tolerance=1e-9)
    found = ascend(outcome, ellipsoid, ellipsoid.mean, config=config)
    slope = (ellipsoid.half_axes() * outcome.weight).norm().item()
    expected = outcome.barrier_optimum(ellipsoid.mean, ellipsoid.scale, 2.0, share * slope)
    torch.testing.assert_close(found.path[-1], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("step_length", [None, 0.1])
@pytest.mark.parametrize("metric", METRICS)
def test_every_move_raises_the_barrier_objective(metric, step_length):
    """Invariant of algorithms 1.3, for an outcome with hills and valleys; the weight is held fixed."""
    ellipsoid = ellipsoids(16, (0.5, 4.0, 100.0, 1000.0))
    config = AscentConfig(
        metric=metric, step_length=step_length, first_weight=0.01, last_weight=0.01, record_every=1
    )
    outcome = Recorder(waves)
    found = ascend(outcome, ellipsoid, ellipsoid.mean, config=config)
    start = ellipsoid.mean.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(waves(start).sum(), start)
    weight = 0.01 * (ellipsoid.half_axes() * gradient).norm(dim=1)
    slack = 1 - ellipsoid.mahalanobis2(found.path) / ellipsoid.kappa2
    heights = torch.stack([waves(z) for z in found.path]) + weight * slack.log()
    assert (heights.diff(dim=0) >= -1e-14).all()
    assert (heights[-1] > heights[0]).all()
    assert ((found.path.diff(dim=0) != 0).any(dim=2).sum(dim=0) == found.steps).all()
    assert all(ellipsoid.contains(z).all() for z in outcome.seen)


@pytest.mark.parametrize("metric", METRICS)
def test_the_worst_start_on_the_boundary_reaches_the_optimum_too(metric):
    """A restart or re-encoded string may lie anywhere; here it is opposite of the optimum, and outside."""
    ellipsoid, outcome = ellipsoids(16), linear(16)
    optimum = outcome.optimum(ellipsoid.mean, ellipsoid.scale, ellipsoid.kappa2)
    start = ellipsoid.mean - 1.5 * (optimum - ellipsoid.mean)
    found = ascend(outcome, ellipsoid, start, config=AscentConfig(metric=metric))
    gap = relative_gap(outcome, ellipsoid, found.value)
    assert (gap.abs() < 1e-5).all(), gap


def test_the_optimum_rises_as_alpha_falls():
    """Algorithms 1.4: feasible sets nest."""
    mean, scale, outcome = normal(3, 16, seed=1), ellipsoids(16, (1.0,) * 3).scale, quadratic(16)
    values = [
        ascend(outcome, Ellipsoid.from_alpha(mean, scale, log_alpha), mean).value
        for log_alpha in (20.0, 0.0, -10.0, -1000.0)
    ]
    assert (torch.stack(values).diff(dim=0) > 0).all()


@pytest.mark.parametrize("method", ["barrier", "original"])
def test_an_infeasible_item_stays_at_the_mean_and_says_so(method):
    """Algorithms 1.2: nothing reaches log alpha > l_max. The items beside it are not disturbed."""
    ellipsoid, outcome = ellipsoids(16, (1.0, -0.5, 2.0)), linear(16)
    start = ellipsoid.mean + 0.001 * ellipsoid.scale
    found = ascend(outcome, ellipsoid, start, config=AscentConfig(method=method))
    assert found.stop[1] is Stop.INFEASIBLE
    assert torch.equal(found.path[:, 1], ellipsoid.mean[1].expand(len(found.path), 16))
    assert torch.equal(found.z[1], ellipsoid.mean[1])
    assert found.value[1] == outcome(ellipsoid.mean)[1]
    assert found.steps[1] == 0
    assert (found.value[[0, 2]] > outcome(start)[[0, 2]]).all()


@pytest.mark.parametrize("method", ["barrier", "original"])
def test_a_set_of_one_point_holds_the_item_there(method):
    ellipsoid = ellipsoids(4, (0.0,))
    found = ascend(linear(4), ellipsoid, ellipsoid.mean + 1.0, config=AscentConfig(method=method))
    assert found.stop == (Stop.BOUNDARY,)
    assert torch.equal(found.z, ellipsoid.mean)
    assert len(found.path) == 1


@pytest.mark.parametrize("method", ["barrier", "original"])
@pytest.mark.parametrize("slope", [0.0, 1e-14])
def test_a_constant_outcome_ends_at_once(method, slope):
    """Oracle 13: a zero gradient ends it after the evaluation at the start; so does one lost in rounding."""
    constant = ConstantOutcome(1e6)
    ellipsoid, outcome = ellipsoids(16), Recorder(lambda z: constant(z) + slope * z.sum(dim=1))
    found = ascend(outcome, ellipsoid, ellipsoid.mean, config=AscentConfig(method=method))
    assert found.stop == (Stop.ZERO_GRADIENT,) * 5
    assert torch.equal(found.z, ellipsoid.mean)
    assert len(outcome.seen) == 1


@pytest.mark.parametrize(
    "config",
    [
        AscentConfig(steps=60),
        AscentConfig(steps=60, metric="whitened"),
        AscentConfig(steps=30, step_length=0.2),
        AscentConfig(steps=60, method="original", lr=0.5),
    ],
)
def test_a_batch_gives_what_its_items_give_one_by_one(config):
    """Oracle 13."""
    ellipsoid = ellipsoids(16, (*KAPPA2, -1.0, 0.0))
    batch = ascend(waves, ellipsoid, ellipsoid.mean, config=config)
    for n in range(7):
        one = Ellipsoid(
            *(t[n : n + 1] for t in (ellipsoid.mean, ellipsoid.scale, ellipsoid.kappa2)), torch.zeros(1)
        )
        alone = ascend(waves, one, one.mean, config=config)
        assert alone.stop == batch.stop[n : n + 1]
        assert alone.steps.tolist() == batch.steps[n : n + 1].tolist()
        torch.testing.assert_close(alone.z[0], batch.z[n], rtol=0, atol=1e-12)
        torch.testing.assert_close(alone.value[0], batch.value[n], rtol=0, atol=1e-12)
        torch.testing.assert_close(alone.path[:, 0], batch.path[: len(alone.path), n], rtol=0, atol=1e-12)


@pytest.mark.parametrize("step_length", [None, 0.5])
def test_the_whitened_metric_does_not_see_the_units_of_coordinates(step_length):
    """Oracle 13: rescaling the coordinates of mean, scale and F together leaves u unchanged.

    The Euclidean metric does see them, which shows that the test can fail.
    """
    ellipsoid = ellipsoids(16, (1.0, 30.0), low=0.2)
    unit = 2.0 ** torch.randint(-4, 5, (16,), generator=generator(7)).double()
    rescaled = Ellipsoid(ellipsoid.mean * unit, ellipsoid.scale * unit, ellipsoid.kappa2, ellipsoid.log_mode)
    for metric in METRICS:
        config = AscentConfig(metric=metric, steps=12, step_length=step_length, record_every=1)
        plain = ascend(waves, ellipsoid, ellipsoid.mean, config=config)
        other = ascend(lambda z: waves(z / unit), rescaled, rescaled.mean, config=config)
        if metric == "whitened":
            torch.testing.assert_close(other.path / unit, plain.path, rtol=0, atol=1e-12)
        else:
            assert (other.path / unit - plain.path).abs().max() > 1e-3


@pytest.mark.parametrize("metric", METRICS)
def test_steps_of_a_given_length_trace_the_path_of_the_gradient(metric):
    """Far from the boundary each step has the length and follows the gradient in the metric."""
    ellipsoid, outcome = ellipsoids(16, (20000.0,)), linear(16)
    config = AscentConfig(metric=metric, steps=30, step_length=0.3, record_every=1)
    found = ascend(outcome, ellipsoid, ellipsoid.mean, config=config)
    units = ellipsoid.scale if metric == "whitened" else torch.ones_like(ellipsoid.scale)
    moves = found.path.diff(dim=0) / units
    lengths = moves.norm(dim=2)
    assert len(moves) == 30
    assert (lengths <= 0.3 + 1e-12).all()
    assert (lengths > 0.29).all()
    gradient = (outcome.weight * units).expand_as(moves)
    assert (torch.cosine_similarity(moves[:3], gradient[:3], dim=2) > 0.99).all()


@pytest.mark.parametrize("metric", METRICS)
def test_steps_of_a_given_length_shorten_at_the_boundary_and_still_reach_the_optimum(metric):
    ellipsoid, outcome = ellipsoids(16, (4.0,), low=0.3), linear(16)
    config = AscentConfig(metric=metric, steps=300, step_length=0.3)
    found = ascend(outcome, ellipsoid, ellipsoid.mean, config=config)
    assert relative_gap(outcome, ellipsoid, found.value).item() < 1e-3


def test_the_objective_is_called_in_the_dtype_of_the_start_and_stays_inside_after_rounding():
    """A narrow posterior far from 0: float32 is coarse against it, so rounding could leave the set."""
    mean = 5 + torch.rand(20, 16, generator=generator(8))
    scale = torch.full((20, 16), 0.01)
    ellipsoid = Ellipsoid.from_alpha(mean, scale, 0.03, "radius")
    weight = torch.randn(16, generator=generator(9))
    outcome = Recorder(lambda z: (z - mean) @ weight)
    found = ascend(outcome, ellipsoid, mean)
    assert {z.dtype for z in outcome.seen} == {torch.float32}
    assert all(ellipsoid.contains(z).all() for z in outcome.seen)
    assert found.z.dtype == found.path.dtype == torch.float32
    optimum = 0.03 * 0.01 * weight.norm()
    assert (found.value > 0.98 * optimum).all()


def test_a_start_inside_is_kept_and_a_start_outside_is_moved_inside():
    ellipsoid = ellipsoids(8, (4.0, 4.0))
    offset = torch.tensor([[0.1], [50.0]]) * ellipsoid.scale
    start = ellipsoid.mean + offset
    kept = start.clone()
    outcome = Recorder(waves)
    found = ascend(outcome, ellipsoid, start, config=AscentConfig(steps=5))
    assert torch.equal(found.path[0, 0], start[0])
    assert torch.equal(found.path[0, 1], ellipsoid.shrink(start)[1])
    assert all(ellipsoid.contains(z).all() for z in outcome.seen)
    assert torch.equal(start, kept)


def test_the_best_point_of_the_way_is_returned_with_its_value():
    """The barrier may lower F itself; the result keeps the best, and reports F there."""
    ellipsoid = ellipsoids(16)
    found = ascend(waves, ellipsoid, ellipsoid.mean, config=AscentConfig(record_every=1))
    heights = torch.stack([waves(z) for z in found.path])
    torch.testing.assert_close(found.value, heights.amax(dim=0), rtol=0, atol=0)
    torch.testing.assert_close(waves(found.z), found.value, rtol=0, atol=0)


def test_the_budget_counts_evaluations_and_the_path_is_recorded_as_asked():
    ellipsoid, outcome = ellipsoids(16, (1.0, 1e4)), Recorder(quadratic(16))
    found = ascend(outcome, ellipsoid, ellipsoid.mean, config=AscentConfig(steps=7, record_every=3))
    assert found.stop == (Stop.BUDGET,) * 2
    assert len(outcome.seen) == 8
    every = ascend(outcome, ellipsoid, ellipsoid.mean, config=AscentConfig(steps=7, record_every=1)).path
    torch.testing.assert_close(found.path, every[[0, 3, 6, 7]], rtol=0, atol=0)
    none = ascend(outcome, ellipsoid, ellipsoid.mean, config=AscentConfig(steps=0))
    assert none.stop == (Stop.BUDGET,) * 2
    assert torch.equal(none.z, ellipsoid.mean)


@pytest.mark.parametrize("defect", ["value", "gradient"])
def test_points_where_the_outcome_is_not_a_number_are_never_entered(defect):
    """Beyond the wall the square root has no value or, with its argument at 0, a value but no gradient."""
    ellipsoid = ellipsoids(4, (100.0,), low=0.5)
    wall = ellipsoid.mean[0, 0].item() + 0.3

    def cliff(z: Tensor) -> Tensor:
        room = wall - z[:, 0]
        return z[:, 0] + torch.sqrt(room if defect == "value" else room * (room > 0))

    found = ascend(cliff, ellipsoid, ellipsoid.mean, config=AscentConfig(record_every=1))
    assert torch.isfinite(found.path).all()
    assert torch.isfinite(found.value).all()
    assert (found.path[..., 0] < wall).all()
    assert found.value > cliff(ellipsoid.mean)


@pytest.mark.parametrize("method", ["barrier", "original"])
def test_the_parameters_of_a_model_get_no_gradient(method):
    net = nn.Linear(4, 1)
    ellipsoid = ellipsoids(4)
    with torch.no_grad():
        found = ascend(
            lambda z: net(z)[:, 0],
            ellipsoid,
            ellipsoid.mean.float(),
            config=AscentConfig(method=method, steps=3),
        )
    assert net.weight.grad is None
    assert not found.z.requires_grad
    assert not found.path.requires_grad
    assert (found.steps > 0).all()


def test_objectives_and_starts_that_cannot_work_are_refused():
    ellipsoid = ellipsoids(4)
    with pytest.raises(ValueError, match=r"start must be \(5, 4\), got \(4, 4\)"):
        ascend(waves, ellipsoid, ellipsoid.mean[:4])
    with pytest.raises(ValueError, match=r"shape \(5,\), got \(5, 1\)"):
        ascend(lambda z: z[:, :1], ellipsoid, ellipsoid.mean)
    with pytest.raises(ValueError, match="not finite at the start"):
        ascend(lambda z: z.sum(dim=1) * math.nan, ellipsoid, ellipsoid.mean)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first_weight": 1e-3, "last_weight": 1e-2}, "--last-weight: must be at most --first-weight 0.001"),
        ({"method": "original", "step_length": 0.3}, "--step-length: has no effect"),
        ({"method": "newton"}, "--method"),
        ({"step_length": 0.0}, "--step-length"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        AscentConfig(**options)


def test_the_original_rule_starts_as_the_authors_wrote_it():
    """Algorithms 1.3: step i is lr * 1000 / (1000 + sqrt(i)) times the gradient; far inside, no barrier."""
    ellipsoid, outcome = ellipsoids(8, (1e6,)), linear(8)
    config = AscentConfig(method="original", steps=3, record_every=1)
    path = ascend(outcome, ellipsoid, ellipsoid.mean, config=config).path[:, 0]
    for i in range(3):
        expected = 0.05 * 1000 / (1000 + i**0.5) * outcome.weight
        torch.testing.assert_close(path[i + 1] - path[i], expected, rtol=1e-6, atol=1e-9)


def test_the_barrier_of_the_original_rule_is_a_millionth_as_in_the_authors_code():
    """Algorithms 1.3: gradient F - 2e-6 S^-2 (z - mean) / (kappa2 - m2), tested where the room is small."""
    ellipsoid = ellipsoids(8, (1.0,))
    start = ellipsoid.mean + 0.998 * ellipsoid.half_axes() / math.sqrt(8)
    outcome = LinearOutcome(-1e-3 * torch.ones(8))
    config = AscentConfig(method="original", steps=1, record_every=1)
    path = ascend(outcome, ellipsoid, start, config=config).path
    pull = 2e-6 * (start - ellipsoid.mean) / ellipsoid.scale.square() / (1 - 0.998**2)
    torch.testing.assert_close(path[1] - path[0], 0.05 * (outcome.weight - pull), rtol=1e-8, atol=1e-14)


def test_the_original_rule_may_end_far_below_the_optimum_where_the_barrier_rule_does_not():
    """Algorithms 1.3, why it is not the default: linear F, d = 16, isotropic.

    Near the boundary its weak barrier pushes with great force, the halved step lands on the far side, and
    nothing checks that the outcome rose.
    """
    mean, scale = normal(20, 16, seed=10), torch.ones(20, 16)
    ellipsoid, outcome = Ellipsoid.from_alpha(mean, scale, 1.0, "radius"), linear(16)
    seen = Recorder(outcome)
    config = AscentConfig(method="original", steps=300, lr=1.0, record_every=100)
    original = ascend(seen, ellipsoid, mean, config=config)
    assert all(ellipsoid.contains(z).all() for z in seen.seen)
    missed = relative_gap(outcome, ellipsoid, outcome(original.path[-1]))
    assert missed.max() > 0.5
    assert Stop.BUDGET in original.stop
    barrier = ascend(outcome, ellipsoid, mean)
    assert relative_gap(outcome, ellipsoid, outcome(barrier.path[-1])).max() < 1e-5
