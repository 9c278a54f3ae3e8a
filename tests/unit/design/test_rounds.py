"""Rounds of measurements: what an ensemble says and chooses, and whether its promises are kept."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from seqdesign.design.rounds import Ensemble, choose, compare, expected_best, lessons, neighbourhood
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")
EVERY = ["".join(letters) for letters in product("ACGT", repeat=5)]
RNG = np.random.default_rng(0)
WEIGHT = RNG.normal(size=(5, 4))


def worth(texts: list[str]) -> np.ndarray:
    """Adds up over places, with one pair that matters."""
    codes = np.array([["ACGT".index(c) for c in text] for text in texts])
    single = WEIGHT[np.arange(5), codes].sum(1)
    return np.asarray(single + 1.5 * ((codes[:, 0] == 1) & (codes[:, 4] == 2)))


@pytest.fixture(scope="module")
def start() -> list[str]:
    return [EVERY[i] for i in RNG.permutation(len(EVERY))[:60]]


@pytest.fixture(scope="module")
def ensemble(start: list[str]) -> Ensemble:
    return Ensemble(start, worth(start), DNA)


def test_unseen_sequences_are_predicted_and_intervals_hold_them(ensemble: Ensemble, start: list[str]) -> None:
    rest = [text for text in EVERY if text not in start]
    mean, sd = ensemble(rest)
    assert np.corrcoef(mean, worth(rest))[0, 1] > 0.85
    wide = np.sqrt(sd**2 + ensemble.noise**2)
    assert (np.abs(mean - worth(rest)) <= 1.96 * wide).mean() > 0.85
    assert float(ensemble.weights.sum()) == pytest.approx(1)
    assert np.corrcoef(ensemble.left_out, worth(start))[0, 1] > 0.8


def test_draws_have_the_mean_and_spread_of_the_ensemble(ensemble: Ensemble, start: list[str]) -> None:
    rest = [text for text in EVERY if text not in start][::40]
    mean, sd = ensemble(rest)
    drawn = ensemble.draws(rest, 4000, torch.Generator().manual_seed(0))
    assert np.abs(drawn.mean(0) - mean).max() < 0.15 * sd.max() + 0.05
    assert drawn.std(0) == pytest.approx(sd, rel=0.2)


@pytest.mark.parametrize("acquisition", ["upper", "expected", "thompson", "mean"])
def test_a_batch_is_new_different_and_good(acquisition: str, ensemble: Ensemble, start: list[str]) -> None:
    rest = [text for text in EVERY if text not in start]
    found = choose(ensemble, rest, 20, acquisition=acquisition, min_distance=2)  # type: ignore[arg-type]
    batch = [rest[i] for i in found.places]
    assert len(set(batch)) == 20
    assert all(sum(a != b for a, b in zip(x, y, strict=True)) > 1 for x in batch for y in batch if x != y)
    assert worth(batch).mean() > worth(rest).mean() + worth(rest).std() / 2
    again = choose(ensemble, rest, 20, acquisition=acquisition, min_distance=2)  # type: ignore[arg-type]
    assert again.places == found.places


def test_two_rounds_find_the_optimum_that_random_choice_misses(start: list[str]) -> None:
    known = list(start)
    for number in range(2):
        rest = [text for text in EVERY if text not in known]
        found = choose(Ensemble(known, worth(known), DNA, seed=number), rest, 24, seed=number)
        known += [rest[i] for i in found.places]
    assert worth(known).max() == worth(EVERY).max()
    assert worth(start).max() < worth(EVERY).max()


def test_the_neighbourhood_is_new_feasible_and_has_seen_letters_only(start: list[str]) -> None:
    some = [text for text in start if "T" not in text]
    ensemble = Ensemble(some, worth(some), DNA)
    found = neighbourhood(ensemble, some, worth(some), lambda texts: ["GG" not in t for t in texts], size=400)
    assert len(found) > 50
    assert not set(found) & set(some)
    assert not any("T" in text or "GG" in text for text in found)
    free = neighbourhood(ensemble, some, worth(some), lambda t: [True] * len(t), size=400, seen=False)
    assert any("T" in text for text in free)


def test_a_reverse_complement_is_the_same_where_strands_are() -> None:
    texts = ["AAAAC", "GTTTT", "CCCCC", "ACACA", "AGAGA", "CATCA", "GATCC", "TTACG"]
    ensemble = Ensemble(texts[2:], np.arange(6.0), DNA, both_strands=True)
    mean, _ = ensemble(texts[:2])
    assert mean[0] == pytest.approx(mean[1])
    assert all("words" in name for name in ensemble.names)
    assert len(choose(ensemble, texts[:2], 2, both_strands=True).places) == 1


def test_a_round_is_compared_with_what_was_promised(ensemble: Ensemble, start: list[str]) -> None:
    rest = [text for text in EVERY if text not in start][:50]
    best = float(worth(start).max())
    told = compare(ensemble, best, rest, worth(rest))
    assert told.num == 50
    assert told.spearman is not None
    assert told.spearman > 0.8
    assert told.measured == pytest.approx(worth(rest).mean())
    assert told.better == int((worth(rest) > best).sum())
    assert 0 <= told.better_expected < 10
    assert compare(ensemble, best, rest, np.full(50, best + 100)).coverage == 0


def test_lessons_name_the_letter_that_changed_most() -> None:
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("ACGT"), 4)) for _ in range(80)]
    first = [text for text in texts if text[1] != "G"][:30]
    values = np.array([text.count("A") + 5.0 * (text[1] == "G") for text in texts])
    earlier = Ensemble(first, np.array([float(t.count("A")) for t in first]), DNA)
    found = lessons(earlier, Ensemble(texts, values, DNA), sorted(set(texts)), first, texts)
    assert (found[0].place, found[0].letter, found[0].rows_before) == (2, "G", 0)
    assert found[0].after > found[0].before + 1
    assert lessons(earlier, earlier, ["AC", "ACG"], first, texts) == []


def test_one_row_is_too_little() -> None:
    with pytest.raises(ValueError, match="at least two"):
        Ensemble(["ACGT"], np.zeros(1), DNA)


def test_theexpected_best_of_a_batch_is_raised_most_at_every_step() -> None:
    rng = np.random.default_rng(0)
    worth, best = rng.normal(size=(40, 12)), 0.5
    taken = expected_best(worth, 5, best, lambda place: place != 3)

    def value(batch: list[int]) -> float:
        return float(worth[:, batch].max(1).clip(min=best).mean())

    assert 3 not in taken
    for step in range(1, 6):
        others = [i for i in range(12) if i not in (3, *taken[: step - 1])]
        assert value(taken[:step]) == max(value([*taken[: step - 1], i]) for i in others)
    assert expected_best(worth, 5, 100.0, lambda place: True) == []  # nothing can be better
