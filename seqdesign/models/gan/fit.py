"""Train a SequenceGAN from encoded sequences in memory: split, fit, keep the best by held-out statistics."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdesign.adversarial.members import OBJECTIVES
from seqdesign.errors import InputError
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.fit_options import GANFitOptions
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.gan.quality import Judge
from seqdesign.models.gan.sampling import draw
from seqdesign.models.gan.store import GANRecord, TrainedGAN
from seqdesign.runs.atomic import atomic_write
from seqdesign.sequences.encoders import TokenArray, decode
from seqdesign.sequences.splits import random_split
from seqdesign.symbols import spelled
from seqdesign.training.data import Batch, TokenData
from seqdesign.training.fitting import build
from seqdesign.training.loop import Fit, Hooks, fit
from seqdesign.training.plan import Plan, PlayerSettings
from seqdesign.training.splitting import hold_out, together
from seqdesign.training.store import Checkpoint, load_checkpoint, run_identity, save_checkpoint, write_metrics

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric

SAMPLES = "samples"
"""Folder with what fixed noise became at every look."""
GRID = 16
MOST_LABELS = 50
TOLERANCE = 1.5
"""Words are soon as they should be, and get worse for a time where stems or places are learned."""
RUNAWAY, FEWEST_LOOKS = 3.0, 4
"""Times its median at the looks before, of which there must be some, by which the critic's gradient is larger
while the game is broken down."""

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class GANTraining:
    """A trained model and how its training went.

    Three disjoint sets of indices into the input: ``train`` to learn from, ``validation``, by which weights
    were chosen, and ``test``, which had no part in either.
    """

    trained: TrainedGAN
    model: SequenceGAN
    fit: Fit
    train: Indices
    validation: Indices
    test: Indices


@dataclass(frozen=True, eq=False)
class Stretch:
    """The rows of ``data`` as an endless stream, of which one pass of the loop sees ``length`` rows."""

    data: TokenData
    length: int

    def __len__(self) -> int:
        return self.length

    @property
    def typical_length(self) -> int:
        """Of the rows."""
        return self.data.typical_length

    def to(self, device: torch.device) -> Stretch:
        """The same on another device."""
        return Stretch(self.data.to(device), self.length)

    def batches(self, order: Tensor, num: int, rng: torch.Generator) -> Sequence[Tensor]:
        """``num`` batches of one size out of as many shuffled rounds through the data as they need."""
        rounds = -(-self.length // len(self.data))
        rows = torch.cat([torch.randperm(len(self.data), generator=rng) for _ in range(rounds)])
        return rows[: self.length].tensor_split(num)

    def rows(self, index: Tensor) -> Batch:
        """One batch."""
        return self.data.rows(index)

    def fingerprint(self) -> str:
        """Of the rows."""
        return self.data.fingerprint()


def train_sequence_gan(
    tokens: TokenArray,
    outcomes: NDArray[np.float64] | None,
    *,
    options: GANOptions,
    fit_options: GANFitOptions,
    seed: int,
    fabric: Fabric,
    outcome_name: str = "outcome",
    labels: tuple[str, ...] = (),
    folder: Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    on_step: Callable[[int, int], None] = lambda step, total: None,
) -> GANTraining:
    """Learn from N encoded sequences; their outcomes (N,) matter only with a condition.

    labels: what the outcomes are called where they are places among labels.

    With a ``folder``, a checkpoint, the figures of all looks and the sequences that fixed noise becomes are
    written there at every look, and ``resume`` continues from it.

    Raises InputError for too few sequences or outcomes that cannot be told apart, TrainingError, and
    ModelError when there is nothing to resume.
    """
    values = outcomes if options.condition != "none" else None
    train, validation, test = split(tokens, fit_options, seed)
    record = _describe(tokens, values, train, options, outcome_name)
    record = replace(record, labels=labels if record.classes else ())
    whole = TokenData.of(tokens, values)
    data, judges = (_rows(whole, part) for part in (train, validation))
    identity = run_identity(whole.fingerprint(), options, fit_options, seed, fabric.world_size)
    model = build(record, seed)
    judge = Judge(data, judges, tokens.alphabet, record.shares, seed)

    def look(network: nn.Module) -> dict[str, float]:
        if folder is not None:
            _write_grid(folder, model, record, looks[0], fit_options.steps_per_look, seed)
        looks[0] += 1
        return judge(network)

    def save(checkpoint: Checkpoint, improved: bool) -> None:
        if folder is not None:
            save_checkpoint(folder, checkpoint, record, identity)
            write_metrics(folder, checkpoint.state.history)

    before = load_checkpoint(folder, identity) if resume and folder is not None else None
    looks = [before.state.epoch + 1 if before else 0]
    plan = make_plan(options, fit_options, look, model.num_symbols)
    length = fit_options.steps_per_look * plan.players["generator"].every * fit_options.batch_size
    fitted = fit(
        model,
        Stretch(data, length),
        judges,
        fit_options,
        seed=seed,
        fabric=fabric,
        hooks=Hooks(on_epoch=on_epoch, on_step=on_step, save=save),
        resume=before,
        plan=plan,
    )
    model.eval()
    record = replace(record, believed=kept(fitted.state.history)["held_out_believed"])
    return GANTraining(TrainedGAN.of(model, record), model, fitted, train, validation, test)


def split(tokens: TokenArray, options: GANFitOptions, seed: int) -> tuple[Indices, Indices, Indices]:
    """(train, validation, test) indices: of those held out, half choose the weights and half test them.

    Raises InputError for too few sequences.
    """
    train, held_out = hold_out(tokens, None, options, seed)
    groups = together(tokens, options)[held_out]
    rng = np.random.default_rng([seed, len(held_out)])
    first, second = random_split(len(held_out), [0.5, 0.5], rng, groups=groups)
    return train, held_out[first], held_out[second]


def make_plan(
    options: GANOptions,
    fit_options: GANFitOptions,
    judge: Callable[[nn.Module], dict[str, float]],
    num_symbols: int,
) -> Plan:
    """The run that objective and options ask for: the critic moves in every step, the generator in some."""
    objective = OBJECTIVES.load(options.objective)
    critic_steps, rate = fit_options.critic_steps, fit_options.learning_rate
    fit_for = objective.rate_symbols or num_symbols
    critic = PlayerSettings(
        learning_rate=objective.learning_rate * min(1.0, fit_for / num_symbols) if rate == "auto" else rate,
        optimizer=objective.optimizer,
        betas=objective.betas,
        schedule=objective.schedule,
        max_weight=objective.max_weight,
        watch=True,
        paced=objective.paced,
    )
    generator = PlayerSettings(
        learning_rate=critic.learning_rate,
        optimizer=objective.optimizer,
        betas=objective.betas,
        schedule=objective.schedule,
        every=objective.critic_steps if critic_steps == "auto" else critic_steps,
        average=fit_options.average,
        watch=True,
        paced=objective.paced,
    )
    looks, patience = fit_options.looks, fit_options.patience
    return Plan(
        epochs=looks,
        patience=max(5, looks // 2) if patience == "auto" else patience,
        players={"critic": critic, "generator": generator},
        judge=judge,
        tolerance=tolerance,
    )


def tolerance(history: Sequence[Mapping[str, float]]) -> float:
    """By how much words may be worse than ever before: not at all while the critic runs away."""
    sizes = [look["train_critic_gradient"] for look in history if "train_critic_gradient" in look]
    runs_away = len(sizes) > FEWEST_LOOKS and sizes[-1] > RUNAWAY * float(np.median(sizes[:-1]))
    return 0.0 if runs_away else TOLERANCE


def kept(history: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    """The look whose weights were kept: the last one that was as good as the best before it."""
    best, found = math.inf, history[0]
    for i, look in enumerate(history):
        if look["held_out_score"] < best + tolerance(history[: i + 1]):
            found, best = look, min(best, look["held_out_score"])
    return found


def _describe(
    tokens: TokenArray,
    outcomes: NDArray[np.float64] | None,
    train: Indices,
    options: GANOptions,
    outcome_name: str,
) -> GANRecord:
    """What the networks need to know of the data."""
    classes: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    if options.condition != "none":
        if outcomes is None or np.isnan(outcomes).any():
            raise InputError(
                f"--condition needs '{outcome_name}' for every sequence; leave out those without it by "
                "--on-missing drop"
            )
        classes = _classes(outcomes[train], options, outcome_name)
        labels = np.minimum(np.searchsorted(classes, outcomes[train]), len(classes) - 1)
        shares = tuple((np.bincount(labels, minlength=len(classes)) / len(train)).tolist())
    return GANRecord(
        options=options,
        alphabet=tokens.alphabet,
        max_length=int(tokens.lengths.max()),
        min_length=int(tokens.lengths.min()),
        outcome=outcome_name if classes else None,
        classes=classes,
        shares=shares,
    )


def _classes(outcomes: NDArray[np.float64], options: GANOptions, name: str) -> tuple[float, ...]:
    found = np.unique(outcomes)
    if options.condition == "bins":
        bounds = np.quantile(outcomes, np.arange(1, options.bins + 1) / options.bins, method="inverted_cdf")
        found = np.unique(bounds)
    if not 2 <= len(found) <= MOST_LABELS:
        raise InputError(
            f"'{name}' falls into {len(found)} classes with --condition {options.condition}; between 2 and "
            f"{MOST_LABELS} are possible"
        )
    return tuple(found.tolist())


def _rows(data: TokenData, index: Indices) -> TokenData:
    chosen = torch.from_numpy(index)
    return TokenData(data.tokens[chosen], data.lengths[chosen], data.outcomes[chosen])


def _write_grid(
    folder: Path, model: SequenceGAN, record: GANRecord, look: int, steps: int, seed: int
) -> None:
    """What the same 16 codes become now, as FASTA."""
    rng = torch.Generator().manual_seed(seed)
    drawn = draw(model.generator, GRID, rng, end=model.end, shares=record.shares)
    texts = decode(torch.cat([t for t, _ in drawn]).numpy(), record.alphabet)
    (folder / SAMPLES).mkdir(exist_ok=True)
    with atomic_write(folder / SAMPLES / f"step_{look * steps:07}.fa") as handle:
        lines = [f">z{i + 1}\n{spelled(text)}\n" for i, text in enumerate(texts)]
        handle.write("".join(lines).encode())
