"""The law of the codes of data, fitted after training, that samples are drawn from.

A VAE is taught with the prior N(0, I), but data are encoded elsewhere: the mean of q(z|x) over sequences is
the prior only where the KL term has won. A density fitted to these codes afterwards closes the gap as far as
it is smooth (Ghosh et al. 2020, arXiv 1903.12436, "ex-post density estimation"; Dai and Wipf 2019, arXiv
1903.05789).
"""

from __future__ import annotations

import torch
from torch import Generator

from seqdesign.models.vae.mixture import Mixture, fit_mixture
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.runs.progress import phase
from seqdesign.training.data import TokenData

MOST, FEWEST = 10_000, 2_000
"""Codes to fit on: one of each sequence, of few sequences several of each."""
FEWEST_A_COMPONENT = 50
"""Sequences for each component, at least."""
_CHUNK = 512


@torch.no_grad()
@phase("fitting the law of the codes")
def fit_codes(model: SequenceVAE, data: TokenData, rng: Generator) -> Mixture:
    """The mixture of the codes of ``data``, on its device; codes of a tenth of the sequences choose its size.

    Codes are draws of q(z|x); of a conditional model such that were not told the outcome.
    """
    chosen = torch.randperm(len(data), generator=rng)[:MOST].to(data.tokens.device)
    batches = (data.rows(part) for part in chosen.split(_CHUNK))
    posteriors = [model.encode(batch.tokens, batch.lengths) for batch in batches]
    mean = torch.cat([posterior.mean for posterior in posteriors]).cpu()
    scale = torch.cat([posterior.stddev for posterior in posteriors]).cpu()
    times = -(-FEWEST // len(mean))
    draws = mean + scale * torch.randn((times, *mean.shape), generator=rng)
    apart = max(1, len(mean) // 10)
    parts = draws[:, apart:].flatten(0, 1), draws[:, :apart].flatten(0, 1)
    mixture = fit_mixture(*parts, rng, most=(len(mean) - apart) // FEWEST_A_COMPONENT)
    return mixture.to(data.tokens.device)
