"""Any Python function or module of one-hot sequences as an oracle.

Written for models as tangermeme, Ledidi, gReLU, CREsted and BPNet users have them: one-hot (N, V, L) in, a
score or several for each sequence out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from seqdesign.errors import InputError, SeqDesignError
from seqdesign.oracles.foreign import foreign
from seqdesign.oracles.frozen import frozen
from seqdesign.sequences.alphabets import Alphabet

TOLERANCE = 1e-3
"""Difference between a sequence scored alone and beside another that rounding explains, relative."""


class FunctionOracle:
    """One or several functions (N, V, L) -> (N,), (N, K), or a tuple of such; each function is a member.

    The channels are the letters in the order of the alphabet. A ``torch.nn.Module`` runs in evaluation mode,
    its weights get no gradients, and it is left as it was. Whether there is a gradient is tried out. A minus
    infinity says that a sequence is not feasible.

    name: what messages call it. length: L, for the trial. outcomes: names, ``score`` or ``score1``,
    ``score2``, ... by default.

    Raises InputError, here and at each call: the function fails, gives another shape, NaN or plus infinity,
    or the score of a sequence depends on its batch or on chance.
    """

    def __init__(
        self,
        functions: Sequence[Callable[[Tensor], Any]],
        *,
        alphabet: Alphabet,
        length: int,
        name: str = "function",
        outcomes: Sequence[str] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.functions, self.alphabet, self.name = tuple(functions), alphabet, name
        owners = (getattr(f, "__self__", f) for f in self.functions)
        self._modules = [m for m in owners if isinstance(m, nn.Module)]
        self.num_members = len(self.functions)
        """M."""
        self.singly = False
        """Whether the function takes one sequence at a time, as a program exported for one does."""
        self.outcomes: tuple[str, ...] = ()
        self.differentiable = True
        trial = _trial(alphabet.size, length, torch.device(device))
        found = self._try(trial)
        count = found.shape[2]
        self.outcomes = tuple(outcomes or _names(count))
        if len(self.outcomes) != count:
            raise InputError(f"{name} gives {count} scores, but {len(self.outcomes)} names: {self.outcomes}")
        self.differentiable = self._has_gradient(trial)

    def __call__(self, x: Tensor, /) -> Tensor:
        """Predictions (M, N, K) of one-hot or soft (N, V, L)."""
        if not self.differentiable:
            x = x.detach()
        parts = x.split(1) if self.singly and len(x) else [x]
        with frozen(self._modules):
            found = torch.cat(
                [torch.stack([self._member(f, part) for f in self.functions]) for part in parts], 1
            )
        if self.outcomes and found.shape[2] != len(self.outcomes):
            raise InputError(
                f"{self.name} gave {len(self.outcomes)} scores at first and now {found.shape[2]}"
            )
        if bool((found.isnan() | found.isposinf()).any()):
            row = int((found.isnan() | found.isposinf()).any(2).any(0).nonzero()[0])
            raise InputError(
                f"{self.name} must return finite scores, or minus infinity for what is not feasible, got "
                f"{found[:, row].flatten().tolist()} for a sequence"
            )
        return found if self.differentiable else found.detach()

    def _member(self, function: Callable[[Tensor], Any], x: Tensor) -> Tensor:
        """(N, K) of one function."""
        try:
            with foreign(self.name):
                raw = function(x)
        except (SeqDesignError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # a function of somebody else may raise anything
            raise InputError(
                f"{self.name} raised {type(error).__name__} for one-hot of shape {tuple(x.shape)} "
                f"({self.alphabet.shown}): {_first_line(error)}"
            ) from error
        return self._scores(raw, x).to(dtype=x.dtype, device=x.device)

    def _scores(self, raw: Any, x: Tensor) -> Tensor:
        if isinstance(raw, list | tuple) and raw and not all(isinstance(v, float | int) for v in raw):
            return torch.cat([self._scores(value, x) for value in raw], 1)
        try:
            scores = raw if isinstance(raw, Tensor) else torch.as_tensor(raw)
        except (TypeError, ValueError, RuntimeError):
            raise self._misshapen(f"a {type(raw).__name__}", x) from None
        while scores.ndim > 2 and scores.shape[-1] == 1:
            scores = scores.squeeze(-1)
        if scores.ndim == 1:
            scores = scores.unsqueeze(1)
        if scores.ndim != 2 or len(scores) != len(x) or not scores.shape[1]:
            raise self._misshapen(f"shape {tuple(torch.as_tensor(raw).shape)}", x)
        return scores

    def _misshapen(self, got: str, x: Tensor) -> InputError:
        n = len(x)
        return InputError(
            f"{self.name} must return one or several scores for each sequence, shape ({n},) or ({n}, "
            f"K), or a tuple of these, got {got}; wrap it in a function that does"
        )

    def _try(self, trial: Tensor) -> Tensor:
        """Predictions of the trial; what a sequence scores must not depend on what is beside it."""
        alone = self(trial[:1].clone())
        try:
            found = self(trial.clone())
        except InputError:
            self.singly = True
            found = self(trial.clone())
        a, b = alone[:, 0], found[:, 0]
        if not torch.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE):
            raise InputError(
                f"{self.name} scores the same sequence {a.flatten().tolist()} alone and "
                f"{b.flatten().tolist()} beside another; scores must not depend on the batch or on "
                "chance (dropout, batch "
                "normalisation)"
            )
        return found

    def _has_gradient(self, trial: Tensor) -> bool:
        leaf = trial.clone().requires_grad_(True)
        try:
            with torch.enable_grad():
                scores = self(leaf)
                feasible = scores[scores.isfinite()]
                (slope,) = torch.autograd.grad(feasible.sum(), leaf, allow_unused=True)
        except (InputError, RuntimeError):
            return False
        return slope is not None and bool(slope.isfinite().all())


def _trial(letters: int, length: int, device: torch.device) -> Tensor:
    """Two random sequences, one-hot (2, V, L)."""
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(letters, (2, length), generator=rng)
    return torch.nn.functional.one_hot(tokens, letters).mT.float().contiguous().to(device)


def _names(count: int) -> list[str]:
    return ["score"] if count == 1 else [f"score{i + 1}" for i in range(count)]


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")
