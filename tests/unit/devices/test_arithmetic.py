"""CPUs multiply as ever; GPUs use their matrix units."""

from __future__ import annotations

import torch

from seqdesign.devices.arithmetic import use_matrix_units


def test_only_gpus_are_told(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    said: list[str] = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", said.append)
    use_matrix_units(torch.device("cpu"))
    assert said == []
    use_matrix_units(torch.device("cuda"))
    assert said == ["high"]
