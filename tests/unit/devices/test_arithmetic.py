"""CPUs multiply as ever; GPUs use their matrix units, and recurrent networks have gradients on both."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import nn

from seqdesign.devices.arithmetic import full_precision, run_recurrent, use_matrix_units
from seqdesign.ensembles.kernel import KernelNet
from seqdesign.testing.simulated_gpu import DEVICE, SimulatedGPU


def test_only_gpus_are_told(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    said: list[str] = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", said.append)
    use_matrix_units(torch.device("cpu"))
    assert said == []
    use_matrix_units(torch.device("cuda"))
    assert said == ["high"]


def test_full_precision_ends_where_it_began_and_what_a_user_chose_stays() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        for chosen in ("highest", "medium"):
            torch.set_float32_matmul_precision(chosen)
            use_matrix_units(torch.device("cuda"))
            outside = torch.get_float32_matmul_precision()
            assert outside == ("high" if chosen == "highest" else chosen)
            with pytest.raises(ZeroDivisionError), full_precision(torch.device("cuda")):
                assert torch.get_float32_matmul_precision() == "highest"
                raise ZeroDivisionError
            assert torch.get_float32_matmul_precision() == outside
            with full_precision(torch.device("cpu")):
                assert torch.get_float32_matmul_precision() == outside
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_gaussian_process_multiplies_in_full_precision_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    if torch.cuda.is_available():
        pytest.skip("it is about the simulated GPU")
    seen: list[str] = []
    plain = torch.einsum
    monkeypatch.setattr(
        torch, "einsum", lambda *a: (seen.append(torch.get_float32_matmul_precision()), plain(*a))[1]
    )
    net = KernelNet(2, 3, 4, 1, 6, torch.zeros(4, 3))
    with SimulatedGPU():
        use_matrix_units(there := torch.device("cuda", 0))
        net.to(there).of_cells(torch.ones(5, 3, device=there))
        assert torch.get_float32_matmul_precision() == "high"
    assert seen == ["highest"]


def test_what_torch_says_of_its_interfaces_is_not_passed_on(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    def told() -> str:
        warnings.warn("Please use the new API settings to control TF32 behavior", UserWarning, stacklevel=1)
        return "high"

    monkeypatch.setattr(torch, "get_float32_matmul_precision", told)
    use_matrix_units(torch.device("cuda"))
    assert not recwarn.list


@pytest.mark.parametrize(
    ("training", "gradient", "with_cudnn"),
    [(True, True, True), (False, True, False), (True, False, True), (False, False, True)],
)
def test_cudnn_is_left_out_where_it_has_no_gradient(
    training: bool, gradient: bool, with_cudnn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    net, x = nn.GRU(2, 3).train(training), torch.ones(1, 4, 2)
    whole = net.forward
    monkeypatch.setattr(net, "forward", lambda *a: (seen.append(torch.backends.cudnn.enabled), whole(*a))[1])
    with torch.set_grad_enabled(gradient):
        found = run_recurrent(net, x)
    assert seen == [with_cudnn]
    assert torch.backends.cudnn.enabled
    assert torch.equal(found[0], whole(x)[0])


@pytest.mark.parametrize("make", [nn.GRU, nn.LSTM])
def test_recurrent_networks_are_left_out_of_a_gpu_s_autocast(make: Any) -> None:
    """It would make float16 of them, where bfloat16 was asked for."""
    if torch.cuda.is_available():
        pytest.skip("it is about the simulated GPU")
    seen: list[bool] = []
    net, x = make(2, 3, batch_first=True), torch.ones(1, 4, 2)
    net.register_forward_pre_hook(lambda *_: seen.append(torch.is_autocast_enabled("cuda")))
    state = torch.full((1, 1, 3), 0.5)
    memory = state if make is nn.GRU else (state, state)
    with torch.no_grad():
        plain = run_recurrent(net, x, memory)[0]
    with SimulatedGPU():
        there = net.to(DEVICE)
        low = state.to(DEVICE).bfloat16()
        with torch.autocast("cuda", torch.bfloat16):
            found = run_recurrent(there, x.to(DEVICE).bfloat16(), low if make is nn.GRU else (low, low))[0]
            assert torch.is_autocast_enabled("cuda")
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.detach().cpu(), plain)
    assert seen == [False, False]
