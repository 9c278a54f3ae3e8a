"""What every trainable model promises: what the training loop and a reader of its files rely on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.testing.battery import Battery
from seqdesign.training.data import Batch
from seqdesign.training.tensor_file import read_tensors, write_tensors

MAX_LENGTH = 8
VOCABULARY = Vocabulary(get_alphabet("dna"))
"""What models are checked with: DNA of 1 to 8 letters."""


@dataclass(frozen=True)
class Make:
    """How a model is made and asked."""

    make: Callable[[], Any]
    batch: Callable[[Any, Batch], Any]
    deterministic: bool

    def __call__(self) -> Any:
        """A new model, always with the same weights."""
        return self.make()

    def loss(self, model: Any, player: str, batch: Batch, seed: int = 0) -> dict[str, Tensor]:
        """The losses of one player at full weight."""
        return dict(model.losses(player, self.batch(model, batch), Generator().manual_seed(seed), 1.0))

    def losses(self, model: Any, batch: Batch, seed: int = 0) -> dict[str, Tensor]:
        """The losses of all players by name."""
        return {
            f"{player} {name}": value
            for player in model.players
            for name, value in self.loss(model, player, batch, seed).items()
        }


CHECKS: Battery[Make] = Battery("model")


def check_model(
    make: Callable[[], Any],
    *,
    batch: Callable[[Any, Batch], Any] = lambda model, batch: batch,
    deterministic: bool = False,
    name: str = "made",
    checks: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> None:
    """Check that a model keeps the promises that the training loop and its files rely on.

    Args:
        make: makes a small untrained model of DNA of 1 to 8 letters (`seqdesign.testing.models.VOCABULARY`),
            always with the same weights: a module with ``players``, ``player_parameters`` and ``losses``.
        batch: turns a model and a `Batch` of tokens (N, L), lengths (N,) and outcomes (N,) into what
            ``losses`` takes.
        deterministic: whether losses in evaluation mode have no noise.
        name: what messages call it.
        checks: names of the checks to run, of `model_checks()`; all of them when None.
        expected_failures: check -> why it fails; one that passes is an error.

    Raises:
        AssertionError: lists all checks that fail.
        UsageError: a check that does not exist.

    Example:
        >>> check_model(lambda: MyModel(hidden=8), name="mine")
    """
    subject = Make(make, batch, deterministic)
    CHECKS.run(subject, name=name, checks=checks, expected_failures=expected_failures)


def model_checks() -> list[str]:
    """Names of the checks of `check_model`."""
    return CHECKS.names()


def sequences(n: int, seed: int = 0) -> Batch:
    """Random strings of 1 to MAX_LENGTH letters; the outcome is the share of the first letter."""
    rng = Generator().manual_seed(seed)
    lengths = torch.randint(1, MAX_LENGTH + 1, (n,), generator=rng)
    tokens = torch.randint(VOCABULARY.n_letters, (n, int(lengths.max())), generator=rng)
    inside = torch.arange(tokens.shape[1]) < lengths[:, None]
    tokens = tokens.where(inside, VOCABULARY.pad)
    return Batch(tokens, lengths, (tokens == 0).sum(1) / lengths)


def same(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    """Whether all losses are the same bits."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@CHECKS.check()
def every_parameter_belongs_to_one_player_and_is_moved_by_it(make: Make) -> None:
    model, batch = make(), sequences(16)
    names = {id(p): name for name, p in model.named_parameters()}
    owned = [id(p) for player in model.players for p in model.player_parameters(player)]
    assert sorted(owned) == sorted(names)
    for player in model.players:
        model.zero_grad()
        make.loss(model, player, batch)["loss"].sum().backward()
        parameters = model.player_parameters(player)
        learning = [p for p in parameters if p.requires_grad]
        still = [names[id(p)] for p in learning if p.grad is None or not p.grad.abs().sum() > 0]
        assert still == [], f"{player} does not move {', '.join(still)}"


@CHECKS.check()
def a_model_in_eval_mode_gives_the_same_numbers_twice(make: Make) -> None:
    model, batch = make().eval(), sequences(16)
    assert same(make.losses(model, batch), make.losses(model, batch))


@CHECKS.check()
def the_noise_comes_from_the_generator_alone(make: Make) -> None:
    """And there is none in evaluation mode where a model says so."""
    model, batch = make().eval(), sequences(16)
    before = torch.random.get_rng_state()
    first = make.losses(model, batch, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert same(first, make.losses(model, batch, seed=2)) == make.deterministic


@CHECKS.check()
def a_model_read_back_gives_the_same_numbers(make: Make) -> None:
    model, batch = make().eval(), sequences(16)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1
    other = make().eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        write_tensors(path, model.state_dict(), {})
        other.load_state_dict(read_tensors(path)[0])
    assert same(make.losses(model, batch), make.losses(other, batch))


@CHECKS.check()
def padding_never_changes_a_loss(make: Make) -> None:
    model, batch = make().eval(), sequences(16)
    short = batch.lengths <= 4
    narrow = Batch(batch.tokens[short, :4], batch.lengths[short], batch.outcomes[short])
    reference = make.losses(model, narrow)
    for width in (5, MAX_LENGTH):
        wide = nn.functional.pad(narrow.tokens, (0, width - 4), value=VOCABULARY.pad)
        found = make.losses(model, narrow._replace(tokens=wide))
        for name in reference:
            torch.testing.assert_close(found[name], reference[name], rtol=1e-5, atol=1e-6)


@CHECKS.check()
def every_loss_falls_on_sixteen_sequences(make: Make) -> None:
    """The entropy of 16 strings is log 16 = 2.8 nats, under a third of what guessing letters costs here.

    A model whose players lose what others win fails, and is to show elsewhere that it learns.
    """
    model, batch = make().train(), sequences(16)
    optimizers = {p: torch.optim.Adam(model.player_parameters(p), lr=0.02) for p in model.players}
    before = make.losses(model, batch)
    for step in range(100):
        for player, optimizer in optimizers.items():
            optimizer.zero_grad()
            make.loss(model, player, batch, step)["loss"].sum().backward()
            optimizer.step()
    after = make.losses(model.eval(), batch)
    for player in model.players:
        assert bool((after[f"{player} loss"] < 0.5 * before[f"{player} loss"]).all())
