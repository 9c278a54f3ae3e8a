"""Strings <-> tokens <-> one-hot. The one place that knows padding, masks and special token ids.

Token ids: the letters are 0 .. V-1, then END, START, UNKNOWN and PAD. Shapes: N sequences, L positions,
V letters. Tokens are (N, L) uint8, int16 for more letters than fit; one-hot is (N, V, L), channels before
positions, as convolutions want it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UnknownLetterError
from seqdesign.sequences.alphabets import ALPHABETS, GAPS, STOP, Alphabet, guess_alphabet
from seqdesign.symbols import name_of

if TYPE_CHECKING:
    import torch

OnUnknown = Literal["error", "skip", "mask"]
GapPolicy = Literal["error", "strip"]
ArrayOrTensor = TypeVar("ArrayOrTensor", NDArray[Any], "torch.Tensor")

ALIEN = 255  # lookup value of a byte that is no letter; never leaves this module
_ALIEN_16 = 32767  # the same for alphabets of more letters


@dataclass(frozen=True)
class Vocabulary:
    """The token ids of an alphabet of V letters: 0 .. V-1, END = V, START = V+1, UNKNOWN = V+2, PAD = V+3."""

    alphabet: Alphabet

    @property
    def n_letters(self) -> int:
        """V, the number of letters."""
        return self.alphabet.size

    @property
    def end(self) -> int:
        """Follows the last letter in what a decoder emits."""
        return self.alphabet.size

    @property
    def start(self) -> int:
        """The decoder's first input."""
        return self.alphabet.size + 1

    @property
    def unknown(self) -> int:
        """A masked letter."""
        return self.alphabet.size + 2

    @property
    def pad(self) -> int:
        """Fills rows shorter than the longest one."""
        return self.alphabet.size + 3

    @property
    def size(self) -> int:
        """The number of token ids, V + 4."""
        return self.alphabet.size + 4

    @property
    def dtype(self) -> type[np.uint8] | type[np.int16]:
        """The smallest type of array that holds all token ids."""
        return np.uint8 if self.size < ALIEN else np.int16


@dataclass(frozen=True, eq=False)
class TokenArray:
    """Encoded sequences. tokens: (N, L) uint8 or int16, rows filled up with PAD; lengths: (N,) int64.

    kept: (N,) int64, the place of each row in the list that was encoded (all of them unless records with
    unknown letters were skipped).
    """

    tokens: NDArray[Any]
    lengths: NDArray[np.int64]
    alphabet: Alphabet
    kept: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def vocabulary(self) -> Vocabulary:
        """The token ids in use."""
        return Vocabulary(self.alphabet)

    def take(self, indices: NDArray[np.int64] | Sequence[int]) -> TokenArray:
        """The chosen rows, in the order given; L stays as it is."""
        chosen = np.asarray(indices, dtype=np.int64)
        return TokenArray(self.tokens[chosen], self.lengths[chosen], self.alphabet, self.kept[chosen])


def _codes(text: str, alphabet: Alphabet, convert_ut: bool) -> tuple[NDArray[Any], int]:
    """Token ids of the letters of a text, and the number that stands for what is no letter."""
    if not alphabet.named:
        return np.frombuffer(_to_bytes(text).translate(letter_table(alphabet, convert_ut)), np.uint8), ALIEN
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    known, ids = _sorted_points(alphabet)
    at = np.searchsorted(known, points).clip(max=len(known) - 1)
    alien = ALIEN if Vocabulary(alphabet).dtype is np.uint8 else _ALIEN_16
    missing = alphabet.letters.index(alphabet.unk) if alphabet.unk else alien
    return np.where(known[at] == points, ids[at], missing).astype(Vocabulary(alphabet).dtype), alien


