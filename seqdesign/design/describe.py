"""From chosen sequences to judged designs: what judges say, what speaks against a design, and the order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqdesign.design.brief import Brief
from seqdesign.design.common import RARITY
from seqdesign.design.doubts import mean, mean_known, warnings_of
from seqdesign.design.evidence import Known
from seqdesign.design.jury import share_of
from seqdesign.design.model import DesignModel
from seqdesign.design.plan import CAUTION, Batch, num_missing
from seqdesign.design.promise import Promise, promise
from seqdesign.design.records import Design, DesignSummary, Range, Status
from seqdesign.design.starts import StartSet
from seqdesign.design.usual import counting, strange
from seqdesign.judging.nearby import beside
from seqdesign.judging.panel import Panel, Verdict
from seqdesign.metrics.edits import edits_in_frame
from seqdesign.metrics.fronts import hypervolume, non_dominated
from seqdesign.objectives.composite import Composite
from seqdesign.objectives.risk import Risk
from seqdesign.oracles.codons import CAI
from seqdesign.sequences.encoders import decode
from seqdesign.sequences.origin import PREDICTED

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DOUBTFUL = 0.5
"""Share of the gain below which a design is flagged as not confirmed."""
HALF = 0.5
LIKELY = 0.5
"""Probability, by the judges, of keeping a limit below which a design is flagged as not confirmed."""
DOUBT = 0.25
"""Probability, by the judges, of losing half of the gain from which a design is flagged as not confirmed."""


@dataclass(frozen=True)
class _Opinion:
    """Scores (B,) of the designs: by those that designed, by the judges, a lower bound of theirs, and the
    same of what the designs are compared with. ``gains`` (B, T) in each goal.
    """

    after: Tensor
    """Predictions (M, B, K)."""
    designed: Tensor
    judged: Tensor
    low: Tensor | None
    worth: Tensor | None
    """(B,): the lower bound without the limits of a headline, by which designs with one bound are ranked."""
    start: Tensor
    confidence: Tensor
    gains: Tensor
    verdict: Verdict | None
    draws: Tensor | None = None
    """(S, B): possible scores by the judges."""
    doubt: Tensor | None = None
    """(B,): share of these that keep less than half of the gain."""
    kept: Mapping[int, Tensor] = field(default_factory=dict)
    """(B,) for each outcome with limits: probability that it is within them."""


@dataclass(frozen=True)
class _Placed:
    """A design with the place of its parent in the file, and what it gains in each goal."""

    place: int
    design: Design
    gains: FloatArray
    draws: FloatArray | None
    worth: float
    """The lower bound of the judges without the limits of a headline; the score without judges."""

    def key(self) -> tuple[int, bool, float, float]:
        """Parents in their order; then what nothing speaks against; then the lower bound of the judges."""
        d = self.design
        low = d.score if d.score_low is None else d.score_low
        worth = [math.inf if math.isnan(value) else -value for value in (low, self.worth)]
        return self.place, d.status != "ok", worth[0], worth[1]


def describe(
    brief: Brief, model: DesignModel, batches: Sequence[Batch], known: Known
) -> tuple[list[Design], DesignSummary]:
    """All designs, checked and judged, in the order of their parents and then from the best down."""
    opinions = [_ask(model, batch) for batch in batches]
    placed = []
    for batch, opinion in zip(batches, opinions, strict=True):
        found_here = _judged(brief, model, batch, opinion, known)
        placed += found_here if batch.starts.near is None else _likeliest(brief, batch, opinion, found_here)
    placed.sort(key=_Placed.key)
    rank: dict[int, int] = {}
    for i, one in enumerate(placed):
        rank[one.place] = rank.get(one.place, 0) + 1
        placed[i] = replace(one, design=_named(one.design, brief, rank[one.place]))
    found, gains = [one.design for one in placed], np.array([one.gains for one in placed])
    if brief.pareto and found:
        found = _with_fronts(found, gains)
    promised = _promise(model, batches, opinions, placed) if not brief.pareto else None
    return found, _summary(brief, model, batches, found, gains, promised)


def _likeliest(brief: Brief, batch: Batch, opinion: _Opinion, placed: Sequence[_Placed]) -> list[_Placed]:
    """As many designs as are wanted, near measured sequences or not: the likeliest to be good.

    The judges' median, and what the nearest row measures beyond its prediction (`beside`). Of labels, of
    which the latter is not known, both kinds in turns.
    """
    groups = batch.chosen.groups.tolist()
    if opinion.verdict is None or opinion.verdict.plain is None or opinion.draws is None:
        worth = [-groups[:i].count(group) for i, group in enumerate(groups)]
    else:
        plain = opinion.verdict.plain
        score = partial(_scores, replace(batch.plan.composite, risk=Risk()))
        beyond = score(plain.values) - score(plain.rows)
        near = beside(batch.chosen.tokens.cpu(), plain.tokens, torch.from_numpy(beyond))
        middle = opinion.draws.double().cpu().median(0).values
        worth = (middle + near).nan_to_num(-math.inf).tolist()
    order = sorted(range(len(placed)), key=lambda i: (placed[i].design.status == "rejected", -worth[i]))
    return [placed[i] for i in order[: brief.wanted]]


def _scores(objective: Composite, values: Tensor) -> FloatArray:
    """Scores (n,) of outcomes (n, K)."""
    return objective(values[None], torch.zeros(len(values), dtype=torch.long)).double().numpy()


def _promise(
    model: DesignModel, batches: Sequence[Batch], opinions: Sequence[_Opinion], placed: Sequence[_Placed]
) -> Promise | None:
    """What can be promised of the designs of one length that nothing speaks against."""
    verdict, panel = opinions[0].verdict, model.panel(batches[0].starts.tokens.shape[1])
    good = [one for one in placed if one.design.status == "ok" and one.draws is not None]
    if (
        model.codons is not None
        or len(batches) != 1
        or verdict is None
        or verdict.plain is None
        or panel is None
        or not good
    ):
        return None
    designs = [one.design for one in good]
    plain = verdict.plain
    known = ~plain.values.isnan().any(1)
    scores = partial(_scores, replace(batches[0].plan.composite, risk=Risk()))
    place = {text: i for i, text in enumerate(_texts(batches[0]))}
    mine = [place[one.design.sequence] for one in good]
    said = np.array(
        [(d.score, d.score if d.score_low is None else d.score_low, d.score_start) for d in designs]
    )
    headline, _, start = said.mean(axis=0).tolist()
    return promise(
        scores(plain.mean[mine]),
        plain.sd[mine].mean(1).numpy(),
        scores(plain.rows[known]),
        plain.rows_sd[known].mean(1).numpy(),
        scores(plain.values[known]),
        said[:, 1],
        np.array([one.draws.std() for one in good if one.draws is not None]),
        [design.id for design in designs],
        independent=_independent(batches[0].chosen.tokens[mine].cpu(), panel),
        start=start,
        headline=headline,
    )


def _independent(tokens: Tensor, panel: Panel) -> float:
    """As how many sequences without anything in common designs (B, L) count, 1 to B.

    By the share of places at which two of them agree, beyond that of two measured sequences.
    """
    letters = torch.arange(panel.alphabet.size)

    def agree(x: Tensor) -> float:
        return float((x.unsqueeze(2) == letters).double().mean(0).square().sum(1).mean())

    measured = torch.from_numpy(panel.measured.tokens[:, : tokens.shape[1]].astype(np.int64))
    usual = min(agree(measured), 1.0 - 1e-6)
    alike = min(1.0, max(0.0, (agree(tokens) - usual) / (1.0 - usual)))
    return len(tokens) / (1.0 + (len(tokens) - 1) * alike)


def _texts(batch: Batch) -> list[str]:
    return decode(batch.chosen.tokens, batch.starts.alphabet)


def _named(design: Design, brief: Brief, rank: int) -> Design:
    """With an id of its own."""
    if design.parent is None:
        return replace(design, id=f"design{rank}")
    return replace(design, id=design.parent if (brief.num or 1) == 1 else f"{design.parent}_{rank}")


def _with_fronts(designs: list[Design], gains: FloatArray) -> list[Design]:
    """The same designs, those on the front of their parent marked."""
    parents = np.array([d.parent or "" for d in designs])
    front = np.zeros(len(designs), dtype=bool)
    for parent in set(parents.tolist()):
        mine = np.flatnonzero(parents == parent)
        front[mine] = non_dominated(gains[mine])
    return [replace(d, front=bool(f)) for d, f in zip(designs, front, strict=True)]


def _judged(brief: Brief, model: DesignModel, batch: Batch, opinion: _Opinion, known: Known) -> list[_Placed]:
    """The designs of one batch."""
    starts, chosen = batch.starts, batch.chosen
    parents = starts.parent_of(chosen.groups)
    panel = model.panel(chosen.tokens.shape[1]) if len(chosen.tokens) else None
    texts = _texts(batch)
    columns = _columns(model, batch, opinion, texts)
    support = [None] * len(texts) if model.evidence is None else model.evidence.support(texts)
    far, unlike = strange(model, texts, counting(model, batch.plan.composite, starts))
    # How far a variant is from its parent the judges of places know: their doubt grows with every change.
    vague = panel is None or model.evidence is None or model.evidence.variants is None
    rules = starts.rules_of(parents)
    feasible = rules.is_feasible(chosen.tokens, torch.arange(len(parents), device=parents.device)).tolist()
    placed = []
    for i, text in enumerate(texts):
        parent = int(parents[i])
        soft = float(chosen.soft_score[i])
        low = None if opinion.low is None else float(opinion.low[i])
        share = None if math.isnan(opinion.confidence[i]) else float(opinion.confidence[i])
        design = Design(
            id="",
            status="ok",
            reason=None,
            sequence=text,
            score=float(opinion.judged[i]),
            score_low=low,
            score_start=float(opinion.start[i]),
            score_design=float(opinion.designed[i]),
            confidence=share,
            doubt=None if opinion.doubt is None else float(opinion.doubt[i]),
            kind=batch.plan.composite.reading.kind,
            open_end=_open_end(model.keys, panel, columns[i]),
            soft_gap=None if math.isnan(soft) else soft - float(chosen.score[i]),
            outcomes={
                **columns[i],
                **_off_target(batch.plan.composite, (*model.keys, CAI), columns[i], log_odds=model.log_odds),
                **measured_columns(model.keys, known.value(text)),
            },
            **_origin(starts, parent, text, support[i]),
        )
        broken = [] if feasible[i] else [str(v) for v in rules.explain(chosen.tokens[i], i)]
        beyond = _beyond(model, panel, batch.plan.composite, design)
        remarks: list[tuple[Status, str]] = [("extrapolates", text) for text in beyond]
        remarks += _missed(model.keys, {k: float(p[i]) for k, p in opinion.kept.items()})
        remarks += _unusual(design, far=bool(far[i] & vague), unlike=bool(unlike[i] & vague))
        status, reason = _status(brief, panel, batch.plan.composite, design, broken, remarks)
        design = replace(design, status=status, reason=reason)
        placed.append(
            _Placed(
                starts.places[parent] if starts.places else 0,
                design,
                opinion.gains[i].double().cpu().numpy(),
                None if opinion.draws is None else opinion.draws[:, i].double().numpy(),
                float(opinion.judged[i] if opinion.worth is None else opinion.worth[i]),
            )
        )
    return placed


def _columns(
    model: DesignModel, batch: Batch, opinion: _Opinion, texts: Sequence[str]
) -> list[dict[str, float | int | None]]:
    """What is said of the designs by the model, their codons and what rows have in common."""
    columns = model.columns(opinion.after, opinion.verdict, texts)
    tokens, lean = batch.chosen.tokens, batch.starts.lean
    if model.codons is not None:
        usage = model.with_codons(opinion.after[:1, :, :0], tokens)[0, :, 0].tolist()
        columns = [{**own, CAI: value} for own, value in zip(columns, usage, strict=True)]
    if opinion.kept:
        columns = [
            {**own, **{f"{model.keys[k]}_kept": float(p[i]) for k, p in opinion.kept.items()}}
            for i, own in enumerate(columns)
        ]
    if lean is not None:
        rarity = lean.rarity(tokens).tolist()
        columns = [{**own, RARITY: value} for own, value in zip(columns, rarity, strict=True)]
    return columns


def _ask(model: DesignModel, batch: Batch) -> _Opinion:
    """What those that designed and those that judge say of the chosen sequences."""
    told = model.predict(batch.chosen.tokens)
    panel = model.panel(batch.chosen.tokens.shape[1]) if len(batch.chosen.tokens) else None
    starts, chosen, rows = batch.starts, batch.chosen, batch.chosen.rows
    parents = starts.parent_of(chosen.groups)
    after, before = model.with_codons(told, chosen.tokens), model.before(starts, parents)
    if starts.compared is not None:
        before = model.with_codons(before, starts.compared[parents])
    objective, jury = batch.plan.composite, model.jury
    mine = list(jury.design)
    designed, designed_start = objective(after[mine], rows), objective(before[mine], rows)
    plain = replace(objective, risk=Risk())
    if panel is not None:
        compared = _compared_with(panel, starts, parents)
        verdict = panel(chosen.tokens.cpu(), compared)
        verdict = verdict if starts.lean is None else starts.lean.open(verdict)
        middle = model.with_codons(verdict.mean, chosen.tokens)[None]
        center = compared[None]
        if starts.compared is not None:
            center = model.with_codons(center, starts.compared[parents])
        possible = [model.with_codons(part, chosen.tokens) for part in (verdict.within, verdict.draws)]
        host = rows.cpu()
        judged, start = plain(middle, host), plain(center, host)
        low, worth = (replace(objective, risk=Risk("quantile", CAUTION))(part, host) for part in possible)
        held, draws = (torch.stack([plain(one[None], host) for one in part]) for part in possible)
        gains = plain.values(middle) - plain.values(center)
    else:
        verdict, low, worth, draws = None, None, None, None
        who = list(jury.judge or jury.design)
        judged, start = objective(after[who], rows), objective(before[who], rows)
        gains = objective.values(after[who]) - objective.values(before[who])
    confidence = torch.full((len(rows),), torch.nan, dtype=torch.float64)
    if panel is not None or jury.judge:
        claimed = (designed - designed_start).double().cpu()
        confidence = share_of(claimed, (judged - start).double().cpu())
    doubt = None
    if verdict is not None:
        doubt = _doubt(held, judged, start, log_odds=model.log_odds and _one_way(objective))
    kept = {} if verdict is None else _kept(objective, verdict.within)
    return _Opinion(told, designed, judged, low, worth, start, confidence, gains, verdict, draws, doubt, kept)


def _kept(objective: Composite, draws: Tensor) -> dict[int, Tensor]:
    """Of outcomes with limits the share (B,) of possible ones (S, B, K) that keep them."""
    limits = [term for term in objective.every if term.limit and term.on[0] < draws.shape[2]]
    places = sorted({term.on[0] for term in limits})
    met = {k: [term.met(draws) for term in limits if term.on[0] == k] for k in places}
    return {k: torch.stack(parts).all(0).double().mean(0) for k, parts in met.items()}


def _doubt(held: Tensor, judged: Tensor, start: Tensor, *, log_odds: bool) -> Tensor:
    """Share (B,) of possible scores (S, B) that keep less than half of the gain, of labels in probability."""
    if log_odds:
        held, judged, start = held.sigmoid(), judged.sigmoid(), start.sigmoid()
    lost = (held - start < HALF * (judged - start)).double().mean(0)
    return lost.masked_fill((judged <= start).cpu(), 1.0)


def _one_way(objective: Composite) -> bool:
    """Whether a score is one outcome, or what it is below zero."""
    terms = objective.terms
    return len(terms) == 1 and terms[0].target is None and not terms[0].off and not objective.limits


def _compared_with(panel: Panel, starts: StartSet, parents: Tensor) -> Tensor:
    """What the panel says (B, K) of the parents of designs; from noise the mean of the measurements."""
    if starts.compared is None:
        return panel.typical.expand(len(parents), -1)
    return panel(starts.compared.cpu()).mean[parents.cpu()]


def _off_target(
    composite: Composite, keys: Sequence[str], columns: dict[str, Any], *, log_odds: bool
) -> dict[str, float]:
    """Distances of the predictions from the targets, in the outcomes' own units."""
    found = {}
    for term in composite.terms:
        if term.text.startswith("target") and term.target is not None:
            key = keys[term.on[0]]
            value = term.target if key == CAI or not log_odds else 1 / (1 + math.exp(-term.target))
            found[f"{key}_off_target"] = abs(columns[key] - value)
    return found


