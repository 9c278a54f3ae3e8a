"""What evolution learns of the best sequence: needs, neighbours, parts and noise."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seqdesign.designers.crowd import Crowd
from seqdesign.designers.evolving import need as needs
from seqdesign.designers.evolving.fill import filled
from seqdesign.designers.evolving.measure import Measure
from seqdesign.designers.evolving.neighbours import BAD, OTHERWISE, Neighbours
from seqdesign.designers.evolving.parts import Parts
from seqdesign.designers.problem import SequenceProblem

Make = Callable[..., SequenceProblem]
CPU = torch.device("cpu")


def test_letters_are_drawn_by_their_weights_and_those_of_their_pairs() -> None:
    """As often as all sequences multiplied out say, and what may not change stays."""
    own = Neighbours(1, 3, CPU)
    row = torch.tensor([0])
    own.learn(
        torch.tensor([[[0, 0, 1, 1, 2, 2, 0], [1, 0, 0, 0, 0, 0, 0]]]), row, torch.tensor([[1.0, -torch.inf]])
    )
    good, other = own.pairs(row)
    assert (float(good[0, 0, 1]), float(good[0, 1, 0])) == (1.0, 0.0)
    assert 0.0 < float(other[0, 1, 0]) < 0.05
    count, courage = 20_000, 0.5
    weight = torch.tensor([[1.0, 2.0, 0.5], [1.0, 1.0, 3.0], [0.0, 1.0, 0.0], [2.0, 1.0, 1.0]])
    tokens = torch.tensor([0, 0, 1, 0]).repeat(1, count, 1)
    luck = torch.rand(1, count, 4, generator=torch.Generator().manual_seed(0))
    drawn = filled(tokens, weight.repeat(1, count, 1, 1), row, own, torch.full((1, count), courage), luck)
    pair = (good + courage * other)[0]
    chance = torch.zeros(3, 3, 3, 3)
    for word in itertools.product(range(3), repeat=4):
        chance[word] = torch.stack([weight[i, v] for i, v in enumerate(word)]).prod()
        chance[word] *= torch.stack([pair[a, b] for a, b in itertools.pairwise(word)]).prod()
    seen = torch.zeros(3, 3, 3, 3)
    for word in drawn[0].tolist():
        seen[tuple(word)] += 1 / count
    torch.testing.assert_close(seen, chance / chance.sum(), atol=0.01, rtol=0.0)
    assert bool((drawn[0, :, 2] == 1).all())


def test_what_cannot_be_drawn_stays() -> None:
    own = Neighbours(1, 2, CPU)
    tokens = torch.tensor([[[0, 1]]])
    kept = filled(
        tokens, torch.zeros(1, 1, 2, 2), torch.tensor([0]), own, torch.ones(1, 1), torch.full((1, 1, 2), 0.5)
    )
    assert kept.tolist() == tokens.tolist()


def test_a_refused_pair_is_found_by_bayes_and_each_start_learns_on_its_own() -> None:
    own, row = Neighbours(2, 4, CPU), torch.tensor([0])
    own.learn(
        torch.tensor([[[0, 1, 2], [0, 1, 3], [0, 1, 1]]]), row, torch.tensor([[0.5, -torch.inf, torch.nan]])
    )
    assert float(own.bad[0, 1, 3]) == pytest.approx(BAD / (1 - (1 - BAD) * (1 - OTHERWISE)))
    # Two of which nothing is known share the blame; a pair that is nearly certain takes it alone.
    own.learn(torch.tensor([[[2, 2, 0]]]), row, torch.tensor([[-torch.inf]]))
    both = BAD / (1 - (1 - BAD) ** 2 * (1 - OTHERWISE))
    assert own.bad[0, 2, [2, 0]].tolist() == pytest.approx([both, both])
    own.learn(torch.tensor([[[1, 3, 3]]]), row, torch.tensor([[-torch.inf]]))
    assert float(own.bad[0, 3, 3]) == pytest.approx(BAD, abs=0.02)
    assert float(own.bad[0, 1, 1]) == BAD
    good, other = own.pairs(torch.tensor([1]))
    assert bool((good == 1).all())
    assert not other.any()


def test_needs_follow_bayes_where_one_child_is_scored() -> None:
    need = torch.tensor([[0.3, 0.6, 0.9]])
    changed = torch.tensor([[[True, True, False]]])
    yes, no = torch.tensor([[True]]), torch.tensor([[False]])
    found = needs.learnt(need, changed, no, yes)
    exact = []
    for asked in range(3):
        total = mine = 0.0
        for state in itertools.product((0, 1), repeat=3):
            prior = torch.tensor(
                [p if s else 1 - p for p, s in zip(need[0].tolist(), state, strict=True)]
            ).prod()
            fine = (1 - needs.OTHERWISE) * needs.SPARED ** (state[0] + state[1])
            total += float(prior) * (1 - fine)
            mine += float(prior) * (1 - fine) * state[asked]
        exact.append(mine / total)
    assert found[0].tolist() == pytest.approx(exact, abs=1e-5)
    cleared = needs.learnt(need, changed, yes, no)
    odds = (need.logit() + torch.tensor([needs.SPARED, needs.SPARED, 1.0]).log()).sigmoid()
    torch.testing.assert_close(cleared, odds)


def test_as_many_letters_are_changed_as_pays() -> None:
    need = torch.tensor([[[0.01, 0.99, 0.01, 0.01, 0.99]]])
    rank, number = needs.tested(need, torch.ones(1, 1, 5))
    assert number.tolist() == [[3]]
    assert sorted(rank[0, 0, [0, 2, 3]].tolist()) == [0, 1, 2]
    assert float(needs.of_new(torch.tensor(1), torch.tensor(True))) == pytest.approx(1.0)
    assert float(needs.of_new(torch.tensor(9), torch.tensor(False))) == pytest.approx(needs.NEW)


PARTS = (((1, 1), (2, 2), (4, 3)), ((6, 4), (8, 5), (9, 6)), ((11, 7), (13, 8)))
"""Positions and letters that count together."""


def product(tokens: Tensor) -> Tensor:
    """Of the shares of right letters of the parts, wherever a part stands."""
    value = torch.ones(len(tokens))
    for part in PARTS:
        first, width = part[0][0], tokens.shape[1] - part[-1][0] + part[0][0]
        hits = sum((tokens[:, at - first : at - first + width] == letter).float() for at, letter in part)
        value = value * (hits / len(part)).amax(1)
    return value


def summed(tokens: Tensor) -> Tensor:
    """Squares of the numbers of right letters of the parts, added up."""
    right = [sum((tokens[:, at] == letter).float() for at, letter in part) ** 2 for part in PARTS]
    return torch.stack(right).sum(0) - 20.0


@pytest.mark.parametrize("score", [product, summed])
def test_letters_that_work_together_are_found_on_either_scale(
    make: Make, score: Callable[[Tensor], Tensor]
) -> None:
    best = torch.zeros(1, 16, dtype=torch.long)
    for at, letter in itertools.chain(*PARTS):
        best[0, at] = letter
    parts = Parts(Crowd(make(lambda x: score(x.argmax(1)), best, 20), 0))
    row, need = torch.tensor([0]), (best > 0).float()
    base, asked = score(best), 0
    while (knock := parts.plan(row, need, 8)).any():
        child = torch.where(knock, 0, best.unsqueeze(1))
        value = score(child[0]).masked_fill(~knock[0].any(1), torch.nan)[None]
        parts.learn(row, knock, child, value, base)
        asked += int(knock.any(2).sum())
    truth = torch.zeros(16, 16, dtype=torch.bool)
    for part in PARTS:
        for (one, _), (two, _) in itertools.permutations(part, 2):
            truth[one, two] = True
    assert parts.linked(row)[0].tolist() == truth.tolist()
    assert asked <= 8 + 28
    moved = parts.moved(
        row, best, need, torch.ones(1, 64, dtype=torch.long), torch.ones(1, 20, 20, dtype=torch.bool)
    )
    went = moved.number[0] == 1
    assert int(went.sum()) > 10
    child = torch.where(
        moved.source < 0, 0, best.unsqueeze(1).expand(1, 64, 16).gather(2, moved.source.clamp(min=0))
    )[0]
    assert bool((child[went] != best[0]).any(1).all())
    if score is product:
        assert product(child[went]).tolist() == [1.0] * int(went.sum())
    # A move that never does any good is not believed for long.
    parts.judge(row, moved.part, moved.number == 1, torch.zeros(1, 64, dtype=torch.bool))
    assert not parts.linked(row).any()


def test_a_vital_letter_is_not_taken_for_a_part_of_everything(make: Make) -> None:
    """Without it the score is 0, whatever else is missing."""
    best = torch.ones(1, 5, dtype=torch.long)
    parts = Parts(Crowd(make(lambda x: x[:, 1].prod(1), best, 4), 0))
    row, need = torch.tensor([0]), torch.ones(1, 5)

    def score(tokens: Tensor) -> Tensor:
        return (tokens[:, 0] == 1) * (tokens[:, 1:] == 1).float().add(1.0).prod(1)

    while (knock := parts.plan(row, need, 8)).any():
        child = torch.where(knock, 0, best.unsqueeze(1))
        value = score(child[0]).masked_fill(~knock[0].any(1), torch.nan)[None]
        parts.learn(row, knock, child, value, score(best))
    assert not parts.linked(row).any()


def test_a_lucky_score_is_asked_for_again_and_an_exact_oracle_is_believed(make: Make) -> None:
    tokens = torch.zeros(2, 3, dtype=torch.long)
    drift = iter(range(100))

    def score(x: Tensor) -> Tensor:
        return x[:, 0].sum(1) + (x[:, 1].sum(1) > 0) * float(next(drift) % 2)

    starts = torch.tensor([[0, 0, 0], [0, 0, 1]])
    crowd = Crowd(make(score, starts, 4, budget=6), 0)
    measure, rows = Measure(crowd), torch.tensor([0, 1])
    first = measure.score.clone()
    measure.doubt(rows, starts)
    assert measure.exact.tolist() == [True, False]
    assert measure.noise.tolist() == pytest.approx([0.0, 0.5**0.5])
    assert measure.least(rows)[0] == first[0]
    assert measure.least(rows)[1] < measure.score[1]
    used = crowd.scorer.used.clone()
    value, again = measure.confirmed(rows, tokens, torch.tensor([9.0, 9.0], dtype=torch.double))
    assert (again.tolist(), value.tolist()) == ([False, True], [9.0, 3.0])
    assert (crowd.scorer.used - used).tolist() == [0, 1]
