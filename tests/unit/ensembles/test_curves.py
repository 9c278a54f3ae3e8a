"""Curves of a predictor: what numpy says of them, gradients, order, and members on their own."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch

from seqdesign.ensembles.curves import Bend, Curves
from seqdesign.ensembles.model import SequencePredictor
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.metrics.monotone import Curve
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary, one_hot
from seqdesign.testing.simulated_gpu import SimulatedGPU

DNA = get_alphabet("dna")
SLOPES = (0.1, 1.5, 0.2)
KNOTS = (-1.0, 0.5, 1.0)
VALUES = (-0.5, 0.7, 1.125)
CURVE = Curve(KNOTS, VALUES, SLOPES, 0.1, 0.2)


def make(num_scores: int, curves: tuple[Curve | None, ...]) -> SequencePredictor:
    torch.manual_seed(0)
    options = PredictorOptions(members=3, task="regression", strands="one", architecture="ridge")
    model = SequencePredictor(
        options, Vocabulary(DNA), 6, num_scores=num_scores, curves=curves,
        outcome_mean=tuple(3.0 + k for k in range(num_scores)), outcome_scale=(2.0,) * num_scores,
    )  # fmt: skip
    model.net.weight.normal_()
    return model.eval()


def some(n: int) -> torch.Tensor:
    tokens = torch.randint(4, (n, 6), generator=torch.Generator().manual_seed(0))
    return one_hot(tokens, DNA)


def test_torch_and_numpy_agree_and_the_gradient_is_the_slope() -> None:
    x = torch.linspace(-3, 3, 601, dtype=torch.float64, requires_grad=True)
    found = Bend(CURVE).double()(x)
    np.testing.assert_allclose(found.detach().numpy(), CURVE(x.detach().numpy()), atol=1e-6)
    found.sum().backward()
    assert x.grad is not None
    steps = np.gradient(CURVE(x.detach().numpy()), x.detach().numpy())
    smooth = np.ones(601, dtype=bool)
    smooth[[i for knot in KNOTS for i in range(601) if abs(x[i].item() - knot) < 0.02]] = False
    np.testing.assert_allclose(x.grad.numpy()[smooth], steps[smooth], atol=1e-3)
    assert x.grad.min() > 0


def test_each_outcome_has_its_own_and_order_stays() -> None:
    plain, bent, x = make(2, ()), make(2, (None, CURVE)), some(200)
    before, after = plain(x), bent(x)
    torch.testing.assert_close(before[..., 0], after[..., 0])
    expected = 4.0 + 2.0 * CURVE(((before[..., 1] - 4.0) / 2.0).numpy())
    np.testing.assert_allclose(after[..., 1].numpy(), expected, atol=1e-5)
    assert not torch.allclose(before[..., 1], after[..., 1], atol=0.1)
    for one, other in zip(before[..., 1], after[..., 1], strict=True):
        assert torch.equal(one.argsort(), other.argsort())
    torch.testing.assert_close(bent.only([2])(x), after[2:])
    torch.testing.assert_close(bent.raw(x, None), plain.raw(x, None))


def test_gradients_reach_the_letters() -> None:
    model, x = make(1, (CURVE,)), some(20).requires_grad_()
    model(x).sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().amax((1, 2)) > 0).all()


def test_weights_have_no_curve_and_one_is_needed_for_each_outcome() -> None:
    assert make(1, (CURVE,)).state_dict().keys() == make(1, ()).state_dict().keys()
    with pytest.raises(ValueError, match="1 curves for 2 outcomes"):
        make(2, (CURVE,))
    model = make(2, (None, CURVE))
    model.bend(())
    torch.testing.assert_close(model(some(5)), make(2, ())(some(5)))


@pytest.mark.device
def test_a_gpu_computes_it_and_the_host_waits_for_nothing() -> None:
    device, x = torch.device("cuda", 0), torch.randn(3, 5, 2)
    expected = Curves((None, CURVE))(x)
    real = torch.cuda.is_available()
    with contextlib.nullcontext() if real else SimulatedGPU() as gpu:
        there = x.to(device).requires_grad_()
        found = Curves((None, CURVE)).to(device)(there)
        found.sum().backward()
        assert there.grad is not None
        assert {found.device, there.grad.device} == {device}
        if gpu is not None:
            assert gpu.waits.total() == 0
        torch.testing.assert_close(found.detach().cpu(), expected)
