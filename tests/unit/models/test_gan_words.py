"""Promises of the closed-form critic of word frequencies, against counting by hand."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

from seqdesign.models.gan.words import MEMORY, PLACED, WordCritic

Word = tuple[int, ...]


def rows(num: int, length: int, symbols: int, seed: int) -> Tensor:
    """Symbol 0 is more frequent the larger the seed."""
    rng = Generator().manual_seed(seed)
    return torch.randint(symbols + seed, (num, length), generator=rng).sub(seed).clamp(min=0)


def counts(tokens: Tensor, size: int, *, placed: bool) -> Counter[Word]:
    """Words; with ``placed`` their position stands before them."""
    return Counter(
        ((i, *row[i : i + size]) if placed else tuple(row[i : i + size]))
        for row in tokens.tolist()
        for i in range(len(row) - size + 1)
    )


def weight(drawn: Counter[Word], real: Counter[Word], word: Word) -> float:
    """Log ratio w, one word added, times w^2 / (w^2 + 4 v), v = 1 / (4 n)."""
    n, m = drawn.total(), real.total()
    here = drawn[word] + 1
    middle = (drawn[word] + real[word] * n / m) / 2 + 1
    ratio = math.log(here / middle)
    return ratio**3 / (ratio**2 + 4 / (4 * middle)) if ratio else 0.0


def score(row: Tensor, drawn: Tensor, real: Tensor, critic: WordCritic) -> float:
    """Sum over the words of one sequence, by hand; 1/k because each letter of a word has its share."""
    anywhere, total = sum(not t.placed for t in critic.active), 0.0
    for t in critic.active:
        here, there = (counts(x, t.size, placed=t.placed) for x in (drawn, real))
        found = counts(row[None], t.size, placed=t.placed)
        ratio = sum(n * weight(here, there, word) for word, n in found.items())
        total += ratio * (PLACED if t.placed else 1 / anywhere)
    return total


@pytest.fixture
def learned() -> tuple[WordCritic, Tensor, Tensor]:
    real, drawn = rows(400, 6, 3, 0), rows(20, 6, 3, 1)
    critic = WordCritic(3, 6)
    critic.learn(real)
    return critic, real, drawn


def test_the_slopes_of_the_letters_of_a_sequence_add_up_to_the_weight_of_its_words(
    learned: tuple[WordCritic, Tensor, Tensor],
) -> None:
    critic, real, drawn = learned
    found = (critic(drawn) * functional.one_hot(drawn, 3).transpose(1, 2)).sum((1, 2))
    wanted = [score(row, drawn, real, critic) for row in drawn]
    torch.testing.assert_close(found, torch.tensor(wanted), rtol=1e-4, atol=1e-4)


def test_a_slope_says_what_another_letter_would_change(learned: tuple[WordCritic, Tensor, Tensor]) -> None:
    """With words of one size only, times that size: every word over the position counts once."""
    critic, real, drawn = learned
    critic.active = [t for t in critic.active if t.placed]
    size = critic.active[0].size
    slope = critic(drawn)
    for position, symbol in ((0, 2), (3, 1), (5, 0)):
        other = drawn[0].clone()
        other[position] = symbol
        change = score(other, drawn, real, critic) - score(drawn[0], drawn, real, critic)
        found = slope[0, symbol, position] - slope[0, drawn[0, position], position]
        assert float(found) * size == pytest.approx(change, abs=1e-4)


def test_frequencies_that_agree_pull_nowhere() -> None:
    real = rows(MEMORY, 8, 4, 0)
    critic = WordCritic(4, 8)
    critic.learn(real)
    torch.testing.assert_close(critic(real), torch.zeros(MEMORY, 4, 8), rtol=0, atol=1e-6)


def test_words_too_rare_in_the_data_are_left_alone() -> None:
    few, many = WordCritic(4, 12), WordCritic(4, 12)
    few.learn(rows(20, 12, 4, 0))
    many.learn(rows(5000, 12, 4, 0))
    assert [(t.size, t.placed) for t in few.active] == [(1, False), (2, False), (1, True)]
    assert [(t.size, t.placed) for t in many.active] == [(k, False) for k in range(1, 7)] + [(3, True)]


def test_what_was_written_long_ago_is_forgotten() -> None:
    critic = WordCritic(4, 8)
    critic.learn(rows(500, 8, 4, 0))
    first, later = torch.zeros(64, 8, dtype=torch.int64), rows(64, 8, 4, 0)
    critic(first)
    for _ in range(400):
        critic(later)
    letters = critic.drawn[:4] / critic.drawn[:4].sum()
    assert float(letters[0]) == pytest.approx(float((later == 0).double().mean()), abs=1e-3)
