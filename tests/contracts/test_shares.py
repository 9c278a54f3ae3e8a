"""Processes that share a batch learn as one: the mean of their gradients is that of the whole batch.

What is dropped out is drawn by each process for itself, so it is left out here. So are codes of a VAE around
sequences, of which each process knows only its own, and free bits, which are a bound on the mean of a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.devices.randomness import for_rows, generator, share_of_rows
from tests.contracts.test_hot_loops import gan, lm, predictor, rows, translator, vae

STILL: dict[str, Any] = {"free_bits": 0.0, "invariance_from": "prior"}
FAMILIES: dict[str, Callable[[], tuple[Any, ...]]] = {
    "vae": lambda: (still(vae(**STILL)), rows(9)),
    "vae conditional": lambda: (still(vae(condition="outcome", **STILL)), rows(9)),
    "gan": lambda: (gan()[0], rows(20)),
    "gan gumbel": lambda: (gan(objective="wgan-gp", outputs="gumbel")[0], rows(20)),
    "translate": lambda: translator()[:2],
    "lm gru": lambda: (still(lm("gru")), rows(20)),
    "lm masked": lambda: (still(lm("masked")), rows(20)),
    "predictor residual": lambda: (still(predictor("residual")[0]), predictor("residual")[1]),
    "predictor motif": lambda: (still(predictor("motif")[0]), predictor("motif")[1]),
}


def still(model: Any) -> Any:
    """The same without dropout."""
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
        elif isinstance(getattr(part, "dropout", None), float):
            part.dropout = 0.0
    return model


def slopes(model: Any, player: str, batch: Any) -> Tensor:
    """The gradient of a player, after the same luck."""
    loss = model.losses(player, batch, generator(3), 0.5)["loss"].sum()
    parameters = [p for p in model.player_parameters(player) if p.requires_grad]
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    return torch.cat([g.flatten() for g in found if g is not None])


@pytest.mark.parametrize("name", FAMILIES)
def test_the_shares_of_a_batch_make_the_gradient_of_the_whole(name: str) -> None:
    """Of shares of 19 and 13 rows."""
    torch.manual_seed(0)
    model, data = FAMILIES[name]()
    model.train()
    index = torch.arange(len(data))
    for player in model.players:
        whole = slopes(model, player, data.rows(index))
        parts = torch.zeros_like(whole)
        for own in index.split(19):
            with share_of_rows(int(own[0]), len(own), len(index)):
                parts += len(own) / len(index) * slopes(model, player, data.rows(own))
        assert whole.abs().max() > 0
        torch.testing.assert_close(parts, whole, rtol=2e-3, atol=2e-5 * float(whole.abs().max()))


def test_rows_of_a_share_have_the_numbers_of_the_whole() -> None:
    whole = for_rows(lambda n: torch.rand(n, 2, generator=generator(0)), 5)
    with share_of_rows(3, 2, 5):
        mine = for_rows(lambda n: torch.rand(n, 2, generator=generator(0)), 2)
        across = for_rows(lambda n: torch.rand(2, n, generator=generator(0)), 2, dim=1)
        others = for_rows(lambda n: torch.rand(n, 2, generator=generator(0)), 4)
    assert torch.equal(mine, whole[3:])
    assert torch.equal(across, torch.rand(2, 5, generator=generator(0))[:, 3:])
    assert others.shape == (4, 2)
