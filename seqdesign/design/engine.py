"""From starts to chosen designs: blocks of starts, one designer, an archive, and the choice at the end.

Shapes: N starts of one length L in G groups (the parents, or one group for designs from noise), V letters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints.distinct import apart, distinct
from seqdesign.constraints.rules import Rules
from seqdesign.design.evidence import Known
from seqdesign.designers.archive import Archive
from seqdesign.designers.problem import Designs, Language, Latent, SequenceProblem
from seqdesign.objectives.composite import Composite
from seqdesign.oracles.oracle import Oracle, only
from seqdesign.runs.blocks import packed, unpacked
from seqdesign.sequences.encoders import Vocabulary, decode

BLOCK = 256
"""Starts that are worked on side by side."""
SPARE = 8
"""Sequences remembered for each design wanted, so that near duplicates can be passed over."""

MORE = 64
"""Further ones, at most, for what other groups may take."""

MOST_JUDGED = 4096
"""Candidates from which on designs are chosen by their scores, since judges would take long."""
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
    together: int | None = None
    """Designs wanted of all groups together, where these compete; None: ``num`` of each."""
    own_distance: Mapping[int, int] = field(default_factory=dict)
    """Edits between designs of some groups, where these are further apart, as far as there are enough."""
    known: Known | None = None
    """Sequences that are no designs, since they are measured already."""
    latent: Latent | None = None
    """The generator, with the codes of the starts (N, d) where it made them."""
    language: Language | None = None
    """The generator, where it knows how likely a sequence is."""
    margins: Mapping[int, float] = field(default_factory=dict)
    """How far within limits of outcomes designers stay: the error of a prediction there."""
    pull: Callable[[Tensor, Tensor], Tensor] | None = None
    """What holds designs near what was learned from, see ``SequenceProblem``; keys are numbers of starts."""
    judge: Callable[[Tensor, Tensor], Tensor] | None = None
    """Tokens (B, L) and starts (B,) -> worth (B,), by which candidates are chosen; None: by their scores."""


@dataclass(frozen=True)
class Found:
    """What one block of starts gave.

    tokens: (N, L), a design of each start. score, soft_score: (N,). spare, spare_score, spare_group: (B, L),
    (B,), (B,), the best sequences met on the way, as `Archive.best` gives them. stop: how often runs ended
    for which reason.
    """

    tokens: Tensor
    score: Tensor
    soft_score: Tensor
    spare: Tensor
    spare_score: Tensor
    spare_group: Tensor
    stop: dict[str, int]
    num_queries: int

    def pack(self) -> dict[str, Any]:
        """As JSON types."""
        columns = {name: getattr(self, name).cpu().numpy() for name in TENSORS}
        columns |= {name: columns[name].astype(np.uint16) for name in ("tokens", "spare")}
        return {
            **{name: packed(column) for name, column in columns.items()},
            "stop": self.stop,
            "num_queries": self.num_queries,
        }

    @classmethod
    def unpack(cls, values: dict[str, Any], device: torch.device) -> Found:
        """Inverse of ``pack``."""
        arrays = {name: unpacked(values[name]) for name in TENSORS}
        arrays |= {name: arrays[name].astype(np.int64) for name in ("tokens", "spare")}
        columns = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
        return cls(**columns, stop=values["stop"], num_queries=values["num_queries"])


TENSORS = ("tokens", "score", "soft_score", "spare", "spare_score", "spare_group")


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

    def take(self, index: Tensor) -> Chosen:
        """Those of the designs with these indices (n,)."""
        index = index.to(self.tokens.device)
        columns = {name: getattr(self, name)[index] for name in CHOSEN}
        return replace(self, **columns)


CHOSEN = ("tokens", "score", "soft_score", "groups", "rows")


def jobs(
    plan: Campaign,
    starts: Tensor,
    groups: Tensor,
    make_rules: Callable[[Tensor], Rules],
    size: int | None = None,
) -> Iterator[Callable[[], Found]]:
    """The blocks of ``starts`` (N, L), which obey their rules, as functions that design from them.

    groups: (N,) from 0. make_rules: indices of starts (n,) -> their rules. size: starts of a block.
    """
    for first in range(0, len(starts), size or BLOCK):
        index = torch.arange(first, min(first + (size or BLOCK), len(starts)), device=starts.device)
        yield partial(_design, plan, starts, groups, make_rules, index)


def num_jobs(starts: Tensor, size: int | None = None) -> int:
    """How many blocks there are."""
    return -(-len(starts) // (size or BLOCK))


def _design(
    plan: Campaign, starts: Tensor, groups: Tensor, make_rules: Callable[[Tensor], Rules], index: Tensor
) -> Found:
    """What comes of the starts with these indices (n,)."""
    archive = _archive(plan, starts, groups)
    problem = SequenceProblem(
        oracle=only(plan.oracle, plan.members),
        objective=plan.composite.within(plan.margins),
        starts=starts[index],
        rules=make_rules(index),
        keys=index,
        budget=plan.budget,
        archive=archive,
        enough=plan.enough,
        latent=None if plan.latent is None else plan.latent.take(index),
        language=None if plan.language is None else plan.language.take(index),
        pull=plan.pull,
    )
    designs = plan.designer(problem, plan.options, plan.seed)
    stop: dict[str, int] = {}
    for reason in designs.stop:
        stop[reason] = stop.get(reason, 0) + 1
    spare, spare_score, spare_group = archive.best()
    return Found(
        tokens=designs.tokens,
        score=designs.score.double(),
        soft_score=designs.soft_score.double(),
        spare=spare,
        spare_score=spare_score,
        spare_group=spare_group,
        stop=stop,
        num_queries=int(designs.num_queries.sum()),
    )


def _archive(plan: Campaign, starts: Tensor, groups: Tensor) -> Archive:
    """Room for what is worth remembering of all groups."""
    known = frozenset[bytes]()
    if plan.known is not None:
        known = plan.known.tokens(starts.shape[1], plan.oracle.alphabet)
    # Later groups pass over what earlier ones took.
    further = FAR if plan.strict and plan.min_distance > 1 else min(_count(groups), MORE)
    return Archive(SPARE * plan.num + further, groups, known, Vocabulary(plan.oracle.alphabet).size)


def _count(groups: Tensor) -> int:
    return int(groups.max()) + 1 if len(groups) else 0


def choose(
    plan: Campaign, starts: Tensor, groups: Tensor, found: Sequence[Found], taken: list[str] | None = None
) -> Chosen:
    """The best of what all blocks ``found``, over all of them.

    taken: designs that were chosen before, from which these must differ; they are added to it.
    """
    taken = [] if taken is None else taken
    count = _count(groups)
    archive = _archive(plan, starts, groups)
    stop: dict[str, int] = {}
    for block in found:
        archive.take(block.spare, block.spare_score, block.spare_group)
        for reason, times in block.stop.items():
            stop[reason] = stop.get(reason, 0) + times
    spare, spare_score, spare_group = archive.best()
    tokens = torch.cat([block.tokens for block in found])
    every = (
        torch.cat([tokens, spare]) if len(spare) else tokens,  # an empty archive has no length either
        torch.cat([*(block.score for block in found), spare_score]),
        torch.cat([*(block.soft_score for block in found), torch.full_like(spare_score, torch.nan)]),
        torch.cat([groups, spare_group]),
    )
    tokens, worth, soft, owner = every
    if plan.judge is not None and len(tokens) <= MOST_JUDGED:
        judged = plan.judge(tokens, torch.searchsorted(groups, owner)).to(worth)
        worth = judged.where(worth.isfinite() & ~judged.isnan(), -torch.inf)
    chosen = _choose(plan, tokens, worth, soft, owner, count, taken)
    tokens, score, soft, owner = (column[chosen] for column in every)
    return Chosen(
        tokens=tokens,
        score=score,
        soft_score=soft,
        groups=owner,
        rows=torch.searchsorted(groups, owner),  # groups come in order
        stop=stop,
        num_queries=sum(block.num_queries for block in found),
        num_short=max(0, (plan.together or plan.num * count) - len(chosen)),
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
        least = plan.min_distance if plan.strict else 1
        distance = max(plan.min_distance, plan.own_distance.get(group, 1))
        mine = distinct(texts, fresh, distance, alphabet=strands, limit=plan.num)
        while len(mine) < plan.num and distance > least:
            distance = max(distance // 2, least)
            rest = apart(texts, fresh, [texts[i] for i in mine], distance, alphabet=strands)
            mine += distinct(texts, rest, distance, alphabet=strands, limit=plan.num - len(mine))
        mine.sort(key={place: rank for rank, place in enumerate(fresh)}.__getitem__)
        chosen += mine
        taken += [texts[i] for i in mine]
        first = last
    return torch.tensor(chosen, dtype=torch.long, device=tokens.device)
