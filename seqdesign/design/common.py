"""What rows have in common, where those that were better than all of them have been left out.

Relatives of one another were selected before anybody measured them: what does not work is rare. Where
measurements end abruptly on the better side, rows that were better are missing, and what outcomes still say
is how rows of one band differ from each other. How common a letter is among the rows tells of more than
that band. It is the density of an augmented model (Hsu et al. 2022), with a weight that such rows cannot
tell: single changes of the most common letters differ as much in how common they are as in what is predicted.

Where nothing selected the variants before they were measured, leaving out the better ones has made good
letters rare: then only the number of changes counts.

Shapes: N sequences of length L over V letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from seqdesign.judging.ends import cut_off
from seqdesign.objectives.composite import Composite
from seqdesign.objectives.risk import Risk

if TYPE_CHECKING:
    from seqdesign.design.model import DesignModel
    from seqdesign.judging.panel import Verdict


RARITY = "rarity"
"""Key of how much less likely than the most common ones the letters of a design are among the rows, nats."""


EVEN = 3.0
"""Standard deviations of what is predicted of single changes that a change costs where all cost the same."""


class Leaning:
    """One-hot or soft x (N, V, L) -> what is taken off the scores (N,): nothing for the most common letters.

    letters (L,): these. rare (L, V): by how many nats letters are less likely, with one more row for each.
    costs (L, V): what is taken off for them, in units of the score; none until `weigh`.
    better: outcomes that are used, and whether more is better.
    """

    def __init__(self, counts: Tensor, better: Sequence[tuple[int, bool]] = ()) -> None:
        self.letters, self.better = counts.argmax(1), better
        logs = (counts.double() + 1.0).log()
        self.rare = logs.amax(1, keepdim=True) - logs
        self.costs = torch.zeros_like(self.rare)
        self._on: dict[torch.device, Tensor] = {}

    def weigh(self, places: Tensor, letters: Tensor, told: Tensor) -> bool:
        """Let single changes cost as much as is predicted of them, by scores ``told`` (n,) of these (n,).

        The rarer a letter the more, unless rare letters are predicted to be better: then what was left out
        made them rare, and all cost the same. False if nothing can be told from these.
        """
        told, rare = told.double().cpu(), self.rare[places, letters]
        spread, varied = float(told.std()), float(rare.std())
        if not (spread > 0 and varied > 0):
            return False
        informed = float((told - told.mean()) @ (rare - rare.mean())) <= 0
        self.costs = spread * (self.rare / varied if informed else EVEN * (self.rare > 0))
        self._on = {}
        return True

    def rarity(self, tokens: Tensor) -> Tensor:
        """How much less likely than the most common letters those of tokens (N, L) are (N,), in nats."""
        return self.rare[torch.arange(tokens.shape[1]), tokens.cpu()].sum(1)

    def __call__(self, x: Tensor, keys: Tensor) -> Tensor:
        """What is taken off; keys (N,) are numbers of starts."""
        if x.device not in self._on:
            self._on[x.device] = self.costs.T.contiguous().to(x.device, torch.float32)
        return torch.einsum("nvl,vl->n", x, self._on[x.device].to(x.dtype))

    def open(self, verdict: Verdict) -> Verdict:
        """The same without an end of the intervals on the better side: what was left out lies there, and
        judges that know a band of measurements find that narrow.
        """
        low, high = verdict.low.clone(), verdict.high.clone()
        for k, up in self.better:
            (high if up else low)[:, k] = torch.inf if up else -torch.inf
        return replace(verdict, low=low, high=high)


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
    if not cut_off(panel.ends, better):
        return None
    found = Leaning(torch.from_numpy(evidence.counts), better)
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
    return found if found.weigh(places, letters, objective(told, keys)) else None


def _scores(objective: Composite, outcomes: Tensor) -> Tensor:
    """Scores (n,) of outcomes (n, K)."""
    rows = torch.zeros(len(outcomes), dtype=torch.long)
    return replace(objective, risk=Risk())(outcomes[None], rows)
