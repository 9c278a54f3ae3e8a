"""``seqdesign logo``: sequence logos as SVG, PNG or PDF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from seqdesign.commands.session import checked
from seqdesign.config import Between, CommandConfig, Flag, Positional, Written
from seqdesign.errors import InputError, UsageError
from seqdesign.runs.result import Result
from seqdesign.sequences.options import AUTO, SequenceColumns

if TYPE_CHECKING:
    from seqdesign.motifs.drawable import Drawable
    from seqdesign.motifs.motif import FloatArray
    from seqdesign.reports.logo_spec import LogoSpec

FORMATS = (".svg", ".png", ".pdf")


@dataclass(frozen=True, kw_only=True)
class LogoConfig(SequenceColumns, CommandConfig):
    """Draw a sequence logo of aligned sequences, motifs, a matrix, or a pair before and after.

    Example: seqdesign logo sites.fa -o logo.svg
    """

    SEQUENCES_ONLY: ClassVar[bool] = False

    input: Annotated[Path | None, Positional("INPUT")] = None
    """Aligned sequences, a motif file (MEME, JASPAR, TRANSFAC), or a matrix (CSV, TSV: a row for each
    position, a column for each letter; npy); - is stdin; dataset:NAME is bundled data."""
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
    """Id or name of a motif to draw, of a motif file."""
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

    def text(self) -> str:
        """One or two lines."""
        shown = f"{len(self.logos)} logos" if len(self.logos) > 1 else "a logo"
        lines = [f"wrote {self.output}: {shown} of {self.positions:,} positions"]
        if self.changed:
            listed = ", ".join(map(str, self.changed[:20])) + (", ..." if len(self.changed) > 20 else "")
            lines.append(f"{len(self.changed)} positions changed: {listed}")
        return "\n".join(lines)


@checked
def logo(config: LogoConfig) -> LogoResult:
    """Draw ``config.input`` or the pair. Raises SeqDesignError."""
    from dataclasses import replace

    from seqdesign.motifs.drawable import read_drawables

    if config.input is not None:
        drawn = read_drawables(config, config.input)
        specs = [
            replace(_spec(config, thing, config.title or thing.name), skip_zero=config.skip_zero)
            for thing in drawn
        ]
    else:
        assert config.before is not None
        assert config.after is not None
        drawn = [_single(config, path) for path in (config.before, config.after)]
        specs = _pair(config, drawn[0], drawn[1])
    try:
        offsets = [0 if config.from_ is None else spec.column(config.from_) for spec in specs]
        specs = [_cut(config, spec) for spec in specs]
    except ValueError as error:
        raise UsageError(f"{error}", option="--from, --to") from None
    _write(config, specs)
    kinds = {thing.values is not None for thing in drawn}
    return LogoResult(
        output=config.output,
        kind=config.kind if config.kind != "auto" else "weight" if True in kinds else "information",
        alphabet=drawn[0].letters,
        logos=tuple(spec.title for spec in specs),
        positions=max(len(spec.heights) for spec in specs),
        consensus=tuple(
            thing.consensus[offset : offset + len(spec.heights)]
            for thing, spec, offset in zip(drawn, specs, offsets, strict=False)
        ),
        changed=tuple(specs[0].number(column) for column in sorted(specs[0].marks)),
    )


def _spec(config: LogoConfig, thing: Drawable, title: str) -> LogoSpec:
    from seqdesign.reports.logo_spec import sequence_spec, value_spec

    numbering = {"first_position": config.first_position, "columns_per_row": config.wrap}
    kind = config.kind
    if thing.values is not None and kind in ("auto", "weight"):
        return value_spec(thing.values, letters=thing.letters, unit="weight", title=title, **numbering)
    if kind == "enrichment":  # the logos beside it show what is compared
        kind = "probability"
    source = thing.source
    frequencies = thing.counts is not None and float(thing.counts.sum(axis=1).max()) <= 1 + 1e-6
    if kind == "counts" and frequencies:
        raise UsageError(f"{thing.name} holds probabilities, not counts", option="--kind")
    try:
        return sequence_spec(
            source,
            letters=thing.letters,
            kind="information" if kind == "auto" else kind,
            small_sample=config.small_sample and not frequencies,
            background=_background(config, thing),
            scale_gaps=config.scale_gaps and thing.sequences is not None and kind != "counts",
            title=title,
            **numbering,
        )
    except ValueError as error:
        raise InputError(f"{thing.name}: {error}") from None


def _background(config: LogoConfig, thing: Drawable) -> FloatArray | None:
    """(V,) expected frequencies; None for uniform."""
    import numpy as np

    from seqdesign.reports.logo_spec import counted_letters

    if config.background == "uniform":
        return None
    if config.background == "input":
        counts = counted_letters(thing.source, thing.letters).counts.sum(axis=0) + 1.0
        return np.asarray(counts / counts.sum())
    try:
        given = {k.strip(): float(v) for k, v in (p.split("=") for p in config.background.split(","))}
    except ValueError:
        given = {}
    values = [given.get(letter, 0.0) for letter in thing.letters]
    known = set(given) == set(thing.letters)
    if not known or min(values) <= 0 or not all(map(np.isfinite, values)):
        raise UsageError(
            f"must be uniform, input, or a number above 0 for each of {thing.letters}, such as A=0.3,..., "
            f"got {config.background!r}",
            option="--background",
        )
    array = np.array(values)
    return np.asarray(array / array.sum())


def _single(config: LogoConfig, path: Path) -> Drawable:
    from seqdesign.motifs.drawable import read_drawables

    found = read_drawables(config, path)
    if len(found) > 1:
        raise UsageError(f"{path} holds {len(found)} motifs; name one with --motif", option="--motif")
    return found[0]


def _pair(config: LogoConfig, before: Drawable, after: Drawable) -> list[LogoSpec]:
    """Both logos, and their ratio where asked for; columns whose most frequent letter differs are marked."""
    from dataclasses import replace

    from seqdesign.reports.logo_spec import difference_spec

    a, b = before.consensus, after.consensus
    if before.letters != after.letters or len(a) != len(b):
        raise InputError(
            f"before and after must have the same letters and positions, got {len(a)} over {before.letters} "
            f"and {len(b)} over {after.letters}"
        )
    marks = frozenset(i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y)
    title = f"{config.title}: " if config.title else ""
    specs = [_spec(config, before, f"{title}before"), _spec(config, after, f"{title}after")]
    # The same axis on both, so that they can be compared.
    low, high = (pick(spec.limits[i] for spec in specs) for i, pick in enumerate((min, max)))
    specs = [replace(spec, limits=(low, high)) for spec in specs]
    if config.kind == "enrichment":
        specs.append(
            difference_spec(
                before.source if before.sequences is None else list(before.sequences),
                after.source if after.sequences is None else list(after.sequences),
                letters=before.letters,
                kind="log-odds",
                title=f"{title}after over before",
                first_position=config.first_position,
                columns_per_row=config.wrap,
            )
        )
    return [replace(spec, marks=marks, skip_zero=config.skip_zero) for spec in specs]


def _cut(config: LogoConfig, spec: LogoSpec) -> LogoSpec:
    last = spec.number(len(spec.heights) - 1)
    if config.from_ is None and config.to is None:
        return spec
    return spec.cut(
        spec.first_position if config.from_ is None else config.from_,
        last if config.to is None else config.to,
    )


def _write(config: LogoConfig, specs: list[LogoSpec]) -> None:
    suffix = config.output.suffix.lower().lstrip(".")
    if suffix == "svg":
        from seqdesign.reports.logo import draw_logos
        from seqdesign.reports.svg import standalone
        from seqdesign.runs.atomic import atomic_write

        with atomic_write(config.output) as handle:
            handle.write(standalone(draw_logos(specs)).encode("utf-8", "backslashreplace"))
    else:
        from seqdesign.reports.logo_image import write_image

        write_image(specs, config.output, suffix)
