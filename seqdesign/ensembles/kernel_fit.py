"""Fit a Gaussian process: hyperparameters by marginal likelihood, weights of all members in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import scipy.optimize
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.ensembles.kernel import JITTER, NAMES, CellKernel, KernelNet, joint, named
from seqdesign.ensembles.ridge import chosen_scores, same_gaps
from seqdesign.tasks.task import Task

MAX_CELLS = 8_000
"""Cells from which a Gaussian process is too much: as many as a protein of 420 letters has."""
FIT_ROWS, FIT_CELLS = 1_000, 2_500
"""Rows by which hyperparameters are chosen, at most, and cells that these have: their likelihood costs the
cube of the one and the square of the other.
"""
EVALUATIONS = 30
FEWEST_NEW, CLEARLY = 20, 2.0
"""Rows with new letters that must show it, and by how many standard errors, that these are believed."""
AS_OFTEN = 30.0
"""By how many measurements the parent of single mutants counts, measured or guessed."""
NOTHING = -20.0
"""Logarithm of a variance that is none."""
PRIOR, LENGTH_PRIOR, DESCRIPTOR_PRIOR = 1.5, 0.75, 0.6
"""Standard deviations of hyperparameters around where they start; of the length of what is joint, which at
small lengths is noise by another name; and of those of the descriptors."""

FloatArray = NDArray[np.float64]


def seen_cells(x: Tensor) -> tuple[Tensor, Tensor]:
    """Cells (D,) of flattened one-hot x (N, V, L) that some row has, and the most common letters (L,).

    Those are no cells.
    """
    counts = x.sum(0)
    common = counts.argmax(0)
    seen = counts > 0
    seen[common, torch.arange(len(common))] = False
    return torch.nonzero(seen.flatten()).flatten(), common


def fit_kernel(
    x: Tensor,
    y: Tensor,
    train: Tensor,
    judge: Tensor,
    descriptors: Tensor,
    *,
    task: Task,
    seed: int,
    alone: bool = False,
) -> tuple[KernelNet, bool, Tensor | None]:
    """Learn from one-hot x (N, V, L) and standardised or 0/1 outcomes y (N, K), NaN where not measured.

    ``train`` and ``judge`` (N, M): the rows' weights for each member to learn from and, for labels, to find
    log-odds by. Also says whether what was learned carries over to letters never seen at their place, see
    ``_carries``; only then, and where they are few enough, does the net know such letters.

    In a regression the members' mean is the process of all rows, and their differences are those of processes
    that lack a part. What each says of the rows (N, K) that it judges comes from its own, and is returned.

    alone: rows are single mutants of one parent. What of a value is not the parent's counts once more with
    each further change, so the parent counts as if measured often, and nothing is joint. Where it is no row
    it is guessed (Bickel's mode of the medians of all places: most places tolerate most changes).
    """
    cells, common = seen_cells(x)
    length, members, num_rows = x.shape[2], train.shape[1], len(x)
    if alone:
        x, y, train, judge = _with_parent(x, y, train, judge, common)
    u = x.flatten(1)[:, cells]
    centre, unit = _standard(y)
    target = (y - centre) / unit
    kernel = CellKernel(cells // length, cells % length, common, descriptors)
    theta = _hyperparameters(u, target, kernel, seed, joint=not alone)
    with torch.no_grad():
        net = _filled(x, cells, common, descriptors, theta, (members, y.shape[1]))
        k = net.products(u).double()
        noise = math.exp(theta[0]) + JITTER
        own = torch.full_like(y, torch.nan)
        whole = torch.zeros(len(k), y.shape[1])
        for group in same_gaps(y):
            known = (~y[:, group[0]].isnan()).to(x.dtype)
            values = target[:, group].nan_to_num()
            every, parts = _weights(k, values, train.amax(1) * known, noise, judge > 0)
            whole[:, group] = (every * unit[group]).float()
            for m, part in enumerate(parts):
                alpha, bias = part * unit[group], centre[group].double()
                fitted = k @ alpha + bias
                rows = torch.nonzero(judge[:, m] > 0).flatten()
                own[rows[:, None], torch.tensor(group)] = fitted[rows].float()
                alpha, bias = chosen_scores(
                    fitted, alpha, bias, y[:, group].nan_to_num(), judge[:, m] * known, task=task
                )
                net.weight[m][:, group] = alpha.float()
                net.bias[m, 0, group] = bias.float()
        carries = _carries(net, u, cells % length, y, train, judge, log_odds=task.log_odds)
        if not task.log_odds:
            net.weight.add_(whole - net.weight.mean(0))
        judged = None if task.log_odds else own[:num_rows]
        wide = _everywhere(net, x, common, theta) if carries else None
        return (net, False, judged) if wide is None else (wide, True, judged)


def _everywhere(net: KernelNet, x: Tensor, common: Tensor, theta: Tensor) -> KernelNet | None:
    """The process of rows x (N, V, L) that knows all letters at all places; None if these are too many."""
    cells = torch.ones(x.shape[1:], dtype=torch.bool)
    cells[common, torch.arange(x.shape[2])] = False
    places = torch.nonzero(cells.flatten()).flatten()
    if len(places) > MAX_CELLS:
        return None
    wide = _filled(x, places, common, net.descriptors, theta, (len(net.weight), net.weight.shape[2]))
    wide.weight.copy_(net.weight)
    wide.bias.copy_(net.bias)
    return wide


def _with_parent(
    x: Tensor, y: Tensor, train: Tensor, judge: Tensor, common: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The same rows, and the sequence (L,) of the common letters with its measurements' mean, or a guess."""
    parent = torch.zeros_like(x[:1])
    parent[0, common, torch.arange(x.shape[2])] = 1
    changed = x[:, common, torch.arange(x.shape[2])] == 0
    place, itself = changed.float().argmax(1), ~changed.any(1)
    guesses = []
    for values in y.T:
        known = ~values.isnan()
        medians = [values[known & (place == i)].median() for i in place[known].unique()]
        if bool((known & itself).any()):
            guesses.append(values[known & itself].mean())
        else:
            guesses.append(_mode(torch.stack(medians)) if medians else values.new_tensor(torch.nan))
    weight = AS_OFTEN * train.amax(0, keepdim=True)
    return (
        torch.cat([x, parent]), torch.cat([y, torch.stack(guesses)[None]]), torch.cat([train, weight]),
        torch.cat([judge, torch.zeros_like(weight)]),
    )  # fmt: skip


def _mode(values: Tensor) -> Tensor:
    """Of values (n,), by halves that are closest together (Bickel & Fruehwirth 2006)."""
    values = values.sort().values
    while len(values) > 3:
        half = (len(values) + 1) // 2
        first = int((values[half - 1 :] - values[: len(values) - half + 1]).argmin())
        values = values[first : first + half]
    return values.mean()


def _filled(
    x: Tensor, cells: Tensor, common: Tensor, descriptors: Tensor, theta: Tensor, sizes: tuple[int, int]
) -> KernelNet:
    """A net of (members, outcomes) whose kernel knows these cells and rows x (N, V, L); weights are zero."""
    net = KernelNet(sizes[0], len(cells), len(x), sizes[1], x.shape[2], descriptors)
    net.cells.copy_(cells)
    net.common.copy_(common)
    net.theta.copy_(theta)
    most, letters = x.max(1)
    net.tokens.copy_(letters.masked_fill(most == 0, -1).masked_fill((most > 0) & (most < 1), x.shape[1]))
    net.prepare()
    return net


@torch.no_grad()
def _carries(
    net: KernelNet, u: Tensor, places: Tensor, y: Tensor, train: Tensor, judge: Tensor, *, log_odds: bool
) -> bool:
    """Whether letters that a member has not seen at their place are predicted better than by no effect.

    Each member judges rows u (N, D) that it has not learned from, of outcomes y (N, K), the first of which
    counts or all labels, with such letters as they are and as the mixture of letters that it has seen there.
    The gain in squared error (of labels of probabilities) must be clear.
    """
    gains = []
    y = y if log_odds else y[:, :1]
    for m in range(train.shape[1]):
        taught = (train[:, m] > 0).to(u.dtype)
        share = (taught @ u) / taught.sum()
        new = share == 0
        rows = torch.nonzero((judge[:, m] > 0) & (u[:, new].sum(1) > 0) & ~y.isnan().any(1)).flatten()
        if not len(rows):
            continue
        lost = torch.zeros(len(rows), int(places.max()) + 1).index_add_(1, places[new], u[rows][:, new])
        plain = torch.where(new, 0.0, u[rows]) + lost[:, places] * share
        said = [net.of_cells(part)[m, :, : y.shape[1]] for part in (plain, u[rows])]
        errors = [((one.sigmoid() if log_odds else one) - y[rows]).square().sum(1) for one in said]
        gains.append(errors[0] - errors[1])
    gain = torch.cat(gains) if gains else torch.zeros(0)
    if len(gain) < FEWEST_NEW:
        return False
    return float(gain.mean()) > CLEARLY * float(gain.std()) / len(gain) ** 0.5


def _standard(y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (K,) of known values."""
    known = ~y.isnan()
    count = known.sum(0).clamp(min=1)
    centre = y.nan_to_num().sum(0) / count
    square = ((y - centre).square().nan_to_num()).sum(0) / count
    return centre, square.sqrt().clamp(min=1e-6)


def _weights(
    k: Tensor, target: Tensor, weight: Tensor, noise: float, judged: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """(N, K) of the process of all rows, and of each member's, which lacks the rows that it judges (N, M).

    Zero for rows that do not count; a row of weight w has the noise divided by w. All from one inverse P:
    with rows F left out the weights of the others are alpha - P[:, F] P[F, F]^-1 alpha[F].
    """
    rows = torch.nonzero(weight > 0).flatten()
    a = k[rows][:, rows]
    a.diagonal().add_(noise / weight[rows].double())
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(a))
    del a
    alpha = inverse @ target[rows].double()
    found = []
    for mine in [alpha, *_without(inverse, alpha, judged[rows])]:
        found.append(torch.zeros(len(k), target.shape[1], dtype=torch.float64))
        found[-1][rows] = mine
    return found[0], found[1:]


def _without(inverse: Tensor, alpha: Tensor, left_out: Tensor) -> Iterator[Tensor]:
    """Weights (n, K) of processes that lack the rows (n, M)."""
    for some in left_out.T:
        gone = torch.nonzero(some).flatten()
        lost = torch.linalg.solve(inverse[gone][:, gone], alpha[gone])
        yield (alpha - inverse[:, gone] @ lost).masked_fill(some[:, None], 0.0)


def _hyperparameters(u: Tensor, target: Tensor, every: CellKernel, seed: int, *, joint: bool) -> Tensor:
    """The most probable ones given some rows, under a normal prior around the start."""
    known = torch.nonzero(~target.isnan().any(1)).flatten()
    if len(known) < 2:
        known, target = torch.nonzero(~target[:, 0].isnan()).flatten(), target[:, :1]
    some = known[torch.randperm(len(known), generator=torch.Generator().manual_seed(seed))[:FIT_ROWS]]
    have = (u[some].cumsum(0) > 0).sum(1)
    some = some[: max(2, int((have <= FIT_CELLS).sum()))]
    u, y = u[some], target[some]
    used = torch.nonzero(u.sum(0) > 0).flatten()
    u, kernel = u[:, used], every.only(used)
    start = kernel.start()
    spread = torch.full_like(start, PRIOR)
    spread[len(NAMES) :] = DESCRIPTOR_PRIOR
    spread[NAMES.index("joint_length")] = LENGTH_PRIOR
    if not joint:
        start[NAMES.index("joint")] = NOTHING
        spread[NAMES.index("joint")] = JITTER
    cost = _posterior(kernel, u, y, start, spread)
    found = scipy.optimize.minimize(
        cost, start.double().numpy(), jac=True, method="L-BFGS-B",
        options={"maxfun": EVALUATIONS, "maxiter": EVALUATIONS},
    )  # fmt: skip
    return torch.from_numpy(found.x).to(start.dtype)


def _posterior(
    kernel: CellKernel, u: Tensor, y: Tensor, start: Tensor, spread: Tensor
) -> Callable[[FloatArray], tuple[float, FloatArray]]:
    """Minus log posterior of hyperparameters, and its gradient."""
    eye = torch.eye(len(u), dtype=u.dtype)

    def cost(values: FloatArray) -> tuple[float, FloatArray]:
        theta = torch.from_numpy(values).to(start.dtype).requires_grad_()
        about = named(theta)
        rows = u @ kernel.covariance(about)
        own = (rows * u).sum(1)
        k = joint(rows @ u.T, own, own, about) + (torch.exp(about["noise"]) + JITTER) * eye
        prior = 0.5 * ((theta - start) / spread).square().sum()
        with torch.no_grad():
            factor, failed = torch.linalg.cholesky_ex(k)
            if failed or not bool(torch.isfinite(factor).all()):
                return 1e10, np.zeros(len(values))
            solved = torch.cholesky_solve(y, factor)
            value = 0.5 * float((y * solved).sum()) + y.shape[1] * float(factor.diagonal().log().sum())
            slope = 0.5 * (y.shape[1] * torch.cholesky_inverse(factor) - solved @ solved.T)
        ((slope * k).sum() + prior).backward()
        assert theta.grad is not None
        return value + float(prior.detach()), theta.grad.double().numpy()

    return cost
