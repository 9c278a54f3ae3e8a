"""Promises of the search for new motifs, and of enrichment, on sequences with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.motifs.denovo import new_motifs
from seqdesign.motifs.enrichment import Tally, changes, enrichment, letter_background
from seqdesign.motifs.files import MotifSet, bundled_motifs
from seqdesign.motifs.findings import UNDECIDED, best_of_groups, rivals_of
from seqdesign.motifs.motif import Motif
from seqdesign.motifs.scan import Hits, JoinedText, matcher, scan
from seqdesign.motifs.shuffle import shuffle_dinucleotides
from seqdesign.motifs.site_fit import excess_fit, order_by_fit, site_fit

NUM, LENGTH = 120, 100


@pytest.fixture(scope="module")
def jaspar():
    return bundled_motifs()


def planted(motif: Motif | None, seed: int, share: float = 0.3):
    """(codes, lengths) of random sequences, ``share`` of them with one site drawn from ``motif``."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (NUM, LENGTH)).astype(np.uint8)
    for row in codes[: round(share * NUM) if motif else 0]:
        site = [rng.choice(4, p=p / p.sum()) for p in motif.probabilities]
        site = site if rng.random() < 0.5 else [3 - letter for letter in site[::-1]]
        begin = rng.integers(0, LENGTH - len(site))
        row[begin : begin + len(site)] = site
    return codes, np.full(NUM, LENGTH)


def texts_of(codes, lengths, seed):
    rng = np.random.default_rng(seed)
    shuffled = np.concatenate([shuffle_dinucleotides(codes, lengths, rng) for _ in range(3)])
    return JoinedText.of(codes, lengths, 4), JoinedText.of(shuffled, np.tile(lengths, 3), 4)


def enriched(codes, lengths, motifs, seed):
    texts = texts_of(codes, lengths, seed)
    letters = letter_background(texts[0].frequencies(), both_strands=True)
    ready = [matcher(m, letters, 0.1, 1e-4) for m in motifs]
    found = [
        np.stack([h.found(t.num_sequences) for h in scan(t, motifs, ready, both_strands=True)]) for t in texts
    ]
    places = {m.id: i for i, m in enumerate(motifs)}
    return order_by_fit(
        enrichment(motifs, *map(Tally.of, found)),
        lambda name: excess_fit(motifs[places[name]], ready[places[name]], *texts, both_strands=True),
    )


def test_a_planted_motif_is_the_most_enriched(jaspar):
    motif = next(m for m in jaspar.motifs if m.name == "CTCF")
    best = enriched(*planted(motif, 1), (*jaspar.motifs[::4], motif), 1)[0]
    assert "CTCF" in best.motif_name
    assert best.q_value < 1e-6
    assert best.group == best.motif_id


def test_without_a_planted_motif_none_is_enriched(jaspar):
    assert enriched(*planted(None, 2), jaspar.motifs[::4], 2)[0].q_value > 0.01


def test_motifs_that_find_the_same_sequences_are_one_group():
    found = np.zeros((3, 20), dtype=bool)
    found[0, :10] = found[1, :9] = found[2, 9:12] = True
    motifs = [Motif(name, "", "ACGT", np.full((1, 4), 0.25)) for name in "abc"]
    rows = enrichment(motifs, Tally.of(found), Tally.of(np.zeros((3, 40), dtype=bool)))
    assert [e.motif_id + e.group for e in rows] == ["aa", "ba", "cc"]
    asked = {"a": 7.0, "b": 8.0}  # c is alone in its group
    rows = order_by_fit(rows, asked.__getitem__)
    named = [(e.motif_id, e.group, e.fit) for e in rows]
    assert named == [("b", "b", 8.0), ("a", "b", 7.0), ("c", "c", None)]
    assert order_by_fit(rows, asked.__getitem__, max_q=0.0) == rows


