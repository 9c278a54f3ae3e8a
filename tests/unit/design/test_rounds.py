"""Rounds of measurements: what a surrogate says and chooses, and whether its promises are kept."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch

from seqdesign.design.rounds import (
    UPPER,
    Surrogate,
    Warp,
    choose,
    compare,
    lessons,
    neighbourhood,
    upper_batch,
)
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
def surrogate(start: list[str]) -> Surrogate:
    return Surrogate(start, worth(start), DNA)


def test_unseen_sequences_are_predicted_and_intervals_hold_them(
    surrogate: Surrogate, start: list[str]
) -> None:
    rest = [text for text in EVERY if text not in start]
    mean, sd = surrogate(rest)
    assert np.corrcoef(mean, worth(rest))[0, 1] > 0.85
    wide = np.sqrt(sd**2 + surrogate.noise**2)
    assert (np.abs(mean - worth(rest)) <= 1.96 * wide).mean() > 0.85
    assert np.corrcoef(surrogate.left_out, worth(start))[0, 1] > 0.8


def test_the_joint_posterior_has_the_means_and_spreads_of_each(
    surrogate: Surrogate, start: list[str]
) -> None:
    rest = [text for text in EVERY if text not in start][::40]
    mean, sd = surrogate.warped(rest)
    middle, covariance, noise = surrogate.joint(rest)
    unit, centre = float(surrogate.unit), float(surrogate.centre)
    assert centre + unit * middle == pytest.approx(mean)
    # The mean of all rows is an estimate too; it moves all sequences alike.
    assert unit * np.sqrt(covariance.diagonal() + 1 / len(start)) == pytest.approx(sd, rel=1e-6)
    assert np.linalg.eigvalsh(covariance).min() > -1e-8
    assert noise > 0


@pytest.mark.parametrize("acquisition", ["upper", "mean"])
def test_a_batch_is_new_different_and_good(acquisition: str, surrogate: Surrogate, start: list[str]) -> None:
    rest = [text for text in EVERY if text not in start]
    found = choose(surrogate, rest, 20, acquisition=acquisition, min_distance=2)  # type: ignore[arg-type]
    batch = [rest[i] for i in found.places]
    assert len(set(batch)) == 20
    assert all(sum(a != b for a, b in zip(x, y, strict=True)) > 1 for x in batch for y in batch if x != y)
    assert worth(batch).mean() > worth(rest).mean() + worth(rest).std() / 2
    again = choose(surrogate, rest, 20, acquisition=acquisition, min_distance=2)  # type: ignore[arg-type]
    assert again.places == found.places


def test_two_rounds_find_the_optimum_that_random_choice_misses(start: list[str]) -> None:
    known = list(start)
    for number in range(2):
        rest = [text for text in EVERY if text not in known]
        found = choose(Surrogate(known, worth(known), DNA, seed=number), rest, 24)
        known += [rest[i] for i in found.places]
    assert worth(known).max() == worth(EVERY).max()
    assert worth(start).max() < worth(EVERY).max()


def test_the_neighbourhood_is_new_feasible_and_has_seen_letters_only(start: list[str]) -> None:
    some = [text for text in start if "T" not in text]
    surrogate = Surrogate(some, worth(some), DNA)
    found = neighbourhood(
        surrogate, some, worth(some), lambda texts: ["GG" not in t for t in texts], size=400
    )
    assert len(found) > 50
    assert not set(found) & set(some)
    assert not any("T" in text or "GG" in text for text in found)
    free = neighbourhood(surrogate, some, worth(some), lambda t: [True] * len(t), size=400, seen=False)
    assert any("T" in text for text in free)


def test_a_reverse_complement_is_the_same_where_strands_are() -> None:
    texts = ["AAAAC", "GTTTT", "CCCCC", "ACACA", "AGAGA", "CATCA", "GATCC", "TTACG"]
    surrogate = Surrogate(texts[2:], np.arange(6.0), DNA, both_strands=True)
    mean, _ = surrogate(texts[:2])
    assert mean[0] == pytest.approx(mean[1])
    assert "words" in surrogate.kind
    assert len(choose(surrogate, texts[:2], 2, both_strands=True).places) == 1


def test_a_round_is_compared_with_what_was_promised(surrogate: Surrogate, start: list[str]) -> None:
    rest = [text for text in EVERY if text not in start][:50]
    best = float(worth(start).max())
    told = compare(surrogate, best, rest, worth(rest))
    assert told.num == 50
    assert told.spearman is not None
    assert told.spearman > 0.8
    assert told.measured == pytest.approx(worth(rest).mean())
    assert told.better == int((worth(rest) > best).sum())
    assert 0 <= told.better_expected < 10
    assert compare(surrogate, best, rest, np.full(50, best + 100)).coverage == 0


def test_lessons_name_the_letter_that_changed_most() -> None:
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("ACGT"), 4)) for _ in range(80)]
    first = [text for text in texts if text[1] != "G"][:30]
    values = np.array([text.count("A") + 5.0 * (text[1] == "G") for text in texts])
    earlier = Surrogate(first, np.array([float(t.count("A")) for t in first]), DNA)
    found = lessons(earlier, Surrogate(texts, values, DNA), sorted(set(texts)), first, texts)
    assert (found[0].place, found[0].letter, found[0].rows_before) == (2, "G", 0)
    assert found[0].after > found[0].before + 1
    assert lessons(earlier, earlier, ["AC", "ACG"], first, texts) == []


def test_one_row_is_too_little() -> None:
    with pytest.raises(ValueError, match="at least two"):
        Surrogate(["ACGT"], np.zeros(1), DNA)


def test_each_of_a_batch_is_chosen_as_if_those_before_were_measured(
    surrogate: Surrogate, start: list[str]
) -> None:
    """The variances are those of a process that has learned from the sequences chosen before."""
    rest = [text for text in EVERY if text not in start][::8]
    mean, covariance, noise = surrogate.joint(rest)
    taken = upper_batch(mean, covariance, noise, 6, lambda place: place != 3)
    assert 3 not in taken
    for step in range(6):
        known = taken[:step]
        inside = covariance[np.ix_(known, known)] + noise * np.eye(step)
        told = covariance[:, known] @ np.linalg.solve(inside, covariance[known])
        bound = mean + UPPER * np.sqrt((covariance - told).diagonal())
        assert taken[step] == max(
            (i for i in range(len(rest)) if i not in (3, *known)), key=lambda i: bound[i]
        )
    twins = np.array([[1.0, 0.999, 0.0], [0.999, 1.0, 0.0], [0.0, 0.0, 0.9]])
    assert upper_batch(np.array([0.0, 0.01, 0.0]), twins, 0.01, 2, lambda place: True) == [1, 2]


def test_a_warp_and_its_inverse_agree_and_go_on_straight_above_the_rows() -> None:
    warp = Warp(-2.0, 5.0, 0.01)
    y = torch.linspace(-1.99, 12, 60, dtype=torch.float64, requires_grad=True)
    assert torch.allclose(warp.inverse(warp(y)), y)
    assert torch.allclose(torch.autograd.grad(warp(y).sum(), y)[0], warp.slope(y))
    far = warp.inverse(torch.tensor([0.01, 1.01, 2.01], dtype=torch.float64).add(math.log1p(0.01)))
    assert float((far[2] - far[1]) - (far[1] - far[0])) == pytest.approx(0)
    mean, sd = torch.tensor([-1.0, 2.0]).double(), torch.tensor([0.5, 2.0]).double()
    draws = warp.inverse(mean + sd * torch.randn(200_000, 2, generator=torch.Generator().manual_seed(0)))
    for ours, theirs in zip(warp.moments(mean, sd), (draws.mean(0), draws.std(0)), strict=True):
        assert torch.allclose(ours, theirs, atol=0.05)


def _variants(count: int, effect: np.ndarray, most: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Variants of poly-A with 1 to ``most`` changes to C, whose effects add up."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((count, len(effect)), dtype=bool)
    for row in rows:
        row[rng.choice(len(effect), int(rng.integers(1, most + 1)), replace=False)] = True
    return ["".join("C" if c else "A" for c in row) for row in rows], rows @ effect


@pytest.mark.parametrize("seed", range(4))
def test_what_many_good_changes_do_together_is_not_drawn_to_the_mean(seed: int) -> None:
    effect = np.random.default_rng(seed).normal(-0.2, 0.6, size=30)
    texts, values = _variants(40, effect, 2, seed)
    found = Surrogate(texts, values + 0.3 * np.random.default_rng(seed + 9).normal(size=40), DNA)
    one_each = found(["A" * i + "C" + "A" * (29 - i) for i in range(30)])[0]
    order = np.argsort(-one_each)
    designs = ["".join("C" if i in order[:k] else "A" for i in range(30)) for k in (3, 6, 10)]
    mean, sd = found(designs)
    assert abs(effect[order[:10]].sum() - mean[2]) < 1.2 * sd[2]
    assert sd[2] > sd[1] > sd[0]


def test_intervals_reach_from_what_rows_have_reached_to_effects_that_multiply_on() -> None:
    effect = np.random.default_rng(3).normal(size=20)
    texts, values = _variants(120, effect, 4, 0)
    best = ["".join("C" if e > 0 else "A" for e in effect)]
    for law, multiplies in ((lambda y: y, False), (lambda y: np.exp(y / 2), True)):
        found = Surrogate(texts, law(values), DNA)
        assert (found.warp.floor is not None) == multiplies
        assert found.above(best, law(values).max()) > 0.99
        low, high = found.interval(best)
        assert low < np.sort(law(values))[-10:].mean()  # it may end there
        assert high > law(effect[effect > 0].sum())  # or go on as it began
        assert (high > 1.5 * found(best)[0]) == multiplies  # which is not what is predicted


def test_values_are_warped_only_as_suits_the_kind_that_predicts_them() -> None:
    """Of counts of a word positions explain nothing, and a logarithm only makes them look normal."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 40)) for _ in range(200)]
    values = np.array([2.0 * text.count("GAT") for text in texts]) + 0.3 * rng.normal(size=200)
    found = Surrogate(texts, values, DNA)
    assert (found.kind, found.warp.floor) == ("like words", None)
    best = "GAT" * 8 + "C" * 16
    assert float(found([best])[0][0]) == pytest.approx(16, abs=4)
