"""Random numbers by (seed, purpose, numbers), drawn on the device that needs them.

On CPUs a seed means what it always meant. On GPUs it means the same on every GPU of one kind, but not what it
means on a CPU: bringing each number over would cost more than the work that needs it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator


def key(seed: int, purpose: str, *numbers: int) -> int:
    """63 bits that depend on the seed, the purpose and the numbers alone."""
    words = np.random.SeedSequence([seed, *purpose.encode(), *numbers]).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


def generator(seed: int, device: torch.device | str = "cpu") -> Generator:
    """A generator of a device with this seed."""
    return Generator(device=device).manual_seed(seed)
