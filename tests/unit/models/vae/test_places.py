"""Attention between places and slots."""

from __future__ import annotations

import pytest
import torch

from seqdesign.models.vae.places import MAX_SLOTS, Places, Pooling, near, num_slots


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
