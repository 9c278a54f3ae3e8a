"""Runs of one letter that are not too long: ``--max-homopolymer 5``, or by letter ``5,G:4``."""

from __future__ import annotations

import re

import torch

from seqdesign.constraints.patterns import Pattern, PatternConstraint
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError

OPTION = "--max-homopolymer"


def max_homopolymer(text: str, starts: Starts) -> PatternConstraint:
    """No run longer than the number given, or than that of its own letter. Raises UsageError."""
    alphabet = starts.alphabet
    limits: dict[int, int] = {}
    general = None
    for part in text.split(","):
        match = re.fullmatch(r"\s*(?:(\S+):)?(\d{1,9})\s*", part, re.ASCII)
        if match is None or int(match[2]) < 1:
            raise UsageError(
                f"must be a number from 1 on, or one for a letter such as G:4, or a list such as 5,G:4; "
                f"got {text!r}",
                option=OPTION,
            )
        letter = None if match[1] is None else alphabet.tokenize(match[1])
        letter = letter if letter is None or alphabet.case_sensitive else letter.upper()
        if letter is None:
            general = int(match[2])
        elif len(letter) == 1 and letter in alphabet.letters:
            limits[alphabet.letters.index(letter)] = int(match[2])
        else:
            raise UsageError(
                f"{letter!r} is not in the alphabet {alphabet.name} ({alphabet.shown})", option=OPTION
            )
    runs = {i: limits.get(i, general) for i in range(alphabet.size)}
    # A run that is longer than the sequence needs no rule.
    patterns = [
        Pattern(_run(i, n + 1, alphabet.size), f"more than {n} {alphabet.letters[i]} in a row")
        for i, n in runs.items()
        if n is not None and n < starts.length
    ]
    if not patterns:
        raise UsageError(
            f"no run in a design of at most {starts.length} letters is longer than {text}; leave it out",
            option=OPTION,
        )
    return PatternConstraint(f"{OPTION} {text}", patterns, starts.device)


def _run(letter: int, length: int, size: int) -> torch.Tensor:
    found = torch.zeros(length, size, dtype=torch.bool)
    found[:, letter] = True
    return found
