"""Revisions of a file from Python, and as records: their FASTA headers, table rows and summary."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from itertools import groupby
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from seqdesign.config import Options
from seqdesign.constraints.build import build_rules
from seqdesign.constraints.check import check_feasible
from seqdesign.constraints.letters import Writable
from seqdesign.constraints.rules import Rules
from seqdesign.design.evidence import Evidence, MakeConstraint
from seqdesign.design.model import DesignModel
from seqdesign.design.numbering import spoken
from seqdesign.design.options import GoalOptions
from seqdesign.errors import InputError, UsageError
from seqdesign.metrics.edits import carry_over, edit_list
from seqdesign.models.similarity.limit import similarity_of
from seqdesign.models.vae.store import TrainedVAE, VAERecord
from seqdesign.objectives.by_name import goal as goal_of
from seqdesign.registry import Registry
from seqdesign.revisers.problem import DesignProblem, DesignResult
from seqdesign.revisers.revise_options import ReviseOptions
from seqdesign.runs.blocks import end_of_blocks, results
from seqdesign.runs.progress import count, phase
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import TokenArray, decode, encode
from seqdesign.sequences.fasta import Record, check_header_ids, format_fields
from seqdesign.sequences.lab.variants import Numbering
from seqdesign.sequences.options import LetterPolicy, encode_with, normal_records
from seqdesign.sequences.origin import predicted_key
from seqdesign.sequences.reader import SequenceSet
from seqdesign.sequences.scope import Scope, left_out

Status = Literal["revised", "unchanged", "infeasible", "violating", "unjudged"]


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision of one input. Outcomes in the user's units, log-likelihoods in nats."""

    id: str
    """Of the input; with several revisions each, and its rank."""
    parent: str
    """Id of the input."""
    rank: int
    status: Status
    original: str
    revised: str
    outcome_name: str = "outcome"
    """What the outcome is called; headers and tables say ``predicted_NAME``, as nothing was measured."""
    outcome_before: float
    """F(E(x0))."""
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
            "delta": self.delta,
            "judged": self.judged,
            "judged_low": self.judged_low,
            "judged_high": self.judged_high,
            "loglik_change": self.loglik_change,
            "edits": self.edits,
            "edit_list": self.edit_list or None,
            "variant": self.variant,
            "first_position": self.first_position if self.first_position != 1 else None,
            "evidence": self.evidence or None,
            "least_evidence": self.least_evidence,
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
        """The table row, with the keys of ``columns``."""
        values = asdict(self)
        values.pop("outcome_name")
        values = {name: None if value != value else value for name, value in values.items()}
        return {_key(name, self.outcome_name): value for name, value in values.items()}


def columns(outcome: str) -> tuple[str, ...]:
    """Of the table of revisions by a model of ``outcome``."""
    return tuple(_key(field.name, outcome) for field in fields(Revision) if field.name != "outcome_name")


def _key(field: str, outcome: str) -> str:
    """The key of a field: never that of the outcome itself, which belongs to measured values."""
    return predicted_key(outcome) + field.removeprefix("outcome") if field.startswith("outcome") else field


CANDIDATES = 8
"""Revisions of each input that a judge chooses from."""
CAUTION = 0.1
"""Level of the judge's lower bound by which it ranks."""
BLOCK = 1000
"""Inputs revised side by side."""

Optimize = Callable[[DesignProblem, Any, int], DesignResult]


