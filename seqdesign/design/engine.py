"""From starts to chosen designs: blocks of starts, one designer, an archive, and the choice at the end.

Shapes: N starts of one length L in G groups (the parents, or one group for designs from noise), V letters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints.distinct import apart, distinct
from seqdesign.constraints.rules import Rules
from seqdesign.design.evidence import Known
from seqdesign.designers.archive import Archive
from seqdesign.designers.problem import Designs, Language, Latent, SequenceProblem
from seqdesign.objectives.composite import Composite, Members
from seqdesign.oracles.oracle import Oracle
from seqdesign.sequences.encoders import Vocabulary, decode

BLOCK = 256
"""Starts that are worked on side by side."""
SPARE = 8
"""Sequences remembered for each design wanted, so that near duplicates can be passed over."""

MORE = 64
"""Further ones, at most, for what other groups may take."""

FAR = 512
"""Further ones where all designs must be far from each other."""

Designer = Callable[[SequenceProblem, Any, int], Designs]


@dataclass(frozen=True)
class Campaign:
    """What to do with N starts of one length."""

    oracle: Oracle
    composite: Composite
    """The objective, which hears whichever members it is given."""
    members: tuple[int, ...]
    """Those that design."""
    designer: Designer
    options: Any
    seed: int
    budget: int
    enough: float | None
    num: int
    """Designs wanted of each group."""
    min_distance: int
    strict: bool
    """Whether too few designs are better than nearer ones; else the distance is halved as needed."""
    both_strands: bool
    """Whether a sequence and its reverse complement are the same design."""
    known: Known | None = None
    """Sequences that are no designs, since they are measured already."""
    latent: Latent | None = None
    """The generator, with the codes of the starts (N, d) where it made them."""
    language: Language | None = None
    """The generator, where it knows how likely a sequence is."""


@dataclass(frozen=True)
class Chosen:
    """B chosen designs, sorted by group, the best first.

    tokens: (B, L). score, soft_score: (B,); soft_score is NaN for a sequence that was met on the way.
    groups, rows: (B,) int64; the row is a start of the group. stop: how often runs ended for which reason.
    num_queries: of all starts. num_short: designs that could not be delivered.
    """

    tokens: Tensor
    score: Tensor
    soft_score: Tensor
    groups: Tensor
    rows: Tensor
    stop: dict[str, int]
    num_queries: int
    num_short: int


def run_campaign(
    plan: Campaign,
    starts: Tensor,
    groups: Tensor,
    make_rules: Callable[[Tensor], Rules],
    on_block: Callable[[int, int], None] = lambda done, total: None,
    taken: list[str] | None = None,
) -> Chosen:
    """Design from ``starts`` (N, L), which obey their rules, and choose.

    groups: (N,) from 0. make_rules: indices of starts (n,) -> their rules. taken: designs that were chosen
    before, from which these must differ; they are added to it.
    """
    taken = [] if taken is None else taken
    count = int(groups.max()) + 1 if len(groups) else 0
    objective = Members(plan.composite, plan.members)
    found: list[Designs] = []
    stop: dict[str, int] = {}
    alphabet = plan.oracle.alphabet
    known = frozenset[bytes]() if plan.known is None else plan.known.tokens(starts.shape[1], alphabet)
    # Later groups pass over what earlier ones took.
    further = FAR if plan.strict and plan.min_distance > 1 else min(count, MORE)
    archive = Archive(SPARE * plan.num + further, groups, known, Vocabulary(alphabet).size)
    for first in range(0, len(starts), BLOCK):
        index = torch.arange(first, min(first + BLOCK, len(starts)), device=starts.device)
        problem = SequenceProblem(
            oracle=plan.oracle,
            objective=objective,
            starts=starts[index],
            rules=make_rules(index),
            keys=index,
            budget=plan.budget,
            archive=archive,
            enough=plan.enough,
            latent=None if plan.latent is None else plan.latent.take(index),
            language=None if plan.language is None else plan.language.take(index),
        )
        designs = plan.designer(problem, plan.options, plan.seed)
        found.append(designs)
        for reason in designs.stop:
            stop[reason] = stop.get(reason, 0) + 1
        on_block(int(index[-1]) + 1, len(starts))
    tokens = torch.cat([d.tokens for d in found])
    score = torch.cat([d.score for d in found]).double()
    soft = torch.cat([d.soft_score for d in found]).double()
    spare, spare_score, spare_group = archive.best()
    every = (
        torch.cat([tokens, spare]) if len(spare) else tokens,  # an empty archive has no length either
        torch.cat([score, spare_score]),
        torch.cat([soft, torch.full_like(spare_score, torch.nan)]),
        torch.cat([groups, spare_group]),
    )
    chosen = _choose(plan, *every, count, taken)
    tokens, score, soft, owner = (column[chosen] for column in every)
    return Chosen(
        tokens=tokens,
        score=score,
        soft_score=soft,
        groups=owner,
        rows=owner * (len(starts) // max(count, 1)),
        stop=stop,
        num_queries=int(sum(int(d.num_queries.sum()) for d in found)),
        num_short=plan.num * count - len(chosen),
    )


def _choose(
    plan: Campaign,
    tokens: Tensor,
    score: Tensor,
    soft: Tensor,
    groups: Tensor,
    count: int,
    taken: list[str],
) -> Tensor:
    """Places of the chosen candidates: of each group the best that are new and differ enough from each other.

    Designs of different groups differ as well, by the distance where one was asked for; ``taken`` grows.
    """
    texts = decode(tokens, plan.oracle.alphabet)
    # Equal scores: the decoded design of a run before a sequence that was met on the way.
    order = torch.from_numpy(np.lexsort((soft.isnan().cpu(), -score.cpu(), groups.cpu()))).tolist()
    owner = groups.tolist()
    strands = plan.oracle.alphabet if plan.both_strands else None
    chosen: list[int] = []
    first = 0
    for group in range(count):
        last = first
        while last < len(order) and owner[order[last]] == group:
            last += 1
        fresh = [i for i in order[first:last] if plan.known is None or texts[i] not in plan.known]
        fresh = apart(texts, fresh, taken, plan.min_distance if plan.strict else 1, alphabet=strands)
        distance = plan.min_distance
        mine = distinct(texts, fresh, distance, alphabet=strands, limit=plan.num)
        while len(mine) < plan.num and distance > 1 and not plan.strict:
            distance //= 2
            mine = distinct(texts, fresh, distance, alphabet=strands, limit=plan.num)
        chosen += mine
        taken += [texts[i] for i in mine]
        first = last
    return torch.tensor(chosen, dtype=torch.long, device=tokens.device)
