"""Loss terms of a pass, kept on the device: the host reads them now and then, not after every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Fault:
    """The first term that was not a finite number."""

    name: str
    value: float
    step: int


class Tally:
    """Sums of terms by name, in double precision, and the first step at which one was not finite.

    Everything is changed in place, so that a recorded step can do it.
    """

    def __init__(self, names: Sequence[str], sums: dict[str, float], device: torch.device) -> None:
        self.names = tuple(names)
        # Apple's GPUs have no double precision.
        self.dtype = torch.float32 if device.type == "mps" else torch.float64
        start = [sums.get(name, 0.0) for name in names]
        self.sums = torch.tensor(start, dtype=self.dtype, device=device)
        self.bad = torch.zeros(len(names), dtype=torch.bool, device=device)
        self.value = torch.zeros(len(names), device=device)
        self.step = torch.zeros(len(names), dtype=torch.long, device=device)

    def add(self, values: Tensor, times: int, step: Tensor) -> None:
        """Values (K,) of the step ``step`` (), each counted ``times`` times."""
        self.sums.add_(values.to(self.dtype) * times)
        fresh = ~torch.isfinite(values) & ~self.bad
        self.value.copy_(torch.where(fresh, values, self.value))
        self.step.copy_(torch.where(fresh, step, self.step))
        self.bad.logical_or_(fresh)

    def read(self) -> dict[str, float]:
        """The sums."""
        return dict(zip(self.names, self.sums.tolist(), strict=True))

    def reset(self) -> None:
        """A new pass."""
        self.sums.zero_()

    def fault(self) -> Fault | None:
        """The earliest one, the first by order of the names."""
        bad = self.bad.tolist()
        if not any(bad):
            return None
        found = zip(self.step.tolist(), range(len(bad)), self.value.tolist(), bad, strict=True)
        step, place, value, _ = min(entry for entry in found if entry[3])
        return Fault(self.names[place], value, step)
