"""How fast a training step can be on an H100, by arithmetic: nothing is measured on a GPU here.

    python benchmarks/speed/roofline.py [--only lm]

What a step dispatches is counted on a CPU. An operation takes as long as its products at 60% of the peak, as
the memory that it reads and writes, or as a kernel of a replayed CUDA graph, whichever is longest. Batches
that are too large for a CPU are extrapolated from two small ones, operation by operation. Recurrent networks
are unrolled on a CPU, while cuDNN has a few kernels for them, so their times are too long here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
from thread_speed import CASES, Made, gan, lm
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from seqdesign.training import loop
from seqdesign.training.config import FitOptions
from seqdesign.training.interrupt import Interrupt
from seqdesign.training.plan import Plan

PEAK = {"TF32": 495e12, "bf16": 989e12}
"""Dense products and sums a second (NVIDIA's data sheet, SXM)."""
REACHED, MEMORY, KERNEL = 0.6, 3.35e12, 1.5e-6
"""Share of the peak that large products reach; bytes a second; seconds of the smallest kernel of a graph."""
LARGE: dict[str, tuple[Callable[[], Made], int]] = {
    "lm transformer, 8 layers of 512, 200 letters": (
        lambda: lm(200, architecture="transformer", width=512, layers=8, heads=8), 512,
    ),
    "gan, 256 channels, 100 letters": (lambda: gan(100, channels=256), 1024),
}  # fmt: skip
"""How to make them, and the batch."""


class Work(TorchDispatchMode):
    """Floating-point operations and bytes of each operation that a GPU has a kernel for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[float, float]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view and func._schema.name not in ("aten::detach", "aten::_unsafe_view"):
            count = flop_registry.get(func._overloadpacket)
            flops = 0 if count is None else count(*args, **(kwargs or {}), out_val=out)
            self.found.append((float(flops), float(sum(map(_bytes, (args, out))))))
        return out


def _bytes(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    return sum(map(_bytes, value)) if isinstance(value, list | tuple) else 0


def work_of(made: Made, count: int) -> list[tuple[float, float]]:
    """Losses and gradients of all players on ``count`` rows; without optimizers."""
    model, data, plan = made
    data = data.first(count) if count < len(data) else data
    options = FitOptions()
    plan = plan or Plan.plain(model.players, options, len(data), data.typical_length)
    fabric = loop.make_fabric(options, torch.device("cpu"))
    run = loop._Run(
        model, data, data, count, plan, seed=0, fabric=fabric, hooks=loop.Hooks(), interrupt=Interrupt()
    )
    with Work() as work:
        run.try_a_step()
    return work.found


def extrapolated(make: Callable[[], Made], batch: int) -> list[tuple[float, float]]:
    """From 2 and 4 rows to a batch."""
    small, large = (work_of(make(), count) for count in (2, 4))
    assert len(small) == len(large), "a step of the same operations"
    times = (batch - 2) / 2
    return [
        (a[0] + times * (b[0] - a[0]), a[1] + times * (b[1] - a[1]))
        for a, b in zip(small, large, strict=True)
    ]


def line(name: str, work: list[tuple[float, float]]) -> str:
    """One line of the table."""
    cells = [f"{len(work):,}", f"{sum(flops for flops, _ in work) / 1e9:,.1f}"]
    for kind, peak in PEAK.items():
        share = 1.0 if kind == "TF32" else 0.5  # half the bytes
        times = [max(flops / peak / REACHED, share * size / MEMORY, KERNEL) for flops, size in work]
        reached = sum(flops for flops, _ in work) / sum(times) / peak
        cells.append(f"{1e3 * sum(times):.2f} ({reached:.1%})")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="steps with this in their name")
    arguments = parser.parse_args()
    print("| step, loss and gradient | operations | GFLOP | ms at least, TF32 (of the peak) | bf16 |")
    print("|---|---|---|---|---|")
    torch.manual_seed(0)
    for name, make in CASES.items():
        if arguments.only in name:
            made = make()
            print(line(name, work_of(made, len(made[1]))), flush=True)
    for name, (make, batch) in LARGE.items():
        if arguments.only in name:
            print(line(f"{name}, batch {batch}", extrapolated(make, batch)), flush=True)


if __name__ == "__main__":
    main()
