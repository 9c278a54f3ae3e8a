"""Designs of sequences that stood in several columns are cut into these again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import seqdesign as sd
from seqdesign.sequences.lab.chains import LINKER


@pytest.mark.parametrize("longer", [0, 2])
def test_designs_keep_the_linker_and_have_a_column_for_each_chain(tmp_path: Path, longer: int) -> None:
    rng = np.random.default_rng(longer)
    letters = list("ADEKL")
    lines = ["heavy,light,kd"]
    for _ in range(60):
        heavy = "".join(rng.choice(letters, 8 + int(rng.integers(0, longer + 1))))
        light = "".join(rng.choice(letters, 7))
        lines.append(f"{heavy},{light},{heavy.count('K') - light.count('E') + rng.normal() / 4}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    rows = sd.read(tmp_path / "rows.csv", sequence="heavy,light", outcome="kd")
    model = sd.train_predictor(rows, architecture="ridge", members=3)
    model.save(tmp_path / "model")
    found = sd.maximize(sd.load(tmp_path / "model"), num=3, tries=1, budget=100, letters="any")
    for one in found.to_frame().to_dict("records"):
        assert one["sequence"] == f"{one['heavy']}{LINKER}{one['light']}"
        assert len(one["heavy"]) >= 8
        assert len(one["light"]) == 7
    start = f"{'A' * 9}{LINKER}{'A' * 7}"
    if longer:  # the linker stays where the start has it, and not where most rows do
        better = sd.maximize(model, start=[start], num=1, tries=1, budget=100, letters="any")
        frame = better.to_frame()
        assert frame["heavy"].str.len().tolist() == [9]
        assert frame["sequence"].tolist() != [start]
