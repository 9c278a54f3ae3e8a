"""Few degenerate sublibraries, small together, that hold as many of the wanted sequences as possible.

The problem is that of DeCoDe (Shimko, Fordyce and Orenstein 2020, Bioinformatics 36:3357), which solves it as
an integer program. Here it is a search: a sublibrary is what its members need, at every position the smallest
degenerate code that covers their letters, so only the membership of the targets is searched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.libraries.degenerate import GAP, NEVER, Codes
from seqdesign.runs.progress import phase

STEPS = 30_000
"""Most moves of one search."""
_STEPS_EACH = 250
"""Moves for each target."""
SEARCHES = 12
_HOT, _WARM, _COLD = 0.3, 0.15, 0.05
"""Temperatures, in targets: where a search begins, where one begins that goes on from the best, the end."""
_OVER = 4.0
"""Targets that a factor of e above the largest size costs."""
_PRICES = (0.3, 0.4, 0.2)
"""Targets that a factor of e in the size of one sublibrary costs: it keeps sublibraries tight until they fill
the limit. The first half of the searches tries each; the others take that of the best, and every other one of
them begins where the best has ended."""
_HUGE = 60.0
"""Log size of what no code covers."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Sublibrary:
    """One degenerate sequence. codes: a code for each column, or a gap; letters: what each stands for;
    factors: DNA sequences of each. members: places of the targets in it. size: DNA sequences. num_products:
    different products, proteins or DNA, those with stops included.
    """

    codes: tuple[str, ...]
    letters: tuple[str, ...]
    factors: tuple[int, ...]
    members: tuple[int, ...]
    size: int
    num_products: int

    @property
    def dna(self) -> str:
        """The degenerate DNA in IUPAC codes, without gaps."""
        return "".join(code for code in self.codes if code != GAP)


