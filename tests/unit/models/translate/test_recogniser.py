"""The classifier that judges translations finds words, places and lengths."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.models.translate.recogniser import Recogniser


def strings(n: int, seed: int, length: int = 20) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), size=length)) for _ in range(n)]


def test_a_planted_word_is_found_wherever_it_stands() -> None:
    rng = np.random.default_rng(0)

    def planted(texts: list[str]) -> list[str]:
        places = rng.integers(0, 14, len(texts))
        return [t[:p] + "GATTAC" + t[p + 6 :] for t, p in zip(texts, places, strict=True)]

    tell = Recogniser(strings(300, 1), planted(strings(100, 2)), "ACGT")
    assert (tell(strings(200, 3)) < 0).mean() > 0.9
    assert (tell(planted(strings(200, 4))) > 0).mean() > 0.9


def test_a_letter_at_a_place_is_found_and_other_lengths_can_be_judged() -> None:
    b = [text[:5] + "G" + text[6:] for text in strings(200, 2)]
    a = [text[:5] + "T" + text[6:] for text in strings(200, 1)]
    tell = Recogniser(a, b, "ACGT")
    swapped = [text[:5] + "G" + text[6:] for text in strings(100, 5)]
    assert (tell(swapped) > 0).mean() > 0.97
    assert np.isfinite(tell(["ACG", ""])).all()


def test_a_large_set_is_no_better_guess_than_a_small_one() -> None:
    tell = Recogniser(strings(400, 1), strings(40, 2), "ACGT")
    assert abs(float((tell(strings(300, 3)) > 0).mean()) - 0.5) < 0.2


def test_both_sets_are_needed() -> None:
    with pytest.raises(ValueError, match="both sets"):
        Recogniser([], ["A"], "ACGT")
