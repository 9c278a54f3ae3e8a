"""Every kind of page in a browser: nothing is loaded, nothing runs over, the answer is on top."""

from __future__ import annotations

from pathlib import Path

import pytest
from chromium import Chromium
from page_kinds import kinds, make_pages

pytestmark = pytest.mark.slow
NAMES = [kind.name for kind in kinds(small=True)]
DESKTOP, PHONE = (1400, 900), (390, 844)
LOOK = """
const bottom = (what) => document.querySelector(what)?.getBoundingClientRect().bottom ?? null;
const boxes = [...document.querySelectorAll("figure svg")].map((one) => one.getBoundingClientRect().height);
const texts = (svg) => [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
const over = [...document.querySelectorAll("figure svg")].flatMap((svg) => {
  const box = svg.getBoundingClientRect();
  return texts(svg).filter((text) => text.getBoundingClientRect().right > box.right + 2)
    .map((text) => text.textContent);
});
return {
  requests: performance.getEntriesByType("resource").length,
  wide: document.documentElement.scrollWidth - innerWidth,
  answer: bottom(".sd-tiles") ?? bottom(".sd-answer"),
  verdict: document.querySelector(".sd-verdict, .sd-asked").textContent.length,
  empty: boxes.filter((height) => height < 20).length,
  over,
};
"""


@pytest.fixture(scope="module")
def pages(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name -> page of every kind, from little training."""
    return make_pages(tmp_path_factory.mktemp("pages"), small=True)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_answers_on_its_first_screen_and_nothing_runs_over(
    name: str, size: tuple[int, int], pages: dict[str, Path], chromium: Chromium
) -> None:
    tab = chromium.open(pages[name], *size)
    found = tab.run(LOOK)
    assert tab.console == []
    tab.close()
    assert found["requests"] == 0
    assert found["wide"] <= 0
    assert found["answer"] < size[1]
    assert found["verdict"] > 20
    assert found["empty"] == 0
    assert found["over"] == []
    assert pages[name].stat().st_size < 500_000


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_kept_from_a_page(
    name: str, dark: bool, pages: dict[str, Path], chromium: Chromium, axe: str
) -> None:
    tab = chromium.open(pages[name], *(PHONE if dark else DESKTOP), dark=dark)
    violations = tab.violations(axe)
    tab.close()
    assert violations == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_prints(name: str, pages: dict[str, Path], chromium: Chromium, tmp_path: Path) -> None:
    tab = chromium.open(pages[name], *DESKTOP)
    tab.pdf(tmp_path / "page.pdf")
    tab.print()
    shown = tab.run(
        "return [...document.querySelectorAll('nav, .sd-save, .sd-tools')]"
        ".filter((part) => getComputedStyle(part).display !== 'none').length"
    )
    tab.close()
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert shown == 0


def test_without_a_script_a_page_still_shows_its_answer_and_its_first_rows(
    pages: dict[str, Path], chromium: Chromium
) -> None:
    tab = chromium.open(pages["maximize"], *DESKTOP, script=False)
    tab.call("Emulation.setScriptExecutionDisabled", value=False)
    shown = tab.run("return [document.querySelectorAll('tbody th').length, document.body.innerText]")
    tab.close()
    assert shown[0] >= 12
    assert "nothing speaks against" in shown[1]
