"""What ``seqdesign logo`` can draw: sequences, motifs, or a matrix of numbers, told apart by content."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import get_alphabet, guess_alphabet
from seqdesign.sequences.bundled import resolve_input
from seqdesign.sequences.compression import open_input, source_name
from seqdesign.sequences.options import AUTO, file_format
from seqdesign.sequences.reader import read_sequences
from seqdesign.sequences.tables import TableBatch, read_table

if TYPE_CHECKING:
    from seqdesign.commands.logo import LogoConfig

FloatArray = NDArray[np.float64]

_NPY = b"\x93NUMPY"
_HEAD = 4096
_POSITIONS = ("pos", "position", "i")
_MAX_CELLS = 5_000_000


@dataclass(frozen=True, eq=False)
class Drawable:
    """One thing to draw a logo of, over V letters.

    Either ``sequences``, all of one length, or ``counts`` (L, V), or ``values`` (L, V) that are heights as
    they are.
    """

    name: str
    letters: str
    sequences: Sequence[str] | None = None
    counts: FloatArray | None = None
    values: FloatArray | None = None

    @property
    def source(self) -> Sequence[str] | FloatArray:
        """Sequences or counts, for ``sequence_spec``. Raises UsageError for values."""
        found = self.sequences if self.sequences is not None else self.counts
        if found is None:
            raise UsageError(f"{self.name} holds weights, which only --kind weight can draw")
        return found

    @property
    def consensus(self) -> str:
        """The most frequent, probable or highest letter of each position; of attributions, the one there."""
        from seqdesign.reports.logo_spec import counted_letters

        if self.values is None:
            matrix = counted_letters(self.source, self.letters).counts
        elif np.all((self.values != 0).sum(axis=1) <= 1):  # a sequence's letters, each with its attribution
            matrix = np.abs(self.values)
        else:
            matrix = self.values
        return "".join(self.letters[i] for i in matrix.argmax(axis=1))


def read_drawables(config: LogoConfig, path: str | os.PathLike[str]) -> list[Drawable]:
    """Everything in a file that a logo can be drawn of. Raises InputError and UsageError."""
    from seqdesign.motifs.files import is_motif_file

    resolved = resolve_input(path)
    source = source_name(resolved)
    with open_input(resolved) as handle:
        head = handle.peek(_HEAD)[:_HEAD]
        if head.startswith(_NPY):
            return [_from_array(config, handle.read(), source)]
        data = io.BytesIO(handle.read()) if resolved == "-" else None
    stream = resolved if data is None else data
    if is_motif_file(head):
        if data is not None:
            raise UsageError("a motif file cannot be read from stdin; name the file", option="INPUT")
        return _from_motifs(config, resolved)
    columns = _matrix_columns(head)
    if columns:
        return [_from_table(config, stream, columns, source)]
    return [_from_sequences(config, stream, source)]


def _name(source: str) -> str:
    """The file's name without its suffixes."""
    return os.path.basename(source).partition(".")[0] or source


def _from_sequences(config: LogoConfig, stream: str | io.BytesIO, source: str) -> Drawable:
    records = read_sequences(
        stream,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        weight_column=config.weights,
        on_duplicate="keep",
        outcomes=False,
    )
    guessed = config.alphabet == AUTO
    alphabet = guess_alphabet(records.sequences) if guessed else get_alphabet(config.alphabet)
    texts = records.sequences if alphabet.case_sensitive else [s.upper() for s in records.sequences]
    if config.convert_ut and alphabet.name in ("dna", "rna"):
        old, new = ("U", "T") if alphabet.name == "dna" else ("T", "U")
        texts = [text.replace(old, new) for text in texts]
    width = len(texts[0])
    for i, text in enumerate(texts):
        if len(text) != width:
            raise InputError(
                f"has {len(text)} letters, the first record has {width}; a logo needs aligned sequences of "
                "one length",
                path=records.source,
                line=None if records.lines is None else int(records.lines[i]) or None,
                record=records.ids[i],
            )
    name = _name(source)
    if records.weights is None:
        return Drawable(name, alphabet.letters, sequences=texts)
    if np.isnan(records.weights).any() or (records.weights < 0).any():
        raise InputError(f"'{config.weights}' must be numbers of at least 0", path=records.source)
    codes = np.array([list(text.encode("latin-1", "replace")) for text in texts])
    counts = np.stack([records.weights @ (codes == ord(letter)) for letter in alphabet.letters], axis=1)
    return Drawable(name, alphabet.letters, counts=counts)


