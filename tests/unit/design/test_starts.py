"""Where designs from noise begin: anywhere, or half of them at the best measured sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import seqdesign as sd

LENGTH = 24


def _rows(count: int = 150) -> list[str]:
    rng = np.random.default_rng(4)
    return ["".join(row) for row in rng.choice(list("ACGT"), (count, LENGTH))]


def _trained(folder: Path, values: list[float]) -> sd.Model:
    lines = [f"{text},{value}\n" for text, value in zip(_rows(), values, strict=True)]
    (folder / "rows.csv").write_text("sequence,outcome\n" + "".join(lines))
    return sd.train_predictor(folder / "rows.csv", architecture="ridge", members=3, strands="one")


def _nearest(text: str) -> tuple[int, int]:
    """Changes of the nearest row, and its number."""
    return min((sum(a != b for a, b in zip(text, row, strict=True)), i) for i, row in enumerate(_rows()))


def test_designs_may_stay_near_the_best_rows_where_judges_know_little(tmp_path: Path) -> None:
    luck = np.random.default_rng(5).normal(size=150)
    model = _trained(tmp_path, luck.tolist())
    found = sd.maximize(model, num=9, tries=1, budget=100, rules=[sd.rules.gc(0.3, 0.7)], seed=1)
    near = [row for changes, row in (_nearest(one.sequence) for one in found) if changes <= 2]
    assert len(found) == 9
    assert len(set(near)) == 4  # as many as there are starts near rows
    assert set(near) <= set(np.argsort(-luck)[:16].tolist())
    assert all(0.3 <= sum(c in "GC" for c in one.sequence) / LENGTH <= 0.7 for one in found)
    free = sd.maximize(model, num=4, tries=1, budget=100, letters="any", seed=1)
    assert not any(_nearest(one.sequence)[0] <= 2 for one in free)


def test_where_judges_can_go_beyond_the_rows_designs_begin_anywhere(tmp_path: Path) -> None:
    effects = np.random.default_rng(6).normal(size=(LENGTH, 4))
    values = [float(effects[np.arange(LENGTH), ["ACGT".index(c) for c in text]].sum()) for text in _rows()]
    found = sd.maximize(_trained(tmp_path, values), num=6, tries=1, budget=100)
    assert not any(_nearest(one.sequence)[0] <= 2 for one in found)