def _status(
    brief: Brief,
    panel: Panel | None,
    composite: Composite,
    design: Design,
    broken: Sequence[str],
    remarks: Sequence[tuple[Status, str]],
) -> tuple[Status, str | None]:
    """Whether a design is delivered, and what speaks against it; the gravest first."""
    if broken:
        return "rejected", "; ".join(broken)
    if not math.isfinite(design.score):
        return "rejected", "oracle: it has no score for this sequence"
    share = design.confidence
    if share is not None and brief.min_confidence is not None and share < brief.min_confidence:
        return "rejected", f"--min-confidence {brief.min_confidence:g}: {share:.2f} of the gain is confirmed"
    against: list[tuple[Status, str]] = []
    # With judges of their own data the headline is theirs: what designers claim is not promised.
    if design.doubt is None and share is not None and share < DOUBTFUL:
        against.append(("unconfirmed", f"confidence: {share:.2f} of the gain is confirmed"))
    elif panel is not None and bool(panel.clueless[_used(composite, len(panel.clueless))].any()):
        against.append(("unconfirmed", "judges: nobody predicts measurements better than chance"))
    elif design.doubt is not None and design.doubt > DOUBT:
        against.append(("unconfirmed", f"doubt: {design.doubt:.2f} that less than half of the gain is real"))
    against += remarks
    if not against:
        return "ok", None
    return against[0][0], "; ".join(text for _, text in against)


