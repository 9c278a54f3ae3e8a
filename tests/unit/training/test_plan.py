"""Promises of a plan: who moves when, how far, with which averages; and how the best weights are chosen."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor, nn

from seqdesign.training.config import RunOptions
from seqdesign.training.loop import Fit, Hooks, fit
from seqdesign.training.plan import (
    Plan,
    PlayerSettings,
    average_into,
    load_optimizer,
    make_optimizer,
    optimizer_state,
    rate_factor,
    set_rate,
    shrink,
)
from seqdesign.training.store import Checkpoint


class Rows:
    """Rows that are numbers."""

    typical_length = 1

    def __init__(self, *values: float) -> None:
        self.values = torch.tensor(values)

    def __len__(self) -> int:
        return len(self.values)

    def to(self, device: torch.device) -> Rows:
        return self

    def batches(self, order: Tensor, num: int, rng: Generator) -> Sequence[Tensor]:
        return order.tensor_split(num)

    def rows(self, index: Tensor) -> Tensor:
        return self.values[index]

    def fingerprint(self) -> str:
        return str(self.values.tolist())


class Duel(nn.Module):
    """Two numbers: the first follows the rows, the second follows the first."""

    players = ("critic", "generator")

    def __init__(self) -> None:
        super().__init__()
        self.critic, self.generator = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
        self.moves: list[tuple[str, float, float]] = []

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        return [getattr(self, player)]

    def losses(self, player: str, batch: Tensor, rng: Generator, progress: float) -> dict[str, Tensor]:
        self.moves.append((player, self.critic.item(), self.generator.item()))
        wanted = batch.mean() if player == "critic" else self.critic
        return {"loss": (getattr(self, player) - wanted).square().sum()}


DATA = Rows(*[2.0] * 20)


def run(fabric: Fabric, *, epochs: int = 2, model: Duel | None = None, **given: Any) -> tuple[Duel, Fit]:
    model = model or Duel()
    judge = given.pop("judge", lambda duel: {"score": -float(duel.generator)})
    resume, hooks, patience = (
        given.pop("resume", None),
        given.pop("hooks", Hooks()),
        given.pop("patience", 99),
    )
    players = {
        "critic": PlayerSettings(learning_rate=0.1, optimizer="adam", **given.pop("critic", {})),
        "generator": PlayerSettings(learning_rate=0.1, optimizer="adam", **given.pop("generator", {})),
    }
    last = given.pop("last", False)
    plan = Plan(epochs=epochs, patience=patience, players=players, judge=judge, last=last)
    result = fit(
        model,
        DATA,
        DATA,
        RunOptions(batch_size=2),
        seed=0,
        fabric=fabric,
        hooks=hooks,
        plan=plan,
        resume=resume,
    )
    return model, result


def test_the_critic_moves_so_many_times_a_step_of_the_generator(fabric: Fabric) -> None:
    """Oracle 10: exactly n critic steps per generator step, the generator after them."""
    model, result = run(fabric, generator={"every": 5})
    names = [player for player, _, _ in model.moves]
    assert names == (["critic"] * 5 + ["generator"]) * 4
    assert result.state.moves == {"critic": 20, "generator": 4}
    losses = [row["train_generator_loss"] for row in result.state.history]
    seen = [(c - g) ** 2 for p, c, g in model.moves if p == "generator"]
    assert losses[0] == pytest.approx(sum(seen[:2]) / 2)  # a mean over its own moves


def test_a_step_of_one_player_leaves_the_other_bit_identical(fabric: Fabric) -> None:
    """Oracle 10."""
    model, _ = run(fabric, epochs=1)
    for (player, *before), (_, *after) in zip(model.moves, model.moves[1:], strict=False):
        own, other = (0, 1) if player == "critic" else (1, 0)
        assert before[other] == after[other]
        assert before[own] != after[own] or player == "generator"


class PacedDuel(Duel):
    """The generator moves at a quarter of its rate, and what it is told is written down."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, float]] = []

    def pace(self, player: str, terms: dict[str, Tensor]) -> Tensor | None:
        self.told.append((player, float(terms["loss"])))
        return torch.tensor(0.25) if player == "generator" else None


