"""Reconstruction accuracies on batches small enough to count by hand."""

from __future__ import annotations

import math

import pytest
import torch

from seqdesign.metrics.reconstruction import exact_accuracy, token_accuracy

PAD = 9
TARGET = torch.tensor([[0, 1, 2, PAD], [3, 3, PAD, PAD], [1, 1, 1, 1]])


def test_a_perfect_prediction_scores_one():
    assert token_accuracy(TARGET, TARGET, pad=PAD) == 1.0
    assert exact_accuracy(TARGET, TARGET) == 1.0


def test_padding_of_the_target_does_not_count_as_a_token():
    """9 real tokens, one wrong; what is predicted where the target has ended does not matter."""
    predicted = torch.tensor([[0, 1, 0, 5], [3, 3, 5, 5], [1, 1, 1, 1]])
    assert token_accuracy(predicted, TARGET, pad=PAD) == pytest.approx(8 / 9)


def test_a_sequence_that_goes_on_or_stops_early_is_not_exact():
    longer = torch.tensor([[0, 1, 2, 0], [3, 3, PAD, PAD], [1, 1, 1, 1]])
    shorter = torch.tensor([[0, 1, 2, PAD], [3, PAD, PAD, PAD], [1, 1, 1, PAD]])
    assert exact_accuracy(longer, TARGET) == pytest.approx(2 / 3)
    assert exact_accuracy(shorter, TARGET) == pytest.approx(1 / 3)


def test_nothing_to_compare_gives_nan():
    assert math.isnan(token_accuracy(torch.full((2, 3), PAD), torch.full((2, 3), PAD), pad=PAD))
    assert math.isnan(exact_accuracy(torch.zeros(0, 3), torch.zeros(0, 3)))


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"got \(3, 3\) and \(3, 4\)"):
        token_accuracy(TARGET[:, :3], TARGET, pad=PAD)
    with pytest.raises(ValueError, match=r"got \(4,\) and \(4,\)"):
        exact_accuracy(TARGET[0], TARGET[0])
