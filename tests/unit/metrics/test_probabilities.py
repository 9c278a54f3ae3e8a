"""No probability is surer than the rows that bear it out."""

import numpy as np

from seqdesign.metrics.probabilities import as_borne_out


def test_no_probability_is_surer_than_the_rows_that_bear_it_out() -> None:
    sure = np.array([[1 - 2e-7, 2e-7], [0.5, 0.5]])
    found = as_borne_out(sure, 98, 2)
    assert abs(found[0, 0] - 0.99) < 1e-6  # right in all of 98 rows
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_allclose(as_borne_out(np.array([[0.2, 0.3, 0.5]]), 7, 3), [[0.24, 0.31, 0.45]])
