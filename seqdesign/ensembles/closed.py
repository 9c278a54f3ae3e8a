"""Members with weights in closed form: ridge regression of letters, of pairs of letters, or of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from seqdesign.ensembles.aligned import aligned_features, num_aligned
from seqdesign.ensembles.ends import both_ends, ends_gain, num_places
from seqdesign.ensembles.evidence import LetterShares
from seqdesign.ensembles.family import family_features, num_family, seen_in_columns
from seqdesign.ensembles.features import (
    codon_features,
    linear_features,
    num_codons,
    num_linear_features,
    pair_features,
    word_counts,
    word_shapes,
)
from seqdesign.ensembles.folding import folding_features
from seqdesign.ensembles.found_words import MOST_WORDS
from seqdesign.ensembles.grammar import grammar_features, no_words, num_grammar


class LinearNet(nn.Module):
    """Strands (N, V, L) of the same sequences, inside (N, L) -> (M, N, K): features times weights.

    kind: ``ridge`` reads letters at their places, or, where position means nothing, shares of letters and
    pairs of neighbours; ``pairs`` also ``num_pairs`` products of two letters at their places; ``codons``
    counts codons of one frame and reads the first letters; ``words`` counts words wherever they stand;
    ``ends`` counts words and also reads letters by their distance from either end, of which those never seen
    there have no effect (``shares``); ``grammar`` counts words and also reads what some ``found`` say alone
    and in pairs, times a ``gain`` that says how much less these are held than the others; ``aligned`` reads
    letters, insertions and deletions by alignment to a ``parent``; ``family`` reads letters by column of an
    alignment (``costs``), and what these are like (``descriptors``); ``folded`` reads letters at their
    places, or counts words, and how RNA folds. Of several strands the mean counts.
    """

    BY_MEMBER: ClassVar[tuple[str, ...]] = ("weight", "bias")

    weight: Tensor
    bias: Tensor
    pairs: Tensor
    parent: Tensor
    costs: Tensor
    found: Tensor
    gain: Tensor
    descriptors: Tensor

    def __init__(
        self,
        kind: str,
        members: int,
        letters: int,
        max_length: int,
        num_out: int,
        *,
        positional: bool,
        both_strands: bool = False,
        num_pairs: int = 0,
        parent: int = 0,
        descriptors: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.kind, self.max_length, self.positional = kind, max_length, positional
        self.shapes = word_shapes(letters, max_length)
        columns = num_linear_features(letters, max_length, positional=positional) + num_pairs
        if kind in ("words", "ends", "grammar"):
            columns = sum(letters ** len(word) for word in self.shapes)
        if kind == "grammar":
            self.num_words = columns
            columns += num_grammar(max_length, both_strands=both_strands)
            self.register_buffer("found", no_words(letters, both_strands=both_strands))
            self.register_buffer("gain", torch.ones(columns))
        if kind == "folded":
            if not positional:
                columns = sum(letters ** len(word) for word in self.shapes)
            self.places = max_length if positional else 2 * num_places(letters, max_length)
            columns += 1 + self.places
        if kind == "codons":
            columns = num_codons(letters)
        if kind == "ends":
            self.places = num_places(letters, max_length)
            columns += 2 * self.places * letters
            self.shares = LetterShares(letters, 2 * self.places)
        if kind == "aligned":
            columns = num_aligned(letters, parent)
            self.register_buffer("parent", torch.zeros(parent, dtype=torch.long))
        if kind == "family":
            assert descriptors is not None
            columns = num_family(letters, parent, descriptors.shape[1])
            self.register_buffer("costs", torch.zeros(parent, letters + 1))
            self.register_buffer("descriptors", descriptors, persistent=False)
            self.shares = LetterShares(letters, parent)
        self.register_buffer("weight", torch.zeros(members, columns, num_out))
        self.register_buffer("bias", torch.zeros(members, 1, num_out))
        if kind == "pairs":
            self.register_buffer("pairs", torch.zeros(num_pairs, 2, dtype=torch.long))

    def forward(self, strands: Sequence[Tensor], inside: Tensor) -> Tensor:
        """Linear in the features."""
        return torch.einsum("ni,mik->mnk", self.features(strands, inside), self.weight) + self.bias

    def features(self, strands: Sequence[Tensor], inside: Tensor) -> Tensor:
        """What the weights multiply, (N, I)."""
        return torch.stack([self._features(x, inside) for x in strands]).mean(0)

    def _features(self, x: Tensor, inside: Tensor) -> Tensor:
        if self.kind == "words":
            return word_counts(x, self.shapes)
        if self.kind == "codons":
            return codon_features(x, self.max_length)
        if self.kind == "grammar":
            said = grammar_features(x, inside, self.found, self.max_length)
            return self.gain * torch.cat([word_counts(x, self.shapes), *said], 1)
        if self.kind == "ends":
            framed = self.shares(both_ends(x, inside.sum(1), self.places)) * ends_gain(self.places, x)
            return torch.cat([word_counts(x, self.shapes), framed.flatten(1)], 1)
        if self.kind == "aligned":
            return aligned_features(x, inside, self.parent)
        if self.kind == "family":
            return family_features(x, inside, self.costs, self.shares, self.descriptors)
        if self.kind == "folded":
            letters = x.flatten(1) if self.positional else word_counts(x, self.shapes)
            folded = folding_features(x, inside, self.places, positional=self.positional)
            return torch.cat([letters, folded], 1)
        if self.kind == "pairs":
            return pair_features(x, self.pairs)
        return linear_features(x, inside, self.max_length, positional=self.positional)

    def learn_places(self, tokens: Tensor, lengths: Tensor) -> None:
        """Which letters of tokens (N, L) each place from either end has, of the kind ``ends``."""
        framed = both_ends(tokens, lengths, self.places, beyond=len(self.shares.share))
        self.shares.learn(framed, torch.full_like(lengths, framed.shape[1]), positional=True)

    def learn_columns(self, tokens: Tensor, lengths: Tensor, costs: Tensor) -> None:
        """The columns of a family, and which letters of tokens (N, L) each has."""
        self.costs.copy_(costs)
        self.shares.learn(*seen_in_columns(tokens, lengths, costs), positional=True)

    def gains(self, counts: float, more: float) -> Tensor:
        """``gain`` (I,) of a grammar: 1 for all words, and what counts of those found and the rest have."""
        gain = torch.full_like(self.gain, more)
        gain[: self.num_words] = 1.0
        gain[self.num_words : self.num_words + MOST_WORDS] = counts
        return gain

    def set_weights(self, weight: Tensor, bias: Tensor) -> None:
        """Weights (M, I, K) and biases (M, K)."""
        self.weight.copy_(weight)
        self.bias.copy_(bias[:, None])
