"""E, D and F of the sequence VAE, the language model beside them, and their losses.

Shapes: N sequences, L letters, d latent dimensions. E: tokens (N, L) -> Normal (N, d); D: z -> strings;
F: z -> outcome.
The loss is Mueller, Gifford and Jaakkola (2017), eq. 3-6:

    L = -E_q log p(x|z) + w_pri KL(q(z|x) || N(0, I)) + w_out/var(y) (y - F(E(x)))^2
        + w_inv/var(y) E_z (F(z) - F(E(D(z))))^2

With a condition q(z|x) and the prior N(0, I) become q(z|x, y) and p(z|y) where y is known (condition.py).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.distributions import Normal

from seqdesign.decoding.at_once import at_once
from seqdesign.decoding.greedy import greedy
from seqdesign.devices.randomness import for_rows
from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.metrics.normals import kl_normals, kl_standard_normal
from seqdesign.models.vae.condition import Condition, hide_some
from seqdesign.models.vae.config import VAEOptions, anneal_factor, language_options
from seqdesign.models.vae.decoder import TransformerDecoder, make_decoder
from seqdesign.models.vae.encoders import TransformerEncoder, make_encoder
from seqdesign.models.vae.mixture import Mixture
from seqdesign.models.vae.places import start_local
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.data import Batch

MIN_SCALE, MAX_SCALE = 0.01, 1.0
LOCAL = 10.0
"""Initial weights from a slot of a Transformer to its dimensions: codes of letters differ by about 1."""
PASSES = 3
"""Of a Transformer over the strings for the invariance term, where a GRU takes a step for each letter."""


class SequenceVAE(nn.Module):
    """A latent model of sequences and their outcome.

    ``max_length`` is the longest sequence it can read or write. ``outcome_mean`` and ``outcome_scale`` are
    those of the training outcomes; a scale of 0 says that there were none, so that there is no F to ask.
    ``language``: networks of the language model; None: those of ``language_options``. ``code_components``:
    of the law of the codes of data (codes.py), that a trained model has; 0: none.
    """

    players = ("vae", "language_model")

    def __init__(
        self,
        options: VAEOptions,
        vocabulary: Vocabulary,
        max_length: int,
        *,
        language: LMOptions | None = None,
        outcome_mean: float = 0.0,
        outcome_scale: float = 0.0,
        code_components: int = 0,
    ) -> None:
        super().__init__()
        assert isinstance(options.latent_dim, int), "adapt() the options first"
        self.options, self.vocabulary, self.max_length = options, vocabulary, max_length
        self.outcome_mean, self.outcome_scale = outcome_mean, outcome_scale
        self.latent_dim = options.latent_dim
        self.features = make_encoder(options, vocabulary, max_length)
        self.posterior_mean = nn.Linear(self.features.num_features, self.latent_dim)
        self.posterior_scale = nn.Linear(self.features.num_features, self.latent_dim)
        if isinstance(self.features, TransformerEncoder):
            start_local(self.posterior_mean.weight, self.features.pooling.slots, LOCAL)
        # A start near 0.27 for every sequence: sharp enough to reconstruct, wide enough to feel the prior.
        nn.init.zeros_(self.posterior_scale.weight)
        nn.init.constant_(self.posterior_scale.bias, -1.0)
        self.decoder = make_decoder(options, vocabulary, max_length)
        self.condition = Condition.of(options, self.features.num_features, self.latent_dim)
        self.outcome_net = nn.Sequential(
            nn.Linear(self.latent_dim, options.hidden),
            nn.SiLU(),
            nn.Linear(options.hidden, options.hidden),
            nn.SiLU(),
            nn.Linear(options.hidden, 1),
        )
        self.language_model = SequenceLM(language or language_options(options), vocabulary, max_length, 1)
        self.code_law = Mixture(code_components, self.latent_dim) if code_components else None

    @property
    def has_outcome(self) -> bool:
        """Whether F was trained."""
        return self.outcome_scale > 0

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """The parameters that the loss of ``player`` moves; no parameter belongs to two players."""
        theirs = player == "language_model"
        return [p for name, p in self.named_parameters() if name.startswith("language_model.") == theirs]

    def encode(self, tokens: Tensor, lengths: Tensor) -> Normal:
        """q(z|x), (N, d). Scales lie in [0.01, 1], so that every log alpha < 0 of the authors is feasible."""
        return self._posterior(self.features(tokens, lengths))

    def prior(self, outcomes: Tensor) -> Normal:
        """p(z|y), (N, d), of outcomes (N,) in the user's units; N(0, I) where y is not known."""
        if self.condition is None:
            mean = outcomes.new_zeros(len(outcomes), self.latent_dim, dtype=torch.float32)
            return Normal(mean, torch.ones_like(mean), validate_args=False)
        return self.condition.prior(self._standard(outcomes))

    def _standard(self, outcomes: Tensor) -> Tensor:
        return ((outcomes - self.outcome_mean) / (self.outcome_scale or 1.0)).float()

    def _posterior(self, features: Tensor) -> Normal:
        scale = MIN_SCALE + (MAX_SCALE - MIN_SCALE) * torch.sigmoid(self.posterior_scale(features).float())
        return Normal(self.posterior_mean(features).float(), scale, validate_args=False)

    def standard_outcome(self, z: Tensor) -> Tensor:
        """F(z) in standard deviations from the training mean, (N,)."""
        return self.outcome_net(z).squeeze(1).float()

    def outcome(self, z: Tensor) -> Tensor:
        """F(z) in the user's units, (N,)."""
        return self.outcome_mean + self.outcome_scale * self.standard_outcome(z)

    def log_likelihood(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Naturalness of sequences: log p(x) in nats by the language model, (N,).

        The VAE's own bound is loose by many nats when the KL weight is below 1, as REVISE needs it; so the
        letters have a model of their own, trained on the same sequences.
        """
        return self.language_model.log_likelihood(tokens, lengths)

    @torch.no_grad()
    def log_prob_next(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Log-probability of every letter at every place by the language model, (N, L, V), in nats."""
        return self.language_model.network(tokens, lengths, None).log_softmax(2)

    def losses(self, player: str, batch: Batch, rng: Generator, progress: Any) -> dict[str, Tensor]:
        """Scalar terms of one player; ``loss`` is their weighted sum, annealed by ``progress`` in [0, 1]."""
        if player == "language_model":
            nll = self.language_model.losses("lm", batch, rng, progress)["loss"]
            return {"loss": nll, "language_nll": nll}
        options = self.options
        features = self.features(batch.tokens, batch.lengths)
        alone = posterior = self._posterior(features)
        prior = None
        if self.condition is not None:
            given = self._standard(hide_some(batch.outcomes, rng) if self.training else batch.outcomes)
            posterior = self._posterior(features + self.condition.seen(given))
            prior = self.condition.prior(given)
        z = posterior.mean + posterior.stddev * self._noise_of_rows(len(posterior.mean), rng)
        inputs = self._hide(self.decoder.inputs(batch.tokens), rng)
        terms = {
            "reconstruction": -self.decoder.log_prob(z, batch.tokens, batch.lengths, inputs).mean(),
            "kl": self._kl(posterior, prior).sum(1).mean(),
        }
        factor = anneal_factor(options, progress)
        loss = terms["reconstruction"] + factor * options.kl_weight * self._prior_cost(posterior, prior)
        if self.has_outcome:
            if prior is not None:  # F must not read the outcome from codes that were told it
                z = alone.mean + alone.stddev * self._noise_of_rows(len(alone.mean), rng)
            terms["outcome"] = self._outcome_loss(alone, z, batch.outcomes)
            loss = loss + options.outcome_weight * terms["outcome"]
            if options.invariance_weight > 0:
                terms["invariance"] = self.invariance_loss(self._codes(alone, rng))
                loss = loss + factor * options.invariance_weight * terms["invariance"]
        return {"loss": loss, **terms}

    def invariance_loss(self, z: Tensor) -> Tensor:
        """Mean (F(z) - F(E(D(z))))^2 over codes z (N, d), in units of Var(y).

        D is discrete: no gradient flows through it.
        """
        with torch.no_grad():
            if isinstance(self.decoder, TransformerDecoder):
                decoded = at_once(self.decoder, z, passes=PASSES)
            else:
                decoded = greedy(self.decoder, z, to_the_end=True)
        before = self.standard_outcome(z)
        if self.options.invariance_target == "fixed":
            before = before.detach()
        after = self.standard_outcome(self.encode(decoded.tokens, decoded.lengths).mean)
        return (before - after).square().mean()

    @staticmethod
    def _kl(posterior: Normal, prior: Normal | None) -> Tensor:
        """KL(q || p) (N, d) of each dimension; None is N(0, I)."""
        mean, scale = posterior.mean, posterior.stddev
        if prior is None:
            return kl_standard_normal(mean, scale, per_dimension=True)
        return kl_normals(mean, scale, prior.mean, prior.stddev, per_dimension=True)

    def _prior_cost(self, posterior: Normal, prior: Normal | None = None) -> Tensor:
        """The KL that is charged: above the free bits, summed or averaged over the dimensions."""
        per_dimension = self._kl(posterior, prior).mean(0)
        cost = per_dimension.clamp(min=self.options.free_bits).sum()
        return cost / self.latent_dim if self.options.kl_reduction == "mean" else cost

    def _outcome_loss(self, posterior: Normal, z: Tensor, outcomes: Tensor) -> Tensor:
        """Mean squared error of F in units of Var(y), over the labelled sequences of the batch."""
        labelled = ~outcomes.isnan()
        target = ((outcomes - self.outcome_mean) / self.outcome_scale).nan_to_num()
        codes = {"mean": (posterior.mean,), "sample": (z,), "both": (posterior.mean, z)}[
            self.options.outcome_on
        ]
        errors = torch.stack([(self.standard_outcome(code) - target).square() for code in codes]).mean(0)
        return (errors * labelled).sum() / labelled.sum().clamp(min=1)

    def _codes(self, posterior: Normal, rng: Generator) -> Tensor:
        """Codes for the invariance term: prior draws and, for ``both``, half around encoded sequences.

        Those around sequences are up to three posterior widths away, where REVISE is going to look.
        """
        n = self.options.invariance_batch
        noise = self._noise(n, rng)
        if self.options.invariance_from == "prior":
            return noise
        device = noise.device
        where = rng.device
        rows = torch.randint(len(posterior.mean), (n // 2,), generator=rng, device=where).to(device)
        widths = 1 + 2 * torch.rand((n // 2, 1), generator=rng, device=where).to(device)
        mean, scale = posterior.mean.detach()[rows], posterior.stddev.detach()[rows]
        return torch.cat([mean + widths * scale * noise[: n // 2], noise[n // 2 :]])

    def _hide(self, inputs: Tensor, rng: Generator) -> Tensor:
        """Decoder inputs (N, L+1); in training a share of the letters is UNKNOWN (word dropout)."""
        share = self.options.word_dropout
        if share == 0 or not self.training:
            return inputs
        steps = inputs.shape[1]
        luck = for_rows(lambda n: torch.rand(n, steps, generator=rng, device=rng.device), len(inputs))
        hidden = (luck < share).to(inputs.device)
        return inputs.masked_fill(hidden & (inputs < self.vocabulary.end), self.vocabulary.unknown)

    def _noise_of_rows(self, count: int, rng: Generator) -> Tensor:
        return for_rows(lambda n: self._noise(n, rng), count)

    def _noise(self, count: int, rng: Generator) -> Tensor:
        noise = torch.randn(count, self.latent_dim, generator=rng, device=rng.device)
        return noise.to(self.posterior_mean.weight.device)
