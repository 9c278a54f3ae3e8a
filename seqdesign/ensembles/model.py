"""An ensemble of M predictors as one module, its scores and its loss.

Scores are in the user's units for regression, log-odds for outcomes of two values, and for C classes
K = C scores log p_c - log(1 - p_c).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from seqdesign.ensembles.closed import LinearNet
from seqdesign.ensembles.curves import Curves
from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.ensembles.evidence import LetterShares, count_evidence, evidence_shape
from seqdesign.ensembles.features import linear_features
from seqdesign.ensembles.grammar import Grammar, no_words, spelled
from seqdesign.ensembles.kernel import KernelNet
from seqdesign.ensembles.killoran import KilloranNet
from seqdesign.ensembles.layers import only_members
from seqdesign.ensembles.motif import MotifNet
from seqdesign.ensembles.options import LINEAR_KINDS, PredictorOptions
from seqdesign.ensembles.reader import Basis, other_strand, partners
from seqdesign.ensembles.residual import ResidualNet
from seqdesign.metrics.monotone import Curve
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import Vocabulary, one_hot
from seqdesign.tasks.by_name import get_task


class PredictorBatch(NamedTuple):
    """tokens (N, L) int64 padded, lengths (N,) int64; outcomes, precision (N, K), weights (N, M) float32.

    Outcomes are in the user's units, 0 or 1, or, as (N, 1), numbers of classes. The precision weighs each
    value, 0 where it was not measured; the weights say how much each member learns from a row; ``detail``
    (N, K) is what the task knows of a value besides its number.
    """

    tokens: Tensor
    lengths: Tensor
    outcomes: Tensor
    precision: Tensor
    weights: Tensor
    detail: Tensor | None = None


Net = ResidualNet | MotifNet | KilloranNet | LinearNet | KernelNet


class Columns(NamedTuple):
    """Sizes of closed-form members by the data: pairs of letters; cells and rows of a kernel; a parent,
    or columns of a family.
    """

    pairs: int = 0
    cells: int = 0
    rows: int = 0
    parent: int = 0


class SequencePredictor(nn.Module):
    """M predictors that score sequences of up to ``max_length`` letters.

    ``positional``: all sequences have about one length, and position matters. ``outcome_mean`` and
    ``outcome_scale`` (K,) are those of the training outcomes of a regression.

    A letter that no training sequence has at its place, or anywhere where position means nothing, is read as
    the mixture of letters that training has there, so that it has no effect of its own; unless it was shown
    that what is learned of other letters and places ``carries`` over to new ones. ``evidence`` counts: (L, V)
    training sequences with a letter at a position, or (V, ..., V) those with a word. ``curves`` (K,) say what
    is measured where members add up so much, None for outcomes that are what members add up; empty for none.
    """

    players = ("ensemble",)
    evidence: Tensor
    outcome_mean: Tensor
    outcome_scale: Tensor
    temperature: Tensor
    complement: Tensor

    def __init__(
        self,
        options: PredictorOptions,
        vocabulary: Vocabulary,
        max_length: int,
        *,
        num_scores: int = 1,
        positional: bool = True,
        outcome_mean: tuple[float, ...] = (0.0,),
        outcome_scale: tuple[float, ...] = (1.0,),
        columns: Columns | None = None,
        carries: bool = False,
        curves: Sequence[Curve | None] = (),
    ) -> None:
        super().__init__()
        assert "auto" not in (options.task, options.architecture), "adapt() the options first"
        self.options, self.vocabulary, self.max_length = options, vocabulary, max_length
        self.task, self.positional, self.num_scores = get_task(options.task), positional, num_scores
        self.carries = carries
        self.num_members = int(options.members)
        self.both_strands = options.strands == "both"
        alphabet = vocabulary.alphabet
        letters = alphabet.size
        self.basis = _basis(alphabet, max_length, positional, self.both_strands, columns or Columns())
        self.net = _net(options, self.basis, num_scores, columns or Columns())
        self.shares = LetterShares(letters, max_length if positional else 1)
        self.register_buffer("evidence", torch.zeros(evidence_shape(letters, max_length, positional)))
        self.register_buffer("outcome_mean", torch.tensor(outcome_mean))
        self.register_buffer("outcome_scale", torch.tensor(outcome_scale))
        self.register_buffer("temperature", torch.ones(()))
        self.log_noise = (
            nn.Parameter(torch.zeros(self.num_members, 1, num_scores)) if self.task.learns_noise else None
        )
        self.register_buffer("complement", partners(alphabet), persistent=False)
        self.curves: Curves | None = None
        self.bend(curves)

    def bend(self, curves: Sequence[Curve | None]) -> None:
        """Predict by these curves (K,) of standardised outcomes from now on; empty: without any.

        Raises ValueError for another number.
        """
        if len(curves) not in (0, self.num_scores):
            raise ValueError(f"{len(curves)} curves for {self.num_scores} outcomes")
        self.curves = Curves(curves).to(self.outcome_mean.device) if any(curves) else None

    @property
    def words(self) -> tuple[str, ...]:
        """Those whose grammar is read, the surest first; none where it is another kind."""
        some = [part for part in self.net.modules() if isinstance(part, Grammar)]
        return spelled(some[0].found, self.vocabulary.alphabet) if some else ()

    def only(self, members: Sequence[int]) -> SequencePredictor:
        """A copy that computes these members alone, to be asked and not to be trained."""
        some = copy.deepcopy(self)
        some.net, some.num_members = only_members(some.net, members), len(members)
        return some

    def learn_evidence(self, tokens: Tensor, lengths: Tensor) -> None:
        """Count what training sequences (N, L) have; it decides what a letter may change."""
        shape = self.evidence.shape
        self.evidence.copy_(count_evidence(tokens, lengths, shape, positional=self.positional))
        self.shares.learn(tokens, lengths, positional=self.positional)

    def unseen(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Letters (N,) of tokens (N, L) without evidence at their place, as ``LetterShares`` counts them."""
        return self.shares.unseen(tokens, lengths)

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """All of them."""
        return list(self.parameters())

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Scores (M, N, K) of one-hot sequences x (N, V, L), differentiable in x.

        lengths (N,) says where sequences end; None: all have L letters. Raises ValueError for L beyond
        ``max_length`` or another V.
        """
        raw = self.raw(x, lengths)
        if self.curves is not None:
            raw = self.curves(raw)
        return self.task.link(raw, self.outcome_mean, self.outcome_scale, self.temperature)

    def score_tokens(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """``forward`` of tokens (N, L)."""
        return self(one_hot(tokens, self.vocabulary.alphabet), lengths)

    def raw(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """What the networks say, (M, N, K): standardised outcomes or logits, of both strands together, before
        any curve.
        """
        strands, inside = self.strands(x, lengths)
        if isinstance(self.net, MotifNet | LinearNet | KernelNet):
            return self.net(strands, inside)
        return torch.stack([self.net(strand, inside) for strand in strands]).mean(0)

    def strands(self, x: Tensor, lengths: Tensor | None) -> tuple[list[Tensor], Tensor]:
        """What the members read: one strand or both, and which positions (N, L) hold a letter."""
        x, inside = self._prepare(x, lengths)
        return [x, other_strand(x, inside, self.complement)] if self.both_strands else [x], inside

    def hidden(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """The last hidden layer of residual networks (M, N, H), the mean of both strands."""
        strands, inside = self.strands(x, lengths)
        assert isinstance(self.net, ResidualNet)
        return torch.stack([self.net.hidden(strand, inside) for strand in strands]).mean(0)

    def linear_features(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """What a linear model reads, (N, I), the mean of both strands."""
        both, inside = self.strands(x, lengths)
        features = [linear_features(s, inside, self.max_length, positional=self.positional) for s in both]
        return torch.stack(features).mean(0)

    def _prepare(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
        """The input, padded to ``max_length`` where positions matter, and which of them hold a letter."""
        if x.ndim != 3 or x.shape[1] != self.vocabulary.alphabet.size or x.shape[2] > self.max_length:
            wanted = f"(N, {self.vocabulary.alphabet.size}, up to {self.max_length})"
            raise ValueError(f"one-hot must have shape {wanted}, got {tuple(x.shape)}")
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[2], device=x.device)
        if self.positional:
            x = F.pad(x, (0, self.max_length - x.shape[2]))
        inside = torch.arange(x.shape[2], device=x.device) < lengths[:, None]
        return x if self.carries else self.shares(x), inside

    def losses(self, player: str, batch: PredictorBatch, rng: Generator, progress: Any) -> dict[str, Tensor]:
        """``loss`` (M,): each member's own weighted mean, in Var(y) or nats; nothing in it is random."""
        raw = self.raw(one_hot(batch.tokens, self.vocabulary.alphabet), batch.lengths)
        errors = (self.errors(raw, batch.outcomes, batch.detail) * batch.precision).mean(2)
        return {"loss": (errors * batch.weights.T).mean(1)}

    def errors(self, raw: Tensor, outcomes: Tensor, detail: Tensor | None = None) -> Tensor:
        """The loss of the task, (M, N, K), of classes (M, N, 1)."""
        units = (self.outcome_mean, self.outcome_scale)
        return self.task.loss(raw, outcomes, detail, units, self.log_noise)


