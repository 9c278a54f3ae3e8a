"""The numbers of ``evaluate``: one row for each measure, with its interval and what real sequences reach."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from scipy.sparse import csr_array, eye_array

from seqdesign.evaluation.sets import Sample, Sets, shuffled
from seqdesign.metrics.classifier import two_sample_auc
from seqdesign.metrics.dependence import codes_of, longest_repeats, longest_stems
from seqdesign.metrics.diversity import effective_number, mean_pairwise_distance
from seqdesign.metrics.kmers import indicator, kmer_matrix, position_matrix
from seqdesign.metrics.memorization import closeness, preference
from seqdesign.metrics.mmd import kernel_mmd, linear_features, linear_mmd, median_bandwidth, rbf_kernel
from seqdesign.metrics.nearest import LikelyNearest, Nearest
from seqdesign.metrics.novelty import excess_of_copies, num_copies, num_distinct
from seqdesign.metrics.resampling import (
    Comparison,
    FloatArray,
    Indices,
    Statistic,
    compare,
    share,
    standard_score,
)
from seqdesign.metrics.spectra import jensen_shannon, kl_divergence, mean_profile_divergence, wasserstein
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.splits import similarity_clusters

Verdict = Literal["as real", "flagged", "too few", ""]

FEW = 100
"""Sequences below which a difference that is not seen may well be there: then nothing is called as real."""
COUNTED = ("repeats", "copies")
"""Measures that are plain counts, sure with any number of sequences."""
LARGEST_Z = 3.0
"""A difference of more standard errors than this is no chance: one in 740 one-sided."""
TOLERANCE = 0.1
"""A number up to a tenth worse than that of real sequences passes, however sure the difference is."""
TOLD_APART = 0.55
"""So does a distance if what it looks at tells sequences apart no better than this AUC: what is a tenth worse
than .5. That real sets have a distance at all is chance, a tenth of which is nothing where they are many."""
CONFIRMED_Z, CONFIRMED_P = 2.0, 0.0228
"""What a second, independent sign of copying must reach where the first one is beyond chance."""
CLUSTER_IDENTITY = 0.8

ENDS = 50
"""Letters from either end that are places where lengths differ."""
_LONGEST, _CELLS = 2000, 500_000_000
"""Letters of a sequence, and sequences of each set x letters^2, in which stems and repeats are looked for."""
_PAIRED, _CLUSTERED, _KERNEL, _CLASSIFIED = 500, 1000, 1000, 2000
_MOST_FEATURES = 450
_LONGEST_WORD = 6


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measure."""

    name: str
    label: str
    value: float
    low: float
    high: float
    real: float
    z: float
    verdict: Verdict


@dataclass
class Evaluation:
    """All rows, and the raw numbers that the page draws."""

    rows: list[Row] = field(default_factory=list)
    distances: dict[str, FloatArray] = field(default_factory=dict)
    """Nearest-training distances, by whose they are."""
    logliks: dict[str, FloatArray] = field(default_factory=dict)
    """Log-likelihood per letter, by whose they are."""
    predictions: dict[str, dict[str, FloatArray]] = field(default_factory=dict)
    """Predicted outcomes by name, then by whose they are."""
    few: bool = False
    """Whether fewer than ``FEW`` sequences are compared."""

    def add(self, name: str, label: str, found: Comparison, verdict: Verdict) -> None:
        """Append a row; what is not seen with few sequences is not called as real."""
        if self.few and verdict == "as real" and name not in COUNTED:
            verdict = "too few"
        self.rows.append(
            Row(
                name=name, label=label, value=found.value, low=found.low, high=found.high, real=found.real,
                z=found.z, verdict=verdict,
            )
        )  # fmt: skip

    def unjudged(self, names: Collection[str]) -> None:
        """Take the verdict off some rows."""
        self.rows = [replace(row, verdict="") if row.name in names else row for row in self.rows]


