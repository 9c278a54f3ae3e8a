"""The next round of measurements: an ensemble that learned from all rounds so far, and a batch.

The ensemble is one Gaussian process for each kind of kernel in ``judges``, weighted by how well each predicts
the rows that it is not told (stacking of leave-one-out densities, Yao et al. 2018). A batch is chosen by
upper bounds; by the expected best of the batch over functions drawn from what the ensemble still thinks
possible (Ginsbourger et al. 2010); or by Thompson sampling (Thompson 1933; Kandasamy et al. 2018 for
batches), each sequence being the best one in one such function.

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
from torch import Tensor

from seqdesign.constraints.distinct import Apart
from seqdesign.design.judges import (
    KINDS,
    RELATED,
    GaussianProcess,
    Kind,
    Reader,
    hyperparameters,
    kinds_for,
    log_density,
    read_as,
)
from seqdesign.design.panel import shares, stack
from seqdesign.metrics.regression import spearman
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import encode

CHUNK = 4096
SHORT_LIST = 1000
"""Sequences among which functions are drawn: those of the highest upper bounds."""
FLOORS = (None, 0.3, 0.03, 0.003)
"""Floors of warps, as shares of the span of the values, among which the rows choose; None warps nothing."""
CLEARLY = 5.0
"""By how much the rows must be likelier, in nats, that they are warped."""
FEW = 2
"""Kinds of processes by which a warp is chosen."""
WIDEST = 1.0
"""Standard deviation of a logarithm from which on it makes a mean no larger."""
UPPER = 2.0
"""Standard deviations above the mean of an upper bound."""
ROWS = 1500
"""Measured rows that are learned from, at most: the best half of them, and others."""

DRAWS = 256
"""Functions over which the expected best of a batch is averaged."""

Acquisition = Literal["expected", "thompson", "upper", "mean"]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Warp:
    """Values as the processes see them: log((y - least) / span + floor), or y where the floor is None.

    Where most variants are dead and a few are far above them, effects multiply; a process on the values
    themselves then expects too little of what it has not seen.
    """

    least: float
    span: float
    floor: float | None

    def __call__(self, y: Tensor) -> Tensor:
        """Of values."""
        if self.floor is None:
            return y
        return (((y - self.least) / self.span).clamp(min=0) + self.floor).log()

    def inverse(self, g: Tensor) -> Tensor:
        """Values."""
        return g if self.floor is None else self.least + self.span * (g.exp() - self.floor)

    def slope(self, y: Tensor) -> Tensor:
        """Of the warped values at values."""
        if self.floor is None:
            return torch.ones_like(y)
        return 1 / (self.span * (((y - self.least) / self.span).clamp(min=0) + self.floor))

    def moments(self, mean: Tensor, sd: Tensor) -> tuple[Tensor, Tensor]:
        """Means and standard deviations of values, from those of normal warped ones."""
        if self.floor is None:
            return mean, sd
        wide = sd.clamp(max=WIDEST)
        middle = (mean + 0.5 * wide.square()).exp()
        spread = middle * wide.square().expm1().sqrt()
        return self.least + self.span * (middle - self.floor), self.span * spread


class Ensemble:
    """Gaussian processes of several kinds on measured sequences.

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
        kinds: Sequence[Kind] = (*KINDS, *RELATED),
        floors: Sequence[float | None] = FLOORS,
        seed: int = 0,
    ) -> None:
        if len(texts) < 2:
            raise ValueError(f"an ensemble needs at least two measured rows, got {len(texts)}")
        rows = _most_telling(values, seed)
        self.values = torch.from_numpy(np.asarray(values, dtype=np.float64)[rows])
        self.alphabet = alphabet
        array = encode([texts[i] for i in rows], alphabet, on_unknown="mask")
        tokens, same = torch.from_numpy(array.tokens.astype(np.int64)), len(set(array.lengths.tolist())) < 2
        kinds, parent = kinds_for(kinds, array, same=same and not both_strands, both_strands=both_strands)
        read = [read_as(kind, tokens, alphabet, both_strands=both_strands, parent=parent) for kind in kinds]
        members = [(kind, reader, reader(tokens)) for kind, reader in zip(kinds, read, strict=True)]
        least, most = self.values.aminmax()
        warps = [Warp(float(least), float((most - least).clamp(min=1e-9)), floor) for floor in floors]
        if len(warps) > 1:
            # Judged by two kinds only, each row by all others.
            fits = [self._fit(members[:FEW], warp, seed)[2] for warp in warps]
            best = int(torch.tensor(fits).argmax())
            warps = [warps[best if fits[best] > fits[0] + CLEARLY else 0]]
        (self.warp,) = warps
        self.judges, left, _ = self._fit(members, self.warp, seed)
        middle = (self.weights[:, None] * torch.stack(left)).sum(0)
        self.left_out = self.warp.inverse(self.centre + self.unit * middle).numpy()
        """(N,): each row as the others predict it."""
        self.rows = rows
        self.noise = float(self.noise_at(self.values.median().numpy()))
        """Standard deviation of a typical measurement, in units of the values."""
        self.best = float(self([texts[i] for i in rows])[0].max())
        """What is expected of the best measured row."""

    def _fit(
        self, members: Sequence[tuple[Kind, Reader, list[Tensor]]], warp: Warp, seed: int
    ) -> tuple[list[GaussianProcess], list[Tensor], float]:
        """Processes, what each says of each row by all others (N,), and the log density of the rows.

        Sets weights, centre and unit.
        """
        values = warp(self.values)
        self.centre, self.unit = values.mean(), values.std().clamp(min=1e-9)
        y = ((values - self.centre) / self.unit)[:, None]
        judges, left, densities = [], [], []
        for kind, reader, x in members:
            judge = GaussianProcess(kind, hyperparameters(kind, reader, x, y, seed), reader, x, y)
            mean, variance = judge.left_out()
            judges.append(judge)
            left.append(mean[:, 0])
            densities.append(log_density(y, mean, variance)[:, 0])
        table = torch.stack(densities, 1)
        self.weights = stack(table)
        in_values = (warp.slope(self.values) / self.unit).log()
        return judges, left, float(((table + self.weights.log()).logsumexp(1) + in_values).sum())

    def noise_at(self, values: FloatArray) -> FloatArray:
        """Standard deviations (B,) of measurements of sequences with these values (B,)."""
        own = float(self.unit) * math.sqrt(min(judge.noise for judge in self.judges))
        return np.asarray(own / self.warp.slope(torch.as_tensor(values, dtype=torch.float64)).numpy())

    @property
    def names(self) -> tuple[str, ...]:
        """Of the members."""
        return tuple(judge.kind.name for judge in self.judges)

    def __call__(self, texts: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Means and standard deviations (B,) of the sequences themselves, without the noise of measuring."""
        mean, sd = self.warp.moments(*map(torch.from_numpy, self.warped(texts)))
        return mean.numpy(), sd.numpy()

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
            told = [judge(judge.reader(tokens)) for judge in self.judges]
            mean, variance = (torch.stack([one[i][:, 0] for one in told]) for i in (0, 1))
            w = self.weights[:, None]
            middle = (w * mean).sum(0)
            means.append((self.centre + self.unit * middle).numpy())
            spread = (w * (variance + (mean - middle).square())).sum(0)
            variances.append((self.unit.square() * spread).numpy())
        return np.concatenate(means), np.sqrt(np.concatenate(variances))

    @torch.no_grad()
    def draws(self, texts: Sequence[str], num: int, rng: torch.Generator) -> FloatArray:
        """Functions (num, B) that the members think possible, each member's share by its weight."""
        tokens = _tokens(texts, self.alphabet)
        found = []
        for judge, count in zip(self.judges, shares(self.weights, num), strict=True):
            if count:
                found.append(judge.draw(judge.reader(tokens), count, rng))
        order = torch.randperm(num, generator=rng)
        return self.warp.inverse(self.centre + self.unit * torch.cat(found)[order]).numpy()


@dataclass(frozen=True)
class Choice:
    """A batch: places in the pool in the order of choice, with what the ensemble says of each."""

    places: list[int]
    mean: FloatArray
    sd: FloatArray
    """Of the sequences, without the noise of measuring."""


def choose(
    ensemble: Ensemble,
    pool: Sequence[str],
    num: int,
    *,
    acquisition: Acquisition = "upper",
    min_distance: int = 1,
    both_strands: bool = False,
    seed: int = 0,
) -> Choice:
    """``num`` different sequences of the pool, or fewer where no more are apart enough.

    acquisition: upper (the highest mean + 2 sd), expected, thompson, or mean (the highest means).
    """
    mean, sd = ensemble(pool)
    order = np.argsort(-(mean if acquisition == "mean" else ensemble.upper(pool)), kind="stable")
    apart = Apart(min_distance, ensemble.alphabet if both_strands else _one_strand(ensemble.alphabet))
    taken: list[int] = []
    if acquisition in ("expected", "thompson"):
        short = order[: max(SHORT_LIST, 4 * num)]
        rng = torch.Generator().manual_seed(seed)
        count = num if acquisition == "thompson" else max(DRAWS, num)
        worth = ensemble.draws([pool[i] for i in short], count, rng)
        pick = best_of_each if acquisition == "thompson" else expected_best
        taken = [
            int(short[i]) for i in pick(worth, num, ensemble.best, lambda i: apart.takes(pool[short[i]]))
        ]
    for i in order.tolist():
        if len(taken) == num:
            break
        if i not in taken and apart.takes(pool[i]):
            taken.append(i)
    return Choice(taken, mean[taken], sd[taken])


def best_of_each(worth: FloatArray, num: int, best: float, takes: Callable[[int], bool]) -> list[int]:
    """The best sequence of each function (num, B) that is still there and may be taken."""
    taken: list[int] = []
    open_ = np.ones(worth.shape[1], dtype=bool)
    for one in worth[:num]:
        while open_.any():
            place = int(np.where(open_, one, -np.inf).argmax())
            open_[place] = False
            if takes(place):
                taken.append(place)
                break
    return taken


def expected_best(worth: FloatArray, num: int, best: float, takes: Callable[[int], bool]) -> list[int]:
    """One after the other, what raises the expected best of the batch most, over functions (S, B).

    Fewer than ``num`` where no function has anything better left.
    """
    taken: list[int] = []
    reached = np.full(len(worth), best)
    open_ = np.ones(worth.shape[1], dtype=bool)
    while len(taken) < num and open_.any():
        gain = np.where(open_, (worth - reached[:, None]).clip(min=0).mean(0), -1.0)
        place = int(gain.argmax())
        if gain[place] <= 0:
            break
        open_[place] = False
        if takes(place):
            taken.append(place)
            reached = np.maximum(reached, worth[:, place])
    return taken


def _one_strand(alphabet: Alphabet) -> Alphabet:
    return replace(alphabet, complement="")


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


def compare(before: Ensemble, best_before: float, texts: Sequence[str], values: FloatArray) -> Comparison:
    """Rank correlation, coverage, and promises kept, of sequences that ``before`` has not learned from."""
    mean, sd = before(texts)
    wide = np.sqrt(sd**2 + before.noise_at(mean) ** 2)
    rho = spearman(values, mean) if len(values) > 2 else math.nan
    above = [0.5 * math.erfc((best_before - m) / (s * math.sqrt(2))) for m, s in zip(mean, wide, strict=True)]
    return Comparison(
        num=len(values),
        spearman=None if math.isnan(rho) else rho,
        coverage=float((np.abs(values - mean) <= 1.96 * wide).mean()),
        promised=float(mean.mean()),
        measured=float(values.mean()),
        best_before=best_before,
        best=float(values.max()),
        better_expected=float(sum(above)),
        better=int((values > best_before).sum()),
        points=tuple(
            Point(sequence=text, measured=y, predicted=m, low=m - 1.96 * s, high=m + 1.96 * s)
            for text, y, m, s in zip(texts, values.tolist(), mean.tolist(), wide.tolist(), strict=True)
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
    before: Ensemble,
    after: Ensemble,
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
    ensemble: Ensemble,
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
    letters = {length: _letters(texts, length, ensemble.alphabet, seen) for length in map(len, texts)}
    for _ in range(generations):
        children = dict.fromkeys(_children(front, letters, size // generations, rng))
        fresh = [text for text in children if text not in known and text not in pool]
        good = [text for text, fits in zip(fresh, feasible(fresh), strict=True) if fits] if fresh else []
        pool |= dict.fromkeys(good)
        everyone = [*dict.fromkeys([*front, *good])]
        front = [everyone[i] for i in np.argsort(-ensemble.upper(everyone), kind="stable")[:parents]]
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
