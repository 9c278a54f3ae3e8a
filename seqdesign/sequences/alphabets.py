"""Alphabets as immutable values, in one table. A new alphabet is one line in ``ALPHABETS``.

An alphabet is named on the command line as ``dna``, ``rna``, ``protein``, ``protein-stop`` (with ``*`` as a
letter) or ``letters:ABCDEFGHIJ`` for any other set of printable ASCII characters. Letters may have names in
brackets: ``letters:AB[Foo]``, or ``protein+[Aib][Orn]`` for more letters than an alphabet has. ``smiles`` and
``words:2000`` are learned from the sequences of a training file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.tokenize import (
    UNK,
    Spelling,
    parse_words,
    smiles_letters,
    split_names,
    tokenize,
    word_letters,
)
from seqdesign.symbols import EDITS, is_symbol, name_of, spelled, symbol

CUSTOM_PREFIX = "letters:"
CONFIG = "config.json"
"""Where a folder of a model says what its alphabet is."""
MORE = "+"
GAPS = "-."
STOP = "*"
MAX_LETTERS = 94  # the printable ASCII characters; leaves room for the special tokens in a byte
MAX_NAMED = 30_000  # letters with names; leaves room for the special tokens in 16 bits
SHOWN = 120
"""Characters of the letters that a message shows."""

_NUCLEOTIDE_SHARE, _DEGENERATE_SHARE, _LEAST, _FEW = 0.9, 0.6, 0.05, 20


@dataclass(frozen=True, repr=False)
class Alphabet:
    """A set of letters with an order, and what is known about them.

    name: how the command line names it. letters: each letter's place is its token id; one with a name of
    several characters is a symbol (``seqdesign.symbols``). spelling: how text is cut into letters.
    complement: the complementary letter of each of ``letters``, in their order; "" where there is none.
    ambiguous: pairs (code, letters it stands for), such as ("R", "AG").
    case_sensitive: False reads "acgt" as "ACGT".
    """

    name: str
    letters: str
    complement: str = ""
    ambiguous: tuple[tuple[str, str], ...] = ()
    case_sensitive: bool = False
    spelling: Spelling = "letters"

    def __post_init__(self) -> None:
        plain = [c for c in self.letters if not is_symbol(c)]
        bad = [c for c in plain if not ("!" <= c <= "~") or c == ">"]
        most = MAX_LETTERS if len(plain) == len(self.letters) else MAX_NAMED
        if bad or not 2 <= len(self.letters) <= most or len(set(self.letters)) != len(self.letters):
            raise UsageError(
                f"an alphabet must have 2 to {MAX_LETTERS} different printable ASCII letters without '>' or "
                f"spaces, or names in brackets, got {spelled(self.letters)!r}"
            )
        if self.complement and sorted(self.complement) != sorted(self.letters):
            raise UsageError(
                f"the complement must reorder the letters {self.letters!r}, got {self.complement!r}"
            )

    @property
    def size(self) -> int:
        """How many letters there are."""
        return len(self.letters)

    @cached_property
    def named(self) -> bool:
        """Whether any letter has a name of several characters, so that text must be tokenized."""
        return self.spelling != "letters" or any(map(is_symbol, self.letters))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Each letter as it is written."""
        return tuple(map(name_of, self.letters))

    @cached_property
    def shown(self) -> str:
        """The letters for messages, the first of them where there are many."""
        text = " ".join(self.names) if self.named else self.letters
        return text if len(text) <= SHOWN else f"{text[:SHOWN].rsplit(' ', 1)[0]} ... {self.size:,} in all"

    @property
    def unk(self) -> str:
        """The letter that is read for every word outside a vocabulary; "" for alphabets of other things."""
        return symbol(UNK, word=True) if self.spelling == "words" else ""

    def tokenize(self, text: str) -> str:
        """A text as one character a letter, as all of the house handles it; the inverse of ``text``.

        What is no letter of the alphabet stays, for ``encode`` to judge. A sequence of this form comes back
        as it is.
        """
        if not self.named:
            return text
        return tokenize(text, self.spelling, not self.case_sensitive, self._letter_set)

    def text(self, sequence: str) -> str:
        """A sequence as it is written outside: letters by their names."""
        return spelled(sequence)

    def read_edits(self, text: str) -> str:
        """A list of edits as it was written, such as ``[Cl]5[Br],del3C``, with one character a letter."""
        return EDITS.sub(lambda found: self._bare(found[0]), text) if self.named else text

    def _bare(self, written: str) -> str:
        """The letter of an edit: by its name or, where that has no brackets of its own, in brackets."""
        whole = symbol(written, word=self.spelling == "words")
        if whole in self._letter_set:
            return whole
        inner = self.tokenize(written[1:-1])
        return inner if len(inner) == 1 else whole

    @cached_property
    def _letter_set(self) -> frozenset[str]:
        return frozenset(self.letters)

    @property
    def has_stop(self) -> bool:
        """Whether ``*`` is a letter of its own."""
        return STOP in self.letters

    @cached_property
    def unknown(self) -> str:
        """The letter written for a masked position: the code that stands for all letters, else '?' or '~'."""
        if self.unk:
            return self.unk
        proper = set(self.letters) - {STOP}
        for code, meaning in self.ambiguous:
            if set(meaning) == proper:
                return code
        return next(c for c in "?~!" + "".join(map(chr, range(35, 126))) + " " if c not in self.letters)

    @cached_property
    def ambiguity(self) -> Mapping[str, str]:
        """The IUPAC codes: code -> the letters it stands for (read-only)."""
        return MappingProxyType(dict(self.ambiguous))

    @property
    def partners(self) -> tuple[int, ...]:
        """(V,) the place of each letter's complement among the letters; empty where there are none."""
        return tuple(self.letters.index(letter) for letter in self.complement)

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
        found = {
            "name": self.name,
            "letters": self.letters,
            "complement": self.complement,
            "ambiguous": dict(self.ambiguous),
            "case_sensitive": self.case_sensitive,
        }
        # Symbols mean nothing in another process, so letters with names are stored by their names.
        return (
            {**found, "letters": "", "names": list(self.names), "spelling": self.spelling}
            if self.named
            else found
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Alphabet:
        """The inverse of ``to_dict``. Raises KeyError where a key is missing."""
        spelling = cast(Spelling, str(data.get("spelling", "letters")))
        names = [str(name) for name in data.get("names", ())]
        if spelling == "letters":
            made = [name if len(name) == 1 else symbol(name) for name in names]
        else:
            made = [symbol(name, word=spelling == "words") for name in names]
        return cls(
            name=str(data["name"]),
            letters="".join(made) if names else str(data["letters"]),
            complement=str(data["complement"]),
            ambiguous=tuple((str(code), str(meaning)) for code, meaning in data["ambiguous"].items()),
            case_sensitive=bool(data["case_sensitive"]),
            spelling=spelling,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Alphabet.from_dict, (self.to_dict(),)

    def __repr__(self) -> str:
        if self.named and not _is_custom(self):
            return f"Alphabet.from_dict({self.to_dict()!r})"
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
    if alphabet.spelling != "letters":
        return False
    if alphabet.name.startswith(CUSTOM_PREFIX):
        return alphabet == _custom(alphabet.name)
    base = alphabet.name.split(MORE, 1)[0]
    return MORE in alphabet.name and base in ALPHABETS and alphabet == _extended(alphabet.name)


def _custom(spec: str) -> Alphabet:
    letters = _letters(spec.removeprefix(CUSTOM_PREFIX))
    # Upper and lower case can only be told apart safely when the user's own set has lower case letters.
    return Alphabet(spec, letters, case_sensitive=letters != letters.upper())


def _extended(spec: str) -> Alphabet:
    """An alphabet of the table with more letters; what pairs with those is not known, so nothing pairs."""
    name, more = spec.split(MORE, 1)
    base, letters = get_alphabet(name), _letters(more)
    if not letters:
        raise UsageError(
            f"needs letters after '{MORE}', such as protein+[Aib][Orn], got {spec!r}", option="--alphabet"
        )
    taken = set(letters) & {*base.letters, *base.ambiguity}
    if taken or letters != letters.upper():
        odd = next(c for c in letters if c in taken or c != c.upper())
        better = more if more.isalnum() and len(more) > 1 else f"{odd}x"
        raise UsageError(
            f"'{odd}' has a meaning in {name} already, or is lower case, which {name} reads as upper case; "
            f"name the letter in brackets, such as [{better}]",
            option="--alphabet",
        )
    return replace(base, name=spec, letters=base.letters + letters, complement="")


def _letters(text: str) -> str:
    """Letters as typed: characters, and names in brackets. Raises UsageError for other names."""
    found = split_names(text)
    for name in found:
        if name in "[]," or (len(name) > 1 and not _is_name(name[1:-1])):
            raise UsageError(
                f"letters are characters, or names in brackets such as [Aib], one after the other; got "
                f"{name!r} in {text!r}",
                option="--alphabet",
            )
    return "".join(name if len(name) == 1 else symbol(name) for name in found)


def _is_name(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set(""">,;="'""")


def model_alphabet(folder: str | os.PathLike[str]) -> Alphabet | None:
    """The alphabet of the model in a folder, by its ``config.json``; None where there is no such model."""
    try:
        return Alphabet.from_dict(json.loads(Path(folder, CONFIG).read_text(encoding="utf-8"))["alphabet"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError):
        return None


def has_words(spec: str) -> bool:
    """Whether the letters of an alphabet, named by itself or by a model, are words with blanks between."""
    if learned_spec(spec):
        return spec.lower() != "smiles"
    known = model_alphabet(spec)
    return known is not None and known.spelling == "words"


def learned_spec(spec: str) -> bool:
    """Whether an alphabet of this name is learned from sequences."""
    return spec.lower() == "smiles" or spec.lower().split(":", 1)[0] == "words"


def tokenizer_of(spec: str) -> Callable[[str], str] | None:
    """What cuts text into letters by an alphabet of this name; None where letters are characters.

    Raises UsageError for another name.
    """
    if learned_spec(spec):
        parse_words(spec.lower(), MAX_NAMED) if has_words(spec) else None
        spelling: Spelling = "words" if has_words(spec) else "smiles"
        return lambda text: tokenize(text, spelling, False, frozenset())
    alphabet = get_alphabet(spec)
    return alphabet.tokenize if alphabet.named else None


def learn_alphabet(spec: str, sequences: Sequence[str]) -> Alphabet:
    """``smiles``: all tokens that occur; ``words:N``: the N most frequent words, one of them ``[unk]``.

    Raises UsageError for another name, InputError where sequences are something else.
    """
    name = spec.lower()
    if name == "smiles":
        return Alphabet(name, smiles_letters(sequences), case_sensitive=True, spelling="smiles")
    letters = word_letters(sequences, parse_words(name, MAX_NAMED))
    return Alphabet(f"words:{len(letters)}", letters, case_sensitive=True, spelling="words")


def get_alphabet(spec: str | Alphabet) -> Alphabet:
    """The alphabet of a name (``dna``, ``rna``, ``protein``, ``protein-stop``) or of ``letters:ABC...``.

    ``protein+[Aib][Orn]`` has the letters of protein and two more, and the folder of a model those of the
    model. A custom alphabet with any lower case letter is case-sensitive. Raises UsageError for other names,
    and for alphabets that are learned from a file.
    """
    if isinstance(spec, Alphabet):
        return spec
    if spec.startswith(CUSTOM_PREFIX):
        return _custom(spec)
    if MORE in spec:
        return _extended(spec)
    if learned_spec(spec):
        raise UsageError(
            f"{spec} is learned from a training file, so only a trained model has it; name the folder of "
            "one, such as models/vae",
            option="--alphabet",
        )
    known = model_alphabet(spec)
    if known is not None:
        return known
    try:
        return ALPHABETS[spec.lower()]
    except KeyError:
        names = ", ".join(ALPHABETS)
        raise UsageError(
            f"must be one of {names}, smiles, words, {CUSTOM_PREFIX}ABC... with your own letters, one of "
            f"them with more, such as protein+[Aib], or the folder of a model, got {spec!r}",
            option="--alphabet",
        ) from None


class LetterCounts:
    """Counts of what tells alphabets apart, gathered batch by batch, so that a stream can be judged too."""

    def __init__(self) -> None:
        self._n_letters = self._n_nucleotides = self._n_codes = self._n_alien = 0
        self._n_a = self._n_c = self._n_g = self._n_t = self._n_u = 0
        self._inner_stop = False

    def add(self, sequences: Iterable[str]) -> None:
        """Counts some more sequences."""
        for batch in _joined(sequences):
            text = batch.upper().encode("ascii", errors="replace").translate(None, b"-. \t\n\r")
            self._n_letters += len(text) - text.count(b"*") - text.count(b"\0")
            self._n_nucleotides += len(text) - len(text.translate(None, b"ACGTUN"))
            self._n_codes += len(text) - len(text.translate(None, b"ACGTUNRYSWKMBDHV"))
            self._n_alien += len(text.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ*\0"))
            self._n_a += text.count(b"A")
            self._n_c += text.count(b"C")
            self._n_g += text.count(b"G")
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
                f"of DNA, RNA or protein; name your own with --alphabet {CUSTOM_PREFIX}ABC..., or take "
                "--alphabet smiles or --alphabet words"
            )
        if self._n_nucleotides < _NUCLEOTIDE_SHARE * self._n_letters and not self._degenerate():
            return ALPHABETS["protein-stop" if self._inner_stop else "protein"]
        if self._n_t and self._n_u:
            raise InputError(
                f"cannot tell DNA from RNA: there are both T ({self._n_t}) and U ({self._n_u}); choose with "
                "--alphabet dna or --alphabet rna, and convert with --convert-ut"
            )
        return ALPHABETS["rna" if self._n_u else "dna"]

    def _degenerate(self) -> bool:
        """Whether these are nucleotides with many IUPAC codes, and no protein of few kinds, such as silk."""
        four = (self._n_a, self._n_c, self._n_g, self._n_t + self._n_u)
        return (
            self._n_letters >= _FEW
            and self._n_codes == self._n_letters
            and self._n_nucleotides >= _DEGENERATE_SHARE * self._n_letters
            and min(four) >= _LEAST * self._n_letters
        )


def guess_alphabet(sequences: Iterable[str]) -> Alphabet:
    """DNA, RNA or protein, by the letters of all ``sequences`` together (case, gaps and white space ignored).

    At least nine in ten letters among ACGTUN, or six where all of at least twenty are IUPAC codes and none of
    the four is rare: RNA if there is a U and no T, else DNA. So peptides of A, C, G and T alone are taken for
    DNA: name the alphabet for those. Otherwise protein, and protein-stop when a ``*`` stands before the end
    of a sequence.

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