@phase("searching")
def run(
    trained: TrainedVAE,
    records: SequenceSet,
    *,
    goal: GoalOptions | None = None,
    letters: LetterPolicy | None = None,
    optimize: Optimize | None = None,
    options: Options | None = None,
    evidence: Evidence | None = None,
    only_seen: bool = True,
    judge: DesignModel | None = None,
    alike: MakeConstraint | None = None,
    numbering: Numbering | None = None,
    seed: int = 0,
    block_size: int | None = None,
    device: torch.device | str = "cpu",
    on_step: Callable[[int, int], None] = count,
) -> tuple[list[Revision], Summary]:
    """All revisions of the records, in their order and for each from the best down, and their summary.

    goal: what is better and what must hold, with the options of ``seqdesign revise``. optimize, options: a
    method of ``find_method`` and its options. evidence: what the model was trained on; with ``only_seen``
    revisions write only letters or words of it. judge: a predictor that ranks ``CANDIDATES`` of each input
    and says what it thinks of them. alike: holds revisions near their inputs
    (``similarity_limit``). numbering: the wild type and the number of its first letter, by default those of
    ``evidence``. block_size: records revised side by side. on_step: records done, records in all.

    Raises InputError and UsageError where a record or an option cannot be used.
    """
    goal, letters = goal or GoalOptions(), letters or LetterPolicy()
    optimize = optimize or find_method("revise")
    options = options or ReviseOptions()
    more: list[MakeConstraint] = [Writable] if trained.record.alphabet.unk else []
    if evidence is not None and only_seen:
        more += evidence.constraints(trained.record.max_length, own=True)
    more += [] if alike is None else [alike]
    if numbering is None:
        numbering = Numbering() if evidence is None else evidence.measured.numbering
    check_header_ids(records.ids, records.source)
    found: list[Revision] = []
    wider = goal if judge is None else replace(goal, top=max(goal.top, CANDIDATES))
    scope = Scope(trained.record.min_length, trained.record.max_length)
    outcome = trained.record.outcome or "outcome"
    size = block_size or BLOCK

    def block_of(first: int) -> list[Revision]:
        block = records.take(range(first, min(first + size, len(records))))
        array = encode_with(letters, block, trained.record.alphabet)
        block = normal_records(letters, block, array)
        problems = scope.objections(array)
        part, rows = scope.judged(array, problems)
        made = [unjudged(block.ids[i], block.sequences[i], why, outcome) for i, why in problems.items()]
        if len(part):
            judged = block.take(rows)
            problem = _problem(wider, trained, part, judged, more, torch.device(device), numbering.first)
            result = optimize(problem, options, seed)
            made += describe(problem, result, judged, trained.record.alphabet, evidence, outcome)
        place = {name: i for i, name in enumerate(block.ids)}
        return sorted(made, key=lambda one: place[one.parent]) if problems else made

    for last, block in _blocks(block_of, len(records), size):
        found += block
        on_step(last, len(records))
    if judge is not None:
        found = _judged(judge, goal, found)
    if not found:
        raise InputError("no record is left after --on-unknown skip", path=records.source)
    if all(one.status == "unjudged" for one in found):
        raise InputError(str(found[0].reason), path=records.source, record=found[0].id)
    return spoken(found, numbering, lambda one: one.revised), summarise(found, trained.record)


def _blocks(
    block_of: Callable[[int], list[Revision]], num: int, size: int
) -> Iterator[tuple[int, list[Revision]]]:
    """The revisions of each block, and the number of records until its end; a worker's work ends here."""
    firsts = range(0, num, size)
    every = results(
        (partial(block_of, first) for first in firsts),
        pack=lambda block: [asdict(one) for one in block],
        unpack=lambda block: [Revision(**one) for one in block],
        size=len,
        total=len(firsts),
    )
    for first, block in zip(firsts, every, strict=False):
        yield min(first + size, num), block
    end_of_blocks()


