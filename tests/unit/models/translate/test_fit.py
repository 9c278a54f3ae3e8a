"""Promises of training a translator in memory: it learns, it can be resumed, it refuses what cannot work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seqdesign.errors import InputError
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.fit import TranslateTraining, TwoSets, train_sequence_translator
from seqdesign.models.translate.fit_options import TranslateFitOptions
from seqdesign.models.translate.quality import texts_of
from seqdesign.models.translate.store import load_translator
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import TokenArray, encode
from seqdesign.training.data import TokenData
from seqdesign.training.store import save_model

DNA = get_alphabet("dna")
CPU = torch.device("cpu")


def strings(n: int, seed: int, third: str, length: int = 6) -> list[str]:
    """Random letters, with one of ``third`` at position 3."""
    rng = np.random.default_rng(seed)
    rows = [rng.choice(list("ACGT"), size=length) for _ in range(n)]
    return ["".join([*row[:2], rng.choice(list(third)), *row[3:]]) for row in rows]


def arrays(n: int = 120) -> tuple[TokenArray, TokenArray]:
    a, b = dict.fromkeys(strings(n, 1, "AC")), dict.fromkeys(strings(n, 2, "G"))
    return encode(list(a), DNA), encode(list(b), DNA)


def train(fabric: Fabric, sets: tuple[TokenArray, TokenArray], **given: Any) -> TranslateTraining:
    options = {k: v for k, v in given.items() if k in TranslateOptions.__dataclass_fields__}
    fit = {k: v for k, v in given.items() if k in TranslateFitOptions.__dataclass_fields__}
    rest = {k: v for k, v in given.items() if k not in options | fit}
    return train_sequence_translator(
        *sets, options=TranslateOptions(**({"channels": 8} | options)),
        fit_options=TranslateFitOptions(**({"steps": 3, "batch_size": 16} | fit)), seed=0, fabric=fabric,
        **rest,
    )  # fmt: skip


def test_it_learns_what_sets_two_sets_apart_and_leaves_the_rest(fabric: Fabric) -> None:
    result = train(fabric, arrays(400), steps=90, learning_rate=4e-3, batch_size=32)
    there, back = result.directions
    for one in (there, back):
        assert one.recognised > 0.9
        assert one.real > 0.75
        assert one.untouched < 0.1
        assert 0.75 < one.edits < 1.5
        assert one.returned > 0.85
    for rows, other, test in zip(result.train, result.teach, result.test, strict=True):
        assert len({*rows, *other, *test}) == len(rows) + len(other) + len(test)


def test_a_resumed_run_is_an_unbroken_one_and_a_saved_model_the_same(fabric: Fabric, tmp_path: Path) -> None:
    whole = train(fabric, arrays(), steps=20)

    def stop(step: int, total: int) -> None:
        if step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(fabric, arrays(), steps=20, folder=tmp_path, on_step=stop)
    again = train(fabric, arrays(), steps=20, folder=tmp_path, resume=True)
    for name, value in whole.trained.model.state_dict().items():
        assert torch.equal(value, again.trained.model.state_dict()[name]), name
    assert whole.directions == again.directions
    save_model(tmp_path, whole.trained.model, whole.trained.record)
    read = load_translator(tmp_path, CPU)
    assert read.record == whole.trained.record
    symbols = read.model.symbols(torch.tensor([[0, 1, 2, 3, 0, 1]]))
    assert torch.equal(
        read.model.to_b(read.model.one_hot(symbols)), whole.trained.model.to_b(read.model.one_hot(symbols))
    )


def test_the_smaller_set_comes_round_more_often() -> None:
    a, b = arrays(30)
    b = b.take(np.arange(5))
    data = TwoSets(TokenData.of(a, None), TokenData.of(b, None), 24)
    batches = data.batches(torch.arange(24), 3, torch.Generator().manual_seed(0))
    rows = torch.cat(list(batches))
    assert [len(batch) for batch in batches] == [8, 8, 8]
    assert sorted(set(rows[:, 0].tolist())) == sorted(rows[:, 0].tolist())
    assert torch.bincount(rows[:, 1]).tolist() in (
        [5, 5, 5, 5, 4],
        [5, 5, 5, 4, 5],
        [5, 5, 4, 5, 5],
        [5, 4, 5, 5, 5],
        [4, 5, 5, 5, 5],
    )
    assert (
        texts_of(a)[rows[0, 0]]
        == texts_of(TokenArray(data.rows(rows[:1]).a.numpy(), a.lengths[:1], DNA, a.kept[:1]))[0]
    )


def test_sets_that_share_sequences_and_sets_that_are_too_small_are_refused(fabric: Fabric) -> None:
    a, _ = arrays()
    with pytest.raises(InputError, match="both in weak and in strong"):
        train(fabric, (a, a), names=("weak", "strong"))
    with pytest.raises(InputError, match="too few"):
        train(fabric, (a, arrays()[1].take(np.arange(6))))
