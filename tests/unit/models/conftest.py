"""Small sequence VAEs over three letters, and batches for them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Generator

from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.model import Batch, SequenceVAE
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

VOCABULARY = Vocabulary(get_alphabet("letters:ABC"))
MAX_LENGTH = 5


def vae(
    *, max_length: int = MAX_LENGTH, mean: float = 0.5, scale: float = 2.0, gain: float = 1.0, **options: Any
) -> SequenceVAE:
    """Random weights, times ``gain``."""
    torch.manual_seed(0)
    chosen = {
        "encoder": "gru",
        "hidden": 8,
        "latent_dim": 2,
        "embedding": 4,
        "invariance_batch": 16,
        "dropout": 0.0,
        **options,
    }
    model = SequenceVAE(VAEOptions(**chosen), VOCABULARY, max_length, outcome_mean=mean, outcome_scale=scale)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= gain
    return model.eval()


def batch(n: int = 12, seed: int = 0) -> Batch:
    """Strings of 1 to 5 letters with standard normal outcomes."""
    rng = Generator().manual_seed(seed)
    lengths = torch.randint(1, MAX_LENGTH + 1, (n,), generator=rng)
    tokens = torch.randint(VOCABULARY.n_letters, (n, MAX_LENGTH), generator=rng)
    tokens = tokens.where(torch.arange(MAX_LENGTH) < lengths[:, None], VOCABULARY.pad)
    return Batch(tokens, lengths, torch.randn(n, generator=rng))


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture
def small() -> SimpleNamespace:
    """The functions of this file: tests cannot import each other's modules."""
    return SimpleNamespace(vae=vae, batch=batch, generator=generator, vocabulary=VOCABULARY)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Steps this small lose more to waiting threads than they win."""
    torch.set_num_threads(1)
