"""Which kind of model to take: the simplest that predicts as well as any, also what is better than seen.

Each kind learns from a part of the training rows and predicts the rest, several times: the rest is a random
part (or as ``--split`` says); the best outcomes and others, as designs are to be better than what was
measured; and, where there is a parent, the most mutated, as designs have more mutations. Of the kinds whose
correlation on the first rest is within one standard error of the best, by a bootstrap of the predicted rows,
those stay whose mean correlation is within one of the best, and the simplest of them is taken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.ensembles.ends import num_places
from seqdesign.ensembles.grammar import SHORTEST
from seqdesign.ensembles.options import LABELS, SHORT, PredictorOptions
from seqdesign.errors import InputError, TrainingError
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.learn import columns_of, learn, positional
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import member_scores
from seqdesign.runs.progress import count, phase
from seqdesign.sequences.genetic_code import are_genes
from seqdesign.sequences.splits import RELATED, mutated, mutation_split, random_split
from seqdesign.training.config import FitOptions
from seqdesign.training.splitting import MIN_SEQUENCES, Indices, hold_out

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric

NETWORKS_FROM = 500
"""Sequences from which on networks are tried."""
TRIAL_ROWS, TRIAL_STEPS, TRIAL_MEMBERS = 8_000, 800, 2
"""Rows of a trial at most; steps and members of networks in it."""
HELD_BACK = 0.2
FEW, SEVERAL = 500, 5
"""Below as many rows, each part of so many is predicted by the others."""
RESAMPLES = 200
SLIGHT, SLIGHT_ERROR = 0.003, 0.05
"""Differences of scores that do not matter, if they are also less than this share of what is left to 1: with
many rows any difference is significant."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One kind that was tried."""

    kind: str
    label: str
    alike: float
    """Correlation of predicted and measured values of held-back rows; for classes the share of right ones."""
    better: float | None
    """The same of the best outcomes and others, by a model that has seen none of the best."""
    farther: float | None
    """The same of the most mutated, by a model that has seen fewer mutations."""
    seconds: float
    chosen: bool = False


@dataclass(frozen=True, eq=False)
class _Found:
    kind: str
    predicted: list[FloatArray]
    seconds: float


def candidates(known: Known, options: PredictorOptions) -> list[str]:
    """Kinds that fit the rows, the simplest first; strands are decided."""
    tokens, one_strand = known.tokens, options.strands != "both"
    longest, networks = int(tokens.lengths.max()), len(tokens) >= NETWORKS_FROM
    kinds = ["ridge", *(["codons"] if one_strand and are_genes(tokens) else [])]
    if not positional(tokens, options):
        ends = ["ends"] if one_strand and num_places(tokens.alphabet.size, longest) else []
        parted = ["aligned"] if one_strand and columns_of(tokens, "aligned") is not None else []
        return [*kinds, "words", *ends, *(parted or _grammar(known, options)), "motif"]
    if longest >= SHORTEST:
        kinds += ["words", *_grammar(known, options)]
    kinds += [kind for kind in ("pairs", "kernel") if columns_of(tokens, kind) is not None]
    return [*kinds, "residual", "motif"] if networks else kinds


def _grammar(known: Known, options: PredictorOptions) -> list[str]:
    """The grammar of words, where some words carry the outcome."""
    return ["grammar"] if bool(known.words(both_strands=options.strands == "both").any()) else []


@phase("choosing a model", even=False)
def choose(
    known: Known,
    groups: Indices,
    options: PredictorOptions,
    fit_options: FitOptions,
    *,
    seed: int,
    fabric: Fabric,
    on_trial: Callable[[int, int, str], None] = lambda done, total, label: None,
) -> list[Trial]:
    """All kinds that were tried, one of them chosen; ``on_trial`` hears which one of how many begins."""
    kinds = candidates(known, options)
    rng = np.random.default_rng([seed, 31])
    rows = np.flatnonzero(~np.isnan(known.outcomes.values[:, 0]))
    rows = np.sort(rng.permutation(rows)[:TRIAL_ROWS])
    known, groups = Known(known.tokens.take(rows), known.outcomes.take(rows).first()), groups[rows]
    tests = list(_tests(known, groups, fit_options, rng))
    found = []
    for i, kind in enumerate(kinds):
        on_trial(i, len(kinds), LABELS[kind])
        count(i + 1, len(kinds), LABELS[kind])
        begun = time.monotonic()
        try:
            predicted = [
                _predict(known, groups, test, replace(options, architecture=kind), fit_options, seed, fabric)  # type: ignore[arg-type]
                for test in tests
            ]
        except (InputError, TrainingError):  # too few rows, or a loss that explodes: not this kind
            continue
        found.append(_Found(kind, predicted, time.monotonic() - begun))
    on_trial(len(kinds), len(kinds), "done")
    return _judged(found, tests, known.outcomes, rng)


@dataclass(frozen=True, eq=False)
class _Test:
    """Rows that are predicted, each part by what all rows but it teach."""

    name: str
    parts: list[Indices]

    @property
    def rows(self) -> Indices:
        return np.concatenate(self.parts)


