"""Judges of designs that are no networks: Gaussian processes over positions and over words, in closed form.

A Gaussian process is a good judge of what an optimizer has chosen: its posterior depends on the measurements
alone, not on how the sequences to judge were found, and far from all measurements it goes back to their mean
and grows wide. It is as good as its kernel, so several of different kinds judge, and each counts as far as
it predicts rows that it has not learned from.

Shapes: N rows that a judge learns from, B sequences, K outcomes, S similarities, V letters, L positions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.optimize
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.ensembles.aligned import common_parent
from seqdesign.ensembles.closed import READERS
from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.ensembles.ends import num_places
from seqdesign.ensembles.family import family_costs
from seqdesign.ensembles.folding import folding_counts
from seqdesign.ensembles.grammar import has_room, learn_words
from seqdesign.ensembles.reader import Basis, Reader, Word
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import TokenArray, mask

FIT_ROWS = 400
"""Rows by which hyperparameters are chosen: their likelihood costs the cube of it."""
EVALUATIONS = 40
JITTER = 1e-6
SPREAD = 2.0
"""Standard deviation of the logarithm of each hyperparameter around where it starts."""
NOISE_START = -1.0
SHARED = -2.0
"""Where the search for the variance of what mutants share begins."""
OWN = 0.5
"""Share of a letter's effect that it shares with no other."""
LONGEST_WORD, MOST_WORDS = 5, 1024

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """How alike sequences are: between rows and others (S, N, B), of the rows (S, N) and of the others (S, B)
    with themselves.
    """

    between: Tensor
    left: Tensor
    right: Tensor


Kernel = Callable[[Tensor, Likeness], Tensor]
"""Logarithms of hyperparameters (H,), likeness -> covariance (N, B)."""


@dataclass(frozen=True)
class Kind:
    """A kernel, and what it reads."""

    name: str
    kernel: Kernel
    own: Callable[[Tensor, Tensor], Tensor]
    """Hyperparameters, likeness of sequences with themselves (S, B) -> their variances (B,)."""
    reads: str
    """``places``, ``letters`` (which may be alike there), or one of ``READERS``."""
    start: Callable[[int], list[float]]
    """Number of similarities S -> logarithms of the hyperparameters where their search begins."""


def _pairs(theta: Tensor, like: Likeness) -> Tensor:
    """Ridge regression over letters at their places, over all pairs of them and over what mutants share."""
    single, pair = theta[:2].exp().unbind()
    return single * like.between[0] + pair * like.between[0].square() + _mutants(theta[2:], like.between)


def _near(theta: Tensor, like: Likeness) -> Tensor:
    """Sequences that differ at few places are alike, beside what adds up over places."""
    additive, bump, reach = theta[:3].exp().unbind()
    distance = (0.5 * (like.left[0][:, None] + like.right[0]) - like.between[0]).clamp(min=0)
    sums = additive * like.between[0] + _mutants(theta[3:], like.between)
    return sums + bump * torch.exp(-distance / reach)


def _apart(theta: Tensor, like: Likeness) -> Tensor:
    """What adds up over letters in which sequences differ from the average row, and over pairs of these; and
    sequences that differ at few places are alike.

    So what is not known of a sequence grows with the letters that it has unlike the rows, and faster.
    """
    single, pair, bump, reach = theta[:4].exp().unbind()
    shared = like.between[0]
    distance = (0.5 * (like.left[0][:, None] + like.right[0]) - shared).clamp(min=0)
    sums = single * shared + pair * shared.square() + _mutants(theta[4:], like.between)
    return sums + bump * torch.exp(-distance / reach)


def _mutants(theta: Tensor, between: Tensor) -> Tensor:
    """What a change costs on average, and what any change of one place does, from which letters differ."""
    return theta[0].exp() * between[1] + theta[1].exp() * between[2]


def _words(theta: Tensor, like: Likeness) -> Tensor:
    """Ridge regression over counts of words, each length with a penalty of its own."""
    return torch.einsum("s,snb->nb", theta.exp(), like.between)


def _alike(theta: Tensor, like: Likeness) -> Tensor:
    """Sequences with like counts of words are alike, beside what adds up over words."""
    weight = theta[1:].exp()
    linear = torch.einsum("s,snb->nb", weight, like.between)
    own = (weight @ like.left)[:, None] + weight @ like.right
    return linear + theta[0].exp() * torch.exp(-0.5 * (own - 2 * linear).clamp(min=0))


