"""Letters with names of several characters: one private-use character inside, the name outside.

A sequence is a string of one character a letter everywhere in the house, so that lengths, positions, edits
and distances need not know how a letter is written. A letter such as ``Cl``, ``[Aib]`` or ``wonderful`` is a
*symbol*: a character of the planes 15 and 16 of Unicode, which stand for nothing in any text. ``spelled``
turns symbols into names where text leaves the program: files, pages, messages. Which character a name gets is
settled when it is first met in this process, so a symbol must never be stored; its name is.
"""

from __future__ import annotations

import html
import re
from threading import Lock

FIRST, LAST = 0xF8000, 0x10FFFD
CAPACITY = LAST - FIRST + 1
"""How many names one process can hold."""

_names: list[str] = []
_words: list[bool] = []
_places: dict[tuple[str, bool], int] = {}
_lock = Lock()

_RUN = re.compile(f"[{chr(FIRST)}-{chr(LAST)}]+")
_ESCAPED = re.compile(r"\\U00(?:0f[89a-f]|10[0-9a-f])[0-9a-f]{3}")
EDITS = re.compile(r"(?<=\d)\[(?:\[[^\[\]]*\]|[^\[\]]+|.)\]|\[(?:\[[^\[\]]*\]|[^\[\]]+|.)\](?=-?\d)")
"""A letter in an edit, as ``spelled`` writes it: ``[Cl]`` in ``[Cl]5[Br]`` and ``del5[Cl]``."""
_CLOSING = frozenset(".,!?;:)")
_OPENING = "("


def symbol(name: str, *, word: bool = False) -> str:
    """The character that stands for a name; ``word``: one that is written with blanks around it.

    Raises ValueError for a name without a character, and where ``CAPACITY`` names are in use.
    """
    key = (name, word)
    place = _places.get(key)
    if place is None:
        if not name or has_symbols(name):
            raise ValueError(f"a letter needs a name of plain characters, got {name!r}")
        with _lock:
            place = _places.setdefault(key, len(_names))
            if place == len(_names):
                if place == CAPACITY:
                    del _places[key]
                    raise ValueError(f"there can be {CAPACITY:,} names of letters at most")
                _names.append(name)
                _words.append(word)
    return chr(FIRST + place)


def is_symbol(character: str) -> bool:
    """Whether a character stands for a name."""
    return FIRST <= ord(character) < FIRST + len(_names)


def has_symbols(text: str) -> bool:
    """Whether any character of a text stands for a name."""
    return not text.isascii() and _RUN.search(text) is not None


def name_of(character: str) -> str:
    """The name that a character stands for; any other character is its own name."""
    return _names[ord(character) - FIRST] if is_symbol(character) else character


def spelled(text: str, *, escape: bool = False) -> str:
    """The text with names in the place of symbols; any other text as it is.

    Names follow each other directly, words with blanks between (none before ``.,!?;:)`` and after ``(``). A
    symbol beside a digit is part of an edit and stands in brackets: ``[Cl]5[Br]``, ``del3[Aib]``. ``escape``:
    names as they are written in HTML.
    """
    if text.isascii():
        return text
    return _RUN.sub((lambda found: html.escape(_spell(found))) if escape else _spell, text)


def spelled_escapes(text: str) -> str:
    """As ``spelled``, also of symbols that ``repr`` has written as escapes."""
    if "\\U00" in text:
        text = _ESCAPED.sub(lambda found: name_of(chr(int(found[0][2:], 16))), text)
    return spelled(text)


def _spell(found: re.Match[str]) -> str:
    run, around = found[0], found.string
    if len(run) == 1 and is_symbol(run) and _beside_digit(around, found.start(), found.end()):
        name = name_of(run)
        return name if len(name) > 2 and name[0] == "[" and name[-1] == "]" else f"[{name}]"
    parts: list[str] = []
    previous = ""
    for character in run:
        name = name_of(character)
        word = is_symbol(character) and _words[ord(character) - FIRST]
        if parts and word and name not in _CLOSING and previous != _OPENING:
            parts.append(" ")
        parts.append(name)
        previous = name
    return "".join(parts)


def _beside_digit(text: str, start: int, end: int) -> bool:
    return (start > 0 and text[start - 1] in "0123456789") or (end < len(text) and text[end] in "0123456789")