def _open_end(keys: Sequence[str], panel: Panel | None, columns: Mapping[str, Any]) -> str | None:
    """Where the interval of a design has no end, because measurements end abruptly."""
    found = []
    for key, end in zip(keys, [] if panel is None else panel.ends, strict=False):
        if end.high is not None and columns[f"{key}_high"] is None:
            found.append(f"{key} above {end.high:.4g}")
        if end.low is not None and columns[f"{key}_low"] is None:
            found.append(f"{key} below {end.low:.4g}")
    return "; ".join(found) or None


def _used(composite: Composite, count: int) -> list[int]:
    """Which of the first ``count`` outcomes the objective looks at."""
    return [i for i in composite.used if i < count]


def _missed(keys: Sequence[str], kept: Mapping[int, float]) -> Iterator[tuple[Status, str]]:
    """Outcomes that are more likely beyond their limits than within."""
    for k, probability in kept.items():
        if probability < LIKELY:
            yield "unconfirmed", f"limit: {keys[k]} is within it with a probability of {probability:.2f}"


def _unusual(design: Design, *, far: bool, unlike: bool) -> Iterator[tuple[Status, str]]:
    """Whether it is unlike what was learned from, in its words or in its composition."""
    if far:
        yield "unusual", "ood: more than twice as far from typical sequences as 99% of the held-out ones"
    elif unlike:
        yield "unusual", "composition: more than twice as far from the usual one as 99% of the measured"
    elif design.least_evidence == 0:
        yield "unusual", "evidence: no training sequence has some of its letters there"