def test_motifs_that_cannot_be_told_apart_are_named() -> None:
    found = np.zeros((4, 20), dtype=bool)
    found[:3, :10] = True
    motifs = [Motif(name, "", "ACGT", np.full((1, 4), 0.25)) for name in "abcd"]
    fits = {"a": 100.0 - UNDECIDED - 0.1, "b": 100.0, "c": 100.0 - UNDECIDED + 0.1}
    rows = order_by_fit(
        enrichment(motifs, Tally.of(found), Tally.of(np.zeros((4, 40), dtype=bool))), fits.__getitem__
    )
    best = best_of_groups(rows)
    assert [row.motif_id for row in best] == ["b", "d"]
    assert [rivals_of(row, rows) for row in best] == [["c"], []]


def test_sites_are_described_best_by_the_matrix_that_they_come_from():
    """Two matrices that match the same sites; only their second column differs."""
    sharp = np.tile(np.array([0.97, 0.01, 0.01, 0.01]), (8, 1))
    other = sharp.copy()
    other[1] = [0.5, 0.5, 0.0, 0.0]
    pair = [Motif("a", "", "ACGT", sharp), Motif("b", "", "ACGT", other)]
    for truth in pair:
        text = texts_of(*planted(truth, 4), 4)[0]
        ready = [matcher(m, np.full(4, 0.25), 0.1, 1e-4) for m in pair]
        fits = [site_fit(h, text, 8) for h in scan(text, pair, ready, both_strands=True)]
        assert pair[int(np.argmax(fits))] is truth


def test_the_fit_is_the_largest_likelihood_of_a_mixture():
    """One hit of r = 2^10 / (2 * 91) in one of four sequences of 100; the best share g solves a quadratic."""
    text = JoinedText.of(np.zeros((4, 100), dtype=np.uint8), np.full(4, 100), 4)
    tests = 2 * text.num_windows(10)
    hits = Hits(*(np.array([v]) for v in (2, 5, True, 10.0, 1e-6)), tests)
    ratio = 2.0**10 / (2 * 91)
    shares = np.linspace(0, 1, 100001)[:-1]
    wanted = (np.log2(1 - shares + shares * ratio) + 3 * np.log2(1 - shares)).max()
    assert site_fit(hits, text, 10) == pytest.approx(wanted, abs=1e-6)
    empty = Hits(*(np.array([]) for _ in range(5)), tests)
    assert site_fit(empty, text, 10) == 0.0


def test_gains_and_losses_are_counted_by_pair():
    before = np.array([[1, 1, 0, 0], [0, 0, 0, 0]], dtype=bool)
    after = np.array([[1, 0, 1, 1], [0, 0, 0, 0]], dtype=bool)
    motifs = [Motif(name, "", "ACGT", np.full((1, 4), 0.25)) for name in "ab"]
    (change,) = changes(motifs, before, after)
    assert (change.gained, change.lost, change.parents_with, change.revisions_with) == (2, 1, 2, 3)


def test_a_planted_motif_is_found_without_the_collection_and_recognised(jaspar):
    motif = next(m for m in jaspar.motifs if m.name == "REST")
    codes, lengths = planted(motif, 3, share=0.5)
    text, background = texts_of(codes, lengths, 3)
    letters = np.full(4, 0.25)
    known = MotifSet((*jaspar.motifs[::20], motif), "", "")
    (new,) = new_motifs(text, background, 1, known, letters, both_strands=True, rng=np.random.default_rng(0))
    assert new.held_out == 36
    assert new.p_value < 1e-3
    assert new.matches[0].motif_id == motif.id
    again = new_motifs(text, background, 1, known, letters, both_strands=True, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(new.motif.probabilities, again[0].motif.probabilities)


def test_random_sequences_give_no_motif_that_stands_the_test():
    codes, lengths = planted(None, 5)
    text, background = texts_of(codes, lengths, 5)
    known = MotifSet((Motif("a", "", "ACGT", np.eye(4)),), "", "")
    found = new_motifs(
        text, background, 1, known, np.full(4, 0.25), both_strands=True, rng=np.random.default_rng(0)
    )
    assert all(new.p_value > 1e-3 for new in found)
    assert found == [] or found[0].held_out > 0
