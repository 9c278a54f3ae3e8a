"""Ehrlich functions (Stanton et al. 2024, arXiv 2407.00236): hard landscapes with a known optimum of 1.

Some letters must not follow others; a sequence where they do is not feasible. The score of any other is a
product over C motifs with gaps: the largest share of the motif's k letters found at one place, rounded down
to one of q levels.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from seqdesign.sequences.alphabets import Alphabet

FORBIDDEN = 0.2
"""Share of letters that must not follow a letter, about."""


class EhrlichOracle:
    """The function of given transitions and motifs. Without gradients.

    transitions: (V, V) bool, whether column may follow row. motifs: (C, k) letters. offsets: (C, k), where
    the letters of a motif stand after its first, which is 0. levels: q, a divisor of k. Infeasible
    sequences score -inf, others j_1/q * ... * j_C/q.

    Raises ValueError for what is no Ehrlich function.
    """

    differentiable = False
    outcomes = ("score",)

    def __init__(
        self, transitions: Tensor, motifs: Tensor, offsets: Tensor, *, levels: int, alphabet: Alphabet
    ) -> None:
        size = alphabet.size
        if transitions.shape != (size, size) or transitions.dtype != torch.bool:
            raise ValueError(f"transitions must be ({size}, {size}) bool, got {tuple(transitions.shape)}")
        if motifs.ndim != 2 or motifs.shape != offsets.shape or not motifs.numel():
            raise ValueError(
                f"motifs and offsets must be (C, k), got {tuple(motifs.shape)} and {tuple(offsets.shape)}"
            )
        if bool((offsets[:, 0] != 0).any()) or bool((offsets.diff(dim=1) < 1).any()):
            raise ValueError("the offsets of a motif must begin with 0 and rise")
        if not 1 <= levels <= motifs.shape[1] or motifs.shape[1] % levels:
            raise ValueError(f"levels must divide the motif length {motifs.shape[1]}, got {levels}")
        self.alphabet, self.levels = alphabet, levels
        self.transitions, self.motifs, self.offsets = transitions, motifs, offsets

    def __call__(self, x: Tensor, /) -> Tensor:
        """Scores (1, N, 1) of one-hot (N, V, L). ValueError where a motif is longer than L."""
        return self.score(x.argmax(1)).to(x.dtype).view(1, -1, 1)

    def score(self, tokens: Tensor) -> Tensor:
        """Scores (N,) float64 of letters (N, L)."""
        count, length = self.motifs.shape[1], tokens.shape[1]
        span = int(self.offsets.max()) + 1
        if length < span:
            raise ValueError(f"sequences must have at least {span} letters, got {length}")
        score = torch.ones(len(tokens), dtype=torch.float64, device=tokens.device)
        for motif, offsets in zip(self.motifs.tolist(), self.offsets.tolist(), strict=True):
            sites = length - offsets[-1]
            found = torch.stack(
                [tokens[:, o : o + sites] == letter for letter, o in zip(motif, offsets, strict=True)]
            )
            share = found.sum(0).amax(1) * self.levels // count
            score = score * share / self.levels
        feasible = self.transitions.to(tokens.device)[tokens[:, :-1], tokens[:, 1:]].all(1)
        return score.masked_fill(~feasible, -math.inf)

    def optimum(self, length: int) -> tuple[Tensor, float]:
        """A sequence (L,) with score 1: motif after motif, the gaps filled by repeating the letter before.

        Raises ValueError where the motifs do not fit, or not in this order without a forbidden transition.
        """
        tokens: list[int] = []
        for motif, offsets in zip(self.motifs.tolist(), self.offsets.tolist(), strict=True):
            for letter, here, following in zip(motif, offsets, [*offsets[1:], offsets[-1] + 1], strict=True):
                tokens += [letter] * (following - here)
        if len(tokens) > length:
            raise ValueError(f"the motifs need {len(tokens)} letters, got {length}")
        best = torch.tensor(tokens + tokens[-1:] * (length - len(tokens)))
        if float(self.score(best[None])) != 1.0:
            raise ValueError("the motifs cannot stand one after the other without a forbidden transition")
        return best, 1.0

    def feasible(self, count: int, length: int, rng: Generator) -> Tensor:
        """Random feasible sequences (count, L): each letter one of those that may follow."""
        tokens = torch.randint(self.alphabet.size, (count, length), generator=rng)
        for t in range(1, length):
            tokens[:, t] = _follow(self.transitions, tokens[:, t - 1], rng)
        return tokens


def sample_ehrlich(
    *,
    alphabet: Alphabet,
    length: int,
    num_motifs: int,
    motif_length: int,
    levels: int | None = None,
    rng: Generator,
) -> EhrlichOracle:
    """A random Ehrlich function with an optimum of 1 among sequences of ``length`` letters.

    As in the paper, a band of letters is forbidden after each letter, never the letter itself; all motifs
    come from one feasible walk, so that they can stand one after the other; their gaps share what room
    there is.

    Raises ValueError where the motifs do not fit.
    """
    slack = length - num_motifs * motif_length
    if min(num_motifs, motif_length) < 1 or slack < 0:
        raise ValueError(f"{num_motifs} motifs of {motif_length} letters do not fit into {length} letters")
    transitions = _transitions(alphabet.size, rng)
    walk = [int(torch.randint(alphabet.size, (1,), generator=rng))]
    while len(walk) < num_motifs * motif_length:
        walk += _follow(transitions, torch.tensor(walk[-1:]), rng).tolist()
    motifs = torch.tensor(walk).view(num_motifs, motif_length)
    shares = torch.rand(num_motifs, motif_length - 1, generator=rng)
    gaps = 1 + (slack // num_motifs * shares / shares.sum(1, keepdim=True)).long()
    offsets = torch.cat([torch.zeros(num_motifs, 1, dtype=torch.long), gaps.cumsum(1)], 1)
    return EhrlichOracle(transitions, motifs, offsets, levels=levels or motif_length, alphabet=alphabet)


def _transitions(size: int, rng: Generator) -> Tensor:
    """(V, V) bool: in a random order of the letters, a band that wraps around is forbidden."""
    width = max(1, round(FORBIDDEN * size)) if size > 2 else 0
    order = torch.randperm(size, generator=rng)
    # In the random order, the letter just after each one may always follow it: a cycle through all of them.
    step = (order.argsort()[None] - order.argsort()[:, None]) % size
    return (step < 2) | (step >= 2 + width)


def _follow(transitions: Tensor, before: Tensor, rng: Generator) -> Tensor:
    """A letter that may follow each of ``before`` (N,), all equally likely."""
    return torch.multinomial(transitions[before].float(), 1, generator=rng).squeeze(1)
