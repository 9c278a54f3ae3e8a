"""Designs from noise of a library of variants begin from the best of them and stay near their parent."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import seqdesign as sd


def test_designs_of_a_mutant_library_are_not_unusual(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    parent = "".join(rng.choice(list("ACGT"), 30))
    effects, texts = rng.normal(size=(30, 4)), []
    for _ in range(150):
        text = list(parent)
        for place in rng.choice(30, 2, replace=False):
            text[place] = str(rng.choice(list("ACGT")))
        texts.append("".join(text))
    values = [float(effects[np.arange(30), ["ACGT".index(c) for c in t]].sum()) for t in texts]
    lines = [f"{text},{value}\n" for text, value in zip(texts, values, strict=True)]
    (tmp_path / "library.csv").write_text("sequence,outcome\n" + "".join(lines))
    model = sd.train_predictor(tmp_path / "library.csv", architecture="ridge", members=3)
    found = sd.maximize(model, num=4, tries=1, budget=100)
    changes = [sum(a != b for a, b in zip(one.sequence, parent, strict=True)) for one in found]
    assert max(changes) <= 4
    assert not any(one.status == "unusual" for one in found)
    assert any("common parent" in name for name in found.summary.constraints)
    # With a start likewise, which may stay as far away as it is.
    far = "".join("ACGT"["CGTA".index(c)] if i < 6 else c for i, c in enumerate(parent))
    improved = sd.maximize(model, start=[parent, far], num=2, tries=1, budget=100)
    away = [sum(a != b for a, b in zip(one.sequence, parent, strict=True)) for one in improved]
    assert max(away[:2]) <= 4
    assert max(away[2:]) <= 6
    asked = sd.maximize(model, start=[parent], num=2, tries=1, budget=200, rules=[sd.rules.max_edits(8)])
    assert max(sum(a != b for a, b in zip(one.sequence, parent, strict=True)) for one in asked) > 4
    free = sd.maximize(model, num=4, tries=1, budget=100, letters="any")
    assert max(sum(a != b for a, b in zip(one.sequence, parent, strict=True)) for one in free) > 4
