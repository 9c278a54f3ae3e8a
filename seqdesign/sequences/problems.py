"""All that stands in the way of reading a file of sequences, at once, with the options that would read it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seqdesign.sequences.alphabets import Alphabet, get_alphabet
from seqdesign.sequences.layout import Layout
from seqdesign.sequences.numbers import CellFormat, Tally
from seqdesign.sequences.reader import Format, stream_sequences
from seqdesign.sequences.survey import Survey

GAPS = "-."
LIMITS = "<>≤≥= "
SHOWN = 5
"""Cells that are named by ``--missing``."""


@dataclass(frozen=True)
class Problem:
    """What is wrong, in words, and the words to type about it, an option and its value, "" for one without
    (none: the file has to be mended).
    """

    said: str
    words: tuple[str, ...] = ()


def problems_of(
    survey: Survey, alphabet: Alphabet | None, *, readable: bool = False, limits: bool = False
) -> Iterator[Problem]:
    """The problems that a survey of a whole file has met; readable: odd outcomes are none. limits: nor are
    limits such as <0.1 once other cells are in order.
    """
    ids, _, _ = survey.duplicates()
    if ids:
        measured = survey.tally is not None and survey.tally.kind != "nothing"
        same = survey.same_records() == ids
        policy = "rename" if not same else "keep" if measured else "first"
        yield Problem(f"{_times(ids, 'id')} used before", ("--on-duplicate", policy))
    for unknown in survey.unknown_letters(alphabet) if alphabet is not None else ():
        line = f", line {unknown.line}" if unknown.line else ""
        place = f"first in record '{unknown.record}'{line}"
        remedy = _remedy(unknown.letter, alphabet)
        yield Problem(f"letter '{unknown.letter}' {_times(unknown.count, 'time')}, {place}", remedy)
    if alphabet is None and {one.letter.upper() for one in survey.unknown_letters(get_alphabet("dna"))} == {
        "U"
    }:
        yield Problem("there are both T and U", ("--alphabet", "dna", "--convert-ut", ""))
    tally = survey.tally
    if tally is None or tally.kind == "nothing":
        return
    if tally.kind == "mixed" and not readable:
        comma = replace(tally.cells, decimal_comma=tally.cells.decimal_comma or tally.commas > 0)
        strange = [cell for _, _, cell in tally.strange if comma.number(cell) is None]
        strange = [cell for cell in strange if not limits or comma.number(cell.lstrip(LIMITS)) is None]
        most = tally.num_strange - tally.commas > tally.numbers + tally.commas
        others = [] if most else strange  # to leave most rows out is no remedy
        words: tuple[str, ...] = ("--decimal-comma", "") if tally.commas else ()
        words += tuple(w for cell in dict.fromkeys(others[:SHOWN]) for w in ("--missing", cell))
        words += ("--on-missing", "drop") if others else ()
        if words or strange:
            yield Problem(f"'{tally.name}': {tally.says()}", words)
    if tally.missing:
        yield Problem(f"{_times(tally.missing, 'record')} without '{tally.name}'", ("--on-missing", "drop"))


def _remedy(letter: str, alphabet: Alphabet | None) -> tuple[str, str]:
    """The option, and its value, with which a file is read that has such a letter."""
    if alphabet is not None and (letter.upper(), alphabet.name) in (("U", "dna"), ("T", "rna")):
        return "--convert-ut", ""
    return ("--gaps", "strip") if letter in GAPS else ("--on-unknown", "skip")


def survey_file(
    path: Path,
    *,
    sequence: str | None = None,
    outcome: str = "outcome",
    id_column: str | None = None,
    format: Format | None = None,
    cells: CellFormat | None = None,
    layout: Layout | None = None,
) -> Survey:
    """Counts over a whole file; the parameters are those of ``stream_sequences``. Raises InputError."""
    survey = Survey(tally=Tally(outcome, cells or CellFormat()))
    for batch in stream_sequences(
        path, sequence_column=sequence, columns=(outcome,), lacking_columns="leave out", id_column=id_column,
        format=format, allow_empty=True, cells=cells, layout=layout,
    ):  # fmt: skip
        survey.add(batch)
    return survey


def words_of(problems: Iterable[Problem], known: Sequence[str] | None = None) -> str:
    """What to type about all of them, each option once; only options that are ``known``."""
    pairs: dict[tuple[str, str], None] = {}
    for problem in problems:
        for option, value in zip(problem.words[::2], problem.words[1::2], strict=True):
            if known is None or option in known:
                pairs[option, value] = None
    return " ".join(f"{option} {shlex.quote(value)}" if value else option for option, value in pairs)


def _times(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
