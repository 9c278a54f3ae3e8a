"""Limits such as <0.1: learned as what they are, better than left out and than taken for values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import seqdesign as sd
from seqdesign.errors import InputError, UsageError
from seqdesign.metrics.concordance import concordance
from seqdesign.models.predictor.outcomes import read_outcomes
from seqdesign.sequences.numbers import CellFormat, Tally
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.by_name import get_task

NUMBERS = ["1", "2", "3"]


def records(cells: list[str], format: CellFormat | None = None) -> SequenceSet:
    ids = [f"r{i}" for i in range(len(cells))]
    return SequenceSet(
        ids,
        ["ACGT"] * len(cells),
        columns={"y": cells, "s": ["1"] * len(cells)},
        cells=format or CellFormat(),
    )


def test_limits_are_read_with_their_side() -> None:
    found = read_outcomes(records([*NUMBERS, "<0.1", "> 100", "≤2", ">=7", "NA"]), ["y"])
    assert found.task == "censored"
    assert found.detail is not None
    assert found.detail[:, 0].tolist() == [0, 0, 0, -1, 1, -1, 1, 0]
    assert found.values[:7, 0].tolist() == [1, 2, 3, 0.1, 100, 2, 7]
    assert found.said == ("y: 3 numbers, 4 limits (2 below, 2 above), learned as limits, 1 without",)


def test_a_decimal_comma_holds_for_limits() -> None:
    found = read_outcomes(records(["1,5", "2", "<0,1"], CellFormat(decimal_comma=True)), ["y"])
    assert found.values[:, 0].tolist() == [1.5, 2.0, 0.1]
    with pytest.raises(InputError, match="'<0,1'"):
        read_outcomes(records(["1.5", "2", "<0,1"]), ["y"])


@pytest.mark.parametrize("cell", ["ND", "<", "<x", "<<1", "~3", "<1 2", "1-2"])
def test_anything_else_among_limits_is_refused_by_name(cell: str) -> None:
    with pytest.raises(InputError, match="cells are no numbers"):
        read_outcomes(records([*NUMBERS, "<1", cell]), ["y"])
    with pytest.raises(InputError, match="no number"):
        read_outcomes(records([*NUMBERS, "<1", cell]), ["y"], task="censored")


def test_limits_have_no_standard_error_and_are_no_regression() -> None:
    with pytest.raises(UsageError, match="limits have no standard error"):
        read_outcomes(records([*NUMBERS, "<1"]), ["y"], sigma=["s"])
    with pytest.raises(InputError, match="'<1'"):
        read_outcomes(records([*NUMBERS, "<1"]), ["y"], task="regression")


def test_a_column_of_limits_alone_is_not_taken_for_numbers() -> None:
    tally = Tally("y")
    tally.add(["<1", "<2"], [0, 0], ["a", "b"])
    assert not get_task("censored").claims([tally])


def test_the_loss_is_the_likelihood_of_the_normal() -> None:
    task = get_task("censored")
    raw, y = torch.tensor([[[0.3], [0.3], [0.3]]]), torch.tensor([[1.0], [1.0], [1.0]])
    side = torch.tensor([[0.0], [-1.0], [1.0]])
    units, noise = (torch.zeros(1), torch.ones(1)), torch.full((1, 1, 1), math.log(0.5))
    z = (1.0 - 0.3) / 0.5
    below = 0.5 * (1 + math.erf(z / math.sqrt(2)))
    wanted = [0.5 * z * z + math.log(0.5), -math.log(below), -math.log(1 - below)]
    assert task.loss(raw, y, side, units, noise).flatten().tolist() == pytest.approx(wanted, rel=1e-4)


def test_completed_values_lie_beyond_their_limit_as_the_normal_says() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=20_000)
    fitted, floor = np.zeros(20_000), -0.5
    below = truth < floor
    y = torch.from_numpy(np.where(below, floor, truth))[:, None]
    side = torch.from_numpy(np.where(below, -1.0, 0.0))[:, None]
    done = get_task("censored").complete(y, side, torch.from_numpy(fitted)[:, None])[:, 0].numpy()
    assert np.array_equal(done[~below], truth[~below])
    assert done[below].mean() == pytest.approx(truth[below].mean(), abs=0.02)
    again = get_task("censored").complete(-y, -side, torch.from_numpy(fitted)[:, None])[:, 0].numpy()
    assert np.allclose(again, -done)


@pytest.mark.parametrize(("architecture", "more"), [("ridge", {}), ("residual", {"epochs": 25})])
def test_limits_beat_leaving_out_and_taking_the_bound(architecture: str, more: dict[str, int]) -> None:
    rng = np.random.default_rng(2)
    texts = ["".join(rng.choice(list("ACGT"), size=6)) for _ in range(360)]
    truth = np.array([t.count("A") - 0.7 * t.count("C") for t in texts])
    y = truth + rng.normal(0, 0.7, 360)
    floor = float(np.quantile(y, 0.4))

    def error(cells: list[str]) -> float:
        model = sd.train_predictor(
            texts[:240],
            cells[:240],
            architecture=architecture,
            seed=1,
            members=5,
            device="cpu",
            strands="one",
            hidden=16,
            **more,
        )
        return float(np.sqrt(np.mean((model.predict(texts[240:])["mean"] - truth[240:]) ** 2)))

    limits = error([f"<{floor:.4f}" if v < floor else f"{v:.4f}" for v in y])
    bound = error([f"{max(v, floor):.4f}" for v in y])
    dropped = error(["" if v < floor else f"{v:.4f}" for v in y])
    assert limits < 0.8 * min(bound, dropped)


def test_concordance_counts_the_pairs_whose_order_is_known() -> None:
    y, f = np.array([1.0, 2.0, 3.0, 2.0]), np.array([0.1, 0.2, 0.3, 0.4])
    exact = np.zeros(4)
    assert concordance(y, f, exact) == pytest.approx(4 / 5)  # 2 = 2 is no pair
    # A limit above 2 is above the exact 2 and 1; of it and 3 nothing is known.
    assert concordance(y, f, np.array([0, 0, 0, 1.0])) == 1.0
    # A limit below 1 beside a limit below 3: nothing is known.
    assert math.isnan(concordance(np.array([1.0, 3.0]), np.array([0.0, 1.0]), np.array([-1.0, -1.0])))
    assert concordance(np.array([1.0, 3.0]), np.array([1.0, 1.0]), exact[:2]) == 0.5
