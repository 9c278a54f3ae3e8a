"""What a logo can be drawn of: sequences, motifs, or a matrix of numbers, told apart by content."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqdesign.errors import InputError, UnknownLetterError, UsageError
from seqdesign.motifs.files import HEAD, JASPAR, bundled_motifs, parse_matrices
from seqdesign.motifs.formats.recognise import recognise
from seqdesign.motifs.matrix import FloatArray, Matrix, with_letters
from seqdesign.motifs.motif import Motif
from seqdesign.reports.logo_matrix import LetterCounts, count_letters, count_weighted
from seqdesign.sequences.alphabets import ALPHABETS, GAPS, Alphabet, get_alphabet, guess_alphabet
from seqdesign.sequences.bundled import resolve_input
from seqdesign.sequences.compression import open_input, source_name
from seqdesign.sequences.layout import Layout
from seqdesign.sequences.options import AUTO
from seqdesign.sequences.reader import Format, SequenceSet, read_sequences

Height = Literal["auto", "information", "probability", "counts", "weight", "enrichment"]
"""What the height of a letter is; see ``seqdesign logo --kind``."""

_PASSED_OVER = "X?*~"
"""Letters beside those of ambiguity that stand for none in particular."""


@dataclass(frozen=True, eq=False)
class Drawable:
    """One thing to draw a logo of, over V letters: ``counted`` letters, or ``heights`` as they are."""

    name: str
    letters: str
    counted: LetterCounts | None = None
    heights: FloatArray | None = None
    """(L, V), below zero too."""
    aligned: bool = False
    """Whether it comes from sequences, so that what is missing of a stack are gaps."""
    notes: tuple[str, ...] = ()
    """What is to be known about how it was read."""

    @property
    def counts(self) -> LetterCounts:
        """The counted letters. Raises UsageError for values."""
        if self.counted is None:
            raise UsageError(f"{self.name} holds negative numbers, which only --kind weight can draw")
        return self.counted

    @property
    def shares(self) -> bool:
        """Whether only shares are known, and not how many sequences there were."""
        return self.counted is not None and self.counted.used <= 1 + 1e-6 and not self._whole

    @property
    def _whole(self) -> bool:
        """Whether it is one sequence."""
        return self.counted is not None and self.counted.used == 1 and self.aligned

    @property
    def consensus(self) -> str:
        """The most frequent, probable or highest letter of each position; of attributions, the one there."""
        if self.heights is None:
            matrix = self.counts.counts
        elif np.all((self.heights != 0).sum(axis=1) <= 1):  # a sequence's letters, each with its attribution
            matrix = np.abs(self.heights)
        else:
            matrix = self.heights
        return "".join(self.letters[i] for i in matrix.argmax(axis=1))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the files of a logo are read."""

    kind: Height = "auto"
    alphabet: str = AUTO
    convert_ut: bool = False
    sequence_column: str | None = None
    id_column: str | None = None
    format: Format | None = None
    layout: Layout | None = None
    weights: str | None = None
    """Column that says how often a sequence counts."""
    motifs: tuple[str, ...] = ()
    """Ids or names to choose among motifs."""
    max_motifs: int = 20

    @property
    def letters(self) -> str | None:
        """Of the alphabet that is named, if one is."""
        return None if self.alphabet == AUTO else get_alphabet(self.alphabet).letters


