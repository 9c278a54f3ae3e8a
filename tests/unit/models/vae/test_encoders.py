"""The Transformer encoder: padding is nothing, letters and places are something."""

from __future__ import annotations

from types import SimpleNamespace

import torch


def test_padding_and_neighbours_in_a_batch_change_nothing(small: SimpleNamespace) -> None:
    model = small.vae(encoder="transformer", max_length=9)
    pad = model.vocabulary.pad
    rows = torch.tensor([[0, 1, 2, 3, pad, pad, pad], [3, 2, 1, 0, 0, 1, 2]])
    lengths = torch.tensor([4, 7])
    both = model.features(rows, lengths)
    torch.testing.assert_close(model.features(rows[:1, :4], lengths[:1])[0], both[0])
    torch.testing.assert_close(model.features(rows[1:], lengths[1:])[0], both[1])


def test_every_letter_and_its_place_matter(small: SimpleNamespace) -> None:
    model = small.vae(encoder="transformer", max_length=6, gain=2.0)
    base, lengths = torch.zeros(7, 6, dtype=torch.long), torch.full((7,), 6)
    base[range(6), range(6)] = 1  # one letter changed at each place; the last row unchanged
    codes = model.encode(base, lengths).mean
    assert (torch.cdist(codes, codes) + torch.eye(7) > 1e-4).all()


def test_an_empty_string_has_finite_features(small: SimpleNamespace) -> None:
    model = small.vae(encoder="transformer", max_length=5)
    empty = torch.full((1, 5), model.vocabulary.pad)
    assert model.features(empty, torch.tensor([0])).isfinite().all()
