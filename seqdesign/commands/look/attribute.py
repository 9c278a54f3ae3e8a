"""``seqdesign attribute``: which letters a score comes from, and which edits a gain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.device import compute
from seqdesign.commands.look.predict import TableOutput
from seqdesign.commands.provenance import begin_manifest, leave_manifest, oracle_input
from seqdesign.commands.session import checked
from seqdesign.config import Between, Positional, RunConfig, Written, part
from seqdesign.design.options import DEFAULT_MODEL, OracleOptions
from seqdesign.runs.manifest import training_warnings
from seqdesign.runs.progress import say
from seqdesign.runs.result import Result
from seqdesign.sequences.alphabets import model_alphabet
from seqdesign.sequences.options import DuplicatePolicy, LetterPolicy, SequenceColumns, file_format, layout_of

if TYPE_CHECKING:
    import torch

    from seqdesign.attribution.edits import EditSummary, EditTable
    from seqdesign.attribution.explainer import Explainer
    from seqdesign.sequences.reader import SequenceSet

LOGO_FORMATS = (".svg", ".png", ".pdf")


@dataclass(frozen=True, kw_only=True)
class AttributeConfig(TableOutput, OracleOptions, SequenceColumns, DuplicatePolicy, LetterPolicy, RunConfig):
    """Show which letters a predicted outcome comes from, and what each edit of a revision contributes.

    Writes a table with a row for each position of each sequence; --logo draws it.

    Example: seqdesign attribute designs.fa -o contributions.csv --logo contributions.svg
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "model", "report", "logo", "method", "parents", "edits", "outcome",
    )  # fmt: skip

    input: Annotated[Path, Positional("SEQS")]
    """FASTA, GenBank or a table, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    method: str = "mutagenesis"
    """How to ask the model: mutagenesis tries every letter everywhere, with any oracle; gradient (times
    input) is quick and integrated-gradients sums to the score, both need a model with a gradient."""
    outcome: str | None = None
    """Outcome or class of the model to explain, its first when not given; the column of table:FILE."""
    logo: Annotated[Path | None, Written("drawing")] = None
    """Draw the contributions of the first sequences as logos: SVG, PNG or PDF by suffix."""
    max_logos: Annotated[int, Between(1, 1000)] = 20
    """Most logos to draw in --logo and --report."""
    parents: Path | None = None
    """Sequences that the input was made from, by parent=ID in the header, a column 'parent', or equal ids:
    the edits between them are ranked by what each contributes."""
    edits: Annotated[Path | None, Written("table")] = None
    """Write what each edit contributes as a table; needs --parents."""
    orders: Annotated[int, Between(2, 100_000)] = 200
    """Random orders in which edits are made, where there are more than 12; up to 12, all orders count."""
    report: Annotated[Path | None, Written("page")] = None
    """Write a self-contained HTML page."""

    def problems(self) -> Iterator[str]:
        """A suffix that can be drawn; settings that would have no effect."""
        if self.logo is not None and self.logo.suffix.lower() not in LOGO_FORMATS:
            yield f"--logo: must end in {', '.join(LOGO_FORMATS)}, got '{self.logo}'"
        if self.parents is None:
            if self.edits is not None:
                yield "--edits: has no effect without --parents; name the parents' file"
            if self.orders != AttributeConfig.orders:
                yield "--orders: has no effect without --parents; leave it out"
        if Path("-") == self.edits and self.output in (None, Path("-")):
            yield "--edits: stdout carries the contributions; name a file for one of them"
        if self.json and Path("-") == self.edits:
            yield "--json: stdout carries the table; name a file for --edits, or leave --json out"
        if [self.input, self.parents].count(Path("-")) > 1:
            yield "SEQS, --parents: only one of them can be - (standard input)"


@dataclass(frozen=True, kw_only=True)
class AttributeResult(Result):
    """What was explained, and where most of it comes from."""

    command: ClassVar[str] = "attribute"
    KEY: ClassVar[tuple[str, ...]] = (r"^positions that matter most.*: (\d+ \(\d+%\))",)

    model: str
    method: str
    outcome: str
    num: int
    num_members: int
    mean_score: float | None
    """Of the sequences; log-odds where the model says so."""
    log_odds: bool
    top_positions: tuple[int, ...]
    """The positions (from 1) with the largest mean absolute contribution; empty for mixed lengths."""
    top_shares: tuple[float, ...]
    """Their shares of the absolute contributions of all positions."""
    edits: EditSummary | None
    output: Path | None
    written: tuple[Path, ...]

    def text(self) -> str:
        """A few lines."""
        unit = " (log-odds)" if self.log_odds else ""
        who = f"mean of {self.num_members} members" if self.num_members > 1 else "one model"
        into = f" into {self.output}" if self.output not in (None, Path("-")) else ""
        what = f"{self.outcome}{unit} of {self.num:,} sequences"
        lines = [f"explained {what} by {self.method} with {self.model}, {who}{into}"]
        if self.top_positions:
            top = zip(self.top_positions, self.top_shares, strict=True)
            listed = ", ".join(f"{position} ({share:.0%})" for position, share in top)
            lines.append(f"positions that matter most, of all contributions: {listed}")
        if self.edits is not None:
            lines += self.edits.lines()
        return "\n".join([*lines, *(f"wrote {path}" for path in self.written)])


@checked
def attribute(config: AttributeConfig) -> AttributeResult:
    """Explain the input; tables, logos and page as asked for. Raises SeqDesignError."""
    from seqdesign.sequences.tables import write_table

    with compute(config) as device:
        source = config.model or DEFAULT_MODEL if config.oracle is None else oracle_input(config.oracle)
        manifest = begin_manifest(config, device=str(device), inputs=[config.input, config.parents, source])
        explainer = _explainer(config, device)
        changed = None if config.parents is None else _edits(config, explainer)
        num = write_table(explainer.rows(), config.output or "-", columns=explainer.columns)
    assert num == explainer.num_rows
    doubts = training_warnings(source) if isinstance(source, Path) and source.is_dir() else ()
    for line in [*doubts, *explainer.notes(), *(changed.warnings if changed else ())]:
        say(f"warning: {line}", quiet=config.quiet)
    if config.edits is not None and changed is not None:
        write_table(changed.rows, config.edits, columns=changed.columns)
    top = explainer.top_positions()
    result = AttributeResult(
        model=explainer.model.name,
        method=config.method,
        outcome=explainer.outcome,
        num=len(explainer.records),
        num_members=explainer.num_members,
        mean_score=explainer.mean_score(),
        log_odds=explainer.model.log_odds,
        top_positions=tuple(place for place, _ in top),
        top_shares=tuple(share for _, share in top),
        edits=None if changed is None else changed.summary(),
        output=config.output,
        written=tuple(p for p in (config.edits, config.logo, config.report) if p and p != Path("-")),
    )
    leave_manifest(manifest, config, result)
    if config.logo is not None:
        from seqdesign.pages.attribution import logo_specs
        from seqdesign.reports.logo_figure import write_logos

        edited = {} if changed is None else changed.changed
        write_logos(logo_specs(explainer, explainer.shown, edited), config.logo)
    if config.report is not None:
        from seqdesign.pages.attribution import attribution_page

        page = attribution_page(explainer, changed, manifest, result.to_dict(), doubts)
        page.write(config.report)
    return result


def _explainer(config: AttributeConfig, device: torch.device) -> Explainer:
    from seqdesign.attribution.explainer import Explainer, open_model

    records = _read(config, config.input)
    model = open_model(
        config.model or DEFAULT_MODEL if config.oracle is None else config.oracle,
        device,
        alphabet=config.alphabet,
        length=len(records.sequences[0]),
        outcome=config.outcome,
        sequence=config.sequence,
        trust=config.trust_model,
    )
    return Explainer(
        model,
        records,
        method=config.method,
        outcome=config.outcome,
        letters=part(config, LetterPolicy),
        keep=config.max_logos,
    )


def _edits(config: AttributeConfig, explainer: Explainer) -> EditTable:
    from seqdesign.attribution.edits import explain_edits
    from seqdesign.ordering.designs import run_of, wanted_by
    from seqdesign.sequences.parents import read_parents

    assert config.parents is not None
    run = run_of(config.input)
    wanted = wanted_by({} if run is None else run.config)
    columns, files = part(config, SequenceColumns), (config.input, config.parents)
    return explain_edits(
        explainer,
        _read(config, config.parents),
        lambda ids, parent_ids: read_parents(columns, files, ids, parent_ids),
        letters=part(config, LetterPolicy),
        orders=config.orders,
        lower=wanted.goal == "min" and wanted.outcome in (None, explainer.outcome),
        seed=config.seed,
    )


def _read(config: AttributeConfig, path: Path) -> SequenceSet:
    from seqdesign.sequences.reader import read_sequences

    known = None if config.oracle is not None else model_alphabet(config.model or DEFAULT_MODEL)
    return read_sequences(
        path,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        layout=layout_of(config, alphabet=known),
        outcomes=False,
        on_duplicate=config.on_duplicate,
    )
