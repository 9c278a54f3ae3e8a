"""What must not occur, on both strands of nucleotides: ``--forbid GAATTC``, ``--forbid BsaI``, ``Dam``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from seqdesign.constraints.patterns import Pattern, PatternConstraint
from seqdesign.constraints.starts import Starts, classes
from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import Alphabet

OPTION = "--forbid"
METHYLASES: Mapping[str, str] = {"Dam": "GATC", "Dcm": "CCWGG", "CpG": "CG", "EcoKI": "AACNNNNNNGTGC"}
"""What they methylate, 5' to 3'; other sites where they are read from the minus strand."""
SPECIES = 3
"""Letters of an enzyme's name that stand for its species, which are seldom wrong."""
SHOWN = 3
"""Near misses that are named."""


def forbid(text: str, starts: Starts) -> PatternConstraint:
    """No match of an IUPAC pattern or of the site of a restriction enzyme. Raises UsageError.

    With complements the reverse complement of the pattern must not occur either.
    """
    site = resolve(text.strip(), starts.alphabet)
    what = site if site.upper() == text.strip().upper() else f"{text.strip()} site {site}"
    found = [Pattern(classes(site, starts.alphabet, OPTION), what)]
    if starts.alphabet.complement:
        reverse = classes(starts.alphabet.reverse_complement(site), starts.alphabet, OPTION)
        if not reverse.equal(found[0].classes):
            found.append(Pattern(reverse, f"{what} on the minus strand"))
    return PatternConstraint(f"{OPTION} {text.strip()}", found, starts.device)


def resolve(text: str, alphabet: Alphabet) -> str:
    """The pattern that ``text`` means in an alphabet: itself, or the site of the enzyme it names.

    For DNA and RNA capitals (GAATTC) and small letters (gaattc) are patterns. What is written as names are is
    one: of an enzyme of REBASE in Biopython, or of a methylase. ``Dam`` is GATC, ``DAM`` the pattern D-A-M,
    and ``dam``, which may be either, is refused, as is ``Bsa``, with which names begin. Raises UsageError.
    """
    if not text:
        raise UsageError(
            "must be a pattern such as GAATTC or an enzyme such as BsaI, got nothing", option=OPTION
        )
    letters = {*alphabet.letters, *alphabet.ambiguity}
    plain = all(c in letters for c in (text if alphabet.case_sensitive else text.upper()))
    if alphabet.name not in ("dna", "rna"):
        return text
    methylases = {name.lower(): name for name in METHYLASES}
    if plain and text.islower() and text in methylases:
        name = methylases[text]
        raise UsageError(
            f"{text!r} may be the methylase {name}, which is written {name} or {METHYLASES[name]}, or the "
            f"pattern {text.upper()}; write what is meant",
            option=OPTION,
        )
    if plain and (text.isupper() or text.islower()):
        return text
    site = METHYLASES.get(text if plain else methylases.get(text.lower(), "")) or _enzyme_site(text, plain)
    return site.replace("T", "U") if alphabet.name == "rna" else site


def _enzyme_site(text: str, plain: bool) -> str:
    """The site of an enzyme; in any case of letters unless the name could be a pattern. Raises UsageError."""
    from Bio.Restriction.Restriction_Dictionary import rest_dict

    names = {name.lower(): name for name in rest_dict}
    name = text if text in rest_dict else None if plain else names.get(text.lower())
    if name is None and plain and not any(known.startswith(text.lower()) for known in names):
        return text
    if name is None:
        near = _nearest(text, [*names.values(), *METHYLASES])
        pattern = f"; the pattern is written {text.upper()}" if plain else ""
        raise UsageError(
            f"{text!r} is neither a pattern of letters and IUPAC codes nor a known restriction enzyme or "
            f"methylase{near}{pattern}",
            option=OPTION,
        )
    return str(rest_dict[name]["site"]).upper()


def _nearest(text: str, names: Sequence[str]) -> str:
    """``did you mean`` with the names that begin so, the shortest first, or that are nearest in any case."""
    begin = sorted((n for n in names if n.lower().startswith(text.lower())), key=lambda n: (len(n), n))
    known = {name.lower(): name for name in names}
    roman = text.lower().replace("1", "i").replace("2", "ii").replace("3", "iii").replace("5", "v")
    begin = ([known[roman]] if roman in known else []) + begin
    alike = difflib.get_close_matches(text.lower(), list(known))
    alike.sort(key=lambda name: name[:SPECIES] != text.lower()[:SPECIES])
    close = [known[name] for name in alike[:1]]
    found = list(dict.fromkeys([*begin[:SHOWN], *close]))[:SHOWN] if len(text) > 1 else close
    return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""
