"""Promises of the game: oracle 19 of CycleGAN losses, isolated steps, noise and ends."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.model import Pair, SequenceTranslator
from seqdesign.models.translate.networks import Translator
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

DNA = Vocabulary(get_alphabet("dna"))


def made(shortest: int = 6, **options: Any) -> SequenceTranslator:
    torch.manual_seed(0)
    return SequenceTranslator(TranslateOptions(**({"channels": 8} | options)), DNA, 6, shortest)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(n: int = 12) -> Pair:
    return Pair(*(torch.randint(4, (n, 6), generator=rng(seed)) for seed in (1, 2)))


def silence(translator: Translator, table: torch.Tensor) -> None:
    """A translator that replaces letter v by the letter of row v of ``table`` (V, V), whatever is around."""
    with torch.no_grad():
        for parameter in translator.parameters():
            parameter.zero_()
    translator.forward = lambda x: 40.0 * torch.einsum("nvl,vw->nwl", x, table)  # type: ignore[method-assign]


def test_identities_have_no_cycle_and_no_identity_loss() -> None:
    """Oracle 19."""
    model = made(noise=0.0)
    for network in (model.to_a, model.to_b):
        silence(network, torch.eye(4))
    terms = model.losses("generator", batch(), rng(), 0.0)
    assert float(terms["cycle"]) < 1e-6
    assert float(terms["identity"]) < 1e-6


def test_a_permutation_and_its_inverse_have_no_cycle_loss_but_one_of_identity() -> None:
    """Oracle 19."""
    model, order = made(noise=0.0), torch.eye(4)[[1, 2, 3, 0]]
    silence(model.to_b, order)
    silence(model.to_a, order.T)
    terms = model.losses("generator", batch(), rng(), 0.0)
    assert float(terms["cycle"]) < 1e-6
    assert float(terms["identity"]) > 100


def test_a_translator_that_forgets_its_source_pays_for_the_cycle() -> None:
    """Oracle 19: constant F."""
    model = made(noise=0.0)
    silence(model.to_b, torch.tensor([[1.0, 0, 0, 0]] * 4))
    silence(model.to_a, torch.eye(4))
    assert float(model.losses("generator", batch(), rng(), 0.0)["cycle"]) > 100


def test_an_untrained_translator_gives_back_nearly_what_it_reads() -> None:
    model, tokens = made(), batch(200).a
    for side in "ab":
        assert float((model.translate(model.symbols(tokens), side) == tokens).double().mean()) > 0.95


@pytest.mark.parametrize("player", SequenceTranslator.players)
def test_a_step_of_one_side_leaves_the_other_as_it_is(player: str) -> None:
    model = made()
    model.losses(player, batch(), rng(), 0.0)["loss"].backward()
    moved = {
        name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None and p.grad.any()
    }
    assert moved == ({"critic_a", "critic_b"} if player == "critic" else {"to_a", "to_b"})


def test_the_noise_draws_its_share_of_the_letters_anew() -> None:
    model = made(noise=0.4)
    letters = model.one_hot(torch.zeros(500, 6, dtype=torch.long))
    changed = model._blurred(letters, rng()).argmax(1) != 0
    assert float(changed.double().mean()) == pytest.approx(0.4 * 3 / 4, abs=0.03)


def test_ends_stay_where_they_are_under_noise_and_close_a_translation() -> None:
    model = made(shortest=2, noise=0.5)
    assert model.end == 4
    tokens = torch.tensor([[0, 1, 2, DNA.pad, DNA.pad, DNA.pad]])
    symbols = model.symbols(tokens)
    assert symbols.tolist() == [[0, 1, 2, 4, 4, 4]]
    blurred = model._blurred(model.one_hot(symbols), rng()).argmax(1)
    assert blurred[0, 3:].tolist() == [4, 4, 4]
    made_of = model.translate(symbols.expand(8, -1), "b")
    ended = (made_of == 4).cumsum(1) > 0
    assert bool((made_of[ended] == 4).all())
    assert bool((made_of[:, :2] != 4).all())


def test_an_unknown_letter_is_none_of_the_letters() -> None:
    model = made()
    symbols = model.symbols(torch.tensor([[0, DNA.unknown, 2, 3, 1, 0]]))
    assert model.one_hot(symbols).sum(1).tolist() == [[1, 0, 1, 1, 1, 1]]