def _basis(
    alphabet: Alphabet, max_length: int, positional: bool, both_strands: bool, columns: Columns
) -> Basis:
    """What readers of such sequences go by before anything was found in rows."""
    return Basis(
        alphabet=alphabet, max_length=max_length, positional=positional, both_strands=both_strands,
        pairs=torch.zeros(columns.pairs, 2, dtype=torch.long),
        parent=torch.zeros(columns.parent, dtype=torch.long),
        costs=torch.zeros(columns.parent, alphabet.size + 1),
        found=no_words(alphabet.size, both_strands=both_strands),
    )  # fmt: skip


def _net(options: PredictorOptions, basis: Basis, num_scores: int, columns: Columns) -> Net:
    """The members, side by side."""
    kind, members = options.architecture, int(options.members)
    letters, max_length = basis.alphabet.size, basis.max_length
    if kind in LINEAR_KINDS:
        return LinearNet(kind, basis, members, num_scores)
    if kind == "kernel":
        about = letter_descriptors(basis.alphabet)
        return KernelNet(members, columns.cells, columns.rows, num_scores, max_length, about)
    if kind == "killoran":
        return KilloranNet(options, letters, num_scores)
    if kind == "motif":
        return MotifNet(options, letters, num_scores)
    return ResidualNet(options, letters, max_length, num_scores, positional=basis.positional)
