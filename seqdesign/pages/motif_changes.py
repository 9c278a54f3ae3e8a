"""Motifs that designs gain and lose against their parents, on a page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import UsageError
from seqdesign.motifs.enrichment import changes, letter_background
from seqdesign.motifs.files import MotifSet, open_motifs
from seqdesign.motifs.scan import JoinedText, Matcher, matcher, scan
from seqdesign.pages.designed import DesignSet
from seqdesign.pages.motifs import add_changes
from seqdesign.reports.html import Page
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import encode

PSEUDOCOUNT, P_VALUE = 0.1, 1e-4
"""As ``seqdesign motifs`` when nothing is said."""
MOST_SITES = 40
"""Sites of one design that are kept."""


def add_motifs(page: Page, designs: DesignSet, source: str, alphabet: Alphabet) -> None:
    """Gained and lost motifs of the bundled collection, ``jaspar``, or of a file.

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
    texts = [_joined(texts, alphabet) for texts in (designs.originals, designs.sequences)]
    letters = letter_background((texts[0].frequencies() + texts[1].frequencies()) / 2, both_strands=both)
    ready = [matcher(motif, letters, PSEUDOCOUNT, P_VALUE) for motif in collection.motifs]
    before, after = (_with_hit(text, collection, ready, both) for text in texts)
    found = changes(collection.motifs, before, after)
    add_changes(page, found, len(designs), {motif.id: motif for motif in collection.motifs}, collection.title)


def sites_of(designs: DesignSet, source: str, alphabet: Alphabet) -> dict[str, str]:
    """Where the motifs are in each design, by id: ``GATA1@12-18+;...``; nothing over other letters.

    Raises InputError for a file that cannot be read.
    """
    collection = open_motifs(source, alphabet.letters)
    if collection.letters.replace("U", "T") != alphabet.letters.replace("U", "T"):
        return {}
    both = alphabet.name == "dna"
    text = _joined(designs.sequences, alphabet)
    letters = letter_background(text.frequencies(), both_strands=both)
    ready = [matcher(motif, letters, PSEUDOCOUNT, P_VALUE) for motif in collection.motifs]
    found: dict[str, list[tuple[int, str]]] = {}
    every = scan(text, collection.motifs, ready, both_strands=both)
    for motif, hits in zip(collection.motifs, every, strict=True):
        for place, start, forward in zip(hits.sequence, hits.start, hits.forward, strict=True):
            name = f"{motif.name or motif.id}@{start + 1}-{start + motif.width}{'+' if forward else '-'}"
            found.setdefault(str(designs.rows[int(place)]["id"]), []).append((int(start), name))
    return {one: ";".join(name for _, name in sorted(sites)[:MOST_SITES]) for one, sites in found.items()}


def _joined(texts: Sequence[str], alphabet: Alphabet) -> JoinedText:
    array = encode(texts, alphabet, on_unknown="mask")
    return JoinedText.of(array.tokens, array.lengths, alphabet.size)


def _with_hit(
    text: JoinedText, collection: MotifSet, ready: Sequence[Matcher], both_strands: bool
) -> NDArray[np.bool_]:
    """(M, N) which sequences have a hit of which motif."""
    every = scan(text, collection.motifs, ready, both_strands=both_strands)
    return np.array([hits.found(text.num_sequences) for hits in every], dtype=np.bool_)
