"""Logos as one figure: from things to draw to a picture, for the command line and for Python."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdesign.errors import InputError, OutputError, UsageError
from seqdesign.motifs.formats.arrays import from_array
from seqdesign.motifs.matrix import FloatArray, Matrix, in_order
from seqdesign.motifs.motif import Motif
from seqdesign.reports.drawable import (
    Drawable,
    Height,
    Reading,
    from_matrix,
    from_motif,
    from_sequences,
    read_drawables,
)
from seqdesign.reports.logo import draw_logos
from seqdesign.reports.logo_spec import COLUMNS, LogoSpec, difference_spec, sequence_spec, value_spec
from seqdesign.reports.svg import standalone
from seqdesign.sequences.options import AUTO
from seqdesign.sequences.reader import SequenceSet

if TYPE_CHECKING:
    from pandas import DataFrame

FORMATS = (".svg", ".png", ".pdf")
"""Suffixes of pictures."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How logos are drawn; the options of ``seqdesign logo`` have the same names."""

    kind: Height = "auto"
    background: str = "uniform"
    small_sample: bool = True
    scale_gaps: bool = True
    title: str | None = None
    first_position: int = 1
    skip_zero: bool = False
    first: int | None = None
    """First position to draw, as numbered."""
    last: int | None = None
    wrap: int = COLUMNS
    """Positions in a row."""


@dataclass(frozen=True, eq=False)
class Logo:
    """One or more logos in one figure. In a notebook it shows itself."""

    specs: tuple[LogoSpec, ...]
    kind: str
    letters: str
    consensus: tuple[str, ...]
    changed: tuple[int, ...] = ()
    """Positions that differ between before and after, as numbered."""
    notes: tuple[str, ...] = ()
    """How what was drawn was read, where that is not plain."""

    @property
    def positions(self) -> int:
        """Positions of the longest."""
        return max(len(spec.heights) for spec in self.specs)

    def svg(self) -> str:
        """The figure as the content of an SVG file."""
        return standalone(draw_logos(self.specs))

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write SVG, PNG or PDF by suffix, at once or not at all. Raises OutputError."""
        write_logos(self.specs, path)
        return Path(path)

    def _repr_svg_(self) -> str:
        return self.svg().partition("\n")[2]


def write_logos(specs: Sequence[LogoSpec], path: str | os.PathLike[str]) -> None:
    """Write logos, one below the other, as SVG, PNG or PDF by suffix. Raises OutputError."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(f"{os.fspath(path)}: a logo must end in {', '.join(FORMATS)}, got '{suffix}'")
    if suffix == ".svg":
        from seqdesign.runs.atomic import atomic_write

        with atomic_write(Path(path)) as handle:
            handle.write(standalone(draw_logos(specs)).encode("utf-8", "backslashreplace"))
    else:
        from seqdesign.reports.logo_image import write_image

        write_image(specs, path, suffix.lstrip("."))


