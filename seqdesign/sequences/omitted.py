"""Records that an option leaves out are named."""

from __future__ import annotations

from collections.abc import Sequence

from seqdesign.runs.manifest import note_left_out


def say_left_out(why: str, names: Sequence[str], lines: Sequence[int], of: int) -> None:
    """Name the records that an option leaves out, in the log and in the manifest of the run."""
    note_left_out(why, [f"{n} (line {i})" if i else n for n, i in zip(names, lines, strict=True)], of)
