"""What a few words say together: how often, where, in which order and how far apart.

Functions of one-hot x (N, V, L), differentiable in it. A word is a row of sets of letters; it is where each
of its letters is in the set of its place. Of each word is read how often it occurs, whether it does,
and whether it does in each part of the sequence. Of two words, or of two copies of one, is read whether the
second stands behind the first, and whether it does within each of several distances. Only how often goes on
rising beyond what was measured.

Shapes: N sequences, V letters, L positions, A words, W places.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqdesign.ensembles.found_words import LONGEST, MOST_WORDS, Word, find_words
from seqdesign.ensembles.reader import Basis, Reader
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import TokenArray, Vocabulary
from seqdesign.sequences.splits import mutated, related

WITHIN = (3, 10, 20, 40, 80, 150)
"""Letters between two words: touching, a helical turn, two, four, a loop, a nucleosome."""
PARTS = 8
"""Of a sequence, in each of which a word may stand or not."""
MOST_LETTERS = 1_500_000
"""Of the rows from which words are learned, at most."""
SHORTEST = 12
"""Letters from which on words may stand anywhere."""


def no_words(letters: int, *, both_strands: bool) -> Tensor:
    """Words (A, W, V) of which none is anywhere; with both strands as many again, for what they are on the
    other.
    """
    return torch.zeros(MOST_WORDS * (1 + both_strands), LONGEST, letters)


def pack_words(words: Sequence[Word], alphabet: Alphabet, *, both_strands: bool) -> Tensor:
    """(A, W, V), with zeros behind the end of a word; of a fixed size, so that a model can keep them. With
    both strands of an alphabet that has them, then the reverse complements.
    """
    both = both_strands and bool(alphabet.complement)
    found = no_words(alphabet.size, both_strands=both)
    for row, word in zip(found, words, strict=False):
        row[: len(word)] = torch.from_numpy(word.astype(np.float32))
    if both:
        for row, word in zip(found[MOST_WORDS:], words, strict=False):
            row[: len(word)] = torch.from_numpy(word[::-1, list(alphabet.partners)].astype(np.float32))
    return found


def spelled(words: Tensor, alphabet: Alphabet) -> tuple[str, ...]:
    """Words (A, W, V) as people write them: [AT] is one of two letters, . any."""
    found = []
    for word in words[:MOST_WORDS].bool():
        places = [
            "".join(np.array(list(alphabet.letters))[place.numpy()]) for place in word[word.any(1)].cpu()
        ]
        sets = ["." if len(p) == alphabet.size else p if len(p) == 1 else f"[{p}]" for p in places]
        found += ["".join(sets)] if sets else []
    return tuple(found)


def _reach(max_length: int) -> list[int]:
    return [gap for gap in WITHIN if gap < max_length / 2]


class Grammar(Reader):
    """Of words (A, W, V): how often they occur (N, A), whether they do, and in which part (N, A (parts + 1)),
    and what they say in pairs (N, A A (distances + 1)).

    With their reverse complements behind them (2 A, W, V) pairs are also read whichever strands they are on
    and whichever comes first (N, A (A + 1) / 2 (distances + 1) more).
    """

    found: Tensor

    def __init__(self, basis: Basis) -> None:
        both = len(basis.found) > MOST_WORDS
        pairs = MOST_WORDS * MOST_WORDS + (MOST_WORDS * (MOST_WORDS + 1) // 2 if both else 0)
        within = _reach(basis.max_length)
        super().__init__(basis, MOST_WORDS * (PARTS + 2) + pairs * (len(within) + 1))
        self.within = within
        self.register_buffer("found", basis.found)

    def gains(self, counts: float, more: float) -> Tensor:
        """(I,): what counts of words have, and what the rest has."""
        gain = torch.full((self.columns,), more)
        gain[:MOST_WORDS] = counts
        return gain

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """Three groups."""
        length = x.shape[2]
        steps = torch.arange(length, device=x.device)
        ends = inside.sum(1, keepdim=True).clamp(min=1)
        part = (steps * PARTS // ends).clamp(max=PARTS - 1)
        there = (part[:, None] == torch.arange(PARTS, device=x.device)[:, None]).to(x.dtype)
        widths = [int(word.any(1).sum()) for word in self.found]
        found = [_matches(x, word[:width]) for word, width in zip(self.found, widths, strict=True)]
        sums = [torch.cumsum(torch.nn.functional.pad(m, (1, 0)), 1) for m in found]
        counts = torch.stack([m.sum(1) for m in found[:MOST_WORDS]], 1)
        parts = torch.stack([torch.einsum("nl,npl->np", m, there) for m in found[:MOST_WORDS]], 1)
        singles = torch.cat([counts[:, :, None], parts], 2).clamp(max=1)
        none = x.new_zeros(len(x))
        gaps = [*self.within, length]

        def near(
            i: int, j: int, left: Sequence[Tensor], right: Sequence[Tensor], *, turned: bool
        ) -> list[Tensor]:
            """Within each distance: word j behind word i, or, ``turned``, also the other way round."""
            if not (widths[i] and widths[j]):
                return [none] * len(gaps)
            there = [_behind(left[i], steps + widths[i], right[j], gap) for gap in gaps]
            if turned and i != j:
                back = [_behind(left[j], steps + widths[j], right[i], gap) for gap in gaps]
                there = [a + b for a, b in zip(there, back, strict=True)]
            return [count.clamp(max=1) for count in there]

        words = range(MOST_WORDS)
        pairs = [column for i in words for j in words for column in near(i, j, found, sums, turned=False)]
        if len(found) > MOST_WORDS:
            either, total = ([part[i] + part[i + MOST_WORDS] for i in words] for part in (found, sums))
            some = [(i, j) for i in words for j in range(i + 1)]
            pairs += [column for i, j in some for column in near(i, j, either, total, turned=True)]
        return [counts, singles.flatten(1), torch.stack(pairs, 1)]

    def of_tokens(self, tokens: Tensor) -> list[Tensor]:
        """The same of tokens, of which unknown ones make no word."""
        nothing = Vocabulary(self.alphabet).pad
        return super().of_tokens(tokens.masked_fill(tokens >= self.alphabet.size, nothing))


def _matches(x: Tensor, word: Tensor) -> Tensor:
    """Where a word (W, V) begins, (N, L), 0 to 1."""
    width, length = len(word), x.shape[2]
    whole = x.new_zeros(len(x), length)
    count = length - width + 1
    if not width or count < 1:
        return whole
    found = x.new_ones(len(x), count)
    for j, letters in enumerate(word.to(x.dtype)):
        found = found * torch.einsum("nvl,v->nl", x[:, :, j : j + count], letters)
    return torch.nn.functional.pad(found, (0, width - 1))


def _behind(m: Tensor, end: Tensor, total: Tensor, gap: int) -> Tensor:
    """(N,): how often another word, with sums (N, L + 1) up to each place, begins at most so many letters
    behind the ``end`` (L,) of one that begins at m (N, L).
    """
    last = total.shape[1] - 1
    there = total[:, (end + gap + 1).clamp(max=last)] - total[:, end.clamp(max=last)]
    return (m * there).sum(1)


def has_room(tokens: TokenArray) -> bool:
    """Whether words can stand here or there in rows: not in short ones, nor in variants of one parent, of one
    length, of which places say more.
    """
    if int(tokens.lengths.max()) < SHORTEST:
        return False
    if len(np.unique(tokens.lengths)) > 1:
        return True
    return not related(mutated(tokens.tokens).sum(axis=1), int(tokens.lengths[0]))


def learn_words(tokens: Tensor, values: Tensor, alphabet: Alphabet, *, both_strands: bool) -> Tensor:
    """Words (A, W, V) by which rows with tokens (N, L), padded, and values (N, K), NaN unknown, differ."""
    known = torch.nonzero(~values.isnan().all(1)).flatten()
    most = MOST_LETTERS // max(1, tokens.shape[1])
    if len(known) > most:
        known = known[torch.randperm(len(known), generator=torch.Generator().manual_seed(0))[:most]]
    tokens, values = tokens[known], values[known]

    def described(words: list[Word]) -> np.ndarray:
        packed = pack_words(words, alphabet, both_strands=both_strands)
        both = both_strands and bool(alphabet.complement)
        basis = Basis(alphabet=alphabet, max_length=tokens.shape[1], both_strands=both, found=packed)
        return torch.cat(Grammar(basis).of_tokens(tokens), 1).numpy()

    found = find_words(
        tokens.numpy().astype(np.int64), values.double().numpy(), alphabet,
        both_strands=both_strands, described=described,
    )  # fmt: skip
    return pack_words(found, alphabet, both_strands=both_strands)
