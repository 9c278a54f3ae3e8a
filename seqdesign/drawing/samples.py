"""Writing the samples of any model: what breaks a rule is left out, repeats too if so asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import count as numbers
from typing import TYPE_CHECKING, Any, BinaryIO

from seqdesign.drawing.options import DrawOptions
from seqdesign.errors import InputError, SeqDesignError, UsageError
from seqdesign.runs.blocks import results
from seqdesign.runs.progress import count, phase
from seqdesign.symbols import spelled

if TYPE_CHECKING:
    import torch

    from seqdesign.constraints.options import LetterRules
    from seqdesign.constraints.rules import Rules
    from seqdesign.sequences.alphabets import Alphabet

BARREN = 64_000
"""Draws in a row of which none is written, after which it gives up."""


@dataclass(frozen=True)
class Batch:
    """Sequences as they were drawn, what stands behind their ids, and whether they obey the constraints."""

    texts: list[str]
    labels: list[str]
    good: list[bool]
    broken: Callable[[], str]
    """Says which constraint most of them break."""
    real: list[bool] | None = None
    """What a critic does not leave out; None: no critic was asked."""

    @property
    def useful(self) -> int:
        """How many obey the constraints and are not left out."""
        return sum(self.good) if self.real is None else sum(map(bool.__and__, self.good, self.real))

    def pack(self) -> dict[str, Any]:
        """As JSON types."""
        broken = "" if all(self.good) else self.broken()
        return {
            "texts": self.texts,
            "labels": self.labels,
            "good": self.good,
            "broken": broken,
            "real": self.real,
        }

    @classmethod
    def unpack(cls, values: dict[str, Any]) -> Batch:
        """Inverse of ``pack``."""
        return cls(**{**values, "broken": partial(str, values["broken"])})


@dataclass
class Tally:
    """What became of the draws so far."""

    drawn: int = 0
    written: int = 0
    rejected: int = 0
    discarded: int = 0
    """Left out by a critic."""
    repeats: int = 0
    barren: int = 0
    """Draws since the last one that was written."""

    @property
    def acceptance(self) -> float:
        """Share of the draws that obey the constraints, of those that a critic does not leave out."""
        return 1 - self.rejected / max(1, self.drawn - self.discarded)


GuideScore = Callable[["torch.Tensor"], "torch.Tensor"]
"""One-hot or soft letters (N, V, L) to scores (N,) in standard deviations of an outcome; more is better."""


@dataclass(frozen=True)
class Drawing:
    """What samples shall be: the options, the seed, and who guides (None: nobody) for letters and lengths."""

    options: DrawOptions
    seed: int
    guide: Callable[[Alphabet, tuple[int, int]], GuideScore | None]

    def apart(self, alphabet: Alphabet) -> Callable[[str], bool] | None:
        """Whether a sample has the distance of ``--min-distance`` to those before; None: any will do."""
        from seqdesign.constraints.distinct import Apart

        least = self.options.min_distance
        return None if least is None else Apart(least, alphabet).takes

    def refuse(self, who: str, names: tuple[str, ...]) -> None:
        """Raise UsageError for options that a family has no use for."""
        for name in names:
            if getattr(self.options, name) is not None:
                raise UsageError(
                    f"has no effect on {who}; leave it out, or use a model of train-lm",
                    option=f"--{name.replace('_', '-')}",
                )


@dataclass(frozen=True)
class Source:
    """Samples of one start, or of none, and how their ids begin."""

    name: str
    block: Callable[[int], Batch]
    """The samples of a number; those of a block do not depend on the blocks that were drawn before."""
    constrained: bool
    is_new: Callable[[str], bool] | None = None
    """Where ``--min-distance`` says how much samples have to differ."""
    remedy: str = ", or let a language model (train-lm) write such sequences"
    """What else to try where constraints are hardly ever obeyed."""


def block_rng(seed: int, number: int) -> torch.Generator:
    """Random numbers of a block of samples: those of ``seed`` for the first, of their own for the rest."""
    import torch

    text = f"{seed}:{number}".encode()
    mixed = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(mixed if number else seed)


def write_source(source: Source, num: int, handle: BinaryIO, *, unique: bool) -> Tally:
    """Write ``num`` samples of a source, whose blocks the processes of a campaign share.

    Raises InputError when nothing more comes that obeys the rules or is new.
    """
    batches = results(
        (partial(source.block, number) for number in numbers()),
        pack=Batch.pack,
        unpack=Batch.unpack,
        wanted=num,
        size=lambda batch: batch.useful,
    )
    is_new = source.is_new or novelty(unique=unique)
    return write_samples(batches, num, handle, is_new=is_new, remedy=source.remedy, name=source.name)


@phase("sampling")
def write_samples(
    batches: Iterable[Batch],
    num: int,
    handle: BinaryIO,
    *,
    is_new: Callable[[str], bool] | None,
    remedy: str,
    name: str = "sample",
) -> Tally:
    """Write ``num`` records; raises InputError when nothing more comes that obeys the rules or is new.

    is_new: asked about each sequence once; None: repeats do not matter. remedy: what else to try where
    constraints are hardly ever obeyed.
    """
    tally = Tally()
    for batch in batches:
        lines = []
        real = batch.real or [True] * len(batch.texts)
        for text, label, good, enough in zip(batch.texts, batch.labels, batch.good, real, strict=True):
            if tally.written == num or tally.barren == BARREN:
                break
            tally.drawn += 1
            tally.barren += 1
            if not enough:
                tally.discarded += 1
            elif not good:
                tally.rejected += 1
            elif is_new is not None and not is_new(text):
                tally.repeats += 1
            else:
                tally.written += 1
                tally.barren = 0
                space = " " if label else ""
                lines.append(f">{name}_{tally.written}{space}{label}\n{spelled(text)}\n")
        handle.write("".join(lines).encode())
        count(tally.written, num)
        if tally.barren == BARREN:
            raise _nothing_more(tally, batch, remedy)
        if tally.written == num:
            break
    return tally


def novelty(*, unique: bool) -> Callable[[str], bool] | None:
    """What ``write_samples`` asks where no sequence may occur twice; None where it may."""
    seen: set[str] = set()

    def is_new(text: str) -> bool:
        before = len(seen)
        seen.add(text)
        return len(seen) > before

    return is_new if unique else None


def rules_for(options: LetterRules, alphabet: Alphabet, shortest: int, longest: int) -> Rules | None:
    """The constraints on samples of so many letters, or None.

    Raises UsageError, and InputError where no sequence can obey them.
    """
    import torch

    from seqdesign.constraints.build import build_rules
    from seqdesign.constraints.check import find_conflict

    nothing = torch.zeros(1, longest, dtype=torch.long)
    rules = build_rules(options, alphabet, nothing, shortest=shortest)
    if not rules.constraints:
        return None
    conflict = find_conflict(rules, nothing)
    if conflict is not None:
        raise InputError(conflict.message)
    return rules


def sift(
    tokens: torch.Tensor,
    texts: list[str],
    labels: list[str],
    rules: Rules | None,
    real: list[bool] | None = None,
) -> Batch:
    """Samples (n, L) of a model that knows no constraints: those that break one are left out."""
    import torch

    if rules is None:
        return Batch(texts, labels, [True] * len(texts), str, real)
    rows = torch.zeros(len(tokens), dtype=torch.long)
    letters = tokens.long().cpu()

    def broken() -> str:
        found = [(int((~c.is_feasible(letters, rows)).sum()), c.name) for c in rules.constraints]
        worst = max(found)
        return f"{worst[0] / len(letters):.0%} break {worst[1]}"

    return Batch(texts, labels, rules.is_feasible(letters, rows).tolist(), broken, real)


def _nothing_more(tally: Tally, batch: Batch, remedy: str) -> SeqDesignError:
    """What to say when too many draws in a row were of no use."""
    if tally.repeats:
        obeying = " that obey the constraints" if tally.rejected else ""
        return InputError(
            f"the model makes no more than about {tally.written:,} different sequences{obeying}; ask for "
            "fewer with -n, or raise --temperature"
        )
    return InputError(
        f"the model hardly ever obeys the constraints: {tally.written:,} of {tally.drawn:,} draws do, none "
        f"of the last {BARREN:,}; {batch.broken()}; loosen it{remedy}"
    )
