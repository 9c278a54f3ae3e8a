"""Patterns that must not occur: ``--forbid GAATTC``, ``--forbid BsaI``; on both strands of DNA and RNA."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from seqdesign.constraints.patterns import Pattern, PatternConstraint
from seqdesign.constraints.starts import Starts, classes
from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import Alphabet

OPTION = "--forbid"


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

    Names of enzymes are those of REBASE in Biopython, in any case; a name written exactly as there wins over
    a pattern. Raises UsageError.
    """
    if not text:
        raise UsageError(
            "must be a pattern such as GAATTC or an enzyme such as BsaI, got nothing", option=OPTION
        )
    letters = {*alphabet.letters, *alphabet.ambiguity}
    plain = all(c in letters for c in (text if alphabet.case_sensitive else text.upper()))
    if alphabet.name not in ("dna", "rna"):
        return text
    if plain and text.isupper():
        return text
    from Bio.Restriction.Restriction_Dictionary import rest_dict

    names = {name.lower(): name for name in rest_dict}
    name = text if text in rest_dict else None if plain else names.get(text.lower())
    if name is None:
        if plain:
            return text
        raise UsageError(
            f"{text!r} is neither a pattern of {alphabet.letters} and IUPAC codes nor a known restriction "
            f"enzyme{_nearest(text, names)}",
            option=OPTION,
        )
    site = str(rest_dict[name]["site"]).upper()
    return site.replace("T", "U") if alphabet.name == "rna" else site


def _nearest(text: str, names: Mapping[str, str]) -> str:
    """Lower case -> name; ``did you mean`` with the name that is nearest in any case, or nothing."""
    close = difflib.get_close_matches(text.lower(), list(names), n=1)
    return f"; did you mean '{names[close[0]]}'?" if close else ""
