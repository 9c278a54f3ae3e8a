"""How much of a batch of token sequences a model gives back."""

from __future__ import annotations

from torch import Tensor


def _check_shapes(predicted: Tensor, target: Tensor) -> None:
    if predicted.ndim != 2 or predicted.shape != target.shape:
        raise ValueError(
            "predicted and target tokens must both be (sequences, positions), "
            f"got {tuple(predicted.shape)} and {tuple(target.shape)}; pad the shorter one"
        )


def token_accuracy(predicted: Tensor, target: Tensor, *, pad: int) -> float:
    """Share of the target's tokens, padding left out, that are predicted at their position.

    Both are integer tokens (N, L). NaN when the target is all padding; ValueError for other shapes.
    """
    _check_shapes(predicted, target)
    real = target != pad
    return float(((predicted == target) & real).sum() / real.sum())


def exact_accuracy(predicted: Tensor, target: Tensor) -> float:
    """Share of sequences that are equal in every position, padding included (so in length too).

    Both are integer tokens (N, L), padded alike after their end. NaN for an empty batch; ValueError for
    other shapes.
    """
    _check_shapes(predicted, target)
    return float((predicted == target).all(dim=1).double().mean())
