"""Promises of the closed-form critic of word frequencies, against counting by hand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from itertools import pairwise

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

from seqdesign.models.gan.words import MEMORY, PLACED, WordCritic, _witness

Word = tuple[int, ...]


def rows(num: int, length: int, symbols: int, seed: int) -> Tensor:
    """Symbol 0 is more frequent the larger the seed."""
    rng = Generator().manual_seed(seed)
    return torch.randint(symbols + seed, (num, length), generator=rng).sub(seed).clamp(min=0)


def counts(tokens: Tensor, size: int, stretches: int) -> Counter[Word]:
    """Words, with the stretch of positions that they are in before them."""
    windows = tokens.shape[1] - size + 1
    return Counter(
        (i * stretches // windows, *row[i : i + size]) for row in tokens.tolist() for i in range(windows)
    )


def weight(drawn: Counter[Word], real: Counter[Word], word: Word) -> float:
    """Log ratio w, one word added, times w^2 / (w^2 + 4 v), v = 1 / (4 n); both memories are alike here."""
    n, m = drawn.total(), real.total()
    here = drawn[word] + 1
    middle = (drawn[word] + real[word] * n / m) / 2 + 1
    ratio = math.log(here / middle)
    return ratio**3 / (ratio**2 + 4 / (4 * middle)) if ratio else 0.0


def score(row: Tensor, drawn: Tensor, real: Tensor, critic: WordCritic, sizes: Collection[int]) -> float:
    """Sum over the words of one sequence, by hand; 1/k because each letter of a word has its share."""
    total = 0.0
    for t in (t for t in critic.tables if t.size in sizes):
        for stretches in {1, t.stretches}:
            here, there = (counts(x, t.size, stretches) for x in (drawn, real))
            found = counts(row[None], t.size, stretches)
            ratio = sum(n * weight(here, there, word) for word, n in found.items())
            total += ratio * (PLACED if stretches > 1 else 1) / 6
    return total


@pytest.fixture
def learned() -> tuple[WordCritic, Tensor, Tensor]:
    real, drawn = rows(400, 6, 3, 0), rows(20, 6, 3, 1)
    critic = WordCritic(3, 6, len(real))
    critic.learn(real)
    return critic, real, drawn


def test_the_slopes_of_the_letters_of_a_sequence_add_up_to_the_weight_of_its_words(
    learned: tuple[WordCritic, Tensor, Tensor],
) -> None:
    critic, real, drawn = learned
    found = (critic(drawn) * functional.one_hot(drawn, 3).transpose(1, 2)).sum((1, 2))
    wanted = [score(row, drawn, real, critic, range(1, 7)) for row in drawn]
    torch.testing.assert_close(found, torch.tensor(wanted), rtol=1e-4, atol=1e-4)


def test_a_slope_says_what_another_letter_would_change(learned: tuple[WordCritic, Tensor, Tensor]) -> None:
    """With words of one size only, times that size: every word over the position counts once."""
    critic, real, drawn = learned
    weigh = critic._weigh
    critic._weigh = lambda table: weigh(table) * (table.size == 3)  # type: ignore[method-assign]
    slope = critic(drawn)
    for position, symbol in ((0, 2), (3, 1), (5, 0)):
        other = drawn[0].clone()
        other[position] = symbol
        change = score(other, drawn, real, critic, [3]) - score(drawn[0], drawn, real, critic, [3])
        found = slope[0, symbol, position] - slope[0, drawn[0, position], position]
        assert float(found) * 3 == pytest.approx(change, abs=1e-4)


def test_frequencies_that_agree_pull_nowhere() -> None:
    real = rows(MEMORY, 8, 4, 0)
    critic = WordCritic(4, 8, len(real))
    critic.learn(real)
    torch.testing.assert_close(critic(real), torch.zeros(MEMORY, 4, 8), rtol=0, atol=1e-6)


def test_tables_are_as_fine_as_the_data_allow() -> None:
    """At least 4 training words per entry anywhere and 8 at each stretch; single letters always count."""

    def of(num: int, symbols: int = 4, length: int = 12) -> list[tuple[int, int]]:
        return [(t.size, t.stretches) for t in WordCritic(symbols, length, num).tables]

    assert of(0) == []
    assert of(20) == [(1, 12), (2, 1)]
    assert of(400) == [(1, 12), (2, 11), (3, 7), (4, 1)]
    assert of(100_000) == [(1, 12), (2, 11), (3, 10), (4, 9), (5, 8), (6, 7)]
    assert of(100_000, length=60)[-1] == (6, 16)  # 65,536 frequencies
    assert of(3000, symbols=21, length=34) == [(1, 34), (2, 28), (3, 1)]


def test_what_was_written_long_ago_is_forgotten() -> None:
    critic = WordCritic(4, 8, 500)
    critic.learn(rows(500, 8, 4, 0))
    first, later = torch.zeros(64, 8, dtype=torch.int64), rows(64, 8, 4, 0)
    critic(first)
    for _ in range(400):
        critic(later)
    letters = critic.drawn[0, : 8 * 4].view(8, 4).sum(0) / critic.drawn[0, : 8 * 4].sum()
    assert float(letters[0]) == pytest.approx(float((later == 0).double().mean()), abs=1e-3)


def test_weights_are_taken_anew_now_and_then() -> None:
    """After 256 sequences; the first ones count at once."""
    critic = WordCritic(4, 8, 500)
    critic.learn(rows(500, 8, 4, 0))
    seen = []
    for seed in range(6):
        critic(rows(64, 8, 4, seed))
        seen.append(critic.weights.clone())
    assert float(seen[0].abs().max()) > 0
    assert [bool(torch.equal(a, b)) for a, b in pairwise(seen)] == [True, True, True, False, True]


def test_a_word_has_a_weight_where_both_memories_agree() -> None:
    """The long memory is late; what it says counts only as far as the short one says so, too."""
    real = torch.full((1, 4), 1000.0)
    often, seldom, right = (torch.tensor([n, 1000.0, 1000.0, 1000.0]) for n in (4000.0, 300.0, 1000.0))

    def first(short: Tensor, long: Tensor) -> float:
        return float(_witness(torch.stack([short, 8 * long])[:, None], real)[0, 0])

    assert first(often, often) > 0.2
    assert first(seldom, seldom) < -0.2
    assert first(right, often) == first(seldom, often) == first(often, seldom) == 0
    assert 0 < first(torch.tensor([1100.0, 1000.0, 1000.0, 1000.0]), often) < 0.1
