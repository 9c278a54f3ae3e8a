"""Decoders whose distribution over strings is known, the whole list of their strings, and plain reference
code."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from seqdesign.decoding.protocol import AutoregressiveDecoder, State
from seqdesign.models.vae.decoder import RecurrentDecoder
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary


@dataclass
class TableDecoder:
    """Next-token logits looked up by code, position and the token before; END, START, UNKNOWN, PAD = V ..
    V+3.

    table: (codes, T, V+4, V+1) logits. z is (N, 1) and holds the number of the code.
    """

    table: Tensor

    def __post_init__(self) -> None:
        self.max_length = self.table.shape[1]
        self.end = self.table.shape[3] - 1
        self.start, self.unknown, self.pad = self.end + 1, self.end + 2, self.end + 3

    def initial_state(self, z: Tensor, /) -> State:
        return (z[:, 0].long(),)

    def step(self, state: State, previous: Tensor, t: int, /) -> tuple[Tensor, State]:
        assert t < self.max_length
        return self.table[state[0], t, previous], state


def random_table(num_codes: int, letters: int, length: int, seed: int = 0) -> TableDecoder:
    generator = torch.Generator().manual_seed(seed)
    table = 2 * torch.randn(num_codes, length, letters + 4, letters + 1, generator=generator)
    table[:, 0, :, letters] = -torch.inf  # no empty string
    return TableDecoder(table)


def table_codes(num_codes: int) -> Tensor:
    return torch.arange(num_codes).unsqueeze(1).float()


def recurrent(letters: str, length: int, cell: str = "gru", seed: int = 0) -> RecurrentDecoder:
    torch.manual_seed(seed)
    vocabulary = Vocabulary(get_alphabet(f"letters:{letters}"))
    decoder = RecurrentDecoder(vocabulary, 3, 8, 5, length, cell=cell).eval()
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter *= 3.0
    return decoder


def all_strings(letters: int, length: int, shortest: int = 1) -> list[tuple[int, ...]]:
    """Every string of ``shortest`` to ``length`` letters."""
    return [s for n in range(shortest, length + 1) for s in itertools.product(range(letters), repeat=n)]


def padded(strings: list[tuple[int, ...]], decoder: AutoregressiveDecoder) -> tuple[Tensor, Tensor]:
    """Tokens (N, T) and lengths (N,)."""
    rows = [[*s, *[decoder.pad] * (decoder.max_length - len(s))] for s in strings]
    return torch.tensor(rows), torch.tensor([len(s) for s in strings])


@torch.no_grad()
def log_prob(decoder: AutoregressiveDecoder, code: Tensor, string: tuple[int, ...]) -> float:
    """log p(string | z), END included, one step at a time for the code (d,): slow and plain."""
    state, previous, total = decoder.initial_state(code[None]), decoder.start, 0.0
    for t, token in enumerate((*string, decoder.end)[: decoder.max_length]):
        logits, state = decoder.step(state, torch.tensor([previous]), t)
        total += float(torch.log_softmax(logits[0].double(), 0)[token])
        previous = token
    return total


def strings(tokens: Tensor, lengths: Tensor) -> list[tuple[int, ...]]:
    """(N, T) tokens as tuples without padding."""
    return [tuple(row[:n]) for row, n in zip(tokens.tolist(), lengths.tolist(), strict=True)]


def best_of(
    decoder: AutoregressiveDecoder, code: Tensor, among: list[tuple[int, ...]]
) -> list[tuple[float, tuple[int, ...]]]:
    """(log p, string), most probable first."""
    scored = [(log_prob(decoder, code, s), s) for s in among]
    return sorted((pair for pair in scored if pair[0] > -math.inf), reverse=True)


def edit_distance(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Levenshtein distance by the textbook recursion."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]


@pytest.fixture
def toys() -> SimpleNamespace:
    """The functions of this file: tests cannot import each other's modules."""
    return SimpleNamespace(
        TableDecoder=TableDecoder,
        random_table=random_table,
        table_codes=table_codes,
        recurrent=recurrent,
        all_strings=all_strings,
        padded=padded,
        log_prob=log_prob,
        strings=strings,
        best_of=best_of,
        edit_distance=edit_distance,
    )
