"""Promises of language models: proper likelihoods, samples that follow them, constraints, guides."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.constraints.rules import Rules
from seqdesign.drawing.samples import block_rng
from seqdesign.language.config import LMOptions, adapt
from seqdesign.language.guidance import PredictorGuide
from seqdesign.language.model import SequenceLM, hats
from seqdesign.language.posterior import expected_outcome
from seqdesign.models.lm.quality import markov_nll, position_nll
from seqdesign.models.lm.requests import ROUND, Request, Samples
from seqdesign.models.lm.sampling import Drawn, choose, draw
from seqdesign.models.lm.store import LMRecord, TrainedLM
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.training.data import TokenData

ABC, DNA = get_alphabet("letters:ABC"), get_alphabet("dna")
ARCHITECTURES = ("transformer", "gru", "masked")


def lm(
    architecture: str = "transformer",
    alphabet: Any = ABC,
    longest: int = 4,
    shortest: int | None = None,
    knots: tuple[float, ...] = (),
    gain: float = 3.0,
) -> TrainedLM:
    """Random weights, large enough to prefer some letters."""
    torch.manual_seed(1)
    small: dict[str, Any] = {} if architecture == "gru" else {"heads": 2, "window": 3}
    options = LMOptions(architecture=architecture, width=8, dropout=0.0, **small)  # type: ignore[arg-type]
    record = LMRecord(options, alphabet, longest, longest if shortest is None else shortest, knots=knots)
    model = record.build()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "chains" in name:
                continue
            parameter += 0.1 * gain * torch.randn_like(parameter)
    model.count_lengths(torch.tensor([record.min_length, longest, longest]))
    return TrainedLM(model.eval(), record)


def every_string(model: SequenceLM, length: int) -> Tensor:
    return torch.tensor(list(itertools.product(range(model.vocabulary.n_letters), repeat=length)))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def lengths_of(n: int, length: int) -> Tensor:
    return torch.full((n,), length)


def rules(length: int, alphabet: Any = ABC, **options: Any) -> Rules:
    return build_rules(ConstraintOptions(**options), alphabet, torch.zeros(1, length, dtype=torch.long))


@pytest.mark.parametrize("architecture", ["transformer", "gru", "ensemble"])
def test_the_probabilities_of_all_strings_sum_to_one(architecture: str) -> None:
    model = lm(architecture, longest=3, shortest=1).model
    total = 0.0
    for length in (1, 2, 3):
        strings = every_string(model, length)
        total += float(model.log_likelihood(strings, lengths_of(len(strings), length)).exp().sum())
    assert total == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("architecture", ["transformer", "gru", "ensemble"])
def test_what_is_said_of_a_sample_is_its_likelihood(architecture: str) -> None:
    """Letters are written from a cache, and scored all at once."""
    model = lm(architecture, longest=9, shortest=5).model
    lengths = torch.randint(5, 10, (40,), generator=rng())
    drawn = draw(model, lengths, rng(), temperature=1.5)
    whole = model.log_likelihood(drawn.tokens, drawn.lengths).double()
    torch.testing.assert_close(drawn.log_probs, whole, rtol=1e-4, atol=1e-4)
    assert ((drawn.tokens < 3).sum(1) == lengths).all()


@pytest.mark.parametrize("architecture", ["transformer", "gru", "ensemble"])
def test_samples_are_as_frequent_as_they_are_likely(architecture: str) -> None:
    model = lm(architecture, longest=3).model
    strings = every_string(model, 3)
    expected = model.log_likelihood(strings, lengths_of(27, 3)).exp()
    drawn = draw(model, lengths_of(20_000, 3), rng())
    found = torch.bincount(drawn.tokens @ torch.tensor([9, 3, 1]), minlength=27) / 20_000
    assert float((found - expected).abs().sum()) / 2 < 0.02


def order_average(model: SequenceLM, string: Tensor) -> float:
    """E over all orders of the sum of log p(letter | letters before it in the order)."""
    n, nothing = len(string), model.network.inputs.nothing
    totals = []
    for order in itertools.permutations(range(n)):
        shown, total = torch.full((1, n), nothing), 0.0
        for place in order:
            log_p = model.network(shown, torch.tensor([n]), None)[0, place].log_softmax(0)
            total += float(log_p[string[place]])
            shown[0, place] = string[place]
        totals.append(total)
    return float(np.mean(totals))


@torch.no_grad()
def test_the_bound_of_a_masked_model_is_the_mean_over_orders() -> None:
    model = lm("masked", longest=4).model
    strings = every_string(model, 4)[[0, 17, 50, 80]]
    exact = [order_average(model, string) for string in strings]
    generator = rng()
    found = torch.zeros(4)
    for _ in range(800):
        found += model._bound(strings, lengths_of(4, 4), None, generator) / 800
    np.testing.assert_allclose(found.numpy(), exact, atol=0.3)
    said = model.log_likelihood(strings, lengths_of(4, 4)).numpy()
    np.testing.assert_allclose(said, exact, atol=1.5)


def test_the_likelihood_of_a_row_does_not_depend_on_the_other_rows() -> None:
    model = lm("masked", longest=6, shortest=3).model
    drawn = draw(model, torch.tensor([3, 6, 5, 4]), rng())
    alone = [model.log_likelihood(drawn.tokens[i : i + 1], drawn.lengths[i : i + 1]) for i in range(4)]
    torch.testing.assert_close(torch.cat(alone), model.log_likelihood(drawn.tokens, drawn.lengths))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_length_outside_training_is_impossible(architecture: str) -> None:
    model = lm(architecture, longest=4, shortest=3).model
    tokens = torch.tensor([[0, 1, 5, 5], [0, 1, 2, 5], [0, 1, 2, 0]])
    found = model.log_likelihood(tokens, torch.tensor([2, 3, 4]))
    assert found.isfinite().tolist() == [False, True, True]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_lengths_of_samples_are_as_frequent_as_those_of_training(architecture: str) -> None:
    trained = lm(architecture, longest=5, shortest=3)
    trained.model.count_lengths(torch.tensor([3] * 10 + [5] * 30))
    drawn = Samples(trained, Request((3, 5))).round(rng(), 4)
    share = torch.bincount(drawn.lengths, minlength=6)[3:] / ROUND
    np.testing.assert_allclose(share.numpy(), [0.25, 0.008, 0.74], atol=0.05)
    assert drawn.lengths[:50].unique().numel() > 1  # not sorted


def test_a_block_does_not_depend_on_the_blocks_before() -> None:
    trained = lm("transformer", DNA, longest=6, shortest=5)
    trained.model.count_lengths(torch.tensor([5] * 20 + [6] * 20))

    def own(n: int) -> Rules:
        return rules(n, DNA, template="NGAATN"[:n], forbid=("GAATT",) if n == 5 else ("GAAT",))

    fresh, used = (Samples(trained, Request((5, 6), rules_of=own)) for _ in range(2))
    used.round(block_rng(0, 0), 0)
    one, other = (source.round(block_rng(0, 1), 1) for source in (fresh, used))
    assert torch.equal(one.tokens, other.tokens)
    assert one.lengths.unique().tolist() == [5]


def test_few_samples_are_not_waited_for_longer_than_they_take() -> None:
    """A thousand together in the first rounds, and a thousand in each after them."""
    source = Samples(lm(), Request((4, 4)))
    sizes = [len(source.round(rng(), number).tokens) for number in range(6)]
    assert sizes[0] == 100
    assert sum(sizes[:-2]) == ROUND == sizes[-2] == sizes[-1]


STRICT = {
    "template": "NNNRYNNNSNNN",
    "forbid": ("GAATTC", "CATG", "TT"),
    "gc": "0.4-0.6",
    "max_homopolymer": "2",
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_constraints_are_obeyed(architecture: str) -> None:
    trained = lm(architecture, DNA, longest=12)
    own = rules(12, DNA, **STRICT)
    drawn = draw(trained.model, lengths_of(300, 12), rng(), rules=own)
    good = drawn.tokens[drawn.good]
    assert len(good) > 0.9 * 300
    assert own.is_feasible(good, torch.zeros(len(good), dtype=torch.long)).all()


def conditional_shares(model: SequenceLM, strings: Tensor, feasible: Tensor) -> Tensor:
    log_p = model.log_likelihood(strings, lengths_of(len(strings), strings.shape[1]))
    return log_p.masked_fill(~feasible, -torch.inf).softmax(0)


@pytest.mark.parametrize(("number", "rounds"), [(0, 20), (4, 8)])
@pytest.mark.parametrize("options", [{"template": "NNNA"}, {"max_homopolymer": "1"}])
def test_constrained_samples_are_as_frequent_as_those_of_rejection(
    options: dict[str, str], number: int, rounds: int
) -> None:
    """Letter by letter alone the first letters would not know what the template asks of the last.

    Those of a small round, the hundred that come first, as well as those of a large one.
    """
    trained = lm("transformer", DNA, longest=4, gain=8.0)
    own = rules(4, DNA, **options)
    strings = every_string(trained.model, 4)
    feasible = own.is_feasible(strings, torch.zeros(len(strings), dtype=torch.long))
    expected = conditional_shares(trained.model, strings, feasible)
    source, random = Samples(trained, Request((4, 4), rules_of=lambda n: own)), rng()
    drawn = torch.cat([source.round(random, number).tokens for _ in range(rounds)])
    powers = torch.tensor([64, 16, 4, 1])
    found = torch.bincount(drawn @ powers, minlength=256) / len(drawn)
    naive = draw(trained.model, lengths_of(8000, 4), rng(), rules=own).tokens
    without = torch.bincount(naive @ powers, minlength=256) / len(naive)

    def error(shares: Tensor) -> float:
        return float((shares - expected).abs().sum()) / 2

    assert error(found) < 0.5 * error(without) + 0.01


def candidates(weights: list[float], good: list[bool]) -> Drawn:
    """One letter each, the number of the candidate."""
    n, zeros = len(weights), torch.zeros(len(weights), dtype=torch.float64)
    forced = torch.tensor(weights, dtype=torch.float64).log()
    return Drawn(torch.arange(n)[:, None], torch.ones(n), zeros, zeros, torch.tensor(good), forced)


def test_candidates_are_kept_once_and_with_chances_in_proportion() -> None:
    """2 of weights 8, 1, 1, 2, 4: the first for certain, then one of the others, an eighth for each unit."""
    pool, random = candidates([8.0, 1.0, 1.0, 2.0, 4.0], [True] * 5), rng()
    chosen = torch.cat([choose(pool, 2, random).tokens for _ in range(4000)]).flatten()
    assert (chosen.view(-1, 2)[:, 0] != chosen.view(-1, 2)[:, 1]).all()
    shares = torch.bincount(chosen, minlength=5) / 4000
    torch.testing.assert_close(shares, torch.tensor([1, 1 / 8, 1 / 8, 2 / 8, 4 / 8]), atol=0.03, rtol=0)


def test_candidates_that_break_a_rule_are_kept_where_there_are_no_others() -> None:
    pool = candidates([1.0, 5.0, 1e-300, 3.0], [True, False, True, False])
    assert set(choose(pool, 2, rng()).tokens.flatten().tolist()) == {0, 2}
    assert len(set(choose(pool, 3, rng()).tokens.flatten().tolist())) == 3


def test_a_masked_model_knows_what_stands_behind() -> None:
    """It fills in around what is given, so nothing is forced."""
    trained = lm("masked", DNA, longest=5)
    own = rules(5, DNA, template="NBNNA")
    drawn = draw(trained.model, lengths_of(50, 5), rng(), rules=own)
    assert (drawn.tokens[:, 4] == 0).all()
    assert drawn.good.all()
    one = rules(5, DNA, template="NNANN")
    assert draw(trained.model, lengths_of(5, 5), rng(), rules=one).forced.tolist() == [0.0] * 5


def test_contradictory_constraints_are_one_error() -> None:
    trained = lm("transformer", DNA, longest=6)
    own = rules(6, DNA, template="NGAATN", forbid=("GAAT",))
    with pytest.raises(Exception, match=r"contradict each other"):
        Samples(trained, Request((6, 6), rules_of=lambda n: own)).round(rng(), 4)


@torch.no_grad()
def test_the_network_says_the_same_of_some_places_as_of_all() -> None:
    network = lm("masked", longest=7, shortest=3).model.network
    tokens, lengths = torch.randint(4, (5, 7), generator=rng()), torch.tensor([7, 3, 5, 7, 4])
    places = torch.tensor([[0, 2], [1, 0], [4, 1], [6, 3], [2, 2]])
    everything = network(tokens, lengths, None)
    some = network.at(tokens, lengths, None, places)  # type: ignore[union-attr]
    torch.testing.assert_close(some, everything[torch.arange(5)[:, None], places])


def pair_law(model: SequenceLM) -> tuple[Tensor, float]:
    """Of two letters that are written one after the other in a random order: their probabilities (3, 3), and
    what the first tells of the second in nats.
    """
    nothing, law, told = model.network.inputs.nothing, torch.zeros(3, 3), 0.0

    def say(first: int, second: int, place: int) -> Tensor:
        return model.network(torch.tensor([[first, second]]), torch.tensor([2]), None)[0, place].softmax(0)

    before = [say(nothing, nothing, place) for place in (0, 1)]
    for a in range(3):
        law[a] += 0.5 * before[0][a] * say(a, nothing, 1)
        law[:, a] += 0.5 * before[1][a] * say(nothing, a, 0)
    for a in range(3):
        after = say(a, nothing, 1), say(nothing, a, 0)
        told += 0.5 * float(law.sum(1)[a] * (after[0] * (after[0] / before[1]).log()).sum())
        told += 0.5 * float(law.sum(0)[a] * (after[1] * (after[1] / before[0]).log()).sum())
    return law, told


@torch.no_grad()
def test_dependence_is_mutual_information_and_dependent_letters_are_not_written_at_once() -> None:
    model = lm("masked", longest=2, gain=12.0).model
    assert model.dependence is not None
    law, told = pair_law(model)
    flat = torch.multinomial(law.flatten(), 256, replacement=True, generator=rng())
    pairs = TokenData(
        torch.stack([flat // 3, flat % 3], 1), lengths_of(256, 2), torch.full((256,), torch.nan)
    )
    model.measure_dependence(pairs, torch.device("cpu"), 0)
    assert told > 0.1
    assert told * 0.9 < float(model.dependence[0, 0, 1]) < told * 1.5

    def error(drawn: Drawn) -> float:
        found = torch.bincount(drawn.tokens @ torch.tensor([3, 1]), minlength=9) / len(drawn.tokens)
        return float((found - law.flatten()).abs().sum()) / 2

    one_by_one = error(draw(model, lengths_of(8000, 2), rng()))
    model.dependence.zero_()
    at_once = error(draw(model, lengths_of(8000, 2), rng()))
    assert one_by_one < 0.02 < at_once


def test_independent_letters_are_written_at_once_each_of_them_once() -> None:
    model = lm("masked", longest=9, shortest=6).model
    assert model.dependence is not None
    model.dependence.zero_()
    model.dependence[:, 0, 1:] = model.dependence[:, 1:, 0] = 1.0
    looks: list[int] = []
    model.network.norm.register_forward_hook(lambda *seen: looks.append(1))  # type: ignore[union-attr]
    drawn = draw(model, torch.tensor([9, 6, 7]), rng())
    assert len(looks) <= 3  # the first letter by itself, the others together
    assert ((drawn.tokens < 3).sum(1) == torch.tensor([9, 6, 7])).all()


def test_a_model_saved_before_dependence_was_measured_writes_letter_by_letter() -> None:
    model = lm("masked", longest=5).model
    state = {name: value for name, value in model.state_dict().items() if name != "dependence"}
    model.load_state_dict(state)
    looks: list[int] = []
    model.network.norm.register_forward_hook(lambda *seen: looks.append(1))  # type: ignore[union-attr]
    draw(model, lengths_of(3, 5), rng())
    assert len(looks) == 5


@pytest.mark.parametrize("by", ["exact", "taylor"])
def test_a_guide_tilts_a_flat_model_by_the_score(by: Any) -> None:
    """p(x) is proportional to exp(gamma times the number of A), so each letter is A with e / (e + 2)."""
    trained = lm("masked", longest=6, gain=0.0)
    with torch.no_grad():
        trained.model.network.output.weight.zero_()
        trained.model.network.output.bias.zero_()
    guide = PredictorGuide(lambda x: x[:, 0].sum(1), 3, 1.0, by=by)
    drawn = draw(trained.model, lengths_of(2000, 6), rng(), guide=guide)
    assert float((drawn.tokens == 0).float().mean()) == pytest.approx(np.e / (np.e + 2), abs=0.02)


def test_hats_interpolate_between_knots() -> None:
    knots = torch.tensor([0.0, 1.0, 4.0])
    values = torch.tensor([-1.0, 0.25, 1.0, 2.5, 9.0, torch.nan])
    expected = [[1, 0, 0], [0.75, 0.25, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0, 1], [0, 0, 0]]
    torch.testing.assert_close(hats(values, knots), torch.tensor(expected))


def test_a_condition_changes_what_is_drawn_and_nothing_is_known_without() -> None:
    trained = lm(knots=(0.0, 1.0), gain=10.0)
    model = trained.model
    given = [model.log_likelihood(torch.tensor([[0, 1, 2, 0]]), torch.tensor([4]), torch.tensor([y]))
             for y in (0.0, 1.0, torch.nan)]  # fmt: skip
    assert len({round(float(value), 3) for value in given}) == 3
    drawn = Samples(trained, Request((4, 4), outcome=1.0)).round(rng(), 4)
    assert set(drawn.outcomes.tolist()) == {1.0}


@pytest.mark.parametrize("architecture", ["gru", "masked"])
def test_of_several_draws_the_one_is_kept_that_is_expected_nearest(architecture: str) -> None:
    trained = lm(architecture, longest=5, shortest=4, knots=(-1.0, 0.0, 1.0))
    means, lengths = [], []
    for each in (1, 8):
        drawn = Samples(trained, Request((4, 5), outcome=1.0, choose_from=each)).round(rng(), 0)
        means.append(float(expected_outcome(trained.model, drawn.tokens, drawn.lengths).mean()))
        lengths.append(float(drawn.lengths.double().mean()))
    assert means[1] > means[0] + 0.05
    assert lengths[0] == lengths[1]


def data_of(texts: list[str]) -> TokenData:
    return TokenData.of(encode(texts, ABC), None)


def test_simple_models_are_what_they_are_called() -> None:
    train, held = data_of(["AB" * 50] * 20), data_of(["AB" * 50])
    nats = markov_nll(train, held, 1, 3)
    assert nats[0] == pytest.approx(np.log(2), abs=0.01)
    assert nats[1] < 0.01
    columns = data_of(["AB", "AC"] * 100)
    assert position_nll(columns, columns, 200, 3) == pytest.approx(np.log(2) / 2, abs=0.01)


def test_options_left_open_follow_the_data() -> None:
    few, many = (adapt(LMOptions(), num_letters=n) for n in (10**4, 10**8))
    assert isinstance(few.dropout, float)
    assert isinstance(many.dropout, float)
    assert few.dropout > many.dropout
    assert (few.architecture, many.architecture) == ("ensemble", "transformer")
    assert SimpleNamespace(width=adapt(LMOptions(architecture="gru"), num_letters=10).width).width == 128


def test_joined_samples_keep_their_rows() -> None:
    model = lm(longest=6, shortest=3).model
    parts = [draw(model, torch.tensor([3, 4]), rng()), draw(model, torch.tensor([6]), rng())]
    joined = Drawn.joined(parts, model.vocabulary.pad)
    assert joined.lengths.tolist() == [3, 4, 6]
    assert ((joined.tokens < 3).sum(1) == joined.lengths).all()
