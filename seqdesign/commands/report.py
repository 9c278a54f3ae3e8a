"""``seqdesign report``: one page about any runs and sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from seqdesign.config import CommandConfig, Flag, Positional, Written
from seqdesign.errors import UsageError
from seqdesign.runs.result import Result


@dataclass(frozen=True, kw_only=True)
class ReportConfig(CommandConfig):
    """Write one self-contained HTML page about models, designs and sequences.

    Example: seqdesign report models/predictor designs.fa
    """

    paths: Annotated[tuple[Path, ...], Positional("PATH...")]
    """Folders of models, FASTA files or tables with designs; a folder of several runs is all of them."""
    output: Annotated[Path, Flag("-o"), Written()] = Path("report.html")
    """Page to write; an older one is replaced."""
    title: str | None = None
    """Heading of the page."""
    motifs: str | None = None
    """Also compare the motifs of designs and parents: a MEME, JASPAR or TRANSFAC file, or jaspar, the bundled
    collection."""


@dataclass(frozen=True, kw_only=True)
class ReportResult(Result):
    """What was written."""

    command: ClassVar[str] = "report"

    report: Path
    runs: tuple[Path, ...]
    """In the order of the page."""
    num_warnings: int
    num_bytes: int

    def text(self) -> str:
        """One line."""
        warned = f"; {self.num_warnings} warnings stand on top" if self.num_warnings else ""
        return f"wrote {self.report} ({self.num_bytes / 1e6:.2f} MB){warned}; open it in a browser"


def report(config: ReportConfig) -> ReportResult:
    """Write the page of ``config.paths``. Raises SeqDesignError."""
    if not config.paths:
        raise UsageError("is missing; name a model's folder or a file", option="PATH...")
    return write_report(config.paths, config.output, title=config.title, motifs=config.motifs)


def write_report(
    paths: Sequence[Path], output: Path, *, title: str | None = None, motifs: str | None = None
) -> ReportResult:
    """Write one page about runs and sequences to ``output``.

    Raises InputError for a path that is not there or cannot be read, ModelError for a damaged manifest,
    OutputError.
    """
    from seqdesign.commands.provenance import typed_command
    from seqdesign.pages.report import add_runs
    from seqdesign.pages.runs import find_runs
    from seqdesign.reports.html import Page

    runs = find_runs(paths)
    page = Page(title or "Sequence design")
    add_runs(page, runs, command=typed_command, motifs=motifs)
    page.write(output)
    return ReportResult(
        report=output,
        runs=tuple(run.path for run in runs),
        num_warnings=len(page.warned),
        num_bytes=output.stat().st_size,
    )
