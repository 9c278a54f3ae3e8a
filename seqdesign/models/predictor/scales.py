"""Offsets and scales of assays or plates, as a model keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.tasks.values import Sided


@dataclass(frozen=True)
class Batches:
    """What was learned of the batches: ``offsets`` and ``scales`` of each, by outcome.

    A value of a batch is offset + scale x value on the common scale, which is that of ``reference``.
    """

    column: str
    reference: str
    names: tuple[str, ...]
    offsets: tuple[tuple[float, ...], ...]
    """(B, K)."""
    scales: tuple[tuple[float, ...], ...]

    def says(self) -> str:
        """In words, for one outcome with the numbers."""
        text = f"{len(self.names)} of '{self.column}', on the scale of {self.reference}"
        if len(self.offsets[0]) > 1 or len(self.names) > 8:
            return text
        told = (
            f"{name} {offset:+.3g} x {scale:.3g}"
            for name, (offset,), (scale,) in zip(self.names, self.offsets, self.scales, strict=True)
        )
        return f"{text} ({', '.join(told)})"

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Batches:
        """Of a model's folder. Raises KeyError, TypeError or ValueError for a record of another make."""
        tables = ([tuple(map(float, row)) for row in record[name]] for name in ("offsets", "scales"))
        offsets, scales = map(tuple, tables)
        return cls(str(record["column"]), str(record["reference"]), tuple(record["names"]), offsets, scales)

    def common(self, values: Sequence[float], cells: Sequence[str], k: int) -> list[float]:
        """Values (N,) of outcome k on the common scale; NaN for a batch that is not known."""
        place = {name: i for i, name in enumerate(self.names)}
        found = []
        for value, cell in zip(values, cells, strict=True):
            b = place.get(cell.strip())
            moved = float("nan") if b is None else (float(value) - self.offsets[b][k]) / self.scales[b][k]
            found.append(value.moved(moved) if isinstance(value, Sided) else moved)
        return found

    def apply(self, outcomes: Outcomes, batch: NDArray[np.int64]) -> Outcomes:
        """Outcomes on the common scale; ``batch`` (N,) are places in ``names``."""
        offset, scale = np.array(self.offsets)[batch], np.array(self.scales)[batch]
        sigma = None if outcomes.sigma is None else outcomes.sigma / scale
        return replace(outcomes, values=(outcomes.values - offset) / scale, sigma=sigma)
