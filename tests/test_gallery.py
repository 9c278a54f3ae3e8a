"""The gallery of the docs: a picture of every kind of page, drawn from the demo (``make gallery``)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from chromium import Chromium
from page_kinds import kinds, make_pages

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "images" / "gallery"
LARGEST = 200_000
"""Bytes of a picture."""
VIEWS = {"": (1400, 1000, False), "-phone": (390, 844, False), "-dark": (1400, 1000, True)}
"""Ending of a picture's name -> width, height, whether the reader likes it dark."""
OTHER_VIEWS = ("maximize-phone", "maximize-dark", "attribute-phone")


def wanted() -> list[str]:
    """Names of the pictures."""
    return [*(kind.name for kind in kinds(small=False)), *OTHER_VIEWS]


def test_the_gallery_shows_every_kind_of_page_in_small_pictures() -> None:
    shown = re.findall(
        r"!\[[^\]]+\]\(images/gallery/([\w-]+)\.webp\)", (ROOT / "docs/gallery.md").read_text()
    )
    assert sorted(shown) == sorted(wanted())
    for name in wanted():
        assert 2_000 < (PICTURES / f"{name}.webp").stat().st_size < LARGEST, name


@pytest.mark.timeout(7200)
@pytest.mark.skipif("GALLERY" not in os.environ, reason="takes as long as the demo; `make gallery` does it")
def test_draw_the_gallery(chromium: Chromium) -> None:
    """GALLERY is a folder that keeps the pages, so that pictures alone can be drawn again."""
    folder = Path(os.environ["GALLERY"]).resolve()
    pages = {kind.name: folder / kind.page for kind in kinds(small=False)}
    if not all(path.is_file() for path in pages.values()):
        folder.mkdir(parents=True, exist_ok=True)
        pages = make_pages(folder, small=False)
    for name in wanted():
        kind, view = next(
            (name.removesuffix(end), end) for end in (*list(VIEWS)[1:], "") if name.endswith(end)
        )
        width, height, dark = VIEWS[view]
        tab = chromium.open(pages[kind], width, height, dark=dark)
        tab.screenshot(PICTURES / f"{name}.webp", quality=70)
        assert tab.console == []
        tab.close()
