"""CPUs multiply as ever; GPUs use their matrix units, and recurrent networks have gradients on both."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from seqdesign.devices.arithmetic import run_recurrent, use_matrix_units


def test_only_gpus_are_told(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    said: list[str] = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", said.append)
    use_matrix_units(torch.device("cpu"))
    assert said == []
    use_matrix_units(torch.device("cuda"))
    assert said == ["high"]


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
