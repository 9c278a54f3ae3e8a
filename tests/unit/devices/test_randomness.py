"""Random numbers by seed, purpose and numbers."""

from __future__ import annotations

import torch

from seqdesign.devices.randomness import generator, key


def test_a_key_depends_on_everything_and_fits_a_generator() -> None:
    keys = {key(0, "noise", 1, 2), key(1, "noise", 1, 2), key(0, "order", 1, 2), key(0, "noise", 2, 1)}
    assert len(keys) == 4
    assert all(0 <= k < 2**63 for k in keys)
    assert key(0, "noise", 1, 2) == key(0, "noise", 1, 2)


def test_a_generator_repeats_its_numbers() -> None:
    first, again = (torch.rand(3, generator=generator(5)) for _ in range(2))
    assert torch.equal(first, again)
