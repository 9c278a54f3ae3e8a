"""A matrix as a NumPy array: (positions, letters) as here, or (letters, positions) as networks have it."""

from __future__ import annotations

import io
import math
import os
import warnings

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.motifs.formats.lines import LARGEST
from seqdesign.motifs.matrix import BY_SIZE, Bare, FloatArray, Matrix

_MAX_CELLS = 5_000_000


def read_npy(data: bytes, source: str, letters: str | None = None) -> Matrix:
    """The matrix of an npy file; see ``from_array``."""
    try:
        array = _load(data)
    except Exception as error:  # the header is an expression, whose reader raises whatever it meets
        raise InputError(f"is not a usable npy file ({error})", path=source) from None
    stem = os.path.basename(source).partition(".")[0] or source
    return from_array(array, stem, source, letters)


def _load(data: bytes) -> NDArray[np.generic]:
    """The array, if the file is as long as its header says. Raises ValueError and others."""
    handle = io.BytesIO(data)
    version = np.lib.format.read_magic(handle)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files of Python 2
        shape, _, dtype = read(handle)
        if not dtype.hasobject and math.prod(shape) * dtype.itemsize > len(data):
            raise ValueError(f"it is too short for shape {shape}")
        found: NDArray[np.generic] = np.load(io.BytesIO(data), allow_pickle=False)
    return found


def from_array(
    array: NDArray[np.generic], name: str, source: str | None = None, letters: str | None = None
) -> Matrix:
    """The matrix of an array of shape (L, V) or (V, L); leading axes of length one are dropped.

    Which is which goes by the number of ``letters``; without them V is 4, 20 or 21. An array that fits both
    ways, such as (4, 20), is turned by its totals: those of all positions are equal, or each has one number.
    (20, 4) is 20 positions of DNA unless that says otherwise.

    Raises InputError for what fits neither way, or both.
    """
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2 or array.dtype.kind not in "iufb" or not 0 < array.size <= _MAX_CELLS:
        raise InputError(
            f"must be a matrix of numbers, (positions, letters), got {array.dtype} of shape {array.shape}",
            path=source,
        )
    values: FloatArray = array.astype(np.float64)
    if not np.all(np.abs(values) <= LARGEST):
        raise InputError(f"every number must be finite and at most {LARGEST:g}", path=source)
    bare = Bare(values, letters)
    by_row, by_column = bare.ways(tuple(BY_SIZE))
    rows, columns = values.shape
    if not (by_row or by_column):
        wanted = f"{len(letters)} for {letters}" if letters else "4, 20 or 21"
        raise InputError(
            f"has shape {array.shape}, but neither side has as many as there are letters ({wanted}); say "
            "which letters with --alphabet",
            path=source,
        )
    turned: bool | None = by_row
    if by_row and by_column:
        turned = bare.rows_are_positions()
        if turned is None and columns == 4 and rows > 4:
            turned = True
    if turned is None:
        remedy = (
            "save it as CSV with the letters above the columns"
            if letters or rows != 4 or columns == 4
            else f"say --alphabet dna for {columns} positions of DNA, --alphabet protein for 4 of protein"
        )
        raise InputError(f"shape {array.shape} can be read both ways; {remedy}", path=source)
    names, oriented = bare.oriented(turned)
    note = "" if turned else f"read as (letters, positions), {rows} by {columns}"
    return Matrix(name, "", names, oriented, source or "", note=note)