def _beyond(model: DesignModel, panel: Panel | None, composite: Composite, design: Design) -> Iterator[str]:
    """Outcomes predicted beyond all that was measured, by more than their error bars and further than judges
    have shown that they can go.
    """
    for k in _used(composite, len(model.keys)):
        key, span = model.keys[k], measured_range(model, k)
        value, error = design.outcomes[key], design.outcomes.get(f"{key}_sd")
        if span is None or value is None or error is None:
            continue
        low, high = (math.nan, math.nan) if panel is None else panel.borne[:, k].tolist()
        if value > _nanmax(span.high, high) + error or value < -_nanmax(-span.low, -low) - error:
            yield f"{key}: {value:.4g} lies beyond what was ever measured ({span.low:.4g} to {span.high:.4g})"


def _nanmax(known: float, perhaps: float) -> float:
    """The larger one; the first if the second is NaN."""
    return perhaps if perhaps > known else known


def measured_range(model: DesignModel, k: int) -> Range | None:
    """The least and largest measurement of outcome k; None for labels and where they are not known."""
    if model.evidence is None or model.log_odds or not model.evidence.measured.values.shape[1]:
        return None
    values = model.evidence.measured.values[:, k]
    if np.isnan(values).all():
        return None
    return Range(float(np.nanmin(values)), float(np.nanmax(values)))


