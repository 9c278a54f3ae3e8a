"""Letters that are written one after the other are one launch on a GPU, and the same letters.

The GPU is a real one or the simulated one (``seqdesign.testing.simulated_gpu``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from seqdesign.decoding.adaptive import adaptive_bonus
from seqdesign.decoding.beam import beam_search
from seqdesign.decoding.edit_ball import EditBall
from seqdesign.decoding.greedy import greedy
from seqdesign.decoding.sample import sample
from seqdesign.devices import capture
from seqdesign.devices.randomness import generator
from seqdesign.models.lm.sampling import draw
from seqdesign.models.vae.design import DesignVAE
from seqdesign.testing.operations import count_operations
from seqdesign.testing.simulated_gpu import SimulatedGPU
from tests.contracts.test_hot_loops import VOCABULARY, lm, vae
from tests.contracts.test_simulated_gpu import deterministic, some_slow

pytestmark = pytest.mark.device
DEVICE = torch.device("cuda", 0)
LENGTH = 7
Write = Callable[[int, Generator], dict[str, Tensor]]
"""What is written for N codes or lengths."""


def of_vae(kind: str) -> dict[str, Write]:
    """All that write letter by letter with the decoder of a VAE."""
    decoder = vae(LENGTH, decoder=kind).eval().to(DEVICE).decoder
    design: Any = SimpleNamespace(decoder=decoder, alphabet=VOCABULARY.alphabet)
    design._letter_by_letter = partial(DesignVAE._letter_by_letter, design)

    def codes(n: int, rng: Generator) -> Tensor:
        return torch.randn(n, 8, generator=rng).to(DEVICE)

    def ball(n: int, rng: Generator) -> EditBall:
        full = torch.full((n,), LENGTH, device=DEVICE)
        return EditBall(torch.randint(0, 4, (n, LENGTH), generator=rng).to(DEVICE), full, full - 5)

    def beam(n: int, rng: Generator) -> dict[str, Tensor]:
        bonus = torch.randn(n, LENGTH, 5, generator=rng).to(DEVICE)
        return vars(beam_search(decoder, codes(n, rng), width=4, ball=ball(n, rng), bonus=bonus))

    def adaptive(n: int, rng: Generator) -> dict[str, Tensor]:
        near = ball(n, rng)
        return {"bonus": adaptive_bonus(decoder, codes(n, rng), near.originals, near.lengths)}

    def designed(n: int, rng: Generator) -> dict[str, Tensor]:
        luck = torch.rand(n, LENGTH, 4, generator=rng).to(DEVICE)
        return {"tokens": DesignVAE._write(design, codes(n, rng), LENGTH, luck)}

    return {
        "beam": beam,
        "adaptive": adaptive,
        "design": designed,
        "sample": lambda n, rng: vars(sample(decoder, codes(n, rng), generator=rng, shortest=3)),
        "greedy": lambda n, rng: vars(greedy(decoder, codes(n, rng))),
    }


def of_lm(kind: str) -> dict[str, Write]:
    """Whole samples of a language model, of several lengths."""
    model = lm(kind).eval().to(DEVICE)
    return {"letters": lambda n, rng: vars(draw(model, torch.randint(9, 13, (n,), generator=rng), rng))}


MAKES: dict[str, Callable[[], dict[str, Write]]] = {
    "vae gru": partial(of_vae, "gru"),
    "vae lstm": partial(of_vae, "lstm"),
    "vae transformer": partial(of_vae, "transformer"),
    "lm gru": partial(of_lm, "gru"),
    "lm transformer": partial(of_lm, "transformer"),
    "lm ensemble": partial(of_lm, "ensemble"),
}
LATER = {"vae lstm", "lm transformer", "lm ensemble"}
BUDGETS = {"beam": 35, "adaptive": 48, "design": 13, "sample": 18, "greedy": 14, "letters": 43}
"""Launches around a recording, however many letters it has (31, 43, 11, 16, 12, 39)."""


@pytest.mark.parametrize("name", some_slow(MAKES, LATER))
def test_letters_that_are_replayed_are_those_of_plain_steps(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In deterministic mode on the simulated GPU. Fewer codes are filled up to the shape of more."""
    monkeypatch.setattr(capture, "WARM", 1)
    simulated = not torch.cuda.is_available()
    sizes = (8, 8, 5) if simulated else (8, 8)  # of other shapes a GPU's products may round differently
    with (
        SimulatedGPU() if simulated else torch.no_grad(),
        deterministic(simulated),
        caplog.at_level(logging.INFO, logger="seqdesign"),
    ):
        torch.manual_seed(0)
        for way, write in MAKES[name]().items():
            found = [write(n, generator(n)) for n in sizes]
            again: list[dict[str, Tensor]] = []
            launches = count_operations(lambda: again.append(write(8, generator(8))), warm=0)  # noqa: B023
            assert launches.total <= BUDGETS[way], (way, launches.total)
            with monkeypatch.context() as off:
                off.setenv(capture.SWITCH, "off")
                off.setattr(capture, "_of_models", {})
                plain = {n: write(n, generator(n)) for n in set(sizes)}
            for n, replayed in zip((*sizes, 8), (*found, *again), strict=True):
                for key, values in replayed.items():
                    torch.testing.assert_close(values, plain[n][key], rtol=0, atol=0, equal_nan=True)
    assert "one by one" not in caplog.text