def _judged(judge: DesignModel, goal: GoalOptions, revisions: Sequence[Revision]) -> list[Revision]:
    """The best of each input by the judge's lower bound, with its prediction and interval.

    Raises UsageError for a judge that reads other letters or knows no measurements.
    """
    score = _score(goal)
    by_length: dict[int, list[int]] = {}
    for i, revision in enumerate(revisions):
        if revision.status != "unjudged":
            by_length.setdefault(len(revision.revised), []).append(i)
    found, worth = list(revisions), [0.0] * len(revisions)
    for length, places in by_length.items():
        judge.check_length(length, lambda message: UsageError(message, option="--judge"))
        panel = judge.panel(length)
        if panel is None or panel.task.log_odds or len(judge.oracle.outcomes) != 1:
            raise UsageError(
                f"{judge.name} cannot judge: it needs one numeric outcome, and to know what it was "
                "trained on; train again",
                option="--judge",
            )
        array = encode([revisions[i].revised for i in places], judge.alphabet, on_unknown="mask")
        verdict = panel(torch.from_numpy(array.tokens.astype(np.int64)))
        low = score(verdict.draws[:, :, 0]).quantile(CAUTION, dim=0)
        for j, i in enumerate(places):
            worth[i] = float(low[j])
            found[i] = replace(
                revisions[i],
                judged=float(verdict.mean[j, 0]),
                judged_low=_finite(float(verdict.low[j, 0])),
                judged_high=_finite(float(verdict.high[j, 0])),
            )
    ranked: list[Revision] = []
    for parent, group in groupby(range(len(found)), key=lambda i: found[i].parent):
        best = sorted(group, key=lambda i: -worth[i])[: goal.top]
        for rank, i in enumerate(best, start=1):
            name = f"{parent}_{rank}" if goal.top > 1 else parent
            ranked.append(replace(found[i], id=name, rank=rank))
    return ranked


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def find_method(name: str) -> Optimize:
    """The reviser that ``--method`` names. Raises UsageError."""
    registry = Registry("optimizer", "seqdesign.revisers.methods", "seqdesign.revisers")
    if name not in registry:
        raise UsageError(f"must be one of {', '.join(registry.names())}, got {name!r}", option="--method")
    function: Optimize = registry.load(name)
    return function


def _problem(
    goal: GoalOptions,
    trained: TrainedVAE,
    array: TokenArray,
    records: SequenceSet,
    more: Sequence[MakeConstraint],
    device: torch.device,
    first: int,
) -> DesignProblem:
    """The design problem of some records, and of their tokens."""
    model, record = trained.model, trained.record
    tokens = torch.full((len(array), record.max_length), model.vocabulary.pad, device=device)
    tokens[:, : array.tokens.shape[1]] = torch.from_numpy(array.tokens.astype("int64"))
    lengths = torch.from_numpy(array.lengths).to(device)
    rules, forced = _rules(goal, trained, tokens, lengths, records.ids, records.source, more, first)
    return DesignProblem(
        model=model,
        tokens=tokens,
        lengths=lengths,
        score=_score(goal),
        min_length=record.min_length,
        max_edits=goal.max_edits,
        indels=goal.indels == "yes" or (goal.indels == "auto" and record.min_length < record.max_length),
        forced=forced,
        rules=rules,
        min_distance=goal.min_distance,
        floor_per_letter=record.naturalness_floor,
        min_loglik_change=goal.min_loglik_change,
        top=goal.top,
    )


def _score(options: GoalOptions) -> Callable[[Tensor], Tensor]:
    if options.target is not None:
        return goal_of("target", options.target)
    return goal_of("minimize" if options.minimize else "maximize")


def _rules(
    goal: GoalOptions,
    trained: TrainedVAE,
    tokens: Tensor,
    lengths: Tensor,
    ids: list[str],
    source: str,
    more: Sequence[MakeConstraint],
    first: int,
) -> tuple[Rules | None, Tensor | None]:
    """The constraints, and the tokens (N, T) that --keep fixes, -1 elsewhere; None for neither.

    Raises UsageError and InputError, also where the constraints contradict each other for a record.
    """
    record = trained.record
    # The search holds the edit budget itself, insertions and deletions included.
    rules = build_rules(
        goal,
        record.alphabet,
        tokens,
        tokens.device,
        lengths=lengths,
        shortest=record.min_length,
        ids=ids,
        source=source,
        first=first,
        leave_out=("max-edits",),
        more=more,
    )
    forced = None
    for constraint in rules.constraints:
        if constraint.name.startswith("--keep "):
            mask = constraint.mask()
            assert mask is not None
            forced = tokens.where(~mask.all(2), -1)
    if all(constraint.name.startswith("--keep ") for constraint in rules.constraints):
        return None, forced
    check_feasible(rules, tokens, ids=ids, source=source)
    return rules, forced


