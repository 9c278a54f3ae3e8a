"""How alike a design must be to the sequence that it was made from, as a constraint: ``--min-similarity``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from seqdesign.constraints.constraint import Violation
from seqdesign.constraints.starts import Starts
from seqdesign.devices.blocks import in_blocks
from seqdesign.errors import UsageError
from seqdesign.models.similarity.model import SequenceSimilarity
from seqdesign.models.similarity.store import TrainedSimilarity, load_similarity
from seqdesign.revisers.problem import DesignProblem, DesignResult

OPTION = "--min-similarity"
ROWS = 512


class SimilarToStart:
    """A learned similarity to the start of at least ``least``. N starts, B sequences of L letters at most."""

    def __init__(self, trained: TrainedSimilarity, least: float, starts: Starts) -> None:
        if trained.record.alphabet.letters != starts.alphabet.letters:
            raise UsageError(
                f"reads {trained.record.alphabet.name}, the sequences are {starts.alphabet.name}; train it "
                "with the same --alphabet",
                option="--similarity",
            )
        self.name = f"{OPTION} {least:g}"
        self.model: SequenceSimilarity = trained.model
        self.least = least
        self.starts = self._codes(starts.tokens)
        """(N, H)."""

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def walk(self, mask: Tensor, shortest: int) -> None:
        """Nothing can be said before the last letter."""
        return

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether sequences (B, L) are alike enough to their starts."""
        if self.least <= 0:
            return torch.ones(len(tokens), dtype=torch.bool, device=tokens.device)
        return self.similarity(tokens, rows) >= self.least

    @torch.no_grad()
    def similarity(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """(B,) similarities of sequences (B, L) to their starts."""
        return self.model.similarity(self._codes(tokens), self.starts[rows])

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One at most."""
        found = float(self.similarity(tokens[None], torch.tensor([row], device=tokens.device)))
        if found >= self.least:
            return []
        return [Violation(self.name, f"has a similarity of {found:.3f} to its input")]

    @torch.no_grad()
    def _codes(self, tokens: Tensor) -> Tensor:
        vocabulary = self.model.vocabulary
        letters = (tokens < vocabulary.n_letters) | (tokens == vocabulary.unknown)
        lengths = letters.sum(1)
        read = tokens.where(letters, vocabulary.pad)

        def part(rows: slice) -> Tensor:
            return self.model.code(read[rows], lengths[rows])

        if not len(tokens):
            return self.model.reference.new_zeros(0, self.model.num_features)
        return torch.cat(list(in_blocks(part, len(tokens), ROWS)))


def similarity_limit(
    folder: Path | None, least: float | None, device: torch.device | str
) -> Callable[[Starts], SimilarToStart] | None:
    """What makes the rule ``--min-similarity``; without a bound it only measures. Raises ModelError."""
    if folder is None:
        return None
    return partial(SimilarToStart, load_similarity(folder, torch.device(device)), least or 0.0)


def similarity_of(problem: DesignProblem, result: DesignResult) -> Tensor | None:
    """(N, K) learned similarities of designs to their starts, None without a model of them."""
    rules = () if problem.rules is None else problem.rules.constraints
    limit = next((rule for rule in rules if isinstance(rule, SimilarToStart)), None)
    if limit is None:
        return None
    count, each, letters = result.tokens.shape
    rows = torch.arange(count, device=result.tokens.device).repeat_interleave(each)
    return limit.similarity(result.tokens.view(-1, letters), rows).view(count, each).cpu()
