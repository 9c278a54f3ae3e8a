"""A Gaussian process over substitutions: what is learned of one of them carries over to others like it.

A sequence is a set of cells, letters other than the most common one of their position. The covariance of the
effects of two cells is a sum of products of kernels: how near their positions are, whether they are the same
one, how alike the new letters, the common letters and the surroundings of the positions are. On top of the
additive part G stands a squared-exponential kernel of the distance that G defines, for what does not add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from seqdesign.devices.arithmetic import full_precision
from seqdesign.ensembles.descriptors import SURROUNDINGS

TERMS: tuple[tuple[str, ...], ...] = (
    ("near",), ("same",), ("new",), ("near", "new"), ("same", "new"), ("old",), ("old", "new"), ("around",),
    ("around", "new"), ("change",), ("near", "change"), ("around", "change"), ("cell",),
)  # fmt: skip
"""Products of kernels over cells whose sum is the covariance of effects; each has a weight of its own."""
WIDTHS = (1.0, 3.0)
"""Standard deviations, in positions, of the windows that say what surrounds a position."""
START = {"noise": -1.0, "reach": 1.0, "around": 0.0, "joint": -1.0, "joint_length": 0.0}
"""Logarithms: noise variance; distance over which positions are alike; length scales; variances."""
TERM_START = -2.0
JITTER = 1e-4


class CellKernel:
    """Covariance of the effects of cells; ``letters`` (D,) and ``places`` (D,) of the cells.

    common (L,): the most common letter of each position. descriptors (V, F). Hyperparameters are logarithms
    in one vector; ``names`` says which is which.
    """

    def __init__(self, letters: Tensor, places: Tensor, common: Tensor, descriptors: Tensor) -> None:
        self.letters, self.old, self.descriptors = letters, common[places], descriptors
        distance = (places[:, None] - places).abs().to(descriptors.dtype)
        self.distance, self.same = distance, (distance == 0).to(descriptors.dtype)
        around = surroundings(descriptors[common])[places]
        self.contrast = torch.cdist(around, around).square() / max(1, around.shape[1])
        self.num_descriptors = descriptors.shape[1]
        self.names = (*START, *(" x ".join(term) for term in TERMS))

    def start(self) -> Tensor:
        """Where the search for hyperparameters begins."""
        own = [*START.values(), *[TERM_START] * len(TERMS)]
        return torch.tensor([*own, *[0.0] * (2 * self.num_descriptors)])

    def named(self, theta: Tensor) -> dict[str, Tensor]:
        """The vector by names; ``likeness`` and ``slopes`` (F,) belong to the descriptors."""
        own = len(self.names)
        found = dict(zip(self.names, theta[:own].unbind(), strict=True))
        found["likeness"], found["slopes"] = theta[own:].split(self.num_descriptors)
        return found

    def covariance(self, theta: Mapping[str, Tensor]) -> Tensor:
        """(D, D), differentiable in the hyperparameters."""
        f, scale = self.descriptors, self.num_descriptors**-0.5
        z = scale * f * torch.exp(-theta["likeness"])
        alike = torch.exp(-0.5 * (z[:, None] - z).square().sum(2))
        change = scale * (f[self.letters] - f[self.old]) * torch.exp(theta["slopes"])
        old = alike[self.old][:, self.old]
        parts = {
            "near": torch.exp(-self.distance * torch.exp(-theta["reach"])),
            "same": self.same,
            "new": alike[self.letters][:, self.letters],
            "old": old,
            "around": old * torch.exp(-0.5 * self.contrast * torch.exp(-2 * theta["around"])),
            "change": change @ change.T,
            "cell": torch.eye(len(f[self.letters]), dtype=f.dtype),
        }
        total = torch.zeros_like(self.distance)
        for term in TERMS:
            product = torch.exp(theta[" x ".join(term)]) * parts[term[0]]
            for factor in term[1:]:
                product = product * parts[factor]
            total = total + product
        return total


def surroundings(descriptors: Tensor) -> Tensor:
    """(L, 2 F') of the letters (L, F) of a sequence: means of what stands around each, without itself."""
    length = len(descriptors)
    step = torch.arange(length, dtype=descriptors.dtype)
    parts = []
    for width in WIDTHS:
        weight = torch.exp(-0.5 * ((step[:, None] - step) / width).square()).fill_diagonal_(0)
        weight = weight / weight.sum(1, keepdim=True).clamp(min=1e-12)
        parts.append(weight @ descriptors[:, :SURROUNDINGS])
    around = torch.cat(parts, dim=1)
    return (around - around.mean(0)) / around.std(0, correction=0).clamp(min=1e-3)


def joint(g: Tensor, left: Tensor, right: Tensor, theta: Mapping[str, Tensor]) -> Tensor:
    """The whole kernel from additive covariances g (N, S), and those of rows with themselves (N,), (S,)."""
    distance = (left[:, None] + right - 2 * g).clamp(min=0)
    bumps = torch.exp(theta["joint"] - 0.5 * distance * torch.exp(-theta["joint_length"]))
    return 1.0 + g + bumps


class KernelNet(nn.Module):
    """Strands (N, V, L) of which the first counts -> (M, N, K): kernel with the training rows times weights.

    ``num_cells`` cells of the one-hot and ``support`` training rows.
    """

    BY_MEMBER: ClassVar[tuple[str, ...]] = ("weight", "bias")

    cells: Tensor
    covariance: Tensor
    rows: Tensor
    own: Tensor
    joint: Tensor
    joint_length: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, members: int, num_cells: int, support: int, num_out: int) -> None:
        super().__init__()
        self.register_buffer("cells", torch.zeros(num_cells, dtype=torch.long))
        self.register_buffer("covariance", torch.zeros(num_cells, num_cells))
        self.register_buffer("rows", torch.zeros(num_cells, support))
        self.register_buffer("own", torch.zeros(support))
        self.register_buffer("joint", torch.zeros(()))
        self.register_buffer("joint_length", torch.zeros(()))
        self.register_buffer("weight", torch.zeros(members, support, num_out))
        self.register_buffer("bias", torch.zeros(members, 1, num_out))

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
        theta = {"joint": self.joint, "joint_length": self.joint_length}
        return joint(u @ self.rows, own, self.own, theta)
