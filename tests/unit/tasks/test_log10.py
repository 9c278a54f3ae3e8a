"""Outcomes over powers of ten: recognised, learned as logarithms, told as numbers."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import seqdesign as sd
from seqdesign.errors import InputError
from seqdesign.sequences.numbers import Tally
from seqdesign.tasks.by_name import recognise
from seqdesign.tasks.kinds.log10 import log10


def tally(values: np.ndarray) -> Tally:
    found = Tally("y")
    for part in np.array_split(values, 3):
        found.add([repr(float(v)) for v in part], [0] * len(part), [""] * len(part))
    return found


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (np.exp(1.7 * np.random.default_rng(0).normal(size=300)), "log10"),
        (1e4 * np.exp(1.7 * np.random.default_rng(1).normal(size=300)), "log10"),
        (np.exp(np.random.default_rng(0).normal(size=300)), "regression"),
        (np.random.default_rng(0).normal(size=300) + 1000, "regression"),
        (np.random.default_rng(0).exponential(size=300), "regression"),
        (np.exp(1.7 * np.random.default_rng(0).normal(size=300)) - 0.05, "regression"),
        (np.exp(3.0 * np.random.default_rng(0).normal(size=10)), "regression"),
    ],
)
def test_only_positive_numbers_over_powers_of_ten_are_learned_so_by_default(
    values: np.ndarray, name: str
) -> None:
    found = recognise([tally(values)])
    assert found is not None
    assert found.name == name


def test_moments_of_parts_are_those_of_the_whole() -> None:
    values = 1e6 + np.random.default_rng(0).exponential(size=100)
    found = tally(values)
    assert found.plain.mean == pytest.approx(values.mean())
    assert found.plain.sd == pytest.approx(values.std())
    assert found.logs.sd == pytest.approx(np.log(values).std())
    assert "95% of them within" in log10.says(found)


def test_a_number_without_logarithm_is_named(tmp_path: Path, cli: Callable[..., Any]) -> None:
    path = tmp_path / "x.csv"
    path.write_text("sequence,outcome\n" + "".join(f"ACGT,{v}\n" for v in (1, 20, 0, 0, 3)))
    done = cli("train-predictor", path, "--task", "log10", "--on-duplicate", "keep", "-o", tmp_path / "m")
    assert done.code == 1
    assert "x.csv:4: " in done.err
    assert "'0' has no logarithm, like 2 of 5 cells; leave them out with --missing 0 --on-missing" in done.err


@pytest.fixture(scope="module")
def effects() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(8, 4))


def test_designs_of_what_multiplies_are_found_and_tables_are_in_the_users_units(effects: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(4, size=(150, 8))
    texts = ["".join("ACGT"[c] for c in row) for row in codes]
    inner = 1.2 * effects[np.arange(8), codes].sum(1)
    values = np.exp(inner + 0.1 * rng.normal(size=150))
    model = sd.train_predictor(texts, values, architecture="ridge", outcome="expression")
    assert model.trained.record.outcomes == ("log10 expression",)
    table = model.predict(texts)
    assert np.corrcoef(np.log(table["median"]), inner)[0, 1] > 0.98
    assert ((table["low_95"] <= values) & (values <= table["high_95"])).mean() > 0.9
    designs = sd.maximize(model, num=2, length=8)
    best = np.array([[("ACGT").index(c) for c in text] for text in designs.sequences])
    assert effects[np.arange(8), best].sum(1).min() > 0.9 * effects.max(1).sum()
    assert {"predicted_log10_expression"} <= set(designs.to_frame().columns)


def test_standard_errors_become_those_of_logarithms() -> None:
    found = log10.spread(np.array([[1.0]]), np.array([[2.0]]))
    assert float(found[0, 0]) == pytest.approx(0.00434, abs=1e-4)
    assert pd.isna(log10.learned(np.array([0.0]))[0])
    with pytest.raises(InputError, match="has no logarithm"):
        sd.train_predictor(["ACGT", "ACGA", "ACGC"], [0.0, 1.0, 2.0], task="log10")


def test_limits_among_powers_of_ten_are_learned_as_limits_of_logarithms(
    effects: np.ndarray, tmp_path: Path, cli: Callable[..., Any]
) -> None:
    """The highest fifth is known as >BOUND and predicted beyond it; tables show what was written."""
    rng = np.random.default_rng(0)
    codes = rng.integers(4, size=(200, 8))
    texts = ["".join("ACGT"[c] for c in row) for row in codes]
    values = np.exp(2.0 * effects[np.arange(8), codes].sum(1) + 0.1 * rng.normal(size=200))
    bound = round(float(np.quantile(values, 0.8)), 3)
    cells = [f"{v:.6g}" if v < bound else f">{bound}" for v in values]
    rows = [f"{text},{cell}" for text, cell in zip(texts, cells, strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["sequence,ic50", *rows]) + "\n")
    words = ("--outcome", "ic50", "--architecture", "ridge", "--strands", "one", "-o", tmp_path / "m")
    done = cli("train-predictor", tmp_path / "x.csv", *words)
    assert done.code == 0, done.err
    assert "ic50: 160 numbers, 40 limits (40 above), learned as limits, 95% of them within" in done.err
    asked = cli("predict", tmp_path / "x.csv", "-m", tmp_path / "m")
    assert asked.code == 0, asked.err
    table = pd.read_csv(io.StringIO(asked.out), dtype={"measured": str})
    limited = np.array([cell.startswith(">") for cell in cells])
    assert table["measured"][limited].unique().tolist() == [f">{bound}"]
    assert np.allclose(table["measured"][~limited].astype(float), values[~limited], rtol=1e-5)
    assert np.corrcoef(np.log(table["median"]), np.log(values))[0, 1] > 0.97
    assert (table["median"][limited] > bound).mean() > 0.8


def test_limits_among_numbers_that_span_less_are_learned_as_they_are() -> None:
    """Where logarithms are not sure to be better the option is named."""
    values = np.exp(np.random.default_rng(0).normal(size=300))
    found = Tally("y")
    found.add([*(f"{v:.4g}" for v in values), "<0.01"], [0] * 301, [""] * 301)
    task = recognise([found])
    assert task is not None
    assert task.name == "censored"
    assert (
        "300 numbers, 1 limit (1 below), learned as limits; over 1.7 powers of ten (--task censored-log10"
        in task.says(found)
    )
