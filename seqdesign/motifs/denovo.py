"""New motifs, without a collection: enriched words, refined by EM, judged on held-out data.

1. Words of 5 to 8 letters (3 for proteins) that are in more sequences than in the background are seeds.
2. The best seeds, with free columns on both sides, are refined by expectation maximisation under the model
   "zero or one occurrence per sequence" (Bailey & Elkan 1994, ISMB 2:28) and trimmed to their informative
   columns.
3. The refined motif most enriched in the training part wins; its p-value is that in the held-out part.
4. Its sites are masked and the search goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqdesign.motifs.compare import Match, MotifComparer
from seqdesign.motifs.files import MotifSet
from seqdesign.motifs.motif import FloatArray, Motif, information_per_position
from seqdesign.motifs.scan import IntArray, JoinedText, matcher, scan
from seqdesign.motifs.statistics import fisher_enrichment, odds_ratio

_FLANK = 6
_SEEDS = 3
_ITERATIONS = 30
_EARLY = 5  # iteration after which the motif is a candidate too
_SEED_SHARE = 0.7  # probability of the seed's letters at the start
_TRAIN_LETTERS = 400_000
_LEAST_HELD_OUT = 40  # sequences below which all of them are needed to find anything
_HELD_OUT = 0.3
_THRESHOLDS = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
_EDGE = 0.25  # bits: an outer column with less is trimmed
_PSEUDOCOUNT = 0.5


@dataclass(frozen=True, kw_only=True)
class NewMotif:
    """A motif found without a collection."""

    motif: Motif
    consensus: str
    """Lower case where the position has less than one bit."""
    share: float
    background_share: float
    odds_ratio: float
    p_value: float
    """One-sided Fisher's exact test in the sequences held out."""
    held_out: int
    """Sequences that the search did not see; 0 if there were too few to hold out any: then p is too small."""
    matches: tuple[Match, ...]
    """Motifs of the collection that are like it."""


@dataclass(frozen=True, eq=False)
class _Task:
    """What to search in, with letter frequencies (V,) and the letters."""

    texts: tuple[JoinedText, JoinedText]
    """Sequences and background."""
    letters: FloatArray
    alphabet: str
    both_strands: bool


def new_motifs(
    text: JoinedText,
    background: JoinedText,
    num_motifs: int,
    collection: MotifSet,
    letters: FloatArray,
    *,
    both_strands: bool,
    rng: np.random.Generator,
) -> list[NewMotif]:
    """At most ``num_motifs`` motifs, in the order found; fewer when no word is left that is enriched."""
    parts = [_split(t, rng, hold_out=text.num_sequences >= _LEAST_HELD_OUT) for t in (text, background)]
    train = _Task((parts[0][0], parts[1][0]), letters, collection.letters, both_strands)
    judge = _Task(
        (parts[0][1] or parts[0][0], parts[1][1] or parts[1][0]), letters, collection.letters, both_strands
    )
    comparer = MotifComparer(collection.motifs, both_strands=both_strands)
    found: list[NewMotif] = []
    while len(found) < num_motifs:
        candidates = [motif for seed in _seeds(train) for motif in _refinements(train, seed)]
        if not candidates:
            break
        ranked = [(*_best_threshold(train, motif), motif) for motif in candidates]
        _, threshold, motif = min(ranked, key=lambda entry: entry[0])
        motif = replace(motif, id=f"denovo{len(found) + 1}")
        a, b = _with_hit(judge, motif, threshold)
        n, m = (t.num_sequences for t in judge.texts)
        found.append(
            NewMotif(
                motif=motif,
                consensus=_consensus(motif),
                share=a / n,
                background_share=b / m,
                odds_ratio=float(odds_ratio(a, n, b, m)),
                p_value=float(fisher_enrichment(a, n, b, m)),
                held_out=0 if parts[0][1] is None else parts[0][1].num_sequences,
                matches=tuple(comparer.matches(motif)),
            )
        )
        train = replace(train, texts=(_masked(train, 0, motif), _masked(train, 1, motif)))
    return found


def _split(
    text: JoinedText, rng: np.random.Generator, *, hold_out: bool
) -> tuple[JoinedText, JoinedText | None]:
    """Part to learn from, limited in size, and part to judge by."""
    order = rng.permutation(text.num_sequences)
    num = round(_HELD_OUT * len(order)) if hold_out else 0
    train = order[num:]
    sizes = np.cumsum(np.diff(text.begins)[train])
    train = train[: max(1, int(np.searchsorted(sizes, _TRAIN_LETTERS)))]
    return text.take(np.sort(train)), text.take(np.sort(order[:num])) if num else None


