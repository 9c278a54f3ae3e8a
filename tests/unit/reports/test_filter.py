"""What people type into the filter of a table, in the language of the page itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from typing import Any

import pytest

COLUMNS = [
    {"key": "id", "heading": "design", "number": False},
    {"key": "delta", "heading": "gain", "number": True},
    {"key": "score_low", "heading": "at least", "number": True},
    {"key": "loglik_change", "heading": "log p(x) change", "number": True},
    {"key": "status", "heading": "status", "number": False},
    {"key": "confidence", "heading": "confirmed", "number": True},
    {"key": "known", "heading": "known", "number": False},
]
ROWS = [
    ["p1_1", 4.5, 1.0, -2.0, "ok", 0.95, True],
    ["p1_2", 2.5, 2.0, 0.5, "unusual", 0.4, False],
    ["q7_1", -1.0, None, 3.0, "ok", None, True],
]
CASES = [
    ("", "012", 0), ("gain > 3", "0", 0), ("gain>3", "0", 0), ("gain >3", "0", 0),
    ("GAIN≥2.5", "01", 0),
    ("delta => 2.5", "01", 0), ("at least > 1", "1", 0), ("score_low<=1", "0", 0),
    ("p1 at least >= 1", "01", 0),
    ('"log p(x) change" < 0', "0", 0), ("log p(x) change < 0", "0", 0),
    ("gain > -2 and status = ok", "02", 0),
    ("gain > 0, status = ok", "0", 0), ("status != ok", "1", 0), ("confirmed > 50%", "0", 0), ("ok", "02", 0),
    ("at least = none", "2", 0), ("at least != none", "01", 0),
    ("known = true", "02", 0), ("known=no", "1", 0),
    ("stat = unusual", "1", 0), ("p1 ok", "0", 0), ("nowhere", "", 0), ("gain = 2.5", "1", 0),
    # What is not understood is said, and does not hide the rows.
    ("gain >", "012", 1), ("nosuch > 3", "012", 1), ("> 3", "012", 1), ("gain > much", "012", 1),
    ("gain > > 3", "012", 1), ("nosuch > 3 gain > 3", "0", 1), ("gain >= status = ok", "02", 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> list[dict[str, Any]]:
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.skip("there is no Node here")
    script = (resources.files("seqdesign.reports") / "templates" / "filter.js").read_text(encoding="utf-8")
    look = """
    const [columns, rows, texts] = JSON.parse(require("fs").readFileSync(0, "utf8"));
    console.log(JSON.stringify(texts.map((text) => {
      const { tests, problems } = parseFilter(text, columns);
      const left = rows.flatMap((row, i) => (
        tests.every((test) => test(row, row.join("\\n").toLowerCase())) ? [i] : []));
      return { left: left.join(""), problems };
    })));
    """
    done = subprocess.run(
        [node, "-e", script + look],
        input=json.dumps([COLUMNS, ROWS, [text for text, _, _ in CASES]]),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("case", range(len(CASES)), ids=[text for text, _, _ in CASES])
def test_the_filter_takes_what_people_type(answers: list[dict[str, Any]], case: int) -> None:
    _, left, problems = CASES[case]
    assert answers[case]["left"] == left
    assert len(answers[case]["problems"]) == problems, answers[case]["problems"]


def test_what_is_not_understood_is_named_with_what_there_is(answers: list[dict[str, Any]]) -> None:
    said = {text: " ".join(answers[i]["problems"]) for i, (text, _, _) in enumerate(CASES)}
    assert "No column is named “nosuch”; there are design, gain, at least" in said["nosuch > 3"]
    assert "“gain >” lacks the value" in said["gain >"]
    assert "gain holds numbers, “much” is none" in said["gain > much"]
