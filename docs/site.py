"""MkDocs hook: pages that stand outside docs/, and links to what is no page.

README, CHANGELOG and the like stay where readers of the repository look for them. A link to a page goes to
its place on the site; of a link to another file of the repository only the text is kept.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "examples/README.md": "examples.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/results.md": "results.md",
}
"""File of the repository -> page of the site, for what is not below docs/."""
ORIGINS = {page: origin for origin, page in PAGES.items()}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages."""
    for origin, page in PAGES.items():
        text = (ROOT / origin).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Point links at pages of the site."""
    here = page.file.src_uri
    folder = posixpath.dirname(ORIGINS.get(here, f"docs/{here}"))

    def moved(match: re.Match[str]) -> str:
        image, text, target, anchor = match[1], match[2], match[3], match[4] or ""
        if not target or re.match(r"[a-z]+:", target):
            return match[0]
        origin = posixpath.normpath(posixpath.join(folder, target))
        place = PAGES.get(origin) or origin.removeprefix("docs/")
        if files.get_file_from_path(place) is None:
            return text
        return f"{image}[{text}]({posixpath.relpath(place, posixpath.dirname(here) or '.')}{anchor})"

    return LINK.sub(moved, markdown)
