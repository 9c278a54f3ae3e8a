"""Designs and revisions as records: their FASTA headers, table rows and summaries."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from seqdesign.design.promise import Promise
from seqdesign.objectives.reading import Kind, Reading
from seqdesign.sequences.fasta import Record, format_fields
from seqdesign.sequences.origin import predicted_key
from seqdesign.sequences.scope import left_out

if TYPE_CHECKING:
    from seqdesign.models.vae.store import VAERecord

Status = Literal["ok", "unconfirmed", "extrapolates", "unusual", "rejected"]
RevisionStatus = Literal["revised", "unchanged", "infeasible", "violating", "unjudged"]


@dataclass(frozen=True, kw_only=True)
class Design:
    """One design. Scores are of the objective, a larger one being better; outcomes are in the user's units.

    Headers and tables say scores as `Reading` does.
    """

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
    kind: Kind = "score"
    """How headers and tables say the scores."""
    parts: Mapping[str, str] | None = None
    """The sequence as the columns that it was joined from, by name; empty texts where it cannot be cut."""

    def _said(self) -> dict[str, float | None]:
        """The scores as they are read."""
        reading = Reading(self.kind)
        scores = {
            self.kind: self.score,
            reading.bound: self.score_low,
            reading.start: self.score_start,
            reading.design: self.score_design,
        }
        return {key: None if score is None else reading.value(score) for key, score in scores.items()}

    def fasta(self) -> Record:
        """The FASTA record."""
        values = {
            "parent": self.parent,
            "status": self.status,
            **self._said(),
            **self.outcomes,
            "confidence": self.confidence,
            "doubt": self.doubt,
            "open_end": self.open_end,
            "soft_gap": self.soft_gap,
            **_edits(self),
            "front": None if self.front is None else str(self.front).lower(),
            "reason": self.reason,
        }
        shown = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in values.items() if v is not None}
        return Record(self.id, format_fields(shown), self.sequence)

    def row(self) -> dict[str, Any]:
        """The table row."""
        unsaid = {"outcomes", "kind", "parts", "score", "score_low", "score_start", "score_design"}
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in unsaid}
        said = self._said()
        first = {name: plain.pop(name) for name in ("id", "status", "reason", "parent", "sequence")}
        original = {"original": plain.pop("original")}
        parts = self.parts or {}
        first |= {f"{name}_part" if name in plain or name in first else name: parts[name] for name in parts}
        return {**first, self.kind: said.pop(self.kind), **self.outcomes, **original, **said, **plain}


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
    kind: Kind = "score"
    """How people are told the scores below."""
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
        reading = Reading(self.kind)
        value, name = reading.value, reading.name
        mean, best = value(self.mean_score), value(self.best_score)
        scores = f"{name} {mean:.4g} on average and {best:.4g} at best"
        if self.judges and self.designs > 1 and math.isclose(self.mean_score, self.best_score, rel_tol=1e-6):
            # Different designs are equal where no measurement bears out more than that of the best rows.
            scores = f"{name} {best:.4g} each, as far as measurements go; the likelier better first"
        scores += f" ({self.objective})"
        lines = [f"designs: {self.designs:,}, {scores}, from {value(self.mean_score_start):.4g}"]
        if self.mean_confidence is not None:
            lines.append(
                f"judges: {self.mean_confidence:.0%} of the gain confirmed; the members that designed "
                "predict "
                f"{value(self.mean_score_design):.4g} on average, which is biased"
            )
            flagged = {"unconfirmed": self.unconfirmed, "beyond the data": self.extrapolates}
            flagged["unusual"] = self.unusual
            lines.append("flagged: " + ", ".join(f"{count:,} {name}" for name, count in flagged.items()))
        for key, span in self.measured.items():
            noise = f", noise about {self.noise[key]:.2g}" if key in self.noise else ""
            lines.append(f"measured in training: {key} {span.low:.4g} to {span.high:.4g}{noise}")
        if self.promise is not None:
            lines.append(self.promise.text(reading))
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


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision of one input. Outcomes in the user's units, log-likelihoods in nats."""

    id: str
    """Of the input; with several revisions each, and its rank."""
    parent: str
    """Id of the input."""
    rank: int
    status: RevisionStatus
    original: str
    revised: str
    outcome_name: str = "outcome"
    """What the outcome is called; headers and tables say ``predicted_NAME``, as nothing was measured."""
    outcome_before: float
    """F(E(x0))."""
    measured_before: float | None = None
    """Measured value of the input: by its file, else the mean in the training data; None where unknown."""
    outcome_at_code: float | None
    """F(z*), at the code that the revision was decoded from."""
    outcome: float
    """F(E(x*)), after re-encoding: the prediction to believe."""
    delta: float
    loglik_before: float
    loglik: float
    loglik_change: float
    edits: int
    edit_list: str
    evidence: str | None
    """Training sequences that have each edit, in the order of ``edit_list``; None where that is not known."""
    least_evidence: int | None
    """The smallest of these numbers."""
    similarity: float | None = None
    """To the input, by --similarity; None without."""
    kappa2: float | None
    """Squared radius of the feasible ellipsoid in posterior standard deviations."""
    coverage: float | None
    """Mass of q(z|x0) inside it."""
    log_mode: float | None
    """log q at the posterior mean."""
    feasible: bool | None
    """Whether any code was feasible; None for methods without codes."""
    stop: str | None
    """Why the first ascent ended."""
    judged: float | None = None
    """Prediction by --judge; None without."""
    judged_low: float | None = None
    judged_high: float | None = None
    """95% interval of a measurement, by --judge; an end is None where measurements end abruptly."""
    variant: str | None = None
    """The changes against the wild type, where one is known: A42G:T50S."""
    first_position: int = 1
    """Number of the first letter, in ``edit_list`` and ``variant``."""
    violations: str = ""
    """Constraints that ``revised`` breaks, such as forbid:EcoRI@11-16;gc:0.4-0.6; never with "revised"."""
    reason: str | None = None
    """Why the model cannot judge the input, which is returned as it is; only with "unjudged"."""

    def fasta(self) -> Record:
        """The FASTA record."""
        values = {
            "status": self.status,
            "parent": self.parent if self.parent != self.id else None,
            (key := predicted_key(self.outcome_name)): self.outcome,
            f"{key}_before": self.outcome_before,
            "measured_before": self.measured_before,
            "delta": self.delta,
            "judged": self.judged,
            "judged_low": self.judged_low,
            "judged_high": self.judged_high,
            "loglik_change": self.loglik_change,
            **_edits(self),
            "similarity": self.similarity,
            "feasible": None if self.feasible is None else str(self.feasible).lower(),
            "stop": self.stop,
            "violations": self.violations or None,
            "reason": self.reason,
        }
        if self.status == "unjudged":
            values = {key: values[key] for key in ("status", "parent", "reason")}
        shown = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in values.items() if v is not None}
        return Record(self.id, format_fields(shown), self.revised)

    def row(self) -> dict[str, Any]:
        """The table row, with the keys of ``revision_columns``."""
        values = asdict(self)
        values.pop("outcome_name")
        values = {name: None if value != value else value for name, value in values.items()}
        return {_key(name, self.outcome_name): value for name, value in values.items()}


