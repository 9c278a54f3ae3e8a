"""The plan of a training run: how long, by what it is judged, and how each player moves."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from seqdesign.training.config import FitOptions, num_epochs, patience

WARMUP_STEPS = 100
LEARNING_RATE, WEIGHT_DECAY = 2e-3, 0.01

OptimizerName = Literal["adamw", "adam", "rmsprop"]
Schedule = Literal["cosine", "constant", "linear"]


@dataclass(frozen=True, kw_only=True)
class PlayerSettings:
    """One player's part of a run."""

    learning_rate: float
    """Peak learning rate."""
    optimizer: OptimizerName = "adamw"
    """``rmsprop`` and ``adam`` take no weight decay."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Of Adam and AdamW."""
    weight_decay: float = 0.0
    """Of AdamW."""
    schedule: Schedule = "cosine"
    """See ``rate_factor``."""
    clip: float | None = None
    """Largest gradient norm."""
    every: int = 1
    """The player moves in every so many steps, in the last of them."""
    max_weight: float | None = None
    """All parameters are clamped to +- this after every move (Arjovsky et al. 2017, algorithm 1)."""
    sparse: float = 0.0
    """The model's ``sparse_parameters(player)`` go this many learning rates towards zero after every move,
    but not beyond: a proximal step of an L1 penalty, of Adam's indifference to how large gradients are. So
    they stay zero where these push to and fro by chance."""
    average: float = 0.0
    """Decay of the running average of the weights, which is then what is judged and kept; 0: none."""
    watch: bool = False
    """The norm of its gradient is put on record."""
    paced: bool = False
    """The model's ``pace(player, terms)`` is told the terms of each step, before the player moves, and says
    by what its learning rate is multiplied in this step; None: by nothing."""

    @classmethod
    def of(cls, options: FitOptions) -> PlayerSettings:
        """AdamW as the options say."""
        decay = WEIGHT_DECAY if options.weight_decay == "auto" else options.weight_decay
        rate = LEARNING_RATE if options.learning_rate == "auto" else options.learning_rate
        return cls(learning_rate=rate, weight_decay=decay, clip=options.clip)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole run."""

    epochs: int
    patience: int
    """Passes without a better held-out figure after which to stop."""
    players: Mapping[str, PlayerSettings]
    judge: Callable[[nn.Module], dict[str, float]] | None = None
    """Held-out figures of the model, with the averaged weights where they are kept; the weights with the
    smallest ``score`` among them are the best of all players together. None: each player's own held-out loss.
    Called in the main process only."""
    tolerance: Callable[[Sequence[Mapping[str, float]]], float] | None = None
    """Later weights are kept as well when their figure is above the best one by less than this says of the
    records so far, the newest included; None: 0."""
    last: bool = False
    """The last weights are kept, whatever the held-out figures say, and nothing stops early."""

    @classmethod
    def plain(cls, players: Sequence[str], options: FitOptions, num_train: int, length: int) -> Plan:
        """All players alike, judged by their losses, as the options say."""
        epochs = num_epochs(options, num_train, length)
        return cls(
            epochs=epochs,
            patience=patience(options, epochs),
            players=dict.fromkeys(players, PlayerSettings.of(options)),
        )


def make_optimizer(
    parameters: list[nn.Parameter], settings: PlayerSettings, device: torch.device | str = "cpu"
) -> torch.optim.Optimizer:
    """The torch optimizer of one player; RMSProp with torch's own alpha .99 and eps 1e-8.

    On GPUs it counts steps and keeps its learning rate there, so that a step can be recorded.
    """
    rate: Any = settings.learning_rate
    given: dict[str, Any] = {"lr": rate}
    if torch.device(device).type == "cuda":
        given = {"lr": torch.tensor(rate, device=device), "capturable": True}
    made: Any
    if settings.optimizer == "rmsprop":
        # For one tensor at a time, torch reads the learning rate from the GPU.
        made = torch.optim.RMSprop(parameters, **given, foreach=True if "capturable" in given else None)
    else:
        given |= {"betas": settings.betas} | ({"fused": True} if "capturable" in given else {})
        if settings.optimizer == "adam":
            made = torch.optim.Adam(parameters, **given)
        else:
            made = torch.optim.AdamW(parameters, weight_decay=settings.weight_decay, **given)
    # The first steps, and those that cannot be recorded, run as they are, and torch would warn of that.
    made._warned_capturable_if_run_uncaptured = True
    return made


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate, in place where it is a tensor."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def scale_rate(optimizer: torch.optim.Optimizer, factor: Tensor) -> None:
    """Multiply the learning rate by a scalar, where it is a tensor without reading it."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].mul_(factor)
        else:
            group["lr"] *= float(factor)


@torch.no_grad()
def shrink(parameters: Sequence[nn.Parameter], optimizer: torch.optim.Optimizer, rates: float) -> None:
    """Move parameters in place towards zero by so many of the optimizer's learning rates, and no further."""
    by = optimizer.param_groups[0]["lr"] * rates
    for parameter in parameters:
        parameter.sub_(parameter.clamp(min=-by, max=by))


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The state to write down; its learning rates are numbers, whatever the device."""
    state = optimizer.state_dict()
    for group in state["param_groups"]:
        group["lr"] = float(group["lr"])
    return state


OF_THE_DEVICE = ("lr", "capturable", "fused", "foreach")
"""Settings of an optimizer that the device decides and not the checkpoint; every step sets its own rate."""


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Go on from a state that may come from another kind of device. Raises as ``load_state_dict`` does."""
    state = copy.deepcopy(state)
    for group, own in zip(state["param_groups"], optimizer.param_groups, strict=True):
        group |= {name: own[name] for name in OF_THE_DEVICE if name in own}
    optimizer.load_state_dict(state)


def rate_factor(schedule: Schedule, step: int, total: int) -> float:
    """Share of the peak learning rate at ``step`` of ``total``.

    cosine: linear warm-up, then a cosine down to a twentieth (Loshchilov & Hutter 2017). linear: full for the
    first half, then a line down to a fiftieth.
    """
    if schedule == "constant":
        return 1.0
    done = min(1.0, step / total)
    if schedule == "linear":
        return min(1.0, 2 * (1 - done) + 0.02)
    warm = min(1.0, (step + 1) / min(WARMUP_STEPS, max(1, total // 10)))
    return warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


@torch.no_grad()
def average_into(
    averages: Mapping[str, Tensor], weights: Mapping[str, Tensor], decay: float, moves: int
) -> None:
    """Move the running averages in place towards the weights after the player's move number ``moves``.

    The decay rises from 2/11, so that the first weights, which are noise, are soon forgotten.
    """
    decay = min(decay, (1 + moves) / (10 + moves))
    running = [averages[name] for name in weights]
    torch._foreach_lerp_(running, [weight.detach() for weight in weights.values()], 1 - decay)


def gradient_norm(parameters: Sequence[nn.Parameter]) -> Tensor:
    """Euclidean norm of the whole gradient, a scalar that stays on its device."""
    return nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])


def clip_gradient(parameters: Sequence[nn.Parameter], largest: float, members: int) -> None:
    """Scale the gradient to a norm of at most ``largest``, of an ensemble each member's by itself."""
    if members == 1:
        nn.utils.clip_grad_norm_(parameters, largest)
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    norms = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
    factors = (largest / (norms + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factors.view(-1, *[1] * (gradient.ndim - 1)))