def _of_counts(name: str, reads: str, like: str = "") -> tuple[Kind, Kind]:
    """Ridge regression over what is counted, and the kernel of like counts, ``like`` being its name."""
    return (
        Kind(name, _words, lambda t, own: t.exp() @ own, reads, lambda count: [-1.0] * count),
        Kind(
            like or f"like {name}", _alike, lambda t, own: t[1:].exp() @ own + t[0].exp(),
            reads, lambda count: [-1.0] * (count + 1),
        ),
    )  # fmt: skip


KINDS = (
    Kind(
        "pairs of positions", _pairs,
        lambda t, own: t[0].exp() * own[0] + t[1].exp() * own[0].square() + _mutants(t[2:], own),
        "places", lambda count: [0.0, -1.0, SHARED, SHARED],
    ),
    Kind(
        "near sequences", _near,
        lambda t, own: t[0].exp() * own[0] + t[1].exp() + _mutants(t[3:], own),
        "places", lambda count: [-1.0, -1.0, -1.0, SHARED, SHARED],
    ),
    *_of_counts("words", "words"),
)  # fmt: skip

ROUNDS = (
    Kind(
        "near sequences, like letters", _apart,
        lambda t, own: t[0].exp() * own[0] + t[1].exp() * own[0].square() + t[2].exp() + _mutants(t[4:], own),
        "letters", lambda count: [-1.0, -2.0, -2.0, 0.0, SHARED, SHARED],
    ),
    KINDS[3],
)  # fmt: skip
"""What rounds of measurements are learned with: positions where letters with like properties have like
effects, and words.
"""
RELATIVES = _of_counts("alignment", "aligned", like="like alignments")
"""Kernels for relatives that also differ by insertions and deletions."""
FAMILY = _of_counts("columns of a family", "family")
"""Kernels for members of a family of several lengths."""
FOLDED = _of_counts("letters and folding", "folded")
FOLDED_WORDS = _of_counts("words and folding", "folded")
"""Kernels for RNA of which some outcome depends on how it folds, of one length and of several."""
ENDS = _of_counts("words and ends", "ends")
"""Kernels for sequences of several lengths, of which letters near an end may have a meaning there."""
GRAMMAR = _of_counts("grammar of words", "grammar")[0]
"""Counts of all words; of the few that carry the outcome also places, order and distances."""


class Places:
    """One-hot letters at their places; likeness is the share of varying places that agree.

    A letter at a place where the rows never vary makes a sequence less like all of them. Two more say what
    mutants of one parent share: how many letters differ from the most common ones, and at which places.
    """

    def __init__(self, tokens: Tensor, alphabet: Alphabet) -> None:
        self.size = alphabet.size
        self.varying = max(1, int((tokens != tokens[:1]).any(0).sum()))
        self.constant = tokens.shape[1] - self.varying
        letters = torch.arange(self.size)
        self.common = (tokens.unsqueeze(2) == letters).sum(0).argmax(1)
        load = (tokens != self.common).sum(1).double()
        self.load, self.unit = load.mean(), load.std(correction=0)
        if self.unit == 0:  # no row says what one change more does: the prior leaves that open
            self.unit = torch.ones_like(self.unit)

    def __call__(self, tokens: Tensor) -> list[Tensor]:
        """Features of tokens (N, L)."""
        letters = torch.arange(self.size)
        changed = (tokens != self.common).double()
        load = (changed.sum(1, keepdim=True) - self.load) / self.unit
        return [(tokens.unsqueeze(2) == letters).flatten(1).float(), load, changed / self.varying**0.5]

    def within(self, features: list[Tensor]) -> list[Tensor]:
        """The same: a letter that the rows never have at a place has no effect on a mean as it is."""
        return features

    def likeness(self, a: list[Tensor], b: list[Tensor]) -> Likeness:
        """Of features with others."""
        # Sums of ones and zeros: 32 bits hold them exactly, at half the cost of 64.
        shared = ((a[0] @ b[0].T).double() - self.constant) / self.varying
        left, right = (
            torch.stack(
                [
                    (x[0].square().sum(1).double() - self.constant) / self.varying,
                    *(part.square().sum(1) for part in x[1:]),
                ]
            )
            for x in (a, b)
        )
        return Likeness(torch.stack([shared, a[1] @ b[1].T, a[2] @ b[2].T]), left, right)


