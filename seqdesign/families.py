"""What a family of models can do, and the registry that finds one by the kind that its folders name.

A family is a folder ``seqdesign/models/KIND`` whose ``family.py`` holds ``FAMILY``, or a plug-in: an entry
point of the group ``seqdesign.models`` whose name is the kind and whose object is a `Family`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from seqdesign.errors import InputError, ModelError
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import Alphabet

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from seqdesign.drawing.samples import Drawing, Source
    from seqdesign.reports.answer import Answer
    from seqdesign.reports.html import Page
    from seqdesign.sequences.encoders import TokenArray
    from seqdesign.sequences.reader import SequenceSet

REGISTRY = Registry("kind of model", "seqdesign.models")


class Rows(Protocol):
    """What a model says of sequences, as rows of a table, with the measured values beside it.

    Rows may have more: ``scope`` (`seqdesign.sequences.scope.Scope`), the sequences that the model can judge;
    with it go the column ``problem`` and ``blank()``, what stands in the place of predictions. ``task`` and
    ``classes``, where outcomes are labels. ``trained_on(array)``, which sequences it has learned from.
    """

    alphabet: Alphabet
    max_length: int
    columns: list[str]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """K names."""
        ...

    def measured_column(self, name: str) -> str:
        """Where the measured value of an outcome goes."""
        ...

    def measured(self, block: SequenceSet, column: str) -> NDArray[np.float64]:
        """Measured values (N,), NaN where there is none."""
        ...

    def shown(self, value: float) -> object:
        """A measured value as it is written."""
        ...

    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[tuple[dict[str, Any], Sequence[float]]]:
        """Each row, and for each outcome the prediction that is compared with what was measured."""
        ...


@dataclass(frozen=True, kw_only=True)
class Family:
    """What models of one kind can do. A part that is None is what they cannot do."""

    kind: str
    """As in the record of a folder."""
    made_by: str
    """The command that makes such a folder."""
    rows: Callable[[Path, torch.device], Rows] | None = None
    """The rows of ``predict``, from a folder. Raises ModelError."""
    sources: Callable[[Path, Drawing, torch.device], Iterator[Source]] | None = None
    """Samples of the model in a folder, for ``sample``. Raises UsageError, InputError and ModelError."""
    sections: Callable[[Page, Path, Mapping[str, Any]], None] | None = None
    """What a page says of a folder, beside what the command returned as JSON. Raises InputError."""
    answer: Callable[[Path, Mapping[str, Any]], Answer] | None = None
    """How good the model in a folder is, in one screen, from the same two."""
    quality: Callable[[Mapping[str, Any]], Mapping[str, object]] | None = None
    """The same as a row of a table of models: ``measure``, ``value`` and ``beside`` (of the simplest model
    that can do it), from what the command returned."""


def family_of(folder: str | os.PathLike[str]) -> Family:
    """The family of the model in a folder.

    Raises ModelError: no model there, or one of a kind that is not known.
    """
    from seqdesign.training.store import model_kind

    kind = model_kind(folder)
    if kind not in REGISTRY:
        raise ModelError(
            f"{os.fspath(folder)} holds a model of kind {kind!r}; known are {', '.join(REGISTRY.names())}; "
            "install the package that it was made with"
        )
    if kind in REGISTRY.built_in:
        return importlib.import_module(f"seqdesign.models.{kind}.family").FAMILY
    found = REGISTRY.load(kind)
    if not isinstance(found, Family):
        raise ModelError(f"the plug-in for models of kind {kind!r} must be a seqdesign.families.Family")
    return found


def judged_rows(
    rows: Rows, array: TokenArray, block: SequenceSet
) -> Iterator[tuple[dict[str, Any], Sequence[float] | None]]:
    """A row for each sequence, with what is predicted; None where the model cannot judge it.

    Raises InputError for such a sequence where the table has no column to say so.
    """
    from seqdesign.sequences.scope import Scope

    scope: Scope = getattr(rows, "scope", None) or Scope(0, rows.max_length)
    problems = scope.objections(array)
    for i, why in problems.items():
        if "problem" not in rows.columns:
            raise InputError(why, path=block.source or None, record=block.ids[i])
    part, places = scope.judged(array, problems)
    told = iter(rows.of(part, block.take(places))) if len(part) else iter(())
    for i, name in enumerate(block.ids):
        row = dict.fromkeys(rows.columns) | {"id": name, "sequence": block.sequences[i]}
        if i in problems:
            yield row | getattr(rows, "blank", dict)() | {"problem": problems[i]}, None
        else:
            said, predicted = next(told)
            yield row | said, predicted
