"""``evaluate`` from Python: sequences in memory, no file and no command."""

from __future__ import annotations

import numpy as np

from seqdesign.evaluation.compare import compare_sets
from seqdesign.evaluation.sets import make_sets
from seqdesign.sequences.reader import SequenceSet


def records(num: int, seed: int, letters: str = "ACGT") -> SequenceSet:
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list(letters), size=20)) for _ in range(num)]
    return SequenceSet([f"s{i}" for i in range(num)], texts)


def test_sets_in_memory_are_judged() -> None:
    training = records(300, 1)
    like = compare_sets(make_sets(records(300, 0), training, records(300, 2)), resamples=20)
    unlike = compare_sets(make_sets(records(300, 0, "AC"), training, records(300, 2)), resamples=20)
    assert like.num_flagged == 0
    assert unlike.num_flagged > 0
    assert unlike.headline("mine") == "mine (dna): 300 generated, 300 training, 300 held-out sequences"
    assert {row.name for row in unlike.evaluation.rows} >= {"auc", "copies", "gc"}
