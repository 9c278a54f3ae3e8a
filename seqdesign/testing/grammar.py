"""The simulation grammar of Mueller, Gifford and Jaakkola (2017), with exact probabilities.

Strings over A..J of length T ~ U{10..20}. The letter at position t (1-based) is drawn with weight 1 for
every letter, except where a rule that looks at t and at the five letters before t assigns more:
171 (strong) or 9 (weak). The outcome of a string is its number of A's / 20, whatever its length.

Because a rule sees five letters at most, sums and maxima over all strings follow from dynamic programming.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from seqdesign.errors import UnknownLetterError

LETTERS = "ABCDEFGHIJ"
STRONG, WEAK = 171.0, 9.0
OUTCOME_SCALE = 20.0
OUT_OF_RANGE = -1e6  # log probability of a string whose length the grammar never makes
CONTEXT = 5

# No rule looks for G or J among the earlier letters, so a G stands for "nothing here" and for J.
_BLANK = LETTERS.index("G")
# The letters that still matter once they are 1, 2, .. 5 positions back; all others behave like a blank.
_RELEVANT = ("ABCDEFHI", "BCDEHI", "BDE", "E", "E")

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def letter_weights(context: IntArray, position: int) -> FloatArray:
    """Unnormalised weights of the letter at ``position`` (1-based), shape (N, 10).

    ``context`` (N, 5) holds the letters (as indices into A..J) 1, 2, .. 5 positions back.
    """
    a, b, c, d, e, f, g, h, i, j = range(len(LETTERS))
    back1, back2, back3, _, back5 = context.T
    weights = np.ones((len(context), len(LETTERS)))
    weights[back1 == a, b] = STRONG
    weights[back3 == d, d] = STRONG
    weights[back5 == e, e] = STRONG
    weights[(back2 == h) & (back1 == i), j] = STRONG
    weights[(back2 == i) & (back1 == h), i] = STRONG
    weights[(back3 == b) & (back2 == c), b] = STRONG
    if position >= 11:
        weights[back1 == f, f] = STRONG
    if position == 7:
        weights[back1 == f, g] = STRONG
    if position == 8:
        weights[back1 == f, g] = WEAK
    if position % 5 == 0 and position <= 20:
        weights[:, c] = WEAK
    weights[back1 == c, a] = WEAK
    return weights


def _letter_probabilities(context: IntArray, position: int) -> FloatArray:
    weights = letter_weights(context, position)
    probabilities: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


@lru_cache(maxsize=1)
def _states() -> tuple[IntArray, IntArray]:
    """Contexts that the rules can tell apart (S, 5) and the state after each next letter (S, 10)."""
    choices = [[_BLANK, *map(LETTERS.index, letters)] for letters in _RELEVANT]
    contexts = list(product(*choices))
    index = {context: state for state, context in enumerate(contexts)}
    following = [
        [
            index[
                tuple(x if x in keep else _BLANK for x, keep in zip((new, *old[:-1]), choices, strict=True))
            ]
            for new in range(len(LETTERS))
        ]
        for old in contexts
    ]
    return np.array(contexts, dtype=np.int64), np.array(following, dtype=np.int64)


@dataclass(frozen=True)
class GrammarMoments:
    """Exact moments of one length, or of the whole grammar. Logarithms are natural (nats)."""

    mean_count: float
    """Expected number of A's."""
    var_count: float
    """Variance of the number of A's."""
    mean_nll: float
    """Expected -log p of a string, the entropy."""
    std_nll: float
    """Standard deviation of -log p."""
    count_probs: FloatArray
    """P(number of A's = k) for k = 0 .. max_length."""

    @property
    def mean_outcome(self) -> float:
        """Expected outcome."""
        return self.mean_count / OUTCOME_SCALE

    @property
    def std_outcome(self) -> float:
        """Standard deviation of the outcome."""
        return math.sqrt(self.var_count) / OUTCOME_SCALE


