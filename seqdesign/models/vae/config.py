"""Options of the sequence VAE, and how those left open adapt to the data. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from seqdesign.config import Between, Options
from seqdesign.language.config import LMOptions

Auto = Literal["auto"]

HEADS, WINDOW, LAYERS = 4, 5, 1
"""Of a Transformer encoder or decoder: attention heads, letters that a convolution sees, layers."""


@dataclass(frozen=True, kw_only=True)
class VAEOptions(Options):
    """Networks and loss weights; weights are in ELBO units (nats), outcomes are scaled to unit variance."""

    PANEL: ClassVar[str] = "Model options"

    encoder: Literal["auto", "dense", "conv", "gru", "lstm", "transformer"] = "auto"
    """Encoder network; auto is dense where all sequences have one length (aligned libraries), else a
    bidirectional GRU."""
    decoder: Literal["gru", "lstm", "transformer"] = "gru"
    """Autoregressive decoder network; transformer for 50 letters and more."""
    condition: str | None = None
    """Outcome, a column or header key, that the model is conditional on, so that sequences can be drawn for a
    given outcome."""
    latent_dim: Annotated[int | Auto, Between(1, 4096)] = "auto"
    """Dimensions d of the latent code; auto grows with the length, 32 to 128."""
    hidden: Annotated[int, Between(4, 8192)] = 128
    """Units of the recurrent and outcome networks; a dense or conv encoder has twice as many."""
    embedding: Annotated[int, Between(1, 1024)] = 32
    """Dimensions of a letter's embedding."""
    dropout: Annotated[float | Auto, Between(0, 0.9)] = "auto"
    """Share of encoder features dropped in training; auto is 0.1 below 4,000 training sequences, else 0."""
    kl_weight: Annotated[float, Between(0)] = 0.05
    """Weight of the prior term KL(q(z|x) || N(0, I)); 1 is the ELBO, 1/d the authors' code."""
    kl_reduction: Literal["sum", "mean"] = "sum"
    """Sum the KL over the latent dimensions, or average it as the authors' code does."""
    kl_anneal: Literal["linear", "cyclical", "none"] = "linear"
    """How the prior and invariance weights rise from 0 during training."""
    anneal_fraction: Annotated[float, Between(0, 1)] = 0.3
    """Share of training after which the weights are full; for cyclical, of each of four cycles."""
    free_bits: Annotated[float, Between(0)] = 0.0
    """Nats of KL per latent dimension that cost nothing (Kingma 2016)."""
    word_dropout: Annotated[float, Between(0, 1)] = 0.0
    """Share of decoder inputs hidden in training (Bowman 2016)."""
    outcome_weight: Annotated[float, Between(0)] = 10.0
    """Weight of the squared error of F over Var(y)."""
    outcome_on: Literal["mean", "sample", "both"] = "both"
    """What F learns on: the posterior mean (the paper), samples of the posterior, or both."""
    invariance_weight: Annotated[float, Between(0)] = 3.0
    """Weight of (F(z) - F(E(D(z))))^2 over Var(y)."""
    invariance_from: Literal["prior", "both"] = "both"
    """Where its z come from: the prior (the paper), or half of them around encoded sequences."""
    invariance_target: Literal["joint", "fixed"] = "joint"
    """Gradient through F(z) and F(E(D(z))) (the paper), or through the latter alone (the authors' code)."""
    invariance_batch: Annotated[int, Between(1, 4096)] = 32
    """Codes z per step for the invariance term."""

    def problems(self) -> Iterator[str]:
        """Settings that would have no effect."""
        if self.kl_anneal == "none" and self.anneal_fraction != 0.3:
            yield "--anneal-fraction: has no effect with --kl-anneal none; leave it out"


def adapt(options: VAEOptions, *, max_length: int, fixed_length: bool, num_train: int) -> VAEOptions:
    """``options`` with every ``auto`` replaced, for ``num_train`` sequences of at most ``max_length``."""
    encoder, latent_dim, dropout = options.encoder, options.latent_dim, options.dropout
    if encoder == "auto":
        encoder = "dense" if fixed_length else "gru"
    if latent_dim == "auto" and options.decoder == "transformer":
        latent_dim = max(32, min(512, 32 * -(-max_length // 16)))
    if latent_dim == "auto":
        latent_dim = 32 if max_length <= 12 else 64 if max_length <= 100 else 128
    if dropout == "auto":
        dropout = 0.1 if num_train < 4_000 else 0.0
    return replace(options, encoder=encoder, latent_dim=latent_dim, dropout=dropout)


def transformer_width(options: VAEOptions) -> int:
    """Units of a Transformer encoder or decoder: half of ``hidden``, so that the heads divide them."""
    return HEADS * max(1, options.hidden // (2 * HEADS))


def language_options(options: VAEOptions) -> LMOptions:
    """Networks of the language model beside a VAE: one recurrent layer, which scores fastest."""
    return LMOptions(architecture="gru", width=options.hidden, layers=1, dropout=0.2)


def anneal_factor(options: VAEOptions, progress: Any) -> Any:
    """Factor in [0, 1] of the prior and invariance weights at ``progress`` in [0, 1] of the training.

    ``progress`` is a number, or a tensor () as in steps that are recorded; so is the factor. cyclical: four
    rises (Fu et al. 2019, NAACL).
    """
    if options.kl_anneal == "none" or options.anneal_fraction == 0:
        return 1.0
    if hasattr(progress, "clamp"):
        if options.kl_anneal == "cyclical":
            progress = ((progress * 4) % 1.0).where(progress < 1, 1.0)
        return (progress / options.anneal_fraction).clamp(max=1.0)
    if options.kl_anneal == "cyclical":
        progress = (progress * 4) % 1.0 if progress < 1 else 1.0
    return min(1.0, progress / options.anneal_fraction)
