"""A Gaussian process over substitutions: what is learned of one of them carries over to others like it.

A sequence is a set of cells, letters other than the most common one of their position. The covariance of the
effects of two cells is a sum of products of kernels: how near their positions are, whether they are the same
one, how alike the new letters and the common letters are. On top of the additive part G stands a
squared-exponential kernel of the distance that G defines, for what does not add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from seqdesign.devices.arithmetic import full_precision

TERMS: dict[tuple[str, ...], float] = {
    ("near",): 1, ("same",): 2, ("new",): 1, ("near", "new"): 1, ("same", "new"): 2, ("old",): 1,
    ("old", "new"): 1, ("change",): 1, ("near", "change"): 1, ("same", "change"): 1, ("cell",): 1,
}  # fmt: skip
"""Products of kernels over cells whose sum is the covariance of effects, and the variance of each from which
the search starts, in units of ``VARIANCE``."""
VARIANCE = math.exp(-2)
START = {"noise": -1.0, "reach": 1.0, "joint": -1.0, "joint_length": 1.0}
"""Logarithms: noise variance; distance over which positions are alike; variance and length scale of what is
joint."""
NAMES = (*START, *(" x ".join(term) for term in TERMS))
"""Hyperparameters in their order, before those of the descriptors."""
JITTER = 1e-4
BLOCK = 256
"""Rows of a covariance that are computed at once."""


def named(theta: Tensor) -> dict[str, Tensor]:
    """Logarithms of hyperparameters (H,); ``likeness`` and ``slopes`` (F,) belong to the descriptors."""
    found = dict(zip(NAMES, theta[: len(NAMES)].unbind(), strict=True))
    found["likeness"], found["slopes"] = theta[len(NAMES) :].chunk(2)
    return found


class CellKernel:
    """Covariance of the effects of cells; ``letters`` (D,) and ``places`` (D,) of the cells.

    common (L,): the most common letter of each position. descriptors (V, F). Hyperparameters are logarithms
    in one vector; ``named`` says which is which.
    """

    def __init__(self, letters: Tensor, places: Tensor, common: Tensor, descriptors: Tensor) -> None:
        self.letters, self.places, self.common = letters, places, common
        self.old, self.descriptors = common[places], descriptors
        self.num_descriptors = descriptors.shape[1]

    def only(self, some: Tensor) -> CellKernel:
        """The same of these cells alone."""
        return CellKernel(self.letters[some], self.places[some], self.common, self.descriptors)

    def start(self) -> Tensor:
        """Where the search for hyperparameters begins."""
        own = [*START.values(), *(math.log(VARIANCE * times) for times in TERMS.values())]
        return torch.tensor([*own, *[0.0] * (2 * self.num_descriptors)])

    def covariance(self, theta: Mapping[str, Tensor], some: slice = slice(None)) -> Tensor:
        """(D, D), differentiable in the hyperparameters; or only some of its rows."""
        f, scale = self.descriptors, self.num_descriptors**-0.5
        z = scale * f * torch.exp(-theta["likeness"])
        alike = torch.exp(-0.5 * (z[:, None] - z).square().sum(2))
        change = scale * (f[self.letters] - f[self.old]) * torch.exp(theta["slopes"])
        distance = (self.places[some, None] - self.places).abs().to(f.dtype)
        same = (distance == 0).to(f.dtype)
        parts = {
            "near": torch.exp(-distance * torch.exp(-theta["reach"])),
            "same": same,
            "new": alike[self.letters[some]][:, self.letters],
            "old": alike[self.old[some]][:, self.old],
            "change": change[some] @ change.T,
            "cell": same * (self.letters[some, None] == self.letters),
        }
        total = torch.zeros_like(distance)
        for term in TERMS:
            product = torch.exp(theta[" x ".join(term)]) * parts[term[0]]
            for factor in term[1:]:
                product = product * parts[factor]
            total = total + product
        return total


def joint(g: Tensor, left: Tensor, right: Tensor, theta: Mapping[str, Tensor]) -> Tensor:
    """The whole kernel from additive covariances g (N, S), and those of rows with themselves (N,), (S,)."""
    distance = (left[:, None] + right - 2 * g).clamp(min=0)
    bumps = torch.exp(theta["joint"] - 0.5 * distance * torch.exp(-theta["joint_length"]))
    return 1.0 + g + bumps


class KernelNet(nn.Module):
    """Strands (N, V, L) of which the first counts -> (M, N, K): kernel with the training rows times weights.

    ``num_cells`` cells of the one-hot and ``support`` training rows. What follows from hyperparameters and
    rows is large, so files do not keep it: it is computed once these are there (``prepare``).
    tokens (S, L): letters of the rows, V where one is unknown, -1 where there is none.
    """

    BY_MEMBER: ClassVar[tuple[str, ...]] = ("weight", "bias")

    cells: Tensor
    common: Tensor
    descriptors: Tensor
    theta: Tensor
    tokens: Tensor
    weight: Tensor
    bias: Tensor
    covariance: Tensor
    rows: Tensor
    own: Tensor

    def __init__(
        self, members: int, num_cells: int, support: int, num_out: int, length: int, descriptors: Tensor
    ) -> None:
        super().__init__()
        self.register_buffer("cells", torch.zeros(num_cells, dtype=torch.long))
        self.register_buffer("common", torch.zeros(length, dtype=torch.long))
        self.register_buffer("descriptors", descriptors)
        self.register_buffer("theta", torch.zeros(len(NAMES) + 2 * descriptors.shape[1]))
        self.register_buffer("tokens", torch.zeros(support, length, dtype=torch.int16))
        self.register_buffer("weight", torch.zeros(members, support, num_out))
        self.register_buffer("bias", torch.zeros(members, 1, num_out))
        self.register_buffer("covariance", torch.zeros(num_cells, num_cells), persistent=False)
        self.register_buffer("rows", torch.zeros(num_cells, support), persistent=False)
        self.register_buffer("own", torch.zeros(support), persistent=False)
        self.register_load_state_dict_post_hook(lambda net, keys: net.prepare())

    @torch.no_grad()
    def prepare(self) -> None:
        """Covariances of the cells with each other and with the training rows."""
        length, theta = len(self.common), named(self.theta)
        kernel = CellKernel(self.cells // length, self.cells % length, self.common, self.descriptors)
        for first in range(0, len(self.cells), BLOCK):
            some = slice(first, first + BLOCK)
            self.covariance[some] = kernel.covariance(theta, some)
        here, unknown = self.tokens[:, self.cells % length], len(self.descriptors)
        u = (here == self.cells // length).to(self.covariance).masked_fill(here == unknown, 1 / unknown)
        torch.mm(self.covariance, u.T, out=self.rows)
        self.own.copy_((u * self.rows.T).sum(1))

    def forward(self, strands: Sequence[Tensor], inside: Tensor) -> Tensor:
        """The posterior mean of each member."""
        return self.of_cells(strands[0].flatten(1)[:, self.cells])

    def of_cells(self, u: Tensor) -> Tensor:
        """The same of cells u (N, D)."""
        with full_precision(u.device):
            return torch.einsum("ns,msk->mnk", self.products(u), self.weight) + self.bias

    def products(self, u: Tensor) -> Tensor:
        """The kernel of cells u (N, D) with the training rows, (N, S)."""
        own = ((u @ self.covariance) * u).sum(1)
        return joint(u @ self.rows, own, self.own, named(self.theta))