@dataclass(frozen=True)
class SimulationGrammar:
    """The grammar for lengths ``min_length`` .. ``max_length`` (both included), each equally likely.

    The published study uses 10 to 20; other lengths follow the same rules and serve exhaustive checks.
    """

    min_length: int = 10
    max_length: int = 20

    def __post_init__(self) -> None:
        if not 1 <= self.min_length <= self.max_length:
            raise ValueError(
                "lengths must satisfy 1 <= min_length <= max_length, "
                f"got {self.min_length} and {self.max_length}"
            )

    @property
    def lengths(self) -> range:
        """The lengths that occur."""
        return range(self.min_length, self.max_length + 1)

    def log_prob(self, strings: Sequence[str], *, include_length: bool = True) -> FloatArray:
        """Log probability of each string in nats, shape (N,).

        With ``include_length`` the probability of the length itself counts, otherwise it is given. Strings
        of a length that the grammar never makes get -1e6. Raises `UnknownLetterError` for other letters.
        """
        tokens, sizes = self._tokens(strings)
        total = np.full(len(strings), -math.log(len(self.lengths)) if include_length else 0.0)
        for step in range(int(sizes.max(initial=0))):
            rows = np.flatnonzero(sizes > step)
            window = tokens[rows, step : step + CONTEXT][:, ::-1]
            probabilities = _letter_probabilities(window, step + 1)
            total[rows] += np.log(probabilities[np.arange(len(rows)), tokens[rows, step + CONTEXT]])
        total[(sizes < self.min_length) | (sizes > self.max_length)] = OUT_OF_RANGE
        return total

    def outcome(self, strings: Sequence[str]) -> FloatArray:
        """Number of A's / 20 of each string, shape (N,)."""
        return np.array([string.count("A") for string in strings], dtype=np.float64) / OUTCOME_SCALE

    def sample(self, n: int, generator: np.random.Generator) -> list[str]:
        """``n`` independent strings."""
        sizes = generator.integers(self.min_length, self.max_length + 1, size=n)
        tokens = np.full((n, CONTEXT + self.max_length), _BLANK, dtype=np.int64)
        for step in range(self.max_length):
            # Strings that are already complete are drawn on and cut below: simpler, and one shape per step.
            window = tokens[:, step : step + CONTEXT][:, ::-1]
            cumulative = np.cumsum(letter_weights(window, step + 1), axis=1)
            threshold = generator.random(n) * cumulative[:, -1]
            tokens[:, step + CONTEXT] = (cumulative <= threshold[:, None]).sum(axis=1)
        letters = np.array(list(LETTERS))[tokens[:, CONTEXT:]]
        return ["".join(row[:size]) for row, size in zip(letters, sizes, strict=True)]

    @cached_property
    def _moments_by_length(self) -> dict[int, GrammarMoments]:
        return _moments_by_length(self.max_length)

    def moments(self, length: int | None = None) -> GrammarMoments:
        """Exact moments given ``length``, or over all lengths (then -log p includes the length's part)."""
        if length is not None:
            self._check_length(length)
            return self._moments_by_length[length]
        parts = [self._moments_by_length[size] for size in self.lengths]
        probs = np.mean([part.count_probs for part in parts], axis=0)
        counts = np.arange(len(probs))
        mean_count = float(probs @ counts)
        nll = float(np.mean([part.mean_nll for part in parts]))
        square_nll = float(np.mean([part.std_nll**2 + part.mean_nll**2 for part in parts]))
        return GrammarMoments(
            mean_count=mean_count,
            var_count=float(probs @ (counts - mean_count) ** 2),
            mean_nll=nll + math.log(len(self.lengths)),
            std_nll=math.sqrt(square_nll - nll**2),
            count_probs=probs,
        )

    def frontier(self, length: int) -> FloatArray:
        """Largest log p(string | length) of the strings with k A's, k = 0 .. length, shape (length + 1,)."""
        self._check_length(length)
        return _frontier(length)

    def best_log_prob(self, num_a: int, length: int) -> float:
        """`frontier` for one number of A's. ValueError unless 0 <= num_a <= length."""
        if not 0 <= num_a <= length:
            raise ValueError(f"num_a must be between 0 and the length {length}, got {num_a}")
        return float(self.frontier(length)[num_a])

    def _check_length(self, length: int) -> None:
        if length not in self.lengths:
            raise ValueError(f"length must be between {self.min_length} and {self.max_length}, got {length}")

    def _tokens(self, strings: Sequence[str]) -> tuple[IntArray, IntArray]:
        """Letter indices behind five blanks, (N, 5 + longest), and the lengths (N,).

        Strings longer than ``max_length`` are checked but not scored, so their length is kept as it is.
        """
        sizes = np.array([len(string) for string in strings], dtype=np.int64)
        tokens = np.full((len(strings), CONTEXT + int(sizes.max(initial=0))), _BLANK, dtype=np.int64)
        for row, string in enumerate(strings):
            for column, letter in enumerate(string):
                token = LETTERS.find(letter)
                if token < 0:
                    raise UnknownLetterError(
                        f"string {row + 1} must consist of the letters {LETTERS}, "
                        f"got {letter!r} at position {column + 1}",
                        letter=letter,
                        position=column + 1,
                    )
                tokens[row, CONTEXT + column] = token
        return tokens, sizes