def measured_columns(keys: Sequence[str], values: Sequence[float] | None) -> dict[str, float]:
    """Columns of what was measured already, where the values are known."""
    if not values:
        return {}
    names = ["measured"] if len(values) == 1 else [f"measured_{key.removeprefix(PREDICTED)}" for key in keys]
    return {name: v for name, v in zip(names, values, strict=False) if not math.isnan(v)}


def _origin(starts: StartSet, parent: int, text: str, support: IntArray | None) -> dict[str, Any]:
    """Parent and edits of a design, and how many training sequences speak for them."""
    least = None if support is None else int(support.min())
    if starts.records is None:
        nothing = dict.fromkeys(("parent", "original", "edits", "edit_list", "evidence"))
        return {**nothing, "least_evidence": least}
    original, name = starts.records.sequences[parent], starts.records.ids[parent]
    if starts.indels and starts.parents is not None:
        frame = decode(starts.parents[parent, None], starts.alphabet)[0]
        listed = edits_in_frame(original, frame, text)
    else:
        both = enumerate(zip(original, text, strict=True))
        listed = [(f"{a}{i + 1}{b}", i) for i, (a, b) in both if a != b]
    # What is deleted is spoken for by what follows it.
    counts = None if support is None else [int(support[min(i, len(text) - 1)]) for _, i in listed]
    return {
        "parent": name,
        "original": original,
        "edits": len(listed),
        "edit_list": ",".join(edit for edit, _ in listed),
        "evidence": None if counts is None else ",".join(map(str, counts)),
        "least_evidence": min(counts) if counts else None,
    }


