"""The edit ball against all strings of the alphabet and a textbook edit distance."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from seqdesign.decoding.beam import BeamResult, beam_search
from seqdesign.decoding.edit_ball import EditBall

FREE, END, UNKNOWN = -1, 3, 5
FAR_AWAY = 99

ORIGINALS = [
    (0,), (2, 1), (0, 1, 2), (1, 1, 1), (0, 1, 0, 1), (2, 2, 1, 0), (0, 1, 2, 0, 1), (0, 0, 0, 0, 0),
]  # fmt: skip


def found_strings(toys: SimpleNamespace, result: BeamResult, i: int) -> list[tuple[int, ...]]:
    """The strings of one code that were found; those that were not have no letters."""
    possible = result.scores[i] > -torch.inf
    assert (result.lengths[i][~possible] == 0).all()
    return toys.strings(result.tokens[i][possible], result.lengths[i][possible])


@pytest.mark.parametrize("max_length", [5, 6])
@pytest.mark.parametrize("edits", [0, 1, 2, 3, 9])
def test_wide_beam_finds_the_whole_ball_and_nothing_else(
    toys: SimpleNamespace, edits: int, max_length: int
) -> None:
    """V = 3: every original of 1 to 5 letters in the list, substitutions, insertions and deletions."""
    n = len(ORIGINALS)
    decoder, z = toys.random_table(n, 3, max_length), toys.table_codes(n)
    ball = EditBall(*toys.padded(ORIGINALS, decoder), torch.full((n,), edits))
    everything = toys.all_strings(3, max_length)
    result = beam_search(decoder, z, width=len(everything), ball=ball)
    for i, original in enumerate(ORIGINALS):
        expected = {s for s in everything if toys.edit_distance(s, original) <= edits}
        found = found_strings(toys, result, i)
        assert len(found) == len(set(found))
        assert set(found) == expected
        assert found[0] == toys.best_of(decoder, z[i], list(expected))[0][1]


@pytest.mark.parametrize("width", [1, 363])
@pytest.mark.parametrize("edits", [0, 1, 2, 9])
def test_without_indels_the_ball_is_that_of_hamming(toys: SimpleNamespace, edits: int, width: int) -> None:
    """Strings of the original's length with at most that many substitutions; a narrow beam finds one too."""
    n = len(ORIGINALS)
    decoder, z = toys.random_table(n, 3, 5, seed=12), toys.table_codes(n)
    ball = EditBall(*toys.padded(ORIGINALS, decoder), torch.full((n,), edits), indels=False)
    forced = torch.full((n, 5), FREE)
    forced[1, 1] = 0
    result = beam_search(decoder, z, width=width, ball=ball, forced=forced)
    for i, original in enumerate(ORIGINALS):
        expected = {
            s
            for s in toys.all_strings(3, len(original), shortest=len(original))
            if sum(a != b for a, b in zip(s, original, strict=True)) <= edits and (i != 1 or s[1] == 0)
        }
        found = set(found_strings(toys, result, i))
        assert found <= expected
        assert len(found) == min(width, len(expected))


@pytest.mark.parametrize("width", [1, 2, 3])
def test_narrow_beam_never_runs_into_a_dead_end(toys: SimpleNamespace, width: int) -> None:
    """300 random codes of full-length originals, where each insertion needs a deletion later on."""
    n, length = 300, 5
    decoder, z = toys.random_table(n, 3, length, seed=1), toys.table_codes(n)
    generator = torch.Generator().manual_seed(0)
    originals = torch.randint(0, 3, (n, length), generator=generator)
    edits = torch.randint(1, 4, (n,), generator=generator)
    result = beam_search(decoder, z, width=width, ball=EditBall(originals, torch.full((n,), length), edits))
    assert (result.scores > -torch.inf).all()
    for i in range(n):
        for string in found_strings(toys, result, i):
            assert toys.edit_distance(string, tuple(originals[i].tolist())) <= int(edits[i])


def test_each_original_has_its_own_budget(toys: SimpleNamespace) -> None:
    """One call with budgets 0 to 4 gives what one call for each gives."""
    decoder, z = toys.random_table(5, 3, 5, seed=2), toys.table_codes(5)
    originals, lengths = toys.padded([(0, 1, 2), (2, 2), (1, 0, 1, 0), (2,), (0, 0, 1, 1, 2)], decoder)
    budgets = torch.tensor([0, 3, 1, 4, 2])
    together = beam_search(decoder, z, width=7, ball=EditBall(originals, lengths, budgets))
    for i in range(5):
        alone = beam_search(
            decoder,
            z[i : i + 1],
            width=7,
            ball=EditBall(originals[i : i + 1], lengths[i : i + 1], budgets[i : i + 1]),
        )
        assert torch.equal(alone.tokens[0], together.tokens[i])
        assert torch.equal(alone.scores[0], together.scores[i])


def test_no_edits_return_the_original(toys: SimpleNamespace) -> None:
    decoder = toys.recurrent("ABC", 6)
    originals, lengths = toys.padded(ORIGINALS, decoder)
    z = torch.randn(len(ORIGINALS), 3, generator=torch.Generator().manual_seed(1))
    ball = EditBall(originals.to(torch.uint8), lengths, torch.zeros(len(ORIGINALS)).long())
    result = beam_search(decoder, z, width=4, ball=ball)
    assert torch.equal(result.tokens[:, 0], originals)
    assert (result.scores[:, 0] > -torch.inf).all()
    assert (result.scores[:, 1:] == -torch.inf).all()


