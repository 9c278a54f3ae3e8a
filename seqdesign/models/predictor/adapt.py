"""Adversarial adaptation to another assay: features by which nobody can tell the two assays apart.

Ganin & Lempitsky 2015 (arXiv 1409.7495), the end-to-end form of what ADDA (Tzeng et al. 2017) does in two
stages. A critic tells from a member's last hidden layer which assay a sequence belongs to; through a gradient
that is reversed there, the member learns features that make it fail, and outcomes from these alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from seqdesign.ensembles.layers import MemberLinear
from seqdesign.ensembles.model import PredictorBatch, SequencePredictor
from seqdesign.ensembles.residual import ResidualNet
from seqdesign.errors import InputError, UsageError
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import member_scores
from seqdesign.sequences.encoders import TokenArray, one_hot
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.values import FloatArray

FEWEST = 10
"""Measured values of the target from which its offset and its scale are taken."""
CRITIC = 32
"""Units of the critic."""
STEEPNESS = 10.0
"""Of the rise of the adversary's weight over a run (Ganin & Lempitsky 2015, section 5.2)."""


@dataclass(frozen=True, eq=False)
class Target:
    """Sequences of the assay to adapt to, and how much its critic counts."""

    tokens: TokenArray
    weight: float
    values: NDArray[np.float64] | None = None
    """(N, K) measured values, NaN where there is none; None: none at all."""

    def check(self, known: TokenArray) -> None:
        """Raise InputError for sequences that a model of the ``known`` ones cannot read."""
        longest, found = int(known.lengths.max()), int(self.tokens.lengths.max())
        if found > longest:
            raise InputError(
                f"--adapt: a sequence of {found} letters is longer than all that are learned from "
                f"({longest}); leave it out"
            )

    def fingerprint(self) -> str:
        """SHA-256 of the sequences and values, so that a run is not resumed with others."""
        found = hashlib.sha256(self.tokens.tokens.tobytes())
        found.update(b"" if self.values is None else self.values.tobytes())
        return found.hexdigest()


def make_target(tokens: TokenArray, records: SequenceSet, outcomes: Outcomes, weight: float) -> Target:
    """The target assay: encoded sequences (N,), and the values of theirs that the records have.

    Raises InputError for values that are too few, and UsageError for labels, which have no scale.
    """
    names = [name for name in outcomes.names if name in records.columns]
    values = np.stack([records.numbers(name) for name in names], axis=1) if names else np.zeros((0, 0))
    if np.isnan(values).all():
        return Target(tokens, weight)
    fewest = int((~np.isnan(values)).sum(axis=0).min())
    if len(names) < len(outcomes.names) or fewest < FEWEST:
        raise InputError(
            f"{fewest} sequences have an outcome; an offset and a scale of each outcome need {FEWEST}, or "
            "leave the column out to adapt without any",
            path=records.source,
        )
    if outcomes.kind.log_odds:
        raise UsageError(
            f"'{names[0]}' is {outcomes.kind.about}, which has no offset and scale; leave the column out of "
            f"{records.source}",
            option="--adapt",
        )
    return Target(tokens, weight, values)


def on_its_scale(model: SequencePredictor, target: Target) -> tuple[FloatArray, FloatArray]:
    """Offset and scale (K,): measured values of the target are offset + scale x prediction, by least squares.

    Where predictions and values do not rise together there is no scale to be had, and it stays 1.
    """
    assert target.values is not None
    scores = member_scores(model, target.tokens.tokens, target.tokens.lengths).mean(0)
    offset, scale = np.zeros(scores.shape[1]), np.ones(scores.shape[1])
    for k, (x, y) in enumerate(zip(scores.T, target.values.T, strict=True)):
        known = ~np.isnan(y)
        x, y = x[known], y[known]
        slope = float(np.cov(x, y)[0, 1] / max(x.var(ddof=1), 1e-12))
        scale[k] = slope if slope > 0 else 1.0
        offset[k] = y.mean() - scale[k] * x.mean()
    return offset, scale


def reversed_gradient(x: Tensor, strength: Tensor | float) -> Tensor:
    """The same numbers; gradients come back times -strength."""
    return x.detach() * (1 + strength) - x * strength


def adversary_weight(progress: Tensor | float) -> Tensor:
    """From 0 to 1 over a run: 2 / (1 + exp(-10 p)) - 1, a scalar."""
    return 2 * torch.sigmoid(STEEPNESS * torch.as_tensor(progress)) - 1


class AdaptedPredictor(nn.Module):
    """A predictor in training, and a critic for each member; rows of the target come at random."""

    players = SequencePredictor.players
    tokens: Tensor
    lengths: Tensor

    def __init__(self, predictor: SequencePredictor, target: Target) -> None:
        super().__init__()
        assert isinstance(predictor.net, ResidualNet), "only networks have features to adapt"
        self.predictor, self.weight = predictor, target.weight
        members = predictor.num_members
        self.critic_in = MemberLinear(members, predictor.net.num_hidden, CRITIC)
        self.critic_out = MemberLinear(members, CRITIC, 1)
        tokens = torch.from_numpy(target.tokens.tokens.astype(np.int64))
        self.register_buffer("tokens", tokens, persistent=False)
        self.register_buffer("lengths", torch.from_numpy(target.tokens.lengths), persistent=False)

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """Those of the members and of their critics."""
        return list(self.parameters())

    def losses(self, player: str, batch: PredictorBatch, rng: Generator, progress: Any) -> dict[str, Tensor]:
        """``loss`` (M,): the predictor's, in training with the critic's; ``assay``: cross-entropy of that."""
        found = self.predictor.losses(player, batch, rng, progress)
        if not self.training:
            return found
        rows = torch.randint(
            len(self.lengths), (len(batch.lengths),), generator=rng, device=self.lengths.device
        )
        strength = self.weight * adversary_weight(progress)
        source = self._assay(batch.tokens, batch.lengths, strength)
        target = self._assay(self.tokens[rows], self.lengths[rows], strength)
        wrong = (F.softplus(-source).mean((1, 2)) + F.softplus(target).mean((1, 2))) / 2
        return found | {"loss": found["loss"] + wrong, "assay": wrong.mean()}

    def _assay(self, tokens: Tensor, lengths: Tensor, strength: Tensor) -> Tensor:
        """Log-odds (M, N, 1) of the source assay."""
        x = one_hot(tokens, self.predictor.vocabulary.alphabet)
        hidden = reversed_gradient(self.predictor.hidden(x, lengths), strength)
        out: Tensor = self.critic_out(F.silu(self.critic_in(hidden)))
        return out