def judged(found: Comparison, scale: float | None = None) -> Verdict:
    """Flagged when worse than real beyond chance and by more than a tenth of ``scale`` (default: of real); a
    distance when it tells sequences apart.
    """
    if math.isnan(found.real):
        return ""
    if math.isnan(found.auc):
        size = abs(found.value - found.real) > TOLERANCE * abs(found.real if scale is None else scale)
    else:
        size = found.auc > TOLD_APART
    return "flagged" if found.z > LARGEST_Z and size else "as real"


def add_copies(result: Evaluation, sets: Sets) -> None:
    """Repeats within the set, and exact copies of training sequences."""
    generated, training, held_out = sets.generated, sets.training, sets.held_out
    num = len(generated)
    like = (training or held_out)[:num]
    real = (len(like) - num_distinct(like), len(like)) if like else ()
    repeats = share(num - num_distinct(generated), num, *real)
    result.add("repeats", "repeats of other generated sequences", repeats, judged(repeats, 0.1))
    if not training:
        return
    hits = num_copies(generated, training)
    if held_out:
        found = share(hits, num, num_copies(held_out, training), len(held_out))
        unfair = excess_of_copies(generated, training, held_out)[2] < CONFIRMED_P
    else:
        alone = sum(count == 1 for count in Counter(training).values())
        found, unfair = share(hits, num, len(training) - alone, len(training)), True
    result.add("copies", "copies of training sequences", found, judged(found, 0.1) if unfair else "as real")


def add_nearest(
    result: Evaluation,
    sets: Sets,
    most: int,
    rng: np.random.Generator,
    workers: int,
    progress: Callable[[int, int], None],
) -> None:
    """How near the training set is, and whether nearer than to real sequences that were not trained on."""
    queries, training = shuffled(sets.generated, rng)[:most], sets.training
    held_out = sets.held_out
    fresh = shuffled(held_out, rng)[:most] if held_out else []
    own = None if held_out else rng.permutation(len(training))[:most]
    real_name = "held out" if held_out else "training, itself left out"
    if own is not None:
        fresh = [training[i] for i in own.tolist()]
    total, done = len(queries) * (1 + bool(held_out)) + len(fresh), 0

    known = LikelyNearest(training, *([held_out] if held_out else []), workers=workers)

    def search(texts: list[str], groups: tuple[int, ...] = (0,), own: Indices | None = None) -> list[Nearest]:
        nonlocal done
        before, done = done, done + len(texts)
        return known.find(texts, groups, own=own, progress=lambda n: progress(before + n, total))

    (first,), (real,) = search(queries), search(fresh, own=own)
    result.distances = {
        "generated": first.distance.astype(np.float64),
        real_name: real.distance.astype(np.float64),
    }
    close = closeness(first.distance, real.distance)
    far = _mean(first.distance, real.distance, -close.z)
    result.add("mean_nearest", "edits to the nearest training sequence, mean", far, judged(far))
    copied = close.too_close.z > LARGEST_Z and close.too_close.value > 0.02
    prefers = None
    if held_out:
        sizes = (len(training), len(held_out))
        # Where all are compared, those of training are known; else both sets must share what is looked at.
        both = [first, *search(queries, (1,))] if known.compares_all else search(queries, (0, 1))
        prefers = preference(both[0], both[1], sizes, close.cut)
        copied = copied and prefers is not None and prefers.z > CONFIRMED_Z
    label = (
        f"fewer than {close.cut} edits from training (1% of {'held-out' if held_out else 'training'} ones)"
    )
    result.add("too_close", label, close.too_close, "flagged" if copied else "as real")
    if prefers is not None:
        label = f"of those with fewer than {close.cut} to a real one, training nearest"
        result.add("prefers_training", label, prefers, "flagged" if copied else "as real")


def _mean(values: Indices, real: Indices, z: float) -> Comparison:
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    mean = float(values.mean())
    return Comparison(mean, max(0.0, mean - 1.96 * error), mean + 1.96 * error, float(real.mean()), z)


