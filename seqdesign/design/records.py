"""Designs as records: judged, with their FASTA headers, table rows and summary."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from seqdesign.design.brief import Brief
from seqdesign.design.engine import Campaign, Chosen
from seqdesign.design.evidence import Known
from seqdesign.design.jury import confirmed_share
from seqdesign.design.model import DesignModel
from seqdesign.design.starts import StartSet
from seqdesign.metrics.fronts import hypervolume, non_dominated
from seqdesign.runs.manifest import training_warnings
from seqdesign.sequences.encoders import decode
from seqdesign.sequences.fasta import Record, format_fields
from seqdesign.sequences.origin import PREDICTED

Status = Literal["ok", "unconfirmed", "rejected"]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DOUBTFUL = 0.5
"""Share of the gain below which a design is flagged as not confirmed."""
UNUSUAL = 99.0
"""Percentile of held-out sequences beyond which designs are called unlike the training data."""


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
    """By the members that designed it."""
    score_start: float
    """The same of the sequence that it is compared with: its parent, or typical training sequences."""
    score_judges: float | None
    """By the members that did not."""
    confidence: float | None
    """Share of the gain that the judges confirm, 0 to 1."""
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
    front: bool | None = None
    """Whether no other design is better in one objective and as good in all others."""

    def fasta(self) -> Record:
        """The FASTA record."""
        values = {
            "parent": self.parent,
            "status": self.status,
            "score": self.score,
            "score_start": self.score_start,
            "score_judges": self.score_judges,
            **self.outcomes,
            "confidence": self.confidence,
            "soft_gap": self.soft_gap,
            "edits": self.edits,
            "edit_list": self.edit_list or None,
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


@dataclass(frozen=True, kw_only=True)
class DesignSummary:
    """A set of designs in numbers."""

    designs: int
    """Delivered, the unconfirmed ones included."""
    unconfirmed: int
    rejected: int
    missing: int
    """Wanted, but no further distinct design was found."""
    objective: str
    mean_score: float
    best_score: float
    mean_score_start: float
    mean_score_judges: float | None
    mean_confidence: float | None
    mean_soft_gap: float | None
    mean_edits: float | None
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
        scores = (
            f"score {self.mean_score:.4g} on average and {self.best_score:.4g} at best ({self.objective})"
        )
        lines = [f"designs: {self.designs:,}, {scores}, from {self.mean_score_start:.4g}"]
        if self.mean_score_judges is not None and self.mean_confidence is not None:
            lines.append(
                f"members that did not design: {self.mean_score_judges:.4g} on average, "
                f"{self.mean_confidence:.0%} of the gain confirmed, {self.unconfirmed:,} designs unconfirmed"
            )
        if self.constraints:
            lines.append(f"constraints: {', '.join(self.constraints)}; all designs obey them")
        if self.mean_edits is not None:
            lines.append(f"edits: {self.mean_edits:.2f} on average")
        if self.hypervolume is not None:
            lines.append(f"hypervolume of the front: {self.hypervolume:.4g}")
        lines.append(f"oracle: {self.queries:,} sequences scored")
        if self.rejected:
            lines.append(f"rejected: {self.rejected:,} (--table says why)")
        return lines


@dataclass(frozen=True)
class Batch:
    """The chosen designs of one set of starts."""

    starts: StartSet
    plan: Campaign
    chosen: Chosen


Placed = tuple[int, "Design"]


def describe(
    brief: Brief, model: DesignModel, batches: Sequence[Batch], known: Known
) -> tuple[list[Design], DesignSummary]:
    """All designs, checked and judged, in the order of their parents and then from the best down."""
    placed: list[Placed] = []
    parts = []
    for batch in batches:
        designs, gains = _judged(brief, model, batch, known)
        placed += designs
        parts.append(gains)
    order = sorted(range(len(placed)), key=lambda i: placed[i][0])
    found, every = [placed[i][1] for i in order], np.concatenate(parts)[order]
    if brief.pareto:
        found = _with_fronts(found, every)
    return found, _summary(brief, model, batches, found, every)


def _with_fronts(designs: list[Design], gains: FloatArray) -> list[Design]:
    """The same designs, those on the front of their parent marked."""
    parents = np.array([d.parent or "" for d in designs])
    front = np.zeros(len(designs), dtype=bool)
    for parent in set(parents.tolist()):
        mine = np.flatnonzero(parents == parent)
        front[mine] = non_dominated(gains[mine])
    return [replace(d, front=bool(f)) for d, f in zip(designs, front, strict=True)]


def _judged(brief: Brief, model: DesignModel, batch: Batch, known: Known) -> tuple[list[Placed], FloatArray]:
    """The designs with the places of their parents, and what each gains in every objective (B, T)."""
    starts, chosen = batch.starts, batch.chosen
    parents = starts.parent_of(chosen.groups)
    after = model.predict(chosen.tokens)
    before = model.reference(starts, parents)
    rows = chosen.rows
    objective, jury = batch.plan.composite, model.jury
    confidence = confirmed_share(objective, jury, after, before, rows)
    mine = list(jury.design)
    scores, scores_start = objective(after[mine], rows), objective(before[mine], rows)
    scores_judges = objective(after[list(jury.judge)], rows) if jury.judge else None
    gains = objective.values(after[mine]) - objective.values(before[mine])
    texts = decode(chosen.tokens.to(torch.uint8), starts.alphabet)
    columns = model.columns(after, texts)
    support = [None] * len(texts) if model.evidence is None else model.evidence.support(texts)
    rules = starts.rules_of(parents)
    feasible = rules.is_feasible(chosen.tokens, torch.arange(len(parents), device=parents.device)).tolist()
    rank: dict[int, int] = {}
    placed = []
    for i, text in enumerate(texts):
        parent = int(parents[i])
        rank[parent] = rank.get(parent, 0) + 1
        share = None if math.isnan(confidence[i]) else float(confidence[i])
        broken = [] if feasible[i] else [str(v) for v in rules.explain(chosen.tokens[i], i)]
        status, reason = _status(brief, share, broken)
        soft = float(chosen.soft_score[i])
        design = Design(
            **_origin(brief, starts, parent, rank[parent], text, support[i]),
            status=status,
            reason=reason,
            sequence=text,
            score=float(scores[i]),
            score_start=float(scores_start[i]),
            score_judges=None if scores_judges is None else float(scores_judges[i]),
            confidence=share,
            soft_gap=None if math.isnan(soft) else soft - float(chosen.score[i]),
            outcomes={**columns[i], **measured_columns(model.keys, known.value(text))},
        )
        placed.append((starts.places[parent] if starts.places else 0, design))
    return placed, gains.double().cpu().numpy()


def _status(brief: Brief, confidence: float | None, broken: Sequence[str]) -> tuple[Status, str | None]:
    """Whether a design is delivered, and what speaks against it."""
    if broken:
        return "rejected", "; ".join(broken)
    if confidence is None:
        return "ok", None
    if brief.min_confidence is not None and confidence < brief.min_confidence:
        return (
            "rejected",
            f"--min-confidence {brief.min_confidence:g}: {confidence:.2f} of the gain is confirmed",
        )
    if confidence < DOUBTFUL:
        return "unconfirmed", f"confidence: {confidence:.2f} of the gain is confirmed"
    return "ok", None


def measured_columns(keys: Sequence[str], values: Sequence[float] | None) -> dict[str, float]:
    """Columns of what was measured already, where the values are known."""
    if not values:
        return {}
    names = ["measured"] if len(values) == 1 else [f"measured_{key.removeprefix(PREDICTED)}" for key in keys]
    return {name: v for name, v in zip(names, values, strict=False) if not math.isnan(v)}


def _origin(
    brief: Brief, starts: StartSet, parent: int, rank: int, text: str, support: IntArray | None
) -> dict[str, Any]:
    """Id, parent and edits of a design, and how many training sequences speak for them."""
    least = None if support is None else int(support.min())
    if starts.records is None:
        return {
            "id": f"design{rank}", "parent": None, "original": None, "edits": None, "edit_list": None,
            "evidence": None, "least_evidence": least,
        }  # fmt: skip
    original, name = starts.records.sequences[parent], starts.records.ids[parent]
    changed = [i for i, (a, b) in enumerate(zip(original, text, strict=True)) if a != b]
    edits = [f"{original[i]}{i + 1}{text[i]}" for i in changed]
    counts = None if support is None else [int(support[i]) for i in changed]
    return {
        "evidence": None if counts is None else ",".join(map(str, counts)),
        "least_evidence": min(counts) if counts else None,
        "id": name if (brief.num or 1) == 1 else f"{name}_{rank}",
        "parent": name,
        "original": original,
        "edits": len(edits),
        "edit_list": ",".join(edits),
    }


def _summary(
    brief: Brief,
    model: DesignModel,
    batches: Sequence[Batch],
    designs: Sequence[Design],
    gains: FloatArray,
) -> DesignSummary:
    delivered = [d for d in designs if d.status != "rejected"]
    stop: dict[str, int] = {}
    for batch in batches:
        for reason, count in batch.chosen.stop.items():
            stop[reason] = stop.get(reason, 0) + count
    kept = np.array([d.status != "rejected" for d in designs], dtype=bool)
    volume = None
    if brief.pareto and kept.any():
        volume = hypervolume(gains[kept], np.zeros(gains.shape[1]))
    return DesignSummary(
        designs=len(delivered),
        unconfirmed=sum(d.status == "unconfirmed" for d in delivered),
        rejected=len(designs) - len(delivered),
        missing=sum(batch.chosen.num_short for batch in batches),
        objective=" + ".join(term.text for term in batches[0].plan.composite.terms),
        mean_score=_mean([d.score for d in delivered]),
        best_score=max((d.score for d in delivered), default=math.nan),
        mean_score_start=_mean([d.score_start for d in delivered]),
        mean_score_judges=_mean_known([d.score_judges for d in delivered]),
        mean_confidence=_mean_known([d.confidence for d in delivered]),
        mean_soft_gap=_mean_known([d.soft_gap for d in delivered]),
        mean_edits=_mean_known([d.edits for d in delivered]),
        hypervolume=volume,
        queries=sum(batch.chosen.num_queries for batch in batches),
        constraints=batches[0].starts.rule_names(),
        stop=stop,
        warnings=tuple(_warnings(brief, model, batches, delivered)),
    )


def _warnings(
    brief: Brief, model: DesignModel, batches: Sequence[Batch], delivered: Sequence[Design]
) -> Iterator[str]:
    if model.folder is not None:
        yield from training_warnings(model.folder)
    missing = sum(batch.chosen.num_short for batch in batches)
    if missing:
        yield (
            f"{missing:,} designs fewer than asked for: nothing else was found that differs enough; lower "
            "--min-distance, or raise --budget or --tries"
        )
    if not model.jury.judge:
        few = "no ensemble" if len(model.jury.design) == 1 else "an ensemble with no member to spare"
        yield f"nobody judges: the oracle is {few}, so nothing here tells real gains from its mistakes"
    unconfirmed = sum(d.status == "unconfirmed" for d in delivered)
    if delivered and unconfirmed > len(delivered) / 4:
        yield (
            f"{unconfirmed:,} of {len(delivered):,} designs are not confirmed by the members that judge; "
            "--min-confidence 0.5 drops them, --risk lower:1 avoids them"
        )
    if len(model.oracle.outcomes) == 1 and delivered:
        error = _mean_known([d.outcomes.get(f"{model.keys[0]}_sd") for d in delivered])
        gain = _mean([abs(d.score - d.score_start) for d in delivered])
        if error is not None and not model.log_odds and gain < error:
            yield (
                f"the gain of {gain:.3g} is smaller than the error of a prediction ({error:.3g}): the "
                "model knows too little for these designs to mean much"
            )
    unusual = [d for d in delivered if (d.outcomes.get("ood") or 0.0) >= UNUSUAL]
    if delivered and len(unusual) > len(delivered) / 2:
        yield (
            f"{len(unusual):,} of {len(delivered):,} designs are more unusual than 99% of the sequences that "
            "the model was judged on, so intervals may be too narrow; --start with --max-edits keeps designs "
            "near"
        )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan


def _mean_known(values: Sequence[float | int | None]) -> float | None:
    known = [v for v in values if v is not None]
    return _mean(known) if known else None
