"""How a device multiplies."""

from __future__ import annotations

import torch


def use_matrix_units(device: torch.device) -> None:
    """Let a GPU's matrix units take 32-bit products (TF32: 10 bits of mantissa, sums in 32).

    Networks of this size learn and predict the same with it (benchmarks/speed/gpu.py shows figures of quality
    beside the times). It also is what PyTorch and Lightning ask users for in a message. CPUs are left as they
    are.
    """
    if device.type == "cuda" and torch.get_float32_matmul_precision() == "highest":
        torch.set_float32_matmul_precision("high")
