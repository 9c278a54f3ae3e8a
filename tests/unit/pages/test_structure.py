"""What a model was told of each position, on the structure."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdesign.pages.structure import _mean_change

WILD = "MKTAYLEDGSWF"
THREE = {
    "M": "MET", "K": "LYS", "T": "THR", "A": "ALA", "Y": "TYR", "L": "LEU", "E": "GLU", "D": "ASP",
    "G": "GLY", "S": "SER", "W": "TRP",
}  # fmt: skip


def test_the_change_at_a_position_is_that_of_other_letters_less_that_of_the_commonest() -> None:
    effects = np.array([[1.0, -1.0, 0.0], [0.5, np.nan, np.nan], [np.nan, 2.0, 4.0]])
    assert _mean_change(effects, np.array([0, 0, 1]))[[0, 2]].tolist() == [-1.5, 2.0]
    assert np.isnan(_mean_change(effects, np.array([0, 0, 1]))[1])


@pytest.fixture
def model(tmp_path: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A predictor of single mutants of which those of position 4 are worse by 3, and the structure."""
    monkeypatch.chdir(tmp_path)
    lines = ["sequence,growth"]
    for i in range(2, 10):
        for letter in "ACDEFGHIKL":
            text = WILD[:i] + letter + WILD[i + 1 :]
            lines.append(f"{text},{10 - 3 * (i == 3 and letter != 'A') + 0.01 * len(lines)}")
    Path("train.csv").write_text("\n".join(lines) + "\n")
    atoms = [
        f"ATOM  {i + 1:5d}  CA  {THREE[c]} A{i + 3:4d}    {2.3 * cos(radians(100 * i)):8.3f}"
        f"{2.3 * sin(radians(100 * i)):8.3f}{1.5 * i:8.3f}  1.00 10.00           C"
        for i, c in enumerate(WILD[:-1])
    ]
    Path("m.pdb").write_text("\n".join([*atoms, "END"]) + "\n")
    done = cli(
        "train-predictor", "train.csv", "--outcome", "growth", "--architecture", "ridge", "-o", "model", "-q"
    )
    assert done.code == 0, done.err
    return tmp_path


def test_a_report_colours_the_structure_and_it_turns(
    model: Path, cli: Callable[..., Any], browser: Callable[..., Any]
) -> None:
    done = cli("report", "model", "--structure", "m.pdb", "-o", "page.html")
    assert done.code == 0, done.err
    page = (model / "page.html").read_text()
    assert "11 of 12 positions were found in chain A of m.pdb (100% equal letters)." in page
    assert "Not in the structure: F12." in page
    tips = re.findall(r'class="sd-residue"[^>]*><title>([^<]*)</title>', page)
    assert len(tips) == 11
    worst = next(tip for tip in tips if tip.startswith("A4:"))
    assert float(worst.split()[1]) == pytest.approx(-3, abs=0.5)
    assert "residue A A6" in worst
    assert any(tip.startswith("M1: does not vary") for tip in tips)
    seen = browser(
        page,
        """
        const paths = () => [...document.querySelectorAll(".sd-residue")]
          .sort((a, b) => a.dataset.order - b.dataset.order)
          .map((one) => one.querySelector("path").getAttribute("d"));
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        const settle = async () => { await frame(); await frame(); await frame(); };
        const buttons = document.querySelectorAll(".sd-turn button");
        const out = { names: [...buttons].map((one) => one.getAttribute("aria-label")), before: paths() };
        buttons[1].click();
        await settle();
        out.turned = paths();
        buttons[0].click();
        await settle();
        out.back = paths();
        const box = document.querySelector(".sd-molecule").closest(".sd-scroll");
        box.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp" }));
        await settle();
        out.key = paths();
        return out;
        """,
    )
    assert seen.console == []
    found = seen.value
    assert found["names"][0] == "Turn the molecule left"
    assert found["turned"] != found["before"]
    assert found["key"] != found["back"]
    places = [[float(v) for v in re.findall(r"[-\d.]+", path)] for path in found["before"]]
    again = [[float(v) for v in re.findall(r"[-\d.]+", path)] for path in found["back"]]
    assert all(np.allclose(a, b, atol=0.6) for a, b in zip(places, again, strict=True))
    # The pieces of an unbroken chain meet halfway.
    assert all(np.allclose(a[-2:], b[:2], atol=0.11) for a, b in pairwise(again))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("train.csv", "--structure", "m.pdb"), 2, "--structure: has no effect here"),
        (("model", "--structure", "none.pdb"), 1, "none.pdb"),
        (("model", "--structure", "train.csv"), 1, "must be a PDB or mmCIF file"),
    ],
)
def test_a_structure_without_a_model_and_a_file_without_one_are_refused(
    model: Path, cli: Callable[..., Any], words: tuple[str, ...], code: int, said: str
) -> None:
    done = cli("report", *words, "-o", "page.html")
    assert done.code == code
    assert said in done.err
    assert not (model / "page.html").exists()
