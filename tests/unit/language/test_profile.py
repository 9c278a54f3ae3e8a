"""Profiles of unaligned sequences, checked against a recursion written out by hand, and what they find."""

from __future__ import annotations

import itertools
import math
from functools import cache

import pytest
import torch
from torch import Tensor

from seqdesign.language.config import LMOptions, adapt
from seqdesign.language.ensemble import Ensemble
from seqdesign.language.model import SequenceLM
from seqdesign.language.profile import Profile
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.data import TokenData

PAD, WORD = 5, torch.tensor([3, 0, 3, 0, 0, 3])


def drawn(columns: int = 3, size: int = 2) -> Profile:
    """A profile with random probabilities."""
    profile, rng = Profile(size), torch.Generator().manual_seed(1)
    profile.letters = torch.rand(columns, size, generator=rng).softmax(1)
    profile.background = torch.tensor([0.7, 0.3])
    profile.gaps = torch.rand(4, columns + 1, generator=rng) * 0.5 + 0.1
    return profile


def by_hand(profile: Profile, text: tuple[int, ...]) -> float:
    """p(text and its length): each state by itself, skipped columns, too."""
    opened, more, first, again = profile.gaps.tolist()
    letters, background, m = profile.letters.tolist(), profile.background.tolist(), len(profile.letters)

    @cache
    def behind(k: int, t: int) -> float:  # column k is left behind, no insert there
        if k == m:
            return float(t == len(text))
        return (1 - first[k]) * column(k, t) + first[k] * skipped(k, t)

    @cache
    def skipped(k: int, t: int) -> float:
        if k + 1 == m:
            return float(t == len(text))
        return (1 - again[k + 1]) * column(k + 1, t) + again[k + 1] * skipped(k + 1, t)

    @cache
    def column(k: int, t: int) -> float:
        return 0.0 if t == len(text) else letters[k][text[t]] * edge(k + 1, t + 1)

    @cache
    def edge(k: int, t: int) -> float:
        return (1 - opened[k]) * behind(k, t) + opened[k] * insert(k, t)

    @cache
    def insert(k: int, t: int) -> float:
        if t == len(text):
            return 0.0
        return background[text[t]] * ((1 - more[k]) * behind(k, t + 1) + more[k] * insert(k, t + 1))

    return edge(0, 0)


def moving(num: int, seed: int) -> tuple[Tensor, Tensor]:
    """Random letters with a word at one of nine places, cut at the start: tokens (N, 30) and lengths."""
    rng = torch.Generator().manual_seed(seed)
    rows, places = torch.randint(0, 4, (num, 30), generator=rng), torch.randint(10, 19, (num,), generator=rng)
    rows[torch.arange(num)[:, None], places[:, None] + torch.arange(6)] = WORD
    lengths = torch.randint(24, 31, (num,), generator=rng)
    kept = (torch.arange(30) + 30 - lengths[:, None]).clamp(max=29)
    return rows.gather(1, kept).masked_fill(torch.arange(30) >= lengths[:, None], PAD), lengths


def nats(logits: Tensor, tokens: Tensor) -> float:
    """Per letter."""
    known = tokens < 4
    said = logits.log_softmax(2).gather(2, tokens.where(known, 0)[:, :, None])[:, :, 0]
    return float(-said[known].mean())


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_probabilities_are_those_of_all_paths(length: int) -> None:
    profile = drawn()
    texts = list(itertools.product((0, 1), repeat=length))
    found = profile(torch.tensor(texts), torch.full((len(texts),), length))
    said = found.gather(2, torch.tensor(texts)[:, :, None])[:, :, 0].sum(1).exp()
    joint = torch.tensor([by_hand(profile, text) for text in texts])
    torch.testing.assert_close(said, joint / joint.sum())


