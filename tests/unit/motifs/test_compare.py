"""Promises of the comparison of motifs."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.motifs.compare import MotifComparer
from seqdesign.motifs.files import bundled_motifs
from seqdesign.motifs.motif import Motif


@pytest.fixture(scope="module")
def jaspar():
    return bundled_motifs().motifs


@pytest.fixture(scope="module")
def comparer(jaspar):
    return MotifComparer(jaspar, both_strands=True)


@pytest.mark.parametrize("place", [3, 100, 500, 800])
def test_a_motif_is_most_like_itself_on_either_strand(jaspar, comparer, place):
    motif = jaspar[place]
    forward, backward = comparer.matches(motif)[0], comparer.matches(motif.reverse_complement())[0]
    assert forward.p_value == pytest.approx(min(forward.p_value, backward.p_value))
    assert motif.id in [m.motif_id for m in comparer.matches(motif)[:3]]
    assert motif.id in [m.motif_id for m in comparer.matches(motif.reverse_complement())[:3]]
    assert forward.forward != backward.forward or forward.motif_id != backward.motif_id


def test_an_offset_says_where_the_query_lies(jaspar, comparer):
    motif = next(m for m in jaspar if m.width >= 14)
    part = Motif("part", "", "ACGT", motif.probabilities[3:13])
    best = next(m for m in comparer.matches(part) if m.motif_id == motif.id)
    assert (best.offset, best.overlap, best.forward) == (3, 10, True)


def test_p_values_of_random_motifs_are_not_too_small():
    """Columns of targets and query from one source: at most about a share t of p-values lies below t."""
    rng = np.random.default_rng(0)
    targets = [Motif(str(i), "", "ACGT", rng.dirichlet(np.full(4, 0.5), 9)) for i in range(150)]
    comparer = MotifComparer(targets, both_strands=False)
    p = np.concatenate(
        [comparer.p_values(Motif("q", "", "ACGT", rng.dirichlet(np.full(4, 0.5), 9)))[0] for _ in range(12)]
    )
    assert 0.02 < np.mean(p < 0.1) < 0.13
    assert np.mean(p < 0.01) < 0.02
