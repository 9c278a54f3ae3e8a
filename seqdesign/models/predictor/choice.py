"""Which kind of model to take: the simplest that predicts as well as any, also what is better than seen.

Each kind learns from a part of the training rows and predicts the rest, a random part (or as ``--split``
says). Those whose correlation is within one standard error of the best, by a bootstrap of the predicted rows,
stay, and predict two more rests: the best outcomes and others, as designs are to be better than what was
measured; and, where there is a parent, the most mutated, as designs have more mutations. The simplest whose
mean correlation is within one standard error of the best is taken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
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
from seqdesign.training.config import FitOptions, num_epochs
from seqdesign.training.splitting import MIN_SEQUENCES, Indices, hold_out

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric

NETWORKS_FROM = 500
"""Sequences from which on networks are tried."""
TRIAL_ROWS, TRIAL_MEMBERS = 8_000, 2
"""Rows of a trial at most; members of networks in it."""
RESIDUAL_STEPS, MOTIF_STEPS = 800, 1_800
"""Steps of networks in a trial: residual ones begin with ridge regression, motif networks with nothing."""
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
    """The same of the best outcomes and others, by a model that has seen none of the best; None where it was
    not asked, as others predict what is alike better."""
    farther: float | None
    """The same of the most mutated, by a model that has seen fewer mutations."""
    seconds: float
    chosen: bool = False


def candidates(known: Known, options: PredictorOptions) -> list[str]:
    """Kinds that fit the rows, the simplest first, but before all how RNA folds, where that surely counts;
    strands are decided.
    """
    tokens, one_strand = known.tokens, options.strands != "both"
    longest, networks = int(tokens.lengths.max()), len(tokens) >= NETWORKS_FROM
    kinds = ["folded"] if one_strand and known.folds else []
    kinds += ["ridge", *(["codons"] if one_strand and are_genes(tokens) else [])]
    if not positional(tokens, options):
        ends = ["ends"] if one_strand and num_places(tokens.alphabet.size, longest) else []
        parted = ["aligned"] if one_strand and columns_of(known, "aligned") is not None else []
        family = ["family"] if one_strand and not parted and columns_of(known, "family") is not None else []
        return [*kinds, *family, "words", *ends, *(parted or _grammar(known, options)), "motif"]
    if longest >= SHORTEST:
        kinds += ["words", *_grammar(known, options)]
    kinds += [kind for kind in ("pairs", "kernel") if columns_of(known, kind) is not None]
    return [*kinds, "residual", "motif"] if networks else kinds


def _grammar(known: Known, options: PredictorOptions) -> list[str]:
    """The grammar of words, where some words carry the outcome, of as many rows as a trial has."""
    step = math.ceil(len(known.tokens) / TRIAL_ROWS)
    some = known if step == 1 else known.take(np.arange(0, len(known.tokens), step))
    return ["grammar"] if bool(some.words(both_strands=options.strands == "both").any()) else []


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

    def predict(kind: str, test: _Test) -> FloatArray | None:
        own = replace(options, architecture=kind)  # type: ignore[arg-type]
        try:
            return _predict(known, groups, test, own, fit_options, seed, fabric)
        except (InputError, TrainingError):  # too few rows, or a loss that explodes: not this kind
            return None

    entries = []
    for i, kind in enumerate(kinds):
        on_trial(i, len(kinds), LABELS[kind])
        count(i + 1, len(kinds), LABELS[kind])
        entry = _Entry(kind)
        if entry.ask(predict, tests[0]):
            entries.append(entry)
    if not entries:
        raise InputError(f"no kind of model can learn from {len(rows):,} sequences; give more")
    trials = _decided(entries, tests, predict, known.outcomes, rng)
    on_trial(len(kinds), len(kinds), "done")
    return trials


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
        trial = replace(fit_options, patience="auto")
        if not closed:
            longest = int(known.tokens.lengths.max())
            trial = replace(trial, epochs=_epochs(fit_options, options.architecture, len(taught), longest))
        learned = learn(
            known.take(taught),
            groups[taught],
            replace(options, members=members),
            trial,
            seed=seed,
            fabric=fabric,
        )
        some = known.tokens.take(part)
        found.append(member_scores(learned.model, some.tokens, some.lengths).mean(axis=0))
    return np.concatenate(found)


def _epochs(options: FitOptions, kind: str, num_train: int, longest: int) -> int:
    """Passes of networks in a trial."""
    if kind == "motif":
        return num_epochs(options, num_train, longest, MOTIF_STEPS)
    steps = RESIDUAL_STEPS * min(1.0, math.sqrt(SHORT / longest))
    epochs = max(1, round(steps / math.ceil(num_train / options.batch_size)))
    return epochs if options.epochs == "auto" else min(epochs, options.epochs)


@dataclass(eq=False)
class _Entry:
    """A kind in the trial, what it predicts of each test (n, K), and how long that took."""

    kind: str
    predicted: list[FloatArray] = field(default_factory=list)
    seconds: float = 0.0

    def ask(self, predict: Callable[[str, _Test], FloatArray | None], test: _Test) -> bool:
        """Whether it can predict a test."""
        begun = time.monotonic()
        found = predict(self.kind, test)
        self.seconds += time.monotonic() - begun
        if found is not None:
            self.predicted.append(found)
        return found is not None


def _decided(
    entries: list[_Entry],
    tests: list[_Test],
    predict: Callable[[str, _Test], FloatArray | None],
    outcomes: Outcomes,
    rng: np.random.Generator,
) -> list[Trial]:
    """Of those that predict the first test as well as any, the simplest that does so in all.

    First what is like the training rows: where they lack what makes the best ones, other tests are noise.
    """
    exact, drawn = _figures(entries, 0, outcomes.take(tests[0].rows), rng)
    alike = dict(zip((one.kind for one in entries), exact.tolist(), strict=True))
    near = _near(exact, drawn)
    able = [one for one, stays in zip(entries, near, strict=True) if stays]
    exact, drawn = exact[near], drawn[:, near]
    others: dict[str, dict[str, float]] = {one.kind: {} for one in entries}
    whole = [all(one.ask(predict, test) for test in tests[1:]) for one in able]
    if any(whole):
        able = [one for one, kept in zip(able, whole, strict=True) if kept]
        exact, drawn = exact[whole], drawn[:, whole]
        for j, test in enumerate(tests[1:], 1):
            found, resampled = _figures(able, j, outcomes.take(test.rows), rng)
            for one, value in zip(able, found.tolist(), strict=True):
                others[one.kind][test.name] = value
            exact, drawn = exact + found, drawn + resampled
        exact, drawn = exact / len(tests), drawn / len(tests)
    taken = able[int(_near(exact, drawn).argmax())].kind
    return [
        Trial(
            kind=one.kind, label=LABELS[one.kind], alike=alike[one.kind],
            better=others[one.kind].get("better"), farther=others[one.kind].get("farther"),
            seconds=one.seconds, chosen=one.kind == taken,
        )
        for one in entries
    ]  # fmt: skip


def _figures(
    entries: list[_Entry], test: int, measured: Outcomes, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """How well each entry predicts a test (n,), and the same of bootstrapped rows (R, n)."""
    task = measured.kind

    def agreement(scores: FloatArray, taken: Any) -> float:
        detail = None if measured.detail is None else measured.detail[taken, 0]
        return task.agreement_of(scores[taken], measured.values[taken, 0], detail)

    size = len(measured.values)
    draws = [slice(None), *(rng.integers(size, size=size) for _ in range(RESAMPLES))]
    found = np.array([[agreement(one.predicted[test], draw) for one in entries] for draw in draws])
    return found[0], found[1:]


def _near(score: FloatArray, drawn: FloatArray) -> NDArray[np.bool_]:
    """Kinds (n,) within one standard error of the best, or so near that it does not matter.

    drawn (R, n) are bootstrapped scores.
    """
    best = int(score.argmax())
    error = (drawn - drawn[:, [best]]).std(axis=0)
    slight = min(SLIGHT, SLIGHT_ERROR * (1 - float(score[best])))
    near: NDArray[np.bool_] = score >= score[best] - np.maximum(error, slight)
    return near
