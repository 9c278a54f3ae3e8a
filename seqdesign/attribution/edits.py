"""What each edit of a revision contributes to its gain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.attribution.explainer import Explainer, cell
from seqdesign.attribution.shapley import EXACT, Shares, Subset, shares
from seqdesign.metrics.edits import apply_edits, edit_list
from seqdesign.runs.progress import count, phase
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.options import LetterPolicy, encode_with
from seqdesign.sequences.reader import SequenceSet

COLUMNS = (
    "id",
    "parent",
    "gain",
    "gain_sd",
    "rank",
    "edit",
    "contribution",
    "sd",
    "share",
    "undo",
    "alone",
    "error",
)
IDLE = 0.02
"""Share of the gain below which undoing an edit is called harmless."""


@dataclass(frozen=True)
class EditSummary:
    """The edits of all pairs in numbers."""

    pairs: int
    """Sequences with a parent and at least one edit."""
    edits: int
    mean_gain: float
    largest_share: float
    """Of the gain, by the best edit of each pair: the mean over pairs that gained."""
    harmless: int
    """Edits of pairs that gained, each of which can be undone for less than 2% of the gain."""
    sampled: int
    """Pairs with so many edits that orders were drawn."""
    lower: bool = False
    """Whether less is better, so that a gain is below zero."""

    def lines(self) -> list[str]:
        """What a person reads."""
        lines = [
            f"edits: {self.edits:,} of {self.pairs:,} sequences, which "
            + (f"change by {self.mean_gain:+.4g}" if self.lower else f"gain {self.mean_gain:.4g}")
            + " on average"
            + (f"; the best edit of each brings {self.largest_share:.0%} of it" if self.largest_share else "")
        ]
        if self.harmless:
            lines.append(f"{self.harmless:,} edits can each be undone for less than {IDLE:.0%} of the gain")
        if self.sampled:
            lines.append(f"{self.sampled:,} sequences have more than {EXACT} edits; random orders were used")
        return lines


@dataclass
class EditTable:
    """Rows of all pairs, and what the summary needs."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    columns: Sequence[str] = COLUMNS
    changed: dict[str, list[int]] = field(default_factory=dict)
    """Id -> places (from 0) that differ from the parent, where both have one length."""
    warnings: list[str] = field(default_factory=list)
    sampled: int = 0
    lower: bool = False
    """Whether less is better."""

    @property
    def sign(self) -> int:
        """That of what is better."""
        return -1 if self.lower else 1

    def idle(self, row: Mapping[str, Any]) -> bool:
        """Whether an edit of a sequence that gained can be undone and hardly any of the gain is lost."""
        gain = self.sign * row["gain"]
        return bool(gain > 0 and self.sign * row["undo"] < IDLE * gain)

    def summary(self) -> EditSummary:
        """Means over pairs."""
        pairs: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows:
            pairs.setdefault(row["id"], []).append(row)
        gains = [edits[0]["gain"] for edits in pairs.values()]
        gained = [edits for edits in pairs.values() if self.sign * edits[0]["gain"] > 0]
        best = [max(e["contribution"] / e["gain"] for e in edits) for edits in gained]
        return EditSummary(
            pairs=len(pairs),
            edits=len(self.rows),
            mean_gain=float(np.mean(gains)) if gains else 0.0,
            largest_share=float(np.mean(best)) if best else 0.0,
            harmless=sum(map(self.idle, self.rows)),
            sampled=self.sampled,
            lower=self.lower,
        )


Pairs = Sequence[tuple[int, int, str]]
"""(place of a sequence, place of its parent, the parent's id)."""