def add_diversity(result: Evaluation, generated: list[str], training: list[str]) -> None:
    """How different the sequences are from each other, beside as many real ones (none: no comparison)."""
    for name, label, measure, most in (
        ("pairwise", "distance between two of them, of their length", mean_pairwise_distance, _PAIRED),
        ("clusters", f"effective clusters at {CLUSTER_IDENTITY:.0%} identity", _clusters, _CLUSTERED),
    ):
        num = min(len(generated), len(training) or most, most)
        value, error = measure(generated[:num])
        if name == "clusters":
            label = f"{label}, of {num:,}"
        low, high = _interval(value, error, name == "clusters")
        if not training:
            result.add(name, label, Comparison(value, low, high), "")
            continue
        real, real_error = measure(training[:num])
        gap = math.log(real / value) if name == "clusters" else real - value
        found = Comparison(value, low, high, real, standard_score(gap, math.hypot(error, real_error)))
        result.add(name, label, found, judged(found))


def _clusters(texts: list[str]) -> tuple[float, float]:
    return effective_number(similarity_clusters(texts, CLUSTER_IDENTITY))


def _interval(value: float, error: float, logarithmic: bool) -> tuple[float, float]:
    if logarithmic:
        return value * math.exp(-1.96 * error), value * math.exp(1.96 * error)
    return max(0.0, value - 1.96 * error), min(1.0, value + 1.96 * error)


def add_distances(
    result: Evaluation, sample: Sample, sets: Sets, rng: np.random.Generator, resamples: int
) -> None:
    """Distances between distributions: generated against held out, and training against held out."""
    for name, label, statistic, part, signed in _statistics(sample, sets.alphabet):
        found = compare(statistic, part.generated, part.training, part.held_out, rng, resamples)
        if not signed:
            found = replace(found, low=max(0.0, found.low))
        result.add(name, label, found, judged(found))


def longest_word(sample: Sample, size: int) -> int:
    """Largest k up to 6 for which every set has a word, on average, of each of V^k kinds; at least 1."""
    letters = [sum(map(len, sample.pick(name))) for name in ("generated", "training", "held_out")]
    middle = float(np.median([len(t) for t in sample.texts]))
    return max([1] + [k for k in range(2, _LONGEST_WORD + 1) if size**k <= min(letters) and k <= middle])


def _statistics(sample: Sample, alphabet: Alphabet) -> Iterator[tuple[str, str, Statistic, Sample, bool]]:
    """(name, label, statistic, sample, whether it may be negative) of each distance that means something."""
    for name, label, part, values in _numbers(sample, alphabet):
        yield name, label, on_values(values), part, False
    yield from _spectra(sample, alphabet.letters)
    yield from _profiles(sample, alphabet.letters)