def revision_columns(outcome: str) -> tuple[str, ...]:
    """Columns of the table of revisions by a model of ``outcome``."""
    return tuple(_key(field.name, outcome) for field in fields(Revision) if field.name != "outcome_name")


def _key(field: str, outcome: str) -> str:
    """The key of a field: never that of the outcome itself, which belongs to measured values."""
    return predicted_key(outcome) + field.removeprefix("outcome") if field.startswith("outcome") else field


def unjudged(id: str, text: str, reason: str, outcome: str = "outcome") -> Revision:
    """A record that the model cannot judge, returned as it is; its numbers are NaN."""
    names = ("outcome_before", "outcome", "delta", "loglik_before", "loglik", "loglik_change")
    unknown = ("outcome_at_code", "kappa2", "coverage", "log_mode", "feasible", "stop")
    latent = dict.fromkeys((*unknown, "evidence", "least_evidence"))
    numbers: dict[str, Any] = dict.fromkeys(names, math.nan) | latent
    return Revision(
        id=id,
        parent=id,
        rank=1,
        status="unjudged",
        original=text,
        revised=text,
        outcome_name=outcome,
        edits=0,
        edit_list="",
        reason=reason,
        **numbers,
    )


@dataclass(frozen=True, kw_only=True)
class RevisionSummary:
    """Means over the best revision of each input; None when nothing was revised."""

    inputs: int
    revised: int
    unchanged: int
    infeasible: int
    violating: int
    """Inputs that break the constraints and were not mended."""
    unjudged: int
    """Inputs that the model cannot judge, returned as they are; the means are without them."""
    warning: str
    """What to say of those."""
    outcome: str
    measured: int
    """Inputs of which a measured value is known."""
    not_beyond: int
    """Of those, revisions that are predicted no further than what was measured of their input."""
    mean_measured_before: float | None
    mean_predicted_before: float | None
    """Of the same inputs."""
    mean_outcome_before: float
    mean_outcome: float
    mean_delta: float
    mean_delta_sd: float
    """In standard deviations of the training outcomes."""
    mean_loglik_change: float
    mean_edits: float
    mean_code_gap: float | None
    """Mean of F(z*) - F(E(x*)): how far F can be believed off the encoded points."""
    mean_kappa2: float | None
    mean_coverage: float | None

    def lines(self) -> list[str]:
        """What a person reads."""
        outcome = (
            f"predicted {self.outcome}: {self.mean_outcome_before:.4g} before, {self.mean_outcome:.4g} after"
        )
        gain = f"{self.mean_delta:+.4g}, {self.mean_delta_sd:+.2f} sd"
        lines = [
            f"inputs: {self.inputs:,}, of which {self.revised:,} revised, {self.unchanged:,} unchanged",
            f"{outcome} ({gain})",
            *self._measured(),
            f"{self.mean_edits:.2f} edits, log-likelihood {self.mean_loglik_change:+.2f} nats on average",
        ]
        if self.mean_code_gap is not None:
            lines.append(
                f"what the search promised and the written sequences do not keep: {self.mean_code_gap:+.4g} "
                "on average"
            )
        if self.mean_kappa2 is not None and self.mean_coverage is not None:
            lines.append(
                f"searched around each input: {self.mean_coverage:.1%} of the latent codes that may stand "
                f"for it, up to about {self.mean_kappa2**0.5:.1f} sd away"
            )
        if self.unjudged:
            lines.append(f"warning: {self.warning}; they are returned as they are (status=unjudged)")
        if self.violating:
            lines.append(
                f"warning: {self.violating:,} inputs break the constraints and no revision was found that "
                "does not; their headers say which (violations=)"
            )
        if self.infeasible:
            lines.append(
                f"warning: no code is feasible for {self.infeasible:,} inputs, returned as they are; "
                "lower --alpha"
            )
        return lines

    def _measured(self) -> Iterator[str]:
        """What was measured of the inputs, beside what is predicted of them."""
        if self.measured:
            line = (
                f"measured of {self.measured:,} of the inputs: {self.mean_measured_before:.4g} on average, "
                f"where {self.mean_predicted_before:.4g} is predicted"
            )
            if self.not_beyond:
                line += f"; {self.not_beyond:,} of their revisions are predicted no better than that"
            yield line


