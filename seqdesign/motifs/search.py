"""The work behind ``seqdesign motifs``: read, scan, compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.motifs.denovo import NewMotif, find_motifs
from seqdesign.motifs.enrichment import Enrichment, MotifChange, changes, enrichment, letter_background
from seqdesign.motifs.files import MotifSet, bundled_motifs, read_motifs
from seqdesign.motifs.scan import Hits, JoinedText, Matcher, matcher, scan
from seqdesign.motifs.shuffle import shuffle_dinucleotides
from seqdesign.motifs.site_fit import excess_fit, order_by_fit
from seqdesign.runs.progress import Progress
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import TokenArray
from seqdesign.sequences.options import alphabet_with, encode_with, file_format
from seqdesign.sequences.parents import read_parents
from seqdesign.sequences.reader import SequenceSet, read_sequences

if TYPE_CHECKING:
    import os

    from seqdesign.commands.motifs import MotifsConfig

_BLOCK = 4096  # sequences shuffled at once


@dataclass(frozen=True, eq=False)
class Encoded:
    """N sequences as read and as letters."""

    ids: list[str]
    sequences: list[str]
    tokens: TokenArray
    source: str

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def alphabet(self) -> Alphabet:
        """Of the tokens."""
        return self.tokens.alphabet

    def text(self) -> JoinedText:
        """Joined, for scanning."""
        return JoinedText.of(self.tokens.tokens, self.tokens.lengths, self.alphabet.size)


@dataclass(frozen=True, eq=False)
class MotifSearch:
    """Everything that was found for M motifs in N sequences."""

    collection: MotifSet
    sequences: Encoded
    both_strands: bool
    num_best_only: int
    """Motifs of which only the best match counts."""
    hits: list[Hits]
    sequences_with: NDArray[np.bool_]
    """(M, N)."""
    background_name: str
    num_background: int
    enrichment: list[Enrichment]
    num_parents: int = 0
    pairs: list[tuple[int, int, str]] = field(default_factory=list)
    """(place of a sequence, place of its parent, the parent's id)."""
    parent_hits: list[Hits] = field(default_factory=list)
    changes: list[MotifChange] = field(default_factory=list)
    denovo: list[NewMotif] = field(default_factory=list)


def search(config: MotifsConfig) -> MotifSearch:
    """Read the motifs and sequences of ``config`` and compare them. Raises InputError and UsageError."""
    collection = bundled_motifs() if config.motifs is None else read_motifs(config.motifs)
    sequences = _read(config, config.input, None)
    alphabet = sequences.alphabet
    _check_letters(collection, alphabet)
    both = _both_strands(config, alphabet)
    rng = np.random.default_rng(config.seed)
    texts = [sequences.text()]
    if config.background is not None:
        others = _read(config, config.background, alphabet)
        texts.append(others.text())
        name, num_background = str(config.background), len(others)
    else:
        texts.append(_shuffled(sequences.tokens, config.shuffles, rng))
        name, num_background = f"{config.shuffles} dinucleotide shuffles of each", texts[1].num_sequences
    parents = None if config.parents is None else _read(config, config.parents, alphabet)
    pairs = []
    if parents is not None and config.parents is not None:
        pairs = read_parents(config, (config.input, config.parents), sequences.ids, parents.ids)
    letters = letter_background((texts[0].frequencies() + texts[1].frequencies()) / 2, both_strands=both)
    ready = [matcher(m, letters, config.pseudocount, config.p_value) for m in collection.motifs]
    hits, with_hit = _scan("scanning", config, texts[0], collection, ready, both)
    _, background_with = _scan("scanning the background", config, texts[1], collection, ready, both)
    places = {motif.id: i for i, motif in enumerate(collection.motifs)}

    def fit(name: str) -> float:
        i = places[name]
        return excess_fit(collection.motifs[i], ready[i], texts[0], texts[1], both_strands=both)

    found = MotifSearch(
        collection=collection,
        sequences=sequences,
        both_strands=both,
        num_best_only=sum(m.best_only for m in ready),
        hits=hits,
        sequences_with=with_hit,
        background_name=name,
        num_background=num_background,
        enrichment=order_by_fit(enrichment(collection.motifs, with_hit, background_with), fit),
        num_parents=0 if parents is None else len(parents),
        pairs=pairs,
    )
    if parents is not None:
        before, parents_with = _scan("scanning parents", config, parents.text(), collection, ready, both)
        child, parent = np.array([pair[:2] for pair in pairs], dtype=np.int64).T
        found.parent_hits.extend(before)
        found.changes.extend(changes(collection.motifs, parents_with[:, parent], with_hit[:, child]))
    if config.denovo:
        found.denovo.extend(
            find_motifs(texts[0], texts[1], config.denovo, collection, letters, both_strands=both, rng=rng)
        )
    return found


def _read(config: MotifsConfig, path: str | os.PathLike[str], alphabet: Alphabet | None) -> Encoded:
    records: SequenceSet = read_sequences(
        path,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        outcomes=False,
    )
    array = encode_with(config, records, alphabet or alphabet_with(config, records.sequences))
    kept = records.take(array.kept)
    if not len(kept):
        raise InputError("no record is left after --on-unknown skip", path=records.source)
    texts = kept.sequences
    if config.gaps == "strip":
        texts = [text.replace("-", "").replace(".", "") for text in texts]
    return Encoded(kept.ids, texts, array, records.source)


def _check_letters(collection: MotifSet, alphabet: Alphabet) -> None:
    """DNA motifs may be searched in RNA and the other way round: the letters have the same order."""
    if collection.letters.replace("U", "T") != alphabet.letters.replace("U", "T"):
        raise UsageError(
            f"the motifs are over {collection.letters}, the sequences are {alphabet.name} over "
            f"{alphabet.letters}; name a fitting motif file with --motifs, or the alphabet with --alphabet"
        )


def _both_strands(config: MotifsConfig, alphabet: Alphabet) -> bool:
    if config.strands == "both" and alphabet.complement != alphabet.letters[::-1]:
        raise UsageError(f"both needs dna or rna, got {alphabet.name}", option="--strands")
    return config.strands == "both" or (config.strands == "auto" and alphabet.name == "dna")


def _shuffled(array: TokenArray, copies: int, rng: np.random.Generator) -> JoinedText:
    blocks = [
        shuffle_dinucleotides(
            array.tokens[first : first + _BLOCK], array.lengths[first : first + _BLOCK], rng
        )
        for _ in range(copies)
        for first in range(0, len(array), _BLOCK)
    ]
    lengths = np.tile(array.lengths, copies)
    return JoinedText.of(np.concatenate(blocks), lengths, array.alphabet.size)


def _scan(
    what: str,
    config: MotifsConfig,
    text: JoinedText,
    collection: MotifSet,
    ready: list[Matcher],
    both_strands: bool,
) -> tuple[list[Hits], NDArray[np.bool_]]:
    """The hits of each motif, and (M, N) which sequences have one."""
    progress = Progress(what, quiet=config.quiet)
    found: list[Hits] = []
    with_hit = np.zeros((len(ready), text.num_sequences), dtype=np.bool_)
    for hits in scan(text, collection.motifs, ready, both_strands=both_strands):
        with_hit[len(found)] = hits.found(text.num_sequences)
        found.append(hits)
        progress.update(len(found), len(ready), "motifs")
    progress.close()
    return found, with_hit
