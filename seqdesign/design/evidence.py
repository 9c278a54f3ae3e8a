"""What a model was trained on, as design asks it: letters and words that were seen, and what is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.constraints.constraint import Constraint
from seqdesign.constraints.letters import SeenTogether, SeenWords, seen_letters, strand_codes, word_codes
from seqdesign.constraints.starts import Starts
from seqdesign.design.parts import Part, parts_of
from seqdesign.models.predictor.store import FAR
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.splits import related
from seqdesign.training.measured import Measured

PER_WORD = 10
"""Words of training sequences for each word that there can be; with as many, a missing one says something."""
LONGEST_WORD = 8
FURTHER = 2
"""Changes of a design from noise for each change that the variants of a library have at most."""
ALIKE = 0.6
"""Relatives differ from the most common letters in fewer places than this share of what letters drawn evenly
from those of each place would.
"""
ROWS = 512

MakeConstraint = Callable[[Starts], Constraint]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def composition(tokens: NDArray[Any], lengths: IntArray, letters: int, size: int = 1) -> FloatArray:
    """Shares (n, letters^size) of the words of ``size`` letters in tokens (n, L), padded."""
    codes, known = word_codes(torch.from_numpy(tokens.astype(np.int64)), size, letters)
    inside = known.numpy() & (np.arange(codes.shape[1]) < lengths[:, None] - size + 1)
    counts = np.stack([((codes.numpy() == word) & inside).sum(axis=1) for word in range(letters**size)], 1)
    return counts / np.maximum(lengths - size + 1, 1)[:, None]


@dataclass(frozen=True)
class Usual:
    """How often letters are in sequences: means and variances (V,) of their shares, and the distance from the
    mean that is typical, and that 99% have at most.
    """

    mean: FloatArray
    variance: FloatArray
    typical: float = 0.0
    most: float = 0.0

    def distance(self, tokens: NDArray[Any], lengths: IntArray) -> FloatArray:
        """Of the composition of tokens (n, L) from the mean, in standard deviations (n,)."""
        found = composition(tokens, lengths, len(self.mean))
        return np.sqrt((np.square(found - self.mean) / self.variance).sum(axis=1))


class Evidence:
    """Counts over the training sequences of a model.

    positional: whether a place means the same in all of them. both_strands: whether words count on both.
    """

    def __init__(
        self, measured: Measured, alphabet: Alphabet, *, positional: bool, both_strands: bool = False
    ) -> None:
        self.alphabet, self.measured = alphabet, measured
        self.both_strands = both_strands and bool(alphabet.complement)
        self._train = measured.take(~measured.held_out)
        self.length = int(np.bincount(self._train.lengths).argmax()) if positional and len(self._train) else 0
        """Letters of nearly all sequences, 0 where places have no meaning."""

    @property
    def num_train(self) -> int:
        """Training sequences."""
        return len(self._train)

    @cached_property
    def counts(self) -> IntArray:
        """(L, V): training sequences with each letter at each place."""
        rows = self._train.tokens[self._train.lengths == self.length, : self.length]
        return np.stack([(rows == v).sum(axis=0) for v in range(self.alphabet.size)], axis=1)

    @cached_property
    def variants(self) -> tuple[IntArray, int] | None:
        """The parent (L,) of a library of its variants, and how many changes of it a design may have.

        Twice as many as 99% of the variants have: what is known of few changes together says little of many.
        Where they have many already, as relatives have, as many as half of them: those that are so far are
        what is left of far more, and why these were lost is not in the outcomes. None where places have no
        meaning, letters stand as by chance, or all places together are no more.
        """
        if not self.length:
            return None
        rows = self._train.tokens[self._train.lengths == self.length, : self.length].astype(np.int64)
        parent = self.counts.argmax(1)
        changes = (rows != parent).sum(1)
        letters = (self.counts > 0).sum(1)
        reach = FURTHER * max(1, int(np.quantile(changes, 0.99)))
        if not related(changes, self.length):
            by_chance = (1 - 1 / letters).sum()
            reach = int(np.median(changes)) if changes.mean() < ALIKE * by_chance else self.length
        return (parent.astype(np.int64), reach) if reach < (letters > 1).sum() else None

    @cached_property
    def word_size(self) -> int:
        """Letters of the words that are looked at: the longest of which all ought to have been seen.

        At most half a sequence: new ones that have no new word of more letters are hardly new.
        """
        size, letters, lengths = 1, self.alphabet.size, self._train.lengths
        total = (2 if self.both_strands else 1) * int(lengths.sum())
        longest = min(LONGEST_WORD, int(np.median(lengths)) // 2 if len(lengths) else 1)
        while size < longest and PER_WORD * letters ** (size + 1) <= total:
            size += 1
        return size

    @cached_property
    def words(self) -> IntArray:
        """(V^k,): training sequences with each word."""
        size, letters = self.word_size, self.alphabet.size
        found = np.zeros(letters**size, dtype=np.int64)
        for first in range(0, len(self._train), ROWS):
            tokens = torch.from_numpy(self._train.tokens[first : first + ROWS].astype(np.int64))
            codes, known = self._codes(tokens)
            here = torch.zeros((len(tokens), letters**size), dtype=torch.bool).scatter(
                1, codes.masked_fill(~known, 0), known
            )
            # A padded word shares the number 0 with the first real one, so that one is set apart.
            here[:, 0] = ((codes == 0) & known).any(1)
            found += here.sum(0).numpy()
        return found

    def _codes(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        if self.both_strands and self.alphabet.complement:
            return strand_codes(tokens, self.word_size, self.alphabet)
        return word_codes(tokens, self.word_size, self.alphabet.size)

    def unlike(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Whether texts (B,) are more than ``FAR`` times as far from the usual composition as 99% of measured
        sequences: such as repeats, where rows are mixed.
        """
        known = self.usual_letters
        array = encode(texts, self.alphabet, on_unknown="mask")
        far = known.distance(array.tokens, array.lengths)
        return np.asarray(far > known.typical + FAR * (known.most - known.typical))

    @cached_property
    def usual_letters(self) -> Usual:
        """Shares in training sequences, and distances of all that was measured."""
        found = composition(self._train.tokens, self._train.lengths, self.alphabet.size)
        fewest = 1.0 / np.square(self._train.lengths.mean()) / len(found)  # one letter in one sequence
        known = Usual(found.mean(axis=0), found.var(axis=0) + fewest)
        distances = known.distance(self.measured.tokens, self.measured.lengths)
        typical, most = np.quantile(distances, [0.5, 0.99])
        return replace(known, typical=float(typical), most=float(most))

    @cached_property
    def pairs(self) -> tuple[FloatArray, FloatArray] | None:
        """Shares (V^2,) of pairs of neighbours in what was measured: the means and the largest.

        None with too few rows to have seen them all.
        """
        if self.word_size < 2 or self.measured.lengths.min() < 2:
            return None
        found = composition(self.measured.tokens, self.measured.lengths, self.alphabet.size, 2)
        return found.mean(axis=0), found.max(axis=0)

    @cached_property
    def parts(self) -> list[Part]:
        """Places that training sequences fill together, and how."""
        if not self.length:
            return []
        rows = self._train.tokens[self._train.lengths == self.length, : self.length]
        whole = (rows < self.alphabet.size).all(axis=1)  # a masked letter may be any
        return parts_of(np.unique(rows[whole], axis=0), self.alphabet.size)

    def constraints(self, length: int, *, own: bool) -> list[MakeConstraint]:
        """What makes the rules of ``--letters seen`` for designs of ``length`` letters.

        own: whether what stands in a start may stay.
        """
        if length == self.length:
            seen = torch.from_numpy(self.counts > 0)
            found: list[MakeConstraint] = []
            found += [] if bool(seen.all()) else [partial(seen_letters, seen, own=own)]
            parts = [(torch.from_numpy(part.places), torch.from_numpy(part.words)) for part in self.parts]
            return [*found, partial(SeenTogether, parts, own=own)] if parts else found
        seen = torch.from_numpy(self.words > 0)
        return [] if bool(seen.all()) else [partial(SeenWords, seen, self.word_size, own=own)]

    def support(self, texts: Sequence[str]) -> list[IntArray]:
        """For each letter of each text the number of training sequences that speak for it, (L,).

        That have it at its place or, where places have no meaning, the rarest word around it.
        """
        array = encode(texts, self.alphabet, on_unknown="mask")
        return [
            self._support(tokens[:n].astype(np.int64))
            for tokens, n in zip(array.tokens, array.lengths.tolist(), strict=True)
        ]

    def _support(self, tokens: IntArray) -> IntArray:
        size = self.alphabet.size
        known = tokens < size
        if len(tokens) == self.length:
            return np.where(known, self.counts[np.arange(self.length), np.minimum(tokens, size - 1)], 0)
        codes, whole = word_codes(torch.from_numpy(tokens)[None], self.word_size, size)
        counts = np.where(whole[0].numpy(), self.words[codes[0].numpy()], 0)
        if not len(counts):
            return np.full(len(tokens), len(self._train))
        reach = self.word_size
        return np.array(
            [counts[max(0, i - reach + 1) : i + 1].min(initial=counts.max()) for i in range(len(tokens))]
        )

    def known(self) -> dict[str, tuple[float, ...]]:
        """Every sequence that was measured, with its values (K,), means where it was measured repeatedly."""
        texts = decode(self.measured.tokens, self.alphabet)
        found: dict[str, list[NDArray[np.float64]]] = {}
        for text, row in zip(texts, self.measured.values, strict=True):
            found.setdefault(text, []).append(row)
        return {text: tuple(np.mean(rows, axis=0).tolist()) for text, rows in found.items()}


