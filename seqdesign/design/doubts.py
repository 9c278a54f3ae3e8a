"""What speaks against designs as a whole, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from seqdesign.design.brief import Brief
from seqdesign.design.model import DesignModel
from seqdesign.design.plan import Batch, num_missing
from seqdesign.design.records import Design
from seqdesign.runs.manifest import training_warnings


def warnings_of(
    brief: Brief, model: DesignModel, batches: Sequence[Batch], delivered: Sequence[Design]
) -> Iterator[str]:
    """What to warn of before anybody orders the designs."""
    if model.folder is not None:
        yield from training_warnings(model.folder)
        if model.evidence is None:
            yield (
                f"{model.folder} does not say what it was trained on, so nothing tells new letters from "
                "known ones and no other model judges; train again"
            )
    if missing := num_missing(batches):
        yield (
            f"{missing:,} designs fewer than asked for: nothing else was found that is new and differs "
            "enough; lower --min-distance, or raise --budget or --tries"
        )
    judged = any(d.confidence is not None for d in delivered)
    if delivered and not judged:
        few = "not an ensemble" if len(model.jury.design) == 1 else "an ensemble with no member to spare"
        yield f"no judges: the oracle is {few}, so nothing here tells real gains from its mistakes"
    yield from _doubts(brief, model, batches, delivered)


def _doubts(
    brief: Brief, model: DesignModel, batches: Sequence[Batch], delivered: Sequence[Design]
) -> Iterator[str]:
    """What speaks against many of the designs."""
    count = len(delivered)
    leaning = any(batch.starts.lean is not None for batch in batches)
    unconfirmed = sum(d.status == "unconfirmed" for d in delivered)
    if delivered and unconfirmed > count / 4 and not leaning:
        target = any(term.text.startswith("target") for term in batches[0].plan.composite.terms)
        advice = "" if target else ", --risk lower:1 avoids them"
        yield (
            f"{unconfirmed:,} of {count:,} designs are not confirmed by those that judge; "
            f"--min-confidence 0.5 drops the worst of them{advice}"
        )
    if len(model.oracle.outcomes) == 1 and model.codons is None and delivered:
        error = mean_known([d.outcomes.get(f"{model.keys[0]}_sd") for d in delivered])
        gain = mean([abs(d.score - d.score_start) for d in delivered])
        if error is not None and not model.log_odds and gain < error and not leaning:
            yield (
                f"the gain of {gain:.3g} is smaller than the error of a prediction ({error:.3g}): a single "
                "design may show none of it, so order several, and what they are compared with"
            )
    ended = sorted({d.open_end for d in delivered if d.open_end})
    if ended:
        yield (
            f"measurements end abruptly, as if others had been left out ({'; '.join(ended)}): what lies "
            "beyond was never seen, and the intervals of "
            f"{sum(d.open_end is not None for d in delivered):,} designs are open there"
        )
    for batch in batches:
        if batch.starts.lean is not None:
            common = "".join(model.alphabet.letters[i] for i in batch.starts.lean.letters.tolist())
            yield (
                "rows that were better have been left out, so that outcomes say little of what is best: "
                "designs lean on the letters that rows have in common (rarity in their headers), of which "
                "those that judge know nothing, so that scores and status are no forecast; order the "
                f"sequence of the most common letters too, which is often better still: {common}"
            )
    unusual = sum("ood:" in (d.reason or "") for d in delivered)
    if delivered and unusual > count / 2:
        yield (
            f"{unusual:,} of {count:,} designs are more than twice as far from typical sequences as 99% of "
            "those that the model was judged on, so intervals may be too narrow; --start with --max-edits "
            "keeps designs near"
        )
    unseen = sum(d.least_evidence == 0 for d in delivered)
    if unseen and not brief.only_seen:
        yield (
            f"{unseen:,} of {count:,} designs have letters that no training sequence has there "
            "(least_evidence=0), of which the model knows nothing; --letters seen avoids them"
        )


def mean(values: Sequence[float]) -> float:
    """NaN of nothing."""
    return float(np.mean(values)) if len(values) else math.nan


def mean_known(values: Sequence[float | int | None]) -> float | None:
    """Of those that are known; None if none is."""
    known = [v for v in values if v is not None]
    return mean(known) if known else None
