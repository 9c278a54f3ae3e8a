"""An oracle that is asked about constructs: what stands left and right of a design is put there first."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from seqdesign.errors import UsageError
from seqdesign.oracles.oracle import Oracle, num_members, only
from seqdesign.sequences.encoders import encode, one_hot


class ConstructOracle:
    """``oracle`` on ``left + design + right``. Raises UsageError for letters that its alphabet lacks."""

    def __init__(self, oracle: Oracle, left: str, right: str) -> None:
        self.oracle, self.alphabet, self.outcomes = oracle, oracle.alphabet, oracle.outcomes
        self.differentiable = oracle.differentiable
        self.num_members = num_members(oracle)
        self._flanks = []
        for text, option in ((left, "--left"), (right, "--right")):
            tokens = torch.from_numpy(encode([text], self.alphabet, on_unknown="mask").tokens.astype("int64"))
            if bool((tokens >= self.alphabet.size).any()):
                raise UsageError(
                    f"has letters that are not in the alphabet {self.alphabet.name}", option=option
                )
            self._flanks.append(one_hot(tokens, self.alphabet))

    def only(self, members: Sequence[int]) -> ConstructOracle:
        """The same with these members alone."""
        some = copy.copy(self)
        some.oracle, some.num_members = only(self.oracle, members), len(members)
        return some

    def __call__(self, x: Tensor, /) -> Tensor:
        """Predictions (M, N, K) of designs (N, V, L)."""
        left, right = (flank.to(x).expand(len(x), -1, -1) for flank in self._flanks)
        return self.oracle(torch.cat([left, x, right], 2))
