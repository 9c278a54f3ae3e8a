"""What is measured of translations of sequences that had no part in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from seqdesign.metrics.edits import levenshtein_pairs
from seqdesign.metrics.nearest import nearest
from seqdesign.models.translate.choosing import Chooser, chosen
from seqdesign.models.translate.config import CHOOSE_FROM
from seqdesign.models.translate.model import SequenceTranslator
from seqdesign.models.translate.recogniser import Recogniser
from seqdesign.models.translate.store import TranslateRecord
from seqdesign.sequences.encoders import TokenArray, decode

MOST = 500
"""Sequences of each set that are translated and judged."""
CHUNK = 256
FEW_ARRIVE, FEW_RETURN, FEW_DIFFER = 0.7, 0.9, 0.9


@dataclass(frozen=True, kw_only=True)
class Direction:
    """One direction of a translator, on held-out sequences. Shares are between 0 and 1."""

    source: str
    target: str
    sequences: int
    recognised: float
    """Share of the translations that a classifier of other rows takes for sequences of the target."""
    real: float
    """The same of real held-out sequences of the target."""
    untouched: float
    """The same of the sources as they are: what copying reaches."""
    edits: float
    """Mean edits between a source and its translation."""
    edits_to_nearest: float
    """Mean edits between a source and the nearest sequence of the target that was learned from."""
    returned: float
    """Share of the letters that the way back restores."""
    distinct: float
    """Different translations over different sources."""
    copies: float
    """Share of the translations that are sequences of the target that were learned from."""
    distance: float
    """Median edits between a translation and the nearest sequence of the target that was learned from."""
    real_distance: float
    """The same of real held-out sequences of the target: translations much nearer than these are copies."""

    def doubts(self) -> list[str]:
        """Sentences about what is wrong with it."""
        said, way = [], f"{self.source} to {self.target}"
        if self.recognised < FEW_ARRIVE * self.real:
            said.append(
                f"{way}: {self.recognised:.0%} of the translations are recognised, {self.real:.0%} of real "
                "ones are; train with more --steps or with less --cycle"
            )
        if self.returned < FEW_RETURN:
            said.append(f"{way}: the way back restores {self.returned:.0%} of the letters; give more --cycle")
        if self.distinct < FEW_DIFFER:
            said.append(
                f"{way}: different sources become the same translation ({self.distinct:.0%} are distinct); "
                "give more --cycle"
            )
        if self.edits >= self.edits_to_nearest:
            said.append(
                f"{way}: {self.edits:.1f} edits are no fewer than the {self.edits_to_nearest:.1f} to the "
                "nearest real one; give more --stay"
            )
        return said


class Judge:
    """Figures of a translator on held-out rows of both sets, the same at every look.

    ``teach`` and ``test`` are (a, b), disjoint and not learned from: the first teach a classifier, the others
    are translated; ``known`` (a, b) was learned from.
    """

    def __init__(
        self,
        record: TranslateRecord,
        teach: tuple[TokenArray, TokenArray],
        test: tuple[TokenArray, TokenArray],
        known: tuple[TokenArray, TokenArray],
    ) -> None:
        self.record = record
        self.test = tuple(part.take(np.arange(min(len(part), MOST))) for part in test)
        self.texts = [texts_of(part) for part in self.test]
        self.known = [texts_of(part) for part in known]
        self.tell = Recogniser(texts_of(teach[0]), texts_of(teach[1]), record.alphabet.letters)
        self.real = [self._share(texts, side) for side, texts in enumerate(self.texts)]

    def _share(self, texts: Sequence[str], side: int) -> float:
        """Share that is taken for set ``side``."""
        return float(((self.tell(texts) > 0) == bool(side)).mean())

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Figures of a look at the most probable translations, for curves.

        ``score`` is the mean share that is not recognised.
        """
        assert isinstance(model, SequenceTranslator)
        figures = {}
        for source, side in ((0, "b"), (1, "a")):
            there, back = round_trip(model, self.test[source], side)
            figures[f"recognised_{side}"] = self._share(there, 1 - source)
            figures[f"edits_{side}"] = float(levenshtein_pairs(self.texts[source], there).mean())
            figures[f"returned_{side}"] = restored(self.texts[source], back)
        figures["score"] = 1 - (figures["recognised_a"] + figures["recognised_b"]) / 2
        return figures

    def directions(self, model: SequenceTranslator) -> tuple[Direction, Direction]:
        """Everything, a to b and b to a, of translations as they are chosen by default."""
        return self._direction(model, 0), self._direction(model, 1)

    @torch.no_grad()
    def _direction(self, model: SequenceTranslator, source: int) -> Direction:
        target, texts = 1 - source, self.texts[source]
        there, back = round_trip(model, self.test[source], "ab"[target], self.record.chooser)
        known = self.known[target]
        near = nearest(there, known).distance
        return Direction(
            source=self.record.names[source],
            target=self.record.names[target],
            sequences=len(texts),
            recognised=self._share(there, target),
            real=self.real[target],
            untouched=self._share(texts, target),
            edits=float(levenshtein_pairs(texts, there).mean()),
            edits_to_nearest=float(nearest(texts, known).distance.mean()),
            returned=restored(texts, back),
            distinct=len(set(there)) / len(set(texts)),
            copies=float((near == 0).mean()),
            distance=float(np.median(near)),
            real_distance=float(np.median(nearest(self.texts[target], known).distance)),
        )


def texts_of(array: TokenArray) -> list[str]:
    """The sequences as text."""
    return decode(array.tokens, array.alphabet)


@torch.no_grad()
def round_trip(
    model: SequenceTranslator,
    array: TokenArray,
    side: str,
    chooser: Chooser | None = None,
    choose_from: int = CHOOSE_FROM,
) -> tuple[list[str], list[str]]:
    """Translations to a side, as a chooser chooses, and what they most probably become on the way back."""
    device = next(model.parameters()).device
    there, back = [], []
    for part in torch.from_numpy(array.tokens.astype(np.int64)).split(CHUNK):
        first = chosen(model, chooser, model.symbols(part.to(device)), side, choose_from)
        there.append(first)
        back.append(model.translate(first, "ab".replace(side, "")))
    return tuple(decode(torch.cat(parts).cpu(), array.alphabet) for parts in (there, back))  # type: ignore[return-value]


def restored(texts: Sequence[str], back: Sequence[str]) -> float:
    """Share of the letters of ``texts`` that are in ``back``: 1 - edits over letters."""
    return 1 - float(levenshtein_pairs(texts, back).sum()) / max(1, sum(map(len, texts)))
