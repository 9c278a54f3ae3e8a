"""No stem of so many letters around a loop: ``--hairpin 12:3-20``."""

from __future__ import annotations

import re

from seqdesign.constraints.starts import Starts
from seqdesign.constraints.word_pairs import WordPairs
from seqdesign.errors import UsageError

OPTION = "--hairpin"


def hairpin(text: str, starts: Starts) -> WordPairs:
    """No word that is followed by its reverse complement, with a loop of so many letters between them.

    Only Watson-Crick pairs without a bulge count; stability is not computed. Raises UsageError.
    """
    starts.need_complement(OPTION, "a stem")
    match = re.fullmatch(r"\s*(\d{1,6})\s*:\s*(\d{1,6})-(\d{1,6})\s*", text, re.ASCII)
    stem, low, high = (int(match[i]) for i in (1, 2, 3)) if match else (0, 0, 0)
    if stem < 2 or low > high:
        raise UsageError(
            "must be the letters of the stem, and the fewest and most of the loop, such as 12:3-20, "
            f"got {text!r}",
            option=OPTION,
        )
    if 2 * stem + low > starts.length:
        raise UsageError(
            f"such a hairpin has {2 * stem + low} letters at least, but the designs have at most "
            f"{starts.length}; leave it out",
            option=OPTION,
        )
    return WordPairs(f"{OPTION} {text}", stem, starts, equal=False, reverse=(stem + low, stem + high))
