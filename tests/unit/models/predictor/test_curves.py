"""Curves of trained predictors: learned where outcomes bend, honest, stored, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seqdesign.ensembles.options import PredictorOptions
from seqdesign.metrics.regression import r2, spearman
from seqdesign.models.predictor import fit as training
from seqdesign.models.predictor.fit import PredictorTraining, train_sequence_predictor
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import PredictorRecord, load_predictor, save_predictor
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import TokenArray, encode
from seqdesign.training.config import FitOptions

DNA, PROTEIN = get_alphabet("dna"), get_alphabet("protein")
EFFECTS = np.random.default_rng(7).normal(size=(10, 4))


def latent(n: int, seed: int) -> tuple[TokenArray, Any]:
    """Sequences and the sums of the effects of their letters, of standard deviation 1."""
    letters = np.random.default_rng(seed).integers(4, size=(n, 10))
    total = EFFECTS[np.arange(10), letters].sum(1)
    return encode(["".join("ACGT"[i] for i in row) for row in letters], DNA), total / 3.0


def sigmoid(total: Any) -> Any:
    return 100 / (1 + np.exp(-5 * (total - total.mean())))


def learn(
    fabric: Fabric, tokens: TokenArray, values: Any, task: Any = "regression", kind: Any = "ridge"
) -> PredictorTraining:
    values = np.asarray(values, dtype=np.float64).reshape(len(tokens), -1)
    outcomes = Outcomes(
        tuple(f"y{k}" for k in range(values.shape[1])), task, values, np.ones(len(tokens)),
        detail=np.zeros_like(values) if task == "censored" else None,
    )  # fmt: skip
    return train_sequence_predictor(
        tokens, outcomes, options=PredictorOptions(members=5, architecture=kind, strands="one"),
        fit_options=FitOptions(), seed=0, fabric=fabric,
    )  # fmt: skip


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture(scope="module")
def bent(fabric: Fabric) -> PredictorTraining:
    """One outcome that bends, and one that does not."""
    tokens, total = latent(400, 0)
    noise = np.random.default_rng(1).normal(size=(2, 400))
    return learn(fabric, tokens, np.stack([sigmoid(total) + 3 * noise[0], total + 0.1 * noise[1]], 1))


def test_what_bends_is_predicted_better_in_the_same_order(bent: PredictorTraining) -> None:
    first, second = bent.trained.record.curves
    assert first is not None
    assert second is None
    tokens, total = latent(2000, 5)
    model = bent.trained.model
    found = predict_outcomes(bent.trained, tokens.tokens, tokens.lengths)
    model.bend(())
    straight = predict_outcomes(bent.trained, tokens.tokens, tokens.lengths)
    model.bend(bent.trained.record.curves)
    truth = sigmoid(total)
    assert r2(truth, straight.mean[:, 0]) < 0.9 < 0.95 < r2(truth, found.mean[:, 0])
    assert spearman(straight.mean[:, 0], found.mean[:, 0]) > 0.999
    np.testing.assert_array_equal(straight.mean[:, 1], found.mean[:, 1])
    assert found.half_widths is not None
    inside = np.abs(truth - found.mean[:, 0]) <= found.half_widths[:, 0, 2]
    assert inside.mean() > 0.9


def test_its_gain_is_that_of_rows_that_had_no_part_in_it(bent: PredictorTraining) -> None:
    first, second = bent.quality.outcomes
    assert first.straight is not None
    assert first.r2 is not None
    assert first.r2 > first.straight + 0.03
    assert second.straight is None
    rows = bent.held_out
    assert first.r2 == pytest.approx(r2(bent.outcomes.values[rows, 0], bent.predicted.mean[:, 0]))


def test_held_out_rows_have_no_part_in_a_curve(fabric: Fabric, bent: PredictorTraining) -> None:
    tokens, _ = latent(400, 0)
    values = bent.outcomes.values.copy()
    values[bent.held_out, 0] = 1e3
    other = learn(fabric, tokens, values)
    assert other.trained.record.curves == bent.trained.record.curves


def test_opened_it_says_the_same(tmp_path: Path, bent: PredictorTraining) -> None:
    save_predictor(tmp_path, bent.trained.model, bent.trained.record, bent.reference)
    opened = load_predictor(tmp_path, torch.device("cpu"))
    assert opened.record == bent.trained.record
    tokens, _ = latent(50, 9)
    one, other = (predict_outcomes(which, tokens.tokens, tokens.lengths) for which in (bent.trained, opened))
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.half_widths, other.half_widths)


def test_models_of_before_have_none(tmp_path: Path, fabric: Fabric) -> None:
    tokens, total = latent(300, 0)
    straight = learn(fabric, tokens, total + np.random.default_rng(1).normal(size=300))
    assert straight.trained.record.curves == ()
    assert straight.quality.outcomes[0].straight is None
    save_predictor(tmp_path, straight.trained.model, straight.trained.record, straight.reference)
    told = json.loads((tmp_path / "config.json").read_text())
    assert "curves" not in told
    assert PredictorRecord.from_dict(told).curves == ()


@pytest.mark.parametrize("task", ["binary", "censored"])
def test_labels_and_limits_have_none(fabric: Fabric, task: str) -> None:
    tokens, total = latent(300, 0)
    y = sigmoid(total)
    assert learn(fabric, tokens, y > 50 if task == "binary" else y, task).trained.record.curves == ()


def test_scans_of_single_mutants_have_none(fabric: Fabric) -> None:
    """Places tolerate all changes or some, which is predicted in part: it bends, and nothing adds up."""
    rng = np.random.default_rng(1)
    parent = rng.integers(20, size=40)
    share = np.where(rng.random(40) < 0.3, 1.0, 0.1)
    texts, y = [], []
    for place, letter in np.argwhere(np.arange(0, 20, 2) != parent[:, None]):
        row = parent.copy()
        row[place] = 2 * letter
        texts.append("".join(PROTEIN.letters[i] for i in row))
        y.append(-2.0 * (rng.random() < share[place]) + rng.normal(0, 0.1))
    assert learn(fabric, encode(texts, PROTEIN), y, kind="kernel").trained.record.curves == ()


def test_rows_that_calibrate_are_predicted_by_curves_without_them(
    fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}
    with_curves = training.with_curves

    def spy(*given: Any) -> Any:
        kept["found"], kept["known"] = with_curves(*given), given[1]
        return kept["found"]

    monkeypatch.setattr(training, "with_curves", spy)
    tokens, total = latent(200, 0)
    learn(fabric, tokens, sigmoid(total))
    learned = kept["found"]
    assert learned.record.curves != ()
    assert learned.own is not None
    model, known = learned.model, kept["known"].tokens
    said = model.score_tokens(torch.from_numpy(known.tokens).long(), torch.from_numpy(known.lengths))
    rows = torch.arange(len(known))
    itself = (said[learned.fold, rows, 0] - model.outcome_mean) / model.outcome_scale
    apart = (learned.own[:, 0] - itself).abs()[learned.fold >= 0]
    assert 0 < float(apart.mean()) < 0.1
