"""How good a language model is: held-out likelihood, beside the simplest models of the same sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.language.model import SequenceLM
from seqdesign.runs.progress import phase
from seqdesign.training.data import TokenData

MAX_ROWS = 2000
BLOCK = 256
ORDERS = range(6)
MAX_CONTEXTS = 20_000
SIMPLE_ROWS = 50_000
"""Training sequences that the simple models learn from."""
PSEUDO = 1.0
"""Letters that every context is supposed to have been followed by, shared as one order below has it."""


@dataclass(frozen=True)
class LMQuality:
    """Figures of up to 2,000 held-out sequences; nats per letter, lengths left out of account."""

    sequences: int
    nll: float
    """-log p(x) per letter; an upper bound for a model of any order."""
    train_nll: float
    """The same of training sequences."""
    markov_nll: float
    """Of the best Markov chain of the letters."""
    markov_order: int
    """Its order, chosen by the held-out sequences."""
    position_nll: float | None
    """Of independent positions; None where lengths differ."""
    exact: bool
    """Whether ``nll`` is exact."""
    warnings: tuple[str, ...]

    @property
    def simplest(self) -> tuple[str, float]:
        """Name and nats of the better simple model."""
        chain = (f"Markov chain of order {self.markov_order}", self.markov_nll)
        if self.position_nll is None or self.position_nll >= self.markov_nll:
            return chain
        return ("position matrix", self.position_nll)


@torch.no_grad()
@phase("judging")
def judge(model: SequenceLM, train: TokenData, held_out: TokenData, device: torch.device) -> LMQuality:
    """Measure ``model`` (in eval mode) on the first held-out sequences, and simple models beside it."""
    n = min(len(held_out), MAX_ROWS)
    nll = _per_letter(model, held_out, n, device)
    train_nll = _per_letter(model, train, min(len(train), n), device)
    size = model.vocabulary.n_letters
    simple = train if len(train) <= SIMPLE_ROWS else train.first(SIMPLE_ROWS)
    best, order = min((nats, order) for order, nats in enumerate(markov_nll(simple, held_out, n, size)))
    fixed = model.min_length == model.max_length
    position = position_nll(simple, held_out, n, size) if fixed else None
    return LMQuality(
        sequences=n,
        nll=nll,
        train_nll=train_nll,
        markov_nll=best,
        markov_order=order,
        position_nll=position,
        exact=model.is_causal,
        warnings=tuple(_warnings(nll, train_nll, best, position)),
    )


def _warnings(nll: float, train_nll: float, markov: float, position: float | None) -> Iterator[str]:
    simple = min(markov, markov if position is None else position)
    if nll >= simple:
        name = "a Markov chain" if simple == markov else "a position matrix"
        yield (
            f"{name} explains held-out sequences as well ({simple:.3f} nats per letter, the model "
            f"{nll:.3f}): these sequences are too few, or have no more structure than that"
        )
    if train_nll < 0.8 * nll:
        yield (
            f"training sequences are memorized ({train_nll:.3f} nats per letter, held out {nll:.3f}): "
            "samples may be near them, which 'seqdesign evaluate' with --train says; more sequences help"
        )


def _per_letter(model: SequenceLM, data: TokenData, n: int, device: torch.device) -> float:
    total = 0.0
    for index in torch.arange(n).split(BLOCK):
        batch = data.rows(index.to(data.tokens.device))
        tokens, lengths, outcomes = (part.to(device) for part in batch)
        log_p = model.log_likelihood(tokens, lengths, outcomes) - model.log_prob_length(lengths)
        total -= log_p.double().sum().item()
    return total / max(1, int(data.lengths[:n].sum()))


def markov_nll(train: TokenData, held_out: TokenData, n: int, size: int) -> list[float]:
    """Nats per letter of ``n`` held-out sequences by chains of training ones, of order 0, 1, ...

    A context's letters are smoothed by those of the context that is one letter shorter. Letters without a
    whole context before them are left out.
    """
    table, found = np.full((1, size), 1.0 / size), []
    for order in ORDERS:
        if size**order > MAX_CONTEXTS:
            break
        context, letter = _contexts(train, len(train), order, size)
        counts = np.bincount(context * size + letter, minlength=size ** (order + 1)).reshape(-1, size)
        shorter = np.tile(table, (size, 1)) if order else table
        table = (counts + PSEUDO * size * shorter) / (counts.sum(1, keepdims=True) + PSEUDO * size)
        context, letter = _contexts(held_out, n, order, size)
        if len(letter):
            found.append(float(-np.log(table[context, letter]).mean()))
    return found


def _contexts(data: TokenData, n: int, order: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The ``order`` letters before each letter as a number, and the letter; unreadable ones left out."""
    tokens = data.tokens[:n].cpu().numpy().astype(np.int64)
    steps = tokens.shape[1] - order
    if steps <= 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    good = np.ones((len(tokens), steps), dtype=bool)
    context = np.zeros((len(tokens), steps), dtype=np.int64)
    for i in range(order + 1):
        part = tokens[:, i : i + steps]
        good &= part < size
        if i < order:
            context = context * size + part
    letter = tokens[:, order:]
    return context[good], letter[good]


def position_nll(train: TokenData, held_out: TokenData, n: int, size: int) -> float:
    """Nats per letter of ``n`` held-out sequences by the letter frequencies of each position."""
    seen = train.tokens.cpu().numpy()
    counts = np.stack([(seen == letter).sum(0) for letter in range(size)], axis=1) + 1.0 / size
    table = np.log(counts / counts.sum(1, keepdims=True))
    tokens = held_out.tokens[:n].cpu().numpy().astype(np.int64)
    known = tokens < size
    scores = table[np.arange(tokens.shape[1]), tokens.clip(max=size - 1)]
    return float(-scores[known].mean())
