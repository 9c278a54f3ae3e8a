"""Promises of the search for words that composition does not explain."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.motifs.surplus import SurplusMotif, find_surplus_motifs

CODES = {letter: i for i, letter in enumerate("ACGT")}


def code(texts: list[str], length: int) -> np.ndarray:
    """(N, L), -1 behind the end."""
    return np.array([[CODES[c] for c in t] + [-1] * (length - len(t)) for t in texts])


def noise(num: int, length: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(list("ACGT"), size=(num, length), p=[0.3, 0.2, 0.2, 0.3])


def planted(num: int, rng: np.random.Generator, *, low: int = 0, high: int = 53) -> list[str]:
    """TGACTCAG in a tenth of 60-mers, its fifth letter C or G, and GGTACC in a fifth."""
    letters = noise(num, 60, rng)
    for row in letters[: num // 5]:
        start = rng.integers(0, 55)
        row[start : start + 6] = list("GGTACC")
    for i in rng.permutation(num)[: num // 10]:
        start = rng.integers(low, high)
        letters[i, start : start + 8] = list("TGAC" + rng.choice(["T", "G"]) + "CAG")
    return ["".join(row) for row in letters]


def spelled(motif: SurplusMotif) -> str:
    return motif.spelled("ACGT")


def test_planted_motifs_are_found_with_their_share_and_their_letters() -> None:
    found = find_surplus_motifs(code(planted(3000, np.random.default_rng(0)), 60), 4, 10)
    by_word = {spelled(m): m for m in found}
    assert len(found) == 2
    (palindrome,) = (m for w, m in by_word.items() if "GTAC" in w)
    (degenerate,) = (m for w, m in by_word.items() if w.startswith("TGAC"))
    assert palindrome.share == pytest.approx(0.2, abs=0.03)
    assert degenerate.share == pytest.approx(0.1, abs=0.02)
    assert degenerate.probabilities[4] == pytest.approx([0, 0, 0.5, 0.5], abs=0.1)
    assert degenerate.probabilities.sum(axis=1) == pytest.approx(np.ones(8))


def test_places_are_those_of_the_data() -> None:
    texts = planted(3000, np.random.default_rng(0), low=25)
    (motif,) = (m for m in find_surplus_motifs(code(texts, 60), 4, 10) if spelled(m).startswith("TGAC"))
    assert motif.places.shape == (53,)
    assert motif.places.sum() == pytest.approx(1)
    assert motif.places[23:].sum() > 0.9


def test_nothing_is_found_in_noise_nor_in_what_stands_at_one_place() -> None:
    rng = np.random.default_rng(1)
    letters = noise(3000, 60, rng)
    assert find_surplus_motifs(code(["".join(r) for r in letters], 60), 4, 10) == []
    letters[:1500, 20:28] = list("TGACTCAG")
    assert find_surplus_motifs(code(["".join(r) for r in letters], 60), 4, 10) == []


def test_reading_frames_are_composition() -> None:
    """Codons that are no stop: which word may stand where is what a chain at each position knows."""
    rng = np.random.default_rng(2)
    codons = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
    inner = [c for c in codons if c not in ("TAA", "TAG", "TGA")]
    texts = ["ATG" + "".join(inner[i] for i in rng.integers(0, 61, 10)) + "TAA" for _ in range(5000)]
    assert find_surplus_motifs(code(texts, 36), 4, 10) == []


def test_sequences_of_all_lengths_are_searched() -> None:
    rng = np.random.default_rng(0)
    texts = [t[: rng.integers(40, 61)] for t in planted(3000, rng)]
    assert {spelled(m)[:4] for m in find_surplus_motifs(code(texts, 60), 4, 10)} >= {"TGAC"}
    assert find_surplus_motifs(code(["A", "AC", "ACG"] * 10, 3), 4, 10) == []
    assert find_surplus_motifs(code(texts, 60), 4, 0) == []


def test_a_neighbour_that_stands_elsewhere_is_a_motif_of_its_own() -> None:
    """TGACTCAG in the first half, TGACGCAG in the second: together they would stand everywhere."""
    rng = np.random.default_rng(3)
    letters = noise(3000, 60, rng)
    for i in range(300):
        early, late = rng.integers(0, 22), rng.integers(28, 53)
        letters[i, early : early + 8] = list("TGACTCAG")
        letters[i + 300, late : late + 8] = list("TGACGCAG")
    found = find_surplus_motifs(code(["".join(row) for row in letters], 60), 4, 10)
    assert {spelled(m) for m in found} == {"TGACTCAG", "TGACGCAG"}
    for motif in found:
        first = motif.places[:26].sum()
        assert (first > 0.95) if motif.words[0][4] == 3 else (first < 0.05)
