"""Promises of ``seqdesign select``."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from seqdesign.commands.bench.select import SelectConfig, select
from seqdesign.errors import InputError, UsageError


@pytest.fixture
def designs(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "designs.fa"
    records = [
        f">d{i} parent=p{i % 2} status={'rejected' if i == 3 else 'ok'} score={9 - i} score_low={i}\n"
        f"{''.join(rng.choice(list('ACGT'), 12))}\n"
        for i in range(20)
    ]
    path.write_text("".join(records))
    return path


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_lower_bound_ranks_and_rejected_designs_stay_away(designs, tmp_path):
    made = select(
        SelectConfig(input=designs, budget=6, diversity=0, output=tmp_path / "o.fa", table=tmp_path / "o.csv")
    )
    found = rows(tmp_path / "o.csv")
    assert [row["id"] for row in found if row["role"] == "design"] == ["d19", "d18", "d17", "d16"]
    assert (made.designs, made.controls, made.candidates) == (4, 2, 19)
    assert made.ranked_by == "score_low, the largest first"
    assert any("nothing is known to be measured" in note for note in made.notes)
    everything = SelectConfig(input=designs, budget=50, output=tmp_path / "all.fa", shuffled=0)
    assert select(everything).designs == 19
    assert ">d3 " not in (tmp_path / "all.fa").read_text()


def test_known_sequences_parents_and_quotas(designs, tmp_path):
    known = tmp_path / "known.csv"
    top = designs.read_text().splitlines()[-1]
    known.write_text(f"sequence,outcome\n{top},4.5\n")
    wild = tmp_path / "wt.fa"
    wild.write_text(">p0\nAAAAAAAAAAAA\n>p9\nCCCCCCCCCCCC\n")
    made = select(
        SelectConfig(
            input=designs, budget=12, per_parent=3, exclude=(known,), controls=wild, shuffled=1,
            output=tmp_path / "o.fa", table=tmp_path / "o.csv",
        )
    )  # fmt: skip
    assert made.known == {"d19": "outcome=4.5"}
    found = rows(tmp_path / "o.csv")
    assert [row["id"] for row in found if row["role"] == "parent"] == ["p0"]
    parents = [row["parent"] for row in found if row["role"] == "design"]
    assert sorted(parents) == ["p0"] * 3 + ["p1"] * 3
    assert json.loads((tmp_path / "o.fa.manifest.json").read_text())["result"]["known"] == made.known


def test_another_column_and_smaller_is_better(tmp_path):
    source = tmp_path / "t.csv"
    source.write_text("sequence,kd\nACGT,3\nACGA,1\nACCA,2\n")
    options = {"shuffled": 0, "budget": 2, "diversity": 0, "output": tmp_path / "o.fa"}
    select(SelectConfig(input=source, quality="kd", minimize=True, **options))
    texts = (tmp_path / "o.fa").read_text().splitlines()[1::2]
    assert texts == ["ACGA", "ACCA"]
    for name, error, message in (
        (None, InputError, "name one with --quality"),
        ("ki", InputError, "there is no column or header key 'ki'"),
    ):
        with pytest.raises(error, match=message):
            select(SelectConfig(input=source, quality=name, **options))
    source.write_text("sequence,kd\nACGT,3\nACGA,\n")
    with pytest.raises(InputError, match="has no 'kd', by which designs are ranked"):
        select(SelectConfig(input=source, quality="kd", **options))
    with pytest.raises(UsageError, match="--controls: has no effect with --no-parents"):
        SelectConfig(input=source, controls=source, parents=False)