def summarise(revisions: Sequence[Revision], record: VAERecord) -> RevisionSummary:
    """The summary of at least one revision."""
    best = [r for r in revisions if r.rank == 1]
    counts = {
        status: sum(r.status == status for r in best)
        for status in ("revised", "unchanged", "infeasible", "violating", "unjudged")
    }
    problems = {r.id: r.reason for r in best if r.reason is not None}
    inputs, best = len(best), [r for r in best if r.status != "unjudged"]
    delta = _mean([r.delta for r in best])
    gaps = [r.outcome_at_code - r.outcome for r in best if r.outcome_at_code is not None]
    known = [(r, r.measured_before) for r in best if r.measured_before is not None]
    kappa2 = [r.kappa2 for r in best if r.kappa2 is not None]
    coverage = [r.coverage for r in best if r.coverage is not None]
    return RevisionSummary(
        inputs=inputs,
        **counts,
        warning=left_out(problems, inputs) if problems else "",
        outcome=record.outcome or "outcome",
        measured=len(known),
        not_beyond=sum(r.status == "revised" and (r.outcome - value) * r.delta <= 0 for r, value in known),
        mean_measured_before=_mean([value for _, value in known]) if known else None,
        mean_predicted_before=_mean([r.outcome_before for r, _ in known]) if known else None,
        mean_outcome_before=_mean([r.outcome_before for r in best]),
        mean_outcome=_mean([r.outcome for r in best]),
        mean_delta=delta,
        mean_delta_sd=delta / record.outcome_scale,
        mean_loglik_change=_mean([r.loglik_change for r in best]),
        mean_edits=_mean([r.edits for r in best]),
        mean_code_gap=_mean(gaps) if gaps else None,
        mean_kappa2=_mean(kappa2) if kappa2 else None,
        mean_coverage=_mean(coverage) if coverage else None,
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan


def _edits(one: Design | Revision) -> dict[str, Any]:
    """Header fields that say what was changed, and on which evidence; None where there is nothing to say."""
    return {
        "edits": one.edits,
        "edit_list": one.edit_list or None,
        "variant": one.variant,
        "first_position": one.first_position if one.first_position != 1 else None,
        "evidence": one.evidence or None,
        "least_evidence": one.least_evidence,
    }
