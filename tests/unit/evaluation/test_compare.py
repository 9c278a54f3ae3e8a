"""``evaluate`` from Python: sequences in memory, no file and no command."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqdesign.evaluation.compare import compare_sets
from seqdesign.evaluation.sets import make_sets
from seqdesign.sequences.origin import Origin
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


def paired(num: int, seed: int) -> SequenceSet:
    """24 random letters whose first eight pair with the last eight."""
    codes = np.random.default_rng(seed).integers(0, 4, (num, 24))
    codes[:, 16:] = 3 - codes[:, 7::-1]
    return SequenceSet([f"s{i}" for i in range(num)], ["".join("ACGT"[c] for c in row) for row in codes])


def loose(num: int, seed: int) -> SequenceSet:
    """The same letters and words, but the first half of one and the last of another."""
    texts = paired(num, seed).sequences
    mixed = [a[:12] + b[12:] for a, b in zip(texts, texts[1:] + texts[:1], strict=True)]
    return SequenceSet([f"s{i}" for i in range(num)], mixed)


def test_designs_of_ours_that_are_judged_as_samples_are_said_first() -> None:
    designs = replace(records(20, 0), origin=Origin("maximize", frozenset()))
    samples = replace(records(20, 0), origin=Origin("sample-gan", frozenset()))
    said = "maximize wrote them, and designs are meant to differ from real ones: judge them with --designs."
    for block, as_designs, first in ((designs, False, True), (designs, True, False), (samples, False, False)):
        found = compare_sets(make_sets(block, records(60, 1)), resamples=20, designs=as_designs)
        assert (found.findings[0].text == said) == first


def test_pairs_far_apart_are_looked_at() -> None:
    """Samples of any generator are judged by what words cannot see, not those of a GAN alone."""
    real = [paired(400, 1), paired(400, 2)]
    good = compare_sets(make_sets(paired(400, 3), *real), resamples=20)
    bad = compare_sets(make_sets(loose(400, 4), *real), resamples=20)
    assert (good.verdict, good.num_flagged) == ("healthy", 0)
    assert bad.verdict == "unhealthy"
    assert "far_pairs" in {row.name for row in bad.evaluation.rows if row.verdict == "flagged"}


def test_few_sequences_make_no_generator_healthy() -> None:
    few = compare_sets(make_sets(paired(60, 3), paired(60, 1), paired(60, 2)), resamples=20)
    assert few.verdict == "too few to tell"
    assert few.detectable > 0.6
    said = " ".join(finding.text for finding in few.findings)
    assert "Too few sequences to tell whether positions depend on each other" in said


def test_halves_of_one_set_do_not_teach_what_they_judge() -> None:
    """With a training set only, the network must not learn from the half that it is judged by."""
    one = compare_sets(make_sets(paired(300, 3), paired(600, 1)), resamples=20)
    assert one.sample is not None
    assert not set(one.sample.rest) & set(one.sample.pick("held_out"))
    assert one.verdict == "healthy"
    assert compare_sets(make_sets(paired(300, 3)), resamples=20).verdict is None
