"""Promises of the one training loop, on models small enough to follow by hand."""

from __future__ import annotations

import logging
import math
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor, nn

from seqdesign.devices import threads
from seqdesign.errors import ModelError, TrainingError
from seqdesign.training.config import (
    MAX_EPOCHS,
    MIN_EPOCHS,
    SHORT,
    TARGET_STEPS,
    FitOptions,
    num_epochs,
    patience,
)
from seqdesign.training.loop import Fit, Hooks, fit, make_fabric
from seqdesign.training.store import Checkpoint


class Numbers:
    """Rows that are numbers."""

    def __init__(self, values: list[float]) -> None:
        self.values = torch.tensor(values)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def typical_length(self) -> int:
        return 1

    def to(self, device: torch.device) -> Numbers:
        return self

    def batches(self, order: Tensor, num: int, rng: Generator) -> Sequence[Tensor]:
        return order.tensor_split(num)

    def rows(self, index: Tensor) -> Tensor:
        return self.values[index]

    def fingerprint(self) -> str:
        return str(self.values.tolist())


class Location(nn.Module):
    """Two players who each learn the mean of the rows, with some noise and some dropout in the loss."""

    players = ("one", "two")

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(3))
        self.dropout = nn.Dropout(0.2)
        self.seen: list[Tensor] = []

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        return [getattr(self, player)]

    def losses(self, player: str, batch: Tensor, rng: Generator, progress: float) -> dict[str, Tensor]:
        if self.training and player == "one":
            self.seen.append(batch)
        noise = 0.1 * torch.randn(len(batch), 3, generator=rng)
        wanted = self.dropout(batch[:, None] + noise)
        return {"loss": (getattr(self, player) - wanted).square().mean()}


TRAIN, HELD_OUT = Numbers([float(i % 5) for i in range(23)]), Numbers([1.0, 2.0, 3.0])
OPTIONS = FitOptions(epochs=6, batch_size=4, learning_rate=0.05)
PLAIN = Hooks()


def run(fabric: Fabric, *, model: nn.Module | None = None, seed: int = 0, **given: Any) -> tuple[Any, Fit]:
    model = model or Location()
    arguments = {"options": OPTIONS, "hooks": PLAIN, "train": TRAIN, "held_out": HELD_OUT, **given}
    return model, fit(model, seed=seed, fabric=fabric, **arguments)


def weights(model: nn.Module) -> bytes:
    return b"".join(p.detach().numpy().tobytes() for p in model.parameters())


def test_losses_go_down_and_every_pass_is_on_record(fabric: Fabric) -> None:
    told: list[dict[str, float]] = []
    steps: list[tuple[int, int]] = []
    hooks = Hooks(on_epoch=told.append, on_step=lambda *args: steps.append(args))
    _, result = run(fabric, hooks=hooks)
    assert told == result.state.history
    assert [r["epoch"] for r in told] == [1, 2, 3, 4, 5, 6]
    assert steps == [(i, 36) for i in range(1, 37)]
    for name in ("train_one_loss", "train_two_loss", "held_out_one_loss", "held_out_two_loss"):
        assert told[-1][name] < told[0][name]


def test_every_row_is_seen_once_a_pass_in_another_order(fabric: Fabric) -> None:
    model, _ = run(fabric, train=Numbers([float(i) for i in range(23)]))
    passes = [torch.cat(model.seen[i : i + 6]).tolist() for i in range(0, 36, 6)]
    assert all(Counter(p) == Counter(range(23)) for p in passes)
    assert len({tuple(p) for p in passes}) == 6
    assert max(map(len, model.seen)) == 4


def test_fewer_rows_than_a_batch_are_one_step_a_pass(fabric: Fabric) -> None:
    _, result = run(fabric, train=Numbers([1.0, 2.0]))
    assert (result.state.step, result.state.epoch) == (6, 6)


def test_the_same_seed_gives_the_same_bytes(fabric: Fabric) -> None:
    """Robustness 28, whatever the global generators hold."""
    first, _ = run(fabric, seed=3)
    torch.manual_seed(12345)
    second, _ = run(fabric, seed=3)
    other, _ = run(fabric, seed=4)
    assert weights(first) == weights(second) != weights(other)