@phase("searching")
def cover(
    targets: Sequence[str],
    codes: Codes,
    max_size: float,
    sublibraries: int,
    *,
    pick: Callable[[str], str] | None = None,
    searches: int = SEARCHES,
    steps: int | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> list[Sublibrary]:
    """At most ``sublibraries`` sublibraries of at most ``max_size`` DNA sequences together, largest coverage
    first.

    targets: aligned, of one length, in ``codes.letters`` and gaps; one that stands twice counts twice. A gap
    is covered by a column without a code, so members of a sublibrary agree in their gaps. pick: the code for
    some letters, among the smallest; ``codes.best`` when not given. Several searches by simulated annealing,
    the best result of all is taken; the same seed gives the same result. progress: gets the number of
    searches done.

    Raises InputError for targets of several lengths or with other letters.
    """
    problem = _Problem(targets, codes)
    if steps is None:
        steps = min(STEPS, _STEPS_EACH * len(problem.unique))
    best = (-1.0, 0.0, np.full(len(problem.unique), -1))
    price = _PRICES[0]
    for i in range(searches):
        explores = i < max(searches // 2, 1)
        now = _PRICES[i % len(_PRICES)] if explores else price
        search = _Search(problem, max_size, sublibraries, now)
        again = not explores and i % 2 == 0
        if again:
            search.begin_at(best[2])
        found = search.run(steps, np.random.default_rng((seed, i)), _WARM if again else _HOT)
        if found[:2] > best[:2]:
            best, price = found, now
        if progress is not None:
            progress(i + 1)
    return problem.sublibraries(best[2], max_size, sublibraries, pick or codes.best)


class _Problem:
    """Targets as features (column, letter), without repeats and without columns that are all alike."""

    def __init__(self, targets: Sequence[str], codes: Codes) -> None:
        self.targets, self.codes = list(targets), codes
        self.letters = codes.letters + GAP
        lengths = {len(text) for text in targets}
        if len(lengths) != 1:
            raise InputError(
                f"targets have {min(lengths, default=0)} to {max(lengths, default=0)} letters; align them "
                "first, or keep those of one length"
            )
        self.unique = list(dict.fromkeys(targets))
        counts = dict.fromkeys(self.unique, 0.0)
        for text in targets:
            counts[text] += 1
        self.weight = np.array([counts[text] for text in self.unique])
        places = np.array([[self.letters.find(c) for c in text] for text in self.unique])
        if (places < 0).any():
            row, column = np.argwhere(places < 0)[0]
            raise InputError(
                f"target {row + 1} has {self.unique[row][column]!r} at position {column + 1}, for which "
                "there is no code"
            )
        varying = np.flatnonzero((places != places[0]).any(axis=0))
        # One position at least, so that nothing below is empty.
        self.places = places[:, varying] if len(varying) else places[:, :1]
        self.columns = self.places.shape[1]
        pairs = sorted({(p, int(a)) for row in self.places for p, a in enumerate(row)})
        self.position = np.array([p for p, _ in pairs])
        self.bit = np.array([1 << a for _, a in pairs])
        self.starts = np.searchsorted(self.position, np.arange(self.columns))
        index = {pair: f for f, pair in enumerate(pairs)}
        self.onehot = np.zeros((len(self.unique), len(pairs)))
        for i, row in enumerate(self.places):
            self.onehot[i, [index[p, int(a)] for p, a in enumerate(row)]] = 1.0
        # A gap alone costs nothing; nothing covers a gap and a letter.
        log = np.where(codes.smallest == NEVER, _HUGE, np.log(np.maximum(codes.smallest, 1)))
        self.log_size = np.concatenate([log, np.full(len(log), _HUGE)])
        self.log_size[len(log)] = 0.0

    def letters_of(self, members: Sequence[str]) -> list[str]:
        """The letters of each column of the whole alignment."""
        return ["".join(sorted(set(column))) for column in zip(*members, strict=True)]

    def size_of(self, letters: Sequence[str]) -> int | None:
        """Exact size of a sublibrary with these letters in its columns; None if no code covers one."""
        size = 1
        for column in letters:
            if GAP in column:
                if column != GAP:
                    return None
                continue
            smallest = int(self.codes.smallest[self.codes.mask(column)])
            if smallest == NEVER:
                return None
            size *= smallest
        return size

    def sublibraries(
        self, assigned: NDArray[np.int64], max_size: float, num: int, pick: Callable[[str], str]
    ) -> list[Sublibrary]:
        """Sublibraries with exact sizes; what still fits is added, cheapest first."""
        groups = [[self.unique[i] for i in np.flatnonzero(assigned == k)] for k in range(num)]
        sizes = [self.size_of(self.letters_of(group)) if group else 0 for group in groups]
        rest = [self.unique[i] for i in np.flatnonzero(assigned < 0)]
        while rest:
            total = sum(size or 0 for size in sizes)
            grown = [
                (size - (sizes[k] or 0), k, i, size)
                for i, text in enumerate(rest)
                for k, group in enumerate(groups)
                if (size := self.size_of(self.letters_of([*group, text]))) is not None
            ]
            if not grown or total + min(grown)[0] > max_size:
                break
            _, k, i, size = min(grown)
            groups[k].append(rest.pop(i))
            sizes[k] = size
        found = []
        for group in groups:
            if group:
                codes = tuple(c if c == GAP else pick(c) for c in self.letters_of(group))
                letters = tuple(self.codes.covered(c) if c != GAP else GAP for c in codes)
                factors = tuple(self.codes.size(c) if c != GAP else 1 for c in codes)
                members = tuple(
                    i for i, text in enumerate(self.targets)
                    if all(letter in have for letter, have in zip(text, letters, strict=True))
                )  # fmt: skip
                products = math.prod(map(len, letters))
                found.append(Sublibrary(codes, letters, factors, members, math.prod(factors), products))
        return sorted(found, key=lambda one: (-len(one.members), one.size))


class _Search:
    """One annealing over who is in which sublibrary; sizes of all possible moves are kept up to date.

    With counts of the features of a sublibrary's members, the log size with a target more, or with a member
    less, is a sum over features, so that of all targets is one product of a matrix and a vector.
    """

    def __init__(self, problem: _Problem, max_size: float, num: int, price: float) -> None:
        self.problem, self.num, self.price = problem, num, price
        self.limit = math.log(max_size)
        n = len(problem.unique)
        self.assigned = np.full(n, -1)
        self.counts = np.zeros((num, len(problem.bit)))
        self.log_size = np.zeros(num)
        self.num_members = np.zeros(num, dtype=np.int64)
        self.log_add = np.zeros((n, num))
        self.log_without = np.zeros(n)
        for k in range(num):
            self._update(k)

    def _update(self, k: int) -> None:
        """Log sizes of sublibrary k: its own, with each target more, and with each member less."""
        p, counts = self.problem, self.counts[k]
        present = np.where(counts > 0, p.bit, 0)
        mask = np.bitwise_or.reduceat(present, p.starts)
        here = mask[p.position]
        self.log_size[k] = min(float(p.log_size[mask].sum()), _HUGE)
        self.log_add[:, k] = np.minimum(p.onehot @ p.log_size[here | p.bit], _HUGE)
        members = np.flatnonzero(self.assigned == k)
        self.num_members[k] = len(members)
        less = p.log_size[np.where(counts == 1, here & ~p.bit, here)]
        self.log_without[members] = np.minimum(p.onehot[members] @ less, _HUGE)

    def begin_at(self, assigned: NDArray[np.int64]) -> None:
        """Begin with this membership, not with empty sublibraries."""
        self.assigned = assigned.copy()
        for k in range(self.num):
            self.counts[k] = self.problem.onehot[self.assigned == k].sum(axis=0)
            self._update(k)

    def run(self, steps: int, rng: np.random.Generator, hot: float) -> tuple[float, float, NDArray[np.int64]]:
        """(targets covered, minus log size, sublibrary of each or -1) of the best state within the limit."""
        best = (0.0, 0.0, self.assigned.copy())
        draws = rng.random(steps)
        for step in range(steps):
            temperature = hot * (_COLD / hot) ** (step / steps)
            energy = self._energies(self.price * (1.0 - step / (2.0 * steps)))
            odds = np.exp((energy.min() - energy) / temperature).cumsum()
            self._move(*divmod(int(odds.searchsorted(draws[step] * odds[-1])), self.num + 1))
            total = self._log_total()
            if total <= self.limit:
                found = float(self.problem.weight[self.assigned >= 0].sum())
                if (found, -total) > best[:2]:
                    best = (found, -total, self.assigned.copy())
        return best

    def _log_total(self) -> float:
        return math.log(max(float(np.exp(self.log_size[self.num_members > 0]).sum()), 1.0))

    def _energies(self, price: float) -> FloatArray:
        """Change of energy (n * (K + 1),) of putting each target into each sublibrary, or out (the last)."""
        weight, inside = self.problem.weight, self.assigned >= 0
        sizes = np.where(self.num_members > 0, np.exp(self.log_size), 0.0)
        at = np.where(inside, self.assigned, 0)
        alone = inside & (self.num_members[at] == 1)
        without = np.where(alone, 0.0, np.exp(self.log_without))
        total = sizes.sum() - np.where(inside, sizes[at] - without, 0.0)
        energy = np.empty((len(weight), self.num + 1))
        energy[:, :-1] = total[:, None] + np.exp(self.log_add) - sizes
        energy[:, -1] = total
        np.log(np.maximum(energy, 1.0, out=energy), out=energy)
        energy -= self.limit
        np.maximum(energy, 0.0, out=energy)
        energy *= _OVER
        energy[:, :-1] += price * (self.log_add - self.log_size) - np.where(inside, 0.0, weight)[:, None]
        energy += np.where(inside, price * (self.log_without - self.log_size[at]), 0.0)[:, None]
        energy[:, -1] += np.where(inside, weight, 0.0)
        energy[np.arange(len(weight)), np.where(inside, self.assigned, self.num)] = np.inf
        return energy.ravel()

    def _move(self, target: int, to: int) -> None:
        before = int(self.assigned[target])
        self.assigned[target] = to if to < self.num else -1
        if before >= 0:
            self.counts[before] -= self.problem.onehot[target]
            self._update(before)
        if to < self.num:
            self.counts[to] += self.problem.onehot[target]
            self._update(to)
