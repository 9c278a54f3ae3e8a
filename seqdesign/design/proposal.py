"""The next order from all rounds so far: a batch of new sequences, and what the last round taught."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.options import LetterRules
from seqdesign.constraints.rules import Rules
from seqdesign.design.rounds import (
    Acquisition,
    Choice,
    Comparison,
    Lesson,
    Surrogate,
    choose,
    compare,
    lessons,
    neighbourhood,
)
from seqdesign.errors import InputError
from seqdesign.metrics.edits import variant_name
from seqdesign.metrics.regression import r2
from seqdesign.runs.progress import phase
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.lab.variants import Numbering

FloatArray = NDArray[np.float64]
LEAST = 8
"""Measured sequences without which nothing can be learned."""
SURE = 0.975
"""Probability of being better than the best measured one from which on the model is sure of it."""
POOL = 4000
"""Candidates that are looked for around the best measured sequences, and more for large batches."""


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """One sequence of the next round, in the order of choice. Numbers in the user's units."""

    id: str
    sequence: str
    predicted_mean: float
    predicted_sd: float
    predicted_low: float
    predicted_high: float
    """95% interval of a measurement."""
    better: float
    """Probability that it is better than the best one measured."""
    nearest: str
    """The measured sequence that differs at the fewest places."""
    distance: int
    measured_nearest: float
    """What was measured of it."""
    variant: str | None = None
    """Its mutations, where there is a wild type."""

    def row(self) -> dict[str, Any]:
        """The table row."""
        names = [name for name in self.__dataclass_fields__ if name != "variant"]
        named = {} if self.variant is None else {"variant": self.variant}
        return {"id": self.id, **named, **{name: getattr(self, name) for name in names[1:]}}


