"""Motifs of designs and of their parents: which are gained and lost, and where they are in each design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import UsageError
from seqdesign.motifs.enrichment import MotifChange, changes, letter_background
from seqdesign.motifs.files import MotifSet, open_motifs
from seqdesign.motifs.motif import FloatArray, Motif
from seqdesign.motifs.scan import JoinedText, matcher, scan
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import encode

PSEUDOCOUNT, P_VALUE = 0.1, 1e-4
"""As ``seqdesign motifs`` when nothing is said."""
MOST_SITES = 40
"""Sites of one design that are kept."""


@dataclass(frozen=True)
class Construct:
    """What stands beside every design in what is made, and whether its ends are joined."""

    left: str = ""
    right: str = ""
    circular: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Construct:
        """That of a run with these options."""
        left, right = (str(options.get(name) or "") for name in ("left", "right"))
        return cls(left, right, bool(options.get("circular")))

    def around(self, design: str, reach: int) -> tuple[str, str]:
        """The ``reach`` letters before and after a design, or as many as there are."""
        if not self.circular:
            return self.left[max(0, len(self.left) - reach) :], self.right[:reach]
        beside = self.right + self.left
        turns = 1 + reach // max(1, len(beside) + len(design))
        reach = min(reach, len(beside) + len(design) - 1)
        before, after = (design + beside) * turns, (beside + design) * turns
        return before[len(before) - reach :], after[:reach]


def motifs_over(source: str, alphabet: Alphabet) -> MotifSet:
    """The bundled collection, ``jaspar``, or that of a file.

    Raises InputError for a file that cannot be read, UsageError for motifs over other letters.
    """
    collection = open_motifs(source, alphabet.letters)
    if collection.letters.replace("U", "T") != alphabet.letters.replace("U", "T"):
        raise UsageError(
            f"the motifs are over {collection.letters}, the sequences are {alphabet.name}; leave it out",
            option="--motifs",
        )
    return collection


def gained_and_lost(
    originals: Sequence[str],
    sequences: Sequence[str],
    collection: MotifSet,
    alphabet: Alphabet,
    construct: Construct = Construct(),
) -> list[MotifChange]:
    """Motifs that sequences (N,) gain and lose against their parents (N,), the clearest first."""
    both = alphabet.name == "dna"
    scans = [_Scan(some, collection, construct, alphabet) for some in (originals, sequences)]
    background = (scans[0].frequencies + scans[1].frequencies) / 2
    before, after = (_with_hit(one, background, len(sequences), both) for one in scans)
    return changes(collection.motifs, before, after)


def sites_of(
    sequences: Sequence[str], collection: MotifSet, alphabet: Alphabet, construct: Construct = Construct()
) -> dict[int, str]:
    """Where the motifs are in each of the sequences (N,), by its place: ``GATA1@12-18+;...``.

    Of a site that reaches into what stands beside a sequence, the part inside it is named.
    """
    one = _Scan(sequences, collection, construct, alphabet)
    found: dict[int, list[tuple[int, str]]] = {}
    for motif, place, first, last, forward in one.hits(one.frequencies, alphabet.name == "dna"):
        inside = max(first, 0), min(last, len(sequences[place]))
        across = "" if inside == (first, last) else " across the junction"
        called = f"{motif.name or motif.id}{across}@{inside[0] + 1}-{inside[1]}{'+' if forward else '-'}"
        found.setdefault(place, []).append((inside[0], called))
    return {place: ";".join(name for _, name in sorted(sites)[:MOST_SITES]) for place, sites in found.items()}


class _Scan:
    """Sequences in their construct, and the motifs in them."""

    def __init__(
        self, texts: Sequence[str], collection: MotifSet, construct: Construct, alphabet: Alphabet
    ) -> None:
        self.texts, self.collection = texts, collection
        reach = max((motif.width for motif in collection.motifs), default=1) - 1
        around = [construct.around(text, reach) for text in texts]
        self._offsets = [len(left) for left, _ in around]
        whole = [left + text + right for text, (left, right) in zip(texts, around, strict=True)]
        array = encode(whole, alphabet, on_unknown="mask")
        self._joined = JoinedText.of(array.tokens, array.lengths, alphabet.size)
        self.frequencies = self._joined.frequencies()

    def hits(self, background: FloatArray, both_strands: bool) -> Iterator[tuple[Motif, int, int, int, bool]]:
        """Motif, place of the text, [first, last) in it, and strand of each site that the text is part of."""
        letters = letter_background(background, both_strands=both_strands)
        motifs = self.collection.motifs
        ready = [matcher(motif, letters, PSEUDOCOUNT, P_VALUE) for motif in motifs]
        every = scan(self._joined, motifs, ready, both_strands=both_strands)
        for motif, hits in zip(motifs, every, strict=True):
            for place, start, forward in zip(hits.sequence, hits.start, hits.forward, strict=True):
                first = int(start) - self._offsets[place]
                if first < len(self.texts[place]) and first + motif.width > 0:
                    yield motif, int(place), first, first + motif.width, bool(forward)


def _with_hit(one: _Scan, background: FloatArray, count: int, both_strands: bool) -> NDArray[np.bool_]:
    """(M, N) which sequences have a hit of which motif."""
    number = {motif.id: i for i, motif in enumerate(one.collection.motifs)}
    found = np.zeros((len(number), count), dtype=np.bool_)
    for motif, place, *_ in one.hits(background, both_strands):
        found[number[motif.id], place] = True
    return found
