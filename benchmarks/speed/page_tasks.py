"""How far are answers? Six tasks with the pages alone, in clicks and screens, at 1400 and at 390 pixels.

A task is a place on a page that answers it. ``clicks`` lead there by the navigation (and open what is
closed); ``screens`` is how far down the place ends without any click, in heights of the window: up to 1.0 is
on the first screen. Pages are those of ``make gallery`` (a folder; GALLERY there), in headless Chromium.

    python benchmarks/speed/page_tasks.py demo/gallery [PICTURES]
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from chromium import Chromium, find_program

VIEWS = {"1400": (1400, 1000), "390": (390, 844)}


@dataclass(frozen=True)
class Task:
    """A question, the page that answers it, the steps to the answer, and where it stands."""

    name: str
    page: str
    steps: tuple[str, ...]
    """CSS selectors to click, in order; ``#text`` is the link of the navigation with this text."""
    place: str
    """CSS selector of what answers, in full."""


OPENER = ".sd-data tbody tr:first-child .sd-opener"
TASKS = (
    Task("which 5 would I order", "maximize.html", ("#Designs",), ".sd-data tbody tr:nth-child(5)"),
    Task("which 5 would I order (file)", "maximize.html", (), ".sd-files"),
    Task("is this believable", "maximize.html", (), "header"),
    Task("what changed against the parent", "revise.html", ("#Designs", OPENER), ".sd-card pre"),
    Task("does it obey my rules (yes or no)", "maximize.html", (), ".sd-tiles"),
    Task("does it obey my rules (each)", "maximize.html", ("#Rules",), "#rules table"),
    Task("what was run (methods)", "maximize.html", ("#Methods",), ".sd-methods"),
    Task("what was run (command)", "maximize.html", ("#Provenance",), "footer dl dd"),
    Task("export the figure for a talk", "maximize.html", ("#Outcomes", "#outcomes .sd-save button"),
         "#outcomes .sd-save button"),
)  # fmt: skip

LOOK = """
const find = (selector) => {
  if (selector.startsWith("#outcomes") || selector.startsWith("#rules")) {
    const name = selector.slice(1).split(" ")[0];
    const section = [...document.querySelectorAll("section")].find((one) =>
      one.querySelector("h2")?.textContent.trim().toLowerCase() === name);
    return section?.querySelector(selector.slice(name.length + 2));
  }
  if (/^#[A-Z]/.test(selector)) {
    const links = [...document.querySelectorAll("nav a")];
    return links.find((link) => link.textContent.trim() === selector.slice(1)) ?? links[0];
  }
  return document.querySelector(selector);
};
const rest = () => new Promise((done) => setTimeout(done, 250));
URL.createObjectURL = () => "data:,";
const place = find(PLACE);
const far = place ? (place.getBoundingClientRect().bottom + scrollY) / innerHeight : null;
for (const step of STEPS) { find(step).click(); await rest(); }
const box = (find(PLACE) ?? document.body).getBoundingClientRect();
const high = document.body.scrollHeight / innerHeight;
return { far, after: [box.top / innerHeight, box.bottom / innerHeight], high };
"""


def main(folder: Path, pictures: Path | None) -> None:
    """A line for each task, and the last state of each as a picture."""
    program = find_program()
    assert program is not None, "there is no Chromium here"
    print("| task | page | clicks | " + " | ".join(f"{w}: screens; after clicks" for w in VIEWS) + " |")
    with tempfile.TemporaryDirectory() as profile, Chromium(program, Path(profile)) as browser:
        for task in TASKS:
            cells = []
            for name, (width, height) in VIEWS.items():
                tab = browser.open(folder / task.page, width, height)
                script = LOOK.replace("STEPS", repr(list(task.steps))).replace("PLACE", repr(task.place))
                seen = tab.run(script)
                far = "behind a click" if seen["far"] is None else f"{seen['far']:.1f}"
                cells.append(f"{far} of {seen['high']:.1f}; {seen['after'][0]:.2f} to {seen['after'][1]:.2f}")
                if pictures is not None:
                    pictures.mkdir(parents=True, exist_ok=True)
                    tab.screenshot(pictures / f"{task.name.replace(' ', '_')}-{name}.png")
                tab.close()
            print(f"| {task.name} | {task.page} | {len(task.steps)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