@dataclass(frozen=True, kw_only=True)
class ProposalSummary:
    """The rounds so far and the next one, in numbers."""

    rounds: tuple[int, ...]
    """Sequences that were measured in each round, repeats averaged."""
    best: float
    best_sequence: str
    best_variant: str | None = None
    """Its mutations, where there is a wild type."""
    noise: float
    """Standard deviation of a measurement, as the model estimates it."""
    r2: float
    """Of measured sequences as all others predict them."""
    r2_before: float | None
    """The same before the last round."""
    kind: str
    """What the Gaussian process is over that predicts the rows best."""
    pool: int
    """Candidates, those that are measured and those that break a constraint left out."""
    proposed: int
    missing: int
    """Wanted, but no further candidate is new and far enough from the others."""
    expected_better: float
    """How many of the batch will be better than the best so far, if the model is right."""
    beyond: int
    """How many it is sure are better than the best: no row shows that what it has learned goes on there."""
    beyond_by: float
    """By how much these are predicted better than the best so far, on average."""
    last: Comparison | None
    lessons: tuple[Lesson, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What should make one doubt."""
        found = []
        if self.r2 < 0.05:
            found.append("measured sequences are hardly predicted by the others, so this batch is a guess")
        if self.last is not None and self.last.num >= 10 and self.last.coverage < 0.8:
            found.append(
                f"only {self.last.coverage:.0%} of the last round lay in their 95% intervals: the model "
                "is too sure"
            )
        if self.beyond:
            found.append(
                f"{self.beyond:,} of {self.proposed:,} are predicted far beyond everything measured, by "
                f"{self.beyond_by:.3g} on average, where no row shows that what was learned goes on; rely on "
                "their order, not on the numbers"
            )
        if self.missing:
            found.append(
                f"{self.missing:,} fewer than asked for: no further candidate is new and differs enough; "
                "lower --min-distance, or give more candidates"
            )
        return tuple(found)

    def lines(self) -> list[str]:
        """What a person reads."""
        rounds = " + ".join(f"{n:,}" for n in self.rounds)
        called = self.best_variant or self.best_sequence
        found = [f"measured: {rounds} sequences, the best {self.best:.4g} ({called})"]
        last = self.last
        if last is not None:
            rho = "unknown" if last.spearman is None else f"{last.spearman:.2f}"
            found.append(
                f"last round, predicted from those before: rank correlation {rho}, {last.coverage:.0%} of "
                f"{last.num:,} in their 95% intervals, {last.measured:.4g} on average where "
                f"{last.promised:.4g} was promised; {last.better:,} better than the best before "
                f"({last.best_before:.4g}) where {last.better_expected:.1f} were expected"
            )
        before = "" if self.r2_before is None else f", {self.r2_before:.2f} before the last round"
        found.append(f"model: R2 {self.r2:.2f} of rows it is not told{before}; noise {self.noise:.2g}")
        found += [
            f"learned: {one.letter} at {one.place} is worth {one.after:+.3g}, not {one.before:+.3g} "
            f"({one.rows_before:,} rows before, {one.rows:,} now)"
            for one in self.lessons
        ]
        found.append(
            f"proposed: {self.proposed:,} of {self.pool:,} candidates; {self.expected_better:.1f} of them "
            "should be better than the best so far"
            + (", if what was learned goes on beyond what was measured" if self.beyond else "")
        )
        return found


def propose_round(
    rounds: Sequence[tuple[Sequence[str], FloatArray]],
    alphabet: Alphabet,
    num: int,
    *,
    candidates: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    rules: LetterRules | None = None,
    acquisition: Acquisition = "upper",
    minimize: bool = False,
    only_seen: bool = True,
    min_distance: int = 1,
    both_strands: bool = False,
    numbering: Numbering | None = None,
    seed: int = 0,
) -> tuple[list[Proposed], ProposalSummary]:
    """``num`` sequences to measure next, and what there is to know about it.

    rounds: texts and values (N,) of each round in the order of time. candidates: all sequences that may be
    ordered; None: those that are found around the best measured ones. exclude: further sequences that must
    not be proposed. numbering: the wild type by which sequences are called, and the number of its first
    letter. The other parameters are the options of ``seqdesign propose``.

    Raises InputError for too few measurements, and where nothing is left to propose.
    """
    sign = -1.0 if minimize else 1.0
    turn = _turn(alphabet, both_strands)
    texts, values = _merged(rounds, sign, turn)
    if len(texts) < LEAST:
        raise InputError(
            f"{len(texts)} measured sequences are too few to learn from; at least {LEAST} are needed"
        )
    with phase("learning"):
        surrogate = Surrogate(texts, values, alphabet, both_strands=both_strands, seed=seed)
    feasible = Feasible(rules or LetterRules(), alphabet)
    with phase("looking for candidates"):
        if candidates is None:
            size = max(POOL, 20 * num)
            pool = neighbourhood(surrogate, texts, values, feasible, size=size, seen=only_seen, seed=seed)
        else:
            some = list(dict.fromkeys(candidates))
            pool = [text for text, good in zip(some, feasible(some), strict=True) if good]
    pool = _new(pool, {*texts, *map(turn, exclude)}, turn)
    with phase("choosing"):
        choice = choose(
            surrogate, pool, num, acquisition=acquisition, min_distance=min_distance,
            both_strands=both_strands,
        )  # fmt: skip
    proposed = _proposed(
        [pool[i] for i in choice.places], choice, surrogate, (texts, values), sign, len(rounds) + 1
    )
    earlier, newest = _merged(rounds[:-1], sign, turn), _merged(rounds[-1:], sign, turn)
    before, last, taught = None, None, list[Lesson]()
    if len(earlier[0]) >= LEAST:
        before = Surrogate(*earlier, alphabet, both_strands=both_strands, seed=seed)
        last = _last(before, earlier, newest)
        taught = [] if both_strands else lessons(before, surrogate, pool, earlier[0], texts)
    summary = replace(
        _so_far(surrogate, before, last, texts, values, sign),
        rounds=tuple(len(_merged([one], sign, turn)[0]) for one in rounds),
        pool=len(pool),
        proposed=len(proposed),
        missing=num - len(proposed),
        expected_better=sum(one.better for one in proposed),
        beyond=len(ahead := [gain for gain, sure in _gains(proposed, float(values.max()), sign) if sure]),
        beyond_by=float(np.mean(ahead)) if ahead else 0.0,
        lessons=tuple(_signed(one, sign) for one in taught),
    )
    return _called(proposed, summary, numbering) if numbering is not None else (proposed, summary)


def _called(
    proposed: Sequence[Proposed], summary: ProposalSummary, numbering: Numbering
) -> tuple[list[Proposed], ProposalSummary]:
    """The same by mutations of the wild type, in its numbers."""

    def name(text: str) -> str | None:
        return variant_name(text, numbering.wild_type, numbering.first) or None

    if not numbering.wild_type:
        return list(proposed), summary
    moved = tuple(replace(one, place=one.place + numbering.first - 1) for one in summary.lessons)
    named = replace(summary, best_variant=name(summary.best_sequence), lessons=moved)
    return [replace(one, variant=name(one.sequence)) for one in proposed], named


def _so_far(
    surrogate: Surrogate,
    before: Surrogate | None,
    last: Comparison | None,
    texts: Sequence[str],
    values: FloatArray,
    sign: float,
) -> ProposalSummary:
    """What the measured rounds say, before there is a batch."""
    best = int(values.argmax())
    return ProposalSummary(
        rounds=(),
        best=float(sign * values[best]),
        best_sequence=texts[best],
        noise=surrogate.noise,
        r2=_r2(surrogate),
        r2_before=None if before is None else _r2(before),
        kind=surrogate.kind,
        pool=0,
        proposed=0,
        missing=0,
        expected_better=0.0,
        beyond=0,
        beyond_by=0.0,
        last=None if last is None else _turned(last, sign),
        lessons=(),
    )


def _gains(proposed: Sequence[Proposed], best: float, sign: float) -> Iterator[tuple[float, bool]]:
    """Of each, by how much it is predicted better than the best measured value, and whether surely."""
    for one in proposed:
        yield sign * one.predicted_mean - best, one.better > SURE


def _new(pool: Sequence[str], known: set[str], turn: Callable[[str], str]) -> list[str]:
    """The candidates that are not known. Raises InputError for none."""
    found = list({turn(text): text for text in pool if turn(text) not in known}.values())
    if not found:
        raise InputError(
            "no candidate is new and obeys the constraints; loosen them, or give more candidates"
        )
    return found


def _proposed(
    chosen: Sequence[str],
    choice: Choice,
    surrogate: Surrogate,
    measured: tuple[list[str], FloatArray],
    sign: float,
    number: int,
) -> list[Proposed]:
    """The batch of round ``number`` as records."""
    texts, values = measured
    wide = np.sqrt(choice.sd**2 + surrogate.noise_at(choice.mean) ** 2)
    better, (lows, highs) = surrogate.above(chosen, float(values.max())), surrogate.interval(chosen)
    found = []
    for i, (text, (place, distance)) in enumerate(zip(chosen, _nearest(chosen, texts), strict=True)):
        low, high = sorted(sign * end for end in (lows[i], highs[i]))
        found.append(
            Proposed(
                id=f"r{number}_{i + 1}",
                sequence=text,
                predicted_mean=float(sign * choice.mean[i]),
                predicted_sd=float(wide[i]),
                predicted_low=float(low),
                predicted_high=float(high),
                better=float(better[i]),
                nearest=texts[place],
                distance=distance,
                measured_nearest=float(sign * values[place]),
            )
        )
    return found


class Feasible:
    """Whether texts obey the constraints; the rules of each length are built once."""

    def __init__(self, options: LetterRules, alphabet: Alphabet) -> None:
        self.options, self.alphabet = options, alphabet
        self._rules: dict[int, Rules] = {}

    def __call__(self, texts: Sequence[str]) -> list[bool]:
        """For each text."""
        good = [False] * len(texts)
        for length in sorted({len(text) for text in texts}):
            mine = [i for i, text in enumerate(texts) if len(text) == length]
            if length not in self._rules:
                nothing = torch.zeros(1, length, dtype=torch.long)
                self._rules[length] = build_rules(self.options, self.alphabet, nothing)
            tokens = encode([texts[i] for i in mine], self.alphabet, on_unknown="mask").tokens
            rows = torch.zeros(len(mine), dtype=torch.long)
            fits = self._rules[length].is_feasible(torch.from_numpy(tokens.astype(np.int64)), rows)
            for i, fit in zip(mine, fits.tolist(), strict=True):
                good[i] = fit
        return good


def _turn(alphabet: Alphabet, both_strands: bool) -> Callable[[str], str]:
    """What stands for a sequence and, where they are one thing, for its reverse complement."""
    if not both_strands:
        return str
    return lambda text: min(text, alphabet.reverse_complement(text))


def _merged(
    rounds: Sequence[tuple[Sequence[str], FloatArray]], sign: float, turn: Callable[[str], str]
) -> tuple[list[str], FloatArray]:
    """Different sequences with the means of their values, larger being better; those without are left out."""
    found: dict[str, list[float]] = {}
    for texts, values in rounds:
        for text, value in zip(texts, values.tolist(), strict=True):
            if np.isfinite(value):
                found.setdefault(turn(text), []).append(sign * value)
    return list(found), np.array([np.mean(all_) for all_ in found.values()])


def _last(
    before: Surrogate, earlier: tuple[list[str], FloatArray], last: tuple[list[str], FloatArray]
) -> Comparison | None:
    """The last round's new sequences, as the rounds before predict them."""
    texts, values = last
    known = set(earlier[0])
    fresh = [i for i, text in enumerate(texts) if text not in known]
    if not fresh:
        return None
    return compare(before, float(earlier[1].max()), [texts[i] for i in fresh], values[fresh])


def _turned(one: Comparison, sign: float) -> Comparison:
    """With values as they were measured."""
    names = ("promised", "measured", "best_before", "best")
    points = []
    for point in one.points:
        low, high = sorted((sign * point.low, sign * point.high))
        measured, predicted = sign * point.measured, sign * point.predicted
        points.append(replace(point, measured=measured, predicted=predicted, low=low, high=high))
    return replace(one, points=tuple(points), **{name: sign * getattr(one, name) for name in names})


def _signed(one: Lesson, sign: float) -> Lesson:
    return replace(one, before=sign * one.before, after=sign * one.after)


def _r2(surrogate: Surrogate) -> float:
    return r2(surrogate.values.numpy(), surrogate.left_out)


def _nearest(texts: Sequence[str], known: Sequence[str]) -> list[tuple[int, int]]:
    """Place of the nearest known sequence, and the distance, for each text."""
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    found = []
    for first in range(0, len(texts), 64):
        distances = cdist(texts[first : first + 64], known, scorer=Levenshtein.distance, dtype=np.int32)
        found += [(int(row.argmin()), int(row.min())) for row in distances]
    return found
