"""``seqdesign interpolate``: sequences along paths, grids and sums in the latent space of a GAN or VAE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest, warn_of
from seqdesign.commands.session import checked
from seqdesign.config import Between, Flag, MadeBy, Positional, RunConfig, SequenceOutput
from seqdesign.errors import InputError
from seqdesign.runs.progress import say
from seqdesign.runs.result import Result
from seqdesign.sequences.options import (
    DuplicatePolicy,
    LetterPolicy,
    SequenceColumns,
    encode_with,
    file_format,
    layout_of,
)

if TYPE_CHECKING:
    from torch import Tensor

    from seqdesign.design.codes import Coder
    from seqdesign.sequences.fasta import Record

STEPS = 9
NEEDED = {"path": 2, "grid": 4, "arithmetic": 3, "complement": 1}
"""Codes that one path, grid, sum or pair is made from."""
NAMES = {
    "path": ("path", "paths"),
    "grid": ("grid", "grids"),
    "arithmetic": ("sum", "sums"),
    "complement": ("pair", "pairs"),
}

Shape = Literal["path", "grid", "arithmetic", "complement"]


@dataclass(frozen=True, kw_only=True)
class InterpolateConfig(LetterPolicy, SequenceColumns, DuplicatePolicy, SequenceOutput, RunConfig):
    """Show what lies between sequences: decode codes on the way from one to another.

    Example: seqdesign interpolate --steps 9 > path.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = ("output", "model", "steps", "num", "curve", "grid")
    GENBANK: ClassVar[bool] = True

    input: Annotated[Path | None, Positional("SEQS")] = None
    """Ends of the paths: FASTA, GenBank or a table, two records a path; without it codes are drawn."""
    model: Annotated[Path, Flag("-m"), MadeBy("train-gan", "train-vae")] = Path("models/gan")
    """Folder of a model made by train-gan or train-vae."""
    steps: Annotated[int, Between(2, 10_000)] = STEPS
    """Sequences in a path, its ends included, or along a side of a grid."""
    curve: Literal["sphere", "line"] = "sphere"
    """Way between two codes: around the origin, so that all are as long as drawn ones, or straight."""
    grid: bool = False
    """Fill the square between four codes instead of the way between two."""
    arithmetic: bool = False
    """Write a - b + c of three sequences instead."""
    complement: bool = False
    """Write G(z) and G(-z) of each code instead."""
    num: Annotated[int | None, Flag("-n"), Between(1)] = None
    """Paths, grids or pairs between drawn codes; 1 when not given."""
    condition: float | str | None = None
    """Outcome to write for; needed with a conditional GAN."""

    def problems(self) -> Iterator[str]:
        """One of the shapes, with what it needs."""
        chosen = [f"--{name}" for name in ("grid", "arithmetic", "complement") if getattr(self, name)]
        if len(chosen) > 1:
            yield f"{chosen[1]}: cannot be combined with {chosen[0]}"
        if self.arithmetic and self.input is None:
            yield "--arithmetic: needs SEQS with a, b and c; sums of drawn codes mean nothing"
        if self.num is not None and self.input is not None:
            yield "--num: has no effect with SEQS; leave it out"
        if self.arithmetic or self.complement:
            for name, value in (("steps", STEPS), ("curve", "sphere")):
                if getattr(self, name) != value:
                    yield f"--{name}: has no effect with {chosen[0]}; leave it out"

    @property
    def shape(self) -> Shape:
        """What is drawn."""
        return (
            "grid" if self.grid
            else "arithmetic" if self.arithmetic
            else "complement" if self.complement
            else "path"
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class InterpolateResult(Result):
    """What was written."""

    command: ClassVar[str] = "interpolate"

    model: Path
    shape: Shape
    num: int
    """Paths, grids, sums or pairs."""
    sequences: int
    mean_edits: float | None
    """Edits between neighbours on a path or in a row of a grid, on average."""
    unlike: int | None
    """Records of the input that the model does not give back from their codes."""
    output: Path | None

    def text(self) -> str:
        """One line or two."""
        edits = "" if self.mean_edits is None else f", {self.mean_edits:.2f} edits from one to the next"
        what = NAMES[self.shape][0 if self.num == 1 else 1]
        where = f", into {self.output}" if self.output else ""
        return f"{self.num:,} {what}, {self.sequences:,} sequences{edits}{where}"


@checked
def interpolate(config: InterpolateConfig) -> InterpolateResult:
    """FASTA of decoded codes to the output. Raises ModelError, InputError and UsageError."""
    from seqdesign.design.codes import load_coder
    from seqdesign.sequences.lab.genbank import write_sequences

    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.input, config.model])
        coder = load_coder(config.model, config.condition, device)
        warn_of(config.model, quiet=config.quiet)
        ends, names, unlike = _ends(config, coder)
        records, edits = _records(config, coder, ends, names)
    if unlike:
        say(
            f"warning: the model does not give {unlike:,} of {len(ends) * ends.shape[1]:,} sequences "
            "back from "
            "their codes, so paths begin and end near them only",
            quiet=config.quiet,
        )
    write_sequences(records, config.output or "-")
    result = InterpolateResult(
        model=config.model,
        shape=config.shape,
        num=len(ends),
        sequences=len(records),
        mean_edits=sum(edits) / len(edits) if edits else None,
        unlike=unlike,
        output=config.output,
    )
    leave_manifest(manifest, config, result)
    return result


