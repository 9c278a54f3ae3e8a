"""Which columns of a table of somebody else are likely to be what, and the options that say so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from seqdesign.sequences.lab.variants import parse_variant
from seqdesign.sequences.numbers import CellFormat

LOOK = 50
"""Rows that are looked at."""
SURELY = 30
"""Letters of a typical cell that is no name or mutation, but a sequence."""
_NUMBERED = re.compile(r"(.*?)[\s_.-]*\d+")
_LETTER = re.compile(r"[A-Z*]|[A-Z][a-z]{2}")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def options_for(columns: Mapping[str, Sequence[str]]) -> str:
    """Options for a table without a column ``sequence``: that of the sequences or mutations, of the ids, and
    of replicates or rounds; "" where nothing looks like sequences.

    columns: name -> cells of the first rows.
    """
    head = {name: [cell.strip() for cell in cells[:LOOK] if cell.strip()] for name, cells in columns.items()}
    filled = {name: cells for name, cells in head.items() if cells}
    words = _sequences(filled)
    if not words:
        return ""
    others = [name for name, mean in _letters(filled).items() if mean >= SURELY and name not in words]
    used = {*words, *words[-1].split(","), *others}
    ids = next((n for n, c in filled.items() if n not in used and _distinct(c) and not _numeric(c)), None)
    if ids is not None:
        words += ["--id", ids]
    if rounds := rounds_in(filled):
        for names in rounds:
            words += ["--counts", ",".join(names)]
    elif several := replicates_in(filled):
        words += ["--replicates", ",".join(several)]
    if not others:
        return shlex.join(words)
    chains = [name for name in filled if name in (words[1], *others)]
    joined = "" if any("," in name for name in chains) else f", or {shlex.quote(','.join(chains))}, joined"
    return f"{shlex.join(words)} (or {', '.join(map(shlex.quote, others))}{joined})"


def _letters(filled: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Columns of letters only, most cells differing, and the mean length of their cells."""
    return {
        name: sum(map(len, cells)) / len(cells)
        for name, cells in filled.items()
        if all(cell.replace("-", "").replace("*", "").replace(" ", "").isalpha() for cell in cells)
        and len(set(cells)) * 2 > len(cells)
    }


def _sequences(filled: Mapping[str, Sequence[str]]) -> list[str]:
    letters = _letters(filled)
    longest = max(letters, key=lambda name: letters[name], default=None)
    if (longest is None or letters[longest] < SURELY) and (name := mutations_in(filled)):
        return ["--wild-type", "FILE", "--mutations", name]
    return [] if longest is None else ["--sequence", longest]


def mutations_in(columns: Mapping[str, Sequence[str]]) -> str:
    """The column of mutations, or three that make them together, as ``wt,pos,mut``; "" for none."""
    head = {name: [cell.strip() for cell in cells[:LOOK] if cell.strip()] for name, cells in columns.items()}
    for name, cells in head.items():
        if cells and sum(bool(parse_variant(cell)) for cell in cells) * 2 > len(cells):
            return name
    places = [name for name, cells in head.items() if cells and all(map(str.isdigit, cells))]
    letters = [name for name, cells in head.items() if cells and all(map(_LETTER.fullmatch, cells))]
    if places and len(letters) > 1 and not any("," in name for name in (letters[0], places[0], letters[1])):
        return f"{letters[0]},{places[0]},{letters[1]}"
    return ""


def outcomes_in(columns: Mapping[str, Sequence[str]]) -> str:
    """Options that name a column of numbers as the outcome, of the first three; "" where there is none.

    columns: name -> cells of the first rows.
    """
    head = {name: [cell.strip() for cell in cells[:LOOK] if cell.strip()] for name, cells in columns.items()}
    numeric = [name for name, cells in head.items() if not name.startswith("\0") and _numeric(cells)]
    return " or ".join(f"--outcome {shlex.quote(name)}" for name in numeric[:3])


def replicates_in(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Columns of numbers with one name and a number each, such as ``rep1`` and ``rep2``; never one alone."""
    return next(iter(_series(columns)), [])


def rounds_in(columns: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Columns of reads by round of selection, such as ``A_R0`` and ``A_R1``, of each replicate.

    They hold whole numbers and are numbered from 0 on, as replicates are not.
    """
    whole = {name: cells for name, cells in columns.items() if all(map(str.isdigit, cells))}
    return [names for names in _series(whole) if re.search(r"\D0+$", names[0])]


def _series(columns: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Columns of numbers that share a name before a number, two or more each."""
    stems: dict[str, list[str]] = {}
    for name, cells in columns.items():
        found = _NUMBERED.fullmatch(name)
        if found and found[1] and "," not in name and _numeric(cells):
            stems.setdefault(found[1], []).append(name)
    return [names for names in stems.values() if len(names) > 1]


def _numeric(cells: Sequence[str]) -> bool:
    known = [cell for cell in cells if not CellFormat().is_missing(cell)]
    return bool(known) and sum(_NUMBER.fullmatch(cell) is not None for cell in known) * 2 >= len(known)


def _distinct(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells) > 1
