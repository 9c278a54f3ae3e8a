"""A design campaign from Python: a model, what is wanted, and out come judged designs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import Any, get_type_hints

import torch

from seqdesign.config import fields_of, resolve
from seqdesign.constraints.builtin.translate import frame
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.design.brief import Brief
from seqdesign.design.describe import describe
from seqdesign.design.engine import Campaign, Designer, Found, choose, jobs, num_jobs
from seqdesign.design.evidence import Known
from seqdesign.design.indels.frames import best_of_frames, check_indels, framed
from seqdesign.design.model import DesignModel
from seqdesign.design.numbering import in_parts, spoken
from seqdesign.design.options import TRIES
from seqdesign.design.plan import Batch, make_plan
from seqdesign.design.records import Design, DesignSummary
from seqdesign.design.starts import StartSet, design_length, noise_starts, read_starts
from seqdesign.errors import InputError, UsageError
from seqdesign.oracles.codons import CAI, CodonScore
from seqdesign.registry import Registry
from seqdesign.runs.blocks import end_of_blocks, results
from seqdesign.runs.progress import count, phase
from seqdesign.sequences.lab.codon_usage import OPTION as CODONS
from seqdesign.sequences.lab.variants import Numbering
from seqdesign.sequences.options import LetterPolicy
from seqdesign.sequences.reader import SequenceSet


@phase("searching")
def run(
    model: DesignModel,
    *,
    objective: Sequence[str] = (),
    risk: str = "mean",
    codons: str | None = None,
    pareto: bool = False,
    rules: ConstraintOptions | None = None,
    num: int | None = None,
    starts: SequenceSet | None = None,
    letters: LetterPolicy | None = None,
    length: int | None = None,
    indels: int = 0,
    lengths: str | None = None,
    method: str | Designer | None = None,
    settings: Sequence[str] = (),
    budget: int | None = None,
    tries: int = TRIES,
    enough: float | None = None,
    min_confidence: float | None = None,
    only_seen: bool = True,
    include_known: bool = False,
    exclude: Sequence[str] = (),
    numbering: Numbering | None = None,
    seed: int = 0,
    block_size: int | None = None,
    on_step: Callable[[int, int], None] = count,
) -> tuple[list[Design], DesignSummary]:
    """All designs, judged, in the order of their parents and then from the best down, and their summary.

    The parameters are the options of ``seqdesign maximize``: ``rules`` its constraints, ``starts`` the
    records of ``--start``, ``settings`` the texts of ``--set``; ``only_seen`` is ``--letters seen``,
    ``exclude`` the sequences of that option; ``numbering``: the wild type and the number of its first
    letter, by default those that the model was trained with; ``method`` may be a designer itself.
    ``block_size``: starts that are worked on side by side. on_step: starts done, starts in all.

    Raises UsageError for options that contradict each other or the model, InputError where a start cannot be
    used or nothing obeys the rules.
    """
    brief = Brief(
        objective=tuple(objective), risk=risk, codons=codons, pareto=pareto,
        rules=rules or ConstraintOptions(), num=num,
        starts=starts, letters=letters or LetterPolicy(), length=length, indels=indels,
        lengths=lengths, tries=tries, budget=budget,
        enough=enough, min_confidence=min_confidence, only_seen=only_seen, include_known=include_known,
        exclude=tuple(exclude), numbering=numbering or model.numbering, seed=seed,
    )  # fmt: skip
    designer, options = find_method(method or default_method(model), settings)
    known = model.known(brief.exclude, brief.starts)
    model.codons = _codon_score(brief, model)
    parts = [(make_plan(b, model, designer, options, s, known), s) for b, s in _starts(brief, model)]
    found = iter(_blocks(parts, block_size, model.device, on_step))
    batches, taken = [], list[str]()
    for plan, group in parts:
        mine = list(islice(found, num_jobs(group.tokens, block_size)))
        mine_taken = [] if indels else taken
        batches.append(Batch(group, plan, choose(plan, group.tokens, group.groups, mine, mine_taken)))
    if indels:
        batches = best_of_frames(batches)
    designs, summary = describe(brief, model, batches, known)
    if not designs:
        raise InputError(_nothing(known, brief))
    if all(design.status == "rejected" and not math.isfinite(design.score) for design in designs):
        raise InputError(
            f"{model.name} has no score for any sequence that was tried; name sequences that it knows with "
            "--start, or raise --budget"
        )
    named = spoken(designs, brief.numbering, lambda design: design.sequence)
    named = in_parts(named, brief.numbering.joined)
    return named, _promised_by_name(summary, designs, named)


def _promised_by_name(
    summary: DesignSummary, before: Sequence[Design], after: Sequence[Design]
) -> DesignSummary:
    """The summary, whose promise speaks of designs by their names."""
    if summary.promise is None:
        return summary
    names = {old.id: new.id for old, new in zip(before, after, strict=True)}
    called = tuple(names[one] for one in summary.promise.measure)
    return replace(summary, promise=replace(summary.promise, measure=called))


def _blocks(
    parts: Sequence[tuple[Campaign, StartSet]],
    size: int | None,
    device: torch.device,
    on_step: Callable[[int, int], None],
) -> list[Found]:
    """What all blocks of all sets of starts gave; in a worker of a campaign this is where its work ends."""
    starts = sum(len(group.tokens) for _, group in parts)
    done, found = 0, []
    every = results(
        chain.from_iterable(jobs(plan, s.tokens, s.groups, s.rules, size) for plan, s in parts),
        pack=Found.pack,
        unpack=partial(Found.unpack, device=device),
        size=lambda block: len(block.tokens),
        total=sum(num_jobs(group.tokens, size) for _, group in parts),
    )
    for block in every:
        found.append(block)
        done += len(block.tokens)
        on_step(done, starts)
    end_of_blocks()
    return found


def _codon_score(brief: Brief, model: DesignModel) -> CodonScore | None:
    """Codon usage as an outcome, in the frames whose protein stays. Raises UsageError."""
    if brief.codons is None:
        return None
    if CAI in model.oracle.outcomes:
        raise UsageError(f"{model.name} has an outcome named {CAI} already", option=CODONS)
    if not brief.rules.translate:
        raise UsageError("needs the reading frame: name it with --translate, such as 1-300", option=CODONS)
    frames = [frame(text) for text in brief.rules.translate]
    return CodonScore(brief.codons, frames, model.alphabet, brief.rules.codon_table)


def _nothing(known: Known, brief: Brief) -> str:
    """Why there is no design, as far as it can be told."""
    if len(known) and not brief.include_known:
        return (
            f"no design obeys the constraints and is new ({len(known):,} sequences are measured already); "
            "loosen them, deliver known ones too with --include-known, or raise --budget or --tries"
        )
    return "no design obeys the constraints; loosen them, or raise --budget or --tries"


def default_method(model: DesignModel) -> str:
    """As suits the generator if there is one; else along the gradient if there is one."""
    if model.generator is not None:
        return model.generator.method
    return "mean-field" if model.oracle.differentiable else "evolution"


def find_method(method: str | Designer, settings: Sequence[str] = ()) -> tuple[Designer, Any]:
    """The designer of this name, or the one given, and its options with ``settings`` (NAME=VALUE).

    Raises UsageError.
    """
    designer = _registered(method) if isinstance(method, str) else method
    name = method if isinstance(method, str) else getattr(method, "__name__", "the method")
    typed: dict[str, str] = {}
    for text in settings:
        setting, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"must be NAME=VALUE, such as learning_rate=0.1, got {text!r}", option="--set")
        typed[setting.strip().replace("-", "_")] = value.strip()
    kind = get_type_hints(designer).get("options") if callable(designer) else None
    if not isinstance(kind, type) or not is_dataclass(kind):
        raise UsageError(
            f"{name} must be a function of a problem, options and a seed, whose parameter 'options' is "
            "annotated with a dataclass",
            option="--method",
        )
    try:
        return designer, resolve(kind, typed)
    except UsageError as error:
        known = ", ".join(f"{spec.name}={spec.default}" for spec in fields_of(kind))
        raise UsageError(f"{error}; {name} knows {known or 'no settings'}", option="--set") from error


def _registered(name: str) -> Designer:
    registry = Registry("method", "seqdesign.designers.methods", "seqdesign.designers")
    try:
        return registry.load(name)
    except UsageError as error:
        raise UsageError(str(error), option="--method") from error


def _starts(brief: Brief, model: DesignModel) -> Iterator[tuple[Brief, StartSet]]:
    """Where designs begin, and what holds there; contradictions are found before anything is optimised."""
    directions = brief.wanted if brief.pareto else 1
    copies = brief.tries if brief.pareto else brief.tries * brief.wanted
    if brief.indels:
        check_indels(brief, model)
    if brief.starts is None:
        length = design_length(brief, model)
        yield brief, noise_starts(brief, model, length, directions=directions, copies=copies)
        return
    found = list(read_starts(brief, model, brief.starts, directions=directions, copies=copies))
    yield from list(framed(brief, model, found, copies)) if brief.indels else ((brief, one) for one in found)
