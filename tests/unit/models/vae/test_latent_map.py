"""The flat map of the latent space."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from seqdesign.models.vae.latent_map import latent_map, principal_axes
from seqdesign.models.vae.store import save_vae
from seqdesign.training.measured import Measured, save_measured


def test_principal_axes_are_those_of_the_covariance() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 3)) * [0.1, 3.0, 1.0]
    points, shares = principal_axes(z)
    total = z.var(axis=0).sum()
    assert shares[0] > shares[1] > 0
    assert np.isclose(shares[0], np.linalg.eigvalsh(np.cov(z.T, bias=True))[-1] / total)
    assert abs(np.corrcoef(points[:, 0], z[:, 1])[0, 1]) > 0.99
    assert np.allclose(principal_axes(z)[0], points)


def test_codes_of_one_dimension_have_a_flat_map() -> None:
    points, shares = principal_axes(np.arange(5.0)[:, None])
    assert shares == (1.0, 0.0)
    assert not points[:, 1].any()


def test_the_map_shows_the_outcome_or_the_gc_content(tiny: SimpleNamespace, tmp_path: Path) -> None:
    texts = tiny.strings()
    outcomes = tiny.outcomes(texts)
    result = tiny.train(texts, outcomes, encoder="gru", folder=tmp_path)
    save_vae(tmp_path, result.trained.model, result.trained.record)
    assert latent_map(tmp_path) is None  # nothing says what it was trained on
    array = tiny.dna(texts)
    outcomes[0] = np.nan
    save_measured(tmp_path, Measured.of(array, outcomes, result.held_out))
    found = latent_map(tmp_path)
    assert found is not None
    assert found.name == (result.trained.record.outcome or "outcome")
    assert found.unmeasured == 1
    assert np.array_equal(np.sort(found.values), np.sort(outcomes[1:]))
    save_measured(tmp_path, Measured.of(array, None, result.held_out))
    found = latent_map(tmp_path)
    assert found is not None
    assert found.name == "GC content"
    assert len(found.values) == len(texts)
