"""The HTML page that a command of training leaves in the folder of its model, whatever its family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqdesign.families import family_of
from seqdesign.pages.methods import add_methods
from seqdesign.reports.html import Page
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

REPORT = "report.html"
"""Name of the page in the folder of a model; also that of ``seqdesign report`` when nothing is said."""


@phase("writing the page")
def leave_page(folder: Path, title: str, result: Mapping[str, Any], manifest: Manifest) -> str:
    """Write the page into the folder of a finished model; returns its name. InputError, OutputError."""
    model_page(folder, title, result, manifest).write(folder / REPORT)
    return REPORT


def model_page(folder: Path, title: str, result: Mapping[str, Any], manifest: Manifest) -> Page:
    """The page of the finished model in ``folder``; ``result`` is what ``--json`` prints. InputError."""
    family = family_of(folder)
    answer = None if family.answer is None else family.answer(folder, result)
    page = Page(title, answer=answer, provenance=provenance(manifest, result, folder))
    page.warnings((result.get("quality") or {}).get("warnings", ()))
    if family.sections is not None:
        family.sections(page, folder, result)
    add_methods(page, manifest, result)
    return page
