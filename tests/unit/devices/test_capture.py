"""Steps that are recorded and replayed do what steps do that run as they are."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor, nn

from seqdesign.devices.capture import MOST, SWITCH, WARM, Replays
from seqdesign.testing.simulated_gpu import SimulatedGPU
from seqdesign.training import loop
from seqdesign.training.config import FitOptions
from seqdesign.training.loop import Hooks, fit


class Again:
    """A recording that calls what was recorded: what a CUDA graph does, without a GPU."""

    def __init__(self) -> None:
        self.replays = 0

    def record(self, work: Callable[[], None]) -> None:
        self.work = work

    def replay(self) -> None:
        self.replays += 1
        self.work()


class Refusing(Again):
    def record(self, work: Callable[[], None]) -> None:
        raise RuntimeError("operation not permitted when stream is capturing\nwith a long story")


class Pair(NamedTuple):
    x: Tensor
    y: Tensor


class Line(nn.Module):
    """y = a x + b, with noise, dropout and a step that now and then does more."""

    players = ("line",)

    def __init__(self) -> None:
        super().__init__()
        self.net, self.dropout = nn.Linear(1, 1), nn.Dropout(0.1)
        nn.init.zeros_(self.net.weight)

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        return list(self.parameters())

    def variant(self, player: str, rng: Generator) -> bool:
        return rng.initial_seed() % 2 == 0

    def losses(self, player: str, batch: Pair, rng: Generator, progress: Any) -> dict[str, Tensor]:
        noise = torch.randn(len(batch.x), 1, generator=rng)
        found = self.net(self.dropout(batch.x[:, None]) + 0.01 * noise).squeeze(1)
        more = 0.01 * self.net.weight.square().sum() if self.variant(player, rng) else 0.0
        return {"loss": (found - batch.y).square().mean() + more}


class Pairs:
    typical_length = 1

    def __init__(self, n: int) -> None:
        self.x = torch.linspace(-1, 1, n)

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device) -> Pairs:
        return self

    def batches(self, order: Tensor, num: int, rng: Generator) -> Sequence[Tensor]:
        return order.tensor_split(num)

    def rows(self, index: Tensor) -> Pair:
        return Pair(self.x[index], 2 * self.x[index] + 1)

    def fingerprint(self) -> str:
        return str(len(self.x))


def trained(fabric: Fabric) -> tuple[list[Tensor], list[dict[str, float]]]:
    torch.manual_seed(0)
    model = Line()
    options = FitOptions(epochs=4, batch_size=4, learning_rate=0.05)
    found = fit(model, Pairs(45), Pairs(7), options, seed=3, fabric=fabric, hooks=Hooks())
    assert all(p.grad is None for p in model.parameters()), "they lie in the memory of recordings"
    return [p.detach().clone() for p in model.parameters()], found.state.history


def test_a_run_of_replays_gives_the_bits_of_a_plain_one(
    fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, sums and finiteness; two shapes of batches and two kinds of steps are four recordings.

    The generator of each step is another one on CPUs, so it is set anew here as a GPU's is.
    """
    made: list[Again] = []

    def make() -> Again:
        made.append(Again())
        return made[-1]

    def noise_of_step(self: Any) -> Generator:
        torch.manual_seed(self.state.step)
        return self.noise.manual_seed(self.state.step * 7 % 13)

    monkeypatch.setattr(loop._Run, "_noise_of_step", noise_of_step)
    plain = trained(fabric)
    monkeypatch.setattr(loop.Replays, "on", classmethod(lambda cls, *_: Replays(make)))
    replayed = trained(fabric)
    assert all(torch.equal(a, b) for a, b in zip(plain[0], replayed[0], strict=True))
    assert plain[1] == replayed[1]
    assert len(made) == 4
    assert sum(one.replays for one in made) == 48 - 4 * WARM, "twelve steps a pass, four passes"