class Known:
    """Sequences that are measured already: text -> values (K,), or () where only that it is known is known.

    alphabet: with complements where a sequence and its reverse complement are the same thing.
    """

    def __init__(
        self, values: Mapping[str, tuple[float, ...]], alphabet: Alphabet, *, both_strands: bool
    ) -> None:
        self._turn = alphabet.reverse_complement if both_strands and alphabet.complement else None
        self._values = dict(values)

    def __len__(self) -> int:
        return len(self._values)

    def add(self, texts: Iterable[str], values: Iterable[tuple[float, ...]] | None = None) -> None:
        """More of them; values that are there stay."""
        pairs = ((t, ()) for t in texts) if values is None else zip(texts, values, strict=True)
        for text, value in pairs:
            self._values[text] = self._values.get(text) or value

    def value(self, text: str) -> tuple[float, ...] | None:
        """The values of a text; None: it is new."""
        found = self._values.get(text)
        if found is None and self._turn is not None:
            found = self._values.get(self._turn(text))
        return found

    def __contains__(self, text: str) -> bool:
        return self.value(text) is not None

    def tokens(self, length: int, alphabet: Alphabet) -> frozenset[bytes]:
        """The known sequences of one length as rows of tokens."""
        texts = [text for text in self._values if len(text) == length]
        if self._turn is not None:
            texts += [self._turn(text) for text in texts]
        if not texts:
            return frozenset()
        return frozenset(row.tobytes() for row in encode(texts, alphabet, on_unknown="mask").tokens)


def evidence_of(
    measured: Measured | None, alphabet: Alphabet, *, positional: bool, both_strands: bool
) -> Evidence | None:
    """What a model was trained on; None for a folder of an earlier version, which did not keep it."""
    if measured is None or measured.held_out.all():
        return None
    return Evidence(measured, alphabet, positional=positional, both_strands=both_strands)
