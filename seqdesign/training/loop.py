"""The one training loop: any model with players, on CPU, one GPU or several, and it can be resumed.

A *player* is a group of parameters with its own loss and optimizer (a VAE and its language model; a generator
and a critic). A player may be an ensemble: its loss is then (M,), one value per member, the first axis of its
parameters is the member, and each member is clipped, judged and stopped by itself. All randomness is a
function of (seed, step), so a resumed run repeats an unbroken one.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor, nn

from seqdesign.devices.arithmetic import use_matrix_units
from seqdesign.devices.capture import Replays
from seqdesign.devices.randomness import generator, key, share_of_rows
from seqdesign.devices.threads import suited_threads
from seqdesign.errors import ModelError, TrainingError
from seqdesign.runs.progress import count, phase
from seqdesign.training.config import FitOptions, RunOptions
from seqdesign.training.interrupt import Interrupt
from seqdesign.training.plan import (
    Plan,
    average_into,
    clip_gradient,
    gradient_norm,
    load_optimizer,
    make_optimizer,
    optimizer_state,
    rate_factor,
    scale_rate,
    set_rate,
    shrink,
)
from seqdesign.training.protocols import Data
from seqdesign.training.store import Checkpoint, FitState
from seqdesign.training.tally import Tally

if TYPE_CHECKING:
    from lightning_fabric import Fabric as Fabric  # the one import; others take it from here

MIN_IMPROVEMENT = 1e-4
"""Relative improvement of a held-out loss that counts against the patience."""
EVAL_ROWS = 512
READ_EVERY = 50
"""Steps between looks of the host at what the device found: whether losses are finite, and, with several
processes, whether one of them was interrupted."""


@dataclass(frozen=True)
class Fit:
    """What a run returns; ``model`` holds each player's best weights. stop_reason: epochs | patience."""

    state: FitState
    stop_reason: str


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What the caller wants to be told; all calls come from the main process only."""

    on_epoch: Callable[[dict[str, float]], None] = lambda record: None
    on_step: Callable[[int, int], None] = lambda step, total: None
    save: Callable[[Checkpoint, bool], None] = lambda checkpoint, improved: None


def make_fabric(options: RunOptions, device: torch.device) -> Fabric:
    """Fabric for a resolved device, launched: with several devices the other processes start here."""
    # Half of what torch needs by itself to be imported, so only those who train pay for it.
    from lightning_fabric import Fabric

    use_matrix_units(device)
    # What it tells of itself (processes, precision) is said here in our own words, or not at all.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    precision = "bf16-mixed" if options.precision == "bf16" else "32-true"
    one = options.devices == 1 and options.num_nodes == 1
    devices: Any = [device.index or 0] if one and device.type == "cuda" else options.devices
    fabric = Fabric(
        accelerator=device.type,
        devices=devices,
        num_nodes=options.num_nodes,
        strategy="auto" if one else "ddp",
        precision=precision,
    )
    fabric.launch()
    return fabric


@phase("training", at_most=True)
def fit(
    model: nn.Module,
    train: Data,
    held_out: Data,
    options: RunOptions,
    *,
    seed: int,
    fabric: Fabric,
    hooks: Hooks,
    resume: Checkpoint | None = None,
    plan: Plan | None = None,
) -> Fit:
    """Minimise every player's loss; stop at the last pass or when no held-out figure improves any more.

    ``plan`` is ``Plan.plain`` of the options, which are FitOptions then, unless given.

    Ends with each player's best weights in ``model``. An interrupt (SIGINT, SIGTERM) finishes the step,
    saves, and raises KeyboardInterrupt; a second one is immediate. Raises TrainingError when a loss is not
    finite, ModelError when ``resume`` does not fit the model.
    """
    with _isolated_randomness(fabric.device), Interrupt() as interrupt:
        if plan is None:
            assert isinstance(options, FitOptions), "other options need a plan"
            plan = Plan.plain(model.players, options, len(train), train.typical_length)  # type: ignore[arg-type]
        run = _Run(
            model, train, held_out, options.batch_size, plan,
            seed=seed, fabric=fabric, hooks=hooks, interrupt=interrupt,
        )  # fmt: skip
        # Processes that share a machine share its cores; on a GPU threads of the CPU have nothing to do.
        alone = fabric.world_size == 1 and fabric.device.type == "cpu"
        with suited_threads(run.try_a_step) if alone else nullcontext():
            if resume is not None:
                run.restore(resume)
            else:
                run.judge_the_start()
            while run.state.epoch < run.epochs and run.active():
                run.one_epoch()
        if interrupt.asked:  # after the last step
            raise KeyboardInterrupt
        model.load_state_dict(run.best)
        model.zero_grad()  # gradients would keep the memory of recorded steps
        return Fit(run.state, "epochs" if run.state.epoch >= run.epochs else "patience")


class _Run:
    """One call of ``fit``."""

    def __init__(
        self,
        model: nn.Module,
        train: Data,
        held_out: Data,
        batch_size: int,
        plan: Plan,
        *,
        seed: int,
        fabric: Fabric,
        hooks: Hooks,
        interrupt: Interrupt,
    ) -> None:
        self.model = model.to(fabric.device)
        self.train, self.held_out = train.to(fabric.device), held_out.to(fabric.device)
        self.plan, self.seed, self.fabric = plan, seed, fabric
        self.hooks, self.interrupt = hooks, interrupt
        self.players: tuple[str, ...] = model.players  # type: ignore[assignment]
        self.parameters = {p: model.player_parameters(p) for p in self.players}  # type: ignore[operator]
        self.device = fabric.device
        self.optimizers = {
            p: make_optimizer(self.parameters[p], plan.players[p], self.device) for p in self.players
        }
        # Every process needs a row in every step.
        self.steps_per_epoch = min(
            math.ceil(len(train) / batch_size), max(1, len(train) // fabric.world_size)
        )
        self.epochs, self.patience = plan.epochs, plan.patience
        self.total_steps = self.epochs * self.steps_per_epoch
        self.best = {k: v.detach().clone() for k, v in model.state_dict().items()}
        self.averaged = {
            name: p
            for player in self.players
            if plan.players[player].average > 0
            for name, p in self._named(player).items()
        }
        self.averages = {name: p.detach().clone() for name, p in self.averaged.items()}
        self.state = FitState()
        self.all_asked, self.share = False, 1.0
        self._anyone_asked = torch.zeros((), device=self.device)
        self.tallies: dict[tuple[str, tuple[str, ...]], Tally] = {}
        self.moved: set[str] = set()
        # On GPUs noise is drawn where it is needed, from one generator that each step sets anew.
        self.noise = generator(0, self.device)
        self.now = torch.zeros((), dtype=torch.long, device=self.device)
        self.progress = torch.zeros((), device=self.device)
        one = fabric.world_size == 1
        self.replays = Replays.on(self.device, [self.noise]) if one else Replays(None)

    def restore(self, checkpoint: Checkpoint) -> None:
        try:
            self.model.load_state_dict(checkpoint.model)
            for player, optimizer in self.optimizers.items():
                load_optimizer(optimizer, checkpoint.optimizers[player])
        except (RuntimeError, ValueError, KeyError) as error:
            detail = " ".join(str(error).split())
            raise ModelError(f"the checkpoint belongs to other networks ({detail}); train anew") from error
        if checkpoint.averages.keys() != self.averages.keys():
            raise ModelError("the checkpoint belongs to a run that averaged other weights; train anew")
        self.best = {k: v.to(self.fabric.device) for k, v in checkpoint.best.items()}
        self.averages = {k: v.to(self.fabric.device) for k, v in checkpoint.averages.items()}
        self.state = copy.deepcopy(checkpoint.state)

    def judge_the_start(self) -> None:
        """Weights that a closed form has set may be the best there will be."""
        self._compare(self.fabric.broadcast(self._judged()))

    def try_a_step(self) -> None:
        """Losses and gradients of all players on the first batch of all; nothing is changed by it."""
        order = torch.randperm(len(self.train), generator=self._rng("order", 0))
        batch = self.train.batches(order, self.steps_per_epoch, self._rng("batches", 0))[0]
        rows, rng = self.train.rows(batch), self._rng("noise", 0)
        self.model.train()
        for player in self.players:
            with self.fabric.autocast():
                losses = self.model.losses(player, rows, rng, 0.0)  # type: ignore[operator]
            learning = [p for p in self.parameters[player] if p.requires_grad]
            torch.autograd.grad(losses["loss"].sum(), learning, allow_unused=True)

    def active(self) -> list[str]:
        """The players that still improve, an ensemble while any member does."""
        stale = self.state.stale
        return [p for p in self.players if any(stale[key] < self.patience for key in self._keys(p))]

    def _keys(self, player: str) -> list[str]:
        """The keys of ``state.stale`` that belong to a player."""
        return [key for key in self.state.stale if key.partition(".")[0] == player]

    def one_epoch(self) -> None:
        state = self.state
        order = torch.randperm(len(self.train), generator=self._rng("order", state.epoch))
        batches = self.train.batches(order, self.steps_per_epoch, self._rng("batches", state.epoch))
        self.model.train()
        for batch in batches[state.step - state.epoch * self.steps_per_epoch :]:
            self._step(batch)
            if state.step % READ_EVERY == 0:
                self._look()
            if self.interrupt.asked if self.fabric.world_size == 1 else self.all_asked:
                self._look()
                self._save(improved=False)
                raise KeyboardInterrupt
        self._look()
        record = {
            "epoch": state.epoch + 1.0,
            "step": float(state.step),
            "learning_rate": self._learning_rate(self.players[0], state.step),
        }
        record |= {f"train_{k}": v / self.steps_per_epoch for k, v in state.sums.items()}
        held_out = self.fabric.broadcast(self._judged())
        for name, values in held_out.items():
            mean = sum(values) / len(values)
            self._check_finite(f"held-out {name}", mean, state.step)
            record[f"held_out_{name}"] = mean
        tolerance = 0.0 if self.plan.tolerance is None else self.plan.tolerance([*state.history, record])
        improved = self._compare(held_out, tolerance)
        state.epoch, state.sums = state.epoch + 1, {}
        self.moved.clear()
        for tally in self.tallies.values():
            tally.reset()
        state.history.append(record)
        self._save(improved=improved)
        if self.fabric.is_global_zero:
            self.hooks.on_epoch(record)

    def _step(self, batch: Tensor) -> None:
        state, fabric = self.state, self.fabric
        rng = self._noise_of_step()
        parts = batch.tensor_split(fabric.world_size)
        own = parts[fabric.global_rank]
        place = sum(map(len, parts[: fabric.global_rank])), len(own), len(batch)
        # Shares of a batch differ by a row; what more rows say counts more, as in one process.
        self.share = len(own) * fabric.world_size / len(batch)
        rows = self.train.rows(own)
        self.now.fill_(state.step + 1)
        progress: Any = state.step / self.total_steps
        if self.device.type == "cuda":  # a recorded step would see one number for ever
            progress = self.progress.fill_(progress)
        with share_of_rows(*place) if fabric.world_size > 1 else nullcontext():
            for player in self.active():
                if (state.step + 1) % self.plan.players[player].every == 0:
                    self._move(player, rows, rng, progress)
        state.step += 1
        if fabric.is_global_zero:
            self.hooks.on_step(state.step, self.total_steps)
        count(state.step, self.total_steps)

    def _noise_of_step(self) -> Generator:
        """The generator of this step, and the global one, from which dropout draws, set to it.

        All processes have the same one, of which each row takes its own numbers; what is dropped out is drawn
        by each for itself.
        """
        step, rank = self.state.step, self.fabric.global_rank
        if self.device.type == "cpu":
            rng = self._rng("noise", step, 0)
            drops = int(torch.randint(2**62, (1,), generator=rng))
            torch.manual_seed(key(self.seed, "dropout", step, rank) if rank else drops)
            return rng
        torch.manual_seed(key(self.seed, "dropout", step, rank))
        return self.noise.manual_seed(key(self.seed, "noise", step, 0))

    def _move(self, player: str, rows: Any, rng: Generator, progress: Any) -> None:
        """One step of one player."""
        state, settings = self.state, self.plan.players[player]
        set_rate(self.optimizers[player], self._learning_rate(player, state.step))
        variant = getattr(self.model, "variant", None)
        kind = (player, None if variant is None else variant(player, rng))
        self.replays.run(kind, rows, lambda held: self._work(player, held, rng, progress))
        state.moves[player] = state.moves.get(player, 0) + 1
        self.moved.add(player)
        if settings.average > 0:
            average_into(self.averages, self._named(player), settings.average, state.moves[player])

    def _work(self, player: str, rows: Any, rng: Generator, progress: Any) -> None:
        """What a step launches. It may be recorded: it reads nothing, and changes everything in place."""
        optimizer, settings = self.optimizers[player], self.plan.players[player]
        with self.fabric.autocast():
            losses = self.model.losses(player, rows, rng, progress)  # type: ignore[operator]
        optimizer.zero_grad()
        total = losses["loss"].sum()
        self.fabric.backward(total if self.share == 1 else total * self.share)
        values = self._agree(player, losses)
        if settings.paced:
            pace = self.model.pace(player, dict(zip(losses, values, strict=True)))  # type: ignore[operator]
            if pace is not None:
                scale_rate(optimizer, pace)
        names = [name if name != "loss" else f"{player}_loss" for name in losses]
        if settings.watch:
            norm = gradient_norm(self.parameters[player])
            names, values = [*names, f"{player}_gradient"], torch.cat([values, norm.view(1).to(values)])
        # A player who moves in every fifth step counts five times, so that the mean is per move.
        self._tally(player, tuple(names)).add(values, settings.every, self.now)
        if settings.clip is not None:
            clip_gradient(self.parameters[player], settings.clip, losses["loss"].numel())
        optimizer.step()
        if settings.sparse > 0:
            shrink(self.model.sparse_parameters(player), optimizer, settings.sparse)  # type: ignore[operator]
        if settings.max_weight is not None:
            with torch.no_grad():
                for parameter in self.parameters[player]:
                    parameter.clamp_(-settings.max_weight, settings.max_weight)

    def _tally(self, player: str, names: tuple[str, ...]) -> Tally:
        if (player, names) not in self.tallies:
            known = {name for tally in self.tallies.values() for name in tally.names}
            sums = {name: value for name, value in self.state.sums.items() if name not in known}
            self.tallies[player, names] = Tally(names, sums, self.device)
        return self.tallies[player, names]

    def _look(self) -> None:
        """Read what the device counted. Raises TrainingError for a term that is not finite."""
        found: dict[str, float] = {}
        for (player, _), tally in self.tallies.items():
            for name, value in tally.read().items() if player in self.moved else ():
                found[name] = found.get(name, 0.0) + value
        self.state.sums |= found
        faults = [fault for tally in self.tallies.values() if (fault := tally.fault()) is not None]
        if faults:
            first = min(faults, key=lambda fault: fault.step)
            self._check_finite(first.name, first.value, first.step)
        if self.fabric.world_size > 1:
            self.all_asked = bool(self._anyone_asked > 0)

    def _named(self, player: str) -> dict[str, nn.Parameter]:
        mine = {id(p) for p in self.parameters[player]}
        return {name: p for name, p in self.model.named_parameters() if id(p) in mine}

    def _agree(self, player: str, losses: dict[str, Tensor]) -> Tensor:
        """Loss terms (K,), and in place the gradient: both the mean over the processes, as one message.

        The message tells of interrupts too, so that all processes end after the same step.
        """
        values = torch.stack([value.detach().float().mean() for value in losses.values()])
        if self.fabric.world_size == 1:
            return values
        gradients = [p.grad for p in self.parameters[player] if p.grad is not None]
        parts = [*gradients, values * self.share, values.new_tensor(float(self.interrupt.asked))]
        mean = self.fabric.all_reduce(torch.cat([part.flatten() for part in parts]), reduce_op="mean")
        assert isinstance(mean, Tensor)
        *means, terms, asked = mean.split([part.numel() for part in parts])
        for gradient, part in zip(gradients, means, strict=True):
            gradient.copy_(part.view_as(gradient))
        self._anyone_asked += asked.squeeze(0)
        return terms

    @torch.no_grad()
    def _judged(self) -> dict[str, list[float]]:
        """Held-out figures of the weights that would be kept now, of each member."""
        if not self.fabric.is_global_zero:
            return {}
        self.model.eval()
        running = {name: p.detach().clone() for name, p in self.averaged.items()}
        for name, p in self.averaged.items():
            p.copy_(self.averages[name])
        if self.plan.judge is not None:
            figures = {name: [value] for name, value in self.plan.judge(self.model).items()}
        else:
            figures = self._held_out_terms()
        for name, p in self.averaged.items():
            p.copy_(running[name])
        return figures

    def _held_out_terms(self) -> dict[str, list[float]]:
        """Held-out loss terms at full weights, of each member; the same noise every time, so that passes
        compare.
        """
        sums: dict[str, Tensor] = {}
        n = len(self.held_out)
        rng = self._rng("held out", 0)
        for index in torch.arange(n, device=self.fabric.device).split(EVAL_ROWS):
            rows = self.held_out.rows(index)
            for player in self.players:
                with self.fabric.autocast():
                    losses = self.model.losses(player, rows, rng, 1.0)  # type: ignore[operator]
                for name, value in losses.items():
                    key = name if name != "loss" else f"{player}_loss"
                    sums[key] = sums.get(key, 0.0) + value.double() * len(index) / n
        return {key: value.flatten().tolist() for key, value in sums.items()}

    def _compare(self, held_out: dict[str, list[float]], tolerance: float = 0.0) -> bool:
        """Keep the weights of every active player or member that is better than ever; count its stale passes.

        At the very start everything is as good as never before, and always where the last weights count.
        """
        state, improved = self.state, False
        for player in self.players:
            values = held_out["score" if self.plan.judge is not None else f"{player}_loss"]
            for member, value in enumerate(values):
                key = player if len(values) == 1 else f"{player}.{member}"
                if state.stale.get(key, 0) >= self.patience:
                    continue
                best = math.inf if self.plan.last else state.best.get(key, math.inf)
                bound = best + tolerance
                clearly = not value >= bound - MIN_IMPROVEMENT * abs(value)
                state.stale[key] = 0 if clearly else state.stale.get(key, 0) + 1
                if value < bound:
                    improved = True
                    state.best[key] = min(value, best)
                    self._keep(player, None if len(values) == 1 else member)
        return improved

    def _keep(self, player: str, member: int | None) -> None:
        """Copy the weights of a player, or of one member, to the best ones."""
        place = slice(None) if member is None else member
        for name, p in self._named(player).items():
            self.best[name][place] = self.averages.get(name, p.detach())[place]

    def _save(self, *, improved: bool) -> None:
        if self.fabric.is_global_zero:
            optimizers = {player: optimizer_state(optimizer) for player, optimizer in self.optimizers.items()}
            weights = self.model.state_dict()
            self.hooks.save(Checkpoint(weights, self.best, optimizers, self.state, self.averages), improved)

    def _learning_rate(self, player: str, step: int) -> float:
        settings = self.plan.players[player]
        return settings.learning_rate * rate_factor(settings.schedule, step, self.total_steps)

    def _check_finite(self, name: str, value: float, step: int) -> None:
        if not math.isfinite(value):
            rate = self._learning_rate(self.players[0], max(step - 1, 0))
            raise TrainingError(
                f"{name} became {value} at step {step} (learning rate {rate:.3g}); the last "
                "good checkpoint is kept; lower --learning-rate, or look for extreme outcomes in the input"
            )

    def _rng(self, purpose: str, *numbers: int) -> Generator:
        """A generator that depends on the seed, the purpose and the numbers alone."""
        return generator(key(self.seed, purpose, *numbers))


@contextmanager
def _isolated_randomness(device: torch.device) -> Iterator[None]:
    """The caller's global generators are as they were, whatever happens inside."""
    # A seed for one GPU is one for all: torch.manual_seed knows no other.
    gpus = range(torch.cuda.device_count()) if device.type == "cuda" else ()
    with torch.random.fork_rng(devices=list(gpus)):
        yield