def _summary(
    brief: Brief,
    model: DesignModel,
    batches: Sequence[Batch],
    designs: Sequence[Design],
    gains: FloatArray,
    promised: Promise | None,
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
    noise: dict[str, float] = {}
    panels = [model.panel(batch.starts.tokens.shape[1]) for batch in batches]
    panel = next((one for one in panels if one is not None), None)
    if panel is not None and not model.log_odds:
        noise = dict(zip(model.keys, panel.noise.tolist(), strict=True))
    spans = {key: measured_range(model, k) for k, key in enumerate(model.keys)}
    return DesignSummary(
        designs=len(delivered),
        unconfirmed=sum(d.status == "unconfirmed" for d in delivered),
        extrapolates=sum(d.status == "extrapolates" for d in delivered),
        unusual=sum(d.status == "unusual" for d in delivered),
        rejected=len(designs) - len(delivered),
        missing=num_missing(batches),
        objective=batches[0].plan.composite.text,
        kind=batches[0].plan.composite.reading.kind,
        mean_score=mean([d.score for d in delivered]),
        best_score=max((d.score for d in delivered), default=math.nan),
        mean_score_start=mean([d.score_start for d in delivered]),
        mean_score_design=mean([d.score_design for d in delivered]),
        mean_confidence=mean_known([d.confidence for d in delivered]),
        mean_soft_gap=mean_known([d.soft_gap for d in delivered]),
        mean_edits=mean_known([d.edits for d in delivered]),
        judges={} if panel is None else dict(zip(panel.names, panel.weights.tolist(), strict=True)),
        measured={key: span for key, span in spans.items() if span is not None},
        noise=noise,
        promise=promised,
        hypervolume=volume,
        queries=sum(batch.chosen.num_queries for batch in batches),
        constraints=batches[0].starts.rule_names(),
        stop=stop,
        warnings=tuple(warnings_of(brief, model, batches, delivered)),
    )
