"""The contract of every model in the registry: what the training loop and a reader of its files rely on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.lm.config import LMOptions
from seqdesign.models.lm.model import SequenceLM
from seqdesign.models.predictor.config import PredictorOptions
from seqdesign.models.predictor.model import PredictorBatch, SequencePredictor
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.data import Batch
from seqdesign.training.tensor_file import read_tensors, write_tensors

MODELS = Registry("model", "seqdesign.models")
MAX_LENGTH = 8
VOCABULARY = Vocabulary(get_alphabet("dna"))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Steps this small lose more to waiting threads than they win."""
    torch.set_num_threads(1)


def vae(**options: Any) -> SequenceVAE:
    torch.manual_seed(0)
    small = {"hidden": 16, "latent_dim": 4, "embedding": 6, "invariance_batch": 8, "dropout": 0.1}
    return SequenceVAE(
        VAEOptions(**(small | options)), VOCABULARY, MAX_LENGTH, outcome_mean=1.0, outcome_scale=2.0
    )


def predictor(**options: Any) -> SequencePredictor:
    torch.manual_seed(0)
    positional = options.pop("positional", True)
    small = {"members": 3, "hidden": 16, "channels": 6, "width": 3, "dropout": 0.1, "paths": "both"}
    small["architecture"] = "residual"
    given = PredictorOptions(**(small | {"task": "regression", "strands": "one"} | options))
    return SequencePredictor(
        given, VOCABULARY, MAX_LENGTH, positional=positional, outcome_mean=(1.0,), outcome_scale=(2.0,)
    )


def gan(shortest: int = 1, **options: Any) -> SequenceGAN:
    torch.manual_seed(0)
    small = {"latent_dim": 5, "channels": 8, "mapping": 12, "penalty_every": 1}
    classes = (0.1, 1.0) if options.get("condition") == "label" else ()
    return SequenceGAN(GANOptions(**(small | options)), VOCABULARY, MAX_LENGTH, shortest, classes)


def lm(shortest: int = 1, knots: tuple[float, ...] = (), **options: Any) -> SequenceLM:
    torch.manual_seed(0)
    small = {"width": 16, "heads": 2, "window": 3, "dropout": 0.1}
    return SequenceLM(LMOptions(**(small | options)), VOCABULARY, MAX_LENGTH, shortest, knots)


KINDS: dict[str, dict[str, Callable[[], Any]]] = {
    "vae": {
        "dense": lambda: vae(encoder="dense"),
        "conv": lambda: vae(encoder="conv"),
        "gru": lambda: vae(encoder="gru"),
        "lstm": lambda: vae(encoder="lstm", decoder="lstm"),
    },
    "predictor": {
        "positional": predictor,
        "pooled": lambda: predictor(positional=False),
        "both strands": lambda: predictor(positional=False, strands="both"),
        "motif": lambda: predictor(positional=False, strands="both", architecture="motif"),
        "killoran": lambda: predictor(architecture="killoran"),
        "binary": lambda: predictor(task="binary"),
    },
    "lm": {
        "transformer": lm,
        "gru": lambda: lm(architecture="gru"),
        "masked": lambda: lm(architecture="masked"),
        "conditional": lambda: lm(knots=(0.0, 0.5, 1.0)),
        "masked, conditional": lambda: lm(architecture="masked", knots=(0.0, 0.5, 1.0)),
    },
    "gan": {
        "r3gan": gan,
        "wgan-gp": lambda: gan(objective="wgan-gp"),
        "wgan, softmax": lambda: gan(objective="wgan", outputs="softmax"),
        "minimax, gumbel": lambda: gan(objective="minimax", outputs="gumbel"),
        "non-saturating, labels": lambda: gan(objective="non-saturating", condition="label"),
    },
}
"""Registry name -> the makes of it to be held to the contract."""

DETERMINISTIC = {"predictor", "lm-transformer", "lm-gru", "lm-conditional"}
"""Models, or makes of them, whose losses in eval mode have no noise."""
ADVERSARIAL = {"gan"}
"""Models whose players lose what others win; that they learn is shown elsewhere."""

CASES = [pytest.param(make, id=f"{name}-{kind}") for name in KINDS for kind, make in KINDS[name].items()]


def sequences(n: int, seed: int = 0) -> Batch:
    """Random strings of 1 to MAX_LENGTH letters; the outcome is the share of the first letter."""
    rng = Generator().manual_seed(seed)
    lengths = torch.randint(1, MAX_LENGTH + 1, (n,), generator=rng)
    tokens = torch.randint(VOCABULARY.n_letters, (n, int(lengths.max())), generator=rng)
    inside = torch.arange(tokens.shape[1]) < lengths[:, None]
    tokens = tokens.where(inside, VOCABULARY.pad)
    return Batch(tokens, lengths, (tokens == 0).sum(1) / lengths)


