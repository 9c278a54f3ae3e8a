"""A language model as design sees it: samples that obey the rules, likelihoods, spans written anew."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from seqdesign.constraints.rules import Rules
from seqdesign.language.prior import LanguagePrior
from seqdesign.models.lm.drawing import check_condition
from seqdesign.models.lm.sampling import BLOCK, draw_fairly
from seqdesign.models.lm.store import TrainedLM

UNDECIDED = 0.1
"""How much the letters of samples that break a rule differ in where they give way."""


class DesignLM(LanguagePrior):
    """A language model, for one outcome if it is asked for; a `seqdesign.families.Generator`."""

    method: ClassVar[str] = "guided"

    def __init__(self, trained: TrainedLM, device: torch.device, outcome: float | None = None) -> None:
        super().__init__(trained.model, device, outcome)
        self.alphabet, self.outcome = trained.record.alphabet, outcome

    @property
    def lengths(self) -> tuple[int, int, int]:
        """Letters of the shortest, a typical and the longest sequence that it writes."""
        shortest, longest = self.model.min_length, self.model.max_length
        return shortest, int(self.model.length_log_prob.argmax()) + shortest, longest

    def draw(self, num: int, rules: Rules, rng: torch.Generator) -> tuple[None, Tensor]:
        """Preferences (num, L, V) whose largest letters are samples, drawn fairly under rules."""
        parts = []
        for first in range(0, num, BLOCK):
            lengths = torch.full((min(BLOCK, num - first),), rules.length)
            outcomes = None
            if self.outcome is not None:
                outcomes = torch.full((len(lengths),), self.outcome, dtype=torch.float64)
            parts.append(draw_fairly(self.model, lengths, rng, outcomes=outcomes, rules=rules).tokens)
        liked = functional.one_hot(torch.cat(parts).clone(), self.alphabet.size).float()
        return None, liked + UNDECIDED * torch.rand(liked.shape, generator=rng).to(liked)

    def latent(self, starts: Tensor, codes: Tensor | None = None) -> None:
        """None: a language model has no codes."""
        return


def generator_of(
    trained: TrainedLM, outcome: float | str | None, device: torch.device, name: str
) -> DesignLM:
    """A language model, for ``outcome`` where one is given. Raises UsageError."""
    asked = check_condition(trained.record, outcome)
    trained.model.to(device)
    return DesignLM(trained, device, asked)
