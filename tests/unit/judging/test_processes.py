"""Judges that are no networks: posteriors, left-out rows, weights, and what they say of nonsense."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seqdesign.design.describe import _doubt
from seqdesign.design.rounds import Surrogate
from seqdesign.ensembles.reader import Basis
from seqdesign.judging.link import borne_out, surely, within
from seqdesign.judging.panel import Panel, stack
from seqdesign.judging.processes import (
    JITTER,
    KINDS,
    RELATIVES,
    ROUNDS,
    GaussianProcess,
    Kind,
    Places,
    hyperparameters,
    kinds_for,
    read_as,
)
from seqdesign.judging.reached import Reached
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import decode, encode
from seqdesign.tasks.by_name import get_task
from seqdesign.training.measured import Measured

DNA = get_alphabet("dna")
EVERY = (*KINDS, ROUNDS[0], *RELATIVES)


def random_tokens(count: int, length: int = 8, seed: int = 0) -> Tensor:
    return torch.randint(4, (count, length), generator=torch.Generator().manual_seed(seed))


def basis(tokens: Tensor, *, both_strands: bool = False) -> Basis:
    """Words of up to three letters, and the first row as the parent of all."""
    shapes = tuple(tuple(range(size)) for size in (1, 2, 3))
    longest = tokens.shape[1]
    return Basis(alphabet=DNA, max_length=longest, both_strands=both_strands, shapes=shapes, parent=tokens[0])


def judge(kind: Kind, tokens: Tensor, y: Tensor) -> GaussianProcess:
    reader = read_as(kind, basis(tokens), tokens)
    x = reader(tokens)
    return GaussianProcess(kind, hyperparameters(kind, reader, x, y, 0), reader, x, y)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_left_out_rows_are_what_a_judge_without_them_says(kind: Kind) -> None:
    tokens = random_tokens(30)
    y = (tokens == 2).double().sum(1, keepdim=True) + 0.1 * torch.randn(30, 1).double()
    y = y - y.mean()
    whole = judge(kind, tokens, y)
    means, variances = whole.left_out()
    covariance = kind.kernel(whole.theta[1:], whole.reader.likeness(whole.x, whole.x))
    lift = whole.noise + JITTER * (1 + covariance.diagonal().mean())
    for row in (0, 7):
        rest = torch.arange(30) != row
        known = covariance[rest][:, rest] + lift * torch.eye(29)
        solved = torch.linalg.solve(known, covariance[rest, row])
        assert float(means[row]) == pytest.approx(float(solved @ y[rest, 0]), abs=1e-6)
        spread = covariance[row, row] + lift - solved @ covariance[rest, row]
        assert float(variances[row]) == pytest.approx(float(spread), abs=1e-6)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_a_kernel_says_of_a_sequence_with_itself_what_its_short_form_says(kind: Kind) -> None:
    tokens = random_tokens(12)
    reader = read_as(kind, basis(tokens), tokens)
    x = reader(tokens)
    like = reader.likeness(x, x)
    theta = torch.tensor(kind.start(len(like.between)), dtype=torch.float64)
    assert torch.allclose(kind.kernel(theta, like).diagonal(), kind.own(theta, like.right))


def test_positions_learn_places_and_words_learn_motifs_wherever_they_are() -> None:
    tokens, fresh = random_tokens(400, 20), random_tokens(400, 20, seed=1)
    texts = [decode(x.numpy().astype(np.uint8), DNA) for x in (tokens, fresh)]

    def r2(kind: Kind, values: list[Tensor]) -> float:
        centre = values[0].mean()
        process = judge(kind, tokens, (values[0] - centre)[:, None])
        mean, _ = process(process.reader(fresh))
        return 1 - float((mean[:, 0] + centre - values[1]).square().mean() / values[1].var())

    words = [torch.tensor([float(t.count("GA")) for t in part]).double() for part in texts]
    places = [(part[:, 3] == 2).double() + (part[:, 9] == 1) * (part[:, 4] == 0) for part in (tokens, fresh)]
    by_name = {kind.name: kind for kind in KINDS}
    assert r2(by_name["words"], words) > 0.9 > 0.5 > r2(by_name["pairs of positions"], words)
    assert r2(by_name["pairs of positions"], places) > 0.8 > 0.5 > r2(by_name["words"], places)


def test_weights_go_to_the_judge_that_explains_held_out_rows() -> None:
    densities = torch.tensor([[-1.0, -5.0]]).double().expand(50, -1)
    weights = stack(densities)
    assert float(weights.sum()) == pytest.approx(1.0)
    assert float(weights[0]) > 0.9
    assert stack(torch.zeros(10, 4).double()).tolist() == pytest.approx([0.25] * 4)


def panel(values: np.ndarray, tokens: Tensor, **more: object) -> Panel:
    held_out = np.arange(len(tokens)) % 10 == 0
    data = Measured(
        tokens.numpy().astype(np.uint8), np.full(len(tokens), tokens.shape[1]), values[:, None], held_out
    )
    options = {
        "task": get_task("regression"),
        "num_scores": 1,
        "length": tokens.shape[1],
        "both_strands": False,
    }
    return Panel(data, DNA, **{**options, **more})


def test_of_noise_the_judges_say_nothing_but_the_mean() -> None:
    tokens = random_tokens(300, 12)
    values = np.random.default_rng(0).standard_normal(300) + 5
    found = panel(values, tokens)(random_tokens(50, 12, seed=3))
    assert float((found.mean - 5).abs().max()) < 1.0
    assert float((found.high - found.low).median()) > 3.0


def test_judges_know_when_nothing_can_be_predicted() -> None:
    tokens = random_tokens(300, 12)
    for values, blind in (
        (np.random.default_rng(0).standard_normal(300), True),
        ((tokens == 2).sum(1).double().numpy() + np.random.default_rng(0).standard_normal(300), False),
    ):
        judges = panel(values, tokens)
        judges(tokens[:5])
        assert judges.clueless.tolist() == [blind]


def test_intervals_hold_the_measurements_of_what_the_judges_like_best() -> None:
    rng = np.random.default_rng(0)
    tokens, fresh = random_tokens(300, 10), random_tokens(2000, 10, seed=5)
    effect = rng.standard_normal((10, 4))

    def truth(x: Tensor) -> np.ndarray:
        return effect[np.arange(10), x.numpy()].sum(1)

    verdict = panel(truth(tokens) + rng.standard_normal(300), tokens)(fresh)
    best = verdict.mean[:, 0].topk(64).indices.numpy()
    measured = truth(fresh) + rng.standard_normal(2000)
    inside = (measured >= verdict.low[:, 0].numpy()) & (measured <= verdict.high[:, 0].numpy())
    assert inside[best].mean() > 0.85
    # Draws scatter about the mean as much as the judges are unsure, without the noise.
    assert float(verdict.draws.mean(0)[best].mean()) == pytest.approx(
        float(verdict.mean[best].mean()), abs=0.3
    )


def test_a_network_that_errs_loses_its_voice() -> None:
    tokens = random_tokens(300, 10)
    values = (tokens == 2).sum(1).double().numpy() + 0.1 * np.random.default_rng(0).standard_normal(300)

    def fool(x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full((len(x), 1), 50.0).double(), torch.full((len(x), 1), 0.1).double()

    found = panel(values, tokens, network=fool)
    assert found.names[-1] == "networks"
    assert float(found.weights[-1]) < 0.05
    verdict = found(random_tokens(20, 10, seed=2))
    assert float(verdict.mean.max()) < 15


def test_labels_are_judged_as_log_odds() -> None:
    tokens = random_tokens(300, 10)
    values = (tokens[:, 0] == 2).double().numpy()
    found = panel(values, tokens, task=get_task("binary"))
    fresh = random_tokens(200, 10, seed=2)
    mean = found(fresh).mean[:, 0]
    assert float(mean[fresh[:, 0] == 2].min()) > 0 > float(mean[fresh[:, 0] != 2].max())


def test_a_letter_where_nothing_ever_varied_makes_a_sequence_less_like_all_others() -> None:
    tokens = random_tokens(50, 8)
    tokens[:, 3] = 0
    reader = Places(tokens, DNA)
    usual, odd = tokens[:1].clone(), tokens[:1].clone()
    odd[0, 3] = 1
    known = reader(tokens)
    less, more = (reader.likeness(known, reader(one)).between[0] for one in (odd, usual))
    assert bool((less < more).all())


def test_judges_need_measurements() -> None:
    with pytest.raises(ValueError, match="at least two measurements, got 1"):
        panel(np.zeros(1), random_tokens(1, 5))


def test_reverse_complements_are_one_where_both_strands_are_read() -> None:
    texts = ["ACGTTT", "AAACGT"]
    tokens = torch.from_numpy(encode(texts, DNA).tokens.astype(np.int64))
    rows = random_tokens(20, 6)
    both = read_as(KINDS[2], basis(rows, both_strands=True), rows)(tokens)
    assert all(torch.allclose(x[0], x[1]) for x in both)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_what_a_judge_has_seen_is_what_it_says_of_its_rows(kind: Kind) -> None:
    tokens = random_tokens(30)
    y = (tokens == 2).double().sum(1, keepdim=True) + 0.1 * torch.randn(30, 1).double()
    found = judge(kind, tokens, y)
    mean, _ = found(found.x)
    assert torch.allclose(found.seen(found.x), mean)
    assert torch.allclose(found.fitted(), mean, atol=1e-6)


def with_words(word: str, count: int, num: int, length: int = 60) -> Tensor:
    """Random sequences with so many copies of a word at every sixth place, beside those of chance."""
    tokens = random_tokens(num, length, seed=count)
    letters = torch.from_numpy(encode([word], DNA).tokens.astype(np.int64))[0]
    for i in range(count):
        tokens[:, 6 * i : 6 * i + len(word)] = letters
    return tokens


def test_further_copies_of_a_word_add_no_effect_but_doubt() -> None:
    """Outcomes that level off: a sum over copies would be three times too large."""
    rows = torch.cat([with_words("GATA", k, 100) for k in range(4)])
    texts = decode(rows.numpy().astype(np.uint8), DNA)
    values = np.array([np.log1p(2 * t.count("GATA")) for t in texts])
    values = values + 0.1 * np.random.default_rng(0).standard_normal(len(values))
    three, ten = with_words("GATA", 3, 20), with_words("GATA", 10, 20)
    judges = panel(values, rows)
    some, many = judges(three), judges(ten)
    assert float(many.mean.max()) < float(some.mean.mean()) + 0.7
    assert float((many.high - many.mean).median()) > 2 * float((some.high - some.mean).median())
    assert float(many.high.min()) > np.log1p(20)
    assert float(many.mean.mean()) > float(some.mean.mean()) - 0.3


def test_a_headline_beyond_the_best_row_goes_as_far_as_three_draws_in_four() -> None:
    draws = torch.linspace(0, 10, 101, dtype=torch.float64)[:, None, None].expand(101, 3, 1)
    middle = torch.tensor([[5.0], [1.0], [-9.0]]).double()
    rows = torch.tensor([[torch.nan], [2.0], [0.5]]).double()
    nowhere, far, near = (torch.full((2, 1), x).double() for x in (math.nan, 9.0, 2.25))
    far[0], near[0] = -9.0, 0.25
    top = Reached(
        torch.tensor([[0.75], [1.5]]).double(), torch.full((2, 1), 0.1).double(), torch.zeros(2, 1).bool()
    )

    def told(fitted: torch.Tensor, borne: torch.Tensor) -> list[float]:
        return borne_out(middle, draws, fitted, borne, top).flatten().tolist()

    assert borne_out(middle, draws, rows, nowhere).flatten().tolist() == pytest.approx([2.0, 1.0, 0.5])
    # Who was not tested says what the rows reached that would have been chosen, not what the best row is.
    assert told(rows, nowhere) == pytest.approx([1.5, 1.0, 0.75])
    assert told(rows, far) == pytest.approx([2.5, 1.0, 0.5])
    assert told(rows, near) == pytest.approx([2.25, 1.0, 0.5])  # and no further than it was borne out
    wide = torch.tensor([[4.0], [-20.0]]).double()
    assert told(wide, far) == pytest.approx([4.0, 1.0, -9.0])


def test_three_draws_in_four_are_better_than_a_headline_says() -> None:
    draws = torch.linspace(0, 10, 101, dtype=torch.float64)[:, None, None].expand(101, 4, 1)
    base = torch.tensor([[0.0], [9.0], [4.0], [2.4]]).double()
    middle = torch.full((4, 1), 5.0).double()
    # Two draws in five of the third lose, so that nothing is known; the fourth surely gains a little.
    assert surely(middle, draws, base).flatten().tolist() == pytest.approx([2.5, 7.5, 5.0, 2.5])


def test_what_is_lost_of_labels_is_lost_in_probability() -> None:
    """From .5 to .99 half of the gain is .745: log-odds of 1.07, and not half of 4.6."""
    held = torch.tensor([1.0, 1.2, 2.0, 5.0]).double()[:, None]
    judged, start = torch.tensor([4.595]).double(), torch.tensor([0.0]).double()
    assert _doubt(held, judged, start, log_odds=True).tolist() == [0.25]
    assert _doubt(held, judged, start, log_odds=False).tolist() == [0.75]
    assert _doubt(held, start, judged, log_odds=True).tolist() == [1.0]  # nothing gained


def test_draws_are_no_better_than_what_is_borne_out_or_the_best_row() -> None:
    draws = torch.linspace(-10, 10, 101, dtype=torch.float64)[:, None, None]
    rows, variance = torch.tensor([[1.0], [2.0]]).double(), torch.full((2, 1), 0.01).double()
    borne = torch.tensor([[math.nan], [7.0]]).double()
    top = Reached(
        torch.tensor([[1.0], [1.5]]).double(), torch.full((2, 1), 0.1).double(), torch.zeros(2, 1).bool()
    )
    up, both = (within(draws, rows, variance, x, top) for x in (borne, borne * math.nan))
    assert 6.5 < float(up.max()) < 7.5
    assert 0.5 < float(up.min()) < 1.5
    assert 1.2 < float(both.max()) < 1.9


def test_what_a_change_costs_on_average_is_said_of_letters_never_seen() -> None:
    """Mutants of a parent that nothing improves; a change costs 1 on average. Without what mutants share it
    would be .45.
    """
    rng = np.random.default_rng(1)
    parent = random_tokens(1, 20)
    rows = parent.repeat(50, 1)
    for row in rows:
        places = rng.choice(20, int(rng.integers(1, 4)), replace=False)
        row[places] = (row[places] + torch.from_numpy(rng.integers(1, 4, len(places)))) % 4
    cost = rng.exponential(1.0, (20, 4))[np.arange(20), rows.numpy()]
    values = -np.where((rows != parent).numpy(), cost, 0.0).sum(1)
    judges = panel(values + 0.5 * rng.standard_normal(50), rows)
    every = parent.repeat(60, 1)
    every[torch.arange(60), torch.arange(60) // 3] += 1 + torch.arange(60) % 3
    every %= 4
    fresh = torch.stack([(rows[:, i // 3] != every[i, i // 3]).all() for i in range(60)])
    assert 0.6 < float((judges(parent).mean - judges(every[fresh]).mean).mean()) < 1.2


def test_outcomes_that_scatter_in_proportion_are_judged_as_logarithms() -> None:
    tokens, rng = random_tokens(120, 6), np.random.default_rng(1)
    inner = rng.standard_normal((6, 4))[np.arange(6), tokens.numpy()].sum(1)
    even = inner + 20 + 0.5 * rng.standard_normal(120)
    skewed = np.exp(inner + 0.5 * rng.standard_normal(120))
    assert [bool(panel(values, tokens).scale.logs) for values in (even, skewed)] == [False, True]
    verdict = panel(skewed, tokens)(tokens)
    assert float(verdict.low.min()) > 0
    inside = (verdict.low[:, 0].numpy() <= skewed) & (skewed <= verdict.high[:, 0].numpy())
    assert inside.mean() > 0.9


def test_counts_of_a_word_are_no_ratios_though_logarithms_look_more_normal() -> None:
    tokens = random_tokens(300, 40, seed=3)
    word = torch.tensor([2, 0, 3])
    counts = (tokens.unfold(1, 3, 1) == word).all(2).sum(1).double().numpy()
    values = 0.3 + 2 * counts + 0.05 * np.random.default_rng(0).normal(size=300)
    found = panel(values.clip(min=0.05), tokens)
    assert not bool(found.scale.logs)


def test_judges_go_beyond_the_best_rows_where_these_were_as_predicted() -> None:
    tokens, rng = random_tokens(200, 8), np.random.default_rng(1)
    total = rng.standard_normal((8, 4))[np.arange(8), tokens.numpy()].sum(1)
    for values, borne in ((total, True), (np.minimum(total, np.quantile(total, 0.85)), False)):
        judges = panel(values + 0.3 * rng.standard_normal(200), tokens)
        judges(tokens[:5])
        assert bool(judges.borne[1] > total.max()) == borne


def test_relatives_of_several_lengths_are_read_by_their_alignment() -> None:
    """The effect of a letter at a place of the parent, wherever deletions have moved it."""
    rng = np.random.default_rng(3)
    parent, texts = "".join(rng.choice(list("ACGT"), 24)), []
    for _ in range(160):
        text = list(parent)
        for place in rng.choice(24, 2, replace=False):
            text[place] = str(rng.choice(list("ACGT")))
        if rng.random() < 0.5:
            del text[int(rng.integers(24))]
        texts.append("".join(text))
    values = np.array([float(text[-4] == parent[-4]) + 0.1 * rng.normal() for text in texts])
    array = encode(texts, DNA)
    kinds, found = kinds_for(KINDS, array, same=False, both_strands=False)
    assert "".join("ACGT"[i] for i in found.parent) == parent
    assert [kind.reads for kind in kinds] == ["words", "words", "aligned", "aligned"]
    assert not set(RELATIVES) & set(kinds_for(KINDS, array, same=False, both_strands=True)[0])
    surrogate = Surrogate(texts[:120], values[:120], DNA, floors=(None,))
    mean, _ = surrogate(texts[120:])
    assert np.corrcoef(mean, values[120:])[0, 1] > 0.8
    assert "alignment" in surrogate.kind


def test_values_that_multiply_are_warped_and_others_are_not() -> None:
    rng = np.random.default_rng(5)
    texts = ["".join(rng.choice(list("ACGT"), 8)) for _ in range(150)]
    effects = rng.normal(size=(8, 4))
    adds = np.array([effects[np.arange(8), ["ACGT".index(c) for c in text]].sum() for text in texts])
    adds = adds + 0.05 * rng.normal(size=len(texts))
    assert Surrogate(texts, adds, DNA).warp.floor is None
    warped = Surrogate(texts, np.exp(adds), DNA)
    assert warped.warp.floor is not None
    plain = Surrogate(texts, np.exp(adds), DNA, floors=(None,))
    errors = [np.abs(np.log(e.left_out.clip(1e-3)) - adds).mean() for e in (warped, plain)]
    assert errors[0] < 0.7 * errors[1]
    values = torch.from_numpy(np.exp(adds))
    assert torch.allclose(warped.warp.inverse(warped.warp(values)), values)
    step = 1e-6
    slope = (warped.warp(values + step) - warped.warp(values)) / step
    assert torch.allclose(slope, warped.warp.slope(values), rtol=1e-3)