def describe(
    problem: DesignProblem,
    result: DesignResult,
    records: SequenceSet,
    alphabet: Alphabet,
    evidence: Evidence | None = None,
    outcome: str = "outcome",
) -> list[Revision]:
    """The revisions of a block of inputs, in their order; an input without any stays as it is.

    outcome: what the model calls it. ``records`` are in the normal form of the alphabet, so edits are counted
    between texts of one form.
    """
    tokens = result.tokens.cpu().numpy()
    known = decode(problem.tokens, alphabet)
    columns = {
        name: getattr(result, name).cpu().double().numpy()
        for name in ("outcome", "log_likelihood", "outcome_at_code", "found")
    }
    before, likelihood = (
        v.cpu().double().numpy() for v in (result.before.outcome, result.before.log_likelihood)
    )
    alike = similarity_of(problem, result)
    found: list[Revision] = []
    for i, (original, latent) in enumerate(zip(records.sequences, _latent(result), strict=True)):
        texts = decode(tokens[i], alphabet)
        ranks = [k for k in range(tokens.shape[1]) if columns["found"][i, k]]
        broken = [] if problem.rules is None or ranks else problem.rules.explain(problem.tokens[i], i)
        for k in ranks or [0]:
            # A masked letter has no token of its own, so an unchanged input is the text that was read.
            revised = texts[k] if ranks else original
            if ranks and len(original) == len(known[i]):
                revised = carry_over(original, known[i], revised)
            at_code = float(columns["outcome_at_code"][i, k])
            status: Status = "revised" if ranks else "unchanged"
            if not ranks and (broken or latent["feasible"] is False):
                status = "violating" if broken else "infeasible"
            source = original if len(original) == len(known[i]) else known[i]
            edits = _edits(source, revised, problem.indels) if ranks else []
            found.append(
                Revision(
                    id=f"{records.ids[i]}_{k + 1}" if problem.top > 1 else records.ids[i],
                    parent=records.ids[i],
                    rank=k + 1,
                    status=status,
                    original=original,
                    revised=revised,
                    outcome_name=outcome,
                    outcome_before=float(before[i]),
                    outcome_at_code=None if math.isnan(at_code) else at_code,
                    outcome=float(columns["outcome"][i, k]),
                    delta=float(columns["outcome"][i, k] - before[i]),
                    loglik_before=float(likelihood[i]),
                    loglik=float(columns["log_likelihood"][i, k]),
                    loglik_change=float(columns["log_likelihood"][i, k] - likelihood[i]),
                    edits=len(edits),
                    edit_list=",".join(edits),
                    **_evidence(evidence, revised, edits),
                    similarity=None if alike is None else float(alike[i, k]),
                    violations=";".join(violation.code for violation in broken),
                    **latent,
                )
            )
    return found


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


def _evidence(evidence: Evidence | None, revised: str, edits: Sequence[str]) -> dict[str, Any]:
    """Columns of how many training sequences have what the edits wrote; substitutions at their own place."""
    if evidence is None or not edits:
        return {"evidence": None, "least_evidence": None}
    (support,) = evidence.support([revised])
    places = [int(text[1:-1]) - 1 for text in edits if text[1:-1].isdigit()]
    if len(places) < len(edits):  # after an insertion or deletion places of the input are no places any more
        return {"evidence": None, "least_evidence": int(support.min())}
    counts = [int(support[place]) for place in places]
    return {"evidence": ",".join(map(str, counts)), "least_evidence": min(counts)}


def _edits(original: str, revised: str, indels: bool) -> list[str]:
    """Such as A5G; position by position where only substitutions count."""
    if indels or len(original) != len(revised):
        return edit_list(original, revised)
    return [f"{a}{i}{b}" for i, (a, b) in enumerate(zip(original, revised, strict=True), start=1) if a != b]


def _latent(result: DesignResult) -> list[dict[str, Any]]:
    """What only latent optimizers know, of each start."""
    names = ("kappa2", "coverage", "log_mode", "feasible", "stop")
    if result.latent is None:
        return [dict.fromkeys(names)] * len(result.found)
    e = result.latent.ellipsoid
    columns = [column.tolist() for column in (e.kappa2, e.coverage(), e.log_mode, e.feasible)]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, result.latent.stop, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Summary:
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


def summarise(revisions: Sequence[Revision], record: VAERecord) -> Summary:
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
    kappa2 = [r.kappa2 for r in best if r.kappa2 is not None]
    coverage = [r.coverage for r in best if r.coverage is not None]
    return Summary(
        inputs=inputs,
        **counts,
        warning=left_out(problems, inputs) if problems else "",
        outcome=record.outcome or "outcome",
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
