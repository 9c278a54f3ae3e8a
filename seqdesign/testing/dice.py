"""The global random generators, which nothing here may move."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def dice_state() -> tuple[Any, ...]:
    """States of the global generators of torch, NumPy and Python, to be compared with ``==``."""
    legacy: Any = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().tolist(), legacy[1].tolist(), random.getstate()
