"""``seqdesign sample``: new sequences from any trained model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.campaign import CampaignOptions, sharded
from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import MadeBy, Positional, RunConfig, SequenceOutput, part
from seqdesign.drawing.options import DrawOptions
from seqdesign.drawing.samples import Drawing, GuideScore, write_source
from seqdesign.errors import UsageError
from seqdesign.runs.blocks import end_of_blocks
from seqdesign.runs.result import Result

if TYPE_CHECKING:
    import torch

    from seqdesign.sequences.alphabets import Alphabet


@dataclass(frozen=True, kw_only=True)
class SampleConfig(DrawOptions, SequenceOutput, CampaignOptions, RunConfig):
    """Draw new sequences from a model made by train-lm, train-gan or train-vae.

    Example: seqdesign sample models/lm -n 1000 > new.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "num", "condition", "length", "start", "template", "forbid", "gc", "max_homopolymer",
        "keep", "unique",
    )  # fmt: skip

    model: Annotated[Path, Positional("MODEL"), MadeBy("train-lm", "train-gan", "train-vae")]
    """Folder of a model made by train-lm, train-gan or train-vae."""


@dataclass(frozen=True, kw_only=True)
class SampleResult(Result):
    """What was drawn."""

    command: ClassVar[str] = "sample"
    KEY: ClassVar[tuple[str, ...]] = (r"^drew (-?[\d.,]*\d(?:e[-+]?\d+)?%?)",)

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
            again += f"; {self.acceptance:.1%} of the draws obey the constraints"
        where = f" into {self.output}" if self.output else ""
        return f"drew {self.num:,} sequences from {self.model}{again}{where}"


@sharded
@checked
def sample(config: SampleConfig) -> SampleResult:
    """Write ``config.num`` sequences as FASTA.

    Raises ModelError without a model, UsageError for options that this kind of model has no use for,
    InputError when constraints contradict each other, or no sequence comes any more that obeys them or is
    new.
    """
    from seqdesign.families import family_of
    from seqdesign.sequences.compression import open_output

    family = family_of(config.model)
    if family.sources is None:
        raise UsageError(
            f"was made by {family.made_by}, which draws no sequences; name a folder of train-lm, "
            "train-gan or train-vae",
            option="MODEL",
        )
    with compute(config) as device:
        inputs = [config.model, config.guide, config.start]
        manifest = begin_manifest(config, device=str(device), inputs=inputs)
        tallies = []
        constrained = False
        with open_output(config.output or "-") as handle:
            drawing = Drawing(part(config, DrawOptions), config.seed, partial(_guide, config, device))
            for source in family.sources(config.model, drawing, device):
                constrained |= source.constrained
                tallies.append(write_source(source, config.num, handle, unique=config.unique))
            end_of_blocks()
    drawn = sum(tally.drawn for tally in tallies)
    result = SampleResult(
        model=config.model,
        kind=family.kind,
        num=sum(tally.written for tally in tallies),
        repeats=sum(tally.repeats for tally in tallies) if config.unique or config.min_distance else None,
        acceptance=1 - sum(t.rejected for t in tallies) / max(1, drawn) if constrained else None,
        output=config.output,
    )
    leave_manifest(manifest, config, result)
    return result


def _guide(
    config: SampleConfig, device: torch.device, alphabet: Alphabet, lengths: tuple[int, int]
) -> GuideScore | None:
    """The score of ``--guide`` for sequences of a model; None without. Raises UsageError."""
    if config.guide is None:
        return None
    from seqdesign.design.opening import load_folder

    model = load_folder(config.guide, device)
    if model.alphabet.letters != alphabet.letters:
        raise UsageError(
            f"reads {model.alphabet.name} ({model.alphabet.shown}), but the model writes {alphabet.name} "
            f"({alphabet.shown}); train both on sequences of one alphabet",
            option="--guide",
        )
    for length in lengths:
        model.check_length(length, lambda message: UsageError(message, option="--guide"))
    names = model.oracle.outcomes
    if config.guide_outcome is None and len(names) > 1:
        raise UsageError(f"is needed: {config.guide} predicts {', '.join(names)}", option="--guide-outcome")
    wanted = names[0] if config.guide_outcome is None else config.guide_outcome
    if wanted not in names:
        raise UsageError(f"must be one of {', '.join(names)}, got {wanted!r}", option="--guide-outcome")
    place = names.index(wanted)
    scale = 1.0 if model.trained is None or model.log_odds else model.trained.record.outcome_scale[place]

    def score(letters: torch.Tensor) -> torch.Tensor:
        return model.oracle(letters)[:, :, place].mean(0) / scale

    return score