def _seeds(task: _Task) -> list[IntArray]:
    """The most enriched words as letter ids, none a neighbour (shift or strand) of a better one."""
    size = len(task.letters)
    lengths = range(5, 9) if size <= 5 else range(3, 4)
    words: list[tuple[float, IntArray]] = []
    for k in lengths:
        hits, others = (_word_counts(t, k, task.both_strands) for t in task.texts)
        n, m = (t.num_sequences for t in task.texts)
        p = fisher_enrichment(hits, n, others, m)
        for word in np.argsort(p, kind="stable")[:20]:
            if hits[word] > 1 and p[word] < 0.01:
                letters = word // size ** np.arange(k - 1, -1, -1) % size
                words.append((float(p[word]), letters))
    words.sort(key=lambda entry: entry[0])
    chosen: list[IntArray] = []
    for _, word in words:
        if len(chosen) < _SEEDS and not any(_alike(word, other, size, task.both_strands) for other in chosen):
            chosen.append(word)
    return chosen


def _word_counts(text: JoinedText, k: int, both_strands: bool) -> IntArray:
    """(V^k,) in how many sequences a word is, on either strand if both count."""
    size = text.num_letters
    words = text.index(k).words
    known = np.flatnonzero(words < size**k)
    word, owner = words[known].astype(np.int64), text.sequence_of(known)
    if both_strands:
        word = np.minimum(word, _reverse_complements(k, size)[word])
    pairs = np.unique(owner * size**k + word)
    return np.bincount(pairs % size**k, minlength=size**k)


def _reverse_complements(k: int, size: int) -> IntArray:
    """(V^k,) the word on the other strand, for letters in the order A, C, G, T."""
    words = np.arange(size**k)
    turned = np.zeros_like(words)
    for _ in range(k):
        turned = turned * size + (size - 1 - words % size)
        words = words // size
    return turned


def _alike(word: IntArray, other: IntArray, size: int, both_strands: bool) -> bool:
    """Whether two words share all but two letters under some shift."""
    turned = [word, size - 1 - word[::-1]] if both_strands else [word]
    needed = min(len(word), len(other)) - 2
    for candidate in turned:
        for shift in range(1 - len(candidate), len(other)):
            a = candidate[max(0, -shift) : len(other) - shift]
            b = other[max(0, shift) : shift + len(candidate)]
            if int(np.sum(a == b)) >= needed:
                return True
    return False


