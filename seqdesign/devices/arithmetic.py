"""How a device multiplies, and runs recurrent networks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn


def use_matrix_units(device: torch.device) -> None:
    """Let a GPU's matrix units take 32-bit products (TF32: 10 bits of mantissa, sums in 32).

    Networks of this size learn and predict the same with it (benchmarks/speed/gpu.py shows figures of quality
    beside the times). It also is what PyTorch and Lightning ask users for in a message. CPUs are left as they
    are.
    """
    if device.type != "cuda":
        return
    if (before := _multiply("high")) != "highest":
        _multiply(before)  # somebody has chosen


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Inside, a GPU's 32-bit products keep their 24 bits, for sums of large terms that nearly cancel.

    Those of a Gaussian process do: with 11 bits its predictions were .01 standard deviations off in a
    simulation, with 24 bits .00002.
    """
    before = _multiply("highest") if device.type == "cuda" else None
    try:
        yield
    finally:
        if before is not None:
            _multiply(before)


def _multiply(precision: str) -> str:
    """Set how 32-bit products are computed; how they were before."""
    with warnings.catch_warnings():
        # From torch 2.9 on, this interface tells of a newer one, which earlier versions lack.
        warnings.filterwarnings("ignore", "Please use the new API settings to control TF32")
        before = torch.get_float32_matmul_precision()
        if before != precision:
            torch.set_float32_matmul_precision(precision)
    return before


def run_recurrent(net: nn.RNNBase, *given: Tensor | tuple[Tensor, ...]) -> Any:
    """``net(*given)``, with a gradient in evaluation as well, wherever it is.

    cuDNN has gradients of recurrent networks in training mode only ("cudnn RNN backward can only be called in
    training mode"), so who climbs the gradient of a trained model takes torch's own kernels.
    """
    before: bool = torch.backends.cudnn.enabled
    torch.backends.cudnn.enabled = before and (net.training or not torch.is_grad_enabled())
    try:
        return in_32_bits(net, *given)
    finally:
        torch.backends.cudnn.enabled = before


def in_32_bits(call: Callable[..., Any], *given: Tensor | tuple[Tensor, ...]) -> Any:
    """``call(*given)`` without a GPU's autocast, for recurrent networks and their cells.

    Of these autocast makes float16, whatever type it is asked for (``AutocastRNN.cpp`` of PyTorch), and small
    gradients are 0 there.
    """
    if not torch.is_autocast_enabled("cuda"):
        return call(*given)
    with torch.autocast("cuda", enabled=False):
        return call(*(x.float() if isinstance(x, Tensor) else tuple(t.float() for t in x) for x in given))


def running_sum(x: Tensor, dim: int) -> Tensor:
    """``x.cumsum(dim)``, on a GPU with deterministic algorithms term by term.

    A GPU's own sums add up in an order that may differ from run to run, so torch refuses them where
    ``torch.use_deterministic_algorithms`` asks for what is equal. One addition a letter: axes are short here.
    """
    if x.device.type == "cpu" or not torch.are_deterministic_algorithms_enabled():
        return x.cumsum(dim)
    return torch.stack(list(accumulate(x.unbind(dim))), dim)