def _numbers(sample: Sample, alphabet: Alphabet) -> Iterator[tuple[str, str, Sample, FloatArray]]:
    """(name, label, sample, values) of what is one number for each sequence."""
    lengths = _lengths(sample)
    if (lengths != lengths[0]).any():
        yield "length", "lengths, Wasserstein, letters", sample, lengths
    if alphabet.complement:
        gc = np.array([t.count("G") + t.count("C") for t in sample.texts]) / np.maximum(lengths, 1)
        yield "gc", "GC contents, Wasserstein", sample, gc
    longest = min(_LONGEST, int(lengths.max()))
    few, size = sample.smaller(max(FEW, _CELLS // longest**2)), len(alphabet.letters)
    codes = codes_of(few.texts, alphabet.letters, longest)
    repeats = longest_repeats(codes, size).astype(np.float64)
    yield "within_repeat", "longest repeated word, Wasserstein, letters", few, repeats
    if alphabet.complement:
        stems = longest_stems(codes, np.array(alphabet.partners)).astype(np.float64)
        yield "within_stem", "longest stem, Wasserstein, letters", few, stems


def _lengths(sample: Sample) -> FloatArray:
    return np.array([len(t) for t in sample.texts], dtype=np.float64)


def _spectra(sample: Sample, letters: str) -> Iterator[tuple[str, str, Statistic, Sample, bool]]:
    """Of words, wherever they stand."""
    longest = longest_word(sample, len(letters))
    for k in range(1, longest + 1):
        words = kmer_matrix(sample.texts, letters, k)
        label = "letters" if k == 1 else f"words of {k}"
        yield f"js_{k}", f"{label}, Jensen-Shannon, bits", Statistic(words, jensen_shannon), sample, False
    k = min(3, longest)
    yield (
        f"kl_{k}",
        f"words of {k}, KL(held out || generated), bits",
        Statistic(kmer_matrix(sample.texts, letters, k), lambda a, b: kl_divergence(b, a)),
        sample,
        False,
    )
    yield (
        f"mmd_spectrum_{k}",
        f"words of {k}, MMD2 with spectrum kernel",
        Statistic(linear_features(_shares(sample, letters, k)), linear_mmd),
        sample,
        True,
    )
    few = sample.smaller(_KERNEL)
    rows = _shares(few, letters, k).toarray()
    kernel = rbf_kernel(rows, rows, median_bandwidth(rows[few.held_out]))
    yield (
        f"mmd_rbf_{k}",
        f"words of {k}, MMD2 with Gaussian kernel",
        Statistic(csr_array(eye_array(len(few.texts))), lambda a, b: kernel_mmd(kernel, a, b)),
        few,
        True,
    )


def _profiles(sample: Sample, letters: str) -> Iterator[tuple[str, str, Statistic, Sample, bool]]:
    """Of letters at each position; where lengths differ, counted from the start and from the end."""
    lengths = _lengths(sample)
    if (lengths == lengths[0]).all():
        label, texts = "letters at each position", sample.texts
    else:
        n = min(ENDS, int(np.median(lengths)))
        label = f"letters at the first and the last {n} positions"
        texts = [t[:n].ljust(n, "\0") + t[-n:].rjust(n, "\0") for t in sample.texts]
    places = position_matrix(texts, letters)
    yield (
        "profile_js",
        f"{label}, Jensen-Shannon, bits, mean",
        Statistic(places, lambda a, b: mean_profile_divergence(a, b, len(letters))),
        sample,
        False,
    )
    yield (
        "profile_frobenius",
        f"{label}, squared Frobenius",
        Statistic(linear_features(places), lambda a, b: linear_mmd(a, b, unbiased=False)),
        sample,
        False,
    )


def _shares(sample: Sample, letters: str, k: int) -> csr_array:
    """k-mer counts over their number, (N, V^k): sequences of any length weigh the same."""
    words = kmer_matrix(sample.texts, letters, k)
    return csr_array(words.multiply(1.0 / np.maximum(words.sum(axis=1), 1.0)[:, None]))


def on_values(values: FloatArray) -> Statistic:
    """The Wasserstein distance of one number (N,) of each sequence."""
    grid, labels = np.unique(values, return_inverse=True)
    return Statistic(indicator(labels, len(grid)), lambda a, b: wasserstein(grid, a, b), degree=1)


def add_classifier(
    result: Evaluation, sample: Sample, letters: str, rng: np.random.Generator, *, beside: bool = True
) -> None:
    """Can a classifier on k-mer counts tell generated from held-out sequences, and training ones?

    Unless ``beside``, training ones are left out, and there is no verdict.
    """
    few = sample.smaller(_CLASSIFIED)
    parts: list[FloatArray] = []
    width = 0
    for k in range(1, longest_word(sample, len(letters)) + 1):
        width += len(letters) ** k
        if parts and width > _MOST_FEATURES:
            break
        parts.append(kmer_matrix(few.texts, letters, k).toarray())
    features = np.hstack(parts)
    held_out = features[few.held_out]
    value, error = two_sample_auc(features[few.generated], held_out, rng)
    real = real_error = math.nan
    if beside:
        real, real_error = two_sample_auc(features[few.training], held_out, rng)
    # Held-out sequences serve twice, so the two errors are not independent; as if they were is the safe side.
    z = standard_score(value - max(0.5, real), math.hypot(error, real_error))
    found = Comparison(value, max(0.0, value - 1.96 * error), min(1.0, value + 1.96 * error), real, z)
    label = f"told from held-out ones by words of 1 to {len(parts)}, AUC"
    result.add("auc", label, found, judged(found))
