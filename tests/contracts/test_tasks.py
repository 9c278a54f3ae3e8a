"""Every task of the registry keeps what the models, predict and the pages rely on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdesign.sequences.numbers import Tally
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.by_name import REGISTRY, get_task, recognise
from seqdesign.tasks.task import Task
from seqdesign.tasks.values import Columns, Judged, OutcomeQuality, ScoredRows

CELLS = {
    "regression": ["0.5", "1.5", "2.25", "3", "-1", "0.1", ""] * 5,
    "binary": ["0", "1", "1", "0", "1", "0", ""] * 5,
    "classes": ["hi", "lo", "mid", "lo", "hi", "mid", "hi"] * 5,
    "log10": ["0.5", "150", "0.025", "3", "20", "1000", ""] * 5,
    "censored-log10": ["0.025", "1000", "<0.01", "3", "20", "> 2000", ""] * 5,
    "censored": ["0.5", "<0.2", "2.25", "> 3", "1", "≤0.1", ""] * 5,
}
"""What a column of each task holds."""


def columns_of(cells: list[str], asked: bool = False) -> Columns:
    ids = [f"r{i}" for i in range(len(cells))]
    records = SequenceSet(ids, ["ACGT"] * len(cells), columns={"y": cells})
    tally = Tally("y")
    tally.add(cells, [0] * len(cells), ids)
    return Columns(records, (tally,), asked, False)


@pytest.fixture(params=REGISTRY.names())
def task(request: pytest.FixtureRequest) -> Task:
    return get_task(request.param)


def test_the_registry_knows_the_cells_of_each(task: Task) -> None:
    columns = columns_of(CELLS[task.name])
    found = recognise(columns.tallies)
    assert found is not None
    assert found.name == task.name
    values = task.read(columns)
    assert values.values.shape == (35, 1)
    missing = np.array([cell == "" for cell in CELLS[task.name]])
    assert np.array_equal(np.isnan(values.values[:, 0]), missing)
    told = task.measured(columns.records, "y", values.classes)
    assert np.array_equal(np.isnan(told), missing)
    assert [float(v) for v in told if v == v] == values.values[~missing, 0].tolist()
    assert task.says(columns.tallies[0])


def test_loss_falls_along_its_gradient_and_scores_are_named(task: Task) -> None:
    values = task.read(columns_of(CELLS[task.name]))
    k = task.num_scores(1, len(values.classes))
    units = task.units(values.values)
    mean, scale = (
        torch.tensor(part or (default,)) for part, default in ((units.mean, 0.0), (units.scale, 1.0))
    )
    y = torch.from_numpy(values.values).float()
    detail = None if values.detail is None else torch.from_numpy(values.detail).float()
    noise = torch.zeros(2, 1, k) if task.learns_noise else None
    raw = torch.randn(2, len(y), k, generator=torch.Generator().manual_seed(0)).requires_grad_()
    known = ~y.isnan()

    def loss(x: torch.Tensor) -> torch.Tensor:
        return (task.loss(x, y.nan_to_num(), detail, (mean, scale), noise) * known).mean()

    before = loss(raw)
    before.backward()
    assert raw.grad is not None
    assert float(loss(raw.detach() - 0.5 * raw.grad)) < float(before.detach())
    scores = task.link(raw.detach(), mean, scale, torch.ones(()))
    named = task.named_scores(scores, values.classes)
    assert named.shape == (2, len(y), len(task.score_names(("y",), values.classes)))


def test_figures_and_cells_are_as_announced(task: Task) -> None:
    values = task.read(columns_of(CELLS[task.name]))
    rng = np.random.default_rng(0)
    units = task.units(values.values)
    k = task.num_scores(1, len(values.classes))
    scores = rng.normal(size=(3, 35, k))
    rows = ScoredRows(scores, values.values, scores[0], values.values, values.detail, values.detail)
    calibration, temperature = task.calibrate(rows, units)
    assert temperature > 0
    assert len(calibration) in (0, 1)
    found = task.predictions(scores, calibration, None)
    assert set(task.cells(found, 0, 0, values.classes)) == set(task.columns(values.classes))
    assert found.mean.shape[1] == len(task.predicted_names(("y",), values.classes))
    judged = Judged(
        names=("y",), rows=rows, predicted=found, baseline=scores.mean(0), train=values.values, units=units
    )
    (one,) = task.quality(judged)
    assert isinstance(one, OutcomeQuality)
    assert one.baseline
    assert one.rows == 35 if task.name == "classes" else one.rows == 30
    list(task.doubts(one))
    cells, predicted = task.held_out(found, values.values, values.detail)
    assert (len(cells), predicted.shape) == (35, (35, 1))
    account = task.agreement()
    for value, row in zip(
        task.measured(columns_of(CELLS[task.name]).records, "y", values.classes), range(35), strict=True
    ):
        if value == value:
            account.add(value, task.compared(found, row)[0])
    assert account.figures().num == one.rows
    known = ~np.isnan(values.values[:, 0])
    side = None if values.detail is None else values.detail[known, 0]
    assert -1 <= task.agreement_of(scores.mean(0)[known], values.values[known, 0], side) <= 1
