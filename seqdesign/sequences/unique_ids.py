"""What to do about ids that occur twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from seqdesign.errors import InputError

OnDuplicate = Literal["error", "first", "rename", "keep"]


class UniqueIds:
    """Applies a policy to ids as they come: refuse a repeated id, take its first record, rename, or keep all.

    Remembers every id, so memory grows with them, except under "keep".
    """

    def __init__(self, policy: OnDuplicate, source: str) -> None:
        self._policy, self._source = policy, source
        self._seen: set[str] = set()
        self._batches: list[tuple[list[str], Sequence[int]]] = []
        self.n_dropped = 0
        self.n_renamed = 0

    def apply(self, ids: list[str], lines: Sequence[int]) -> tuple[list[str], list[int] | None]:
        """(ids, places to keep or None for all) of the next batch; ``lines`` are 1-based.

        Raises InputError for a repeated id under "error".
        """
        if self._policy == "keep":
            return ids, None
        if len(set(ids)) == len(ids) and self._seen.isdisjoint(ids):
            self._remember(ids, lines)
            return ids, None
        result: list[str] = []
        kept: list[int] = []
        # A new name must not take the name of a record that is still to come in this batch.
        taken = self._seen.union(ids)
        fresh: set[str] = set()
        for place, name in enumerate(ids):
            if name in self._seen or name in fresh:
                if self._policy == "error":
                    raise self._duplicate(name, lines[place], ids, lines)
                if self._policy == "first":
                    self.n_dropped += 1
                    continue
                name = _new_name(name, taken)
                self.n_renamed += 1
                taken.add(name)
            fresh.add(name)
            result.append(name)
            kept.append(place)
        self._remember(result, [lines[i] for i in kept])
        return result, kept

    def _remember(self, ids: list[str], lines: Sequence[int]) -> None:
        self._seen.update(ids)
        self._batches.append((ids, lines))

    def _duplicate(self, name: str, line: int, ids: list[str], lines: Sequence[int]) -> InputError:
        first = next(n[i.index(name)] for i, n in [*self._batches, (ids, lines)] if name in i)
        return InputError(
            f"the id was used before, in line {first}; make ids unique, or use "
            "--on-duplicate first or --on-duplicate rename, or --on-duplicate keep for replicates",
            path=self._source,
            line=line,
            record=name,
        )


def _new_name(name: str, taken: set[str]) -> str:
    number = 2
    while (new := f"{name}.{number}") in taken:
        number += 1
    return new