def of(model: Any, batch: Batch) -> Any:
    """The batch as the model takes it."""
    if not isinstance(model, SequencePredictor):
        return batch
    outcomes = batch.outcomes[:, None].float()
    if model.task == "binary":
        outcomes = (outcomes > 0.25).float()
    ones = torch.ones(len(outcomes), model.num_members)
    return PredictorBatch(batch.tokens, batch.lengths, outcomes, torch.ones_like(outcomes), ones)


def losses(model: Any, batch: Batch, seed: int = 0) -> dict[str, Tensor]:
    found = {}
    for player in model.players:
        for name, value in model.losses(player, of(model, batch), Generator().manual_seed(seed), 1.0).items():
            found[f"{player} {name}"] = value
    return found


def parameters_by_player(model: Any) -> Iterator[tuple[str, list[nn.Parameter]]]:
    for player in model.players:
        yield player, model.player_parameters(player)


def test_every_model_of_the_registry_is_held_to_the_contract() -> None:
    assert set(MODELS.names()) == set(KINDS)


@pytest.mark.parametrize("make", CASES)
def test_every_parameter_belongs_to_one_player_and_is_moved_by_it(make: Callable[[], Any]) -> None:
    model, batch = make(), sequences(16)
    names = {id(p): name for name, p in model.named_parameters()}
    owned = [id(p) for _, parameters in parameters_by_player(model) for p in parameters]
    assert sorted(owned) == sorted(names)
    for player, parameters in parameters_by_player(model):
        model.zero_grad()
        model.losses(player, of(model, batch), Generator().manual_seed(0), 1.0)["loss"].sum().backward()
        still = [names[id(p)] for p in parameters if p.grad is None or not p.grad.abs().sum() > 0]
        assert still == []


@pytest.mark.parametrize("make", CASES)
def test_a_model_in_eval_mode_gives_the_same_numbers_twice(make: Callable[[], Any]) -> None:
    model, batch = make().eval(), sequences(16)
    first, second = losses(model, batch), losses(model, batch)
    assert all(torch.equal(first[name], second[name]) for name in first)


NOISY = [case for case in CASES if not {str(case.id), str(case.id).partition("-")[0]} & DETERMINISTIC]


@pytest.mark.parametrize("make", NOISY)
def test_the_noise_comes_from_the_generator_alone(make: Callable[[], Any]) -> None:
    model, batch = make().eval(), sequences(16)
    before = torch.random.get_rng_state()
    first = losses(model, batch, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    second = losses(model, batch, seed=2)
    assert any(not torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("make", CASES)
def test_a_model_read_back_gives_the_same_numbers(make: Callable[[], Any], tmp_path: Path) -> None:
    model, batch = make().eval(), sequences(16)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1
    write_tensors(tmp_path / "m.safetensors", model.state_dict(), {})
    other = make().eval()
    other.load_state_dict(read_tensors(tmp_path / "m.safetensors")[0])
    first, second = losses(model, batch), losses(other, batch)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("make", CASES)
def test_padding_never_changes_a_loss(make: Callable[[], Any]) -> None:
    model, batch = make().eval(), sequences(16)
    short = batch.lengths <= 4
    narrow = Batch(batch.tokens[short, :4], batch.lengths[short], batch.outcomes[short])
    reference = losses(model, narrow)
    for width in (5, MAX_LENGTH):
        wide = nn.functional.pad(narrow.tokens, (0, width - 4), value=VOCABULARY.pad)
        found = losses(model, narrow._replace(tokens=wide))
        for name in reference:
            torch.testing.assert_close(found[name], reference[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "make", [case for case in CASES if str(case.id).partition("-")[0] not in ADVERSARIAL]
)
def test_every_loss_falls_on_sixteen_sequences(make: Callable[[], Any]) -> None:
    """The entropy of 16 strings is log 16 = 2.8 nats, under a third of what guessing letters costs here."""
    model, batch = make().train(), sequences(16)
    optimizers = {p: torch.optim.Adam(parameters, lr=0.02) for p, parameters in parameters_by_player(model)}
    before = losses(model, batch)
    for step in range(100):
        for player, optimizer in optimizers.items():
            optimizer.zero_grad()
            model.losses(player, of(model, batch), Generator().manual_seed(step), 1.0)[
                "loss"
            ].sum().backward()
            optimizer.step()
    after = losses(model.eval(), batch)
    for player in model.players:
        assert (after[f"{player} loss"] < 0.5 * before[f"{player} loss"]).all()
