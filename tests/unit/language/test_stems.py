"""Stems, counted by hand, and what they are good for."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from seqdesign.language.chain import Chains
from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.language.stems import MOST, Stems
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

COMPLEMENT, STEPS = (3, 2, 1, 0), 18


PAIRS = torch.tensor([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.7, 0.0, 0.3], [0.8, 0.0, 0.2, 0.0]])
"""Letters 2 and 3 pair with each other, too."""


def believing(*, backwards: bool = False) -> Stems:
    """Stems count, and features decide how much."""
    stems = Stems(8, STEPS, COMPLEMENT, backwards=backwards)
    torch.manual_seed(0)
    stems.odds.uniform_()
    stems.pairs.copy_(PAIRS)
    torch.nn.init.normal_(stems.change)
    stems.used = True
    return stems


def rows() -> Tensor:
    """Sequences of three letters of four, which pair often, one with a letter nobody can read."""
    found = torch.tensor([0, 2, 3, 3])[
        torch.randint(0, 4, (7, STEPS), generator=torch.Generator().manual_seed(1))
    ]
    found[0, 3] = 4
    return found


def by_hand(row: list[int], odds: Tensor) -> Tensor:
    """(R, T, V): the odds of all stems that the letter at each place would go on."""
    found = torch.zeros(MOST + 1, len(row), 4)
    for t in range(len(row)):
        for j in range(t):
            pairs = 0
            while (
                pairs < MOST
                and j + 2 * pairs + 2 < t
                and (letters := (row[t - pairs - 1], row[j + pairs + 1])) < (4, 4)
                and max(letters) < 4
                and PAIRS[letters] > 0
            ):
                pairs += 1
            if row[j] < 4:
                found[pairs, t] += odds[pairs, t - j - 1 - 2 * pairs] * PAIRS[row[j]]
    return found


@pytest.mark.parametrize("backwards", [False, True])
def test_stems_are_those_by_hand(backwards: bool) -> None:
    stems, features, chain = (
        believing(backwards=backwards),
        torch.randn(7, STEPS, 8),
        torch.randn(7, STEPS, 4),
    )
    texts = [row[::-1] if backwards else row for row in rows().tolist()]
    counts = torch.stack([by_hand(row, stems.odds) for row in texts])
    counts = counts.flip(2) if backwards else counts
    believed = F.linear(features, stems.change, stems.shift).exp()
    expected = (torch.einsum("nrtv,ntr->ntv", counts, believed) / chain.softmax(2)).log1p()
    torch.testing.assert_close(stems(features, rows(), chain), expected)
    whole = F.one_hot(rows(), 5)[:, :, :4].float()
    torch.testing.assert_close(stems(features, whole, chain), expected)
    places = torch.tensor([[3, 11]] * 7)
    some = stems(features[:, [3, 11]], rows(), chain[:, [3, 11]], places)
    torch.testing.assert_close(some, expected[:, [3, 11]])


def test_letter_by_letter_is_the_same_as_at_once() -> None:
    stems, features, chain = believing(), torch.randn(7, STEPS, 8), torch.randn(7, STEPS, 4)
    found = [stems.next(features[:, t], rows()[:, :t], chain[:, t]) for t in range(STEPS)]
    torch.testing.assert_close(torch.stack(found, 1), stems(features, rows(), chain))


def hairpins(num: int, *, own: bool = True, wobble: float = 0.0) -> Tensor:
    """30 letters, 2 to 8 random ones, 8 that pair with others over a loop of 4; ``own``: else of chance.

    wobble: how often 2 pairs with 3 where it would pair with 1.
    """
    rng = torch.Generator().manual_seed(2)
    found = torch.randint(0, 4, (num, 30), generator=rng)
    for row, first in zip(found, torch.randint(2, 9, (num,), generator=rng).tolist(), strict=True):
        if own:
            other = 3 - row[first : first + 8].flip(0)
            row[first + 12 : first + 20] = other.where(
                (other != 1) | (torch.rand(8, generator=rng) >= wobble), 3
            )
    return found


def counted(texts: Tensor) -> Stems:
    """Where a letter is as likely as any other."""
    stems = Stems(8, 30, COMPLEMENT)
    stems.count(texts, torch.zeros(*texts.shape, 4))
    return stems


@pytest.mark.parametrize("causal", [True, False])
def test_hairpins_that_nobody_has_seen_are_known_at_once(causal: bool) -> None:
    texts, features = hairpins(400), torch.zeros(100, 30, 8)
    chains, unseen = Chains(4, 8, 30, causal=causal, repeats=True, complement=COMPLEMENT), texts[300:]
    chains.count(texts[:300])
    with_stems = F.cross_entropy(chains(features, unseen).transpose(1, 2), unseen)
    for stems in chains.stems:
        stems.used = False
    without = F.cross_entropy(chains(features, unseen).transpose(1, 2), unseen)
    assert 30 * (without - with_stems) > 2.0  # nats of a sequence, of 10 that there are


def test_letters_that_pair_now_and_then_are_found() -> None:
    stems = counted(hairpins(1000, wobble=0.4))
    assert ((stems.pairs > 0).sum(), (stems.pairs.diagonal(offset=1) > 0).sum()) == (5, 2)
    assert 0.15 < stems.pairs[2, 3] < 0.5
    assert torch.equal(counted(hairpins(1000)).pairs, torch.eye(4).flip(0))


def test_chance_is_no_stem() -> None:
    stems = counted(hairpins(500, own=False))
    assert not stems.used
    assert not stems.odds.any()


def test_only_letters_with_complements_have_stems_and_a_stored_model_has_its_own() -> None:
    options = LMOptions(architecture="gru", width=8, dropout=0.0)
    dna, protein = (Vocabulary(get_alphabet(name)) for name in ("dna", "protein"))
    model, again = (SequenceLM(options, dna, 6, 6) for _ in range(2))
    assert len(SequenceLM(options, protein, 6, 6).network.chains.stems) == 0
    assert len(SequenceLM(options, dna, 6, 6, (0.0, 1.0)).network.chains.stems) == 0  # on condition
    model.network.chains.stems[0].odds[0, 3] = 0.5
    again.load_state_dict(model.state_dict())
    assert again.network.chains.stems[0].used
    older = {name: value for name, value in model.state_dict().items() if "stems" not in name}
    again.load_state_dict(older)


def test_networks_of_one_ensemble_know_the_same_stems() -> None:
    texts = hairpins(1000, wobble=0.4)
    one, other = (Chains(4, 8, 30, causal=True, repeats=True, complement=COMPLEMENT) for _ in range(2))
    one.count(texts)
    other.copy_counts(one)
    assert (one.stems[0].pairs > 0).sum() == 5  # more than complements
    features = torch.zeros(20, 30, 8)
    torch.testing.assert_close(one(features, texts[:20]), other(features, texts[:20]))
