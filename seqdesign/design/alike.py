"""Revisions held near their inputs by a learned similarity."""

from __future__ import annotations

from functools import partial

import torch

from seqdesign.design.evidence import MakeConstraint
from seqdesign.design.options import SimilarityLimit
from seqdesign.models.similarity.limit import SimilarToStart
from seqdesign.models.similarity.store import load_similarity


def similarity_limit(options: SimilarityLimit, device: torch.device | str) -> MakeConstraint | None:
    """What makes the rule ``--min-similarity``; without a bound it only measures. Raises ModelError."""
    if options.similarity is None:
        return None
    trained = load_similarity(options.similarity, torch.device(device))
    return partial(SimilarToStart, trained, options.min_similarity or 0.0)
