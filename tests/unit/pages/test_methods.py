"""Methods to paste: the numbers are those of the manifest, and every name has its reference."""

from __future__ import annotations

import re
from typing import Any

import pytest

from seqdesign.pages.methods import DESIGNERS, KINDS, REFERENCES, add_methods
from seqdesign.reports.html import Page
from seqdesign.runs.manifest import Manifest

QUALITY = {"name": "growth", "rows": 20, "r2": 0.5, "spearman": 0.61, "auroc": None, "accuracy": None,
           "baseline": "R2 of ridge regression", "baseline_value": 0.4, "coverage": [0.5, 0.94]}  # fmt: skip
PREDICTOR = {
    "num_train": 1800, "num_held_out": 200, "alphabet": "protein", "outcomes": ["growth"], "members": 5,
    "kind": "kernel", "trials": [{"label": "ridge regression"}], "quality": {"outcomes": [QUALITY]},
}  # fmt: skip
SUMMARY = {
    "designs": 24, "objective": "max:growth", "constraints": ["--max-edits 3"], "queries": 4800,
    "judges": {"words": 1},
    "mean_confidence": 0.93, "promise": {"least": 2.5, "probability": 0.9, "designs": 20},
}  # fmt: skip
MAXIMIZE = {"summary": SUMMARY, "method": "fast-seqprop"}


def manifest(name: str, result: dict[str, Any] | None) -> Manifest:
    return Manifest(
        command="seqdesign", config={"split": "cluster"}, seed=7, device="cpu", threads=1,
        inputs={"data.csv": "0123456789abcdef" * 4, "m/model.safetensors": "f" * 64},
        versions={"seqdesign": "0.1.0", "python": "3.11.7", "torch": "2.13.0"},
        started="2026-11-27T10:00:00+00:00",
        name=name, result=result,
    )  # fmt: skip


def paragraph(name: str, result: dict[str, Any] | None) -> tuple[str, list[str]]:
    page = Page("t")
    add_methods(page, manifest(name, result))
    html = page.html()
    text = re.search(r'<blockquote class="sd-methods">(.*?)</blockquote>', html, re.DOTALL)
    cited = re.findall(r"<li>(.*?)</li>", html.partition('<ol class="sd-citations">')[2])
    return (text[1] if text else ""), cited


@pytest.mark.parametrize(
    ("name", "result", "said", "first"),
    [
        ("train-predictor", PREDICTOR, ["1,800 protein sequences", "200 held-out", "cluster split",
         "R2 = 0.500", "rho = 0.610", "ridge regression: 0.400", "94.0% of measurements",
         "Gaussian process"], "Rasmussen"),
        ("maximize", MAXIMIZE, ["24 sequences", "the highest growth", "Fast SeqProp (Linder and Seelig 2021)",
         "max-edits 3", "4,800", "93% of the gain", "exceeds 2.5 with probability 0.9"], "Linder"),
    ],
)  # fmt: skip
def test_the_paragraph_has_the_numbers_of_the_run(
    name: str, result: dict[str, Any], said: list[str], first: str
) -> None:
    text, cited = paragraph(name, result)
    for part in (*said, "random seed 7", "seqdesign 0.1.0", "PyTorch 2.13.0", "data.csv (0123456789ab)"):
        assert part in text
    assert "safetensors" not in text
    assert cited[0].startswith(first)
    for author, year in re.findall(r"\(?([A-Z][a-z]+)[^();,]*? \(?(\d{4})\)", text):
        assert any(one.startswith(author) and f"({year})" in one for one in cited), (author, year)


def test_a_command_without_a_paragraph_and_an_unfinished_run_leave_none() -> None:
    assert paragraph("evaluate", {"measures": []}) == ("", [])
    assert paragraph("maximize", None) == ("", [])


def test_every_reference_that_is_named_is_there() -> None:
    named = {source for _, source in DESIGNERS.values() if source} | set(KINDS.values())
    assert named <= set(REFERENCES)
    assert all(re.search(r"\(\d{4}\)", text) and text.endswith(".") for text in REFERENCES.values())
