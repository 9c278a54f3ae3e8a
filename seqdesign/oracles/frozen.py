"""Networks evaluated as they would be in use, and left as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Inside, the modules are in evaluation mode and their parameters get no gradients; then as before."""
    parts = [part for module in modules for part in module.modules()]
    training = [part for part in parts if part.training]
    learning = [p for module in modules for p in module.parameters() if p.requires_grad]
    # Not .eval(): exported programs refuse to be asked.
    for part in training:
        part.training = False
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for part in training:
            part.training = True
        for parameter in learning:
            parameter.requires_grad_(True)
