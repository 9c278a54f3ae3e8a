"""Which device a name means."""

from __future__ import annotations

import warnings

import pytest
import torch

from seqdesign.errors import UsageError
from seqdesign.testing.simulated_gpu import SimulatedGPU
from seqdesign.training.device import AUTO, choose_device, computing


def test_auto_is_the_first_gpu_or_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(AUTO)
    with SimulatedGPU():
        assert choose_device("auto") == choose_device("cuda") == torch.device("cuda", 0)
        monkeypatch.setenv(AUTO, "cpu")
        assert choose_device("auto") == torch.device("cpu")
        assert choose_device("cuda:0") == torch.device("cuda", 0), "what is named goes first"
        with pytest.raises(UsageError, match=r"cuda:1 is not available here \(1 GPUs seen\)"):
            choose_device("cuda:1")
        with computing("cuda", None) as device:
            assert device == torch.device("cuda", 0)
            assert torch.get_float32_matmul_precision() == "high"


def test_a_driver_that_is_too_old_is_no_warning_but_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable() -> bool:
        warnings.warn(
            "CUDA initialization: The NVIDIA driver on your system is too old (found version 1). Please "
            "update your GPU driver", UserWarning, stacklevel=1,
        )  # fmt: skip
        return False

    monkeypatch.setattr(torch.cuda, "is_available", unavailable)
    monkeypatch.delenv(AUTO)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(UsageError, match=r"0 GPUs seen; CUDA initialization: The NVIDIA driver .* too old"):
        choose_device("cuda")


@pytest.mark.parametrize("name", ["gpu", "auto", "cuda:", "cpu "])
def test_an_environment_that_names_no_device_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(AUTO, name)
    with pytest.raises(UsageError, match=f"{AUTO} must be cpu, cuda, cuda:INDEX or mps, got '{name}'"):
        choose_device("auto")
