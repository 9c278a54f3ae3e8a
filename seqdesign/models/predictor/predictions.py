"""What a trained predictor says of sequences: means, standard deviations, intervals, probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.ensembles.model import SequencePredictor
from seqdesign.metrics.probabilities import as_borne_out
from seqdesign.models.predictor.store import TrainedPredictor
from seqdesign.tasks.values import FloatArray, Predictions

CELLS_AT_ONCE = 1 << 22
"""Letters times members of one pass through the networks: some tens of MB of activations."""
CELL_BYTES = 64
"""What one of these takes on a GPU."""


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
    """Predictions from the members' scores (M, N, K); ``unseen`` (N,) letters without evidence widen them.

    Probabilities are no surer than the rows bear out that calibrated them (``as_borne_out``).
    """
    record = trained.record
    found = record.head.predictions(scores, record.calibration, unseen)
    if not record.head.log_odds or not record.probability_rows:
        return found
    answers = max(2, len(record.classes))
    return replace(found, mean=as_borne_out(found.mean, record.probability_rows, answers))
