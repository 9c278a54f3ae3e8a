"""How predictions agree with measured values, in running sums: memory does not grow with the file."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

BINS = 4096
"""Bins of probabilities, evenly spaced in log-odds; ties within one count half."""
FURTHEST = 16.0
"""Log-odds beyond which probabilities are told apart no more."""


@dataclass(frozen=True)
class Figures:
    """None where it means nothing: R2 and Pearson's r are of numbers, AUROC and accuracy of labels."""

    num: int
    r2: float | None = None
    pearson: float | None = None
    auroc: float | None = None
    accuracy: float | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    """Of a task of its own, by name."""

    def text(self) -> str:
        """Such as ``R2 0.912, Pearson 0.957``; empty where there is no figure."""
        figures = {"R2": self.r2, "Pearson": self.pearson, "AUROC": self.auroc, "accuracy": self.accuracy}
        figures |= self.others
        return ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if value is not None)


class Agreement(ABC):
    """Pairs of a measured and a predicted value, one by one."""

    @abstractmethod
    def add(self, measured: float, predicted: float) -> None:
        """One more pair."""

    @abstractmethod
    def figures(self) -> Figures:
        """Of the pairs so far."""


@dataclass
class NumberAgreement(Agreement):
    """Of numbers."""

    n: int = 0
    mean: list[float] = field(default_factory=lambda: [0.0, 0.0])
    products: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    squared_error: float = 0.0

    def add(self, measured: float, predicted: float) -> None:
        """Running means and products (Welford 1962)."""
        self.n += 1
        before = (measured - self.mean[0], predicted - self.mean[1])
        self.mean = [m + d / self.n for m, d in zip(self.mean, before, strict=True)]
        after = (measured - self.mean[0], predicted - self.mean[1])
        terms = (before[0] * after[0], before[1] * after[1], before[0] * after[1])
        self.products = [p + t for p, t in zip(self.products, terms, strict=True)]
        self.squared_error += (measured - predicted) ** 2

    def figures(self) -> Figures:
        """R2 and Pearson's r."""
        yy, ff, yf = self.products
        if self.n < 2 or yy <= 0:
            return Figures(self.n)
        pearson = yf / math.sqrt(yy * ff) if ff > 0 else None
        return Figures(self.n, 1 - self.squared_error / yy, pearson)


@dataclass
class ClassAgreement(Agreement):
    """Of places among classes."""

    n: int = 0
    right: int = 0

    def add(self, measured: float, predicted: float) -> None:
        """One more pair."""
        self.n += 1
        self.right += measured == predicted

    def figures(self) -> Figures:
        """Accuracy."""
        return Figures(self.n, accuracy=self.right / self.n if self.n else None)


@dataclass
class BinaryAgreement(Agreement):
    """Of 0 or 1 and the probability of 1."""

    n: int = 0
    right: int = 0
    counts: list[list[int]] = field(default_factory=lambda: [[0] * BINS, [0] * BINS])
    """Of label 0 and of label 1, by bin of the probability."""

    def add(self, measured: float, predicted: float) -> None:
        """One more pair."""
        self.n += 1
        self.right += (predicted > 0.5) == (measured == 1)
        self.counts[int(measured == 1)][_bin(predicted)] += 1

    def figures(self) -> Figures:
        """AUROC and accuracy."""
        return Figures(self.n, auroc=self._auroc(), accuracy=self.right / self.n if self.n else None)

    def _auroc(self) -> float | None:
        """P(probability of a 1 > probability of a 0), ties counted half; None unless both occur."""
        negatives, positives = (sum(counts) for counts in self.counts)
        if not negatives or not positives:
            return None
        below, area = 0, 0.0
        for zeros, ones in zip(*self.counts, strict=True):
            area += ones * (below + zeros / 2)
            below += zeros
        return area / (negatives * positives)


def _bin(probability: float) -> int:
    inside = min(max(probability, 1e-12), 1 - 1e-12)
    odds = math.log(inside) - math.log1p(-inside)
    place = (odds + FURTHEST) / (2 * FURTHEST)
    return min(BINS - 1, max(0, int(place * BINS)))
