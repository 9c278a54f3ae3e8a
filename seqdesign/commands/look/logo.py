"""``seqdesign logo``: sequence logos as SVG, PNG or PDF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from seqdesign.commands.session import checked
from seqdesign.config import Between, CommandConfig, Flag, Positional, Written
from seqdesign.errors import UsageError
from seqdesign.runs.result import Result
from seqdesign.sequences.options import AUTO, SequenceColumns, file_format, layout_of

FORMATS = (".svg", ".png", ".pdf")
NOTES = 5


@dataclass(frozen=True, kw_only=True)
class LogoConfig(SequenceColumns, CommandConfig):
    """Draw a sequence logo of aligned sequences, motifs, a matrix, or a pair before and after.

    Example: seqdesign logo sites.fa -o logo.svg
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "kind", "before", "after", "first_position", "title", "alphabet", "motif",
    )  # fmt: skip
    SEQUENCES_ONLY: ClassVar[bool] = False
    NUMBERED: ClassVar[bool] = True

    input: Annotated[Path | None, Positional("INPUT")] = None
    """Aligned sequences, motifs (MEME, JASPAR, TRANSFAC, HOMER and others), a matrix of positions and letters
    (CSV, TSV, npy), or a table of attribute; - is stdin; dataset:NAME is bundled data."""
    output: Annotated[Path, Flag("-o"), Written("drawing")] = Path("logo.svg")
    """Picture to write: SVG, PNG or PDF by suffix."""
    kind: Literal["auto", "information", "probability", "counts", "weight", "enrichment"] = "auto"
    """Height of the letters: bits, shares, counts, log2 odds or the matrix as it is, or log2 of the share
    after over before; auto is information, and weight for a matrix of weights."""
    before: Path | None = None
    """Draw a pair: what was there before; positions that differ are marked."""
    after: Path | None = None
    """Draw a pair: what is there after."""
    from_: int | None = None
    """First position to draw."""
    to: int | None = None
    """Last position to draw."""
    first_position: int = 1
    """Number of the first position, such as -35."""
    skip_zero: bool = False
    """Number positions -2, -1, 1, 2, as at splice sites and transcription starts."""
    wrap: Annotated[int, Between(1, 1000)] = 60
    """Positions in a row; longer logos continue below."""
    background: str = "uniform"
    """Expected letters for information and weight: uniform, input, or such as A=0.3,C=0.2,G=0.2,T=0.3."""
    small_sample: bool = True
    """Correct the information for the number of sequences."""
    scale_gaps: bool = True
    """Lower a stack by the share of sequences with a gap there."""
    weights: str | None = None
    """Column that says how often each sequence of a table counts."""
    motif: tuple[str, ...] = ()
    """Id or name of a motif to draw, of a motif file; of a sequence, of a table of attribute."""
    max_motifs: Annotated[int, Between(1, 1000)] = 20
    """Most motifs to draw at once."""
    title: str | None = None
    """Title; the file's name when not given."""
    alphabet: str = AUTO
    """dna, rna, protein, protein-stop, or letters:ABC... for your own; auto goes by the letters."""
    convert_ut: bool = False
    """Read U as T for DNA, T as U for RNA."""

    def problems(self) -> Iterator[str]:
        """One input or a pair; a suffix that can be drawn; settings that would have no effect."""
        pair = (self.before is not None, self.after is not None)
        if any(pair) and not all(pair):
            yield "--before, --after: a pair needs both"
        if self.input is None and not any(pair):
            yield "INPUT: is missing; name a file, or a pair with --before and --after"
        if self.input is not None and any(pair):
            yield "INPUT: cannot be combined with --before and --after"
        if self.kind == "enrichment" and not any(pair):
            yield "--kind enrichment: needs --before and --after"
        if self.output.suffix.lower() not in FORMATS:
            yield f"--output: must end in {', '.join(FORMATS)}, got '{self.output}'"
        if self.background != "uniform" and self.kind not in ("auto", "information", "weight"):
            yield f"--background: has no effect with --kind {self.kind}; leave it out"


@dataclass(frozen=True, kw_only=True)
class LogoResult(Result):
    """What was drawn."""

    command: ClassVar[str] = "logo"

    output: Path
    kind: str
    alphabet: str
    """The letters."""
    logos: tuple[str, ...]
    """Title of each logo."""
    positions: int
    """Positions of the longest."""
    consensus: tuple[str, ...]
    changed: tuple[int, ...]
    """Positions that differ between before and after, as numbered in the logo."""
    notes: tuple[str, ...] = ()
    """How what was drawn was read, and what was left out, where that is not plain."""

    def text(self) -> str:
        """A few lines."""
        shown = f"{len(self.logos)} logos" if len(self.logos) > 1 else "a logo"
        lines = [f"wrote {self.output}: {shown} of {self.positions:,} positions"]
        if self.changed:
            listed = ", ".join(map(str, self.changed[:20])) + (", ..." if len(self.changed) > 20 else "")
            lines.append(f"{len(self.changed)} positions changed: {listed}")
        lines += self.notes[:NOTES]
        if len(self.notes) > NOTES:
            lines.append(f"and {len(self.notes) - NOTES} more such notes; --json has all")
        return "\n".join(lines)


@checked
def logo(config: LogoConfig) -> LogoResult:
    """Draw ``config.input`` or the pair. Raises SeqDesignError."""
    from seqdesign.reports.drawable import Reading, read_drawables
    from seqdesign.reports.logo_figure import Style, draw, draw_pair

    reading = Reading(
        kind=config.kind, alphabet=config.alphabet, convert_ut=config.convert_ut,
        sequence_column=config.sequence, id_column=config.id_, format=file_format(config),
        layout=layout_of(config), weights=config.weights, motifs=config.motif, max_motifs=config.max_motifs,
    )  # fmt: skip
    style = Style(
        kind=config.kind, background=config.background, small_sample=config.small_sample,
        scale_gaps=config.scale_gaps, title=config.title, first_position=config.first_position,
        skip_zero=config.skip_zero, first=config.from_, last=config.to, wrap=config.wrap,
    )  # fmt: skip
    if config.input is not None:
        figure = draw(read_drawables(config.input, reading), style)
    else:
        assert config.before is not None
        assert config.after is not None
        pair = []
        for path in (config.before, config.after):
            found = read_drawables(path, reading)
            if len(found) > 1:
                raise UsageError(f"{path} holds {len(found)} motifs; name one with --motif", option="--motif")
            pair += found
        figure = draw_pair(pair[0], pair[1], style)
    figure.write(config.output)
    return LogoResult(
        output=config.output,
        kind=figure.kind,
        alphabet=figure.letters,
        logos=tuple(spec.title for spec in figure.specs),
        positions=figure.positions,
        consensus=figure.consensus,
        changed=figure.changed,
        notes=figure.notes,
    )