def test_a_model_sets_the_pace_of_its_players(fabric: Fabric) -> None:
    """Adam's first step is as long as the rate, and its later ones are in proportion to it."""
    paced = {"critic": {"paced": True}, "generator": {"paced": True}}
    model, _ = run(fabric, epochs=1, model=PacedDuel(), **paced)
    assert isinstance(model, PacedDuel)
    (_, critic, _), (_, _, generator) = model.moves[1:3]
    assert (critic, generator) == (pytest.approx(0.1), pytest.approx(0.025))
    assert [player for player, _ in model.told] == ["critic", "generator"] * 10
    assert model.told[0][1] == pytest.approx(4.0)
    free, _ = run(fabric, epochs=1, model=PacedDuel())
    assert isinstance(free, PacedDuel)
    assert not free.told


class NoisyDuel(Duel):
    """A critic of many weights: the first follows the rows, the others chance."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = nn.Parameter(torch.zeros(200))

    def losses(self, player: str, batch: Tensor, rng: Generator, progress: Any) -> dict[str, Tensor]:
        if player == "generator":
            return {"loss": (self.generator - 1).square().sum()}
        push = torch.randn(200, generator=rng)
        push[0] = -1.0
        return {"loss": (self.critic * push).sum()}

    def sparse_parameters(self, player: str) -> list[nn.Parameter]:
        return [self.critic] if player == "critic" else []


@pytest.mark.parametrize("rates", [0.0, 0.6])
def test_weights_that_chance_alone_moves_stay_zero(fabric: Fabric, rates: float) -> None:
    model, _ = run(fabric, epochs=10, model=NoisyDuel(), critic={"sparse": rates, "betas": (0.9, 0.98)})
    first, *others = model.critic.tolist()
    moved = sum(other != 0 for other in others) / len(others)
    assert first > 0.5
    assert moved < 0.2 if rates else moved == 1


def test_shrinking_stops_at_zero() -> None:
    weights = nn.Parameter(torch.tensor([1.0, -0.2, 0.05, 0.0]))
    shrink([weights], make_optimizer([weights], PlayerSettings(learning_rate=0.1)), 2.0)
    assert weights.tolist() == pytest.approx([0.8, 0.0, 0.0, 0.0])


def test_weights_are_clamped_after_every_step(fabric: Fabric) -> None:
    """Arjovsky et al. 2017, algorithm 1: the critic that the generator meets is already clipped."""
    model, _ = run(fabric, critic={"max_weight": 0.01})
    assert max(abs(c) for _, c, _ in model.moves) == pytest.approx(0.01)
    met = [abs(c) for player, c, _ in model.moves if player == "generator"]
    assert max(met) <= 0.01


def test_the_average_is_judged_and_kept_and_the_running_weights_go_on(fabric: Fabric) -> None:
    seen: list[float] = []

    def judge(duel: Duel) -> dict[str, float]:
        seen.append(duel.generator.item())
        return {"score": -float(len(seen))}

    saved: list[Checkpoint] = []
    hooks = Hooks(save=lambda checkpoint, improved: saved.append(copy.deepcopy(checkpoint)))
    model, _ = run(fabric, generator={"average": 0.9}, judge=judge, hooks=hooks)
    wanted, moves = 0.0, 0
    path = [g for player, _, g in model.moves if player == "critic"][1:]
    for value in path:  # the weights after every move but the last
        moves += 1
        decay = min(0.9, (1 + moves) / (10 + moves))
        wanted = decay * wanted + (1 - decay) * value
    moves += 1
    decay = min(0.9, (1 + moves) / (10 + moves))
    last = float(saved[-1].model["generator"])
    wanted = decay * wanted + (1 - decay) * last
    assert seen[-1] == pytest.approx(wanted, rel=1e-5)
    assert float(saved[-1].averages["generator"]) == pytest.approx(wanted, rel=1e-5)
    assert model.generator.item() == pytest.approx(wanted, rel=1e-5)  # what the run ends with
    assert last != pytest.approx(wanted, rel=1e-3)


def test_the_best_weights_are_those_of_the_best_score_for_all_players(fabric: Fabric) -> None:
    """The score is best where the generator is near 0.5, which it passes on its way to 2."""
    kept: list[tuple[float, float, float]] = []

    def judge(duel: Duel) -> dict[str, float]:
        score = abs(duel.generator.item() - 0.5)
        kept.append((score, duel.critic.item(), duel.generator.item()))
        return {"score": score, "more": 7.0}

    model, result = run(fabric, epochs=8, judge=judge)
    assert (min(kept)[1], min(kept)[2]) == (model.critic.item(), model.generator.item())
    assert min(kept) not in (kept[0], kept[-1])
    assert [row["held_out_more"] for row in result.state.history] == [7.0] * 8


def test_a_run_stops_when_the_score_gets_no_better(fabric: Fabric) -> None:
    _, result = run(fabric, epochs=20, patience=3, judge=lambda duel: {"score": 1.0})
    assert (result.stop_reason, result.state.epoch) == ("patience", 3)


def test_the_last_weights_are_kept_where_they_are_wanted_however_bad(fabric: Fabric) -> None:
    scores = iter(range(100))
    seen: list[float] = []

    def judge(duel: Duel) -> dict[str, float]:
        seen.append(duel.generator.item())
        return {"score": float(next(scores))}

    model, result = run(fabric, epochs=6, patience=2, judge=judge, last=True)
    assert (result.stop_reason, result.state.epoch) == ("epochs", 6)
    assert model.generator.item() == seen[-1] != seen[0]


def test_a_resumed_run_repeats_an_unbroken_one_with_averages(fabric: Fabric) -> None:
    settings: dict[str, Any] = {"generator": {"average": 0.9, "every": 2}}
    saved: list[Checkpoint] = []
    hooks = Hooks(save=lambda checkpoint, improved: saved.append(copy.deepcopy(checkpoint)))
    whole, first = run(fabric, epochs=4, hooks=hooks, **settings)
    again, second = run(fabric, epochs=4, resume=saved[1], **settings)
    assert again.generator.item() == whole.generator.item()
    assert again.critic.item() == whole.critic.item()
    assert first.state == second.state


def test_a_watched_player_has_its_gradient_norm_on_record(fabric: Fabric) -> None:
    _, result = run(fabric, critic={"watch": True})
    assert result.state.history[0]["train_critic_gradient"] > 0
    assert "train_generator_gradient" not in result.state.history[0]


@pytest.mark.parametrize(
    ("schedule", "start", "middle", "end"),
    [("constant", 1, 1, 1), ("linear", 1, 1, 0.02), ("cosine", 0.01, 0.525, 0.05)],
)
def test_learning_rates_follow_their_schedule(schedule: Any, start: float, middle: float, end: float) -> None:
    found = [rate_factor(schedule, step, 10_000) for step in (0, 5000, 10_000)]
    assert found == pytest.approx([start, middle, end], abs=1e-6)


def test_each_optimizer_is_what_its_name_says() -> None:
    weights = [nn.Parameter(torch.zeros(1))]
    for name, kind in (
        ("adam", torch.optim.Adam),
        ("adamw", torch.optim.AdamW),
        ("rmsprop", torch.optim.RMSprop),
    ):
        made = make_optimizer(weights, PlayerSettings(learning_rate=0.3, optimizer=name, betas=(0.1, 0.2)))
        assert type(made) is kind
        assert made.param_groups[0]["lr"] == 0.3
        assert made.param_groups[0].get("betas", (0.1, 0.2)) == (0.1, 0.2)


def test_an_average_forgets_the_first_weights_fast() -> None:
    average = {"w": torch.zeros(1)}
    average_into(average, {"w": torch.ones(1)}, 0.999, 1)
    assert average["w"].item() == pytest.approx(1 - 2 / 11)


def test_a_checkpoint_goes_from_one_kind_of_device_to_another() -> None:
    """What a GPU writes, a CPU goes on with, by its own way of making steps; rates are written as numbers."""
    ours, theirs = ([nn.Parameter(torch.ones(2))] for _ in range(2))
    settings = PlayerSettings(learning_rate=0.1, optimizer="adam")
    here, there = (make_optimizer(parameters, settings) for parameters in (ours, theirs))
    there.param_groups[0] |= {"lr": torch.tensor(0.1), "capturable": True, "fused": True}
    set_rate(there, 0.05)
    assert there.param_groups[0]["lr"].item() == pytest.approx(0.05)
    state = optimizer_state(there)
    assert state["param_groups"][0]["lr"] == pytest.approx(0.05)
    assert isinstance(state["param_groups"][0]["lr"], float)
    state["state"] = {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2), "exp_avg_sq": torch.ones(2)}}
    load_optimizer(here, state)
    group = here.param_groups[0]
    assert (group["lr"], group["capturable"], group["fused"]) == (0.1, False, None)
    ours[0].grad = torch.ones(2)
    here.step()
    assert here.state[ours[0]]["step"] == 4
    assert torch.is_tensor(there.param_groups[0]["lr"]), "what was written down was a copy"
