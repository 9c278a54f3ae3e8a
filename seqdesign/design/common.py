"""What rows have in common, where those that were better than all of them have been left out.

Relatives of one another were selected before anybody measured them: what does not work is rare. Where
measurements end abruptly on the better side, rows that were better are missing, and what outcomes still say
is how rows of one band differ from each other. How common a letter is among the rows tells of more than
that band. It is the density of an augmented model (Hsu et al. 2022), with a weight that such rows cannot
tell: single changes of the most common letters differ as much in how common they are as in what is predicted.

Shapes: N sequences of length L over V letters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from seqdesign.objectives.composite import Composite
from seqdesign.objectives.risk import Risk
from seqdesign.sequences.encoders import one_hot

if TYPE_CHECKING:
    from seqdesign.design.model import DesignModel


RARITY = "rarity"
"""Key of how much less likely than the most common ones the letters of a design are among the rows, nats."""


class Leaning:
    """One-hot or soft x (N, V, L) -> what is taken off the scores (N,): nothing for the most common letters.

    letters (L,): these. logs (L, V): log frequencies of letters, with one more row for each letter.
    weight: what a nat costs, in units of the score.
    """

    def __init__(self, counts: Tensor) -> None:
        self.letters = counts.argmax(1)
        smooth = counts.double() + 1.0
        self.logs = (smooth / smooth.sum(1, keepdim=True)).log()
        self.weight = 0.0
        self._on: dict[torch.device, Tensor] = {}

    def rarity(self, x: Tensor) -> Tensor:
        """How much less likely than the most common letters those of x are (N,), in nats."""
        if x.device not in self._on:
            rare = self.logs.amax(1, keepdim=True) - self.logs
            self._on[x.device] = rare.T.contiguous().to(x.device, torch.float32)
        return torch.einsum("nvl,vl->n", x, self._on[x.device].to(x.dtype))

    def __call__(self, x: Tensor, keys: Tensor) -> Tensor:
        """What is taken off; keys (N,) are numbers of starts."""
        return self.weight * self.rarity(x)


def leaning(model: DesignModel, objective: Composite, length: int) -> Leaning | None:
    """How designs of ``length`` letters lean on what rows have in common.

    None unless all rows are variants of a parent, measurements of all outcomes that are used end abruptly on
    the better side, and judges predict more of the most common letters than of the typical row, when that is
    left out: where they predict less, rows were selected away from these letters. Whether judges can go
    beyond rows does not count: what was hidden from them for that is of the same band.
    """
    evidence = model.evidence
    if evidence is None or evidence.variants is None or length != evidence.length:
        return None
    panel = model.panel(length)
    if panel is None or model.codons is not None or not panel.ends:
        return None
    better = model.better_ends(objective, length)
    if any((panel.ends[k].high if up else panel.ends[k].low) is None for k, up in better):
        return None
    found = Leaning(torch.from_numpy(evidence.counts))
    said = panel(found.letters[None]).plain
    if said is None:
        return None
    judged, rows = (_scores(objective, part) for part in (said.mean, said.rows))
    if not float(judged) > float(rows[rows.isfinite()].median()):
        return None
    places, letters = torch.nonzero(torch.from_numpy(evidence.counts) > 0).unbind(1)
    other = letters != found.letters[places]
    places, letters = places[other], letters[other]
    changed = found.letters.repeat(len(places), 1)
    changed[torch.arange(len(places)), places] = letters
    told = model.predict(changed.to(model.device))[list(model.jury.design)]
    keys = torch.zeros(len(changed), dtype=torch.long, device=told.device)
    spread = float(objective(told, keys).std())
    rare = float(found.rarity(one_hot(changed, model.alphabet)).std())
    if not (spread > 0 and rare > 0):
        return None
    found.weight = spread / rare
    return found


def _scores(objective: Composite, outcomes: Tensor) -> Tensor:
    """Scores (n,) of outcomes (n, K)."""
    rows = torch.zeros(len(outcomes), dtype=torch.long)
    return replace(objective, risk=Risk())(outcomes[None], rows)