def _refinements(task: _Task, seed: IntArray) -> Iterator[Motif]:
    """What the word's own matches say, and what EM makes of it with free columns, early and at its end.

    EM raises the likelihood, which is not always what sets the sequences apart from the background; so the
    choice is left to the test.
    """
    size = len(task.letters)
    word = (1 - _SEED_SHARE) * task.letters + _SEED_SHARE * np.eye(size)[seed]
    yield _of_hits(task, _motif(task, word, 1.0))
    shortest = int(np.percentile(np.diff(task.texts[0].begins) - 1, 10))
    flank = max(0, min(_FLANK if size <= 5 else 3, (shortest - len(seed)) // 2))
    columns = np.tile(task.letters, (len(seed) + 2 * flank, 1))
    columns[flank : flank + len(seed)] = word
    gamma = 0.5
    windows = _Windows(task, len(columns))
    for iteration in range(1, _ITERATIONS + 1):
        before = columns
        columns, gamma, sites = windows.step(columns, gamma)
        done = bool(np.abs(columns - before).max() < 1e-3) or iteration == _ITERATIONS
        if iteration == _EARLY or done:
            yield _trimmed(_motif(task, columns, max(sites, 1.0)))
        if done:
            return


def _of_hits(task: _Task, motif: Motif) -> Motif:
    """The letters counted at a motif's hits."""
    text = task.texts[0]
    ready = matcher(motif, task.letters, _PSEUDOCOUNT, _THRESHOLDS[1])
    (hits,) = scan(text, [motif], [ready], both_strands=task.both_strands)
    windows = text.letters[(text.begins[hits.sequence] + hits.start)[:, None] + np.arange(motif.width)]
    windows[~hits.forward] = len(task.letters) - 1 - windows[~hits.forward][:, ::-1]
    counts = (windows[:, :, None] == np.arange(len(task.letters))).sum(axis=0)
    return _motif(task, counts + _PSEUDOCOUNT * task.letters, float(max(len(hits), 1)))


def _motif(task: _Task, columns: FloatArray, sites: float) -> Motif:
    return Motif("denovo", "", task.alphabet, columns / columns.sum(axis=1, keepdims=True), sites)


class _Windows:
    """All windows of one width, for EM: ZOOPS, each sequence has one site with probability gamma."""

    def __init__(self, task: _Task, width: int) -> None:
        text = self.text = task.texts[0]
        self.prior = task.letters
        self.strands = 2 if task.both_strands else 1
        self.places = _windows(text, width)
        self.owner = text.sequence_of(self.places)
        self.number = np.maximum(self.strands * np.bincount(self.owner, minlength=text.num_sequences), 1)
        log_letters = np.concatenate([[0.0], np.cumsum(_log_background(task))])
        self.expected = log_letters[self.places + width] - log_letters[self.places]

    def step(self, columns: FloatArray, gamma: float) -> tuple[FloatArray, float, float]:
        """New (w, V) columns, new gamma, expected number of sites."""
        text, size = self.text, columns.shape[1]
        logs = np.log(columns)
        ratios = []
        for turned in (logs, logs[::-1, ::-1])[: self.strands]:
            score = -self.expected
            for j, column in enumerate(turned):
                score = score + column[text.letters[self.places + j]]
            ratios.append(np.exp(np.minimum(score, 300.0)))
        mass = sum(np.bincount(self.owner, weights=r, minlength=text.num_sequences) for r in ratios)
        odds = gamma * mass / self.number
        scale = gamma / self.number / (1 - gamma + odds)
        counts = np.zeros_like(columns)
        for strand, ratio in enumerate(ratios):
            chance = ratio * scale[self.owner]
            some = np.flatnonzero(chance > 1e-4)
            for j in range(len(columns)):
                letters = text.letters[self.places[some] + j]
                row = np.bincount(letters, weights=chance[some], minlength=size)
                if strand == 0:
                    counts[j] += row
                else:
                    counts[-1 - j] += row[::-1]
        sites = float(np.sum(odds / (1 - gamma + odds)))
        new = (counts + _PSEUDOCOUNT * self.prior) / (counts.sum(axis=1, keepdims=True) + _PSEUDOCOUNT)
        return new, min(max(sites / text.num_sequences, 1e-3), 0.999), sites


def _log_background(task: _Task) -> FloatArray:
    """Log-probability of each letter of the sequences after the two before it, from their own counts.

    A background of single letters would take every run of A or T for a motif.
    """
    text, size = task.texts[0], len(task.letters)
    logs = np.zeros(text.letters.size)
    known = np.flatnonzero(text.letters < size)
    logs[known] = np.log(task.letters)[text.letters[known]]
    words = text.index(3).words
    full = np.flatnonzero(words < size**3)
    counts = np.bincount(words[full], minlength=size**3).reshape(-1, size) + size * task.letters
    conditional = np.log(counts / counts.sum(axis=1, keepdims=True)).ravel()
    logs[full + 2] = conditional[words[full]]
    return logs


def _windows(text: JoinedText, width: int) -> IntArray:
    """Places where ``width`` known letters begin."""
    blocked = np.concatenate([[0], np.cumsum(text.letters >= text.num_letters)])
    return np.flatnonzero(blocked[width:] == blocked[:-width])


def _trimmed(motif: Motif) -> Motif:
    informative = np.flatnonzero(information_per_position(motif.probabilities) >= _EDGE)
    if informative.size < 3:
        return motif
    kept = motif.probabilities[informative[0] : informative[-1] + 1]
    return Motif(motif.id, motif.name, motif.letters, kept, motif.sites)


def _with_hit(task: _Task, motif: Motif, threshold: float) -> tuple[int, int]:
    """Sequences and background sequences with a hit."""
    ready = matcher(motif, task.letters, _PSEUDOCOUNT, threshold)
    counts = []
    for text in task.texts:
        (hits,) = scan(text, [motif], [ready], both_strands=task.both_strands)
        counts.append(int(hits.found(text.num_sequences).sum()))
    return counts[0], counts[1]


def _best_threshold(task: _Task, motif: Motif) -> tuple[float, float]:
    """The smallest Fisher p-value over a few thresholds, and the threshold."""
    n, m = (t.num_sequences for t in task.texts)
    found = []
    for threshold in _THRESHOLDS:
        a, b = _with_hit(task, motif, threshold)
        found.append((float(fisher_enrichment(a, n, b, m)), threshold))
    return min(found)


def _masked(task: _Task, which: int, motif: Motif) -> JoinedText:
    """The text with all sites of a motif made unknown."""
    text = task.texts[which]
    ready = matcher(motif, task.letters, _PSEUDOCOUNT, _THRESHOLDS[1])
    (hits,) = scan(text, [motif], [ready], both_strands=task.both_strands)
    letters: NDArray[np.uint8] = text.letters.copy()
    begin = text.begins[hits.sequence] + hits.start
    for j in range(motif.width):
        letters[begin + j] = text.num_letters
    return JoinedText(letters, text.begins, text.num_letters)


def _consensus(motif: Motif) -> str:
    bits = information_per_position(motif.probabilities)
    return "".join(c if b >= 1 else c.lower() for c, b in zip(motif.consensus, bits, strict=True))
