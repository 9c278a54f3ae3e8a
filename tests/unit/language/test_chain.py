"""Counts of words inside a language model, checked against counting by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seqdesign.language.chain import STRETCH, Chain, Chains, order_for, placed_order_for
from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.data import TokenData

SIZE, PAD = 3, 4


def words(num: int = 60, length: int = 9, seed: int = 0) -> Tensor:
    """Sequences in which 0 1 is often followed by 2; some are shorter, some have a letter nobody can read."""
    rng = torch.Generator().manual_seed(seed)
    rows = torch.randint(0, SIZE, (num, length), generator=rng)
    rows[::2, 3:6] = torch.tensor([0, 1, 2])
    rows[::5, 7:] = PAD
    rows[::7, 2] = SIZE
    return rows


def by_hand(
    chain: Chain, rows: Tensor, context: list[int], place: int, strengths: list[float],
    *, less: int | None = None,
) -> Tensor:  # fmt: skip
    """Probabilities (up to a factor) at a place, behind (before) a context, nearest letter last, optionally
    without one letter there.
    """
    anywhere, ratio = torch.full((SIZE,), 1 / SIZE, dtype=torch.float64), 1.0
    texts = [row.flip(0).tolist() if chain.backwards else row.tolist() for row in rows]
    for k in range(len(context) + 1):
        near = context[len(context) - k :]
        counts, here = torch.zeros(SIZE, dtype=torch.float64), torch.zeros(SIZE, dtype=torch.float64)
        for text in texts:
            for t in range(k, len(text)):
                if text[t] < SIZE and text[t - k : t] == near:
                    counts[text[t]] += 1
                    position = len(text) - 1 - t if chain.backwards else t
                    here[text[t]] += position // STRETCH == place // STRETCH
        if less is not None:
            counts[less] -= 1
            here[less] -= 1
        anywhere = (counts + strengths[k] * anywhere) / (counts.sum() + strengths[k])
        if k <= chain.placed:
            prior = anywhere * ratio / (anywhere * ratio).sum()
            ratio = (here + 16 * prior) / (here.sum() + 16) / anywhere
    return anywhere * ratio


def fixed(monkeypatch: pytest.MonkeyPatch, strengths: list[float]) -> None:
    """These s_k, and s = 16 for places, of contexts of up to 3 letters."""
    given = iter(strengths)
    monkeypatch.setattr("seqdesign.language.chain._strength", lambda counts, left_out: next(given))
    monkeypatch.setattr("seqdesign.language.counts.PLACED_STRENGTHS", (16.0,))
    monkeypatch.setattr("seqdesign.language.chain.MOST_PLACED", 2 * (3 + 9 + 27 + 81))


@pytest.mark.parametrize("backwards", [False, True])
def test_tables_are_counts(monkeypatch: pytest.MonkeyPatch, backwards: bool) -> None:
    strengths = [1.0 + k for k in range(order_for(SIZE) + 1)]
    fixed(monkeypatch, strengths)
    rows, chain = words(), Chain(SIZE, 9, backwards=backwards)
    assert chain.placed == 3
    chain.count(rows)
    assert chain.without is not None
    said, taught = chain(rows).exp().double(), chain(rows, rows).exp().double()
    for i, t in ((0, 4), (1, 5), (0, 6), (2, 0), (5, 6), (7, 3), (14, 3), (1, 8)):
        text = rows[i].flip(0).tolist() if backwards else rows[i].tolist()
        place = len(text) - 1 - t if backwards else t
        context = text[:place]
        while context and max(context) >= SIZE:
            context = context[1:]
        expected = by_hand(chain, rows, context, t, strengths)
        torch.testing.assert_close(said[i, t], expected, rtol=1e-5, atol=1e-7)
        expected = by_hand(chain, rows, context, t, strengths, less=int(rows[i, t]))
        torch.testing.assert_close(taught[i, t], expected, rtol=1e-5, atol=1e-7)


def test_what_is_said_letter_by_letter_is_what_is_said_at_once() -> None:
    rows, chain = words(), Chain(SIZE, 9, backwards=False)
    chain.count(rows)
    torch.testing.assert_close(torch.stack([chain.next(rows[:, :t]) for t in range(9)], 1), chain(rows))


def test_strengths_follow_the_data() -> None:
    """Words that are always the same are believed, noise is not."""
    rng = torch.Generator().manual_seed(1)
    noise = torch.randint(0, 4, (500, 20), generator=rng)
    always = torch.tensor([0, 1, 2, 3, 0, 2, 1, 3]).repeat(500, 3)
    found = []
    for rows in (noise, always):
        chain = Chain(4, 24, backwards=False)
        chain.count(rows)
        held_out = torch.randint(0, 4, (200, 20), generator=rng) if rows is noise else rows[:200]
        said = chain(held_out).log_softmax(2).gather(2, held_out[:, :, None])
        found.append(float(-said[:, 3:].mean()))
    assert found[0] == pytest.approx(math.log(4), abs=0.02)  # 7 letters of context, and nothing worse for it
    assert found[1] < 0.4


def test_a_word_is_written_where_it_stands() -> None:
    """One of three sequences has 0 1 2 3 0 in places 16 to 20; others have it anywhere, by chance."""
    rng = torch.Generator().manual_seed(2)
    rows = torch.randint(0, 4, (3000, 40), generator=rng)
    rows[::3, 16:21] = torch.tensor([0, 1, 2, 3, 0])
    chain = Chain(4, 40, backwards=False)
    chain.count(rows)
    written = torch.randint(0, 4, (4000, 40), generator=rng)
    for t in range(40):
        written[:, t] = chain.next(written[:, :t]).softmax(1).multinomial(1, generator=rng)[:, 0]
    word = (written.unfold(1, 5, 1) == torch.tensor([0, 1, 2, 3, 0])).all(2).double().mean(0)
    assert word[9:24].sum() > 0.25
    assert word[:9].sum() + word[24:].sum() < 0.1


def test_places_are_left_out_where_they_would_be_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, placed = words(), Chain(SIZE, 9, backwards=False)
    monkeypatch.setattr("seqdesign.language.chain.MOST_PLACED", 1)
    chain = Chain(SIZE, 9, backwards=False)
    assert chain.placed == -1
    for each in (chain, placed):
        each.count(rows)
    torch.testing.assert_close(chain.table, placed.table)
    torch.testing.assert_close(chain(rows).exp().sum(2), torch.ones(60, 9))
    torch.testing.assert_close(torch.stack([chain.next(rows[:, :t]) for t in range(9)], 1), chain(rows))
    assert chain(rows, rows).isfinite().all()


@pytest.mark.parametrize("backwards", [False, True])
def test_a_soft_letter_changes_what_is_said_to_first_order(backwards: bool) -> None:
    rows, chain = words(6)[1:2], Chain(SIZE, 9, backwards=backwards)
    chain.count(words())
    shares = torch.nn.functional.one_hot(rows.clamp(max=SIZE), SIZE + 1)[:, :, :SIZE].double()
    torch.testing.assert_close(chain(shares).float(), chain(rows))
    other = rows.clone()
    other[0, 4] = (rows[0, 4] + 1) % SIZE
    step = 0.1 * (torch.nn.functional.one_hot(other, SIZE).double() - shares)
    expected = chain(rows) + 0.1 * (chain(other) - chain(rows))
    torch.testing.assert_close(chain(shares + step).float(), expected, atol=1e-5, rtol=1e-5)


def test_a_letter_is_not_told_by_itself() -> None:
    """In training a word that occurs once says nothing, afterwards it does."""
    rows = torch.tensor([[0, 0, 0, 0, 0, 0]] * 50 + [[1, 2, 1, 2, 3, 3]])
    options = LMOptions(architecture="gru", width=8, dropout=0.0)
    model = SequenceLM(options, Vocabulary(get_alphabet("dna")), 6, 6)
    data = TokenData(rows, torch.full((51,), 6), torch.full((51,), math.nan))
    model.count(data)
    with torch.no_grad():
        learning, afterwards = (
            float(model.train(mode).log_prob_letters(rows[-1:])) for mode in (True, False)
        )
    assert learning < afterwards - 1


def test_orders_and_weights() -> None:
    assert [order_for(size) for size in (2, 4, 20, 60, 200)] == [14, 7, 3, 1, 0]
    assert [placed_order_for(4, stretches) for stretches in (2, 13, 125, 10_000)] == [7, 5, 4, 1]
    assert [placed_order_for(size, 10) for size in (20, 60, 200, 3000)] == [2, 1, 0, -1]
    for causal in (True, False):
        rows, chains = words(), Chains(SIZE, 5, 9, causal=causal, repeats=False)
        chains.count(rows)
        both = [chain(rows) for chain in chains.each]
        expected = torch.stack(both).mean(0) + chains.sites.table
        torch.testing.assert_close(chains(torch.randn(60, 9, 5), rows), expected)
