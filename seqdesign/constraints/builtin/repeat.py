"""No word of so many letters twice, nor its reverse complement: ``--repeat 20``."""

from __future__ import annotations

import re

from seqdesign.constraints.starts import Starts
from seqdesign.constraints.word_pairs import WordPairs
from seqdesign.errors import UsageError

OPTION = "--repeat"


def repeat(text: str, starts: Starts) -> WordPairs:
    """Every word of ``int(text)`` letters occurs once, on both strands of DNA and RNA. Raises UsageError."""
    if not re.fullmatch(r"\s*\d{1,9}\s*", text, re.ASCII) or int(text) < 2:
        raise UsageError(
            f"must be the letters of the shortest repeat that is forbidden, such as 20, got {text!r}",
            option=OPTION,
        )
    size = int(text)
    if size >= starts.length:
        raise UsageError(
            f"no word of {size} letters can occur twice in a design of at most {starts.length}; leave it out",
            option=OPTION,
        )
    both = (1, starts.length) if starts.alphabet.complement else None
    return WordPairs(f"{OPTION} {size}", size, starts, equal=True, reverse=both)
