"""Outcomes over powers of ten: recognised, learned as logarithms, told as numbers."""

from __future__ import annotations

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
