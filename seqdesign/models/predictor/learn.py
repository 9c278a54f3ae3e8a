"""One ensemble of a decided kind, learned from given rows: in closed form, or by the training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from seqdesign.ensembles.closed import READERS, LinearNet
from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.ensembles.ends import num_places
from seqdesign.ensembles.evidence import letter_counts
from seqdesign.ensembles.features import MAX_PAIRS, common_pairs
from seqdesign.ensembles.folding import LONGEST, can_fold
from seqdesign.ensembles.grammar import Grammar
from seqdesign.ensembles.kernel import KernelNet
from seqdesign.ensembles.kernel_fit import MAX_CELLS, fit_kernel
from seqdesign.ensembles.model import Columns, SequencePredictor
from seqdesign.ensembles.motif import MotifNet
from seqdesign.ensembles.options import CLOSED_KINDS, LABELS, PredictorOptions, adapt
from seqdesign.ensembles.reader import Basis
from seqdesign.ensembles.residual import ResidualNet
from seqdesign.ensembles.ridge import ridge_start
from seqdesign.errors import InputError
from seqdesign.models.predictor.adapt import AdaptedPredictor, Target
from seqdesign.models.predictor.data import PredictorData
from seqdesign.models.predictor.known import Known, tensors_of
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.store import PredictorRecord
from seqdesign.sequences.encoders import TokenArray, one_hot
from seqdesign.sequences.genetic_code import FEWEST_CODONS, are_genes
from seqdesign.sequences.splits import lone_mutants
from seqdesign.training.config import FitOptions, num_epochs
from seqdesign.training.loop import Fit, Hooks, fit
from seqdesign.training.plan import Plan
from seqdesign.training.splitting import Indices, folds
from seqdesign.training.store import Checkpoint, FitState

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric

FIXED_LENGTH_SHARE = 0.99
PATIENCE = 20
RESIDUAL_DECAY = 0.1
MOTIF_RATE, MOTIF_STEPS = 8e-3, 2_700
"""Peak learning rate of motif networks, and the steps that they take of short sequences."""
JUDGES, LEAST_SHARE = 1500, 0.05
"""Rows by which a member is stopped, at most a fair share of all, and the least share of them."""
KERNEL_ROWS = 8_000
"""Rows from which a Gaussian process is too much."""
PAIR_CELLS, PAIR_NUMBERS = 4_000, 100_000_000
"""Letters at places that are paired at most, and rows times columns of what is learned from."""
ALIGNED_NUMBERS = 100_000_000
"""Rows times columns of what is learned from aligned sequences."""
GAINS = ((16.0, 0.25), (16.0, 1.0), (16.0, 4.0), (16.0, 16.0))
"""By how much counts of the words of a grammar, and all else it says, may be larger than counts of any words:
the least of the latter first, as only counts go on beyond what was measured."""
WORTH = 0.02
"""What more of it must explain, as a share of what is left."""
KERNEL_ROUNDS = 1
"""Rounds in which a Gaussian process completes limits, after ridge regression has."""
ROWS = 1024


@dataclass(frozen=True)
class Learned:
    """A model in eval mode, not calibrated yet; ``fold`` (N,) is the member that a row judged, -1: none.

    ``ridge`` are weights (M, I, K) and biases (M, K) of ridge regression on ``linear_features``.
    """

    model: SequencePredictor
    record: PredictorRecord
    fold: Tensor
    ridge: tuple[Tensor, Tensor]
    fit: Fit
    own: Tensor | None = None
    """(N, K): standardised predictions of judged rows by the member that has not learned from them, where the
    members of the model have; None where they are asked."""


def one_length(tokens: TokenArray) -> bool:
    """Whether as good as all sequences have the same length."""
    return bool(np.bincount(tokens.lengths).max() >= FIXED_LENGTH_SHARE * len(tokens))


def positional(tokens: TokenArray, options: PredictorOptions) -> bool:
    """Whether every position has a meaning of its own; strands are decided."""
    return one_length(tokens) and options.strands != "both"


def learn(
    known: Known,
    groups: Indices,
    options: PredictorOptions,
    fit_options: FitOptions,
    *,
    seed: int,
    fabric: Fabric,
    hooks: Hooks | None = None,
    resume: Checkpoint | None = None,
    on_record: Callable[[PredictorRecord], None] = lambda record: None,
    target: Target | None = None,
) -> Learned:
    """Learn from all rows of ``known``; strands and architecture are decided.

    ``on_record`` hears the record before anything is learned. With a ``target`` networks adapt to its
    sequences, and begin without a ridge, which would tell assays apart.

    Raises InputError where a kind cannot learn from these rows or a member has no rows of its own,
    TrainingError, and ModelError for a ``resume`` that does not fit.
    """
    record = _describe(known, options)
    on_record(record)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed the GPUs too
        model = record.build()
    data, fold = _data(known, record, groups, seed)
    judges = (fold[:, None] == torch.arange(data.weights.shape[1])).float()
    model.learn_evidence(data.tokens, data.lengths)
    features = _features(model, data, model.linear_features)
    ridge = _ridge(model, data, features, judges)
    if options.architecture in CLOSED_KINDS:
        model.carries, own = _in_closed_form(model, known, data, ridge, judges, seed)
        if isinstance(model.net, KernelNet):
            columns = Columns(cells=len(model.net.cells), rows=len(model.net.own))
            record = replace(record, carries=model.carries, columns=columns)
        model.to(fabric.device)
        return Learned(model.eval(), record, fold, ridge, Fit(FitState(), "closed form"), own)
    if model.log_noise is not None and data.detail is not None:
        unseen = _left_out(features, *ridge, judges)
        noise = model.task.noise(_targets(model, data), data.detail, unseen)
        with torch.no_grad():
            model.log_noise.copy_(noise.log().expand_as(model.log_noise))
    if isinstance(model.net, ResidualNet):
        start = ridge if target is None else tuple(torch.zeros_like(part) for part in ridge)
        model.net.start_from(start[0], start[1], features)
    del features
    taught = data.weighted(1 - judges)
    plan = _plan(model, fit_options, taught)
    learner = model if target is None else AdaptedPredictor(model, target)
    fitted = fit(
        learner, taught, data.weighted(judges), fit_options,
        plan=plan, seed=seed, fabric=fabric, hooks=hooks or Hooks(), resume=resume,
    )  # fmt: skip
    return Learned(model.eval(), record, fold, ridge, fitted)


def columns_of(known: Known, kind: str) -> Columns | None:
    """Sizes of closed-form members for these rows; None where they are too many, or have no parent."""
    tokens = known.tokens
    if kind in ("aligned", "family"):
        found = known.parent if kind == "aligned" else known.family
        if found is None:
            return None
        basis = Basis(alphabet=tokens.alphabet, max_length=tokens.tokens.shape[1], parent=found, costs=found)
        (reader,) = READERS[kind](basis)
        return Columns(parent=len(found)) if len(tokens) * reader.columns <= ALIGNED_NUMBERS else None
    if kind not in ("pairs", "kernel"):
        return Columns()
    counts = letter_counts(
        torch.from_numpy(tokens.tokens), torch.from_numpy(tokens.lengths), tokens.alphabet.size
    )
    cells = int((counts > 0).sum()) - counts.shape[0]
    if kind == "kernel":
        enough = len(tokens) <= KERNEL_ROWS and 0 < cells <= MAX_CELLS
        return Columns(cells=cells, rows=len(tokens)) if enough else None
    if cells > PAIR_CELLS or len(tokens) * counts.numel() > PAIR_NUMBERS:
        return None
    pairs = common_pairs(_one_hot(tokens))
    if pairs is None or len(tokens) * (counts.numel() + len(pairs)) > PAIR_NUMBERS:
        return None
    return Columns(pairs=len(pairs))


def _one_hot(tokens: TokenArray) -> Tensor:
    return one_hot(torch.from_numpy(tokens.tokens.astype(np.int64)), tokens.alphabet)


def _lacking(tokens: TokenArray, options: PredictorOptions, columns: Columns | None, longest: int) -> str:
    """What a kind of model needs and rows of at most ``longest`` letters do not have; "" for nothing."""
    kind, one_strand = options.architecture, options.strands != "both"
    if kind == "aligned" and (columns is None or not one_strand):
        return (
            "relatives of one parent, read on one strand, that differ from it in a quarter of their letters "
            "at most, and not too many of them"
        )
    if kind == "folded" and not (one_strand and can_fold(torch.from_numpy(tokens.tokens), tokens.alphabet)):
        return f"DNA or RNA of at most {LONGEST} letters, read on one strand, and not too many of them"
    if kind == "family" and (columns is None or not one_strand):
        return "members of one family, read on one strand, and not too many of them"
    if kind == "codons" and not (one_strand and are_genes(tokens)):
        return (
            f"genes, read from their first letter, of at least {FEWEST_CODONS} codons and without a stop "
            "before the last"
        )
    if kind == "ends" and not (one_strand and num_places(tokens.alphabet.size, longest)):
        return "sequences read on one strand, of a small alphabet"
    if columns is None or (kind in ("pairs", "kernel") and not positional(tokens, options)):
        return (
            f"sequences of one length, read on one strand, at most {KERNEL_ROWS:,} of them for kernel and "
            f"{MAX_PAIRS:,} pairs of letters for pairs"
        )
    return ""


def _describe(known: Known, options: PredictorOptions) -> PredictorRecord:
    """What the members need to know of the data."""
    tokens, outcomes = known.tokens, known.outcomes
    longest = tokens.tokens.shape[1]  # of all sequences: one that is held out may be longer than these
    kind, placed = options.architecture, positional(tokens, options)
    columns = columns_of(known, kind)
    needs = _lacking(tokens, options, columns, longest)
    if columns is None or needs:
        raise InputError(
            f"--architecture {kind}: {LABELS[kind]} needs {needs}; use another --architecture, or auto"
        )
    units = outcomes.kind.units(outcomes.values)
    return PredictorRecord(
        options=adapt(
            options, max_length=longest, num_train=len(tokens), task=outcomes.task,
            both_strands=options.strands == "both",
        ),
        alphabet=tokens.alphabet,
        max_length=longest,
        min_length=int(tokens.lengths.min()),
        positional=placed,
        outcomes=outcomes.names,
        classes=outcomes.classes,
        outcome_mean=units.mean,
        outcome_scale=units.scale,
        columns=columns,
    )  # fmt: skip


def detail_of(outcomes: Outcomes) -> Tensor | None:
    """What the task knows of each value besides its number, (N, K)."""
    return None if outcomes.detail is None else torch.from_numpy(outcomes.detail).float()


def _data(known: Known, record: PredictorRecord, groups: Indices, seed: int) -> tuple[PredictorData, Tensor]:
    """The training rows, and which member each of them judges (-1: none). Raises InputError for too few."""
    tokens, outcomes, members = known.tokens, known.outcomes, int(record.options.members)
    share = min(1 / members, max(LEAST_SHARE, JUDGES / len(tokens)))
    fold = folds(groups, share, members, np.random.default_rng([seed, 17]))
    if len(np.unique(fold[fold >= 0])) < members:
        raise InputError(
            f"there are only {len(np.unique(groups))} distinct sequences to learn from, and each of the "
            f"{members} members is judged by some of its own; give more sequences, or a smaller --ensemble"
        )
    weights = torch.from_numpy(outcomes.weights).float()[:, None].expand(-1, members)
    data = PredictorData.of(tokens, *tensors_of(outcomes), weights.contiguous(), detail=detail_of(outcomes))
    return data, torch.from_numpy(fold)


def _features(
    model: SequencePredictor, data: PredictorData, read: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """(N, I), by ``read`` of one-hot rows and lengths, in chunks."""
    parts = []
    for rows in torch.arange(len(data)).split(ROWS):
        x = one_hot(data.tokens[rows].long(), model.vocabulary.alphabet)
        parts.append(read(x, data.lengths[rows]))
    return torch.cat(parts)


def _targets(model: SequencePredictor, data: PredictorData) -> Tensor:
    """What is fitted by least squares (N, K), NaN where not measured; see ``Task.targets``."""
    y = data.outcomes.where(data.precision > 0, torch.nan)
    return model.task.targets(y, model.outcome_mean, model.outcome_scale, model.num_scores)


def _row_weights(data: PredictorData) -> Tensor:
    return data.weights * data.precision.mean(1, keepdim=True)


def _ridge(
    model: SequencePredictor, data: PredictorData, features: Tensor, judges: Tensor
) -> tuple[Tensor, Tensor]:
    """Ridge regressions of all members: weights (M, I, K), biases (M, K), in standardised units or logits."""
    return _ridge_and_targets(model, data, features, judges)[0]


def _ridge_and_targets(
    model: SequencePredictor, data: PredictorData, features: Tensor, judges: Tensor
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Ridge regressions, and the targets that they were fitted to, completed where values are limits."""
    rows, task = _row_weights(data), model.task
    targets = _targets(model, data)

    def fitted_to(y: Tensor) -> tuple[Tensor, Tensor]:
        return ridge_start(features, y, rows * (1 - judges), rows * judges, task=task)

    if data.detail is None or not task.rounds:
        return fitted_to(targets), targets
    done = task.complete(targets, data.detail, targets.nanmean(0).expand_as(targets))
    for _ in range(task.rounds):
        weights, biases = fitted_to(done)
        done = task.complete(targets, data.detail, _left_out(features, weights, biases, judges))
    return fitted_to(done), done


