"""Words that carry an outcome are found, as they are, and none in noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from seqdesign.ensembles.found_words import Reads, Word, find_words
from seqdesign.sequences.alphabets import Alphabet, get_alphabet

DNA = get_alphabet("dna")


def nothing(words: list[Word]) -> NDArray[np.float64]:
    """What a model that reads no word reads of 400 rows."""
    return np.zeros((400, 0))


def planted(word: str, letters: str, *, seed: int = 0, length: int = 40) -> tuple[list[str], np.ndarray]:
    """400 texts, of which half have the word at some place, and which."""
    rng = np.random.default_rng(seed)
    texts, has = [], rng.random(400) < 0.5
    for there in has:
        text = list(rng.choice(list(letters), length))
        if there:
            place = int(rng.integers(length - len(word) + 1))
            text[place : place + len(word)] = word
        texts.append("".join(text))
    return texts, np.array([float(word in text) for text in texts])


def tokens_of(texts: list[str], alphabet: Alphabet) -> NDArray[np.int64]:
    return np.array([[alphabet.letters.index(c) for c in text] for text in texts])


def shown(word: Word, alphabet: Alphabet) -> str:
    return " ".join("".join(np.array(list(alphabet.letters))[place]) for place in word)


@pytest.mark.parametrize(("name", "word"), [("dna", "GATAAG"), ("rna", "UGUAAA"), ("protein", "WKP")])
def test_a_word_is_found_from_end_to_end(name: str, word: str) -> None:
    alphabet = get_alphabet(name)
    texts, has = planted(word, alphabet.letters)
    values = has + 0.4 * np.random.default_rng(1).standard_normal(400)
    (found,) = find_words(
        tokens_of(texts, alphabet), values[:, None], alphabet, both_strands=False, described=nothing_new
    )
    assert shown(found, alphabet).replace(" ", "") == word


def nothing_new(words: list[Word]) -> NDArray[np.float64]:
    """Stops the search behind the first word: all that it has found before is the same."""
    return nothing(words)


def test_a_place_with_two_letters_is_found() -> None:
    rng = np.random.default_rng(0)
    texts, _ = planted("GATAAG", DNA.letters, seed=4)
    texts = [t.replace("GATAAG", "GATTAG") if rng.random() < 0.5 else t for t in texts]
    has = np.array([float("GATAAG" in t or "GATTAG" in t) for t in texts])
    values = has + 0.2 * rng.standard_normal(400)
    found = find_words(tokens_of(texts, DNA), values[:, None], DNA, both_strands=False, described=nothing)
    assert shown(found[0], DNA) == "G A T AT A G"


def test_both_strands_are_read_where_they_are_alike() -> None:
    texts, has = planted("GATAAG", DNA.letters)
    rng = np.random.default_rng(2)
    turn = str.maketrans("ACGT", "TGCA")
    texts = [t.translate(turn)[::-1] if rng.random() < 0.5 else t for t in texts]
    values = has + 0.4 * rng.standard_normal(400)
    found = find_words(tokens_of(texts, DNA), values[:, None], DNA, both_strands=True, described=nothing)
    assert shown(found[0], DNA).replace(" ", "") in ("GATAAG", "CTTATC")


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "rare labels", "composition"])
def test_noise_has_no_words(kind: str) -> None:
    found = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        texts = ["".join(rng.choice(list("ACGT"), 40)) for _ in range(400)]
        values = {
            "normal": rng.standard_normal(400),
            "heavy tails": rng.standard_t(2, 400),
            "rare labels": (rng.random(400) < 0.1).astype(float),
            "composition": np.array([t.count("G") for t in texts]) + rng.standard_normal(400),
        }[kind]
        words = find_words(tokens_of(texts, DNA), values[:, None], DNA, both_strands=False, described=nothing)
        found += bool(words)
    assert found <= 2  # one in twenty is let through: three or more of twelve come once in fifty times


def test_few_rows_and_unknown_values_have_none() -> None:
    texts, has = planted("GATAAG", DNA.letters)
    tokens = tokens_of(texts, DNA)
    assert find_words(tokens[:12], has[:12, None], DNA, both_strands=False, described=nothing) == []
    unknown = np.full((400, 1), np.nan)
    assert find_words(tokens, unknown, DNA, both_strands=False, described=nothing) == []


def test_reads_turn_a_strand_within_its_own_length() -> None:
    tokens = np.array([[0, 1, 1, 255], [2, 3, 0, 0]])
    reads = Reads.of(tokens, DNA, both_strands=True)
    assert reads.tokens.tolist() == [[0, 1, 1, 4], [2, 3, 0, 0], [2, 2, 3, 4], [3, 3, 0, 1]]
    assert reads.owner.tolist() == [0, 1, 0, 1]
