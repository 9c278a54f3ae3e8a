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
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from seqdesign.errors import InputError, ModelError
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import Alphabet

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from seqdesign.constraints.rules import Rules
    from seqdesign.designers.problem import Language, Latent
    from seqdesign.drawing.samples import Drawing, Source
    from seqdesign.reports.answer import Answer
    from seqdesign.reports.html import Page
    from seqdesign.sequences.encoders import TokenArray
    from seqdesign.sequences.reader import SequenceSet

REGISTRY = Registry("kind of model", "seqdesign.models")


class Rows(Protocol):
    """What a model says of sequences, as rows of a table, with the measured values beside it.

    Rows may have more: ``scope`` (`seqdesign.sequences.scope.Scope`), the sequences that the model can judge;
    with it go the column ``problem`` and ``blank()``, what stands in the place of predictions. ``task``
    (`seqdesign.tasks.task.Task`), what outcomes are that are no plain numbers, and ``classes``, their labels.
    ``trained_on(array)``, which sequences it has learned from.
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

    def measured(self, block: SequenceSet, column: str) -> Sequence[float] | NDArray[np.float64]:
        """Measured values (N,), NaN where there is none."""
        ...

    def shown(self, value: float) -> object:
        """A measured value as it is written."""
        ...

    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[tuple[dict[str, Any], Sequence[float]]]:
        """Each row, and for each outcome the prediction that is compared with what was measured."""
        ...


class Generator(Protocol):
    """A trained generator as ``maximize --generator`` sees it.

    N sequences of L letters of V; a generator has codes, or likelihoods, or both.
    """

    alphabet: Alphabet
    method: ClassVar[str]
    """The designer that makes most of it, where nobody names another."""

    @property
    def lengths(self) -> tuple[int, int, int]:
        """Letters of the shortest, a typical and the longest sequence that it writes."""
        ...

    def draw(self, num: int, rules: Rules, rng: torch.Generator) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Codes (num, d) if it has any, and preferences (num, L, V) whose largest letters are samples.

        rules: those of one start of L letters; who asks mends what breaks them.
        """
        ...

    def latent(self, starts: torch.Tensor, codes: torch.Tensor | None = None) -> Latent | None:
        """Codes for designs of starts (N, L), which come from ``codes`` (N, d) or elsewhere."""
        ...

    def language(self, starts: torch.Tensor, *, drawn: bool) -> Language | None:
        """Likelihoods for designs of starts (N, L), which are its own samples if ``drawn``."""
        ...

    def realness(self, tokens: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Percent of its own samples that it finds less real than each of (N, L)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Family:
    """What models of one kind can do. A part that is None is what they cannot do."""

    kind: str
    """As in the record of a folder."""
    made_by: str
    """The command that makes such a folder."""
    used_by: Sequence[str] = ()
    """Commands that take such a folder, with the option that names it where it is not the main one."""
    rows: Callable[[Path, torch.device], Rows] | None = None
    """The rows of ``predict``, from a folder. Raises ModelError."""
    sources: Callable[[Path, Drawing, torch.device], Iterator[Source]] | None = None
    """Samples of the model in a folder, for ``sample``. Raises UsageError, InputError and ModelError."""
    load: Callable[[Path, torch.device], Any] | None = None
    """The trained model of a folder. Raises ModelError."""
    generator: Callable[[Any, float | str | None, torch.device, str], Generator] | None = None
    """What ``load`` gave, the outcome to write for and what the model is called -> a generator for design.
    Raises UsageError."""
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

    return family_named(model_kind(folder), os.fspath(folder))


def family_named(kind: str, holder: str) -> Family:
    """The family of models of a kind, which ``holder`` has. Raises ModelError for one that is not known."""
    if kind not in REGISTRY:
        raise ModelError(
            f"{holder} holds a model of kind {kind!r}; known are {', '.join(REGISTRY.names())}; "
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
