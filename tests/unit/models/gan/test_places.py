"""Promises of what chooses places in a generator: placements and heads of motifs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from seqdesign.models.gan.motif_heads import REACH, MotifHeads, biases
from seqdesign.models.gan.places import Placement
from seqdesign.motifs.surplus import SurplusMotif
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import decode

DNA = get_alphabet("dna")
TATA = ["ACGT".index(c) for c in "TATAAAAG"]


def placement(heads: int = 1) -> Placement:
    torch.manual_seed(0)
    return Placement(16, 8, 8, heads, 5)


def heads_for(
    *motifs: SurplusMotif, tokens: Tensor | None = None, classes: Tensor | None = None
) -> MotifHeads:
    """Heads for sequences of 30 letters."""
    torch.manual_seed(0)
    num_classes = 0 if classes is None else int(classes.max()) + 1
    heads = MotifHeads(60, 30, 4, len(motifs), num_classes)
    known = torch.zeros(1, 30, dtype=torch.int64) if tokens is None else tokens
    heads.prepare(motifs, known, classes, Generator().manual_seed(0))
    return heads


def motif(word: str, share: float, places: list[float]) -> SurplusMotif:
    letters = np.array([["ACGT".index(c) for c in word]])
    probabilities = 0.97 * np.eye(4)[letters[0]] + 0.0075
    return SurplusMotif(letters, probabilities, share, np.array(places) / sum(places), 100.0)


def codes(num: int, seed: int = 0) -> Tensor:
    return torch.randn(num, 60, generator=Generator().manual_seed(seed))


def only_c(num: int, height: float) -> Tensor:
    """Logits that propose C everywhere."""
    proposed = torch.zeros(num, 4, 30)
    proposed[:, 1] = height
    return proposed


def test_a_placement_lights_one_position_and_all_positions_alike() -> None:
    """At the start: orthogonal rows make scores independent, so a chi-square test is passed."""
    z = torch.randn(8000, 16, generator=Generator().manual_seed(0))
    counts = torch.bincount(placement().score(z).argmax(1), minlength=8).double()
    assert float(((counts - 1000) ** 2 / 1000).sum()) < 24.3  # the 99.9% quantile of 7 degrees of freedom


def test_only_the_biases_of_places_are_learned() -> None:
    """Scores that follow the critic from place to place end at a few of them."""
    assert {name for name, _ in placement(2).named_parameters()} == {"bias", "paint.weight", "paint.bias"}


def test_places_stay_alike_until_a_bias_is_clear() -> None:
    """Median absolute deviation .05: up to three standard deviations, .222, from the median is chance."""
    part = Placement(16, 9, 8, 1, 5)
    z = torch.randn(3, 16, generator=Generator().manual_seed(0))
    before = part.score(z)
    chance = 3 * 1.4826 * 0.05
    with torch.no_grad():
        part.bias.copy_(0.4 + torch.tensor([0.2, -0.7, 0.05, -0.05, 0.05, -0.05, 0.0, 0.05, -0.05]))
    change = (part.score(z) - before).detach()
    expected = torch.zeros(3, 9)
    expected[:, 1] = -5 * (0.7 - chance)
    torch.testing.assert_close(change, expected, rtol=1e-3, atol=1e-5)
    part.score(z).sum().backward()
    torch.testing.assert_close(part.bias.grad, torch.full((9,), 3.0))  # doubt has a gradient, too


@pytest.mark.parametrize("share", [0.01, 0.3, 0.95])
def test_biases_give_places_their_probabilities(share: float) -> None:
    """In 400,000 draws of independent scores, for rare motifs and for one that is nearly always there."""
    rates = share * torch.tensor([0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.04, 0.01])
    scores = torch.randn(400_000, 10, generator=Generator().manual_seed(0)) + biases(rates).float()
    best = scores.max(dim=1)
    found = torch.bincount(best.indices[best.values > 0], minlength=10) / len(scores)
    torch.testing.assert_close(found, rates, rtol=0.03, atol=4 * float(rates.max() / len(scores)) ** 0.5)


def test_a_head_of_motifs_starts_with_the_share_and_the_places_of_its_motif() -> None:
    """Where a head writes, its letters are drawn whatever else is proposed; elsewhere nothing changes."""
    uneven = [1.0] * 12 + [8.0] * 11
    heads = heads_for(motif("TATAAAAG", 0.3, uneven), motif("GGTCACAC", 0.05, [1.0] * 23))
    torch.manual_seed(0)
    written = heads(codes(20_000), None, only_c(20_000, 30.0))
    drawn = torch.distributions.Categorical(logits=written.transpose(1, 2)).sample()
    texts = decode(drawn.to(torch.uint8).numpy(), DNA)
    tata, other = (np.array([t.find(w) for t in texts]) for w in ("TATAAAAG", "GGTCACAC"))
    assert np.mean(tata >= 0) == pytest.approx(0.3, abs=0.015)
    assert np.mean(other >= 0) == pytest.approx(0.05, abs=0.015)  # TATA may stand over it
    assert np.mean(tata[tata >= 0] >= 12) == pytest.approx(88 / 100, abs=0.03)
    whole = 0.9775**8  # in the others a letter is changed
    bare = (1 - 0.3 / whole) * (1 - 0.05 / whole)
    assert np.mean([t == "C" * 30 for t in texts]) == pytest.approx(bare, abs=0.02)


def test_the_share_is_right_where_scores_depend_on_each_other() -> None:
    """200 places, 5 dimensions."""
    torch.manual_seed(0)
    heads = MotifHeads(5, 200, 4, 1)
    some = motif("TATAAAAG", 0.3, [1.0] * 193)
    heads.prepare([some], torch.zeros(1, 200, dtype=torch.int64), None, Generator().manual_seed(1))
    z = torch.randn(20_000, 5, generator=Generator().manual_seed(0))
    lit = heads(z, None, torch.zeros(20_000, 4, 200)).abs().amax((1, 2)) > 0
    assert float(lit.double().mean()) == pytest.approx(0.3 / 0.9775**8, abs=0.015)


def test_a_motif_has_no_end_inside_and_a_gradient_to_its_place() -> None:
    heads = MotifHeads(60, 30, 5, 1)
    heads.prepare(
        [motif("TATAAAAG", 0.3, [1.0] * 23)], torch.zeros(2, 30, dtype=torch.int64), None, Generator()
    )
    z = codes(64).requires_grad_()
    written = heads(z, None, torch.zeros(64, 5, 30))
    (written * torch.randn(5, 30, generator=Generator().manual_seed(1))).sum().backward()
    assert z.grad is not None
    assert float(z.grad.abs().sum()) > 0
    lit = written.detach()[:, 3].amax(1) > 1
    assert int(lit.sum()) > 10
    assert bool((written.detach()[lit][:, 4].amin(1) < 0).all())
    torch.testing.assert_close(written.detach(), heads(z.detach(), None, torch.zeros(64, 5, 30)))


def test_levels_follow_the_frequency_of_each_class() -> None:
    """Of each class by itself: from three in ten to one in ten, and to six in ten."""
    classes = torch.arange(1000) % 2
    real = torch.ones(1000, 30, dtype=torch.int64)
    has = torch.cat([torch.arange(0, 100, 2), torch.arange(1, 600, 2)])  # 50 of class 0, 300 of class 1
    real[has, 10:18] = torch.tensor(TATA)
    heads = heads_for(motif("TATAAAAG", 0.3, [1.0] * 23), tokens=real, classes=classes)
    for turn in range(300):
        drawn = heads(codes(320, turn), classes[:320], only_c(320, 8.0)).argmax(1)
        heads.follow(drawn, classes[:320])
    for label, share in ((0, 0.1), (1, 0.6)):
        written = heads(codes(2000), torch.full((2000,), label), only_c(2000, 8.0))
        assert float((written[:, 3].amax(1) > 0).double().mean()) == pytest.approx(share, abs=0.05)


def test_places_follow_those_of_the_data() -> None:
    """Three in four real sites are in the second half, where the head starts with one in two."""
    real = torch.ones(1000, 30, dtype=torch.int64)
    for row in range(300):
        start = row % 12 if row % 4 == 0 else 12 + row % 11
        real[row, start : start + 8] = torch.tensor(TATA)
    heads = heads_for(motif("TATAAAAG", 0.3, [1.0] * 23), tokens=real)

    def drawn(num: int, seed: int) -> Tensor:
        return heads(codes(num, seed), None, only_c(num, 8.0)).argmax(1)

    def late() -> float:
        sites = [row.tolist().index(TATA[0]) for row in drawn(4000, 0) if row.tolist().count(TATA[0])]
        return float(np.mean([start >= 12 for start in sites]))

    assert late() == pytest.approx(11 / 23, abs=0.05)
    for turn in range(400):
        heads.follow(drawn(320, turn), None)
    assert late() == pytest.approx(0.75, abs=0.05)
    assert float(heads.tilt.abs().max()) <= REACH
