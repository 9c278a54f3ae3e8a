"""How a set of starts is worked on: objective, directions along a front, budget, distance between designs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from seqdesign.constraints.builtin.max_edits import MaxEdits
from seqdesign.design.brief import Brief
from seqdesign.design.engine import Campaign, Chosen, Designer
from seqdesign.design.evidence import Known
from seqdesign.design.model import DesignModel
from seqdesign.design.starts import NEAR, StartSet
from seqdesign.design.usual import pull
from seqdesign.errors import UsageError
from seqdesign.objectives.composite import Composite
from seqdesign.objectives.directions import simplex_directions
from seqdesign.objectives.risk import Risk

CAUTION = 0.1
"""Level of the lower bound by which designs are chosen and ranked: nine in ten should be better."""
GRADIENT_BUDGET = 500
QUERIES_PER_LETTER = 10
"""Default budget without gradients, for each letter that could be written: 2,000 at least."""
LONG = 20
"""Free positions from which designs are to differ in a tenth of them."""


@dataclass(frozen=True)
class Batch:
    """The chosen designs of one set of starts."""

    starts: StartSet
    plan: Campaign
    chosen: Chosen


def num_missing(batches: Sequence[Batch]) -> int:
    """Designs that were wanted and could not be delivered."""
    return sum(batch.chosen.num_short for batch in batches)


def make_plan(
    brief: Brief, model: DesignModel, designer: Designer, options: Any, starts: StartSet, known: Known
) -> Campaign:
    """The campaign for one set of starts."""
    composite = model.composite(brief.objective, brief.risk)
    if brief.pareto:
        composite = _along_the_front(brief, model, composite, starts)
    generator, drawn = model.generator, starts.parents is None
    return Campaign(
        oracle=model.asked,
        composite=composite,
        members=model.jury.design,
        designer=designer,
        options=options,
        seed=brief.seed,
        budget=brief.budget or _budget(model, starts),
        enough=None if brief.enough is None else composite.reading.value(brief.enough),
        num=1 if brief.pareto else brief.wanted,
        min_distance=_min_distance(brief, starts),
        strict=brief.rules.min_distance is not None,
        both_strands=model.both_strands,
        together=None if starts.near is None else brief.wanted,
        own_distance={} if starts.near is None else {NEAR: 2 * int(starts.near[1].min()) + 1},
        known=None if brief.include_known else known,
        latent=None if generator is None else generator.latent(starts.tokens, starts.codes),
        language=None if generator is None else generator.language(starts.tokens, drawn=drawn),
        pull=starts.lean or (pull(model, brief.objective, brief.risk, starts) if brief.only_seen else None),
        judge=_judge(brief, model, composite, starts),
        margins=model.margins(composite),
    )


def _judge(
    brief: Brief, model: DesignModel, composite: Composite, starts: StartSet
) -> Callable[[Tensor, Tensor], Tensor] | None:
    """By what designs are chosen among all that designers have found: what nine in ten draws of the judges
    exceed. Not where designs lean on what judges do not know, or aim along a front.
    """
    panel = None if brief.pareto or starts.lean is not None else model.panel(starts.tokens.shape[1])
    if panel is None or model.codons is not None:
        return None
    bound = replace(composite, risk=Risk("quantile", CAUTION))
    return lambda tokens, rows: bound(panel(tokens.cpu()).draws, rows.cpu())


def _budget(model: DesignModel, starts: StartSet) -> int:
    """Queries of a run: what convinces gradient methods, or scans every substitution some times."""
    if model.oracle.differentiable:
        return GRADIENT_BUDGET
    return max(2000, QUERIES_PER_LETTER * starts.tokens.shape[1] * model.alphabet.size)


def _min_distance(brief: Brief, starts: StartSet) -> int:
    """Edits between designs, by default a tenth of what is free to change, 1 if that is little.

    Designs that a laboratory makes side by side should not be one design with decorations.
    """
    if brief.rules.min_distance is not None:
        return brief.rules.min_distance
    one = torch.zeros(1, dtype=torch.long, device=starts.tokens.device)
    rules = starts.rules_of(one)
    free = int((rules.mask[0].sum(1) > 1).sum())
    free = min([free, *(rule.limit for rule in rules.constraints if isinstance(rule, MaxEdits))])
    return max(1, free // 10) if free >= LONG else 1


def _along_the_front(brief: Brief, model: DesignModel, composite: Composite, starts: StartSet) -> Composite:
    """Each group of starts aims in a direction of its own, measured from what designs are compared with."""
    if len(composite.terms) < 2:
        raise UsageError("needs at least two goals that are no limits", option="--pareto")
    rng = torch.Generator().manual_seed(brief.seed)
    directions = simplex_directions(starts.directions, len(composite.terms), rng).to(starts.tokens.device)
    parents = starts.parent_of(starts.groups)
    before = model.before(starts, parents)[list(model.jury.design)]
    if starts.compared is not None:
        before = model.with_codons(before, starts.compared[parents])
    return composite.along(directions[starts.groups % starts.directions], composite.values(before))
