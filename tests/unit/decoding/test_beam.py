"""Beam search (oracles 4 and 5): against plain code and against the list of all strings."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seqdesign.decoding.beam import beam_search
from seqdesign.decoding.edit_ball import EditBall
from seqdesign.decoding.greedy import greedy

FREE = -1


def test_greedy_trap_of_oracle_5(toys: SimpleNamespace) -> None:
    """Oracle 5: P(a) = .6, P(b) = .4; a -> .5/.5, b -> .9/.1. Greedy ends at .30, width 2 finds .36."""
    logits = torch.full((1, 2, 6, 3), -torch.inf)
    logits[0, 0, 3, :2] = torch.tensor([0.6, 0.4]).log()
    logits[0, 1, 0, :2] = torch.tensor([0.5, 0.5]).log()
    logits[0, 1, 1, :2] = torch.tensor([0.9, 0.1]).log()
    decoder, z = toys.TableDecoder(logits), toys.table_codes(1)
    narrow, wide = (beam_search(decoder, z, width=w) for w in (1, 2))
    assert narrow.tokens[0, 0].tolist() == [0, 0]
    assert math.exp(narrow.scores[0, 0]) == pytest.approx(0.30, abs=1e-6)
    assert wide.tokens[0].tolist() == [[1, 0], [0, 0]]
    assert wide.scores[0].exp().tolist() == pytest.approx([0.36, 0.30], abs=1e-6)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_width_one_is_greedy_to_the_last_bit(toys: SimpleNamespace, cell: str) -> None:
    decoder = toys.recurrent("ABC", 6, cell)
    z = 2 * torch.randn(1500, 3, generator=torch.Generator().manual_seed(1))
    beam, plain = beam_search(decoder, z, width=1), greedy(decoder, z)
    assert plain.lengths.unique().numel() > 2
    assert torch.equal(beam.tokens[:, 0], plain.tokens)
    assert torch.equal(beam.lengths[:, 0], plain.lengths)
    assert torch.equal(beam.scores[:, 0], plain.log_probs)


@pytest.mark.parametrize("kind", ["table", "gru", "lstm"])
def test_wide_beam_lists_all_strings_in_order(toys: SimpleNamespace, kind: str) -> None:
    """Oracle 5: width >= V^(T-1) is exhaustive. Here the beam holds every string, so the whole list is
    checked."""
    if kind == "table":
        decoder, z = toys.random_table(2, 3, 4), toys.table_codes(2)
    else:
        decoder, z = toys.recurrent("ABC", 4, kind), torch.tensor([[0.5, -1.0, 2.0]])
    everything = toys.all_strings(3, 4)
    found = beam_search(decoder, z, width=len(everything) + 5)
    for i in range(len(z)):
        expected = toys.best_of(decoder, z[i], everything)
        assert toys.strings(found.tokens[i], found.lengths[i])[: len(expected)] == [s for _, s in expected]
        assert found.scores[i, : len(expected)].tolist() == pytest.approx([p for p, _ in expected], abs=1e-5)
        assert (found.scores[i, len(expected) :] == -torch.inf).all()
        assert (found.lengths[i, len(expected) :] == 0).all()
        assert (found.tokens[i, len(expected) :] == decoder.pad).all()


def test_width_of_all_prefixes_finds_the_most_probable_string(toys: SimpleNamespace) -> None:
    """Oracle 5: V^(T-1) = 27 beams hold every prefix that can still grow when V = 3, T = 4 (no END before
    T)."""
    decoder, z = toys.random_table(5, 3, 4), toys.table_codes(5)
    decoder.table[..., decoder.end] = -torch.inf
    found = beam_search(decoder, z, width=27)
    for i in range(5):
        score, string = toys.best_of(decoder, z[i], toys.all_strings(3, 4, shortest=4))[0]
        assert tuple(found.tokens[i, 0].tolist()) == string
        assert float(found.scores[i, 0]) == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize("kind", ["table", "gru", "lstm"])
def test_probabilities_of_all_strings_sum_to_one(toys: SimpleNamespace, kind: str) -> None:
    """Oracle 4: p(x | z) over all strings of V = 3, T = 4, END included."""
    decoder = toys.random_table(1, 3, 4) if kind == "table" else toys.recurrent("ABC", 4, kind)
    z = toys.table_codes(1) if kind == "table" else torch.tensor([[0.3, -2.0, 1.0]])
    found = beam_search(decoder, z, width=120)
    assert float(found.scores.exp().sum()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_score_is_the_teacher_forced_log_probability(toys: SimpleNamespace, cell: str) -> None:
    """Oracle 4: to 1e-5, for every beam."""
    decoder = toys.recurrent("ABCD", 12, cell)
    z = torch.randn(20, 3, generator=torch.Generator().manual_seed(2))
    found = beam_search(decoder, z, width=5)
    assert found.lengths.unique().numel() > 1
    with torch.no_grad():
        expected = decoder.log_prob(
            z.repeat_interleave(5, 0), found.tokens.flatten(0, 1), found.lengths.flatten()
        )
    torch.testing.assert_close(found.scores.flatten(), expected.double(), atol=1e-5, rtol=0)


def test_ties_go_to_the_lowest_token_and_the_better_beam(toys: SimpleNamespace) -> None:
    """All strings of two letters equally probable: the beam lists them in the order of their tokens."""
    table = torch.zeros(1, 2, 7, 4)
    table[..., 3] = -torch.inf
    found = beam_search(toys.TableDecoder(table), toys.table_codes(1), width=9)
    assert found.tokens[0].tolist() == [[a, b] for a in range(3) for b in range(3)]
    narrow = beam_search(toys.TableDecoder(table), toys.table_codes(1), width=2)
    assert narrow.tokens[0].tolist() == [[0, 0], [0, 1]]
    assert greedy(toys.TableDecoder(table), toys.table_codes(1)).tokens.tolist() == [[0, 0]]


def test_chunks_and_single_codes_give_what_the_batch_gives(toys: SimpleNamespace) -> None:
    decoder, codes = toys.random_table(16, 4, 6), toys.table_codes(16)
    forced = torch.full((16, 6), FREE)
    forced[::2, 3] = 1
    originals, lengths = toys.padded([(0, 1, 2, 1, 3)] * 16, decoder)
    ball = EditBall(originals, lengths, torch.arange(16) % 4 + 1)
    bonus = torch.randn(16, 6, 5, generator=torch.Generator().manual_seed(0))
    batch = beam_search(decoder, codes, width=4, bonus=bonus, forced=forced, ball=ball)
    for chunk in (1, 7, 16):
        parts = beam_search(decoder, codes, width=4, bonus=bonus, forced=forced, ball=ball, chunk=chunk)
        assert torch.equal(parts.tokens, batch.tokens)
        assert torch.equal(parts.scores, batch.scores)
    for i in range(16):
        single = beam_search(
            decoder,
            codes[i : i + 1],
            width=4,
            bonus=bonus[i : i + 1],
            forced=forced[i : i + 1],
            ball=ball[i : i + 1],
        )
        assert torch.equal(single.tokens[0], batch.tokens[i])
        assert torch.equal(single.scores[0], batch.scores[i])


def test_a_network_decodes_singles_as_it_decodes_a_batch(toys: SimpleNamespace) -> None:
    decoder = toys.recurrent("ABCD", 10)
    z = torch.randn(12, 3, generator=torch.Generator().manual_seed(3))
    batch = beam_search(decoder, z, width=4)
    for i in range(12):
        single = beam_search(decoder, z[i : i + 1], width=4)
        assert torch.equal(single.tokens[0], batch.tokens[i])
        torch.testing.assert_close(single.scores[0], batch.scores[i], atol=1e-5, rtol=0)


def test_no_codes_give_no_strings(toys: SimpleNamespace) -> None:
    found = beam_search(toys.recurrent("AB", 5), torch.zeros(0, 3), width=3)
    assert found.tokens.shape == (0, 3, 5)
    assert found.scores.shape == found.lengths.shape == (0, 3)


def test_bonus_changes_the_distribution_that_is_searched(toys: SimpleNamespace) -> None:
    """A bonus on the logits equals a table with those logits."""
    decoder, z = toys.random_table(3, 3, 4), toys.table_codes(3)
    bonus = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(4))
    changed = toys.TableDecoder(decoder.table + bonus[:, :, None])
    with_bonus, expected = beam_search(decoder, z, width=6, bonus=bonus), beam_search(changed, z, width=6)
    assert torch.equal(with_bonus.tokens, expected.tokens)
    assert torch.equal(with_bonus.scores, expected.scores)
    assert not torch.equal(with_bonus.tokens, beam_search(decoder, z, width=6).tokens)


@pytest.mark.parametrize(
    "pattern",
    [(FREE, 2, FREE, FREE), (1, FREE, FREE, 0), (FREE, FREE, FREE, 2), (FREE, 0, 3, FREE), (2, 1, 0, 2)],
    ids=str,
)
def test_forced_tokens_leave_exactly_the_strings_that_have_them(
    toys: SimpleNamespace, pattern: tuple[int, ...]
) -> None:
    """Against the list of all strings of V = 3, T = 4; token 3 is END, here a forced length."""
    decoder, z = toys.random_table(1, 3, 4, seed=5), toys.table_codes(1)
    admitted = [
        s
        for s in toys.all_strings(3, 4)
        if all(want in (FREE, have) for want, have in zip(pattern, (*s, 3, 3, 3), strict=False))
        and (3 not in pattern or len(s) == pattern.index(3))
        and (3 in pattern or len(s) > max(i for i, want in enumerate(pattern) if want != FREE))
    ]
    assert admitted
    found = beam_search(decoder, z, width=120, forced=torch.tensor([pattern]))
    expected = toys.best_of(decoder, z[0], admitted)
    assert toys.strings(found.tokens[0], found.lengths[0])[: len(expected)] == [s for _, s in expected]
    assert found.scores[0, : len(expected)].tolist() == pytest.approx([p for p, _ in expected], abs=1e-5)
    assert (found.scores[0, len(expected) :] == -torch.inf).all()
    narrow = beam_search(decoder, z, width=1, forced=torch.tensor([pattern]))
    assert tuple(narrow.tokens[0, 0, : narrow.lengths[0, 0]].tolist()) in admitted


def test_arguments_are_left_as_they_are(toys: SimpleNamespace) -> None:
    decoder, z = toys.random_table(2, 3, 4), toys.table_codes(2)
    originals, lengths = toys.padded([(0, 1), (2, 2, 1)], decoder)
    given = [z, torch.zeros(2, 4, 4), torch.full((2, 4), FREE), originals, lengths, torch.tensor([1, 2])]
    before = [x.clone() for x in given]
    beam_search(decoder, z, width=3, bonus=given[1], forced=given[2], ball=EditBall(*given[3:]))
    assert all(torch.equal(x, y) for x, y in zip(given, before, strict=True))


def test_half_precision_logits_are_normalised_in_float32(toys: SimpleNamespace) -> None:
    decoder, z = toys.random_table(4, 3, 4), toys.table_codes(4)
    half = toys.TableDecoder(decoder.table.to(torch.bfloat16))
    rounded = toys.TableDecoder(half.table.float())
    assert torch.equal(beam_search(half, z, width=5).scores, beam_search(rounded, z, width=5).scores)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, r"width must be at least 1, got 0"),
        ({"bonus": torch.zeros(2, 5, 4)}, r"bonus must have shape \(2, 4, 4\), got \(2, 5, 4\)"),
        ({"forced": torch.zeros(2, 3).long()}, r"forced must have shape \(2, 4\), got \(2, 3\)"),
        ({"forced": torch.full((2, 4), 4)}, r"-1 .. 3"),
        ({"ball": (1, 1)}, r"one original for each of the 2 codes, got 1"),
        ({"ball": (2, -1)}, r"max_edits must be at least 0, got -1"),
    ],
    ids=["width", "bonus", "forced-shape", "forced-token", "ball-size", "ball-edits"],
)
def test_arguments_that_do_not_fit_are_refused(
    toys: SimpleNamespace, arguments: dict[str, Any], message: str
) -> None:
    if "ball" in arguments:
        n, edits = arguments["ball"]
        originals, lengths = torch.zeros(n, 4).long(), torch.ones(n).long()
        arguments = {"ball": EditBall(originals, lengths, torch.full((n,), edits))}
    decoder, z = toys.random_table(2, 3, 4), toys.table_codes(2)
    with pytest.raises(ValueError, match=message):
        beam_search(decoder, z, **{"width": 2, **arguments})
