"""Alphabets as immutable values, in one table. A new alphabet is one line in ``ALPHABETS``.

An alphabet is named on the command line as ``dna``, ``rna``, ``protein``, ``protein-stop`` (with ``*`` as a
letter) or ``letters:ABCDEFGHIJ`` for any other set of printable ASCII characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import Any

from seqdesign.errors import InputError, UsageError

CUSTOM_PREFIX = "letters:"
GAPS = "-."
STOP = "*"
MAX_LETTERS = 94  # the printable ASCII characters; leaves room for the special tokens in a byte

_NUCLEOTIDE_SHARE = 0.9


@dataclass(frozen=True, repr=False)
class Alphabet:
    """A set of letters with an order, and what is known about them.

    name: how the command line names it. letters: each letter's place is its token id.
    complement: the complementary letter of each of ``letters``, in their order; "" where there is none.
    ambiguous: pairs (code, letters it stands for), such as ("R", "AG").
    case_sensitive: False reads "acgt" as "ACGT".
    """

    name: str
    letters: str
    complement: str = ""
    ambiguous: tuple[tuple[str, str], ...] = ()
    case_sensitive: bool = False

    def __post_init__(self) -> None:
        bad = [c for c in self.letters if not ("!" <= c <= "~") or c == ">"]
        if bad or not 2 <= len(self.letters) <= MAX_LETTERS or len(set(self.letters)) != len(self.letters):
            raise UsageError(
                f"an alphabet must have 2 to {MAX_LETTERS} different printable ASCII letters without '>' or "
                f"spaces, got {self.letters!r}"
            )
        if self.complement and sorted(self.complement) != sorted(self.letters):
            raise UsageError(
                f"the complement must reorder the letters {self.letters!r}, got {self.complement!r}"
            )

    @property
    def size(self) -> int:
        """How many letters there are."""
        return len(self.letters)

    @property
    def has_stop(self) -> bool:
        """Whether ``*`` is a letter of its own."""
        return STOP in self.letters

    @cached_property
    def unknown(self) -> str:
        """The letter written for a masked position: the code that stands for all letters, else '?' or '~'."""
        proper = set(self.letters) - {STOP}
        for code, meaning in self.ambiguous:
            if set(meaning) == proper:
                return code
        return next(c for c in "?~!" + "".join(map(chr, range(35, 126))) + " " if c not in self.letters)

    @cached_property
    def ambiguity(self) -> Mapping[str, str]:
        """The IUPAC codes: code -> the letters it stands for (read-only)."""
        return MappingProxyType(dict(self.ambiguous))

    def reverse_complement(self, sequence: str) -> str:
        """Reverse complement of one sequence, ambiguity codes included; case and gaps are kept.

        Raises UsageError for an alphabet without a complement.
        """
        if not self.complement:
            raise UsageError(
                f"the reverse complement needs an alphabet with complements (dna or rna), got {self.name}"
            )
        return sequence.translate(self._complement_table)[::-1]

    @cached_property
    def _complement_table(self) -> dict[int, str]:
        pairs = dict(zip(self.letters, self.complement, strict=True))
        code_of = {frozenset(meaning): code for code, meaning in self.ambiguous}
        for code, meaning in self.ambiguous:
            pairs[code] = code_of.get(frozenset(pairs[c] for c in meaning), code)
        table = {ord(a): b for a, b in pairs.items()}
        if not self.case_sensitive:
            table |= {ord(a.lower()): b.lower() for a, b in pairs.items()}
        return table

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready description; ``from_dict`` gives an equal alphabet back."""
        return {
            "name": self.name,
            "letters": self.letters,
            "complement": self.complement,
            "ambiguous": dict(self.ambiguous),
            "case_sensitive": self.case_sensitive,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Alphabet:
        """The inverse of ``to_dict``. Raises KeyError where a key is missing."""
        return cls(
            name=str(data["name"]),
            letters=str(data["letters"]),
            complement=str(data["complement"]),
            ambiguous=tuple((str(code), str(meaning)) for code, meaning in data["ambiguous"].items()),
            case_sensitive=bool(data["case_sensitive"]),
        )

    def __repr__(self) -> str:
        if ALPHABETS.get(self.name) == self or _is_custom(self):
            return f"get_alphabet({self.name!r})"
        return (
            f"Alphabet(name={self.name!r}, letters={self.letters!r}, complement={self.complement!r}, "
            f"ambiguous={self.ambiguous!r}, case_sensitive={self.case_sensitive!r})"
        )


def _nucleotide_codes(t: str) -> tuple[tuple[str, str], ...]:
    """IUPAC codes of Cornish-Bowden 1985 (Nucleic Acids Res. 13:3021), with ``t`` as T or U."""
    codes = "R:AG Y:CT S:CG W:AT K:GT M:AC B:CGT D:AGT H:ACT V:ACG N:ACGT"
    return tuple((p[0], p[2:].replace("T", t)) for p in codes.split())


_PROTEIN = "ACDEFGHIKLMNPQRSTVWY"
# U (selenocysteine) and O (pyrrolysine) stand for themselves in nature; their nearest letters are C and K.
_PROTEIN_CODES = (("B", "DN"), ("Z", "EQ"), ("J", "IL"), ("U", "C"), ("O", "K"), ("X", _PROTEIN))

ALPHABETS: Mapping[str, Alphabet] = MappingProxyType(
    {
        "dna": Alphabet("dna", "ACGT", complement="TGCA", ambiguous=_nucleotide_codes("T")),
        "rna": Alphabet("rna", "ACGU", complement="UGCA", ambiguous=_nucleotide_codes("U")),
        "protein": Alphabet("protein", _PROTEIN, ambiguous=_PROTEIN_CODES),
        "protein-stop": Alphabet("protein-stop", _PROTEIN + STOP, ambiguous=_PROTEIN_CODES),
    }
)


def _is_custom(alphabet: Alphabet) -> bool:
    return alphabet.name.startswith(CUSTOM_PREFIX) and alphabet == _custom(alphabet.name)


def _custom(spec: str) -> Alphabet:
    letters = spec.removeprefix(CUSTOM_PREFIX)
    # Upper and lower case can only be told apart safely when the user's own set has lower case letters.
    return Alphabet(spec, letters, case_sensitive=letters != letters.upper())


def get_alphabet(spec: str | Alphabet) -> Alphabet:
    """The alphabet of a name (``dna``, ``rna``, ``protein``, ``protein-stop``) or of ``letters:ABC...``.

    A custom alphabet with any lower case letter is case-sensitive. Raises UsageError for other names.
    """
    if isinstance(spec, Alphabet):
        return spec
    if spec.startswith(CUSTOM_PREFIX):
        return _custom(spec)
    try:
        return ALPHABETS[spec.lower()]
    except KeyError:
        names = ", ".join(ALPHABETS)
        raise UsageError(
            f"must be one of {names}, or {CUSTOM_PREFIX}ABC... with your own letters, got {spec!r}",
            option="--alphabet",
        ) from None


class LetterCounts:
    """Counts of what tells alphabets apart, gathered batch by batch, so that a stream can be judged too."""

    def __init__(self) -> None:
        self._n_letters = self._n_nucleotides = self._n_alien = self._n_t = self._n_u = 0
        self._inner_stop = False

    def add(self, sequences: Iterable[str]) -> None:
        """Counts some more sequences."""
        for batch in _joined(sequences):
            text = batch.upper().encode("ascii", errors="replace").translate(None, b"-. \t\n\r")
            self._n_letters += len(text) - text.count(b"*") - text.count(b"\0")
            self._n_nucleotides += len(text) - len(text.translate(None, b"ACGTUN"))
            self._n_alien += len(text.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ*\0"))
            self._n_t += text.count(b"T")
            self._n_u += text.count(b"U")
            self._inner_stop = self._inner_stop or b"*" in text.replace(b"*\0", b"\0")

    def guess(self) -> Alphabet:
        """The alphabet of everything counted; rule and errors are those of ``guess_alphabet``."""
        if self._n_letters == 0:
            raise InputError("cannot guess the alphabet: there are no letters; name it with --alphabet")
        if self._n_alien > (1 - _NUCLEOTIDE_SHARE) * self._n_letters:
            raise InputError(
                f"cannot guess the alphabet: {self._n_alien} of {self._n_letters} characters are no letters "
                f"of DNA, RNA or protein; name your own with --alphabet {CUSTOM_PREFIX}ABC..."
            )
        if self._n_nucleotides < _NUCLEOTIDE_SHARE * self._n_letters:
            return ALPHABETS["protein-stop" if self._inner_stop else "protein"]
        if self._n_t and self._n_u:
            raise InputError(
                f"cannot tell DNA from RNA: there are both T ({self._n_t}) and U ({self._n_u}); choose with "
                "--alphabet dna or --alphabet rna, and convert with --convert-ut"
            )
        return ALPHABETS["rna" if self._n_u else "dna"]


def guess_alphabet(sequences: Iterable[str]) -> Alphabet:
    """DNA, RNA or protein, by the letters of all ``sequences`` together (case, gaps and white space ignored).

    At least nine in ten letters among ACGTUN: RNA if there is a U and no T, else DNA. So peptides made of A,
    C, G and T alone are taken for DNA: name the alphabet for those. Otherwise protein, and protein-stop when
    a ``*`` stands before the end of a sequence.

    Raises InputError when there are no letters, when nucleotides have both U and T, or when more than one in
    ten characters is no letter.
    """
    counts = LetterCounts()
    counts.add(sequences)
    return counts.guess()


def _joined(sequences: Iterable[str], size: int = 4096) -> Iterator[str]:
    """Batches of sequences, each followed by NUL, so that counting runs in C on long strings."""
    stream = iter(sequences)
    while batch := list(islice(stream, size)):
        yield "\0".join([*batch, ""])


def reverse_complement(sequence: str, alphabet: Alphabet | str | None = None) -> str:
    """Reverse complement of a DNA or RNA string; without ``alphabet``, RNA if it has a U and no T, else DNA.

    Raises UsageError for an alphabet without a complement.
    """
    if alphabet is None:
        upper = sequence.upper()
        alphabet = "rna" if "U" in upper and "T" not in upper else "dna"
    return get_alphabet(alphabet).reverse_complement(sequence)
