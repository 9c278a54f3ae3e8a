"""Revisions of a file from Python: the design problem of each block of inputs, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import groupby
from typing import Any

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
from seqdesign.design.records import Revision, RevisionStatus, RevisionSummary, summarise, unjudged
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
from seqdesign.sequences.fasta import check_header_ids
from seqdesign.sequences.lab.variants import Numbering
from seqdesign.sequences.options import LetterPolicy, encode_with, normal_records
from seqdesign.sequences.reader import SequenceSet
from seqdesign.sequences.scope import Scope

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
) -> tuple[list[Revision], RevisionSummary]:
    """All revisions of the records, in their order and for each from the best down, and their summary.

    records: their column of the model's outcome, where they have it, is what was measured of them.
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
    more = _more_constraints(trained.record, evidence if only_seen else None, alike)
    if numbering is None:
        numbering = Numbering() if evidence is None else evidence.measured.numbering
    check_header_ids(records.ids, records.source)
    found: list[Revision] = []
    wider = goal if judge is None else replace(goal, top=max(goal.top, CANDIDATES))
    scope = Scope(trained.record.min_length, trained.record.max_length)
    outcome = trained.record.outcome or "outcome"
    size = block_size or BLOCK
    known = {} if evidence is None else evidence.known()

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
        values = _measured(block, outcome, known)
        made = [replace(one, measured_before=values[place[one.parent]]) for one in made]
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


def _more_constraints(
    record: VAERecord, seen: Evidence | None, alike: MakeConstraint | None
) -> list[MakeConstraint]:
    """What holds besides the options: letters that can be written, those of ``seen``, and likeness."""
    more: list[MakeConstraint] = [Writable] if record.alphabet.unk else []
    more += [] if seen is None else seen.constraints(record.max_length, own=True)
    return more if alike is None else [*more, alike]


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


def _measured(records: SequenceSet, outcome: str, known: Mapping[str, Sequence[float]]) -> list[float | None]:
    """What was measured of each record: by the column of the outcome, else by the training data."""
    own = [math.nan] * len(records)
    if outcome in records.columns and not (records.origin and records.origin.is_prediction(outcome)):
        own = records.readable(outcome).tolist()
    values = (
        next(iter(known.get(text, ())), math.nan) if math.isnan(value) else value
        for value, text in zip(own, records.sequences, strict=True)
    )
    return [_finite(value) for value in values]


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
        status: RevisionStatus = "revised" if ranks else "violating" if broken else "unchanged"
        if status == "unchanged" and latent["feasible"] is False:
            status = "infeasible"
        for k in ranks or [0]:
            # A masked letter has no token of its own, so an unchanged input is the text that was read.
            revised = texts[k] if ranks else original
            if ranks and len(original) == len(known[i]):
                revised = carry_over(original, known[i], revised)
            at_code = float(columns["outcome_at_code"][i, k])
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
