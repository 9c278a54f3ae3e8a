"""The covariance of effects of substitutions."""

from __future__ import annotations

import torch

from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.ensembles.kernel import NAMES, TERMS, CellKernel, named
from seqdesign.sequences.alphabets import get_alphabet

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
