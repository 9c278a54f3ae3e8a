"""Variants of a wild type as people write them: A42G:T50S, p.[Ala42Gly;Thr50Ser], del42A, n.42_44del.

Read is what ProteinGym, MAVE-HGVS (Esposito et al. 2019, Genome Biology 20:223) and this package write. All
changes of a cell are in the numbering of the wild type. No file is read here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from seqdesign.errors import InputError
from seqdesign.sequences.lab.chains import Joined

COLUMNS = ("mutant", "mutations", "mutation", "variant", "hgvs_pro", "hgvs_nt")
"""Columns of mutations that are found by themselves."""
WILD_TYPE = "WT"
SHOWN = 3
"""Cells that a message names."""

AMINO_ACIDS = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G",
    "His": "H", "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Ser": "S",
    "Thr": "T", "Trp": "W", "Tyr": "Y", "Val": "V", "Sec": "U", "Pyl": "O", "Ter": "*", "Xaa": "X",
}  # fmt: skip
_SAME = frozenset({"", "wt", "_wt", "_sy", "wildtype", "wild-type", "wild type", "wild_type", "=", "(=)"})
_LETTER = "(?:" + "|".join(AMINO_ACIDS) + r"|[A-Za-z*])"
_POINT = re.compile(rf"(?P<old>{_LETTER})(?P<at>-?\d+)(?P<new>{_LETTER}|=|-)")
_BASE = re.compile(r"(?P<at>-?\d+)(?P<old>[A-Za-z])>(?P<new>[A-Za-z])")
_RANGE = re.compile(
    rf"(?P<a>{_LETTER})?(?P<from>-?\d+)(?:_(?P<b>{_LETTER})?(?P<to>-?\d+))?(?P<what>delins|del|dup|ins)"
    rf"(?P<text>[A-Za-z*]*)"
)
_OURS = re.compile(r"(?:del(?P<gone>-?\d+)(?P<old>[A-Za-z])|ins(?P<before>-?\d+)(?P<new>[A-Za-z]+))")
_THREE = re.compile("(?:" + "|".join(AMINO_ACIDS) + ")+")
_PREFIX = re.compile(r"^(?:(?:[NX][CGMPR]_|ENS[A-Z]+)\d+(?:\.\d+)?:)?[pcngrm]\.")
_BETWEEN = re.compile(r"[:;,/+|&\s]+|(?<=[A-Za-z*=])[_-](?=[A-Za-z]+-?\d)")
"""Between changes; the underscore of A42_G43insS has a number in front of it."""


@dataclass(frozen=True)
class Change:
    """Letters ``at`` to before ``to`` (the user's numbers) become ``new``; claims: what stands where."""

    at: int
    to: int
    new: str
    claims: tuple[tuple[int, str], ...] = ()


def parse_variant(text: str) -> tuple[Change, ...] | None:
    """The changes that a cell says, none for the wild type; None for text that says no changes.

    Several are separated by colon, semicolon, comma, slash, plus sign, ampersand or blanks, substitutions
    also by underscore or hyphen.
    """
    plain = _bare(text.strip())
    if plain.lower() in _SAME:
        return ()
    changes = []
    for word in _BETWEEN.split(plain):
        if not word:
            continue
        bare = _bare(word)
        if bare.lower() in _SAME:
            continue
        change = _change(bare)
        if change is None:
            return None
        changes.append(change)
    return tuple(changes)


def _bare(text: str) -> str:
    """Without ``p.`` and brackets around it."""
    text = _PREFIX.sub("", text)
    while len(text) > 1 and text[0] + text[-1] in ("[]", "()") and text[0] not in text[1:]:
        text = text[1:-1]
    return text


def _one(letter: str) -> str:
    return AMINO_ACIDS.get(letter, letter.upper())


def _letters(text: str) -> str:
    """Letters of an insertion; names of amino acids become letters."""
    if _THREE.fullmatch(text):
        return "".join(AMINO_ACIDS[text[i : i + 3]] for i in range(0, len(text), 3))
    return text.upper()


def _change(word: str) -> Change | None:
    if found := _POINT.fullmatch(word) or _BASE.fullmatch(word):
        at, old, new = int(found["at"]), _one(found["old"]), found["new"]
        letter = old if new == "=" else "" if new == "-" else _one(new)
        return Change(at, at + 1, letter, ((at, old),))
    if found := _OURS.fullmatch(word):
        if found["gone"]:
            at = int(found["gone"])
            return Change(at, at + 1, "", ((at, found["old"].upper()),))
        at = int(found["before"])
        return Change(at, at, found["new"].upper())
    found = _RANGE.fullmatch(word)
    return _ranged(found) if found else None


def _ranged(found: re.Match[str]) -> Change | None:
    first, what, text = int(found["from"]), found["what"], found["text"]
    last = int(found["to"] or first)
    ends = ((first, found["a"]), (last, found["b"]))
    claims = tuple((number, _one(letter)) for number, letter in ends if letter)
    if what == "ins":  # between two neighbours
        fits = last == first + 1 and text
        return Change(last, last, _letters(text), claims) if fits else None
    if last < first or (what == "delins") != bool(text and what != "del"):
        return None
    if what == "dup":
        return Change(last + 1, last + 1, f"={first}-{last}", claims)
    return Change(first, last + 1, _letters(text) if what == "delins" else "", claims)


def unmutated(sequences: Sequence[str], cells: Sequence[str]) -> bool:
    """Whether sequences have the letters that the mutations of their rows replace, in at least three rows and
    nearly all that replace any: they are wild types, and nobody measured them.
    """
    old = total = 0
    for text, cell in zip(sequences, cells, strict=True):
        letters = "".join(text.split()).upper()
        said = [(change.at, change.claims, change.new) for change in parse_variant(cell) or ()]
        points = [(at, claims[0][1]) for at, claims, new in said if len(claims) == 1 and new != claims[0][1]]
        if points:
            total += 1
            old += all(0 < at <= len(letters) and letters[at - 1] == letter for at, letter in points)
    return old >= 3 and old >= 0.9 * total


def _offsets(wild: str, claims: Collection[tuple[int, str]]) -> set[int]:
    """Numbers of the first letter with which a wild type has all letters of some claims."""
    numbers = [number for number, _ in claims]
    return {
        first
        for first in range(max(numbers) - len(wild) + 1, min(numbers) + 1)
        if all(wild[number - first] == letter for number, letter in claims)
    }


@dataclass(frozen=True)
class Numbering:
    """A wild type, "" where there is none, and the number of its first letter, by which edits are told.

    joined: the columns of which sequences were made, where they were several.
    """

    name: str = ""
    wild_type: str = ""
    first: int = 1
    joined: Joined | None = None


@dataclass
class Variants:
    """The wild type of a table of mutations, and what did not fit while cells were read.

    wild_type: "" where each row has its own. first: number of its first letter. column: of the mutations, or
    several, as wt,pos,mut, that make them together; None to look among ``COLUMNS``.
    """

    name: str
    wild_type: str
    first: int = 1
    column: str | None = None
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    """(line, cell, why) of cells that could not be read."""
    claims: dict[str, set[tuple[int, str]]] = field(default_factory=dict)
    """Wild type -> all (number, letter) that cells say of it."""
    wild_types: str = ""
    """Column of the wild type of each row, where they have their own."""
    count: int = 0
    empty: list[int] = field(default_factory=list)
    """Lines of empty cells, which are the wild type."""

    @property
    def numbering(self) -> Numbering:
        """What designs need to speak the same language."""
        return Numbering(self.name, self.wild_type, self.first)

    def sequences(
        self, cells: Sequence[str], lines: Sequence[int], own: Sequence[str] | None = None
    ) -> list[str]:
        """The sequence of each cell; "" for one with a problem, which ``refuse`` tells of.

        own: the wild type of each, where it is not ``wild_type``.
        """
        found = []
        for cell, line, wild in zip(cells, lines, own or [self.wild_type] * len(cells), strict=True):
            self.count += 1
            self.empty += [line] * (not cell.strip())
            changes = parse_variant(cell)
            if changes is None:
                self.problems.append((line, cell, "says no substitution, deletion or insertion"))
                found.append("")
                continue
            said = self.claims.setdefault(wild.upper(), set())
            said.update(claim for change in changes for claim in change.claims)
            text, why = self.apply(changes, wild)
            if why:
                self.problems.append((line, cell, why))
            found.append(text)
        return found

    def apply(self, changes: Sequence[Change], wild: str) -> tuple[str, str]:
        """(sequence, "") of a wild type after these changes, or ("", why not)."""
        length = len(wild)
        for number, letter in (claim for change in changes for claim in change.claims):
            if not 0 <= number - self.first < length:
                return "", f"position {number} is outside {self.first} to {self.first + length - 1}"
            if (stands := wild[number - self.first].upper()) != letter:
                return "", f"position {number} is {stands}, not {letter}"
        pieces, at = [], 0
        for change in sorted(changes, key=lambda one: (one.at, one.to)):
            start, end = change.at - self.first, change.to - self.first
            if start < at and not (start == end == at):
                return "", f"position {change.at} is changed twice"
            if not 0 <= start <= end <= length:
                return "", f"position {change.at} is outside {self.first} to {self.first + length - 1}"
            pieces += [wild[at:start], self._new(change.new, wild)]
            at = end
        text = "".join([*pieces, wild[at:]])
        return text, "" if text else "nothing is left"

    def _new(self, text: str, wild: str) -> str:
        """Letters of a change; ``=3-5`` stands for those of the wild type."""
        if not text.startswith("="):
            return text
        first, last = (int(n) - self.first for n in re.findall(r"(?<=[=-])-?\d+", text))
        return wild[first : last + 1]

    def offsets(self) -> list[int]:
        """Values of ``first`` with which wild types have all letters that cells say, nearest first."""
        every = [_offsets(wild, said) for wild, said in self.claims.items() if said]
        fits = set.intersection(*every) if every else set[int]()
        return sorted(fits, key=lambda first: (abs(first - self.first), first))

    def refuse(self, source: str, column: str, *, adjustable: bool = False) -> None:
        """Raise InputError that names the cells with a problem, and the numbering that would explain all.

        adjustable: whether there is an option to leave rows out.
        """
        if not self.problems:
            return
        line, cell, why = self.problems[0]
        rest = [f"line {n} '{c}': {w}" for n, c, w in self.problems[1:SHOWN]]
        others = len(self.problems) - 1 - len(rest)
        more = f"; also {'; '.join(rest)}" + (f" and {others:,} more" if others else "") if rest else ""
        fits = self.offsets()
        wild, doubt = f"the wild type '{self.name}'", f"'{self.name}' is the wild type"
        if not self.wild_type:
            wild, doubt = "the sequence of its row", "the sequences are those before the mutations"
        remedy = f"check that {doubt}, or correct the cells"
        if fits and self.first not in fits:
            said = " or ".join(map(str, fits[:SHOWN]))
            remedy = f"with --first-position {said} all letters fit the wild type"
        elif all("says no" in w for _, _, w in self.problems):
            how = self._leave_out(adjustable)
            remedy = f"write A42G, A42G:T50S, p.Ala42Gly, del42A, ins43S, A42_G43insS or WT, or {how}"
        raise InputError(
            f"column '{column}': '{cell}' does not fit {wild}: {why}{more} "
            f"({len(self.problems):,} of {self.count:,} cells); {remedy}"
            if "says no" not in why
            else f"column '{column}': '{cell}' {why}{more} ({len(self.problems):,} of {self.count:,} cells); "
            f"{remedy}",
            path=source,
            line=line or None,
        )

    def _leave_out(self, adjustable: bool) -> str:
        """How to do without the rows with a problem."""
        cells = {cell.strip(): None for _, cell, _ in self.problems}
        if not adjustable or len(cells) > SHOWN:
            return "remove the rows"
        return f"leave such rows out with {' '.join(f'--missing {shlex.quote(cell)}' for cell in cells)}"

    def named(self, cell: str) -> str:
        """A readable cell in one notation: ``A42G:T50S``, ``del42A:ins50ST``, ``WT``."""
        parts: list[str] = []
        for change in sorted(parse_variant(cell) or (), key=lambda one: (one.at, one.to)):
            old, new = (
                self.wild_type[change.at - self.first : change.to - self.first].upper(),
                self._new(change.new, self.wild_type),
            )
            if len(old) == len(new):
                pairs = zip(old, new, strict=True)
                parts += [f"{a}{i}{b}" for i, (a, b) in enumerate(pairs, change.at) if a != b]
                continue
            parts += [f"del{i}{a}" for i, a in enumerate(old, change.at)]
            parts += [f"ins{change.to}{new}"] if new else []
        return ":".join(parts) or WILD_TYPE
