"""Samples of a GAN or a VAE for ``seqdesign sample``: what breaks a constraint is left out."""

from __future__ import annotations

import torch

from seqdesign.commands import sample_gan, sample_vae
from seqdesign.commands.drawing import rules_for, sift
from seqdesign.commands.sample import SampleConfig, Source, apart
from seqdesign.errors import UsageError
from seqdesign.models.gan.sampling import class_of
from seqdesign.models.gan.store import load_gan
from seqdesign.models.vae.store import load_vae

FOR_LM = ("start", "guide")
"""Options that only language models have a use for."""


def gan_source(config: SampleConfig, device: torch.device) -> Source:
    """Raises UsageError and InputError."""
    _refuse(config, "a GAN", FOR_LM)
    trained = load_gan(config.model, device)
    record = trained.record
    asked = sample_gan.SampleGANConfig(
        num=config.num,
        model=config.model,
        temperature=config.temperature,
        unique=config.unique,
        condition=config.condition,
        seed=config.seed,
    )
    class_of(trained, config.condition)
    rules = rules_for(config, record.alphabet, record.min_length, record.max_length)
    return Source(
        "sample", sample_gan.batches(trained, asked, rules), rules is not None, apart(config, record.alphabet)
    )


def vae_source(config: SampleConfig, device: torch.device) -> Source:
    """Raises UsageError and InputError."""
    _refuse(config, "a VAE", (*FOR_LM, "condition"))
    trained = load_vae(config.model, device)
    record = trained.record
    rules = rules_for(config, record.alphabet, record.min_length, record.max_length)
    drawn = sample_vae.blocks(trained, config.seed, temperature=config.temperature)
    batches = (sift(tokens, texts, labels, rules) for tokens, texts, labels in drawn)
    return Source("sample", batches, rules is not None, apart(config, record.alphabet))


def _refuse(config: SampleConfig, who: str, names: tuple[str, ...]) -> None:
    """Raise UsageError for options that this family has no use for."""
    for name in names:
        if getattr(config, name) is not None:
            raise UsageError(
                f"has no effect on {who}; leave it out, or use a model of train-lm", option=f"--{name}"
            )