@pytest.mark.parametrize("edits", [0, 1, 2, 3])
def test_unknown_letters_cost_one_edit_to_replace(toys: SimpleNamespace, edits: int) -> None:
    """UNKNOWN equals no letter; an original with more of them than the budget has an empty ball."""
    originals = [(0, UNKNOWN, 2), (UNKNOWN, UNKNOWN), (UNKNOWN, 1, 1, UNKNOWN)]
    decoder, z = toys.random_table(3, 3, 4, seed=3), toys.table_codes(3)
    assert decoder.unknown == UNKNOWN
    ball = EditBall(*toys.padded(originals, decoder), torch.full((3,), edits))
    everything = toys.all_strings(3, 4)
    result, narrow = (beam_search(decoder, z, width=w, ball=ball) for w in (len(everything), 1))
    for i, original in enumerate(originals):
        expected = {s for s in everything if toys.edit_distance(s, original) <= edits}
        assert set(found_strings(toys, result, i)) == expected
        assert len(found_strings(toys, narrow, i)) == min(1, len(expected))


@pytest.mark.parametrize("edits", [0, 1, 2, 4])
def test_forced_positions_and_ball_together(toys: SimpleNamespace, edits: int) -> None:
    """Against all strings that are in the ball and have the forced tokens; END forces a length.

    The narrow beam finds one whenever there is one: the way back into the ball knows the forced tokens.
    """
    cases = [
        ((0, 1, 2), (0, FREE, 2, FREE, FREE)),
        ((0, 1, 2), (FREE, FREE, FREE, FREE, 1)),
        ((2, 2, 1, 0), (FREE, 2, FREE, 0, FREE)),
        ((1, 1, 1, 0, 2), (FREE, FREE, FREE, FREE, 2)),
        ((1, 1, 1, 0, 2), (1, FREE, FREE, END, FREE)),
        ((0, 1), (FREE, FREE, FREE, FREE, END)),
        ((0, 1, 0, 1, 0), (1, 0, FREE, FREE, FREE)),
    ]
    repeats = 8
    n = len(cases) * repeats
    decoder, z = toys.random_table(n, 3, 5, seed=4), toys.table_codes(n)
    originals, lengths = toys.padded([original for original, _ in cases] * repeats, decoder)
    forced = torch.tensor([pattern for _, pattern in cases] * repeats)
    ball = EditBall(originals, lengths, torch.full((n,), edits))
    everything = toys.all_strings(3, 5)
    wide = beam_search(decoder, z, width=len(everything), forced=forced, ball=ball)
    narrow = beam_search(decoder, z, width=1, forced=forced, ball=ball)
    admitted = [
        {s for s in everything if toys.edit_distance(s, original) <= edits and has_tokens(s, pattern)}
        for original, pattern in cases
    ]
    assert any(admitted)
    for i in range(n):
        expected = admitted[i % len(cases)]
        assert set(found_strings(toys, wide, i)) == expected
        assert len(found_strings(toys, narrow, i)) == min(1, len(expected))


def has_tokens(string: tuple[int, ...], pattern: tuple[int, ...]) -> bool:
    """Whether the string and its END show every forced token; positions after a forced END do not count."""
    shown = (*string, END)
    if END in pattern and len(string) != pattern.index(END):
        return False
    return all(
        want == FREE or (t < len(shown) and shown[t] == want)
        for t, want in enumerate(pattern[: pattern.index(END) + 1] if END in pattern else pattern)
    )


def test_originals_longer_than_max_length_are_cut_within_the_budget(toys: SimpleNamespace) -> None:
    """An original of 6 letters for a decoder of 4: at least two deletions."""
    decoder, z = toys.random_table(3, 3, 4, seed=5), toys.table_codes(3)
    original = (0, 1, 2, 2, 1, 0)
    ball = EditBall(torch.tensor([original] * 3), torch.tensor([6] * 3), torch.tensor([1, 2, 3]))
    everything = toys.all_strings(3, 4)
    result = beam_search(decoder, z, width=len(everything), ball=ball)
    for i, edits in enumerate((1, 2, 3)):
        expected = {s for s in everything if toys.edit_distance(s, original) <= edits}
        assert bool(expected) == (edits > 1)
        assert set(found_strings(toys, result, i)) == expected


def test_scores_in_the_ball_are_those_without_it(toys: SimpleNamespace) -> None:
    decoder = toys.recurrent("ABC", 6, "lstm")
    originals, lengths = toys.padded([(0, 1, 2, 0), (2, 2)], decoder)
    z = torch.randn(2, 3, generator=torch.Generator().manual_seed(2))
    result = beam_search(decoder, z, width=5, ball=EditBall(originals, lengths, torch.tensor([2, 1])))
    with torch.no_grad():
        expected = decoder.log_prob(
            z.repeat_interleave(5, 0), result.tokens.flatten(0, 1), result.lengths.flatten()
        )
    torch.testing.assert_close(result.scores.flatten(), expected.double(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("indels", [True, False])
@pytest.mark.parametrize("edits", [0, 1, 2, 3])
def test_contains_agrees_with_the_textbook_distance(toys: SimpleNamespace, edits: int, indels: bool) -> None:
    """All strings of at most four letters, with one original that has an unknown letter."""
    decoder = toys.random_table(1, 3, 5)
    strings = [s for s in toys.all_strings(3, 4) if s]
    for original in [*ORIGINALS, (0, UNKNOWN, 1)]:
        tokens, lengths = toys.padded([original] * len(strings), decoder)
        ball = EditBall(tokens, lengths, torch.full((len(strings),), edits), indels)
        found = ball.contains(*toys.padded(strings, decoder), END).tolist()
        for string, inside in zip(strings, found, strict=True):
            same = len(string) == len(original)
            far = sum(a != b for a, b in zip(string, original, strict=False))
            expected = toys.edit_distance(string, original) if indels else far if same else FAR_AWAY
            assert inside == (expected <= edits), (string, original)
