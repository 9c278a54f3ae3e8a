"""Attention between places and slots."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from seqdesign.models.vae.places import MAX_SLOTS, Places, Pooling, near, num_slots, owned


@pytest.mark.parametrize(("places", "slots"), [(1, 1), (2, 1), (9, 5), (100, 50), (1000, MAX_SLOTS)])
def test_there_is_a_slot_for_two_places_and_no_more_than_so_many(places: int, slots: int) -> None:
    assert num_slots(places) == slots


def test_each_slot_starts_at_a_stretch_of_its_own() -> None:
    best = near(5, 10).argmax(1)
    assert best.tolist() == sorted(set(best.tolist()))
    assert (near(5, 10).argmax(0).diff() >= 0).all()


def test_a_place_alone_sees_what_it_sees_among_all() -> None:
    torch.manual_seed(0)
    places, z = Places(3, 4, 7), torch.randn(5, 3)
    together = places(z, 7)
    for t in range(7):
        torch.testing.assert_close(places.at(z, t), together[:, t])


def test_nothing_outside_a_sequence_is_pooled() -> None:
    torch.manual_seed(0)
    pooling, x = Pooling(4, 6), torch.randn(2, 6, 4)
    inside = torch.tensor([[True] * 3 + [False] * 3, [True] * 6])
    found = pooling(x, inside)
    x[0, 3:] = 100.0
    assert torch.equal(pooling(x, inside), found)
    x[0, 2] = 100.0
    assert not torch.equal(pooling(x, inside)[0], found[0])


@pytest.mark.parametrize(("dims", "slots"), [(7, 3), (3, 7), (4, 4)])
def test_every_dimension_and_every_slot_is_owned(dims: int, slots: int) -> None:
    own = owned(dims, slots)
    assert own.any(0).all()
    assert own.any(1).all()
    assert (own.sum(1) == 1).all() or (own.sum(0) == 1).all()


@pytest.mark.parametrize(("dims", "slots"), [(24, 12), (4, 12)])
def test_a_letter_first_moves_the_dimensions_of_its_own_stretch(
    small: SimpleNamespace, dims: int, slots: int
) -> None:
    """And the decoder hears of a dimension at its own stretch: without training, by the initial weights."""
    model = small.vae(encoder="transformer", decoder="transformer", max_length=24, latent_dim=dims, hidden=64)
    tokens = torch.randint(3, (1, 24), generator=small.generator()).repeat(2, 1)
    tokens[1, 10] = (tokens[0, 10] + 1) % 3
    mean = model.encode(tokens, torch.tensor([24, 24])).mean
    moved = (mean[1] - mean[0]).square()
    own = owned(dims, slots)[:, 4:7].any(1)  # the slots of places 8 to 13
    assert moved[own].sum() > 0.7 * moved.sum()
    z = torch.zeros(2, dims)
    z[1, own] = 1.0
    heard = (model.decoder.context(z, 24)[1] - model.decoder.context(z, 24)[0]).square().sum(1)
    assert heard[8:14].mean() > 1.5 * heard.mean()