def test_a_step_that_cannot_be_recorded_runs_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    replays, seen = Replays(Refusing), []
    with caplog.at_level(logging.INFO, logger="seqdesign"):
        for i in range(WARM + 3):
            replays.run("step", torch.tensor([i]), lambda rows: seen.append(int(rows)))
    assert seen == list(range(WARM + 3))
    assert [r.getMessage() for r in caplog.records] == [
        "steps run one by one, not as CUDA graphs: operation not permitted when stream is capturing"
    ]


def test_recordings_share_their_memory_and_a_failed_one_leaves_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reason is that of the first failure; steps then run where they did, and garbage is collected."""
    if torch.cuda.is_available():
        pytest.skip("it is about the simulated GPU")
    with SimulatedGPU() as gpu, caplog.at_level(logging.INFO, logger="seqdesign"):
        there = torch.device("cuda", 0)
        total, here = torch.zeros((), device=there), torch.cuda.current_stream()
        replays = Replays.on(there, [])

        def run(length: int, work: Callable[[Tensor], object]) -> None:
            for _ in range(WARM + 2):
                replays.run("step", torch.ones(length, device=there), work)

        def add(rows: Tensor) -> None:
            total.add_(rows.sum())

        for length in (2, 3):
            run(length, add)
        assert total.item() == (2 + 3) * (WARM + 2)
        assert [len(tapes) for tapes in gpu.pools.values()] == [2]
        run(4, lambda rows: total.add_(rows.sum().item()))
        assert total.item() == (2 + 3 + 4) * (WARM + 2)
        assert torch.cuda.current_stream() is here
    assert gc.isenabled()
    assert [r.getMessage().partition(": ")[2][:50] for r in caplog.records] == [
        "operation not permitted when stream is capturing: "
    ]


def test_the_generators_of_all_gpus_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever GPU trains: the seed of a step goes to all of them."""
    if torch.cuda.is_available():
        pytest.skip("it is about the simulated GPU")
    forked: list[list[int]] = []
    plain = torch.random.fork_rng
    with SimulatedGPU(), monkeypatch.context() as here:
        here.setattr(torch.cuda, "device_count", lambda: 3)
        here.setattr(
            torch.random, "fork_rng", lambda devices: (forked.append(devices), plain(devices=devices))[1]
        )
        with loop._isolated_randomness(torch.device("cuda", 1)):
            pass
        with loop._isolated_randomness(torch.device("cpu")):
            pass
    assert forked == [[0, 1, 2], []]


def test_there_are_not_too_many_recordings() -> None:
    made: list[Again] = []
    replays = Replays(lambda: made.append(Again()) or made[-1])  # type: ignore[func-returns-value]
    total = torch.zeros(())
    for length in range(1, MOST + 5):
        for _ in range(WARM + 1):
            replays.run("step", torch.ones(length), lambda rows: total.add_(rows.sum()))
    assert len(made) == MOST
    assert total == sum(range(1, MOST + 5)) * (WARM + 1)


def test_what_is_no_tuple_of_tensors_runs_as_it_is() -> None:
    replays, seen = Replays(Refusing), []
    for _ in range(WARM + 2):
        replays.run("step", {"x": 1}, seen.append)
    assert len(seen) == WARM + 2


def test_a_cpu_records_nothing_and_a_gpu_can_be_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Replays.on(torch.device("cpu"), []).make is None
    monkeypatch.setenv(SWITCH, "off")
    assert Replays.on(torch.device("cuda"), []).make is None


class Part(NamedTuple):
    x: Tensor
    weight: Tensor | None


def test_a_part_of_a_batch_may_be_left_out() -> None:
    made: list[Again] = []
    replays = Replays(lambda: made.append(Again()) or made[-1])  # type: ignore[func-returns-value]
    total = torch.zeros(())

    def work(rows: Part) -> None:
        total.add_((rows.x if rows.weight is None else rows.x * rows.weight).sum())

    for i in range(WARM + 2):
        replays.run("step", Part(torch.tensor([float(i)]), None), work)
    assert total == sum(range(WARM + 2))
    replays.run("step", Part(torch.tensor([1.0]), torch.tensor([2.0])), work)
    assert len(made) == 1, "one with weights is another step"
    assert made[0].replays == 2
