"""The best measured sequences: designs begin from them where all are variants of a parent, and stay near some
of them where judges know little.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqdesign.design.model import DesignModel
from seqdesign.judging.nearby import believed
from seqdesign.objectives.composite import Composite
from seqdesign.sequences.encoders import decode
from seqdesign.tasks.by_name import get_task

MOST_STARTS = 64
"""Measured sequences that designs of a library of variants begin from."""
BEST, FEWEST_ROWS = 0.05, 8
"""Share of the training sequences, the best, near which designs may stay, and at least so many."""


def best_variants(model: DesignModel, objective: Sequence[str], risk: str, length: int) -> Tensor | None:
    """Tokens (n, L) of the best training sequences, best first, where all are variants of a parent."""
    if model.evidence is None or model.evidence.variants is None or length != model.evidence.length:
        return None
    found = _ranked(model, model.composite(objective, risk), length)
    return None if found is None else found[:MOST_STARTS]


def best_rows(model: DesignModel, objective: Sequence[str], risk: str, length: int) -> Tensor | None:
    """Tokens (n, L) of the best measured sequences, best first, where judges have not shown that they can
    go beyond the rows; None where they have, where nothing judges, or where all are variants of a parent.

    A row counts as what is predicted of it without it, and what is thought to be no luck of the rest
    (``believed``); where outcomes are labels, as what is predicted and the label.
    """
    if model.evidence is None or model.evidence.variants is not None or model.codons is not None:
        return None
    composite = model.composite(objective, risk)
    panel = model.panel(length)
    if panel is None or model.may_go_on(composite, length):
        return None
    told = panel.told
    if told is None:
        found = _ranked(model, composite, length, beside=True)
    else:
        whole = (told.tokens[:, :length] < model.alphabet.size).all(1)
        whole &= (told.tokens[:, length:] >= model.alphabet.size).all(1)
        known = whole & ~(told.rows.isnan() | told.values.isnan()).any(1)
        if not bool(known.any()):
            return None
        counts = told.rows[known] + believed(told.values[known] - told.rows[known])
        found = _in_order(model, composite, counts, told.tokens[known, :length])
    return None if found is None else found[: max(FEWEST_ROWS, round(BEST * model.evidence.num_train))]


def _ranked(model: DesignModel, composite: Composite, length: int, *, beside: bool = False) -> Tensor | None:
    """Different training sequences (n, L) by their measurements, best first; ``beside``: by the sums of
    these, of labels, and of what is predicted.
    """
    assert model.evidence is not None
    measured = model.evidence.measured
    whole = (measured.tokens < model.alphabet.size).sum(1) == length
    known = ~np.isnan(measured.values).any(1) & (measured.values.shape[1] > 0)
    mine = measured.take(whole & known & (measured.lengths == length) & ~measured.held_out)
    if not len(mine):
        return None
    values = torch.from_numpy(np.asarray(mine.values, dtype=np.float64))
    tokens = torch.from_numpy(mine.tokens[:, :length].astype(np.int64))
    task = model.trained.record.head if model.trained is not None else get_task("regression")
    zero = values.new_zeros(1)
    scores = task.targets(values, zero, zero + 1, len(model.oracle.outcomes))
    if beside:
        scores = scores + model.predict(tokens.to(model.device)).mean(0).double().cpu().sigmoid()
    return _in_order(model, composite, scores, tokens)


def _in_order(model: DesignModel, composite: Composite, outcomes: Tensor, tokens: Tensor) -> Tensor:
    """Different sequences of tokens (n, L), by the score of outcomes (n, K), best first."""
    rows = torch.zeros(len(outcomes), dtype=torch.long)
    best = tokens[composite(outcomes[None], rows).argsort(descending=True)]
    return torch.stack(list(dict(zip(decode(best, model.alphabet), best, strict=True)).values()))
