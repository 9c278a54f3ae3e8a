"""From text to letters with names, and alphabets that are learned from the text of a training file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from seqdesign.errors import InputError, UsageError
from seqdesign.symbols import is_symbol, name_of, symbol

Spelling = Literal["letters", "smiles", "words"]
"""How letters follow each other in text: characters and [names]; atoms and bonds; words with blanks."""

WORDS = 2000
"""Words of a vocabulary when no number is given."""
UNK = "[unk]"
"""Stands for every word outside the vocabulary."""

_NAME = re.compile(r"\[[^\[\]\s]+\]|.", re.DOTALL)
# Schwaller et al. 2018 (Chem. Sci. 9:6091), the expression that most programs use.
_SMILES = re.compile(
    r"(\[[^\[\]]+\]|Br|Cl|[BNOSPFIbcnosp]|C|[().=#\-+\\/:~@?*$]|%[0-9]{2}|[0-9])|(.)", re.DOTALL
)
_WORD = re.compile(r"\[unk\]|[^\W_]+(?:['\u2019][^\W_]+)*|[^\s>]")  # FASTA has no place for >


def split_names(text: str) -> list[str]:
    """Characters and names in brackets, in order: ``AC[Aib]D`` has four."""
    return _NAME.findall(text)


def tokenize(text: str, spelling: Spelling, fold: bool, letters: frozenset[str]) -> str:
    """A text as one character a letter; a text that is so already comes back as it is.

    fold: whether ``[aib]`` may be read as ``[Aib]``. letters: those of the alphabet. Text that is no letter
    stays: a character as it is, a name or word as its symbol.
    """
    if spelling == "smiles":
        return "".join([symbol(token) if token else other for token, other in _SMILES.findall(text)])
    if spelling == "words":
        return "".join([_word(word) for word in _WORD.findall(text.lower())])
    if "[" not in text:
        return text
    found = [symbol(name) if len(name) > 1 else name for name in split_names(text)]
    if fold:
        same = {name_of(letter).lower(): letter for letter in letters if is_symbol(letter)}
        found = [s if s in letters else same.get(name_of(s).lower(), s) for s in found]
    return "".join(found)


def _word(word: str) -> str:
    if len(word) == 1 and is_symbol(word):
        return word
    try:
        return symbol(word, word=True)
    except ValueError:  # more different words than one process can tell apart
        return symbol(UNK, word=True)


def smiles_letters(texts: Iterable[str]) -> str:
    """All tokens of SMILES that occur, in order of their names. Raises InputError for fewer than two."""
    found = {token for text in texts for token, _ in _SMILES.findall(text) if token}
    if len(found) < 2:
        raise InputError("the sequences hold no SMILES; --sequence COLUMN names the column that does")
    return "".join(symbol(token) for token in sorted(found))


def word_letters(texts: Sequence[str], number: int) -> str:
    """``UNK`` and the words that occur most often, ``number`` in all; words of one count by the alphabet.

    Raises InputError for fewer than two words.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(_WORD.findall(text.lower()))
    counts.pop(UNK, None)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    if len(ranked) < 2:
        raise InputError(
            "the sequences hold fewer than two words; --sequence COLUMN names the column that does"
        )
    return "".join(symbol(word, word=True) for word in [UNK, *ranked[: number - 1]])


def parse_words(spec: str, limit: int) -> int:
    """The number in ``words:5000``. Raises UsageError."""
    number = spec.removeprefix("words").removeprefix(":")
    if not number:
        return WORDS
    if not number.isdecimal() or not 3 <= int(number) <= limit:
        raise UsageError(
            f"must be words or words:N with N from 3 to {limit:,}, got {spec!r}", option="--alphabet"
        )
    return int(number)
