"""Motifs that designs gain and lose against their parents, on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import UsageError
from seqdesign.motifs.enrichment import changes, letter_background
from seqdesign.motifs.files import MotifSet, open_motifs
from seqdesign.motifs.motif import FloatArray, Motif
from seqdesign.motifs.scan import JoinedText, matcher, scan
from seqdesign.pages.designed import DesignSet
from seqdesign.pages.motifs import add_changes
from seqdesign.reports.html import Page
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


def add_motifs(
    page: Page, designs: DesignSet, source: str, alphabet: Alphabet, construct: Construct = Construct()
) -> None:
    """Gained and lost motifs of the bundled collection, ``jaspar``, or of a file, in their construct.

    Raises InputError for a file that cannot be read, UsageError for motifs over other letters.
    """
    collection = open_motifs(source, alphabet.letters)
    if collection.letters.replace("U", "T") != alphabet.letters.replace("U", "T"):
        raise UsageError(
            f"the motifs are over {collection.letters}, the sequences are {alphabet.name}", option="--motifs"
        )
    if designs.originals is None:
        page.section(
            "Gained and lost motifs", "The parents are not known, so nothing is gained or lost by design."
        )
        return
    both = alphabet.name == "dna"
    scans = [
        _Scan(texts, collection, construct, alphabet) for texts in (designs.originals, designs.sequences)
    ]
    background = (scans[0].frequencies + scans[1].frequencies) / 2
    before, after = (_with_hit(one, background, len(designs), both) for one in scans)
    found = changes(collection.motifs, before, after)
    add_changes(page, found, len(designs), {motif.id: motif for motif in collection.motifs}, collection.title)


def sites_of(
    designs: DesignSet, source: str, alphabet: Alphabet, construct: Construct = Construct()
) -> dict[str, str]:
    """Where the motifs are in each design, by id: ``GATA1@12-18+;...``; nothing over other letters.

    Of a site that reaches into what stands beside a design, the part inside it is named.

    Raises InputError for a file that cannot be read.
    """
    collection = open_motifs(source, alphabet.letters)
    if collection.letters.replace("U", "T") != alphabet.letters.replace("U", "T"):
        return {}
    one = _Scan(designs.sequences, collection, construct, alphabet)
    found: dict[str, list[tuple[int, str]]] = {}
    for motif, place, first, last, forward in one.hits(one.frequencies, alphabet.name == "dna"):
        inside = max(first, 0), min(last, len(designs.sequences[place]))
        across = "" if inside == (first, last) else " across the junction"
        called = f"{motif.name or motif.id}{across}@{inside[0] + 1}-{inside[1]}{'+' if forward else '-'}"
        found.setdefault(str(designs.rows[place]["id"]), []).append((inside[0], called))
    return {one: ";".join(name for _, name in sorted(sites)[:MOST_SITES]) for one, sites in found.items()}


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
