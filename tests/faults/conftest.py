"""Small models that were never trained, for tests of what stands around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqdesign.models.vae.config import VAEOptions, adapt
from seqdesign.models.vae.store import VAERecord, save_vae
from seqdesign.sequences.alphabets import get_alphabet


@pytest.fixture
def vae_folder() -> Callable[[Path], Path]:
    """Write a VAE of 4 letters with random weights and an outcome into a folder."""

    def make(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        small = VAEOptions(
            encoder="gru", decoder="gru", hidden=4, latent_dim=2, embedding=2, invariance_batch=4
        )
        options = adapt(small, max_length=4, fixed_length=True, num_train=100)
        record = VAERecord(options, get_alphabet("dna"), 4, 4, "y", 0.0, 1.0, naturalness_floor=-9.0)
        torch.manual_seed(0)
        save_vae(folder, record.build(), record)
        return folder

    return make
