"""The scale on which judges think of outcomes: as they are, or as logarithms.

What is measured as a ratio or a concentration scatters in proportion to its size, and its causes multiply.
A judge that takes it as it is thinks that small values are measured as badly as large ones. Both scales are
tried on the measurements themselves; logarithms are taken where they make these clearly more probable, the
change of units counted in (compare warped Gaussian processes, Snelson et al. 2003).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

CLEARLY = 3.0
"""Gain in log probability from which logarithms are taken: odds of 20."""


@dataclass(frozen=True)
class Scale:
    """What is added (K,) before logarithms are taken; NaN: an outcome is taken as it is."""

    added: Tensor

    @property
    def logs(self) -> Tensor:
        """(K,): outcomes of which logarithms are taken."""
        return ~self.added.isnan()

    def into(self, values: Tensor) -> Tensor:
        """User's units (..., K) -> the judges' scale; what is too small for it is the least."""
        if not bool(self.logs.any()):
            return values
        return torch.where(self.logs, (values + self.added).clamp(min=self.least).log(), values)

    @property
    def least(self) -> Tensor:
        """(K,): what values and ``added`` never fall below; NaN without logarithms."""
        return self.added.clamp(min=1e-12)

    def out(self, values: Tensor) -> Tensor:
        """Inverse of ``into``."""
        if not bool(self.logs.any()):
            return values
        return torch.where(self.logs, values.exp() - self.added, values)

    def spread_into(self, mean: Tensor, sd: Tensor) -> Tensor:
        """Standard deviations in user's units around means (..., K) -> on the judges' scale."""
        if not bool(self.logs.any()):
            return sd
        share = sd / (mean + self.added).clamp(min=self.least)
        return torch.where(self.logs, torch.log1p(share.square()).sqrt(), sd)

    def spread_out(self, middle: Tensor, sd: Tensor) -> Tensor:
        """Standard deviations around medians (..., K) on the judges' scale -> in user's units."""
        if not bool(self.logs.any()):
            return sd
        share = (0.5 * sd.square()).exp() * torch.expm1(sd.square()).sqrt()
        return torch.where(self.logs, middle.exp() * share, sd)


def as_measured(values: Tensor) -> Scale:
    """Of outcomes (N, K) that are taken as they are."""
    return Scale(torch.full_like(values[0], torch.nan))


def ratios(values: Tensor) -> Scale:
    """Of outcomes (N, K), NaN unknown: logarithms wherever nothing is below zero.

    Half of the smallest value above zero is added where zero occurs.
    """
    known = ~values.isnan()
    lowest = values.masked_fill(~known, torch.inf).amin(0)
    smallest = values.masked_fill(~known | (values <= 0), torch.inf).amin(0)
    added = torch.where(lowest > 0, torch.zeros_like(lowest), 0.5 * smallest)
    return Scale(torch.where((lowest >= 0) & smallest.isfinite(), added, torch.nan))
