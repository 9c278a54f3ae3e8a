"""Revisions held near their inputs by a learned similarity."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from seqdesign.design.evidence import MakeConstraint
from seqdesign.design.options import SimilarityLimit
from seqdesign.models.similarity.limit import SimilarToStart
from seqdesign.models.similarity.store import load_similarity
from seqdesign.revisers.problem import DesignProblem, DesignResult


def similarity_limit(options: SimilarityLimit, device: torch.device | str) -> MakeConstraint | None:
    """What makes the rule ``--min-similarity``; without a bound it only measures. Raises ModelError."""
    if options.similarity is None:
        return None
    trained = load_similarity(options.similarity, torch.device(device))
    return partial(SimilarToStart, trained, options.min_similarity or 0.0)


def similarity_of(problem: DesignProblem, result: DesignResult) -> Tensor | None:
    """(N, K) learned similarities of designs to their starts, None without a model of them."""
    rules = () if problem.rules is None else problem.rules.constraints
    limit = next((rule for rule in rules if isinstance(rule, SimilarToStart)), None)
    if limit is None:
        return None
    count, each, letters = result.tokens.shape
    rows = torch.arange(count, device=result.tokens.device).repeat_interleave(each)
    return limit.similarity(result.tokens.view(-1, letters), rows).view(count, each).cpu()
