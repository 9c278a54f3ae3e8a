"""Which known motifs are in sequences, which are enriched, gained or lost, and which are new.

``find_motifs`` takes what a notebook has; ``search`` is the work itself, on sequences that are encoded.
Sequences and background are scanned block by block; what grows with them is a byte for each letter, and the
hits where they are kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.motifs.denovo import new_motifs
from seqdesign.motifs.encoded import Encoded, encode_records, shuffled
from seqdesign.motifs.enrichment import Enrichment, MotifChange, Tally, changes, enrichment, letter_background
from seqdesign.motifs.files import MotifSet, motif_set, open_motifs
from seqdesign.motifs.motif import Motif
from seqdesign.motifs.result import MotifSearch
from seqdesign.motifs.scan import Hits, JoinedText, Matcher, matcher, scan_block
from seqdesign.motifs.site_fit import compared, excess_fits, order_by_fit
from seqdesign.runs.progress import count, phase
from seqdesign.sequences.alphabets import Alphabet, get_alphabet, guess_alphabet
from seqdesign.sequences.encoders import GapPolicy, OnUnknown
from seqdesign.sequences.options import AUTO
from seqdesign.sequences.reader import SequenceSet, read_sequences

Strands = Literal["auto", "both", "one"]
Told = Callable[[str, int, int], None]
"""Is told what is done, how many of it are, and of how many."""
P_VALUE, PSEUDOCOUNT, SHUFFLES = 1e-4, 0.1, 5


Records = Sequence[str] | SequenceSet | str | os.PathLike[str]
"""Sequences as strings, as records, or as a file of them."""


def find_motifs(
    records: Records,
    motifs: MotifSet | Sequence[Motif] | str | os.PathLike[str] | None = None,
    *,
    background: Records | None = None,
    parents: Records | None = None,
    p_value: float = P_VALUE,
    strands: Strands = "auto",
    pseudocount: float = PSEUDOCOUNT,
    shuffles: int = SHUFFLES,
    denovo: int = 0,
    alphabet: str = AUTO,
    on_unknown: OnUnknown = "error",
    gaps: GapPolicy = "error",
    convert_ut: bool = False,
    seed: int = 0,
    progress: Told | None = None,
) -> MotifSearch:
    """Which motifs are in sequences, and which are in more of them than of the background.

    Args:
        records: sequences as strings, as a SequenceSet, or the path of a file.
        motifs: the path of a file, motifs, or None for the bundled JASPAR collection of vertebrates.
        background: sequences to compare with; shuffles that keep all pairs of neighbouring letters if None.
        parents: sequences with the same ids, to tell which motifs were gained or lost.
        p_value: a window is a hit if its p-value is at most this.
        strands: both, one, or auto: both for DNA, one for RNA and protein.
        pseudocount: sites of background letters added to each position of a motif.
        shuffles: shuffles of each sequence, where there is no background.
        denovo: how many new motifs to look for.
        alphabet: dna, rna, protein, letters:ABC..., or auto: by the letters.
        on_unknown: a letter outside the alphabet: error, skip its record, or mask it.
        gaps: gaps (- and .): error or remove.
        convert_ut: read U as T for DNA, T as U for RNA.
        seed: of the shuffles and of the search for new motifs.
        progress: is told what is done, how many of it are, and of how many.

    Returns:
        Hits, enrichment with p-values, gained and lost motifs, and new ones.

    Raises:
        InputError: files and letters that cannot be read.
        UsageError: arguments that do not fit.

    Example:
        >>> find_motifs(sequences, "known.meme").to_frame()
    """
    given = _records(records)
    if not 0 < p_value <= 1 or not 0 < pseudocount <= 1000 or shuffles < 1 or denovo < 0:
        raise UsageError(
            "p_value must be above 0 and at most 1, pseudocount above 0 and at most 1000, shuffles at least "
            f"1 and denovo at least 0, got {p_value}, {pseudocount}, {shuffles} and {denovo}"
        )
    letters = guess_alphabet(given.sequences) if alphabet == AUTO else get_alphabet(alphabet)

    def encoded(some: SequenceSet) -> Encoded:
        return encode_records(some, letters, on_unknown=on_unknown, gaps=gaps, convert_ut=convert_ut)

    if isinstance(motifs, MotifSet):
        collection = motifs
    elif motifs is None or isinstance(motifs, str | os.PathLike):
        collection = open_motifs(motifs, letters.letters)
    else:
        collection = motif_set(motifs, "", "the motifs given")
    sequences = encoded(given)
    others = None if background is None else encoded(_records(background))
    ancestors = None if parents is None else encoded(_records(parents))
    places = {} if ancestors is None else {name: i for i, name in enumerate(ancestors.ids)}
    pairs = [(i, places[name], name) for i, name in enumerate(sequences.ids) if name in places]
    if ancestors is not None and not pairs:
        raise InputError(f"no parent has the id of a sequence, such as '{sequences.ids[0]}'")
    return search(
        sequences, collection, background=others, background_name="the background given", parents=ancestors,
        pairs=pairs, both_strands=which_strands(strands, letters), p_value=p_value, pseudocount=pseudocount,
        shuffles=shuffles, denovo=denovo, seed=seed, progress=progress,
    )  # fmt: skip


def _records(records: Records) -> SequenceSet:
    if isinstance(records, SequenceSet):
        return records
    if isinstance(records, str | os.PathLike):
        return read_sequences(records, on_missing="unlabelled")
    texts = list(records)
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise InputError("sequences must be strings of at least one letter, and at least one of them")
    return SequenceSet([f"seq{i + 1}" for i in range(len(texts))], texts)


def which_strands(strands: Strands, alphabet: Alphabet) -> bool:
    """Whether to search both strands; auto is both for DNA. Raises UsageError where there are none."""
    if strands == "both" and alphabet.complement != alphabet.letters[::-1]:
        raise UsageError(f"both needs dna or rna, got {alphabet.name}", option="--strands")
    return strands == "both" or (strands == "auto" and alphabet.name == "dna")


def check_letters(collection: MotifSet, alphabet: Alphabet) -> None:
    """Raise UsageError for motifs over other letters.

    DNA motifs may be searched in RNA and the other way round: the letters have the same order.
    """
    if collection.letters.replace("U", "T") != alphabet.letters.replace("U", "T"):
        raise UsageError(
            f"the motifs are over {collection.letters}, the sequences are {alphabet.name} over "
            f"{alphabet.letters}; name a fitting motif file with --motifs, or the alphabet with --alphabet"
        )


@phase("searching")
def search(
    sequences: Encoded,
    collection: MotifSet,
    *,
    both_strands: bool,
    background: Encoded | None = None,
    background_name: str = "",
    parents: Encoded | None = None,
    pairs: Sequence[tuple[int, int, str]] = (),
    p_value: float = P_VALUE,
    pseudocount: float = PSEUDOCOUNT,
    shuffles: int = SHUFFLES,
    denovo: int = 0,
    seed: int = 0,
    keep_hits: bool = True,
    progress: Told | None = None,
) -> MotifSearch:
    """Scan sequences and background for motifs and compare them.

    background: None for ``shuffles`` shuffles of each sequence. pairs: (place of a sequence, place of its
    parent, the parent's id), for sequences whose parent is in ``parents``. keep_hits: without, only their
    number is known. Raises UsageError for motifs over other letters than the sequences.
    """
    check_letters(collection, sequences.alphabet)
    told = progress or (lambda what, done, of: count(done, of, what))
    rng = np.random.default_rng(seed)
    if background is None:
        against = shuffled(sequences, shuffles, rng)
        background_name = f"{shuffles} dinucleotide shuffles of each"
    else:
        against = background.text
    texts = (sequences.text, against)
    letters = letter_background(
        (texts[0].frequencies() + texts[1].frequencies()) / 2, both_strands=both_strands
    )
    ready = [matcher(m, letters, pseudocount, p_value) for m in collection.motifs]
    scanner = _Scanner(collection.motifs, ready, both_strands, told)
    here = scanner.run("scanning", texts[0], keep=keep_hits or bool(pairs), pairs=True)
    there = scanner.run("scanning the background", texts[1], keep=False, pairs=False)
    rows = enrichment(collection.motifs, here.tally, there.tally)
    before = None
    if parents is not None:
        before = scanner.run("scanning parents", parents.text, keep=True, pairs=False)
    return MotifSearch(
        collection=collection,
        sequences=sequences,
        both_strands=both_strands,
        p_value=p_value,
        num_best_only=sum(m.best_only for m in ready),
        num_hits=here.num_hits,
        num_with_hit=int(here.any_hit.sum()),
        hits=here.hits,
        background_name=background_name,
        num_background=against.num_sequences,
        enrichment=_ordered(rows, scanner, texts),
        num_parents=0 if parents is None else len(parents),
        pairs=list(pairs),
        parent_hits=[] if before is None else before.hits,
        changes=[] if before is None else _changes(scanner, here, before, pairs),
        denovo=new_motifs(*texts, denovo, collection, letters, both_strands=both_strands, rng=rng)
        if denovo
        else [],
    )


@dataclass(frozen=True, eq=False)
class _Scanned:
    """What a scan of one text has found."""

    tally: Tally
    any_hit: NDArray[np.bool_]
    """(N,) whether a sequence has any hit."""
    num_hits: int
    hits: list[Hits]


@dataclass(frozen=True, eq=False)
class _Scanner:
    """Motifs made ready, and whom to tell how far it is."""

    motifs: Sequence[Motif]
    matchers: Sequence[Matcher]
    both_strands: bool
    told: Told

    def run(self, what: str, text: JoinedText, *, keep: bool, pairs: bool) -> _Scanned:
        """Scan a text block by block; ``keep`` its hits, count ``pairs`` of motifs."""
        tally = Tally(len(self.motifs), pairs=pairs)
        any_hit = np.zeros(text.num_sequences, dtype=np.bool_)
        kept: list[list[Hits]] = [[] for _ in self.motifs]
        num_hits, done, num_blocks = 0, 0, sum(1 for _ in text.blocks())
        for first, part in text.blocks():  # a block takes its index with it
            found = np.zeros((len(self.motifs), part.num_sequences), dtype=np.bool_)
            every = scan_block(part, self.motifs, self.matchers, both_strands=self.both_strands)
            for i, hits in enumerate(every):
                found[i] = hits.found(part.num_sequences)
                num_hits += len(hits)
                if keep:
                    kept[i].append(hits.moved(first))
                done += 1
                self.told(what, done, num_blocks * len(self.motifs))
            tally.add(found)
            any_hit[first : first + part.num_sequences] = found.any(axis=0)
        return _Scanned(tally, any_hit, num_hits, [Hits.join(parts) for parts in kept] if keep else [])


def _ordered(
    rows: list[Enrichment], scanner: _Scanner, texts: tuple[JoinedText, JoinedText]
) -> list[Enrichment]:
    """Rows group by group, the motif first that describes the sites best."""
    places = {motif.id: i for i, motif in enumerate(scanner.motifs)}
    wanted = compared(rows)
    bits = excess_fits(
        [scanner.motifs[places[name]] for name in wanted],
        [scanner.matchers[places[name]] for name in wanted],
        *texts,
        both_strands=scanner.both_strands,
    )
    return order_by_fit(rows, dict(zip(wanted, bits, strict=True)).__getitem__)


def _changes(
    scanner: _Scanner, here: _Scanned, before: _Scanned, pairs: Sequence[tuple[int, int, str]]
) -> list[MotifChange]:
    child, parent = np.array([pair[:2] for pair in pairs], dtype=np.int64).T
    return changes(
        scanner.motifs,
        (hits.found(before.tally.num_sequences)[parent] for hits in before.hits),
        (hits.found(here.tally.num_sequences)[child] for hits in here.hits),
    )
