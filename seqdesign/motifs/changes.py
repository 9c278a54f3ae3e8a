"""Motifs of designs and of their parents: which are gained and lost, and where they are in each design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import UsageError
from seqdesign.motifs.enrichment import MotifChange, changes, letter_background
from seqdesign.motifs.files import MotifSet, open_motifs
from seqdesign.motifs.scan import JoinedText, Matcher, matcher, scan
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import encode

PSEUDOCOUNT, P_VALUE = 0.1, 1e-4
"""As ``seqdesign motifs`` when nothing is said."""
MOST_SITES = 40
"""Sites of one design that are kept."""


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
    originals: Sequence[str], sequences: Sequence[str], collection: MotifSet, alphabet: Alphabet
) -> list[MotifChange]:
    """Motifs that sequences (N,) gain and lose against their parents (N,), the clearest first."""
    both = alphabet.name == "dna"
    texts = [_joined(some, alphabet) for some in (originals, sequences)]
    letters = letter_background((texts[0].frequencies() + texts[1].frequencies()) / 2, both_strands=both)
    ready = [matcher(motif, letters, PSEUDOCOUNT, P_VALUE) for motif in collection.motifs]
    before, after = (_with_hit(text, collection, ready, both) for text in texts)
    return changes(collection.motifs, before, after)


def sites_of(sequences: Sequence[str], collection: MotifSet, alphabet: Alphabet) -> dict[int, str]:
    """Where the motifs are in each of the sequences (N,), by its place: ``GATA1@12-18+;...``."""
    both = alphabet.name == "dna"
    text = _joined(sequences, alphabet)
    letters = letter_background(text.frequencies(), both_strands=both)
    ready = [matcher(motif, letters, PSEUDOCOUNT, P_VALUE) for motif in collection.motifs]
    found: dict[int, list[tuple[int, str]]] = {}
    every = scan(text, collection.motifs, ready, both_strands=both)
    for motif, hits in zip(collection.motifs, every, strict=True):
        for place, start, forward in zip(hits.sequence, hits.start, hits.forward, strict=True):
            name = f"{motif.name or motif.id}@{start + 1}-{start + motif.width}{'+' if forward else '-'}"
            found.setdefault(int(place), []).append((int(start), name))
    return {place: ";".join(name for _, name in sorted(sites)[:MOST_SITES]) for place, sites in found.items()}


def _joined(texts: Sequence[str], alphabet: Alphabet) -> JoinedText:
    array = encode(texts, alphabet, on_unknown="mask")
    return JoinedText.of(array.tokens, array.lengths, alphabet.size)


def _with_hit(
    text: JoinedText, collection: MotifSet, ready: Sequence[Matcher], both_strands: bool
) -> NDArray[np.bool_]:
    """(M, N) which sequences have a hit of which motif."""
    every = scan(text, collection.motifs, ready, both_strands=both_strands)
    return np.array([hits.found(text.num_sequences) for hits in every], dtype=np.bool_)
