"""Designs as records: their FASTA headers, table rows and summary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from seqdesign.design.promise import Promise
from seqdesign.sequences.fasta import Record, format_fields

Status = Literal["ok", "unconfirmed", "extrapolates", "unusual", "rejected"]


@dataclass(frozen=True, kw_only=True)
class Design:
    """One design. Scores are of the objective, outcomes in the user's units."""

    id: str
    status: Status
    reason: str | None
    """Why it is not ``ok``, as ``RULE: what``; several are separated by semicolons."""
    parent: str | None
    original: str | None
    sequence: str
    score: float
    """By the judges; without any, by the members that designed it."""
    score_low: float | None
    """Lower bound of the judges, by which designs are ranked: nine in ten should be better."""
    score_start: float
    """``score`` of the sequence that it is compared with: its parent, or typical training sequences."""
    score_design: float
    """By the members that designed it: biased, since the search climbed their mistakes too."""
    confidence: float | None
    """Share of the gain claimed by the members that designed that the judges confirm, 0 to 1."""
    doubt: float | None
    """Probability, by the judges, that less than half of the gain of ``score`` is real."""
    open_end: str | None
    """Outcomes whose interval is open, because measurements end abruptly there, and where."""
    soft_gap: float | None
    """Score of the relaxed sequence less that of the decoded one."""
    outcomes: Mapping[str, float | None]
    """Predictions with standard deviation and interval, and what else the model says, by column."""
    edits: int | None
    edit_list: str | None
    evidence: str | None
    """Training sequences that have each edit, in the order of ``edit_list``: its letter at its place or,
    where places have no meaning, the rarest word around it."""
    least_evidence: int | None
    """The smallest of these numbers; from noise that over all letters."""
    variant: str | None = None
    """The changes against the wild type, where one is known: A42G:T50S."""
    first_position: int = 1
    """Number of the first letter, in ``edit_list`` and ``variant``."""
    front: bool | None = None
    """Whether no other design is better in one objective and as good in all others."""

    def fasta(self) -> Record:
        """The FASTA record."""
        values = {
            "parent": self.parent,
            "status": self.status,
            "score": self.score,
            "score_low": self.score_low,
            "score_start": self.score_start,
            "score_design": self.score_design,
            **self.outcomes,
            "confidence": self.confidence,
            "doubt": self.doubt,
            "open_end": self.open_end,
            "soft_gap": self.soft_gap,
            "edits": self.edits,
            "edit_list": self.edit_list or None,
            "variant": self.variant,
            "first_position": self.first_position if self.first_position != 1 else None,
            "evidence": self.evidence or None,
            "least_evidence": self.least_evidence,
            "front": None if self.front is None else str(self.front).lower(),
            "reason": self.reason,
        }
        shown = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in values.items() if v is not None}
        return Record(self.id, format_fields(shown), self.sequence)

    def row(self) -> dict[str, Any]:
        """The table row."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "outcomes"}
        first = {name: plain.pop(name) for name in ("id", "status", "reason", "parent", "sequence", "score")}
        return {**first, **self.outcomes, **plain}


class Range(NamedTuple):
    """From ``low`` to ``high``."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class DesignSummary:
    """A set of designs in numbers."""

    designs: int
    """Delivered, those that something speaks against included."""
    unconfirmed: int
    extrapolates: int
    unusual: int
    rejected: int
    missing: int
    """Wanted, but no further distinct design was found."""
    objective: str
    mean_score: float
    best_score: float
    mean_score_start: float
    mean_score_design: float
    """By the members that designed: biased."""
    mean_confidence: float | None
    mean_soft_gap: float | None
    mean_edits: float | None
    judges: Mapping[str, float]
    """Weight of each kind of judge; empty without training data to judge by."""
    measured: Mapping[str, Range]
    """Least and largest training value of each outcome, by column."""
    noise: Mapping[str, float]
    """Standard deviation of a measurement of each outcome, as the judges estimate it."""
    promise: Promise | None
    """What can be promised of the mean of the designs that nothing speaks against."""
    hypervolume: float | None
    """Of the front, over the reference, with several objectives and --pareto."""
    queries: int
    """Sequences that the oracle was asked for."""
    constraints: tuple[str, ...]
    """As typed; every design was checked against each of them once more."""
    stop: Mapping[str, int]
    """How often a run ended for which reason."""
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """What a person reads."""
        scores = f"score {self.mean_score:.4g} on average and {self.best_score:.4g} at best"
        if self.judges and self.designs > 1 and math.isclose(self.mean_score, self.best_score, rel_tol=1e-6):
            # Different designs are equal where no measurement bears out more than that of the best rows.
            scores = f"score {self.best_score:.4g} each, as far as measurements go; the likelier better first"
        scores += f" ({self.objective})"
        lines = [f"designs: {self.designs:,}, {scores}, from {self.mean_score_start:.4g}"]
        if self.mean_confidence is not None:
            lines.append(
                f"judges: {self.mean_confidence:.0%} of the gain confirmed; the members that designed "
                "predict "
                f"{self.mean_score_design:.4g} on average, which is biased"
            )
            flagged = {"unconfirmed": self.unconfirmed, "beyond the data": self.extrapolates}
            flagged["unusual"] = self.unusual
            lines.append("flagged: " + ", ".join(f"{count:,} {name}" for name, count in flagged.items()))
        for key, span in self.measured.items():
            noise = f", noise about {self.noise[key]:.2g}" if key in self.noise else ""
            lines.append(f"measured in training: {key} {span.low:.4g} to {span.high:.4g}{noise}")
        if self.promise is not None:
            lines.append(self.promise.text())
        if self.constraints:
            lines.append(f"constraints: {', '.join(self.constraints)}; all designs obey them")
        if self.mean_edits is not None:
            lines.append(f"edits: {self.mean_edits:.2f} on average")
        if self.hypervolume is not None:
            lines.append(
                "trade-off: the volume of outcomes that the designs of the Pareto front are better than is "
                f"{self.hypervolume:.4g} (hypervolume)"
            )
        lines.append(f"oracle: {self.queries:,} sequences scored")
        if self.rejected:
            lines.append(f"rejected: {self.rejected:,} (--table says why)")
        return lines
