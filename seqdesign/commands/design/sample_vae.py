"""``seqdesign sample-vae``: new sequences from a trained VAE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from seqdesign.commands.campaign import CampaignOptions, sharded
from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest, warn_of
from seqdesign.commands.session import checked
from seqdesign.config import Between, Flag, MadeBy, RunConfig, SequenceOutput
from seqdesign.drawing.options import CHOOSE_FROM
from seqdesign.runs.blocks import end_of_blocks
from seqdesign.runs.result import Result


@dataclass(frozen=True, kw_only=True)
class SampleVAEConfig(SequenceOutput, CampaignOptions, RunConfig):
    """Draw new sequences: codes, decoded letter by letter.

    Example: seqdesign sample-vae -n 1000 > new.fa
    """

    num: Annotated[int, Flag("-n"), Between(1)] = 100
    """Sequences to draw."""
    model: Annotated[Path, Flag("-m"), MadeBy("train-vae")] = Path("models/vae")
    """Folder of a model made by train-vae."""
    decode: Literal["sample", "greedy"] = "sample"
    """Draw each letter, or take the most probable one."""
    codes: Literal["data", "prior"] = "data"
    """Draw codes by the law that codes of training sequences have, or from the prior N(0, I)."""
    reject: Annotated[float, Between(0, 1, high_open=True)] = 0.0
    """Discard about this share of the draws: those whose letters the language model finds least likely."""
    condition: float | None = None
    """Outcome to draw for, of a model made with train-vae --condition."""
    choose_from: Annotated[int, Between(1, 1000)] = CHOOSE_FROM
    """With --condition: draws for each sequence, of which the one is kept whose predicted outcome is nearest
    to it; 1: as sequences with that measurement vary, noise of measuring included."""
    temperature: Annotated[float, Between(0, low_open=True)] = 1.0
    """Below 1 the letters are drawn more conservatively, above 1 more freely."""

    def problems(self) -> Iterator[str]:
        """Options without effect."""
        if self.decode == "greedy" and self.temperature != 1.0:
            yield "--temperature: has no effect with --decode greedy; leave it out"
        if self.condition is not None and self.codes != "data":
            yield "--codes: has no effect with --condition, as each outcome has its own codes; leave it out"
        if self.condition is None and self.choose_from != CHOOSE_FROM:
            yield "--choose-from: has no effect without --condition; leave it out"


@dataclass(frozen=True, kw_only=True)
class SampleVAEResult(Result):
    """What was drawn."""

    command: ClassVar[str] = "sample-vae"
    KEY: ClassVar[tuple[str, ...]] = (r"^drew (-?[\d.,]*\d(?:e[-+]?\d+)?%?)",)

    model: Path
    num: int
    discarded: int | None
    """Draws that the language model found too unlikely; None without --reject."""
    output: Path | None

    def text(self) -> str:
        """One line."""
        again = "" if self.discarded is None else f", {self.discarded:,} less natural ones left out"
        where = f" into {self.output}" if self.output else ""
        return f"drew {self.num:,} sequences from {self.model}{again}{where}"


@sharded
@checked
def sample_vae(config: SampleVAEConfig) -> SampleVAEResult:
    """Write ``config.num`` sequences as FASTA, with log-likelihood and predicted outcome in their headers."""
    from seqdesign.drawing.samples import write_source
    from seqdesign.models.vae.drawing import Draws, check_condition, source
    from seqdesign.models.vae.store import load_vae
    from seqdesign.sequences.compression import open_output

    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.model])
        trained = load_vae(config.model, device)
        check_condition(trained, config.condition)  # a wrong one is said before a file is written
        warn_of(config.model, quiet=config.quiet)
        draws = Draws(**{name: getattr(config, name) for name in Draws.__dataclass_fields__})
        with open_output(config.output or "-") as handle:
            tally = write_source(source(trained, draws, None), config.num, handle, unique=False)
            end_of_blocks()
    result = SampleVAEResult(
        model=config.model,
        num=config.num,
        discarded=tally.discarded if config.reject else None,
        output=config.output,
    )
    leave_manifest(manifest, config, result)
    return result