def _tests(
    known: Known, groups: Indices, fit_options: FitOptions, rng: np.random.Generator
) -> Iterator[_Test]:
    """A random part, or all parts in turn where rows are few; the best and others; the most mutated."""
    y, task = known.outcomes.values[:, 0], known.outcomes.kind
    several = SEVERAL if len(y) < FEW else round(1 / HELD_BACK)
    parts = random_split(len(y), [1 / several] * several, rng, groups=groups)
    if fit_options.split in ("modulo", "contiguous", "mutations"):
        again = replace(fit_options, held_out=HELD_BACK)
        yield _Test("alike", [hold_out(known.tokens, None, again, int(rng.integers(1 << 31)))[1]])
    else:
        yield _Test("alike", parts if len(y) < FEW else parts[:1])
    if not task.log_odds and len(np.unique(y)) > 2 * SEVERAL:
        best = np.flatnonzero(y > np.quantile(y, 1 - HELD_BACK))
        others = np.setdiff1d(parts[0], best)
        if len(best) >= SEVERAL and len(others) >= SEVERAL:
            yield _Test("better", [np.concatenate([best, others])])
    if len(np.unique(known.tokens.lengths)) > 1 or fit_options.split == "mutations":
        return
    count = mutated(known.tokens.tokens).sum(axis=1)
    if np.median(count) <= RELATED * known.tokens.tokens.shape[1] and count.max() > np.median(count):
        train, most = mutation_split(known.tokens.tokens, HELD_BACK)
        if min(len(train), len(most)) >= MIN_SEQUENCES:
            yield _Test("farther", [most])


def _predict(
    known: Known,
    groups: Indices,
    test: _Test,
    options: PredictorOptions,
    fit_options: FitOptions,
    seed: int,
    fabric: Fabric,
) -> FloatArray:
    """Mean scores (n, K) of the rows of a test."""
    found = []
    closed = options.architecture not in ("residual", "motif")
    for part in test.parts:
        taught = np.setdiff1d(np.arange(len(known.tokens)), part)
        members = options.members if closed else TRIAL_MEMBERS
        steps = TRIAL_STEPS * min(1.0, math.sqrt(SHORT / int(known.tokens.lengths.max())))
        epochs = max(1, round(steps / math.ceil(len(taught) / fit_options.batch_size)))
        if fit_options.epochs != "auto":
            epochs = min(epochs, fit_options.epochs)
        learned = learn(
            known.take(taught),
            groups[taught],
            replace(options, members=members),
            replace(fit_options, epochs=epochs, patience="auto"),
            seed=seed,
            fabric=fabric,
        )
        some = known.tokens.take(part)
        found.append(member_scores(learned.model, some.tokens, some.lengths).mean(axis=0))
    return np.concatenate(found)


def _judged(
    found: list[_Found], tests: list[_Test], outcomes: Outcomes, rng: np.random.Generator
) -> list[Trial]:
    """Scores of all kinds, and the simplest within one standard error of the best."""
    if not found:
        raise InputError(f"no kind of model can learn from {len(outcomes.values):,} sequences; give more")
    task = outcomes.kind
    measured = [outcomes.take(test.rows) for test in tests]

    def agreement(scores: FloatArray, rows: Outcomes, taken: Any) -> float:
        detail = None if rows.detail is None else rows.detail[taken, 0]
        return task.agreement_of(scores[taken], rows.values[taken, 0], detail)

    def figures(rows: list[Any]) -> FloatArray:
        return np.array(
            [
                [agreement(p, m, k) for p, m, k in zip(one.predicted, measured, rows, strict=True)]
                for one in found
            ]
        )

    exact = figures([slice(None)] * len(tests))
    drawn = np.stack(
        [figures([rng.integers(len(m), size=len(m)) for m in measured]) for _ in range(RESAMPLES)]
    )
    # First what is like the training rows: where they lack what makes the best ones, other tests are noise.
    able = _near(exact[:, 0], drawn[:, :, 0], np.ones(len(found), dtype=np.bool_))
    taken = int(_near(exact.mean(axis=1), drawn.mean(axis=2), able).argmax())

    def named(i: int, name: str) -> float | None:
        found = [float(exact[i, j]) for j, test in enumerate(tests) if test.name == name]
        return found[0] if found else None

    return [
        Trial(
            kind=one.kind, label=LABELS[one.kind], alike=float(exact[i, 0]),
            better=named(i, "better"), farther=named(i, "farther"),
            seconds=one.seconds, chosen=i == taken,
        )
        for i, one in enumerate(found)
    ]  # fmt: skip


def _near(score: FloatArray, drawn: FloatArray, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Kinds (n,) within one standard error of the best of ``among``, or so near that it does not matter.

    drawn (R, n) are bootstrapped scores.
    """
    best = int(np.where(among, score, -np.inf).argmax())
    error = (drawn - drawn[:, [best]]).std(axis=0)
    slight = min(SLIGHT, SLIGHT_ERROR * (1 - float(score[best])))
    near: NDArray[np.bool_] = among & (score >= score[best] - np.maximum(error, slight))
    return near