def read_drawables(path: str | os.PathLike[str], reading: Reading) -> list[Drawable]:
    """Everything in a file that a logo can be drawn of.

    Raises InputError for a file that cannot be read or holds letters that would be left out, UsageError for
    options that do not fit what is in it.
    """
    if os.fspath(path) == JASPAR:
        return _chosen([from_motif(m) for m in bundled_motifs().motifs], JASPAR, reading)
    resolved = resolve_input(path)
    source = source_name(resolved)
    named = reading.sequence_column or reading.weights or reading.format
    with open_input(resolved) as handle:
        head = handle.peek(HEAD)[:HEAD]
        kind = None if named else recognise(head, source, reading.letters or "")
        data = handle.read() if kind is not None or resolved == "-" else b""
    if kind is None:
        if reading.motifs:
            raise UsageError(f"{source} holds sequences, not motifs; leave it out", option="--motif")
        return [_read_sequences(resolved if not data else io.BytesIO(data), source, reading)]
    if reading.id_column is not None:
        raise UsageError(f"{source} holds a matrix, not a table of sequences; leave it out", option="--id")
    matrices = parse_matrices(data, kind, source, reading.letters)
    if reading.letters is not None:
        matrices = [with_letters(m, reading.letters, convert_ut=reading.convert_ut) for m in matrices]
    elif reading.convert_ut:
        raise UsageError(f"{source} holds a matrix; name its --alphabet as well", option="--convert-ut")
    return _chosen([from_matrix(m, reading.kind) for m in matrices], source, reading)


def _chosen(found: Sequence[Drawable], source: str, reading: Reading) -> list[Drawable]:
    """Those that are named, and not too many."""
    wanted = set(reading.motifs)
    keys = [{one.name, *one.name.split(" ", 1)} for one in found]
    chosen = [one for one, key in zip(found, keys, strict=True) if not wanted or wanted & key]
    missing = wanted.difference(*keys)
    if missing:
        raise UsageError(f"there is no motif {', '.join(sorted(missing))} in {source}", option="--motif")
    if len(chosen) > reading.max_motifs:
        raise UsageError(
            f"{source} holds {len(chosen)} motifs; name some, or raise --max-motifs above "
            f"{reading.max_motifs}",
            option="--motif",
        )
    return chosen


def from_matrix(matrix: Matrix, kind: Height = "auto") -> Drawable:
    """A matrix as counts, as shares, or as it is.

    What its numbers are goes by themselves (``matrix.quantity_of``). ``kind`` weight draws a table or array
    as it is; the other kinds take numbers of no common total as counts, if none is negative.
    """
    values, what, letters = matrix.values, matrix.quantity, matrix.letters
    notes = [matrix.note] if matrix.note else []
    negative = bool(np.any(values < 0))
    as_it_is = what == "weights" and (kind in ("auto", "weight") or negative)
    if as_it_is or (kind == "weight" and not matrix.counted):
        if not negative and kind == "auto":
            notes.append("drawn as it is, as weights; --kind information takes its numbers as counts")
        elif kind == "auto" and not notes:
            notes.append("drawn as it is, as weights")
        return Drawable(matrix.label, letters, heights=values, notes=_said(matrix, notes))
    if what == "weights":
        notes.append("its numbers are taken as counts")
    if what == "percentages":
        notes.append("its numbers are percentages")
        values = values / 100.0
    if what in ("probabilities", "percentages"):
        values, used = values * (matrix.sites or 1.0), matrix.sites or 0.0
    else:
        used = float(values.sum(axis=1).max())
    empty = np.flatnonzero(values.sum(axis=1) == 0) + 1
    if empty.size:
        notes.append(f"no letter at position {', '.join(map(str, empty[:10]))}")
    counted = LetterCounts(values, letters, used, used)
    return Drawable(matrix.label, letters, counted=counted, notes=_said(matrix, notes))


