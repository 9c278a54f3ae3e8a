"""Words where sequences hardly ever have them, and words that come again."""

from __future__ import annotations

import numpy as np

from seqdesign.metrics.dependence import codes_of, longest_repeats, longest_stems, out_of_place, placed_words

LETTERS = "ABCD"


def test_words_know_their_places() -> None:
    """Word number 4 i + j of letters i, j; 16 more for each place; the first and the last word are left out
    where places are not all told apart."""
    codes = codes_of(["ABCDA", "ABC"], LETTERS, 5)
    assert placed_words(codes, 4, 2, 5).T.tolist() == [[1, 16 + 6, 32 + 11, 48 + 12], [1, 16 + 6, 80, 80]]
    assert placed_words(codes[:, :2], 4, 3, 3).shape == (0, 2)
    long = codes_of(["ABCDABCD", "ABCDA"], LETTERS, 8)
    none = 2 * 16
    assert placed_words(long, 4, 2, 2).T.tolist() == [
        [none, none, 11, 16 + 12, 1, none, none],
        [none, none, none, none, none, none, none],
    ]


def test_a_letter_that_hardly_stands_at_a_place_is_known() -> None:
    """D begins two sequences of 1,000 and C twenty of them; by chance each letter would begin 250."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (1000, 10))
    codes[:, 0] = np.repeat([3, 2, 1, 0], [2, 20, 478, 500])
    rare = out_of_place(placed_words(codes, 4, 1, 10), 10, 4)
    assert np.flatnonzero(rare).tolist() == [3]
    assert not out_of_place(placed_words(codes[:150], 4, 1, 10), 10, 4).any()  # 37 each by chance: too few


def test_no_more_than_one_sequence_in_a_hundred_has_what_is_rare() -> None:
    """One sequence in five has one of 120 letters that stand at their places in 1 of 600 sequences each."""
    rng = np.random.default_rng(1)
    shape = (4000, 40)
    codes = np.where(rng.random(shape) < 0.0066, rng.integers(0, 4, shape), np.arange(40) % 4)
    assert (codes != np.arange(40) % 4).any(axis=1).mean() > 0.15
    placed = placed_words(codes, 4, 1, 40)
    share = out_of_place(placed, 40, 4)[placed].any(axis=0).mean()
    assert 0.005 < share <= 0.01


def test_words_that_come_again_are_those_of_a_plain_search() -> None:
    """A and D, B and C are complements."""
    rng = np.random.default_rng(2)
    texts = ["".join(rng.choice(list("ABCD"), size=n)) for n in (1, 2, 5, 9, 12, 14, 20, 20)]
    texts += ["ABAABBBDDCD", "ABAABBDDCD", "AAAAAA"]

    def found(text: str, apart: int, table: dict[int, int] | None) -> int:
        lengths = [0]
        for k in range(1, len(text)):
            for i in range(len(text) - k + 1):
                word = text[i : i + k]
                again = word.translate(table)[::-1] if table else word
                lengths += [k] * (again in text[i + (k + apart if table else 1) :])
        return max(lengths)

    codes = codes_of(texts, LETTERS, 20)
    assert longest_repeats(codes, 4).tolist() == [found(t, 0, None) for t in texts]
    stems = longest_stems(codes, np.array([3, 2, 1, 0]))
    assert stems.tolist() == [found(t, 3, str.maketrans("ABCD", "DCBA")) for t in texts]
    assert stems[-3:].tolist() == [4, 3, 0]  # a loop of three letters; of two, so a pair less; none
