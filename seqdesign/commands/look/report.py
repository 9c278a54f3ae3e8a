"""``seqdesign report``: one page about any runs and sequences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from seqdesign.commands.session import checked
from seqdesign.config import CommandConfig, Flag, Positional, Written
from seqdesign.errors import UsageError
from seqdesign.runs.atomic import bytes_of, is_stream
from seqdesign.runs.result import Result


@dataclass(frozen=True, kw_only=True)
class ReportConfig(CommandConfig):
    """Write one self-contained HTML page about models, designs and sequences.

    Example: seqdesign report models/predictor designs.fa
    """

    paths: Annotated[tuple[Path, ...], Positional("PATH...")]
    """Folders of models, FASTA files or tables with designs; a folder of several runs is all of them."""
    output: Annotated[Path, Flag("-o"), Written("page")] = Path("report.html")
    """Page to write; an older one is replaced."""
    title: str | None = None
    """Heading of the page."""
    motifs: str | None = None
    """Also compare the motifs of designs and parents: a MEME, JASPAR or TRANSFAC file, or jaspar, the bundled
    collection."""
    structure: Path | None = None
    """Also show what was measured at each position on the structure of the molecule: a PDB or mmCIF file."""


@dataclass(frozen=True, kw_only=True)
class ReportResult(Result):
    """What was written."""

    command: ClassVar[str] = "report"
    KEY: ClassVar[tuple[str, ...]] = (r"^wrote (.*) \(",)

    report: Path
    runs: tuple[Path, ...]
    """In the order of the page."""
    num_warnings: int
    num_bytes: int

    def text(self) -> str:
        """One line."""
        many = f"{self.num_warnings} warning{'' if self.num_warnings == 1 else 's'}"
        warned = f"; {many} at the top of the page" if self.num_warnings else ""
        return f"wrote {self.report} ({self.num_bytes / 1e6:.2f} MB){warned}; open it in a browser"


@checked
def report(config: ReportConfig) -> ReportResult:
    """Write the page of ``config.paths``. Raises SeqDesignError."""
    from seqdesign.commands.provenance import typed_command
    from seqdesign.pages.report import write_report

    if not config.paths:
        raise UsageError("is missing; name a model's folder or a file", option="PATH...")
    page, runs = write_report(
        config.paths,
        config.output,
        title=config.title,
        motifs=config.motifs,
        structure=config.structure,
        command=typed_command,
    )
    return ReportResult(
        report=config.output,
        runs=tuple(run.path for run in runs),
        num_warnings=len(page.warned),
        num_bytes=bytes_of(config.output).stat().st_size if not is_stream(config.output) else 0,
    )
