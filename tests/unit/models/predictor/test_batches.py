"""Plates with offsets and scales are brought to one scale, and the order within a plate stays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import seqdesign as sd
from seqdesign.errors import InputError, UsageError
from seqdesign.models.predictor.batches import align
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode

OFFSET, SCALE = {"P1": 0.0, "P2": 3.0, "P3": -2.0}, {"P1": 1.0, "P2": 2.5, "P3": 0.5}


def made(n: int = 300, seed: int = 0, sort: bool = False) -> tuple[list[str], np.ndarray, list[str]]:
    """Strings, what each would give on P1, and the plate of each."""
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list("ACGT"), size=7)) for _ in range(n)]
    y = np.array([t.count("A") - 0.8 * t.count("C") for t in texts]) + rng.normal(0, 0.3, n)
    if sort:  # the better ones on P2, the worse ones on P3
        rank = np.argsort(np.argsort(y + rng.normal(0, 1, n))) / n
        return texts, y, ["P3" if r < 0.3 else "P2" if r > 0.7 else "P1" for r in rank]
    return texts, y, rng.choice(["P1", "P1", "P2", "P3"], size=n).tolist()


def column(one: Outcomes) -> np.ndarray:
    """The values of the one outcome."""
    return np.asarray(one.first().values)[:, 0]


def outcomes(y: np.ndarray, task: str = "regression") -> Outcomes:
    return Outcomes(("y",), task, y[:, None], np.ones(len(y)))


@pytest.mark.parametrize("sort", [False, True])
def test_offsets_and_scales_are_found_also_where_plates_hold_other_sequences(sort: bool) -> None:
    texts, y, plate = made(sort=sort)
    seen = np.array([OFFSET[p] + SCALE[p] * v for p, v in zip(plate, y, strict=True)])
    tokens, train = encode(texts, get_alphabet("dna")), np.arange(240)
    aligned, batches = align(tokens, outcomes(seen), plate, train, "plate", reference="P1", seed=0)
    found = column(aligned)
    assert batches.names == ("P1", "P2", "P3")
    for name, (offset,), (scale,) in zip(batches.names, batches.offsets, batches.scales, strict=True):
        assert offset == pytest.approx(OFFSET[name], abs=0.5), name
        assert scale == pytest.approx(SCALE[name], rel=0.12), name
    assert np.abs(found - y).mean() < 0.15
    for name in batches.names:  # the order within a plate stays
        mine = np.array(plate) == name
        assert np.array_equal(np.argsort(seen[mine]), np.argsort(found[mine]))
    back = batches.common(seen.tolist(), plate, 0)
    assert np.allclose(back, found)
    assert np.isnan(batches.common([1.0], ["P9"], 0)[0])


def test_plates_that_agree_stay_as_they_are() -> None:
    texts, y, plate = made(seed=3)
    tokens = encode(texts, get_alphabet("dna"))
    aligned, _ = align(tokens, outcomes(y), plate, np.arange(240), "plate", reference="P1", seed=0)
    found = column(aligned)
    assert np.abs(found - y).mean() < 0.1


def test_it_is_better_than_to_ignore_plates() -> None:
    texts, y, plate = made(seed=1)
    seen = [OFFSET[p] + SCALE[p] * v for p, v in zip(plate, y, strict=True)]
    table = pd.DataFrame({"sequence": texts, "outcome": seen, "plate": plate})[:200]
    errors = []
    for words in ({}, {"batch": "plate=P1"}):
        model = sd.train_predictor(
            table, outcome="outcome", architecture="ridge", members=2, device="cpu", **words
        )
        errors.append(float(np.abs(model.predict(texts[200:])["mean"] - y[200:]).mean()))
    assert errors[1] < 0.6 * errors[0]


def test_what_cannot_be_brought_to_one_scale_is_refused() -> None:
    texts, y, plate = made(60)
    tokens, train = encode(texts, get_alphabet("dna")), np.arange(60)

    def refused(error: type[Exception], match: str, cells: list[str], **given: str) -> None:
        with pytest.raises(error, match=match):
            align(tokens, outcomes(y, given.get("task", "regression")), cells, train, "plate",
                  reference=given.get("reference"), seed=0)  # fmt: skip

    refused(UsageError, "has one value only, 'P1'", ["P1"] * 60)
    refused(UsageError, "has no 'P9'; there are P1, P2, P3", plate, reference="P9")
    refused(UsageError, "one of two values, which has no offset", plate, task="binary")
    refused(InputError, "'P8' has 1 values of 'y' to learn from", ["P8", *plate[1:]])
    refused(InputError, "names no batch in row 2", [plate[0], "", *plate[2:]])
