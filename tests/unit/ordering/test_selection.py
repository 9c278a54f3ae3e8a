"""The choice: best first, different, within quotas, and exactly the greedy determinant."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.errors import InputError
from seqdesign.ordering.selection import Similarity, choose
from seqdesign.ordering.shortlist import Candidates, Known, shortlist


def pool(num=40, length=10, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(num)], rng.normal(size=num)


def test_without_diversity_the_best_are_chosen():
    texts, quality = pool()
    assert [p.place for p in choose(texts, quality, 7, diversity=0)] == np.argsort(-quality)[:7].tolist()


@pytest.mark.parametrize("diversity", [0.3, 0.8, 1.0])
def test_each_pick_is_the_best_by_the_determinant(diversity):
    texts, quality = pool(20)
    kernel = np.array([Similarity(texts).row(i) for i in range(20)])
    score = (1 - diversity) * (quality - quality.mean()) / quality.std()
    taken = []
    for pick in choose(texts, quality, 6, diversity=diversity):
        values = {}
        for i in set(range(20)) - set(taken):
            some = [*taken, i]
            values[i] = score[some].sum() + diversity * np.linalg.slogdet(kernel[np.ix_(some, some)])[1]
        assert values[pick.place] == pytest.approx(max(values.values()), abs=1e-9)
        taken.append(pick.place)


def test_quotas_and_equal_sequences():
    texts, quality = pool()
    texts[1] = texts[0]
    picks = choose(texts, quality, 40, groups=["a", "b"] * 20, per_group=8)
    assert len(picks) == 16
    assert sum(p.place % 2 for p in picks) == 8
    assert len(choose(texts, quality, 40)) == len(set(texts))


def test_sequences_of_several_lengths_are_compared_by_words():
    near = Similarity(["ACGTACGTAC", "ACGTACGTACG", "TTTTGGGG"]).row(0)
    assert near[0] == 1
    assert near[1] > near[2]


def candidates(num=30):
    texts, quality = pool(num)
    return Candidates(ids=[f"d{i}" for i in range(num)], sequences=texts, quality=quality.tolist(),
                      parents=["p0", "p1"] * (num // 2))  # fmt: skip


def test_a_shortlist_leaves_out_what_is_known_and_adds_controls():
    designs = candidates()
    top = designs.sequences[int(np.argmax(designs.quality))]
    known = Known(values={top: {"y": 1.5}})
    parents = {"p0": "AAAAAAAAAA", "p1": "CCCCCCCCCC", "p2": "GGGGGGGGGG"}
    found = shortlist(designs, 12, known=known, parents=parents, best=[("m1", top)], shuffled=2)
    assert len(found.records) == 12
    assert list(found.known.values()) == ["y=1.5"]
    roles = [one.role for one in found.records]
    assert roles == ["design"] * 7 + ["best-measured"] + ["parent"] * 2 + ["shuffled"] * 2
    assert len({one.sequence for one in found.records}) == len({one.id for one in found.records}) == 12
    mixed = found.records[-1]
    source = next(one for one in found.records if one.id == mixed.parent)
    assert sorted(mixed.sequence) == sorted(source.sequence)
    assert (mixed.sequence[0], mixed.sequence[-1]) == (source.sequence[0], source.sequence[-1])


def test_a_shortlist_that_cannot_be_is_refused():
    designs = candidates()
    with pytest.raises(InputError, match="all 30 designs are known already"):
        shortlist(designs, 4, known=Known(values={text: {} for text in designs.sequences}))
    with pytest.raises(InputError, match="4 controls leave no place"):
        shortlist(designs, 4, shuffled=4)
