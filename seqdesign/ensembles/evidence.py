"""What training sequences have, and where: a letter that they never have at its place can teach nothing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MAX_CELLS = 10_000
"""Cells of a table of words."""
_ROWS = 4096


class LetterShares(nn.Module):
    """One-hot (N, V, L) -> the same, with letters never seen at their place read as the training's mixture.

    ``places``: positions, or 1 where a letter counts wherever it stands. Before ``learn`` all count as seen.
    """

    share: Tensor

    def __init__(self, letters: int, places: int) -> None:
        super().__init__()
        self.register_buffer("share", torch.full((letters, places), 1 / letters))

    def forward(self, x: Tensor) -> Tensor:
        """Linear in x; columns of zeros stay so."""
        share = self.share if self.share.shape[1] == 1 else self.share[:, : x.shape[2]]
        known = x * (share > 0)
        return known + (x.sum(1, keepdim=True) - known.sum(1, keepdim=True)) * share

    def learn(self, tokens: Tensor, lengths: Tensor, *, positional: bool) -> None:
        """Shares of the letters of tokens (N, L), at each position or of all letters."""
        counts = letter_counts(tokens, lengths, len(self.share))
        if not positional:
            counts = counts.sum(0, keepdim=True)
        counts = torch.where(counts.sum(1, keepdim=True) > 0, counts, torch.ones_like(counts))
        self.share.copy_((counts / counts.sum(1, keepdim=True)).T)

    def unseen(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """How many letters (N,) of tokens (N, L) were never seen at their place; where all had the same,
        nothing is known of the place either, and each counts twice.
        """
        size, places = self.share.shape
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        place = torch.arange(tokens.shape[1], device=tokens.device).clamp(max=places - 1)
        missing = (self.share[tokens.clamp(max=size - 1), place] <= 0) & inside & (tokens < size)
        return (missing * (1 + (self.share.amax(0) == 1)[place])).sum(1)


def letter_counts(tokens: Tensor, lengths: Tensor, letters: int) -> Tensor:
    """(L, V): rows of tokens (N, L) with a letter at a position."""
    width = tokens.shape[1]
    counts = torch.zeros(width, letters)
    for rows in torch.arange(len(tokens)).split(_ROWS):
        part = tokens[rows].long()
        real = (torch.arange(width) < lengths[rows, None]) & (part < letters)
        index = torch.arange(width) * letters + part.clamp(max=letters - 1)
        counts += torch.bincount(index[real], minlength=width * letters).view(width, letters)
    return counts


def evidence_shape(letters: int, max_length: int, positional: bool) -> tuple[int, ...]:
    """(L, V) where positions have a meaning, else V to the power of the longest words that fit a table."""
    if positional:
        return max_length, letters
    size = 1
    while letters ** (size + 1) <= MAX_CELLS and size < max_length:
        size += 1
    return (letters,) * size


def count_evidence(tokens: Tensor, lengths: Tensor, shape: torch.Size, *, positional: bool) -> Tensor:
    """How many of the sequences have a letter at a position (L, V), or a word anywhere (V, ..., V)."""
    if positional:
        return letter_counts(tokens, lengths, shape[1])
    return _word_rows(tokens, lengths, shape[0], len(shape)).view(shape)


def _word_rows(tokens: Tensor, lengths: Tensor, letters: int, size: int) -> Tensor:
    """(V^size,): rows of tokens (N, L) with each word; unknown letters make none."""
    windows = tokens.shape[1] - size + 1
    counts = torch.zeros(letters**size)
    if windows < 1:
        return counts
    for rows in torch.arange(len(tokens)).split(_ROWS):
        part = tokens[rows].long()
        code = torch.zeros(len(part), windows, dtype=torch.long)
        real = torch.arange(windows) + size <= lengths[rows, None]
        for i in range(size):
            letter = part[:, i : i + windows]
            real &= letter < letters
            code = code * letters + letter.clamp(max=letters - 1)
        owner = torch.arange(len(part))[:, None].expand_as(code)
        pairs = torch.unique(owner[real] * letters**size + code[real])
        counts += torch.bincount(pairs % letters**size, minlength=letters**size)
    return counts