def test_the_step_that_is_tried_for_the_number_of_threads_changes_nothing(
    fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _ = run(fabric)
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(threads, "available", lambda: 2)
    with threads.threads_of(None):
        tried, _ = run(fabric)
    assert len(tried.seen) == len(plain.seen) + 1
    assert weights(tried) == weights(plain)


def test_global_generators_are_left_as_they_were(fabric: Fabric) -> None:
    before = (torch.random.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002
    run(fabric)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before[1:]  # noqa: NPY002


def test_the_library_below_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("lightning_fabric").setLevel(logging.INFO)  # as it begins
    make_fabric(FitOptions(precision="bf16"), torch.device("cpu"))
    assert not caplog.records


def test_each_player_ends_with_its_best_weights(fabric: Fabric) -> None:
    """The rows say 2, the held-out ones 0.5, so the best weights are passed on the way."""
    options = FitOptions(epochs=12, batch_size=4, learning_rate=0.1, patience=12)
    model, result = run(fabric, train=Numbers([2.0] * 20), held_out=Numbers([0.5] * 4), options=options)
    for player in ("one", "two"):
        curve = [r[f"held_out_{player}_loss"] for r in result.state.history]
        assert result.state.best[player] == min(curve) < curve[-1]
        mean = getattr(model, player).detach().mean().item()
        assert abs(mean - 0.5) < abs(2.0 - 0.5) / 2


def test_a_player_without_progress_rests_and_all_resting_ends_the_run(fabric: Fabric) -> None:
    class OneStuck(Location):
        def losses(self, player: str, batch: Tensor, rng: Generator, progress: float) -> dict[str, Tensor]:
            if player == "one":
                return {"loss": 0 * self.one.sum() + 1.0}
            return super().losses(player, batch, rng, progress)

    options = FitOptions(epochs=10, batch_size=4, learning_rate=0.05, patience=2)
    _, result = run(fabric, model=OneStuck(), options=options)
    trained = ["train_one_loss" in r for r in result.state.history]
    assert trained == [True] * 2 + [False] * (len(trained) - 2)
    assert "train_two_loss" in result.state.history[-1]

    class Stuck(Location):
        def losses(self, player: str, batch: Tensor, rng: Generator, progress: float) -> dict[str, Tensor]:
            return {"loss": 0 * getattr(self, player).sum() + 1.0}

    _, result = run(fabric, model=Stuck(), options=options)
    assert (result.stop_reason, result.state.epoch) == ("patience", 2)


@pytest.mark.parametrize("where", ["train", "held out"])
def test_a_loss_that_is_not_finite_ends_the_run_and_saves_nothing(fabric: Fabric, where: str) -> None:
    """Robustness 24: the step and the learning rate are named."""

    class Breaks(Location):
        def losses(self, player: str, batch: Tensor, rng: Generator, progress: float) -> dict[str, Tensor]:
            terms = super().losses(player, batch, rng, progress)
            broken = len(self.seen) > 8 if where == "train" else not self.training and len(self.seen) > 6
            return {"loss": terms["loss"] * math.nan} if broken and player == "two" else terms

    saved: list[int] = []
    hooks = Hooks(save=lambda checkpoint, improved: saved.append(checkpoint.state.step))
    step = 9 if where == "train" else 12
    message = rf"two_loss became nan at step {step} \(learning rate 0\.0\d+\).*--learning-rate"
    with pytest.raises(TrainingError, match=message):
        run(fabric, model=Breaks(), hooks=hooks)
    assert saved == [6]


def interrupting(at: int, *numbers: int, saved: list[Checkpoint], keep: Any) -> Hooks:
    def on_step(step: int, total: int) -> None:
        if step == at:
            for number in numbers:
                os.kill(os.getpid(), number)

    return Hooks(on_step=on_step, save=lambda checkpoint, improved: saved.append(keep(checkpoint)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("at", [1, 6, 15, 36])
def test_an_interrupted_run_is_resumed_to_the_same_bytes(
    fabric: Fabric, tiny: SimpleNamespace, number: int, at: int
) -> None:
    """Robustness 19 and 21; steps at the start, at the end of a pass, inside one and at the very end."""
    unbroken, reference = run(fabric)
    handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    saved: list[Checkpoint] = []
    with pytest.raises(KeyboardInterrupt):
        run(fabric, hooks=interrupting(at, number, saved=saved, keep=tiny.keep))
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert saved[-1].state.step == at
    before = tiny.keep(saved[-1])
    resumed, result = run(fabric, resume=saved[-1])
    assert weights(resumed) == weights(unbroken)
    assert result.state.history == reference.state.history
    assert vars(saved[-1].state) == vars(before.state)  # the checkpoint handed in is not touched
    assert all(torch.equal(saved[-1].model[k], before.model[k]) for k in before.model)


def test_any_checkpoint_of_a_killed_run_is_resumed_to_the_same_bytes(
    fabric: Fabric, tiny: SimpleNamespace
) -> None:
    """Robustness 21."""
    saved: list[Checkpoint] = []
    unbroken, _ = run(
        fabric, hooks=Hooks(save=lambda checkpoint, improved: saved.append(tiny.keep(checkpoint)))
    )
    assert [c.state.epoch for c in saved] == [1, 2, 3, 4, 5, 6]
    for checkpoint in saved:
        resumed, _ = run(fabric, resume=checkpoint)
        assert weights(resumed) == weights(unbroken)


def test_a_second_interrupt_is_immediate(fabric: Fabric, tiny: SimpleNamespace) -> None:
    saved: list[Checkpoint] = []
    with pytest.raises(KeyboardInterrupt):
        run(fabric, hooks=interrupting(2, signal.SIGINT, signal.SIGINT, saved=saved, keep=tiny.keep))
    assert saved == []


def test_a_signal_that_is_ignored_stays_ignored(fabric: Fabric, tiny: SimpleNamespace) -> None:
    """As nohup asks for."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _, result = run(fabric, hooks=interrupting(2, signal.SIGINT, saved=[], keep=tiny.keep))
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.state.epoch == 6


def test_a_checkpoint_of_other_networks_is_refused(fabric: Fabric, tiny: SimpleNamespace) -> None:
    saved: list[Checkpoint] = []
    run(fabric, hooks=Hooks(save=lambda checkpoint, improved: saved.append(tiny.keep(checkpoint))))
    del saved[0].model["two"]
    with pytest.raises(ModelError, match="other networks.*two"):
        run(fabric, resume=saved[0])
    del saved[1].optimizers["one"]
    with pytest.raises(ModelError, match="other networks.*one"):
        run(fabric, resume=saved[1])


def test_the_number_of_passes_follows_the_number_of_sequences() -> None:
    options = FitOptions(batch_size=100)
    few, some, many = (num_epochs(options, n, 10) for n in (20, 10_000, 10_000_000))
    assert (few, some, many) == (MAX_EPOCHS, TARGET_STEPS // 100, MIN_EPOCHS)
    assert num_epochs(options, 10_000, 4 * SHORT) == TARGET_STEPS // 200  # steps go as 1/sqrt(length)
    assert num_epochs(FitOptions(epochs=3), 20, 10) == 3
    assert [patience(options, n) for n in (12, 400)] == [5, 100]
    assert patience(FitOptions(patience=7), 400) == 7
