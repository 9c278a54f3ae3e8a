"""What a predictor learns from: sequences with their outcomes, and the words that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from seqdesign.ensembles.aligned import common_parent
from seqdesign.ensembles.family import family_costs
from seqdesign.ensembles.folding import folding_counts
from seqdesign.ensembles.grammar import has_room, learn_words, no_words
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.sequences.encoders import TokenArray
from seqdesign.training.splitting import Indices


@dataclass(frozen=True, eq=False)
class Known:
    """Sequences and their outcomes."""

    tokens: TokenArray
    outcomes: Outcomes
    _words: dict[bool, Tensor] = field(default_factory=dict, init=False, repr=False)

    def take(self, rows: Indices) -> Known:
        """The chosen rows."""
        return Known(self.tokens.take(rows), self.outcomes.take(rows))

    @cached_property
    def parent(self) -> Tensor | None:
        """The sequence (R,) that all are relatives of, or None."""
        return common_parent(self.tokens)

    @cached_property
    def family(self) -> Tensor | None:
        """Costs (R, V + 1) of letters in the columns of the family that the sequences are, or None."""
        return family_costs(self.tokens)

    @cached_property
    def folds(self) -> bool:
        """Whether the first outcome surely depends on how RNA folds."""
        values, precision = tensors_of(self.outcomes)
        first = values.where(precision > 0, torch.nan)[:, 0]
        return folding_counts(torch.from_numpy(self.tokens.tokens), first, self.tokens.alphabet)

    def words(self, *, both_strands: bool) -> Tensor:
        """Words (A, W, V) that carry the outcomes of unrelated sequences; of others, and where none surely
        does, ``no_words``. They are looked for once.
        """
        if both_strands not in self._words:
            self._words[both_strands] = self._find_words(both_strands=both_strands)
        return self._words[both_strands]

    def _find_words(self, *, both_strands: bool) -> Tensor:
        tokens, outcomes = self.tokens, self.outcomes
        if not has_room(tokens):
            return no_words(tokens.alphabet.size, both_strands=both_strands)
        task, (values, precision) = outcomes.kind, tensors_of(outcomes)
        zero, one = values.new_zeros(1), values.new_ones(1)
        scores = task.num_scores(values.shape[1], len(outcomes.classes))
        targets = task.targets(values.where(precision > 0, torch.nan), zero, one, scores)
        rows = torch.from_numpy(tokens.tokens.astype(np.int64))
        return learn_words(rows, targets.double(), tokens.alphabet, both_strands=both_strands)


def tensors_of(outcomes: Outcomes) -> tuple[Tensor, Tensor]:
    """Values and precision (N, K)."""
    return torch.from_numpy(outcomes.values).float(), torch.from_numpy(outcomes.precision()).float()
