"""A language model as the prior of designs: how likely a sequence is, beside the model's own samples.

Shapes: N sequences of L letters each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqdesign.designers.problem import Language
from seqdesign.language.model import SequenceLM
from seqdesign.language.rewriting import Rewriter

SAMPLES = 500
"""Samples of each length that designs are compared with."""


class LanguagePrior:
    """A language model, for sequences of one outcome if it is conditional."""

    def __init__(self, model: SequenceLM, device: torch.device, outcome: float | None = None) -> None:
        model.requires_grad_(False)
        self.model, self.device = model, device
        self.writer = Rewriter(model, outcome)
        self._usual: dict[int, npt.NDArray[np.float64]] = {}

    def language(self, starts: Tensor, *, drawn: bool) -> Language:
        """For designs of starts (N, L), each compared with its own, or all with all if they are ``drawn``.

        Drawn starts obey the constraints, so what these cost is allowed for.
        """
        usual = self.writer.log_prob(starts)
        if drawn:
            usual = usual.mean().expand(len(starts))
        return Language(self.writer, usual, self.spread(starts.shape[1]))

    def spread(self, length: int) -> float:
        """Standard deviation of the log-likelihood of samples of ``length`` letters, nats."""
        return float(self.usual(length).std()) or 1.0

    def usual(self, length: int) -> npt.NDArray[np.float64]:
        """Log-likelihoods of samples of ``length`` letters, in ascending order."""
        if length not in self._usual:
            rng = torch.Generator().manual_seed(0)
            uniform = torch.rand(SAMPLES, length, generator=rng, dtype=torch.float64).to(self.device)
            begin = torch.zeros(SAMPLES, dtype=torch.long, device=self.device)
            tilt = uniform.new_zeros(1, 1, self.model.vocabulary.n_letters).expand(SAMPLES, length, -1)
            nothing = torch.zeros(SAMPLES, length, dtype=torch.long, device=self.device)
            drawn = self.writer.rewrite(nothing, begin, begin + length, tilt, uniform)[0]
            self._usual[length] = np.sort(self.writer.log_prob(drawn).cpu().numpy())
        return self._usual[length]

    def realness(self, tokens: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Percent of samples of its length that are less likely than each of (N, L); PAD ends a sequence."""
        lengths = (tokens != self.model.vocabulary.pad).sum(axis=1)
        found = np.zeros(len(tokens))
        for length in np.unique(lengths):
            mine = np.flatnonzero(lengths == length)
            letters = torch.from_numpy(tokens[mine, :length].astype(np.int64)).to(self.device)
            usual = self.usual(int(length))
            place = np.searchsorted(usual, self.writer.log_prob(letters).cpu().numpy())
            found[mine] = 100.0 * place / len(usual)
        return found
