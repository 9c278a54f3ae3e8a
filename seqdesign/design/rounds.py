"""The next round of measurements: a surrogate that learned from all rounds so far, and a batch.

The surrogate is one Gaussian process, over positions where another kind of kernel in ``judges`` does not
clearly better predict the rows that it is not told (leave-one-out density, Sundararajan & Keerthi 2001). A
batch is chosen by upper bounds, each sequence in the light of those that were chosen before it (GP-BUCB,
Desautels et al. 2014).

Shapes: N measured rows, B sequences of a pool, L letters, V letters of the alphabet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr
from torch import Tensor

from seqdesign.constraints.distinct import Apart
from seqdesign.judging.processes import (
    ROUNDS,
    GaussianProcess,
    Kind,
    Reading,
    hyperparameters,
    kinds_for,
    log_density,
    read_as,
)
from seqdesign.metrics.regression import spearman
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import encode

CHUNK = 4096
SHORT_LIST = 1500
"""Sequences among which a batch is chosen: those of the highest upper bounds."""
FLOORS = (None, 0.3, 0.01)
"""Floors of warps, as shares of the span of the values, among which the rows choose; None warps nothing."""
REACHED = 10
"""Rows, those that are predicted best without themselves, whose mean says what choosing has led to."""
CLEARLY = 5.0
"""By how much the rows must be likelier, in nats, that they are warped."""
BETTER = 10.0
"""The same for another kind of process than the first that can read the rows: of those that were chosen for
what the model thinks of them, small differences say little.
"""
UPPER = 2.0
"""Standard deviations above the mean of an upper bound."""
ROWS = 1500
"""Measured rows that are learned from, at most: the best half of them, and others."""
TINY = 1e-12
_NODES, _SHARES = np.polynomial.hermite_e.hermegauss(21)
_SHARES = _SHARES / _SHARES.sum()
"""Normal distributions as sums (Gauss and Hermite)."""

Acquisition = Literal["upper", "mean"]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Warp:
    """Values as the processes see them: log((y - least) / span + floor), or y where the floor is None.

    Where most variants are dead and a few are far above them, effects multiply; a process on the values
    themselves then expects too little of what it has not seen. Above the largest value the line goes on
    straight: that effects multiply there, too, no row says, and powers of a small error are a large one.
    """

    least: float
    span: float
    floor: float | None

    def __call__(self, y: Tensor) -> Tensor:
        """Of values."""
        if self.floor is None:
            return y
        share = ((y - self.least) / self.span).clamp(min=0)
        return (share.clamp(max=1) + self.floor).log() + (share - 1).clamp(min=0) / (1 + self.floor)

    def inverse(self, g: Tensor, *, straight: bool = True) -> Tensor:
        """Values; without ``straight`` effects multiply above the largest value, too."""
        if self.floor is None:
            return g
        above = (g - math.log1p(self.floor)).clamp(min=0) * straight
        return self.least + self.span * ((g - above).exp() - self.floor + above * (1 + self.floor))

    def slope(self, y: Tensor) -> Tensor:
        """Of the warped values at values."""
        if self.floor is None:
            return torch.ones_like(y)
        return 1 / (self.span * (((y - self.least) / self.span).clamp(0, 1) + self.floor))

    def moments(self, mean: Tensor, sd: Tensor) -> tuple[Tensor, Tensor]:
        """Means and standard deviations of values, from those of normal warped ones."""
        if self.floor is None:
            return mean, sd
        values = self.inverse(mean[:, None] + sd[:, None] * torch.from_numpy(_NODES))
        middle = values @ torch.from_numpy(_SHARES)
        spread = (values - middle[:, None]).square() @ torch.from_numpy(_SHARES)
        return middle, spread.sqrt()


class Surrogate:
    """A Gaussian process on measured sequences: over positions, unless another kind clearly better predicts
    rows that it is not told.

    values: (N,), larger is better. both_strands: whether a reverse complement is the same thing.
    Raises ValueError for fewer than two rows.
    """

    def __init__(
        self,
        texts: Sequence[str],
        values: FloatArray,
        alphabet: Alphabet,
        *,
        both_strands: bool = False,
        kinds: Sequence[Kind] = ROUNDS,
        floors: Sequence[float | None] = FLOORS,
        seed: int = 0,
    ) -> None:
        if len(texts) < 2:
            raise ValueError(f"a surrogate needs at least two measured rows, got {len(texts)}")
        self.rows = _most_telling(values, seed)
        self.values = torch.from_numpy(np.asarray(values, dtype=np.float64)[self.rows])
        self.alphabet = alphabet
        array = encode([texts[i] for i in self.rows], alphabet, on_unknown="mask")
        tokens, same = torch.from_numpy(array.tokens.astype(np.int64)), len(set(array.lengths.tolist())) < 2
        kinds, basis = kinds_for(kinds, array, same=same and not both_strands, both_strands=both_strands)
        read = [read_as(kind, basis, tokens) for kind in kinds]
        members = [(kind, reader, reader(tokens)) for kind, reader in zip(kinds, read, strict=True)]
        least, most = self.values.aminmax()
        warps = [Warp(float(least), float((most - least).clamp(min=1e-9)), floor) for floor in floors]
        # Which kind predicts best depends on the warp, and the other way round: on values of which a kind
        # explains nothing, a warp only makes their distribution look normal.
        best = max(
            (_Fit.of(*member, self.values, warp, seed) for member in members for warp in warps),
            key=lambda fit: (
                fit.density
                - CLEARLY * (fit.warp.floor != floors[0])
                - BETTER * (fit.process.kind is not members[0][0])
            ),
        )
        self.warp, self.process, self.centre, self.unit = best.warp, best.process, best.centre, best.unit
        self.left_out = self.warp.inverse(self.centre + self.unit * best.left_out).numpy()
        """(N,): each row as the others predict it."""
        self.noise = float(self.noise_at(self.values.median().numpy()))
        """Standard deviation of a typical measurement, in units of the values."""

    def noise_at(self, values: FloatArray) -> FloatArray:
        """Standard deviations (B,) of measurements of sequences with these values (B,)."""
        return np.asarray(
            self._noise() / self.warp.slope(torch.as_tensor(values, dtype=torch.float64)).numpy()
        )

    @property
    def kind(self) -> str:
        """What the process is over."""
        return self.process.kind.name

    def __call__(self, texts: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Means and standard deviations (B,) of the sequences themselves, without the noise of measuring."""
        return self.as_measured(*self.warped(texts))

    def as_measured(self, mean: FloatArray, sd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means and standard deviations (B,) of values from those of warped ones."""
        found = self.warp.moments(torch.from_numpy(mean), torch.from_numpy(sd))
        return found[0].numpy(), found[1].numpy()

    def interval(self, texts: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Where measurements of the sequences (B,) lie with a probability of 95%.

        How it goes on above the rows no row says. So lower ends are no higher than what rows have reached,
        as if it ended there, and where effects multiply they do so above the rows, too, at upper ends.
        """
        mean, wide = self._measured(texts)
        low, high = (torch.from_numpy(mean + side * 1.96 * wide) for side in (-1, 1))
        best = np.argsort(-self.left_out, kind="stable")[:REACHED]
        reached = self.values.numpy()[best].mean(keepdims=True)
        ended = reached - 1.96 * self.noise_at(reached)
        return (
            np.minimum(self.warp.inverse(low).numpy(), ended),
            self.warp.inverse(high, straight=False).numpy(),
        )

    def above(self, texts: Sequence[str], value: float, *, measured: bool = False) -> FloatArray:
        """Probabilities (B,) that the sequences, or measurements of them, lie above a value."""
        mean, sd = self._measured(texts) if measured else self.warped(texts)
        limit = float(self.warp(torch.tensor(value, dtype=torch.float64)))
        return np.asarray(ndtr((mean - limit) / np.maximum(sd, 1e-12)))

    def _measured(self, texts: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Means and standard deviations (B,) of warped measurements."""
        mean, sd = self.warped(texts)
        return mean, np.hypot(sd, self._noise())

    def _noise(self) -> float:
        return float(self.unit) * math.sqrt(self.process.noise)

    def upper(self, texts: Sequence[str]) -> FloatArray:
        """Upper bounds (B,) of the sequences: ``UPPER`` standard deviations above the mean, as warped."""
        mean, sd = self.warped(texts)
        return np.asarray(self.warp.inverse(torch.from_numpy(mean + UPPER * sd)).numpy())

    @torch.no_grad()
    def warped(self, texts: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Means and standard deviations (B,) of the warped values."""
        means, variances = [np.zeros(0)], [np.zeros(0)]
        for first in range(0, len(texts), CHUNK):
            tokens = _tokens(texts[first : first + CHUNK], self.alphabet)
            mean, variance = self.process(self.process.reader(tokens))
            means.append((self.centre + self.unit * mean[:, 0]).numpy())
            variances.append((self.unit.square() * variance[:, 0]).numpy())
        return np.concatenate(means), np.sqrt(np.concatenate(variances))

    @torch.no_grad()
    def joint(self, texts: Sequence[str]) -> tuple[FloatArray, FloatArray, float]:
        """Means (B,) and covariance (B, B) of warped values, standardised; and the variance of the noise."""
        mean, covariance = self.process.joint(self.process.reader(_tokens(texts, self.alphabet)))
        return mean.numpy(), covariance.numpy(), self.process.noise


@dataclass(frozen=True)
class _Fit:
    """A process of one kind on warped values, (y - centre) / unit."""

    warp: Warp
    process: GaussianProcess
    centre: Tensor
    unit: Tensor
    left_out: Tensor
    """(N,): each row by all others."""
    density: float
    """Logarithm of that of all rows, each by all others, in units of the values."""

    @classmethod
    def of(cls, kind: Kind, reader: Reading, x: list[Tensor], values: Tensor, warp: Warp, seed: int) -> _Fit:
        """The process with the most probable hyperparameters, for values (N,)."""
        warped = warp(values)
        centre, unit = warped.mean(), warped.std().clamp(min=1e-9)
        y = ((warped - centre) / unit)[:, None]
        process = GaussianProcess(kind, hyperparameters(kind, reader, x, y, seed), reader, x, y)
        mean, variance = process.left_out()
        density = log_density(y, mean, variance)[:, 0] + (warp.slope(values) / unit).log()
        return cls(warp, process, centre, unit, mean[:, 0], float(density.sum()))


@dataclass(frozen=True)
class Choice:
    """A batch: places in the pool in the order of choice, with what the ensemble says of each."""

    places: list[int]
    mean: FloatArray
    sd: FloatArray
    """Of the sequences, without the noise of measuring."""


def choose(
    surrogate: Surrogate,
    pool: Sequence[str],
    num: int,
    *,
    acquisition: Acquisition = "upper",
    min_distance: int = 1,
    both_strands: bool = False,
) -> Choice:
    """``num`` different sequences of the pool, or fewer where no more are apart enough.

    acquisition: upper (one after the other the highest mean + 2 sd, where the sd is what is left once those
    chosen before are measured), or mean (the highest means).
    """
    warped, wide = surrogate.warped(pool)
    mean, sd = surrogate.as_measured(warped, wide)
    order = np.argsort(-(mean if acquisition == "mean" else warped + UPPER * wide), kind="stable")
    apart = Apart(
        min_distance, surrogate.alphabet if both_strands else replace(surrogate.alphabet, complement="")
    )
    taken: list[int] = []
    if acquisition == "upper":
        short = order[: max(SHORT_LIST, 4 * num)]
        known = surrogate.joint([pool[i] for i in short])
        taken = [int(short[i]) for i in upper_batch(*known, num, lambda i: apart.takes(pool[short[i]]))]
    for i in order.tolist():
        if len(taken) == num:
            break
        if i not in taken and apart.takes(pool[i]):
            taken.append(i)
    return Choice(taken, mean[taken], sd[taken])


def upper_batch(
    mean: FloatArray, covariance: FloatArray, noise: float, num: int, takes: Callable[[int], bool]
) -> list[int]:
    """Places of ``num`` sequences, or fewer, by upper bounds in the light of those chosen before.

    What a measurement will be is not known, but how much less is unknown after it: the variances (B,) of a
    Gaussian process do not depend on the values (Desautels et al. 2014, GP-BUCB). mean (B,), covariance
    (B, B): of the sequences; noise: variance of a measurement. takes: whether a sequence may be taken.
    """
    variance = covariance.diagonal().clip(min=0).copy()
    open_ = np.ones(len(mean), dtype=bool)
    factor = np.zeros((num, len(mean)))
    taken: list[int] = []
    while len(taken) < num and open_.any():
        place = int(np.where(open_, mean + UPPER * np.sqrt(variance), -np.inf).argmax())
        open_[place] = False
        if not takes(place):
            continue
        done = factor[: len(taken)]
        column = covariance[place] - done[:, place] @ done
        factor[len(taken)] = column / math.sqrt(max(variance[place] + noise, TINY))
        variance = (variance - factor[len(taken)] ** 2).clip(min=0)
        taken.append(place)
    return taken


@dataclass(frozen=True, kw_only=True)
class Point:
    """A sequence of the last round: what was measured, and what the rounds before predict of it."""

    sequence: str
    measured: float
    predicted: float
    low: float
    high: float
    """95% interval of a measurement."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was predicted of the last round from the rounds before, and what was measured."""

    num: int
    spearman: float | None
    coverage: float
    """Share of the measurements inside the 95% intervals."""
    promised: float
    """Mean of the predictions."""
    measured: float
    """Mean of the measurements."""
    best_before: float
    best: float
    better_expected: float
    """Measurements above the best one before that the predictions let expect."""
    better: int
    """Such measurements."""
    points: tuple[Point, ...] = ()
    """Each of them."""


def compare(before: Surrogate, best_before: float, texts: Sequence[str], values: FloatArray) -> Comparison:
    """Rank correlation, coverage, and promises kept, of sequences that ``before`` has not learned from."""
    mean, _ = before(texts)
    lows, highs = before.interval(texts)
    rho = spearman(values, mean) if len(values) > 2 else math.nan
    return Comparison(
        num=len(values),
        spearman=None if math.isnan(rho) else rho,
        coverage=float(((lows <= values) & (values <= highs)).mean()),
        promised=float(mean.mean()),
        measured=float(values.mean()),
        best_before=best_before,
        best=float(values.max()),
        better_expected=float(before.above(texts, best_before, measured=True).sum()),
        better=int((values > best_before).sum()),
        points=tuple(
            Point(sequence=text, measured=y, predicted=m, low=low, high=high)
            for text, y, m, low, high in zip(
                texts, values.tolist(), mean.tolist(), lows.tolist(), highs.tolist(), strict=True
            )
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A letter at a place whose worth is seen otherwise since the last round."""

    place: int
    """Counted from 1."""
    letter: str
    before: float
    after: float
    """Mean prediction of the pool's sequences with the letter there, less that of all."""
    rows_before: int
    rows: int
    """Measured sequences that have it."""


def lessons(
    before: Surrogate,
    after: Surrogate,
    pool: Sequence[str],
    earlier: Sequence[str],
    texts: Sequence[str],
    num: int = 5,
) -> list[Lesson]:
    """The letters whose estimated effects the last round has changed most; none for several lengths."""
    if len({len(text) for text in (*pool, *texts)}) != 1:
        return []
    step = max(1, len(pool) // CHUNK)
    some = list(pool[::step])
    old, new = before(some)[0], after(some)[0]
    letters = np.array([list(text) for text in some])
    found = []
    for place in range(letters.shape[1]):
        for letter in np.unique(letters[:, place]):
            here = letters[:, place] == letter
            if here.all():
                continue
            counts = [sum(text[place] == letter for text in part) for part in (earlier, texts)]
            effects = [float(v[here].mean() - v.mean()) for v in (old, new)]
            found.append(
                Lesson(
                    place=place + 1,
                    letter=str(letter),
                    before=effects[0],
                    after=effects[1],
                    rows_before=counts[0],
                    rows=counts[1],
                )
            )
    found.sort(key=lambda one: -abs(one.after - one.before))
    return found[:num]


Feasible = Callable[[Sequence[str]], Sequence[bool]]


def neighbourhood(
    surrogate: Surrogate,
    texts: Sequence[str],
    values: FloatArray,
    feasible: Feasible,
    *,
    size: int = 4000,
    generations: int = 4,
    parents: int = 64,
    seen: bool = True,
    seed: int = 0,
) -> list[str]:
    """New sequences around the best measured ones: substitutions, and crosses of parents of one length.

    Each generation's parents are the sequences of the highest upper bounds so far. feasible: what the
    constraints say. size: sequences of all generations together. seen: write only letters that measured
    sequences of that length have at that place.
    """
    rng = np.random.default_rng([seed, 7])
    known, pool = set(texts), dict[str, None]()
    order = np.argsort(-values, kind="stable")
    front = [texts[i] for i in order[:parents]]
    letters = {length: _letters(texts, length, surrogate.alphabet, seen) for length in map(len, texts)}
    for _ in range(generations):
        children = dict.fromkeys(_children(front, letters, size // generations, rng))
        fresh = [text for text in children if text not in known and text not in pool]
        good = [text for text, fits in zip(fresh, feasible(fresh), strict=True) if fits] if fresh else []
        pool |= dict.fromkeys(good)
        everyone = [*dict.fromkeys([*front, *good])]
        front = [everyone[i] for i in np.argsort(-surrogate.upper(everyone), kind="stable")[:parents]]
    return list(pool)


def _letters(texts: Sequence[str], length: int, alphabet: Alphabet, seen: bool) -> list[str]:
    """The letters that may stand at each place of sequences so long."""
    if not seen:
        return [alphabet.letters] * length
    rows = [text for text in texts if len(text) == length]
    return ["".join(sorted({text[i] for text in rows} & set(alphabet.letters))) for i in range(length)]


def _children(
    front: Sequence[str], letters: dict[int, list[str]], num: int, rng: np.random.Generator
) -> list[str]:
    """Crosses and mutants of the parents in ``front``, the better ones more often."""
    found = []
    for _ in range(num):
        one = front[int(len(front) * rng.random() ** 2)]
        other = front[int(len(front) * rng.random())]
        child = list(one)
        if len(other) == len(one) and rng.random() < 0.5:
            child = [
                a if take else b for a, b, take in zip(one, other, rng.random(len(one)) < 0.5, strict=True)
            ]
        choices = letters[len(child)]
        for _ in range(1 + rng.poisson(0.7)):
            place = int(rng.integers(len(child)))
            if choices[place]:
                child[place] = choices[place][int(rng.integers(len(choices[place])))]
        found.append("".join(child))
    return found


def _most_telling(values: FloatArray, seed: int) -> NDArray[np.int64]:
    """Rows to learn from."""
    count = len(values)
    if count <= ROWS:
        return np.arange(count)
    order = np.argsort(-values, kind="stable")
    best, rest = order[: ROWS // 2], order[ROWS // 2 :]
    others = np.random.default_rng([seed, 11]).permutation(rest)[: ROWS - len(best)]
    return np.sort(np.concatenate([best, others]))


def _tokens(texts: Sequence[str], alphabet: Alphabet) -> Tensor:
    """Tokens (B, L)."""
    return torch.from_numpy(encode(list(texts), alphabet, on_unknown="mask").tokens.astype(np.int64))
