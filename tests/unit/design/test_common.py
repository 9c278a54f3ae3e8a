"""Designs lean on what rows have in common where the better rows were left out of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import seqdesign as sd
from seqdesign.design.common import Leaning, leaning
from seqdesign.design.opening import open_model

LETTERS, LENGTH = "ACGT", 30


COUNTS = torch.tensor([[7, 1, 0, 0], [2, 4, 2, 0]])
PLACES, OTHERS = torch.tensor([0, 1, 1]), torch.tensor([1, 0, 2])


def test_what_is_taken_off_grows_with_how_much_rarer_letters_are() -> None:
    lean = Leaning(COUNTS)
    assert lean.letters.tolist() == [0, 1]
    # One more row for each letter: 8 and 2 of 12, 5 and 3 of 12.
    rare = np.log([8 / 2, 5 / 3, 5 / 3])
    told = torch.tensor([-3.0, 0.0, 1.0])
    assert lean.weigh(PLACES, OTHERS, told)
    tokens = torch.tensor([[0, 1], [1, 1], [1, 0]])
    assert lean.rarity(tokens).tolist() == pytest.approx([0.0, rare[0], rare[0] + rare[1]])
    x = torch.nn.functional.one_hot(tokens, 4).transpose(1, 2).float().requires_grad_(True)
    taken = lean(x, torch.arange(3))
    weight = float(told.std()) / np.std(rare, ddof=1)
    assert taken.tolist() == pytest.approx([0.0, weight * rare[0], weight * (rare[0] + rare[1])], rel=1e-5)
    (slope,) = torch.autograd.grad(taken.sum(), x)
    assert slope[0, :, 0].tolist() == pytest.approx([weight * np.log(8 / n) for n in (8, 2, 1, 1)], abs=1e-4)


def test_all_other_letters_cost_the_same_where_rare_ones_are_predicted_to_be_better() -> None:
    lean = Leaning(COUNTS)
    assert lean.weigh(PLACES, OTHERS, torch.tensor([3.0, 0.0, 1.0]))
    others = [cost for i, row in enumerate(lean.costs.tolist()) for v, cost in enumerate(row) if v != i]
    assert others == pytest.approx([3 * np.std([3, 0, 1], ddof=1)] * 6)
    assert lean.costs[[0, 1], [0, 1]].tolist() == [0, 0]
    assert not Leaning(COUNTS).weigh(PLACES, OTHERS, torch.ones(3))


def _library(folder: Path, *, sign: float, cut: bool) -> tuple[Path, str]:
    """Variants with three to nine changes of a parent that is better (or worse) than nearly all of them."""
    rng = np.random.default_rng(3)
    parent = rng.integers(0, 4, LENGTH)
    effects = -sign * rng.gamma(2.0, 1.0, (LENGTH, 4))
    effects[np.arange(LENGTH), parent] = 0
    there = rng.random((700, LENGTH)).argsort(1) < rng.integers(3, 10, 700)[:, None]
    rows = np.where(there, (parent + rng.integers(1, 4, there.shape)) % 4, parent)
    values = effects[np.arange(LENGTH), rows].sum(1)
    values = values + 1.5 * values.std() * rng.normal(size=len(rows))
    kept = values <= np.quantile(values, 0.3) if cut else np.arange(len(rows)) < 210
    source = folder / "library.csv"
    texts = ["".join(LETTERS[i] for i in row) for row in rows[kept]]
    lines = [f"{text},{value}\n" for text, value in zip(texts, values[kept], strict=True)]
    source.write_text("sequence,outcome\n" + "".join(lines))
    return source, "".join(LETTERS[i] for i in parent)


def test_designs_lean_where_better_rows_were_left_out(tmp_path: Path) -> None:
    source, parent = _library(tmp_path, sign=1.0, cut=True)
    model = sd.train_predictor(source, architecture="ridge", members=2)
    found = sd.maximize(model, num=4, tries=1, budget=40)
    assert any("in common" in text and text.endswith(f": {parent}") for text in found.summary.warnings)
    changes = [sum(a != b for a, b in zip(one.sequence, parent, strict=True)) for one in found]
    assert max(changes) <= 4
    assert all(0 <= (one.outcomes["rarity"] or 0.0) < 15 for one in found)
    # Judges know the band of what was left in alone, so that no interval ends above it.
    assert all(one.open_end and one.outcomes["predicted_outcome_high"] is None for one in found)
    assert not any("are not confirmed" in text for text in found.summary.warnings)


@pytest.mark.parametrize(("sign", "cut"), [(1.0, False), (-1.0, True)])
def test_nothing_leans_without_a_cut_or_where_common_letters_are_worse(
    tmp_path: Path, sign: float, cut: bool
) -> None:
    source, _ = _library(tmp_path, sign=sign, cut=cut)
    sd.train_predictor(source, architecture="ridge", members=2).save(tmp_path / "model")
    model = open_model(tmp_path / "model", torch.device("cpu"))
    assert leaning(model, model.composite((), "mean"), LENGTH) is None


def test_judges_that_go_beyond_rows_of_a_band_have_not_seen_what_was_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, parent = _library(tmp_path, sign=1.0, cut=True)
    sd.train_predictor(source, architecture="ridge", members=2).save(tmp_path / "model")
    model = open_model(tmp_path / "model", torch.device("cpu"))
    monkeypatch.setattr(type(model), "may_go_on", lambda *_: True)
    found = leaning(model, model.composite((), "mean"), LENGTH)
    assert found is not None
    assert (found.costs > 0).sum() == 3 * LENGTH
    assert "".join(LETTERS[i] for i in found.letters.tolist()) == parent