def _left_out(features: Tensor, weights: Tensor, biases: Tensor, judges: Tensor) -> Tensor:
    """Scores (N, K) of rows by the member that they judge, which has not learned from them, or by all."""
    share = torch.where(judges.sum(1, keepdim=True) > 0, judges, torch.ones_like(judges))
    share = share / share.sum(1, keepdim=True)
    found = torch.zeros(len(features), biases.shape[1])
    for m in range(len(weights)):
        found += share[:, m : m + 1] * (features @ weights[m] + biases[m])
    return found


def _in_closed_form(
    model: SequencePredictor,
    known: Known,
    data: PredictorData,
    ridge: tuple[Tensor, Tensor],
    judges: Tensor,
    seed: int,
) -> tuple[bool, Tensor | None]:
    """Set the weights of a linear or kernel model.

    Whether it carries over to letters without evidence, and what members say of rows that they judge where
    the model cannot be asked.
    """
    net = model.net
    if not isinstance(net, LinearNet):
        return _kernel(model, known.tokens, data, judges, seed)
    if net.kind == "ridge":
        net.set_weights(*ridge)
        return False, None
    net.learn(_found(known, model.basis, net.kind), data.tokens.long(), data.lengths)
    features = _features(model, data, lambda x, lengths: net.features(*model.strands(x, lengths)))
    if net.kind == "grammar":
        _grammar(model, net, data, features, judges)
    else:
        net.set_weights(*_ridge(model, data, features, judges))
    return False, None


