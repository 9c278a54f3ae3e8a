"""What single attribution methods promise beyond the contract: brute force, completeness, correction."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdesign.attribution import effects
from seqdesign.attribution.effects import centred, contributions
from seqdesign.attribution.methods.gradient import gradient
from seqdesign.attribution.methods.integrated_gradients import integrated_gradients
from seqdesign.attribution.methods.mutagenesis import mutagenesis
from seqdesign.oracles.motif import MotifOracle
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode, one_hot

DNA = get_alphabet("dna")


def sequences(num: int, length: int) -> Tensor:
    tokens = torch.randint(4, (num, length), generator=torch.Generator().manual_seed(num))
    return torch.nn.functional.one_hot(tokens, 4).mT.double()


def network(length: int) -> torch.nn.Module:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv1d(4, 8, 3), torch.nn.SiLU(), torch.nn.Flatten(), torch.nn.Linear(8 * (length - 2), 2)
    )
    return net.double()


def brute_force(net: torch.nn.Module, x: Tensor) -> Tensor:
    """Every letter at every position of every sequence, one call each."""
    found = torch.empty(2, *x.shape, dtype=torch.float64)
    for n in range(len(x)):
        for i in range(x.shape[2]):
            for v in range(4):
                mutant = x[n : n + 1].clone()
                mutant[0, :, i] = torch.eye(4, dtype=torch.float64)[v]
                found[:, n, v, i] = net(mutant)[0]
    return found - found.mean(2, keepdim=True)


@torch.no_grad()
def test_mutagenesis_equals_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = network(6), sequences(3, 6)
    wanted = brute_force(net, x)
    for cells in (6, 100, 1 << 15):  # blocks of one, some and all mutants
        monkeypatch.setattr(effects, "_CELLS", cells)
        torch.testing.assert_close(mutagenesis(lambda x: net(x).T, x), wanted)


def test_the_gradient_is_that_of_finite_differences_without_its_mean() -> None:
    net, x = network(5), sequences(1, 5)
    found = gradient(lambda x: net(x).T, x)
    step = 1e-5
    for v, i in ((0, 0), (3, 2), (1, 4)):
        shifted = x.repeat(2, 1, 1)
        shifted[:, :, i] -= step / 4 * torch.tensor([[1.0], [-1.0]]).double()
        shifted[:, v, i] += step * torch.tensor([1.0, -1.0]).double()
        up, down = net(shifted).detach()
        torch.testing.assert_close(found[:, 0, v, i], (up - down) / (2 * step), rtol=1e-5, atol=1e-7)


def test_the_correction_takes_away_what_no_sequence_can_show() -> None:
    """A network that adds the same to all letters of a position scores all sequences the same."""
    slopes = torch.ones(1, 1, 4, 3) * torch.tensor([1.0, -2.0, 5.0])
    assert not centred(slopes).any()


def test_integrated_gradients_sum_to_the_score_less_that_of_the_uniform_start() -> None:
    net, x = network(6), sequences(4, 6)
    sums = contributions(integrated_gradients(lambda x: net(x).T, x), x).sum(2)
    with torch.no_grad():
        wanted = (net(x) - net(torch.full((1, 4, 6), 0.25, dtype=torch.float64))).T
    torch.testing.assert_close(sums, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", [gradient, integrated_gradients, mutagenesis])
def test_the_sum_over_sites_of_a_motif_is_explained_by_its_weights(method: effects.Method) -> None:
    weights = torch.tensor([[1.0, -1.0, 0.5, 0.0], [0.0, 2.0, -2.0, 1.0]])
    oracle = MotifOracle(weights, alphabet=DNA, pool="sum")
    x = one_hot(torch.from_numpy(encode(["ACGTTA"], DNA).tokens.astype("int64")), DNA).float()
    found = method(lambda x: oracle(x)[..., 0], x)[0, 0].T
    first, second = (w - w.mean() for w in weights)
    wanted = torch.stack([first, *[first + second] * 4, second])
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_scores_of_infeasible_sequences_are_unknown() -> None:
    def score(x: Tensor) -> Tensor:
        return torch.where(x[:, 3].sum(1) > 0, -torch.inf, x[:, 0].sum(1))[None]  # no T is allowed

    x = torch.nn.functional.one_hot(torch.tensor([[0, 1]]), 4).mT.double()
    found = mutagenesis(score, x)
    assert found[0, 0, 3].isnan().all()
    assert found[0, 0, :3, 0].tolist() == pytest.approx([2 / 3, -1 / 3, -1 / 3])
    assert contributions(found, x)[0, 0].tolist() == pytest.approx([2 / 3, -1 / 3])
