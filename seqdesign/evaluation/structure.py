"""Measures of what no generator here is trained on: far pairs, chimeras, misplaced words, a learned judge."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seqdesign.evaluation.convolutional import convolutional_auc
from seqdesign.evaluation.measures import LARGEST_Z, Evaluation, Verdict, add_classifier, judged
from seqdesign.evaluation.sets import FEWEST, Sample, Sets
from seqdesign.metrics.dependence import (
    Codes,
    codes_of,
    halves_apart,
    out_of_place,
    pair_dependence,
    placed_words,
    word_length,
    word_pairs,
)
from seqdesign.metrics.novelty import num_distinct
from seqdesign.metrics.resampling import Comparison, share
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.symbols import spelled

MOST_REFERENCES, MOST_HALVES = 4000, 500
LONGEST = 2000
"""Letters of a sequence that are looked at."""
TIMES = 2.0
"""The largest difference among thousands of pairs varies by a tenth or so from sample to sample: twice what
real sequences have is no chance."""
CHANCE = 25.0
"""Squared standard errors that the largest difference of word pairs may always have."""
CODONS = (3, 3)
"""Letters of a word, and letters after which places count as the same."""
MOST_PLACED = 1 << 20
"""Letters times places beyond which letters at places are not looked at: each is rare, as words in texts."""
CHIMERAS = 0.99
"""Share of held-out sequences that lie below the bound above which a sequence counts as a chimera."""


@dataclass(frozen=True)
class Parts:
    """The sets as codes (N, L), all of one width."""

    generated: Codes
    training: Codes
    """Real sequences in the place of the generated ones."""
    held_out: Codes
    references: Codes
    """Other training sequences; the same ones where there are no others."""
    size: int

    @classmethod
    def of(cls, sample: Sample, sets: Sets) -> Parts:
        """From the sample that other measures use."""
        letters = sets.alphabet.letters
        length = min(LONGEST, max(map(len, sample.texts)))
        texts = [sample.pick(name) for name in ("generated", "training", "held_out")]
        others = (sample.rest or texts[1])[:MOST_REFERENCES]
        generated, training, held_out, references = (
            codes_of(part, letters, length) for part in (*texts, others)
        )
        return cls(generated, training, held_out, references, len(letters))


def add_structure(result: Evaluation, sample: Sample, sets: Sets, seed: int) -> None:
    """Append the rows ``far_pairs``, ``word_pairs``, ``chimeras``, ``out_of_place`` and ``cnn``."""
    parts = Parts.of(sample, sets)
    worst = [
        float(pair_dependence(rows, parts.held_out, parts.size).max())
        for rows in (parts.generated, parts.training)
    ]
    label = "dependence of two positions, times that of chance, worst pair"
    result.add("far_pairs", label, Comparison(worst[0], real=worst[1]), _twice(worst[0], worst[1]))
    if parts.held_out.shape[1] > 2 * word_length(parts.size):
        pairs = [
            float(word_pairs(rows, parts.held_out, parts.size).max())
            for rows in (parts.generated, parts.training)
        ]
        label = f"two words of {word_length(parts.size)} at a distance, squared standard errors, worst"
        verdict = _twice(pairs[0], max(pairs[1], CHANCE))
        result.add("word_pairs", label, Comparison(pairs[0], real=pairs[1]), verdict)
    if parts.held_out.shape[1] > 1:
        _add_chimeras(result, parts)
    _add_out_of_place(result, parts, sets.alphabet)
    if min(len(parts.generated), len(parts.held_out)) >= FEWEST:
        half = len(parts.generated) // 2
        fit = (parts.generated[:half], parts.references)
        value, error = convolutional_auc(fit, (parts.generated[half:], parts.held_out), parts.size, seed)
        low, high = max(0.0, value - 1.96 * error), min(1.0, value + 1.96 * error)
        z = (value - 0.5) / error if error > 0 else math.copysign(math.inf, value - 0.5)
        found = Comparison(value, low, high, 0.5, z)
        result.add("cnn", "told from held-out ones by a convolutional network, AUC", found, judged(found))


def _twice(value: float, real: float) -> Verdict:
    return "flagged" if value > TIMES * real else "as real"


def _add_chimeras(result: Evaluation, parts: Parts) -> None:
    excess = [
        halves_apart(rows[:MOST_HALVES], parts.references, parts.size)
        for rows in (parts.generated, parts.held_out)
    ]
    bound = np.quantile(excess[1], CHIMERAS, method="higher")
    hits = [int((part > bound).sum()) for part in excess]
    found = share(hits[0], len(excess[0]), hits[1], len(excess[1]))
    label = f"chimeras: halves nearer by more than {bound:.0f} letters to different training sequences"
    result.add("chimeras", label, found, judged(found, 0.2))


def _add_out_of_place(result: Evaluation, parts: Parts, alphabet: Alphabet) -> None:
    """Words where real sequences hardly ever have them: at a place, and in steps of three as codons stand.

    No row where real sequences have any word anywhere.
    """
    size, width, sets = parts.size, parts.held_out.shape[1], (parts.generated, parts.held_out)
    kinds = [(1, width)] if size * width <= MOST_PLACED else []
    hits = [np.zeros(len(rows), dtype=bool) for rows in sets]
    most, example, any_rare = 0, "", False
    for k, period in [*kinds, CODONS] if alphabet.complement else kinds:
        rare = out_of_place(placed_words(parts.references, size, k, period), period, size**k)
        any_rare |= bool(rare.any())
        placed = [placed_words(rows, size, k, period) for rows in sets]
        for found, part in zip(hits, placed, strict=True):
            found |= rare[part].any(axis=0)
        times = np.bincount(placed[0].ravel(), minlength=len(rare)) * rare
        if times.max() > most:
            most, number = int(times.max()), int(times.argmax())
            example = f", such as {_placed(number, k, period, alphabet.letters)}"
    if any_rare:
        generated, held_out = hits
        compared = share(int(generated.sum()), len(generated), int(held_out.sum()), len(held_out))
        label = f"words where real ones hardly ever have them{example}"
        result.add("out_of_place", label, compared, judged(compared, 0.5))


def _placed(number: int, k: int, period: int, letters: str) -> str:
    """A number of `placed_words` in words."""
    place, word = divmod(number, len(letters) ** k)
    text = "".join(letters[word // len(letters) ** i % len(letters)] for i in reversed(range(k)))
    if (k, period) == CODONS:
        return f"{text} at {place + 4}, {place + 7}, {place + 10} ..."
    return f"{spelled(text)} at {place + 1}"


def detectable(num_generated: int, num_held_out: int) -> float:
    """The smallest AUC of a classifier that would be beyond chance with so many sequences to judge.

    Its standard error is that of two equal distributions (Hanley and McNeil 1982).
    """
    n, m = max(1, num_generated // 2), max(1, num_held_out)
    return 0.5 + LARGEST_Z * math.sqrt((n + m + 1) / (12 * n * m))


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The figures by which generators are compared; NaN where there are too few sequences."""

    name: str
    cnn: float
    """AUC of a convolutional network; 0.5 is a guess."""
    words: float
    """AUC of a classifier on words."""
    far_pairs: float
    word_pairs: float
    chimeras: float
    repeats: float


def headline_of(name: str, result: Evaluation, texts: list[str], *, real: bool = False) -> Headline:
    """From rows that ``add_structure`` and ``add_classifier`` made; ``real``: of real sequences instead."""
    rows = {row.name: row.real if real else row.value for row in result.rows}
    return Headline(
        name=name,
        cnn=rows.get("cnn", math.nan),
        words=rows.get("auc", math.nan),
        far_pairs=rows["far_pairs"],
        word_pairs=rows.get("word_pairs", math.nan),
        chimeras=rows.get("chimeras", math.nan),
        repeats=1 - num_distinct(texts) / max(1, len(texts)),
    )


def headline(
    name: str, texts: list[str], sample: Sample, sets: Sets, rng: np.random.Generator, seed: int
) -> Headline:
    """The same figures of other sequences ``texts``, in the place of the generated ones of ``sample``."""
    others = sample.instead(texts)
    result = Evaluation()
    if min(len(others.generated), len(others.held_out)) >= FEWEST:
        add_classifier(result, others, sets.alphabet.letters, rng, beside=False)
    add_structure(result, others, sets, seed)
    return headline_of(name, result, others.pick("generated"))