def _found(known: Known, basis: Basis, kind: str) -> Basis:
    """What readers of a kind go by, with what these rows have of it."""
    if kind == "pairs" and (pairs := common_pairs(_one_hot(known.tokens))) is not None:
        return replace(basis, pairs=pairs)
    if kind == "aligned" and known.parent is not None:
        return replace(basis, parent=known.parent)
    if kind == "family" and known.family is not None:
        return replace(basis, costs=known.family)
    if kind == "grammar":
        return replace(basis, found=known.words(both_strands=basis.both_strands))
    return basis


def _grammar(
    model: SequencePredictor, net: LinearNet, data: PredictorData, plain: Tensor, judges: Tensor
) -> None:
    """Set weights of a model of the grammar of words; where none is found it is one of counts of words.

    How much less its columns are held than counts of all words, rows decide that a member does not know.
    """
    *_, grammar = net.readers
    assert isinstance(grammar, Grammar)
    targets, gain = _targets(model, data), torch.ones(plain.shape[1])
    best, kept = -1.0, None
    for counts, more in GAINS if bool(grammar.found.any()) else GAINS[:1]:
        gain[-grammar.columns :] = grammar.gains(counts, more)
        features = plain * gain
        weights, biases = _ridge(model, data, features, judges)
        alike = _correlation(_left_out(features, weights, biases, judges), targets, judges.amax(1) > 0)
        if kept is None or alike > best + WORTH * (1 - best):
            best, kept = alike, (weights * gain[:, None], biases)
    assert kept is not None
    net.set_weights(*kept)