def logo(
    what: Sequence[str] | SequenceSet | DataFrame | FloatArray | Motif | Sequence[Motif] | str | Path,
    *,
    alphabet: str = AUTO,
    weights: Sequence[float] | None = None,
    kind: Height = "auto",
    background: str = "uniform",
    small_sample: bool = True,
    scale_gaps: bool = True,
    title: str | None = None,
    first_position: int = 1,
    skip_zero: bool = False,
    from_: int | None = None,
    to: int | None = None,
    wrap: int = COLUMNS,
    convert_ut: bool = False,
) -> Logo:
    """A sequence logo, to look at in a notebook or to ``write``.

    Args:
        what: aligned sequences, as strings or records; a DataFrame of positions by letters; an array (L, V)
            or (V, L); a motif or several; or the path of any file that ``seqdesign logo`` reads.
        alphabet: dna, rna, protein, letters:ABC..., or auto: by the letters.
        weights: how often each sequence counts, (N,).
        kind: height of the letters: information (bits), probability, counts, weight (log2 odds) or
            enrichment; auto is information, and weight for a matrix of weights.
        background: expected letters for information and weight: uniform, input, or such as A=0.3,C=0.2,...
        small_sample: correct the information for the number of sequences (Schneider et al. 1986).
        scale_gaps: lower a stack by the share of sequences with a gap there.
        title: above the logo.
        first_position: number of the first position.
        skip_zero: number positions -2, -1, 1, 2, as at splice sites and transcription starts.
        from_: first position that is drawn.
        to: last position that is drawn.
        wrap: positions in a row.
        convert_ut: read U as T for DNA, T as U for RNA.

    Returns:
        A Logo, which a notebook shows and ``write`` saves as SVG, PNG or PDF.

    Raises:
        InputError: what cannot be drawn.
        UsageError: arguments that do not fit.

    Example:
        >>> logo(["TATAAT", "TATGAT"]).write("sites.svg")
    """
    style = Style(
        kind=kind, background=background, small_sample=small_sample, scale_gaps=scale_gaps, title=title,
        first_position=first_position, skip_zero=skip_zero, first=from_, last=to, wrap=wrap,
    )  # fmt: skip
    reading = Reading(kind=kind, alphabet=alphabet, convert_ut=convert_ut)
    return draw(_things(what, reading, weights), style)


def _things(what: Any, reading: Reading, weights: Sequence[float] | None) -> list[Drawable]:
    """The things to draw in a Python object."""
    if isinstance(what, str | os.PathLike):
        return read_drawables(what, reading)
    if isinstance(what, Motif):
        return [from_motif(what)]
    if isinstance(what, np.ndarray) and what.dtype.kind in "iufb":
        return [from_matrix(from_array(what, "matrix", None, reading.letters), reading.kind)]
    if hasattr(what, "columns") and hasattr(what, "to_numpy"):
        return [from_matrix(_of_frame(what), reading.kind)]
    items = what if isinstance(what, SequenceSet) else list(what)
    if not len(items):
        raise InputError("a logo needs at least one sequence, got none")
    if isinstance(items, list) and all(isinstance(item, Motif) for item in items):
        return [from_motif(item) for item in items]
    if isinstance(items, list):
        if not all(isinstance(item, str) and item for item in items):
            raise InputError(f"sequences must be strings of at least one letter, got {items[0]!r}")
        items = SequenceSet([f"seq{i + 1}" for i in range(len(items))], items)
    if weights is not None:
        items = replace(items, weights=np.asarray(weights, dtype=np.float64))
    return [from_sequences(items, "sequences", alphabet=reading.alphabet, convert_ut=reading.convert_ut)]


def _of_frame(frame: Any) -> Matrix:
    """A DataFrame with a column, or a row, for each letter."""
    names = [str(name) for name in frame.columns]
    rows = [str(name) for name in frame.index]
    values = frame.to_numpy()
    if not all(len(name) == 1 and not name.isdigit() for name in names):
        names, rows, values = rows, names, values.T
    if len(names) < 2 or not all(len(name) == 1 and not name.isdigit() for name in names):
        raise InputError(f"the columns must be letters, got {', '.join(map(str, frame.columns))}")
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"the table must hold numbers only ({error})") from None
    if not numbers.size or not np.isfinite(numbers).all():
        raise InputError("the table must hold finite numbers, at least one position")
    return Matrix("matrix", "", *in_order(names, numbers))


def draw(drawn: Sequence[Drawable], style: Style) -> Logo:
    """A logo of each thing, one below the other. Raises InputError and UsageError."""
    specs = [
        replace(_spec(thing, style, style.title or thing.name), skip_zero=style.skip_zero) for thing in drawn
    ]
    return _finished(drawn, specs, style)