def _from_motifs(config: LogoConfig, path: str) -> list[Drawable]:
    from seqdesign.motifs.files import read_motifs

    collection = read_motifs(path)
    wanted = set(config.motif)
    chosen = [m for m in collection.motifs if not wanted or wanted & {m.id, m.name}]
    missing = wanted - {key for m in chosen for key in (m.id, m.name)}
    if missing:
        raise UsageError(f"there is no motif {', '.join(sorted(missing))} in {path}", option="--motif")
    if len(chosen) > config.max_motifs:
        raise UsageError(
            f"{path} holds {len(chosen)} motifs; name some, or raise --max-motifs above {config.max_motifs}",
            option="--motif",
        )
    return [Drawable(m.label, m.letters, counts=m.probabilities * m.sites) for m in chosen]


def _matrix_columns(head: bytes) -> list[str]:
    """The letters that head the columns of a CSV or TSV matrix; empty if it is none."""
    first = head.decode("utf-8-sig", errors="replace").partition("\n")[0].strip()
    names = [name.strip().strip('"') for name in first.split("\t" if "\t" in first else ",")]
    letters = [name for name in names if name.lower() not in (*_POSITIONS, "")]
    single = len(letters) >= 2 and all(len(name) == 1 and name != ">" for name in letters)
    return letters if single and len(set(letters)) == len(letters) else []


def _from_table(
    config: LogoConfig, stream: str | io.BytesIO, letters: Sequence[str], source: str
) -> Drawable:
    batches = list(read_table(stream, columns=letters))
    rows = [_numbers(batch, letters, source) for batch in batches]
    if not rows:
        raise InputError("no position; the table has a header only", path=source)
    return _from_matrix(config, np.concatenate(rows), "".join(letters), source)


def _numbers(batch: TableBatch, letters: Sequence[str], source: str) -> FloatArray:
    matrix = np.empty((len(batch.lines), len(letters)))
    for j, letter in enumerate(letters):
        for i, cell in enumerate(batch.columns[letter]):
            try:
                matrix[i, j] = float(cell)
            except ValueError:
                raise InputError(
                    f"column '{letter}' must be a number, got {cell!r}", path=source, line=batch.lines[i]
                ) from None
            if not np.isfinite(matrix[i, j]):
                raise InputError(
                    f"column '{letter}' must be finite, got {cell!r}", path=source, line=batch.lines[i]
                )
    return matrix


def _from_array(config: LogoConfig, data: bytes, source: str) -> Drawable:
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"is no usable npy file ({error})", path=source) from None
    if array.ndim != 2 or array.dtype.kind not in "iufb" or not 0 < array.size <= _MAX_CELLS:
        raise InputError(
            f"must be a matrix of numbers, (positions, letters), got {array.dtype} of shape {array.shape}",
            path=source,
        )
    names = {4: "dna", 20: "protein", 21: "protein-stop"}
    name = config.alphabet if config.alphabet != AUTO else names.get(array.shape[1], "")
    letters = get_alphabet(name).letters if name else ""
    if array.shape[1] != len(letters):
        raise InputError(
            f"has {array.shape[1]} columns, one for each letter; say which letters with --alphabet",
            path=source,
        )
    if not np.isfinite(array).all():
        raise InputError("every number must be finite", path=source)
    return _from_matrix(config, array.astype(np.float64), letters, source)


def _from_matrix(config: LogoConfig, matrix: FloatArray, letters: str, source: str) -> Drawable:
    """Counts or probabilities if the numbers can be such and are not asked for as weights; else weights."""
    name = _name(source)
    totals = matrix.sum(axis=1)
    shares = bool(np.all(matrix >= 0) and np.allclose(totals, 1.0, atol=0.02))
    counts = bool(np.all(matrix >= 0) and np.all(matrix % 1 == 0) and np.all(totals > 0))
    if config.kind == "weight" or not (shares or counts):
        return Drawable(name, letters, values=matrix)
    return Drawable(name, letters, counts=matrix)