def _correlation(said: Tensor, targets: Tensor, some: Tensor) -> float:
    """Of scores and targets (N, K), NaN where not measured, of some rows: the mean over outcomes."""
    found = []
    for x, y in zip(said[some].T, targets[some].T, strict=True):
        known = ~y.isnan()
        pair = torch.stack([x[known], y[known]])
        found.append(torch.corrcoef(pair)[0, 1].nan_to_num(0.0))
    return float(torch.stack(found).mean())


def _kernel(
    model: SequencePredictor, tokens: TokenArray, data: PredictorData, judges: Tensor, seed: int
) -> tuple[bool, Tensor | None]:
    """Set a kernel model; see ``_in_closed_form``. Limits are completed by ridge regression, then by it."""
    rows, x, targets = _row_weights(data), _one_hot(tokens), _targets(model, data)
    alone = not model.task.log_odds and lone_mutants(tokens.tokens, tokens.lengths)

    def fitted_to(y: Tensor) -> tuple[KernelNet, bool, Tensor | None]:
        return fit_kernel(
            x, y, rows * (1 - judges), rows * judges, letter_descriptors(tokens.alphabet),
            task=model.task, seed=seed, alone=alone,
        )  # fmt: skip

    if data.detail is None or not model.task.rounds:
        model.net, carries, own = fitted_to(targets)
        return carries, own
    features = _features(model, data, model.linear_features)
    _, done = _ridge_and_targets(model, data, features, judges)
    for _ in range(KERNEL_ROUNDS):
        model.net, carries, own = fitted_to(done)
        if own is not None:
            fitted = own.where(~own.isnan(), done)
            done = model.task.complete(targets, data.detail, fitted)
    model.net, carries, own = fitted_to(done)
    return carries, own


def _plan(model: SequencePredictor, options: FitOptions, data: PredictorData) -> Plan:
    """Residual networks wait for ``PATIENCE`` passes at most, as ridge has done a part of the work.

    Motif networks run to the end: their held-out loss is best long before they know what is stronger than all
    they have seen.
    """
    motif, length = isinstance(model.net, MotifNet), data.typical_length
    if not motif and options.weight_decay == "auto":
        options = replace(options, weight_decay=RESIDUAL_DECAY)
    if motif and options.learning_rate == "auto":
        options = replace(options, learning_rate=MOTIF_RATE)
    if motif:
        options = replace(options, epochs=num_epochs(options, len(data), length, MOTIF_STEPS))
    plan = Plan.plain(model.players, options, len(data), length)
    if options.patience != "auto":
        return plan
    return replace(plan, last=True) if motif else replace(plan, patience=min(PATIENCE, plan.patience))