def _ends(config: InterpolateConfig, coder: Coder) -> tuple[Tensor, list[list[str]] | None, int | None]:
    """Codes (P, needed, d) of P paths, the ids behind them, and how many the model does not give back."""
    import torch

    from seqdesign.sequences.encoders import decode
    from seqdesign.sequences.reader import read_sequences
    from seqdesign.sequences.scope import Scope

    needed = NEEDED[config.shape]
    if config.input is None:
        rng = torch.Generator().manual_seed(config.seed)
        # One by one, so that a path has the first of the codes that a grid has.
        drawn = [torch.randn(coder.latent_dim, generator=rng) for _ in range((config.num or 1) * needed)]
        return torch.stack(drawn).view(-1, needed, coder.latent_dim), None, None
    records = read_sequences(
        config.input,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        layout=layout_of(config, alphabet=coder.alphabet),
        outcomes=False,
        on_duplicate=config.on_duplicate,
    )
    array = encode_with(config, records, coder.alphabet)
    records = records.take(array.kept)
    for row, why in Scope(*coder.lengths).objections(array).items():
        raise InputError(f"{why}; leave it out", path=records.source, record=records.ids[row])
    if not len(records) or len(records) % needed:
        raise InputError(
            f"a {NAMES[config.shape][0]} needs {needed} sequences, and each further one as many; "
            f"got {len(records)}",
            path=records.source,
        )
    z = coder.encode(array).cpu()
    pairs = zip(decode(array.tokens, coder.alphabet), coder.decode(z), strict=True)
    unlike = sum(given != made for given, made in pairs)
    rows = [records.ids[i : i + needed] for i in range(0, len(records), needed)]
    return z.view(-1, needed, z.shape[1]), [list(row) for row in rows], unlike


def _records(
    config: InterpolateConfig, coder: Coder, ends: Tensor, names: list[list[str]] | None
) -> tuple[list[Record], list[int]]:
    """All records, and the edits between neighbours on paths and in rows of grids."""
    from seqdesign.metrics.edits import levenshtein
    from seqdesign.sequences.fasta import Record, format_fields

    codes, places = _codes(config, ends)
    texts = coder.decode(codes.flatten(0, 1))
    records, edits = [], []
    for i, text in enumerate(texts):
        one, step = divmod(i, len(places))
        name, fields = places[step]
        number = "" if len(ends) == 1 else f"{config.shape}{one + 1}_"
        between = {} if names is None else {"of": ",".join(names[one])}
        follows = fields.get("t", fields.get("v", 0.0)) > 0
        if follows:
            edits.append(levenshtein(texts[i - 1], text))
        shown = {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in fields.items()}
        more = {"edits": edits[-1]} if follows else {}
        records.append(Record(f"{number}{name}", format_fields({**shown, **between, **more}), text))
    return records, edits


def _codes(config: InterpolateConfig, ends: Tensor) -> tuple[Tensor, list[tuple[str, dict[str, Any]]]]:
    """Codes (P, S, d), and for each of the S places on a path its name and header fields."""
    import torch

    from seqdesign.decoding.latent_paths import CURVES, analogy, grid, path

    curve, steps = CURVES[config.curve], config.steps
    if config.shape == "complement":
        return torch.cat([ends, -ends], 1), [("z", {"code": "z"}), ("minus_z", {"code": "-z"})]
    if config.shape == "arithmetic":
        answer = analogy(*ends.unbind(1)).unsqueeze(1)
        named = [(name, {"code": name}) for name in "abc"]
        return torch.cat([ends, answer], 1), [*named, ("answer", {"code": "a-b+c"})]
    shares = [i / (steps - 1) for i in range(steps)]
    if config.shape == "path":
        made = path(ends[:, 0], ends[:, 1], steps, curve)
        return made, [(f"step{i + 1}", {"t": share}) for i, share in enumerate(shares)]
    square = [
        (f"row{i + 1}_column{j + 1}", {"u": down, "v": right})
        for i, down in enumerate(shares)
        for j, right in enumerate(shares)
    ]
    return grid(ends, steps, curve).flatten(1, 2), square
