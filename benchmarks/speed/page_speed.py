"""How large a page of designs is, how long it takes to write, and how soon a reader can use it.

Designs of 121 letters with intervals, edits and evidence, as ``maximize --table`` writes them; the browser is
headless Chromium, without which only size and time of writing are measured.

    python benchmarks/speed/page_speed.py
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tests"))
from chromium import Chromium, find_program

from seqdesign.pages.report import write_report
from seqdesign.reports.tables import text_table

SIZES = (10, 1_000, 10_000)
LETTERS, LENGTH = "ACDEFGHIKLMNPQRSTVWY", 121
REPEATS = 3
USE = """
const timed = async (act) => {
  const start = performance.now();
  await act();
  return performance.now() - start;
};
const field = document.querySelector(".sd-tools input");
const filter = (text) => { field.value = text; field.dispatchEvent(new Event("input")); };
const sort = () => document.querySelector("thead button").click();
return { filter: await timed(() => filter("score > 9 unusual")), sort: await timed(sort),
  card: await timed(() => document.querySelector(".sd-opener").click()) };
"""


def write_designs(path: Path, count: int) -> None:
    """``count`` designs of one wild type with up to six edits."""
    rng = random.Random(0)
    wild = rng.choices(LETTERS, k=LENGTH)
    rows = []
    for i in range(count):
        text, edits = list(wild), []
        for place in sorted(rng.sample(range(LENGTH), 6)):
            letter = rng.choice(LETTERS)
            if letter != text[place]:
                edits.append(f"{text[place]}{place + 1}{letter}")
                text[place] = letter
        value = rng.gauss(9, 0.5)
        evidence = [rng.randint(0, 300) for _ in edits]
        rows.append(
            {
                "id": f"d{i + 1}", "status": rng.choice(("ok", "ok", "ok", "unusual")),
                "sequence": "".join(text), "original": "".join(wild),
                "score": value, "score_low": value - 0.2, "score_start": 7.5,
                "predicted_growth": value, "predicted_growth_low": value - 0.4,
                "predicted_growth_high": value + 0.4, "nearest": rng.randint(1, 6), "ood": 100 * rng.random(),
                "confidence": rng.random(), "edits": len(edits), "edit_list": ",".join(edits),
                "evidence": ",".join(map(str, evidence)), "least_evidence": min(evidence, default=0),
            }
        )  # fmt: skip
    with open(path, "w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """One row a size."""
    program = find_program()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for count in SIZES:
            source, page = here / f"{count}.csv", here / f"{count}.html"
            write_designs(source, count)
            start = time.process_time()
            write_report([source], page)
            row: dict[str, object] = {
                "designs": f"{count:,}",
                "page, MB": f"{page.stat().st_size / 1e6:.2f}",
                "written in, CPU s": f"{time.process_time() - start:.1f}",
            }
            if program is not None:
                with Chromium(program, here / "profile") as browser:
                    row |= _used(browser, page)
            rows.append(row)
    print(text_table(rows, list(rows[0])))


def _used(browser: Chromium, page: Path) -> dict[str, str]:
    """Medians of the milliseconds until the page can be used, and of three things done with it."""
    ready, used = [], []
    for _ in range(REPEATS):
        tab = browser.open(page, 1400)
        ready.append(float(tab.evaluate("performance.now()")))
        used.append(tab.run(USE))
        tab.close()
    found = {"ready, ms": median(ready)}
    found |= {f"{name}, ms": median(one[name] for one in used) for name in used[0]}
    return {name: f"{value:,.0f}" for name, value in found.items()}


if __name__ == "__main__":
    main()
