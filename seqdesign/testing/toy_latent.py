"""A latent model without training whose every answer is known: for tests of optimizers and for their authors.

The code has one number for each position, d = T. On its axis letter v sits at v and "no letter here" at -1:

    E(x)_t = v if the letter at t is v, -1 past the end      q(z | x) = N(E(x), scale^2 I)
    D(x_t = v | z) = softmax_v(-(z_t - v)^2 / (2 temperature) + preference_v), END at -1

so D(E(x)) = x without a preference, and climbing an outcome moves letters up and down their axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

State = tuple[Tensor, ...]


class ToyDecoder:
    """Next-letter logits that depend on z_t alone; V letters, then END, START, UNKNOWN, PAD."""

    def __init__(self, letters: int, max_length: int, temperature: float, preference: Tensor | None) -> None:
        self.end, self.start, self.unknown, self.pad = range(letters, letters + 4)
        self.max_length = max_length
        self.temperature, self.preference = temperature, preference
        self.sites = torch.tensor([*range(letters), -1.0])
        """Where each letter, and END, sits on the axis of its position, (V+1,)."""

    def initial_state(self, z: Tensor, /) -> State:
        """The codes (N, T) themselves."""
        return (z,)

    def step(self, state: State, previous: Tensor, t: int, /) -> tuple[Tensor, State]:
        """Logits (N, V+1) of position ``t``; no string is empty. The letter before has no influence."""
        sites = self.sites.to(state[0])
        logits = -(state[0][:, t, None] - sites).square() / (2.0 * self.temperature)
        if self.preference is not None:
            logits = logits + self.preference.to(logits)
        if t == 0:
            logits[:, self.end] = -torch.inf
        return logits, state


class ToyLatentModel:
    """The model of this module, with any outcome on its codes.

    Args:
        outcome: F, codes (N, T) -> (N,), such as those of ``seqdesign.testing.toy``.
        letters: V, size of the alphabet.
        max_length: T, length of the longest string and number of latent dimensions.
        scale: standard deviation of the posterior in every direction.
        temperature: the smaller, the surer the decoder of the nearest letter.
        preference: (V+1,) added to the decoder's logits of letters and END; with it D(E(x)) need not be x.
        letter_log_prob: (V,) each letter's share of log p(x), in nats; log(1/V) when not given.
        dtype: of codes and outcomes.
    """

    def __init__(
        self,
        outcome: Callable[[Tensor], Tensor],
        *,
        letters: int = 3,
        max_length: int = 4,
        scale: float = 0.5,
        temperature: float = 0.1,
        preference: Tensor | None = None,
        letter_log_prob: Tensor | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.decoder = ToyDecoder(letters, max_length, temperature, preference)
        self.latent_dim = self.max_length = max_length
        self.scale, self.dtype = scale, dtype
        self._outcome = outcome
        uniform = torch.full((letters,), -math.log(letters))
        self.letter_log_prob = uniform if letter_log_prob is None else letter_log_prob

    def encode(self, tokens: Tensor, lengths: Tensor) -> Normal:
        """q(z | x) of tokens (N, L <= T), (N, T). An unknown letter sits in the middle of the axis."""
        decoder = self.decoder
        sites = torch.full((decoder.pad + 1,), -1.0, dtype=self.dtype)
        sites[: decoder.end] = torch.arange(decoder.end)
        sites[decoder.unknown] = (decoder.end - 1) / 2
        mean = torch.full((len(tokens), self.max_length), -1.0, dtype=self.dtype, device=tokens.device)
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        mean[:, : tokens.shape[1]] = sites.to(tokens.device)[tokens].where(inside, -1.0)
        return Normal(mean, torch.full_like(mean, self.scale), validate_args=False)

    def outcome(self, z: Tensor) -> Tensor:
        """F(z), (N,)."""
        return self._outcome(z).to(z.dtype)

    def log_likelihood(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Sum of the letters' own log-probabilities, (N,), in nats; unknown letters add 0."""
        per_token = torch.zeros(self.decoder.pad + 1, dtype=self.dtype)
        per_token[: self.decoder.end] = self.letter_log_prob
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        return (per_token.to(tokens.device)[tokens] * inside).sum(1)

    def log_prob_next(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """The letters' own log-probabilities at every place, (N, L, V)."""
        return self.letter_log_prob.to(tokens.device, self.dtype).expand(*tokens.shape, -1)

    def tokens(self, strings: list[str]) -> tuple[Tensor, Tensor]:
        """Strings over A, B, C, ... (``?`` is unknown) -> tokens (N, T), padded, and lengths (N,)."""
        rows = torch.full((len(strings), self.max_length), self.decoder.pad)
        for row, text in zip(rows, strings, strict=True):
            ids = [self.decoder.unknown if c == "?" else ord(c) - ord("A") for c in text]
            row[: len(text)] = torch.tensor(ids)
        return rows, torch.tensor([len(text) for text in strings], dtype=torch.long)

    def strings(self, tokens: Tensor, lengths: Tensor) -> list[str]:
        """The inverse of ``tokens``."""
        return [
            "".join("?" if v == self.decoder.unknown else chr(ord("A") + v) for v in row[:n])
            for row, n in zip(tokens.tolist(), lengths.tolist(), strict=True)
        ]