class Letters(Places):
    """The same, but letters with like properties are half as alike as a letter is to itself, or less, and
    likeness is that of what sequences have unlike the average row, whose own is 1 on average.
    """

    def __init__(self, tokens: Tensor, alphabet: Alphabet) -> None:
        super().__init__(tokens, alphabet)
        about = letter_descriptors(alphabet).double()
        apart = torch.cdist(about, about).square() / (2 * about.shape[1])
        alike = OWN * torch.eye(self.size) + (1 - OWN) * torch.exp(-apart)
        self.root = torch.linalg.cholesky(alike)
        letters = self(tokens)[0]
        self.average = letters.mean(0)
        self.spread = float((letters - self.average).square().sum(1).mean()) or 1.0

    def __call__(self, tokens: Tensor) -> list[Tensor]:
        """Features of tokens (N, L)."""
        letters, *shared = super().__call__(tokens)
        return [(letters.double().unflatten(1, (-1, self.size)) @ self.root).flatten(1), *shared]

    def likeness(self, a: list[Tensor], b: list[Tensor]) -> Likeness:
        """Of features with others."""
        left, right = ([(x[0] - self.average) / self.spread**0.5, *x[1:]] for x in (a, b))
        return Likeness(
            torch.stack([x @ y.T for x, y in zip(left, right, strict=True)]),
            *(torch.stack([part.square().sum(1) for part in x]) for x in (left, right)),
        )


class Counts:
    """What some readers see, each group of their columns in units of its spread over the rows.

    Where readers have both strands, their mean counts, or their sum.
    """

    def __init__(self, readers: Sequence[Reader], tokens: Tensor) -> None:
        self.readers = readers
        counts = self._groups(tokens)
        self.centre = [x.mean(0) for x in counts]
        self.unit = [
            float((x - m).square().sum(1).mean().sqrt()) or 1.0
            for x, m in zip(counts, self.centre, strict=True)
        ]
        self._seen = [torch.aminmax(x, dim=0) for x in self._standard(counts)]

    def __call__(self, tokens: Tensor) -> list[Tensor]:
        """Features of tokens (N, L)."""
        return self._standard(self._groups(tokens))

    def _groups(self, tokens: Tensor) -> list[Tensor]:
        return [group for reader in self.readers for group in reader.of_tokens(tokens)]

    def _standard(self, counts: list[Tensor]) -> list[Tensor]:
        return [(x - m) / u for x, m, u in zip(counts, self.centre, self.unit, strict=True)]

    def within(self, features: list[Tensor]) -> list[Tensor]:
        """With no word more or less often than in some row: what further copies do was never measured."""
        return [x.clamp(least, most) for x, (least, most) in zip(features, self._seen, strict=True)]

    def likeness(self, a: list[Tensor], b: list[Tensor]) -> Likeness:
        """Of features with others."""
        pairs = list(zip(a, b, strict=True))
        return Likeness(
            torch.stack([x @ y.T for x, y in pairs]),
            torch.stack([x.square().sum(1) for x, _ in pairs]),
            torch.stack([y.square().sum(1) for _, y in pairs]),
        )


Reading = Places | Counts
"""What a process reads; ``Letters`` is a ``Places``."""


def kinds_for(
    kinds: Sequence[Kind],
    tokens: TokenArray,
    *,
    same: bool,
    both_strands: bool,
    values: Tensor | None = None,
) -> tuple[tuple[Kind, ...], Basis]:
    """Those of some kinds that can read such rows, and by what: also the parent of which the rows are
    relatives, or the columns of the family that they are.

    same: whether places mean the same in all that will ever be read. Else rows of one strand are read by
    their alignment as well, where they are relatives, and by that of a family, where they are one, and by the
    distance of letters from either end, where they are not relatives. values (N, K), NaN unknown: how RNA
    folds is read too where the first outcome depends on it, and of unrelated rows the grammar, where some
    words carry the outcome.
    """
    alphabet, longest = tokens.alphabet, tokens.tokens.shape[1]
    basis = Basis(
        alphabet=alphabet, max_length=longest, positional=same,
        both_strands=both_strands and bool(alphabet.complement),
        shapes=_whole_words(alphabet.size, longest),
    )  # fmt: skip
    found = tuple(kind for kind in kinds if kind.reads == "words" or same)
    parent = None if same or both_strands or len(tokens) < 2 else common_parent(tokens)
    if parent is not None:
        return found + RELATIVES, replace(basis, parent=parent)
    costs = None if same or both_strands else family_costs(tokens)
    if costs is not None:
        found, basis = found + FAMILY, replace(basis, costs=costs)
    if not same and not both_strands and num_places(alphabet.size, longest):
        found += ENDS
    rows = torch.from_numpy(tokens.tokens.astype(np.int64))
    if values is not None and not both_strands and folding_counts(rows, values[:, 0], alphabet):
        found += FOLDED if same else FOLDED_WORDS
    if values is None or not has_room(tokens):
        return found, basis
    some = bool(learn_words(rows, values, alphabet, both_strands=both_strands).any())
    return (*found, GRAMMAR) if some else found, basis


