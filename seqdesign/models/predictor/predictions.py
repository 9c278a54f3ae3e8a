"""What a trained predictor says of sequences: means, standard deviations, intervals, probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.models.predictor.model import SequencePredictor
from seqdesign.models.predictor.store import TrainedPredictor

FloatArray = NDArray[np.float64]

CELLS_AT_ONCE = 1 << 22
"""Letters times members of one pass through the networks: some tens of MB of activations."""
CELL_BYTES = 64
"""What one of these takes on a GPU."""


@dataclass(frozen=True)
class Predictions:
    """mean, sd (N, K) and, for a regression, half_widths (N, K, 3) of the 50, 80 and 95% intervals.

    Regression: outcome and standard deviation of its error, in the user's units. Binary: probability of 1 and
    standard deviation over the members. Classes: a probability for each class.
    """

    mean: FloatArray
    sd: FloatArray
    half_widths: FloatArray | None


@torch.no_grad()
def member_scores(
    model: SequencePredictor, tokens: NDArray[np.uint8], lengths: NDArray[np.int64]
) -> FloatArray:
    """Scores (M, N, K) of tokens (N, L), on the model's device, in chunks that fit the caches."""
    device = model.outcome_mean.device
    cells = max(1, tokens.shape[1]) * model.num_members * 32
    if not len(tokens):
        return np.zeros((model.num_members, 0, model.num_scores))

    def part(rows: slice) -> FloatArray:
        length = lengths[rows]
        chunk = torch.from_numpy(tokens[rows, : max(1, int(length.max()))]).to(device).long()
        scores = model.score_tokens(chunk, torch.from_numpy(length).to(device))
        return scores.double().cpu().numpy()

    size = block_size(device, cells * CELL_BYTES, cpu=max(1, CELLS_AT_ONCE // cells))
    return np.concatenate(list(in_blocks(part, len(tokens), size)), axis=1)


def predict_outcomes(
    trained: TrainedPredictor, tokens: NDArray[np.uint8], lengths: NDArray[np.int64]
) -> Predictions:
    """Predictions for tokens (N, L) with lengths (N,)."""
    scores = member_scores(trained.model, tokens, lengths)
    return from_scores(trained, scores, unseen_letters(trained.model, tokens, lengths))


def unseen_letters(
    model: SequencePredictor, tokens: NDArray[np.uint8], lengths: NDArray[np.int64]
) -> FloatArray:
    """Letters (N,) of tokens (N, L) that no training sequence has at their place."""
    device = model.outcome_mean.device
    array = torch.from_numpy(tokens.astype(np.int64)).to(device)
    return model.unseen(array, torch.from_numpy(lengths).to(device)).double().cpu().numpy()


def from_scores(
    trained: TrainedPredictor, scores: FloatArray, unseen: FloatArray | None = None
) -> Predictions:
    """Predictions from the members' scores (M, N, K); ``unseen`` (N,) letters without evidence widen them."""
    mean, spread = scores.mean(axis=0), scores.std(axis=0)
    if trained.record.task != "regression":
        each = _sigmoid(scores)
        probability = _sigmoid(mean)
        if trained.record.task == "classes":
            probability = probability / probability.sum(axis=1, keepdims=True)
        return Predictions(probability, each.std(axis=0), None)
    calibration = trained.record.calibration
    columns = [(c, mean[:, k], spread[:, k]) for k, c in enumerate(calibration)]
    sd = np.stack([c.sd(m, s, unseen) for c, m, s in columns], axis=1)
    half = np.stack([c.half_widths(m, s, unseen) for c, m, s in columns], axis=1)
    return Predictions(mean, sd, half)


def _sigmoid(x: FloatArray) -> FloatArray:
    return np.exp(-np.logaddexp(0.0, -x))
