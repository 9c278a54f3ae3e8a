"""Methods to paste: the numbers are those of the manifest, and every name has its reference."""

from __future__ import annotations

import re
from html import unescape
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
BENT = {**PREDICTOR, "kind": "ridge", "quality": {"outcomes": [{**QUALITY, "straight": 0.321}]}}
SUMMARY: dict[str, Any] = {
    "designs": 24, "objective": "max:growth", "constraints": ["--max-edits 3"], "queries": 4800,
    "judges": {"words": 1},
    "mean_confidence": 0.93, "promise": {"least": 2.5, "probability": 0.9, "designs": 20, "alike": True},
}  # fmt: skip
MAXIMIZE = {"summary": SUMMARY, "method": "fast-seqprop"}
UNLIKE = {**MAXIMIZE, "summary": {**SUMMARY, "promise": {**SUMMARY["promise"], "alike": False}}}
EVALUATE = {
    "alphabet": "rna", "num_generated": 400, "num_training": 1500, "num_held_out": 100, "num_compared": 90,
    "measures": [{"name": "copies", "value": 0.025}, {"name": "auc", "value": 0.5312}],
}  # fmt: skip
MOTIFS = {
    "collection": "JASPAR 2024 CORE", "num_sequences": 26, "alphabet": "dna", "strands": "both",
    "num_motifs": 879, "p_value": 1e-4, "num_background": 2600, "background": "shuffles", "num_pairs": 12,
    "enrichment": [{"q_value": 0.001}, {"q_value": 0.2}], "denovo": [{}],
}  # fmt: skip
PROPOSE = {"summary": {
    "rounds": [96, 48], "kind": "words", "r2": 0.41, "pool": 5000, "proposed": 24,
    "last": {"spearman": 0.5, "num": 48, "coverage": 0.9375},
}}  # fmt: skip
ORDER = {"constructs": 96, "shortest": 120, "longest": 140, "barcodes": 96}
SIMILARITY = {
    "num_train": 900, "num_held_out": 100, "alphabet": "protein", "teacher": "edits",
    "quality": {"pairs": 4950, "measure": "rank correlation", "agreement": 0.87, "kmer": 3,
                "kmer_agreement": 0.7},
}  # fmt: skip


OPTIONS = {"split": "cluster", "left": "acgt", "barcode_length": 10, "primers": True, "tm": 62.0}


def manifest(name: str, result: dict[str, Any] | None) -> Manifest:
    return Manifest(
        command="seqdesign", config=OPTIONS, seed=7, device="cpu", threads=1,
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
    return unescape(text[1] if text else ""), cited


@pytest.mark.parametrize(
    ("name", "result", "said", "first"),
    [
        ("train-predictor", PREDICTOR, ["1,800 protein sequences", "200 held-out", "cluster split",
         "R2 = 0.500", "rho = 0.610", "ridge regression: 0.400", "94.0% of measurements",
         "Gaussian process"], "Rasmussen"),
        ("train-predictor", BENT, ["follow a monotone spline", "without the spline, R2",
         "sequences was 0.321"], "Otwinowski"),
        ("maximize", MAXIMIZE, ["24 sequences", "the highest growth", "Fast SeqProp (Linder and Seelig 2021)",
         "max-edits 3", "4,800", "93% of the gain", "By prediction-powered inference",
         "the mean of the 20 designs exceeds 2.5 with probability 0.9"], "Linder"),
        ("maximize", UNLIKE, ["By the lower bounds of the judges the mean of the 20 designs"], "Linder"),
        ("evaluate", EVALUATE, ["400 generated RNA sequences", "1,500 training and 100 held-out", "90 seq",
         "2.5% were copies of a training sequence; a classifier", "AUC of 0.531"], "Paszke"),
        ("motifs", MOTIFS, ["Both strands of 26 DNA sequences", "879 motifs", "at most 0.0001", "1 motif was",
         "12 pairs", "1 new motif was"], "Rauluseviciute"),
        ("propose", PROPOSE, ["144 measured sequences of 2 rounds", "R2 = 0.410", "5,000 candidates 24",
         "rho = 0.500", "94% lay inside"], "Rasmussen"),
        ("order", ORDER, ["96 constructs of 120 to 140 bases", "a barcode of 10 bases", "melt near 62 C",
         "ACGT (5') and none (3')"], "Allawi"),
        ("train-similarity", SIMILARITY, ["900 protein sequences", "4,950 held-out pairs", "was 0.870",
         "words of 3: 0.700"], "Paszke"),
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
    assert paragraph("merge", {"measures": []}) == ("", [])
    assert paragraph("maximize", None) == ("", [])


def test_every_reference_that_is_named_is_there() -> None:
    named = {source for _, source in DESIGNERS.values() if source} | set(KINDS.values())
    assert named <= set(REFERENCES)
    assert all(re.search(r"\(\d{4}\)", text) and text.endswith(".") for text in REFERENCES.values())