def _said(matrix: Matrix, notes: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{matrix.label}: {note}" for note in notes)


def from_motif(motif: Motif) -> Drawable:
    """A motif, as the letters of its sites."""
    counts = LetterCounts(motif.probabilities * motif.sites, motif.letters, motif.sites, motif.sites)
    return Drawable(motif.label, motif.letters, counted=counts)


def _read_sequences(stream: str | io.BytesIO, source: str, reading: Reading) -> Drawable:
    records = read_sequences(
        stream,
        sequence_column=reading.sequence_column,
        id_column=reading.id_column,
        format=reading.format,
        layout=reading.layout,
        weight_column=reading.weights,
        on_duplicate="keep",
        on_missing="unlabelled",
    )
    name = os.path.basename(source).partition(".")[0] or source
    return from_sequences(records, name, alphabet=reading.alphabet, convert_ut=reading.convert_ut)


def from_sequences(
    records: SequenceSet, name: str, *, alphabet: str = AUTO, convert_ut: bool = False
) -> Drawable:
    """Aligned sequences of one length, counted; with weights, each as often as its weight says.

    Gaps are not counted. Letters of ambiguity, and those that stand for none, are left out and named in the
    notes. Raises UnknownLetterError for any other letter outside the alphabet, InputError for other lengths
    and for weights below zero.
    """
    known = guess_alphabet(records.sequences) if alphabet == AUTO else get_alphabet(alphabet)
    texts = records.sequences if known.case_sensitive else [s.upper() for s in records.sequences]
    if convert_ut and known.name in ("dna", "rna"):
        old, new = ("U", "T") if known.name == "dna" else ("T", "U")
        texts = [text.replace(old, new) for text in texts]
    _refuse_lengths(records, texts)
    notes = [f"{name}: {note}" for note in _left_out(records, texts, known)]
    if records.weights is None:
        return Drawable(name, known.letters, count_letters(texts, known.letters), None, True, tuple(notes))
    if np.isnan(records.weights).any() or (records.weights < 0).any() or not records.weights.sum():
        raise InputError("the weights must be numbers of at least 0, and not all 0", path=records.source)
    counted = count_weighted(texts, records.weights, known.letters)
    return Drawable(name, known.letters, counted, None, True, tuple(notes))


def _refuse_lengths(records: SequenceSet, texts: Sequence[str]) -> None:
    width = len(texts[0])
    for i, text in enumerate(texts):
        if len(text) != width:
            raise InputError(
                f"has {len(text)} letters, the first record has {width}; a logo needs aligned sequences of "
                "one length",
                path=records.source or None,
                line=None if records.lines is None else int(records.lines[i]) or None,
                record=records.ids[i],
            )


def _left_out(records: SequenceSet, texts: Sequence[str], alphabet: Alphabet) -> list[str]:
    """A sentence about the letters that are not drawn. Raises UnknownLetterError for those that should be."""
    odd = set().union(*map(set, texts)) - set(alphabet.letters)
    gaps = {letter for letter in odd if letter in GAPS}
    allowed = set(alphabet.ambiguity) | set(_PASSED_OVER if alphabet.name in ALPHABETS else "")
    for i, text in enumerate(texts if odd - gaps - allowed else ()):
        place = next((j for j, letter in enumerate(text) if letter in odd - gaps - allowed), None)
        if place is not None:
            raise UnknownLetterError(
                f"letter {text[place]!r} at position {place + 1} is not in the alphabet {alphabet.name} "
                f"({alphabet.letters}); {_advice(text, text[place], alphabet)}",
                letter=text[place],
                position=place + 1,
                path=records.source or None,
                line=None if records.lines is None else int(records.lines[i]) or None,
                record=records.ids[i],
            )
    counts = {letter: sum(text.count(letter) for text in texts) for letter in sorted(odd - gaps)}
    if not counts:
        return []
    listed = ", ".join(f"{letter} {count:,} times" for letter, count in counts.items())
    return [f"letters outside the alphabet {alphabet.name} are left out: {listed}"]


def _advice(text: str, letter: str, alphabet: Alphabet) -> str:
    if (alphabet.name, letter.upper()) in (("dna", "U"), ("rna", "T")):
        other = "rna" if alphabet.name == "dna" else "dna"
        return f"add --convert-ut, or name the alphabet with --alphabet {other}"
    try:
        likely = guess_alphabet([text])
    except InputError:
        likely = alphabet
    if likely != alphabet and alphabet.name in ALPHABETS and letter in likely.letters:
        return f"it looks like {likely.name}; name it with --alphabet {likely.name}"
    return "correct it, or name all letters with --alphabet letters:ABC..."
