"""The law of the codes of data is that of draws of q(z|x), wherever the encoder puts them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from seqdesign.models.vae.codes import fit_codes
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
