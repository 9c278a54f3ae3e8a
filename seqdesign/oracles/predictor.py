"""A predictor, or an ensemble of them, as an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from seqdesign.oracles.frozen import frozen
from seqdesign.sequences.alphabets import Alphabet


class Predictor(Protocol):
    """A network: one-hot (N, V, L) and lengths (N,), or None where all are L -> predictions (M, N, K)."""

    def __call__(self, x: Tensor, lengths: Tensor | None, /) -> Tensor:
        """Predictions (M, N, K)."""
        ...


@runtime_checkable
class Ensemble(Predictor, Protocol):
    """A predictor that can be asked for some of its members at less cost than for all."""

    def only(self, members: Sequence[int], /) -> Predictor:
        """These members alone."""
        ...


class PredictorOracle:
    """Any ``Predictor``; a module is evaluated without dropout and its weights get no gradients.

    outcomes: names of its K outcomes. members: which of the M members to hear, all by default, such as some
    to design with and others to judge by. Raises ValueError for an empty choice.
    """

    differentiable = True

    def __init__(
        self,
        model: Predictor,
        *,
        alphabet: Alphabet,
        outcomes: Sequence[str],
        members: Sequence[int] | None = None,
    ) -> None:
        if members is not None and not members:
            raise ValueError("members must name at least one member of the ensemble")
        self.model, self.alphabet, self.outcomes = model, alphabet, tuple(outcomes)
        self.members = None if members is None else tuple(members)

    @property
    def num_members(self) -> int:
        """M, of the members that are heard."""
        return int(getattr(self.model, "num_members", 1)) if self.members is None else len(self.members)

    def only(self, members: Sequence[int]) -> PredictorOracle:
        """An oracle of these members; a model that has ``only`` computes no others."""
        heard = list(members) if self.members is None else [self.members[m] for m in members]
        some, alphabet, outcomes = self.model, self.alphabet, self.outcomes
        if isinstance(some, Ensemble):
            return PredictorOracle(some.only(heard), alphabet=alphabet, outcomes=outcomes)
        return PredictorOracle(some, alphabet=alphabet, outcomes=outcomes, members=heard)

    def __call__(self, x: Tensor, /) -> Tensor:
        """Predictions (M, N, K) of one-hot or soft (N, V, L), M being the chosen members."""
        with frozen([self.model] if isinstance(self.model, nn.Module) else []):
            found = self.model(x, None)
        return found if self.members is None else found[list(self.members)]