@phase("attributing edits")
def explain_edits(
    explainer: Explainer,
    parents: SequenceSet,
    find_pairs: Callable[[Sequence[str], Sequence[str]], Pairs],
    *,
    letters: LetterPolicy = LetterPolicy(),  # noqa: B008 - frozen
    orders: int = 200,
    lower: bool = False,
    seed: int = 0,
) -> EditTable:
    """Rank the edits of every pair, in the order of the input.

    find_pairs: (ids of the sequences, ids of the parents) -> pairs, such as ``sequences.parents.by_id``.
    orders: random orders of the edits where there are more than 12. lower: whether less is better. Raises
    InputError.
    """
    array = encode_with(letters, parents, explainer.alphabet)
    parents = parents.take(array.kept)
    before = decode(array.tokens, explainer.alphabet)
    after = decode(explainer.tokens, explainer.alphabet)
    rng = np.random.default_rng(seed)
    found = EditTable(lower=lower)
    pairs = find_pairs(explainer.records.ids, parents.ids)
    skipped = []
    for done, (child, parent, name) in enumerate(pairs, start=1):
        texts = before[parent], after[child]
        if texts[0] == texts[1]:
            continue
        edits = edits_between(*texts)
        if not _fits(explainer, texts[0], edits):
            skipped.append(explainer.records.ids[child])
            continue
        value = Subsets(explainer, texts[0], edits)
        found.sampled += len(edits) > EXACT
        result = shares(value, len(edits), rng, orders)
        found.rows += _rows(explainer.records.ids[child], name, edits, result, found.sign)
        if len(texts[0]) == len(texts[1]):
            found.changed[explainer.records.ids[child]] = [
                i for i, (a, b) in enumerate(zip(*texts, strict=True)) if a != b
            ]
        count(done, len(pairs))
    if skipped:
        found.warnings.append(
            f"the edits of {len(skipped):,} sequences, such as {skipped[0]}, are left out: some of them "
            "alone would make a sequence of a length that the model cannot judge"
        )
    return found


def edits_between(original: str, revised: str) -> list[str]:
    """Position by position for sequences of one length, else a shortest list (``metrics.edits``)."""
    if len(original) != len(revised):
        return edit_list(original, revised)
    letters = enumerate(zip(original, revised, strict=True), start=1)
    return [f"{a}{i}{b}" for i, (a, b) in letters if a != b]


class Subsets:
    """Scores of a sequence in which only some of the edits are made."""

    def __init__(self, explainer: Explainer, original: str, edits: Sequence[str]) -> None:
        self.explainer, self.original, self.edits = explainer, original, edits

    def __call__(self, subsets: list[Subset]) -> NDArray[np.float64]:
        """Scores (M, S) of S subsets."""
        texts = [apply_edits(self.original, [self.edits[i] for i in sorted(s)]) for s in subsets]
        array = encode(texts, self.explainer.alphabet, on_unknown="mask")
        return self.explainer.scores(array.tokens, array.lengths)


def _fits(explainer: Explainer, original: str, edits: Sequence[str]) -> bool:
    """Whether the model can judge the longest and the shortest sequence that a subset of the edits makes."""
    scope = explainer.model.scope
    if scope is None:
        return True
    longest, shortest = (
        len(original) + sign * sum(e.startswith(kind) for e in edits)
        for kind, sign in (("ins", 1), ("del", -1))
    )
    return scope.objection(longest) is None and scope.objection(shortest) is None


def _rows(name: str, parent: str, edits: Sequence[str], found: Shares, sign: int) -> list[dict[str, Any]]:
    """One row for each edit, the best contribution first."""
    several = len(found.gain) > 1
    gain = float(found.gain.mean())
    value = found.shapley.mean(0)
    numbers = {
        "contribution": value,
        "sd": found.shapley.std(0),
        "share": value / gain if gain else np.full(len(edits), np.nan),
        "undo": found.undo.mean(0),
        "alone": found.alone.mean(0),
        "error": found.error,
    }
    if not several:
        numbers["sd"] = np.full(len(edits), np.nan)
    return [
        {
            "id": name,
            "parent": parent,
            "gain": cell(gain),
            "gain_sd": cell(float(found.gain.std())) if several else None,
            "rank": rank,
            "edit": edits[i],
            **{key: cell(float(column[i])) for key, column in numbers.items()},
        }
        for rank, i in enumerate(np.argsort(-sign * value, kind="stable").tolist(), start=1)
    ]
