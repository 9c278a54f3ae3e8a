"""A trained GAN or VAE as a map between codes and sequences.

Shapes: N codes or sequences, d latent dimensions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqdesign.adversarial.outputs import close
from seqdesign.decoding.greedy import greedy
from seqdesign.designers.encode import encode_starts
from seqdesign.designers.noise import normal
from seqdesign.errors import UsageError
from seqdesign.models.gan.design import DesignGAN, generator_of
from seqdesign.models.gan.store import load_gan
from seqdesign.models.vae.store import KIND as VAE
from seqdesign.models.vae.store import TrainedVAE, load_vae
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import TokenArray, decode
from seqdesign.training.store import model_kind

ENCODE_STEPS = 500
"""Steps that look for the code from which a generator makes a sequence."""
BLOCK = 64


class Coder(Protocol):
    """Codes N(0, I) (N, d) <-> sequences."""

    alphabet: Alphabet
    lengths: tuple[int, int]
    """Letters of the shortest and the longest sequence."""
    latent_dim: int

    def encode(self, array: TokenArray) -> Tensor:
        """Codes (N, d) of sequences."""
        ...

    def decode(self, z: Tensor) -> list[str]:
        """The most probable sequence of each code (N, d)."""
        ...


class VAECodes:
    """The mean of the encoder, and greedy decoding."""

    def __init__(self, trained: TrainedVAE, device: torch.device) -> None:
        self.model, self.device = trained.model, device
        self.alphabet, self.lengths = trained.record.alphabet, (0, trained.record.max_length)
        self.latent_dim = trained.model.latent_dim

    @torch.no_grad()
    def encode(self, array: TokenArray) -> Tensor:
        """Posterior means (N, d)."""
        tokens = torch.from_numpy(array.tokens.astype(np.int64)).to(self.device)
        return self.model.encode(tokens, torch.from_numpy(array.lengths).to(self.device)).mean

    def decode(self, z: Tensor) -> list[str]:
        """The most probable letter after what stands before it."""
        tokens = greedy(self.model.decoder, z.to(self.device)).tokens
        return decode(tokens, self.alphabet)


class GANCodes:
    """The generator, and its inversion by gradient."""

    def __init__(self, generator: DesignGAN, device: torch.device) -> None:
        self.generator, self.device = generator, device
        record = generator.trained.record
        self.alphabet, self.lengths = record.alphabet, (record.min_length, record.max_length)
        self.latent_dim = generator.trained.generator.latent_dim

    def encode(self, array: TokenArray) -> Tensor:
        """Codes (N, d) that were found to make the sequences, or what is nearest to them."""
        end = self.alphabet.size
        tokens = torch.from_numpy(array.tokens.astype(np.int64)).clamp(max=end)
        tokens = functional.pad(tokens, (0, self.lengths[1] - tokens.shape[1]), value=end).to(self.device)
        first = normal(0, torch.arange(len(tokens)), 0, self.latent_dim).to(self.device)
        codes = [
            encode_starts(self.generator.logits, part, start, ENCODE_STEPS)
            for part, start in zip(tokens.split(BLOCK), first.split(BLOCK), strict=True)
        ]
        return torch.cat(codes)

    @torch.no_grad()
    def decode(self, z: Tensor) -> list[str]:
        """The most probable letter at each position."""
        texts: list[str] = []
        for part in z.to(self.device).split(BLOCK):
            tokens = self.generator.logits(part).argmax(1)
            if self.generator.trained.end is not None:
                tokens = close(tokens, self.generator.trained.end)
            texts += decode(tokens, self.alphabet)
        return texts


def load_coder(folder: Path, outcome: float | str | None, device: torch.device) -> Coder:
    """The GAN or VAE in ``folder``; ``outcome`` is what a conditional GAN writes for.

    Raises ModelError and UsageError.
    """
    if model_kind(folder) != VAE:
        return GANCodes(generator_of(load_gan(folder, device), outcome, device, str(folder)), device)
    if outcome is not None:
        raise UsageError("has no effect on a VAE; leave it out", option="--condition")
    return VAECodes(load_vae(folder, device), device)