@lru_cache(maxsize=64)
def _sorted_points(alphabet: Alphabet) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Code points of all letters in order, and the token id of each."""
    pairs = {ord(letter): i for i, letter in enumerate(alphabet.letters)}
    if not alphabet.case_sensitive:
        pairs = {
            ord(c): i for c, i in zip(alphabet.letters.lower(), range(alphabet.size), strict=True)
        } | pairs
    known = np.array(sorted(pairs), dtype=np.uint32)
    return known, np.array([pairs[int(point)] for point in known])


@lru_cache(maxsize=64)
def letter_table(alphabet: Alphabet, convert_ut: bool = False) -> bytes:
    """256 bytes for ``bytes.translate``: letter -> token id, anything else -> ALIEN."""
    table = bytearray([ALIEN]) * 256
    for i, letter in enumerate(alphabet.letters):
        table[ord(letter)] = i
        if not alphabet.case_sensitive:
            table[ord(letter.lower())] = i
    if convert_ut:
        for source, target in ("TU", "UT"):
            if source not in alphabet.letters and target in alphabet.letters:
                table[ord(source)] = table[ord(source.lower())] = table[ord(target)]
    return bytes(table)


def encode(
    sequences: Sequence[str],
    alphabet: Alphabet,
    *,
    on_unknown: OnUnknown = "error",
    ids: Sequence[str] | None = None,
    source: str | None = None,
    lines: Sequence[int] | NDArray[np.int64] | None = None,
    max_length: int | None = None,
    convert_ut: bool = False,
    gaps: GapPolicy = "error",
) -> TokenArray:
    """N strings to (N, L) tokens, L being the longest length.

    Where letters have names, texts are tokenized first, and a word outside a vocabulary is read as ``[unk]``.
    A letter outside the alphabet (IUPAC codes included) is an error, drops its record (``skip``) or becomes
    UNKNOWN (``mask``). ``gaps="strip"`` removes ``-`` and ``.`` first. A ``*`` at the very end is dropped
    when the alphabet has no stop letter. ``convert_ut`` reads U as T for DNA and T as U for RNA. ``ids``,
    ``lines`` (1-based) and ``source`` (the file) only serve the error messages. Case matters only for
    case-sensitive alphabets.

    Raises UnknownLetterError, or InputError for a sequence longer than ``max_length``.
    """
    if alphabet.named:
        sequences = [alphabet.tokenize(text) for text in sequences]
    codes, alien = _codes("".join(sequences), alphabet, convert_ut)
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    kept = np.arange(len(sequences), dtype=np.int64)
    if codes.size and codes.max() == alien:
        tidied = _tidy(sequences, alphabet, gaps)
        if tidied is not None:
            sequences = tidied
            lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
            codes, alien = _codes("".join(sequences), alphabet, convert_ut)
    aliens = np.flatnonzero(codes == alien)
    if aliens.size:
        places = _Places(sequences, lengths, ids, lines, source)
        codes, lengths, kept = _apply_policy(codes, lengths, kept, aliens, on_unknown, alphabet, places)
    if max_length is not None and lengths.size and int(lengths.max()) > max_length:
        i = int(kept[int(np.argmax(lengths > max_length))])
        raise InputError(
            f"the sequence has {len(sequences[i])} letters, at most {max_length} are possible here; "
            "shorten it or use a model made for longer sequences",
            path=source,
            line=None if lines is None else int(lines[i]),
            record=_record_name(ids, i),
        )
    return TokenArray(pad_rows(codes, lengths, Vocabulary(alphabet).pad), lengths, alphabet, kept)


def pad_rows(codes: NDArray[Any], lengths: NDArray[np.int64], fill: int) -> NDArray[Any]:
    """Rows of the given lengths, lying one after the other in ``codes``, as one (N, L) array to own.

    Where nothing is to be filled, it shares the memory of ``codes`` if that may be written.
    """
    longest = int(lengths.max()) if lengths.size else 0
    if longest * lengths.size == codes.size:
        rows = codes.reshape(lengths.size, longest)
        return rows if rows.flags.writeable else rows.copy()
    rows = np.full((lengths.size, longest), fill, dtype=codes.dtype)
    rows[np.arange(longest) < lengths[:, None]] = codes
    return rows


def _to_bytes(text: str) -> bytes:
    """One byte a character, so that positions stay right; anything outside ASCII becomes NUL (no letter)."""
    try:
        return text.encode("ascii")
    except UnicodeEncodeError:
        return "".join(c if c < "\x80" else "\0" for c in text).encode("ascii")


def _tidy(sequences: Sequence[str], alphabet: Alphabet, gaps: GapPolicy) -> list[str] | None:
    """Sequences without gaps (if asked) and without a final stop; None when nothing is to be done."""
    result = list(sequences)
    if gaps == "strip":
        table = {ord(c): None for c in GAPS if c not in alphabet.letters}
        result = [s.translate(table) for s in result]
    if not alphabet.has_stop and not alphabet.named:
        result = [s.removesuffix(STOP) for s in result]
    return None if result == list(sequences) else result


def normal_form(
    sequences: Sequence[str], alphabet: Alphabet, *, convert_ut: bool = False, gaps: GapPolicy = "error"
) -> list[str]:
    """Sequences as ``encode`` with these options reads them: upper case, U or T, no gaps, no final stop.

    Edits, matches and distances are counted between texts of this form. Letters that are not in the alphabet
    stay as they are, since a mask has no letter. One character a letter (``Alphabet.tokenize``).
    """
    texts = [alphabet.tokenize(text) for text in sequences] if alphabet.named else list(sequences)
    texts = _tidy(texts, alphabet, gaps) or texts
    if not alphabet.case_sensitive:
        texts = [text.upper() for text in texts]
    if convert_ut and alphabet.name in ("dna", "rna"):
        table = str.maketrans("Uu", "Tt") if alphabet.name == "dna" else str.maketrans("Tt", "Uu")
        texts = [text.translate(table) for text in texts]
    return texts


@dataclass(frozen=True)
class _Places:
    """What is needed to say where a letter stands."""

    sequences: Sequence[str]
    lengths: NDArray[np.int64]
    ids: Sequence[str] | None
    lines: Sequence[int] | NDArray[np.int64] | None
    source: str | None


def _apply_policy(
    codes: NDArray[Any],
    lengths: NDArray[np.int64],
    kept: NDArray[np.int64],
    aliens: NDArray[np.int64],
    on_unknown: OnUnknown,
    alphabet: Alphabet,
    places: _Places,
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    ends = np.cumsum(lengths)
    if on_unknown == "error":
        record = int(np.searchsorted(ends, aliens[0], side="right"))
        position = int(aliens[0] - (ends[record] - lengths[record]))
        raise _unknown_letter(record, position, aliens.size, alphabet, places)
    if on_unknown == "mask":
        codes = codes.copy()
        codes[aliens] = Vocabulary(alphabet).unknown
        return codes, lengths, kept
    good = np.ones(lengths.size, dtype=bool)
    good[np.searchsorted(ends, aliens, side="right")] = False
    return codes[np.repeat(good, lengths)], lengths[good], kept[good]


def _unknown_letter(
    record: int, position: int, n_unknown: int, alphabet: Alphabet, places: _Places
) -> UnknownLetterError:
    sequence = places.sequences[record]
    letter = sequence[position]
    more = f" (the first of {n_unknown} such letters)" if n_unknown > 1 else ""
    named = name_of(letter)
    shown = named if named.isprintable() else repr(letter)
    return UnknownLetterError(
        f"letter '{shown}' at position {position + 1} is not in the alphabet {alphabet.name} "
        f"({alphabet.shown}){more}; {_advice(letter, sequence, alphabet)}",
        letter=named,
        position=position + 1,
        path=places.source,
        line=None if places.lines is None else int(places.lines[record]),
        record=_record_name(places.ids, record),
    )


def _record_name(ids: Sequence[str] | None, index: int) -> str:
    return ids[index] if ids is not None else f"#{index + 1}"


def _advice(letter: str, sequence: str, alphabet: Alphabet) -> str:
    """What to do about one unknown letter, most likely cause first."""
    upper = letter.upper()
    if alphabet.spelling == "smiles":
        return "correct it, train on sequences that have it, or use --on-unknown skip or --on-unknown mask"
    if letter in GAPS:
        return "it looks like an alignment; --gaps strip removes the gaps"
    if letter == STOP:
        return "a stop inside a protein needs --alphabet protein-stop; or --on-unknown skip|mask"
    try:
        likely = guess_alphabet([sequence])
    except InputError:
        likely = alphabet
    if (alphabet.name, upper) in (("dna", "U"), ("rna", "T")) and not likely.name.startswith("protein"):
        other = "rna" if upper == "U" else "dna"
        return f"it looks like {other}; add --convert-ut, or train with --alphabet {other}"
    if likely != alphabet and alphabet.name in ALPHABETS:
        return f"it looks like {likely.name}; a model for it is trained with --alphabet {likely.name}"
    if upper in alphabet.ambiguity:
        meaning = alphabet.ambiguity[upper]
        return f"it is the IUPAC code for {meaning}; use --on-unknown skip or --on-unknown mask"
    return "correct it, or use --on-unknown skip or --on-unknown mask"


def _as_numpy(tokens: Any) -> NDArray[Any]:
    return tokens.detach().cpu().numpy() if _is_tensor(tokens) else np.asarray(tokens)


def _is_tensor(value: object) -> bool:
    # Whoever holds a tensor has imported torch; nobody else should pay for it.
    module = sys.modules.get("torch")
    return module is not None and isinstance(value, module.Tensor)


def decode(tokens: NDArray[Any] | torch.Tensor, alphabet: Alphabet) -> list[str]:
    """(N, L) token ids to N strings, each ending before its first END or PAD.

    One character a letter; ``alphabet.text`` spells names out. UNKNOWN is written as ``alphabet.unknown``;
    PAD and END are never written.

    Raises ValueError for other shapes, for START before the end of a row, and for ids outside the vocabulary.
    """
    ids_NL = _as_numpy(tokens)
    vocabulary = Vocabulary(alphabet)
    if ids_NL.ndim != 2:
        raise ValueError(f"tokens must have shape (N, L), got {ids_NL.shape}")
    if ids_NL.size == 0:
        return [""] * ids_NL.shape[0]
    if int(ids_NL.min()) < 0 or int(ids_NL.max()) >= vocabulary.size:
        found = f"{ids_NL.min()} .. {ids_NL.max()}"
        raise ValueError(f"token ids must lie in 0 .. {vocabulary.size - 1}, got {found}")
    stops = (ids_NL == vocabulary.end) | (ids_NL == vocabulary.pad)
    length = ids_NL.shape[1]
    lengths = np.where(stops.any(axis=1), stops.argmax(axis=1), length)
    starts = (ids_NL == vocabulary.start) & (np.arange(length) < lengths[:, None])
    if starts.any():
        row = int(starts.any(axis=1).argmax())
        raise ValueError(f"row {row} has a START token inside; drop it before decoding")
    points = [*map(ord, alphabet.letters), 0, 0, ord(alphabet.unknown), 0]
    if alphabet.named:
        text = np.array(points, dtype="<u4")[ids_NL].tobytes().decode("utf-32-le")
    else:
        text = np.array(points, dtype=np.uint8)[ids_NL].tobytes().decode("ascii")
    return [text[i * length : i * length + n] for i, n in enumerate(lengths.tolist())]


def mask(tokens: ArrayOrTensor, alphabet: Alphabet) -> ArrayOrTensor:
    """True where a token is a letter (UNKNOWN included), False at END, START and PAD; same shape and home."""
    ids: Any = tokens
    return (ids < alphabet.size) | (ids == Vocabulary(alphabet).unknown)


def one_hot(tokens: ArrayOrTensor, alphabet: Alphabet, dtype: Any = None) -> ArrayOrTensor:
    """(N, L) tokens to (N, V, L), float32 unless ``dtype`` says otherwise; a tensor stays on its device.

    UNKNOWN is uniform, 1/V in every channel; END, START and PAD are all zero.
    """
    unknown = Vocabulary(alphabet).unknown
    if _is_tensor(tokens):
        import torch

        tensor: Any = tokens
        letters = torch.arange(alphabet.size, device=tensor.device, dtype=tensor.dtype)
        hot = (tensor[:, None, :] == letters[:, None]).to(dtype or torch.float32)
        hot.masked_fill_((tensor == unknown)[:, None, :], 1.0 / alphabet.size)
        return hot
    array = np.asarray(tokens)
    result = np.empty((array.shape[0], alphabet.size, array.shape[1]), dtype=dtype or np.float32)
    for i in range(alphabet.size):  # a channel at a time: no (N, L, V) intermediate
        np.equal(array, i, out=result[:, i, :], casting="unsafe")
    masked = array == unknown
    if masked.any():
        np.copyto(result, 1.0 / alphabet.size, where=masked[:, None, :], casting="unsafe")
    return cast(ArrayOrTensor, result)
