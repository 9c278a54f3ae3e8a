"""What is measured of a GAN while it learns: held-out statistics of its samples, and the critic's scores."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Generator, Tensor

from seqdesign.metrics.kmers import indicator, kmer_matrix, position_matrix
from seqdesign.metrics.mmd import median_bandwidth, mmd_rbf
from seqdesign.metrics.novelty import num_distinct
from seqdesign.metrics.spectra import jensen_shannon, mean_profile_divergence
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.gan.sampling import draw
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import decode
from seqdesign.training.data import TokenData

MAX_ROWS = 2000
"""Sequences of each kind that a look compares."""
_KERNEL_ROWS = 400
_LONGEST_WORD = 6
_CHUNK = 256
_REPEATS_WEIGHT = 10.0
_LOWEST = 0.01
MOST_LEFT_OUT = 0.1
"""Critics find some kinds of real sequences more real than others: of more, a kind might be left out."""


class Judge:
    """Held-out figures of a GAN, on the same codes and sequences every time.

    The distances of ``MAX_ROWS`` generated sequences to held-out ones are divided by those of as many
    training sequences, the floor (or by what is expected of two samples so large from one source, if that is
    more): 1 is as good as real gets. ``score`` is the mean logarithm of these ratios (each with the floor
    added above and below, so that a lucky small one counts little), plus ten times the share of repeats in
    excess of real sequences.
    """

    def __init__(
        self,
        training: TokenData,
        held_out: TokenData,
        alphabet: Alphabet,
        shares: tuple[float, ...],
        seed: int,
    ) -> None:
        self.alphabet, self.seed, self.shares = alphabet, seed, shares
        rng = torch.Generator().manual_seed(seed)
        rows = min(len(training), len(held_out), MAX_ROWS)
        picked = torch.randperm(len(training), generator=rng)[:rows]
        self.training, self.held_out = _part(training, picked), _part(held_out, torch.arange(rows))
        self.num = rows
        self.real = decode(self.held_out.tokens.numpy(), alphabet)
        like = decode(self.training.tokens.numpy(), alphabet)
        kernel_rows = _shares(self.real[:_KERNEL_ROWS], alphabet)
        self.bandwidth = median_bandwidth(kernel_rows)
        expected = self._expected()
        self.floor = {name: max(value, expected.get(name, 0.0)) for name, value in self._distances(like)}
        self.real_repeats = self._repeats(like)

    @torch.no_grad()
    def __call__(self, model: torch.nn.Module) -> dict[str, float]:
        """Figures of ``model``, a SequenceGAN in eval mode; ``score`` is the smaller the better."""
        assert isinstance(model, SequenceGAN)
        rng = torch.Generator().manual_seed(self.seed)
        drawn = draw(model.generator, self.num, rng, end=model.end, shares=self.shares, chunk=_CHUNK)
        texts = decode(torch.cat([tokens for tokens, _ in drawn]), self.alphabet)
        figures, logs = {}, []
        for name, value in self._distances(texts):
            floor = self.floor[name]
            figures[name], figures[f"{name}_floor"] = value, floor
            logs.append(math.log((value + floor + 1e-9) / (2 * floor + 1e-9)))
        repeats = self._repeats(texts)
        excess = max(0.0, repeats - self.real_repeats)
        figures |= {"repeats": repeats, **self._critic(model, rng)}
        figures["score"] = float(np.mean(logs)) + _REPEATS_WEIGHT * excess
        return figures

    def _expected(self) -> dict[str, float]:
        """Expected Jensen-Shannon divergences of two samples from one source, (D - 1) / (4 ln 2 N) bits.

        The first term of its expansion for D frequencies and two samples of N each (Lin 1991, Grosse 2002).
        """
        letters, found = self.alphabet.letters, {}
        for k in range(1, _longest(self.real, len(letters)) + 1):
            counts = kmer_matrix(self.real, letters, k).sum(axis=0)
            found[f"js_{k}"] = _noise(int((counts > 0).sum()), float(counts.sum()))
        return found | {"profile": _noise(len(letters), self.num)}

    def _repeats(self, texts: list[str]) -> float:
        return 1 - num_distinct(texts) / len(texts)

    def _distances(self, texts: list[str]) -> Iterator[tuple[str, float]]:
        letters, real = self.alphabet.letters, self.real
        longest = _longest(self.real, len(letters))
        for k in range(1, longest + 1):
            sums = [kmer_matrix(t, letters, k).sum(axis=0) for t in (texts, real)]
            yield f"js_{k}", _or_one(float(jensen_shannon(*sums)))
        first, second = (_shares(t[:_KERNEL_ROWS], self.alphabet) for t in (texts, real))
        yield "mmd", max(mmd_rbf(first, second, self.bandwidth, unbiased=False), 0.0)
        lengths = [np.fromiter(map(len, t), dtype=np.int64) for t in (texts, real)]
        longest_text = int(max(n.max() for n in lengths))
        if all((n == longest_text).all() for n in lengths):
            here, there = (position_matrix(t, letters).sum(axis=0) for t in (texts, real))
            yield "profile", float(mean_profile_divergence(here, there, len(letters)))
        else:
            counts = [np.asarray(indicator(n, longest_text + 1).sum(axis=0)) for n in lengths]
            yield "length", float(jensen_shannon(*counts))

    def _critic(self, model: SequenceGAN, rng: Generator) -> dict[str, float]:
        """Mean critic scores, real minus generated: a larger gap to training sequences is overfitting.

        ``unlike``: share of the generated ones that score lower than all but ``_LOWEST`` of held-out ones.
        ``believed``: the score below which samples are left out: those, ``MOST_LEFT_OUT`` of them at most.
        """
        known, like = _scores(model, self.training, rng)
        real, fake = _scores(model, self.held_out, rng)
        return {
            "gap_training": float(known.mean() - like.mean()),
            "gap": float(real.mean() - fake.mean()),
            "unlike": float((fake < real.quantile(_LOWEST)).double().mean()),
            "believed": float(torch.minimum(real.quantile(_LOWEST), fake.quantile(MOST_LEFT_OUT))),
        }


def _part(data: TokenData, index: Tensor) -> TokenData:
    return TokenData(data.tokens[index].cpu(), data.lengths[index].cpu(), data.outcomes[index].cpu())


def _scores(model: SequenceGAN, data: TokenData, rng: Generator) -> tuple[Tensor, Tensor]:
    """Of the critic: (N,) of real rows, and of as many generated ones of the same classes."""
    device, found = model.generator.start.weight.device, []
    for index in torch.arange(len(data)).split(_CHUNK):
        batch: Any = data.rows(index)
        batch = type(batch)(*(part.to(device) for part in batch))
        condition = model.condition(batch)
        fake = model.fake(condition, len(index), rng)
        found.append([model.critic(model.real(batch), condition), model.critic(fake, condition)])
    real, generated = (torch.cat(parts).double().cpu() for parts in zip(*found, strict=True))
    return real, generated


def _longest(texts: list[str], size: int) -> int:
    """Largest k up to 6 for which there is a word, on average, of each of V^k kinds; at least 1."""
    letters, middle = sum(map(len, texts)), float(np.median([len(t) for t in texts]))
    return max([1] + [k for k in range(2, _LONGEST_WORD + 1) if size**k <= letters and k <= middle])


def _shares(texts: list[str], alphabet: Alphabet) -> np.ndarray:
    """Words of up to 3 letters over their number in each sequence, (N, V^k)."""
    words: csr_array = kmer_matrix(texts, alphabet.letters, min(3, _longest(texts, alphabet.size)))
    return np.asarray(words.multiply(1.0 / np.maximum(words.sum(axis=1), 1.0)[:, None]).toarray())


def _noise(kinds: int, number: float) -> float:
    return (kinds - 1) / (4 * math.log(2) * max(number, 1.0))


def _or_one(value: float) -> float:
    """1 for the NaN of a set without any word."""
    return 1.0 if math.isnan(value) else value
