"""``seqdesign sample``: new sequences from any trained model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from seqdesign.commands.device import compute
from seqdesign.commands.drawing import novelty, write_samples
from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import Between, Flag, Positional, RunConfig, SequenceOutput
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.errors import UsageError
from seqdesign.runs.result import Result

if TYPE_CHECKING:
    import torch

    from seqdesign.commands.drawing import Batch
    from seqdesign.sequences.alphabets import Alphabet


@dataclass(frozen=True, kw_only=True)
class SampleConfig(ConstraintOptions, SequenceOutput, RunConfig):
    """Draw new sequences from a model made by train-lm, train-gan or train-vae.

    Example: seqdesign sample models/lm -n 1000 > new.fa
    """

    model: Annotated[Path, Positional("MODEL")]
    """Model to draw from: folder of one."""
    num: Annotated[int, Flag("-n"), Between(1)] = 100
    """Sequences to draw; with --start, for each sequence there."""
    temperature: Annotated[float, Between(0, low_open=True)] = 1.0
    """Below 1 the letters are drawn more conservatively, above 1 more freely."""
    unique: bool = False
    """Draw again in the place of repeats; memory then grows with --num."""
    condition: float | str | None = None
    """Outcome to draw for, of a conditional model; outcomes as frequent as in training when not given."""
    length: str | None = None
    """Letters of a sample, such as 50-80; as in training when not given."""
    start: Path | None = None
    """File of sequences that are partly written anew: --keep, --translate or --max-edits say what stays."""
    guide: Path | None = None
    """Folder of a predictor made by train-predictor: samples are drawn towards higher predictions. Needs a
    model trained with --architecture masked."""
    guide_outcome: str | None = None
    """Outcome of the predictor that guides; needed where it has several."""
    guide_strength: float = 1.0
    """Weight of the guide: log-odds of a sequence per standard deviation of the training outcomes; negative
    for lower predictions."""
    guide_by: Literal["taylor", "exact"] = "taylor"
    """How the guide sees a letter that is not chosen yet: by the predictor's gradient, or by asking it about
    each."""

    def problems(self) -> Iterator[str]:
        """Options that need each other."""
        needing = {"--keep": self.keep, "--max-edits": self.max_edits, "--translate": self.translate or None}
        given = [option for option, value in needing.items() if value is not None]
        if self.start is None and given:
            yield f"{given[0]}: refers to the sequence that a design is made from, so it needs --start"
        if self.start is not None and not given and self.template is None:
            yield "--start: has no effect without --keep, --translate or --max-edits; say what stays"
        if self.start is not None and self.length is not None:
            yield "--length: has no effect with --start, whose sequences keep theirs; leave it out"
        if self.guide is None:
            for name in ("guide_outcome", "guide_strength", "guide_by"):
                if getattr(self, name) != type(self).__dataclass_fields__[name].default:
                    yield f"--{name.replace('_', '-')}: has no effect without --guide; leave it out"


@dataclass(frozen=True, kw_only=True)
class SampleResult(Result):
    """What was drawn."""

    command: ClassVar[str] = "sample"

    model: Path
    kind: str
    """lm, gan or vae."""
    num: int
    repeats: int | None
    """Repeats, and sequences nearer than --min-distance, that were drawn again; None without either."""
    acceptance: float | None
    """Share of the draws that obey the constraints; None without any."""
    output: Path | None

    def text(self) -> str:
        """One line."""
        again = f", {self.repeats:,} repeats left out" if self.repeats else ""
        if self.acceptance is not None:
            again += f"; {self.acceptance:.3g} of the draws obey the constraints"
        where = f" into {self.output}" if self.output else ""
        return f"drew {self.num:,} sequences from {self.model}{again}{where}"


@dataclass(frozen=True)
class Source:
    """Samples of one start, or of none, and how their ids begin."""

    name: str
    batches: Iterator[Batch]
    constrained: bool
    is_new: Callable[[str], bool] | None = None
    """Where ``--min-distance`` says how much samples have to differ."""


@checked
def sample(config: SampleConfig) -> SampleResult:
    """Write ``config.num`` sequences as FASTA.

    Raises ModelError without a model, UsageError for options that this kind of model has no use for,
    InputError when constraints contradict each other, or no sequence comes any more that obeys them or is
    new.
    """
    from seqdesign.sequences.compression import open_output
    from seqdesign.training.store import model_kind

    kind = model_kind(config.model)
    with compute(config) as device:
        inputs = [config.model, config.guide, config.start]
        manifest = begin_manifest(config, device=str(device), inputs=inputs)
        tallies = []
        constrained = False
        with open_output(config.output or "-") as handle:
            for source in _sources(config, kind, device):
                constrained |= source.constrained
                remedy = "" if kind == "lm" else ", or let a language model (train-lm) write such sequences"
                tally = write_samples(
                    source.batches,
                    config.num,
                    handle,
                    is_new=source.is_new or novelty(unique=config.unique),
                    name=source.name,
                    remedy=remedy,
                )
                tallies.append(tally)
    drawn = sum(tally.drawn for tally in tallies)
    result = SampleResult(
        model=config.model,
        kind=kind,
        num=sum(tally.written for tally in tallies),
        repeats=sum(tally.repeats for tally in tallies) if config.unique or config.min_distance else None,
        acceptance=1 - sum(t.rejected for t in tallies) / max(1, drawn) if constrained else None,
        output=config.output,
    )
    leave_manifest(manifest, config, result)
    return result


def apart(config: SampleConfig, alphabet: Alphabet) -> Callable[[str], bool] | None:
    """Whether a sample has the distance of ``--min-distance`` to those before; None without the option."""
    from seqdesign.constraints.distinct import Apart

    return None if config.min_distance is None else Apart(config.min_distance, alphabet).takes


def _sources(config: SampleConfig, kind: str, device: torch.device) -> Iterator[Source]:
    if kind == "lm":
        from seqdesign.commands.drawing_lm import sources

        return sources(config, device)
    from seqdesign.commands.drawing_codes import gan_source, vae_source

    if kind not in ("gan", "vae"):
        raise UsageError(f"{config.model} is a {kind}, which draws no sequences", option="MODEL")
    return iter([gan_source(config, device) if kind == "gan" else vae_source(config, device)])
