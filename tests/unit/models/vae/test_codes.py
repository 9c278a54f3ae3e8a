"""The law of the codes of data is that of draws of q(z|x), wherever the encoder puts them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from seqdesign.models.vae.codes import fit_codes
from seqdesign.models.vae.drawing import BLOCK, Draws, source
from seqdesign.training.data import TokenData


def test_the_law_is_of_the_codes_and_their_widths(tiny: SimpleNamespace) -> None:
    texts = tiny.strings()
    trained = tiny.train(texts, tiny.outcomes(texts), encoder="gru").trained
    array = tiny.dna(texts)
    posterior = trained.model.encode(
        torch.from_numpy(array.tokens.astype(np.int64)), torch.from_numpy(array.lengths)
    )
    law = trained.model.code_law
    assert law is not None
    assert len(law.weights) == 1
    torch.testing.assert_close(law.means[0], posterior.mean.mean(0), rtol=0, atol=0.1)
    spread = posterior.mean.var(0) + posterior.variance.mean(0)
    torch.testing.assert_close(law.factors[0].square().sum(1), spread, rtol=0.3, atol=0.02)
    with torch.no_grad():
        trained.model.posterior_mean.bias += 7.0
    moved = fit_codes(trained.model, TokenData.of(array, None), torch.Generator().manual_seed(0))
    torch.testing.assert_close(moved.means[0], law.means[0] + 7.0, rtol=0, atol=0.1)


def test_the_least_natural_share_of_the_draws_is_left_out(tiny: SimpleNamespace) -> None:
    """By log p(x) per letter of the language model; the level is that of other draws of the same kind."""
    texts = tiny.strings()
    trained = tiny.train(texts, None, encoder="gru").trained
    batch = source(trained, Draws(seed=0, reject=0.75), None).block(0)
    assert batch.real is not None
    assert abs(sum(batch.real) / len(batch.real) - 0.25) < 0.06
    likely = np.array([float(label.split("loglik=")[1].split()[0]) for label in batch.labels])
    per_letter = likely / np.array([len(text) + 1 for text in batch.texts])
    kept = np.array(batch.real)
    assert per_letter[kept].min() >= per_letter[~kept].max()
    plain = source(trained, Draws(seed=0), None).block(0)
    assert len(plain.texts) == BLOCK
    assert plain.real is None
