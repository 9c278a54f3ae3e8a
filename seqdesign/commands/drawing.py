"""Writing the samples of any model: what breaks a rule is left out, repeats too if so asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from seqdesign.errors import InputError, SeqDesignError

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


@dataclass
class Tally:
    """What became of the draws so far."""

    drawn: int = 0
    written: int = 0
    rejected: int = 0
    repeats: int = 0
    barren: int = 0
    """Draws since the last one that was written."""

    @property
    def acceptance(self) -> float:
        """Share of the draws that obey the constraints."""
        return 1 - self.rejected / max(1, self.drawn)


def write_samples(
    batches: Iterable[Batch], num: int, handle: BinaryIO, *, unique: bool, name: str = "sample", remedy: str
) -> Tally:
    """Write ``num`` records; raises InputError when nothing more comes that obeys the rules or is new.

    remedy: what else to try where constraints are hardly ever obeyed.
    """
    tally, seen = Tally(), set[str]()
    for batch in batches:
        lines = []
        for text, label, good in zip(batch.texts, batch.labels, batch.good, strict=True):
            if tally.written == num or tally.barren == BARREN:
                break
            tally.drawn += 1
            tally.barren += 1
            if not good:
                tally.rejected += 1
            elif unique and text in seen:
                tally.repeats += 1
            else:
                if unique:
                    seen.add(text)
                tally.written += 1
                tally.barren = 0
                space = " " if label else ""
                lines.append(f">{name}_{tally.written}{space}{label}\n{text}\n")
        handle.write("".join(lines).encode())
        if tally.barren == BARREN:
            raise _nothing_more(tally, batch, remedy)
        if tally.written == num:
            break
    return tally


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
