"""The covariance of effects of substitutions."""

from __future__ import annotations

import torch

from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.ensembles.kernel import NAMES, TERMS, CellKernel, named
from seqdesign.ensembles.kernel_fit import fit_kernel
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.tasks.by_name import get_task

PROTEIN = get_alphabet("protein")


def test_every_hyperparameter_of_the_cells_changes_their_covariance_in_its_own_way() -> None:
    rng = torch.Generator().manual_seed(0)
    common = torch.randint(20, (12,), generator=rng)
    places = torch.arange(12).repeat_interleave(4)
    letters = (common[places] + 1 + torch.randint(19, (48,), generator=rng)) % 20
    kernel = CellKernel(letters, places, common, letter_descriptors(PROTEIN))
    assert len(set(NAMES)) == len(NAMES)
    theta = kernel.start()
    before = kernel.covariance(named(theta))
    moved = theta + 0.1 * torch.eye(len(theta))
    changes = torch.stack([(kernel.covariance(named(one)) - before).flatten() for one in moved])
    elsewhere = [i for i, name in enumerate(NAMES) if name in ("noise", "joint", "joint_length")]
    inside = [i for i in range(len(theta)) if i not in elsewhere]
    assert (changes[elsewhere] == 0).all()
    alike = torch.corrcoef(changes[inside].double()).fill_diagonal_(0).abs()
    assert float(alike.max()) < 0.999
    assert len(inside) == len(TERMS) + 1 + 2 * 7


def test_a_covariance_is_one() -> None:
    common = torch.tensor([0, 5, 9])
    places = torch.arange(3).repeat_interleave(19)
    letters = torch.cat([torch.tensor([v for v in range(20) if v != c]) for c in common])
    kernel = CellKernel(letters, places, common, letter_descriptors(PROTEIN))
    found = kernel.covariance(named(kernel.start()))
    torch.testing.assert_close(found, found.T)
    assert float(torch.linalg.eigvalsh(found.double()).min()) > 0


def test_what_does_not_add_up_is_not_taken_for_noise() -> None:
    rng = torch.Generator().manual_seed(4)
    tokens = torch.randint(4, (700, 30), generator=rng)
    x = torch.nn.functional.one_hot(tokens, 4).transpose(1, 2).float()
    effects = 0.25 * torch.randn(4, 30, generator=rng)
    neighbours = torch.randn(4, 4, 10, generator=rng)
    y = (x * effects).sum((1, 2))
    y = y + 0.25 * torch.einsum("nul,nvl,uvl->n", x[:, :, :10], x[:, :, 1:11], neighbours)
    y = y + 0.5 * y.std() * torch.randn(700, generator=rng)
    y = ((y - y.mean()) / y.std())[:, None]
    judge = (torch.arange(700)[:, None] % 5 == torch.arange(5)).float()
    about = letter_descriptors(get_alphabet("dna"))
    net, *_ = fit_kernel(x, y, 1 - judge, judge, about, task=get_task("regression"), seed=0)
    assert float(named(net.theta)["joint_length"]) > 0
