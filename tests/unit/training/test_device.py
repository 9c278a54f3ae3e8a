"""Which device a name means."""

from __future__ import annotations

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


@pytest.mark.parametrize("name", ["gpu", "auto", "cuda:", "cpu "])
def test_an_environment_that_names_no_device_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(AUTO, name)
    with pytest.raises(UsageError, match=f"{AUTO} must be cpu, cuda, cuda:INDEX or mps, got '{name}'"):
        choose_device("auto")
