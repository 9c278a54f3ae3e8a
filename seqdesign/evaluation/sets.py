"""The sets that ``evaluate`` compares: read, put into one alphabet, and given their roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seqdesign.errors import InputError
from seqdesign.metrics.resampling import Indices
from seqdesign.sequences.alphabets import Alphabet, has_words
from seqdesign.sequences.encoders import decode
from seqdesign.sequences.options import (
    LetterOptions,
    SequenceColumns,
    alphabet_with,
    encode_with,
    file_format,
    layout_of,
)
from seqdesign.sequences.reader import SequenceSet, read_sequences

FEWEST = 10
DESIGNERS = frozenset({"maximize", "revise", "select"})
"""Commands whose sequences are meant to differ from real ones."""


@dataclass(frozen=True)
class Sets:
    """The sequences of each file, in the alphabet's own letters; empty where no file was given."""

    alphabet: Alphabet
    generated: list[str]
    training: list[str]
    held_out: list[str]
    sources: tuple[str, ...]
    """Files that were read."""
    designed_by: str = ""
    """The command that wrote the generated ones, if they are designs of ours."""


@dataclass(frozen=True)
class Sample:
    """What the statistics are computed on: one list of texts, and who is who in it."""

    texts: list[str]
    generated: Indices
    training: Indices
    """Real sequences that stand in the place of generated ones, as many as those."""
    held_out: Indices
    """Real sequences that both are compared with."""
    rest: list[str]
    """Other training sequences, which may be learned from."""

    def pick(self, name: str, most: int | None = None) -> list[str]:
        """The texts of one set, the first ``most`` of them; their order is random."""
        return [self.texts[i] for i in getattr(self, name)[:most].tolist()]

    def smaller(self, most: int) -> Sample:
        """The first ``most`` of each set."""
        first, second, third = (self.pick(name, most) for name in ("generated", "training", "held_out"))
        return _sample(first, second, third, self.rest)

    def instead(self, texts: list[str]) -> Sample:
        """The same with ``texts`` for the generated ones, as many of them as there are of those."""
        return _sample(texts[: len(self.generated)], self.pick("training"), self.pick("held_out"), self.rest)


def read_sets(
    generated: Path,
    training: Path | None = None,
    held_out: Path | None = None,
    *,
    columns: SequenceColumns = SequenceColumns(),  # noqa: B008 - frozen
    letters: LetterOptions = LetterOptions(),  # noqa: B008 - frozen
) -> Sets:
    """Read the files; the alphabet is that of the real sequences. Raises InputError and UsageError."""
    paths = {"generated": generated, "training": training, "held_out": held_out}
    records = {
        name: _read(columns, path, letters.alphabet) for name, path in paths.items() if path is not None
    }
    return make_sets(records["generated"], records.get("training"), records.get("held_out"), letters=letters)


def make_sets(
    generated: SequenceSet,
    training: SequenceSet | None = None,
    held_out: SequenceSet | None = None,
    *,
    letters: LetterOptions = LetterOptions(),  # noqa: B008 - frozen
) -> Sets:
    """As ``read_sets``, of sequences in memory."""
    given = {"generated": generated, "training": training, "held_out": held_out}
    records = {name: block for name, block in given.items() if block is not None}
    known = [s for name in ("training", "held_out") if name in records for s in records[name].sequences]
    alphabet = alphabet_with(letters, known or generated.sequences)
    texts = {name: _texts(letters, block, alphabet) for name, block in records.items()}
    return Sets(
        alphabet,
        texts["generated"],
        texts.get("training", []),
        texts.get("held_out", []),
        tuple(dict.fromkeys(block.source for block in records.values())),
        origin.command if (origin := generated.origin) and origin.command in DESIGNERS else "",
    )


def require_alphabet(sets: Sets, alphabet: Alphabet, folder: Path, option: str) -> None:
    """Raise InputError unless the model in ``folder``, given by ``option``, reads the letters of the sets."""
    if alphabet != sets.alphabet:
        raise InputError(
            f"the sequences are {sets.alphabet.name}, but the model in {folder} knows {alphabet.name}; name "
            f"its alphabet with --alphabet, or leave {option} out"
        )


def _read(columns: SequenceColumns, path: Path, alphabet: str) -> SequenceSet:
    return read_sequences(
        path,
        sequence_column=columns.sequence,
        id_column=columns.id_,
        format=file_format(columns),
        layout=replace(layout_of(columns, strict=False), words=has_words(alphabet)),
        on_duplicate="keep",
        outcomes=False,
    )


def _texts(letters: LetterOptions, block: SequenceSet, alphabet: Alphabet) -> list[str]:
    texts = decode(encode_with(letters, block, alphabet).tokens, alphabet)
    if len(texts) < FEWEST:
        raise InputError(
            f"an evaluation needs at least {FEWEST} sequences in each file, got {len(texts)}",
            path=block.source,
        )
    return texts


def draw_sample(sets: Sets, most: int, rng: np.random.Generator) -> Sample | None:
    """At most ``most`` of each set, at random; generated and training ones equally many.

    With one real set only, it is halved: one half stands for training, the other for held-out sequences.
    None without a real set.
    """
    if not sets.training and not sets.held_out:
        return None
    training, held_out = shuffled(sets.training, rng), shuffled(sets.held_out, rng)
    if not training or not held_out:
        whole = training or held_out
        training, held_out = whole[: len(whole) // 2], whole[len(whole) // 2 :]
    num = min(len(sets.generated), len(training), most)
    return _sample(shuffled(sets.generated, rng)[:num], training[:num], held_out[:most], training[num:])


def shuffled(texts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The same texts in a random order."""
    return [texts[i] for i in rng.permutation(len(texts)).tolist()]


def _sample(generated: list[str], training: list[str], held_out: list[str], rest: list[str]) -> Sample:
    ends = np.cumsum([len(generated), len(training), len(held_out)])
    places = np.split(np.arange(ends[-1]), ends[:-1])
    return Sample([*generated, *training, *held_out], places[0], places[1], places[2], rest)