def _start() -> FloatArray:
    """One-hot row of the state before the first letter: five blanks, the first of the enumeration."""
    start = np.zeros(len(_states()[0]))
    start[0] = 1.0
    return start


def _moments_by_length(max_length: int) -> dict[int, GrammarMoments]:
    """Forward recursion over (state, number of A's) for the counts, and over states for log p."""
    contexts, following = _states()
    num_states = len(contexts)
    counts = np.arange(max_length + 1)
    mass = np.zeros((num_states, max_length + 1))
    mass[:, 0] = _start()
    # E[log p; state] and E[(log p)^2; state], each as a plain sum over the strings that end in the state.
    first, second = np.zeros(num_states), np.zeros(num_states)
    result = {}
    for position in range(1, max_length + 1):
        probs = _letter_probabilities(contexts, position)
        logs = np.log(probs)
        weight = mass.sum(axis=1)
        new_mass = np.zeros_like(mass)
        new_first, new_second = np.zeros(num_states), np.zeros(num_states)
        for letter in range(len(LETTERS)):
            p, log_p, target = probs[:, letter], logs[:, letter], following[:, letter]
            # A string of max_length letters fills the last column, so rolling never wraps any mass around.
            moved = np.roll(mass, 1, axis=1) if LETTERS[letter] == "A" else mass
            np.add.at(new_mass, target, moved * p[:, None])
            np.add.at(new_first, target, p * (first + weight * log_p))
            np.add.at(new_second, target, p * (second + 2 * first * log_p + weight * log_p**2))
        mass, first, second = new_mass, new_first, new_second
        count_probs = mass.sum(axis=0)
        mean_count = float(count_probs @ counts)
        mean_log = float(first.sum())
        result[position] = GrammarMoments(
            mean_count=mean_count,
            var_count=float(count_probs @ (counts - mean_count) ** 2),
            mean_nll=-mean_log,
            std_nll=math.sqrt(max(0.0, float(second.sum()) - mean_log**2)),
            count_probs=count_probs,
        )
    return result


def _frontier(length: int) -> FloatArray:
    """Viterbi recursion: the best log p that reaches each (state, number of A's)."""
    contexts, following = _states()
    best = np.full((len(contexts), length + 1), -np.inf)
    best[0, 0] = 0.0
    for position in range(1, length + 1):
        logs = np.log(_letter_probabilities(contexts, position))
        new_best = np.full_like(best, -np.inf)
        for letter in range(len(LETTERS)):
            moved = np.roll(best, 1, axis=1) if LETTERS[letter] == "A" else best
            np.maximum.at(new_best, following[:, letter], moved + logs[:, [letter]])
        best = new_best
    frontier: FloatArray = best.max(axis=0)
    return frontier
