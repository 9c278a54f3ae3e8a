"""A function of token ids as an oracle, such as the outcome network behind the encoder of a VAE."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdesign.errors import InputError
from seqdesign.sequences.alphabets import Alphabet


class TokenOracle:
    """Predictions of whole sequences by ``predict``: tokens (N, L), lengths (N,) -> (N,). Without gradients.

    outcome: the name of what is predicted. max_length: letters that ``predict`` can take at most.
    """

    differentiable = False

    def __init__(
        self,
        predict: Callable[[Tensor, Tensor], Tensor],
        *,
        alphabet: Alphabet,
        outcome: str,
        max_length: int | None = None,
    ) -> None:
        self.predict, self.alphabet, self.outcomes = predict, alphabet, (outcome,)
        self.max_length = max_length

    @torch.no_grad()
    def __call__(self, x: Tensor, /) -> Tensor:
        """Predictions (1, N, 1) of one-hot (N, V, L). Raises InputError for sequences that are too long."""
        length = x.shape[2]
        if self.max_length is not None and length > self.max_length:
            raise InputError(
                f"the sequences have {length} letters, the model takes at most {self.max_length}; "
                "shorten them, or train on longer ones"
            )
        lengths = torch.full((len(x),), length, device=x.device)
        return self.predict(x.argmax(1), lengths).to(x.dtype).view(1, -1, 1)