def _whole_words(letters: int, max_length: int) -> tuple[Word, ...]:
    """Of one letter and more."""
    longest = 1
    while longest < LONGEST_WORD and letters ** (longest + 1) <= MOST_WORDS:
        longest += 1
    return tuple(tuple(range(size)) for size in range(1, min(longest, max_length) + 1))


def read_as(kind: Kind, basis: Basis, tokens: Tensor, values: Tensor | None = None) -> Reading:
    """What a kind reads, for rows with tokens (N, L); ``grammar`` by their values (N, K) as well."""
    if kind.reads in ("places", "letters"):
        return (Letters if kind.reads == "letters" else Places)(tokens, basis.alphabet)
    if kind.reads == "grammar" and values is not None:
        words = learn_words(tokens, values, basis.alphabet, both_strands=basis.both_strands)
        basis = replace(basis, found=words)
    readers = READERS[kind.reads](basis)
    if kind.reads == "family":  # near an end a letter never seen there is rather one that makes judges unsure
        readers[0].learn(tokens, mask(tokens, basis.alphabet).sum(1))
    return Counts(readers, tokens)


class GaussianProcess:
    """The posterior of K outcomes after rows with features x and standardised values y (N, K), NaN unknown.

    theta: logarithms of the noise variance and of the kernel's hyperparameters. like: the likeness of the
    rows among themselves, where it is known already.
    """

    def __init__(
        self,
        kind: Kind,
        theta: Tensor,
        reader: Reading,
        x: list[Tensor],
        y: Tensor,
        like: Likeness | None = None,
    ) -> None:
        self.kind, self.theta, self.reader, self.x, self.y = kind, theta, reader, x, y
        covariance = kind.kernel(theta[1:], like or reader.likeness(x, x))
        self._scale = float(covariance.diagonal().mean())
        self._parts = []
        for k in range(y.shape[1]):
            known = torch.nonzero(~y[:, k].isnan()).flatten()
            own = covariance[known][:, known]
            noise = theta[0].exp() + JITTER * (1 + self._scale)
            factor = _cholesky(own + noise * torch.eye(len(known), dtype=own.dtype))
            mean = y[known, k].mean()
            rest = (y[known, k] - mean)[:, None]
            self._parts.append((known, factor, mean, torch.cholesky_solve(rest, factor)[:, 0]))

    @property
    def noise(self) -> float:
        """Variance of a measurement around its mean."""
        return float(self.theta[0].exp())

    def __call__(self, z: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Means and variances (B, K) of the outcomes of features z, without the noise of a measurement."""
        like = self.reader.likeness(self.x, z)
        cross = self.kind.kernel(self.theta[1:], like)
        own = self.kind.own(self.theta[1:], like.right)
        means, variances = [], []
        for known, factor, mean, weight in self._parts:
            here = cross[known]
            half = torch.linalg.solve_triangular(factor, here, upper=False)
            means.append(mean + here.T @ weight)
            # The mean of all is an estimate too.
            variances.append((own - half.square().sum(0)).clamp(min=0) + 1.0 / max(1, len(known)))
        return torch.stack(means, 1), torch.stack(variances, 1)

    def seen(self, z: list[Tensor]) -> Tensor:
        """Means (B, K) of the outcomes of features z, each kept within what the rows have."""
        here = self.kind.kernel(self.theta[1:], self.reader.likeness(self.x, self.reader.within(z)))
        return torch.stack([mean + here[known].T @ weight for known, _, mean, weight in self._parts], 1)

    def joint(self, z: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Mean (B,) and covariance (B, B) of the first outcome at features z, without the noise of a
        measurement.
        """
        known, factor, mean, weight = self._parts[0]
        like = self.reader.likeness(self.x, z)
        here = self.kind.kernel(self.theta[1:], like)[known]
        half = torch.linalg.solve_triangular(factor, here, upper=False)
        own = self.kind.kernel(self.theta[1:], self.reader.likeness(z, z))
        return mean + here.T @ weight, own - half.T @ half

    def fitted(self) -> Tensor:
        """Means (N, K) of the rows that it learned from; NaN where a row has no value."""
        means = torch.full_like(self.y, torch.nan)
        noise = self.theta[0].exp() + JITTER * (1 + self._scale)
        for k, (known, _, _, weight) in enumerate(self._parts):
            means[known, k] = self.y[known, k] - noise * weight
        return means

    def left_out(self) -> tuple[Tensor, Tensor]:
        """Means and variances (N, K) of each row's outcomes, noise included, by all rows but itself.

        NaN where a row has no value. In closed form (Sundararajan & Keerthi 2001).
        """
        means = torch.full_like(self.y, torch.nan)
        variances = means.clone()
        for k, (known, factor, _, weight) in enumerate(self._parts):
            diagonal = torch.cholesky_inverse(factor).diagonal()
            means[known, k] = self.y[known, k] - weight / diagonal
            variances[known, k] = 1.0 / diagonal
        return means, variances


def hyperparameters(kind: Kind, reader: Reading, x: list[Tensor], y: Tensor, seed: int) -> Tensor:
    """The most probable logarithms (1 + H,), the noise first, given rows with features x and values y (N, K).

    By marginal likelihood under a normal prior around their start, from ``FIT_ROWS`` of the rows.
    """
    return most_probable(kind, reader, x, y, seed)[0]


def most_probable(kind: Kind, reader: Reading, x: list[Tensor], y: Tensor, seed: int) -> tuple[Tensor, float]:
    """The hyperparameters, and their log probability with that of the values, up to a constant."""
    known = torch.nonzero(~y.isnan().any(1)).flatten()
    if len(known) < 2:
        known, y = torch.nonzero(~y[:, 0].isnan()).flatten(), y[:, :1]
    some = known[torch.randperm(len(known), generator=torch.Generator().manual_seed(seed))[:FIT_ROWS]]
    rows, target = [part[some] for part in x], y[some] - y[some].mean(0)
    like = reader.likeness(rows, rows)
    start = torch.tensor([NOISE_START, *kind.start(len(like.between))], dtype=torch.float64)
    eye = torch.eye(len(some), dtype=torch.float64)

    def cost(values: FloatArray) -> tuple[float, FloatArray]:
        theta = torch.from_numpy(values).requires_grad_()
        with torch.enable_grad():
            covariance = kind.kernel(theta[1:], like)
            noise = theta[0].exp() + JITTER * (1 + covariance.diagonal().mean())
            factor, failed = torch.linalg.cholesky_ex(covariance + noise * eye)
            if failed or not bool(factor.isfinite().all()):
                return 1e10, np.zeros(len(values))
            half = torch.linalg.solve_triangular(factor, target, upper=False)
            value = 0.5 * half.square().sum() + target.shape[1] * factor.diagonal().log().sum()
            value = value + 0.5 * ((theta - start) / SPREAD).square().sum()
            (slope,) = torch.autograd.grad(value, theta)
        return float(value.detach()), slope.numpy()

    found = scipy.optimize.minimize(
        cost, start.numpy(), jac=True, method="L-BFGS-B", options={"maxfun": EVALUATIONS}
    )
    return torch.from_numpy(found.x), -float(found.fun)


def _cholesky(a: Tensor) -> Tensor:
    """A factor; the diagonal is raised as far as rounding needs it."""
    lift = JITTER * float(a.diagonal().mean())
    factor, failed = torch.linalg.cholesky_ex(a)
    while bool(failed):
        a = a + lift * torch.eye(len(a), dtype=a.dtype)
        lift *= 10
        factor, failed = torch.linalg.cholesky_ex(a)
    return factor


def log_density(y: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Of normal distributions, element by element."""
    return -0.5 * ((y - mean).square() / variance + variance.log() + math.log(2 * math.pi))


def bernoulli(y: Tensor, p: Tensor) -> Tensor:
    """Log probability (n,) of labels (n, K), 0 or 1 and NaN, under probabilities (n, K)."""
    return (y * p.log() + (1 - y) * (1 - p).log()).nan_to_num().sum(1)
