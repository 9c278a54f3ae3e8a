"""Promises of the scan: it finds what scoring every window finds, with exact p-values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from Bio import motifs as bio

from seqdesign.motifs.motif import Motif
from seqdesign.motifs.pvalues import STEP, score_table
from seqdesign.motifs.scan import JoinedText, matcher, scan

UNEQUAL = np.array([0.3, 0.2, 0.2, 0.3])


def random_motif(rng: np.random.Generator, width: int, letters: str = "ACGT") -> Motif:
    return Motif("m", "m", letters, rng.dirichlet(np.full(len(letters), 0.4), width), 50.0)


def random_text(rng, num=30, size=4, longest=60):
    lengths = rng.integers(0, longest, num)
    codes = rng.integers(0, size, (num, longest)).astype(np.uint8)
    codes[rng.random(codes.shape) < 0.02] = size + 2  # unknown letters
    return codes, lengths, JoinedText.of(codes, lengths, size)


@pytest.mark.parametrize("width", [1, 3, 5])
def test_p_values_equal_those_of_all_words(width):
    """By enumeration: the p-value of a total is the mass of all words that reach it."""
    motif = random_motif(np.random.default_rng(width), width)
    table = score_table(motif.weights(UNEQUAL, 0.1), UNEQUAL)
    words = list(itertools.product(range(4), repeat=width))
    totals = np.array([sum(table.weights[j, a] for j, a in enumerate(word)) for word in words])
    masses = np.array([np.prod(UNEQUAL[list(word)]) for word in words])
    for total in np.unique(totals):
        assert table.tail[total] == pytest.approx(masses[totals >= total].sum(), rel=1e-9)


@pytest.mark.parametrize("p_value", [1.0, 0.3, 0.01, 1e-3, 1e-30])
def test_a_threshold_is_the_smallest_score_that_is_rare_enough(p_value):
    motif = random_motif(np.random.default_rng(0), 6)
    table = score_table(motif.weights(UNEQUAL, 0.1), UNEQUAL)
    threshold = table.threshold(p_value)
    assert np.all(table.tail[threshold:] <= p_value)
    assert threshold == 0 or table.tail[threshold - 1] > p_value


@pytest.mark.parametrize("width", [1, 4, 8, 9, 16, 17, 30])
def test_the_index_finds_what_scoring_every_window_finds(width):
    rng = np.random.default_rng(width)
    motif = random_motif(rng, width)
    codes, lengths, text = random_text(rng)
    ready = matcher(motif, UNEQUAL, 0.1, 0.02)
    (hits,) = scan(text, [motif], [ready], both_strands=True)
    found = {
        (int(s), int(b), bool(f)) for s, b, f in zip(hits.sequence, hits.start, hits.forward, strict=True)
    }
    wanted, windows = set(), 0
    for i, row in enumerate(codes):
        for begin in range(lengths[i] - width + 1):
            word = row[begin : begin + width].astype(int)
            if (word >= 4).any():
                continue
            windows += 2
            for forward in (True, False):
                read = word if forward else 3 - word[::-1]
                if ready.table.weights[np.arange(width), read].sum() >= ready.threshold:
                    wanted.add((i, begin, forward))
    assert found == wanted
    assert hits.num_tests == windows
    assert wanted or width > 8


def test_scores_equal_those_of_biopython():
    """Bio.motifs scores windows with its own code; both strands, both signs of its positions."""
    rng = np.random.default_rng(3)
    motif = random_motif(rng, 7)
    sequence = "".join(rng.choice(list("ACGT"), 300))
    smooth = motif.smoothed(UNEQUAL, 0.1)
    counts = {a: list(smooth[:, i]) for i, a in enumerate("ACGT")}
    background = dict(zip("ACGT", UNEQUAL.tolist(), strict=True))
    reference = bio.Motif(alphabet="ACGT", counts=counts).counts.normalize().log_odds(background)
    wanted = dict(reference.search(sequence, threshold=2.0))
    codes = np.array([["ACGT".index(c) for c in sequence]], dtype=np.uint8)
    text = JoinedText.of(codes, np.array([300]), 4)
    (hits,) = scan(text, [motif], [matcher(motif, UNEQUAL, 0.1, 1.0)], both_strands=True)
    ours = {
        int(b) if f else int(b) - 300: s
        for b, f, s in zip(hits.start, hits.forward, hits.score, strict=True)
        if s >= 2.0
    }
    assert wanted
    assert ours.keys() == wanted.keys()
    np.testing.assert_allclose([ours[k] for k in wanted], list(wanted.values()), atol=1e-3)


def test_the_score_of_a_hit_fits_its_p_value():
    rng = np.random.default_rng(5)
    motif = random_motif(rng, 10)
    _, _, text = random_text(rng, num=200)
    ready = matcher(motif, UNEQUAL, 0.1, 0.05)
    (hits,) = scan(text, [motif], [ready], both_strands=False)
    totals = np.rint((hits.score - ready.table.low) / STEP).astype(int)
    near = [ready.table.tail[[min(t + 10, ready.table.tail.size - 1), max(t - 10, 0)]] for t in totals]
    assert len(hits) > 10
    assert all(low <= p <= high for p, (low, high) in zip(hits.p_value, near, strict=True))


def test_proteins_have_one_strand_and_words_of_three():
    rng = np.random.default_rng(1)
    motif = random_motif(rng, 5, "ACDEFGHIKLMNPQRSTVWY")
    background = np.full(20, 0.05)
    word = motif.probabilities.argmax(axis=1)
    codes = np.concatenate([[7, 7], word, [7]]).astype(np.uint8)[None]
    text = JoinedText.of(codes, np.array([8]), 20)
    assert text.longest_word == 3
    (hits,) = scan(text, [motif], [matcher(motif, background, 0.1, 1e-4)], both_strands=False)
    assert (hits.sequence.tolist(), hits.start.tolist(), hits.num_tests) == ([0], [2], 4)


def test_of_a_motif_too_short_only_the_best_match_counts():
    motif = Motif("m", "m", "ACGT", np.eye(4)[[0, 1, 2]])
    ready = matcher(motif, np.full(4, 0.25), 0.1, 1e-4)
    text = JoinedText.of(np.array([[0, 1, 2, 0, 1, 1]], dtype=np.uint8), np.array([6]), 4)
    (hits,) = scan(text, [motif], [ready], both_strands=False)
    assert ready.best_only
    assert hits.start.tolist() == [0]
    assert hits.p_value.tolist() == pytest.approx([1 / 64])


def test_taking_sequences_gives_their_hits():
    rng = np.random.default_rng(2)
    motif = random_motif(rng, 4)
    _, _, text = random_text(rng)
    ready = matcher(motif, UNEQUAL, 0.1, 0.05)
    (whole,) = scan(text, [motif], [ready], both_strands=True)
    places = np.array([20, 3, 11])
    (part,) = scan(text.take(places), [motif], [ready], both_strands=True)
    for new, old in enumerate(places):
        assert whole.start[whole.sequence == old].tolist() == part.start[part.sequence == new].tolist()