def draw_pair(before: Drawable, after: Drawable, style: Style) -> Logo:
    """Both logos on one axis, their ratio for the kind enrichment, and marks where their letters differ.

    Raises InputError for different letters or lengths.
    """
    a, b = before.consensus, after.consensus
    if before.letters != after.letters or len(a) != len(b):
        raise InputError(
            f"before and after must have the same letters and positions, got {len(a)} over {before.letters} "
            f"and {len(b)} over {after.letters}"
        )
    marks = frozenset(i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y)
    title = f"{style.title}: " if style.title else ""
    specs = [_spec(before, style, f"{title}before"), _spec(after, style, f"{title}after")]
    # The same axis on both, so that they can be compared.
    low, high = (pick(spec.limits[i] for spec in specs) for i, pick in enumerate((min, max)))
    specs = [replace(spec, limits=(low, high)) for spec in specs]
    if style.kind == "enrichment":
        specs.append(
            difference_spec(
                before.counts,
                after.counts,
                letters=before.letters,
                kind="log-odds",
                title=f"{title}after over before",
                first_position=style.first_position,
                columns_per_row=style.wrap,
            )
        )
    specs = [replace(spec, marks=marks, skip_zero=style.skip_zero) for spec in specs]
    return _finished([before, after], specs, style)


def _finished(drawn: Sequence[Drawable], specs: Sequence[LogoSpec], style: Style) -> Logo:
    try:
        offsets = [0 if style.first is None else spec.column(style.first) for spec in specs]
        specs = [_cut(spec, style) for spec in specs]
    except ValueError as error:
        raise UsageError(f"{error}", option="--from, --to") from None
    as_it_is = any(thing.heights is not None for thing in drawn)
    return Logo(
        specs=tuple(specs),
        kind=style.kind if style.kind != "auto" else "weight" if as_it_is else "information",
        letters=drawn[0].letters,
        consensus=tuple(
            thing.consensus[offset : offset + len(spec.heights)]
            for thing, spec, offset in zip(drawn, specs, offsets, strict=False)
        ),
        changed=tuple(specs[0].number(column) for column in sorted(specs[0].marks)),
        notes=tuple(dict.fromkeys(note for thing in drawn for note in thing.notes)),
    )


def _cut(spec: LogoSpec, style: Style) -> LogoSpec:
    if style.first is None and style.last is None:
        return spec
    end = spec.number(len(spec.heights) - 1)
    return spec.cut(
        spec.first_position if style.first is None else style.first,
        end if style.last is None else style.last,
    )


def _spec(thing: Drawable, style: Style, title: str) -> LogoSpec:
    numbering: Mapping[str, int] = {
        "first_position": style.first_position,
        "columns_per_row": style.wrap,
    }
    kind = style.kind
    if thing.heights is not None and kind in ("auto", "weight"):
        return value_spec(thing.heights, letters=thing.letters, unit="weight", title=title, **numbering)
    if kind == "enrichment":  # the logos beside it show what is compared
        kind = "probability"
    counted = thing.counts
    if kind == "counts" and thing.shares:
        raise UsageError(f"{thing.name} holds probabilities, not counts", option="--kind")
    try:
        return sequence_spec(
            counted,
            letters=thing.letters,
            kind="information" if kind == "auto" else kind,
            small_sample=style.small_sample and not thing.shares,
            background=_background(thing, style.background),
            scale_gaps=style.scale_gaps and thing.aligned and kind != "counts",
            title=title,
            **numbering,
        )
    except ValueError as error:
        raise InputError(f"{thing.name}: {error}") from None


def _background(thing: Drawable, background: str) -> FloatArray | None:
    """(V,) expected frequencies; None for uniform. Raises UsageError."""
    if background == "uniform":
        return None
    if background == "input":
        counts = thing.counts.counts.sum(axis=0) + 1.0
        return np.asarray(counts / counts.sum())
    try:
        given = {k.strip(): float(v) for k, v in (p.split("=") for p in background.split(","))}
    except ValueError:
        given = {}
    values = [given.get(letter, 0.0) for letter in thing.letters]
    known = set(given) == set(thing.letters)
    if not known or min(values) <= 0 or not all(map(np.isfinite, values)):
        raise UsageError(
            f"must be uniform, input, or a number above 0 for each of {thing.letters}, such as A=0.3,..., "
            f"got {background!r}",
            option="--background",
        )
    array = np.array(values)
    return np.asarray(array / array.sum())