def test_letter_by_letter_and_shares_of_letters_are_the_same_as_at_once() -> None:
    profile, lengths = drawn(), torch.tensor([4, 2, 3])
    texts = torch.tensor([[0, 1, 1, 0], [1, 1, PAD, PAD], [0, 2, 0, PAD]])  # one cannot be read
    whole, memory = profile(texts, lengths), profile.begin(4)
    steps = [profile.step(memory, texts[:, max(0, t - 1)], lengths, t) for t in range(4)]
    torch.testing.assert_close(torch.stack(steps, 1), whole)
    shares = torch.nn.functional.one_hot(texts.clamp(max=2), 3)[:, :, :2].float().requires_grad_()
    soft = profile(shares, lengths)
    torch.testing.assert_close(soft, whole)
    (slope,) = torch.autograd.grad(soft[0, 3, 0], shares)
    assert slope[0, :3].abs().min() > 0
    assert slope[0, 3].abs().max() == 0


def test_each_round_explains_training_sequences_better() -> None:
    tokens, lengths = moving(100, 0)
    profile = Profile(4)
    profile._begin(30, tokens, lengths, torch.arange(30).expand(100, -1).clone())
    found = [profile._learn(tokens, lengths, range(1), 1) for _ in range(6)]
    assert found == sorted(found)


def test_a_word_that_moves_is_found_in_few_sequences_of_several_lengths() -> None:
    profile, (tokens, lengths) = Profile(4), moving(150, 0)
    profile.count(tokens, lengths)
    others, their = moving(300, 1)
    place = torch.arange(30).expand_as(others)
    table = torch.bincount(tokens[tokens < 4] + 4 * place[:150][tokens < 4], minlength=120).view(30, 4) + 1.0
    matrix = table.log()[None].expand(300, -1, -1)
    assert nats(profile(others, their), others) < nats(matrix, others) - 0.1


def ensemble(knots: tuple[float, ...] = ()) -> SequenceLM:
    options = adapt(LMOptions(architecture="ensemble", width=8, layers=1, dropout=0.0), num_letters=100)
    torch.manual_seed(0)
    return SequenceLM(options, Vocabulary(get_alphabet("dna")), 30, 24, knots).eval()


def test_held_out_sequences_say_how_far_it_is_believed() -> None:
    model, (tokens, lengths), (others, their) = ensemble(), moving(100, 0), moving(100, 1)
    nothing = torch.full((100,), torch.nan)
    data, judges = TokenData(tokens, lengths, nothing), TokenData(others, their, nothing)
    model.count(data)
    before = model.log_likelihood(others, their)
    model.weigh(judges, torch.device("cpu"))
    assert isinstance(model.network, Ensemble)
    assert float(model.network.share) >= 0.5
    assert (model.log_likelihood(others, their) - before).mean() > 2
    again = ensemble()
    again.load_state_dict(model.state_dict())
    said = model.log_likelihood(others, their)
    torch.testing.assert_close(again.log_likelihood(others, their), said)
    memory = again.network.begin(100, 30)
    before_each = [torch.full((100,), 4), *others[:, :23].T]
    logits = [again.network.step(memory, p, their, None, t) for t, p in enumerate(before_each)]
    at_once = again.network(others, their, None)[:, :24].log_softmax(2)
    torch.testing.assert_close(torch.stack(logits, 1).log_softmax(2), at_once, atol=1e-4, rtol=1e-4)
    noise = torch.randint(0, 4, (200, 30), generator=torch.Generator().manual_seed(3))
    flat = TokenData(noise, torch.full((200,), 30), torch.full((200,), torch.nan))
    model.weigh(flat, torch.device("cpu"))
    assert float(model.network.share) < 0.5


def test_models_without_a_profile_say_what_they_said() -> None:
    model, old, (tokens, lengths) = ensemble(), ensemble(), moving(50, 0)
    state = {k: v for k, v in model.state_dict().items() if "profile" not in k and "share" not in k}
    old.load_state_dict(state)
    assert torch.equal(model.log_likelihood(tokens, lengths), old.log_likelihood(tokens, lengths))
    asked = ensemble((0.0, 1.0))
    asked.count(TokenData(tokens, lengths, torch.zeros(50)))
    asked.weigh(TokenData(tokens, lengths, torch.zeros(50)), torch.device("cpu"))
    assert isinstance(asked.network, Ensemble)
    assert not asked.network.used
    assert math.isfinite(float(asked.log_likelihood(tokens, lengths, torch.zeros(50)).sum()))
