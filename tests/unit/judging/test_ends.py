"""Measurements that end abruptly."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.judging.ends import Ends, ends_of


@pytest.mark.parametrize("draw", ["standard_normal", "standard_exponential", "standard_gumbel"])
def test_tails_that_thin_out_are_no_ends(draw: str) -> None:
    rng = np.random.default_rng(0)
    values = rng.gumbel(size=2000) if draw == "standard_gumbel" else getattr(rng, draw)(2000)
    assert ends_of(values).high is None


def test_what_was_cut_off_is_an_end_on_its_side() -> None:
    values = np.random.default_rng(1).standard_normal(3000)
    cut = values[values < np.quantile(values, 0.4)]
    assert ends_of(cut) == Ends(high=float(cut.max()), low=None)
    assert ends_of(-cut) == Ends(high=None, low=float(-cut.max()))
    assert ends_of(np.append(cut, np.nan)) == ends_of(cut)


def test_the_end_of_a_scale_and_few_values_are_no_ends() -> None:
    values = np.random.default_rng(2).standard_normal(3000)
    assert ends_of(np.minimum(values, 0.5)) == Ends(None, None)  # 31% are exactly .5
    cut = values[values < 0]
    assert ends_of(cut[:150]) == Ends(None, None)
    assert ends_of(np.zeros(500)) == Ends(None, None)
