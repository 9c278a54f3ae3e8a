"""Means, standard errors and the noise ceiling, against simulations whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.sequences.lab.replicates import average, group_equal


@pytest.mark.parametrize(("num", "copies", "noise"), [(400, 2, 1.0), (400, 3, 0.5)])
def test_the_ceiling_is_what_the_truth_itself_reaches(num: int, copies: int, noise: float) -> None:
    off, errors = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=num)
        sd = noise * np.sqrt(4 / rng.chisquare(6, num))
        values = truth[:, None] + sd[:, None] * rng.normal(size=(num, copies))
        found = average(values.ravel(), np.repeat(np.arange(num), copies), num)
        assert found.noise is not None
        reached = 1 - np.mean(np.square(truth - found.means)) / np.var(found.means)
        off.append((found.noise.r2 - reached, found.noise.r - np.corrcoef(truth, found.means)[0, 1]))
        # Moderated standard errors are nearer the truth than each record's own, and than one for all.
        own = values.std(axis=1, ddof=1) / np.sqrt(copies)
        one = np.full(num, found.noise.spread / np.sqrt(copies))
        errors.append([np.abs(np.log(x * np.sqrt(copies) / sd)).mean() for x in (found.stderr, own, one)])
    assert np.abs(np.mean(off, axis=0)).max() < 0.015
    moderated, own, one = np.mean(errors, axis=0)
    assert moderated < 0.97 * min(own, one)


def test_missing_values_single_values_and_nothing_at_all() -> None:
    values = np.array([1.0, 3.0, np.nan, 5.0, np.nan])
    found = average(values, np.array([0, 0, 0, 1, 2]), 3)
    assert found.means[:2].tolist() == [2.0, 5.0]
    assert found.counts.tolist() == [2, 1, 0]
    assert found.stderr[:2].tolist() == pytest.approx([1.0, np.sqrt(2.0)])
    assert np.isnan(found.means[2])
    assert np.isnan(found.stderr[2])
    assert average(np.array([1.0, 2.0]), np.array([0, 1]), 2).noise is None


def test_noise_without_any_signal_leaves_nothing_to_predict() -> None:
    rng = np.random.default_rng(1)
    found = average(rng.normal(size=900), np.repeat(np.arange(300), 3), 300)
    assert found.noise is not None
    assert found.noise.r2 < 0.15


def test_equal_sequences_are_one_group_whatever_their_case() -> None:
    groups, first = group_equal(["ACG", "TTT", "acg", "TTT"])
    assert groups.tolist() == [0, 1, 0, 1]
    assert first == [0, 1]


def test_constant_differences_between_columns_are_no_noise() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(0, 1, 400)
    table = truth[:, None] + rng.normal(0, 0.3, (400, 3))
    table[rng.random((400, 3)) < 0.1] = np.nan
    owner = np.repeat(np.arange(400), 3)
    column = np.tile(np.arange(3), 400)
    plain = average(table.ravel(), owner, 400, column)
    moved = average((table + np.array([0.0, 2.0, -1.0])).ravel(), owner, 400, column)
    assert plain.noise is not None
    assert moved.noise is not None
    assert plain.noise.spread == pytest.approx(0.3, rel=0.1)
    assert moved.noise.spread == pytest.approx(plain.noise.spread, rel=1e-6)
    np.testing.assert_allclose(moved.stderr, plain.stderr, rtol=1e-6)
    whole = ~np.isnan(table).any(1)
    np.testing.assert_allclose(moved.means[whole], plain.means[whole] + 1 / 3)
    blind = average((table + np.array([0.0, 2.0, -1.0])).ravel(), owner, 400)
    assert blind.noise is not None
    assert blind.noise.spread > 1  # without knowing the columns


def test_one_nucleic_acid_is_one_whether_with_t_or_u_and_proteins_are_not() -> None:
    assert group_equal(["ACGT", "acgu", "ACGA"])[1] == [0, 2]
    assert group_equal(["MKTL", "MKUL"])[1] == [0, 1]
