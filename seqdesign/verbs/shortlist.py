"""Choosing what to order from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seqdesign.errors import UsageError
from seqdesign.ordering.designs import ranking
from seqdesign.ordering.selection import DIVERSITY
from seqdesign.ordering.shortlist import Candidates, Known, shortlist
from seqdesign.verbs.bench import Listing
from seqdesign.verbs.data import sequence_set
from seqdesign.verbs.options import verb

if TYPE_CHECKING:
    import pandas as pd


@verb()
def select(
    designs: Any,
    budget: int = 96,
    *,
    quality: Any = None,
    diversity: float = DIVERSITY,
    per_parent: int | None = None,
    exclude: Any = (),
    controls: Any = (),
    shuffled: int = 0,
    seed: int = 0,
) -> Listing:
    """The designs to order: good ones that differ from each other, with controls.

    Args:
        designs: what `maximize` gave, a DataFrame with a column ``sequence``, or a list of strings.
        budget: sequences to order, controls included.
        quality: column of the table, or (N,) numbers beside strings, larger is better; ``score_low``, the
            lower bound of the judges, else ``score``, when not given, or of designs that shall be low or near
            a target ``cost_high`` or ``off_target_high``, of which less is better.
        diversity: 0 takes the best, 1 the most different.
        per_parent: most designs of one value of the column ``parent``.
        exclude: sequences that are known already and never chosen.
        controls: sequences to order besides, such as the wild type.
        shuffled: shuffled designs to order as negative controls.
        seed: of the shuffles.

    Returns:
        One row a sequence: id, role, sequence, quality, parent, measured, and similarity (0 to 1) to the
        nearest that was chosen before.

    Raises:
        InputError: nothing is left to choose from. UsageError: a column that is not there.

    Example:
        >>> select(found, budget=24).write("order.csv")
    """
    import pandas as pd

    if not 0 <= diversity <= 1:
        raise UsageError(f"must lie between 0 and 1, got {diversity}", option="diversity")
    if budget < 1:
        raise UsageError(f"must be at least 1, got {budget}", option="budget")
    frame = designs.to_frame() if hasattr(designs, "to_frame") and hasattr(designs, "sequences") else designs
    table = frame if isinstance(frame, pd.DataFrame) else None
    records = sequence_set(frame)
    parents = [""] * len(records)
    if table is not None and "parent" in table.columns:
        parents = [str(name) if isinstance(name, str) else "" for name in table["parent"]]
    wanted = sequence_set(controls) if len(controls) else None
    values, lower = _quality(table, quality, len(records))
    found = shortlist(
        Candidates(
            ids=records.ids,
            sequences=records.sequences,
            quality=values,
            parents=parents,
            less_is_better=lower,
        ),
        budget,
        diversity=diversity,
        per_parent=per_parent,
        known=Known(values={text: {} for text in sequence_set(exclude).sequences} if len(exclude) else {}),
        parents=dict(zip(wanted.ids, wanted.sequences, strict=True)) if wanted else {},
        shuffled=shuffled,
        seed=seed,
    )
    line = f"chose {found.num_designs:,} of {len(records):,} designs"
    controls = len(found.records) - found.num_designs
    more = [f"{found.repeated:,} designs have the sequence of another; each is taken once"] * bool(
        found.repeated
    )
    if len(found.records) < budget:
        more.append(f"warning: only {len(found.records):,} sequences for a budget of {budget:,}")
    rows = tuple(one.row() for one in found.records)
    return Listing(rows, (f"{line} and {controls:,} {'control' if controls == 1 else 'controls'}", *more))


def _quality(table: pd.DataFrame | None, quality: Any, num: int) -> tuple[list[float], bool]:
    """(N,) finite numbers, and whether less is better. Raises UsageError."""
    lower = False
    if table is not None and (quality is None or isinstance(quality, str)):
        keys, lower = ranking(table.columns)
        names = [quality] if quality else [key for key in keys if key in table.columns]
        if not names or names[0] not in table.columns:
            have = ", ".join(map(str, table.columns))
            raise UsageError(f"must name a column of the designs; they have {have}", option="quality")
        lower &= names[0] in keys
        quality = table[names[0]]
    if isinstance(quality, str):
        raise UsageError(
            f"must be {num} numbers for sequences without a table, got {quality!r}", option="quality"
        )
    values = np.asarray([] if quality is None else quality, dtype=np.float64)
    if values.shape != (num,) or not np.isfinite(values).all():
        raise UsageError(f"must be {num} finite numbers, one a design", option="quality")
    return values.tolist(), lower
