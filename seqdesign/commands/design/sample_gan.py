"""``seqdesign sample-gan``: new sequences from a trained generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from seqdesign.commands.campaign import CampaignOptions, sharded
from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import CHECKPOINT, WEIGHTS, checked
from seqdesign.config import Between, Flag, MadeBy, RunConfig, SequenceOutput
from seqdesign.constraints.options import LetterRules
from seqdesign.runs.blocks import end_of_blocks
from seqdesign.runs.result import Result

DEFAULT_MODEL = Path("models/gan")


@dataclass(frozen=True, kw_only=True)
class SampleGANConfig(LetterRules, SequenceOutput, CampaignOptions, RunConfig):
    """Draw new sequences: codes from N(0, I), turned into letters by the generator.

    Example: seqdesign sample-gan -n 1000 > out.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "num", "model", "condition", "template", "forbid", "gc", "max_homopolymer", "unique",
    )  # fmt: skip

    num: Annotated[int, Flag("-n"), Between(1)] = 100
    """Sequences to draw."""
    model: Annotated[Path, Flag("-m"), MadeBy("train-gan")] = DEFAULT_MODEL
    """Folder of a model made by train-gan."""
    argmax: bool = False
    """Take the most probable letter at each position; variety then comes from the codes alone."""
    temperature: Annotated[float, Between(0, low_open=True)] = 1.0
    """Below 1 the letters are drawn more conservatively, above 1 more freely."""
    unique: bool = False
    """Replace repeated sequences by new draws; memory then grows with --num."""
    reject: Annotated[float | None, Between(0, 1, high_open=True)] = None
    """Discard about this share of the draws: those that the critic finds least realistic. When not given,
    those that it finds less realistic than 99% of real sequences, at most a tenth."""
    condition: float | str | None = None
    """Outcome or label to draw for, of a conditional model; as frequent as in training when not given."""
    choose_from: Annotated[int | None, Between(1, 1000)] = None
    """With --condition and a measured outcome: draws for each sequence, of which the one is kept that the
    critic finds most real for it. 8 when not given; 1: each draw."""

    def problems(self) -> Iterator[str]:
        """The most probable letters have no temperature, and nothing is chosen where nothing is asked."""
        if self.choose_from is not None and self.condition is None:
            yield "--choose-from: has no effect without --condition; leave it out"
        if self.argmax and self.temperature != 1.0:
            yield "--temperature: has no effect with --argmax; leave it out"


@dataclass(frozen=True, kw_only=True)
class SampleGANResult(Result):
    """What was drawn."""

    command: ClassVar[str] = "sample-gan"
    KEY: ClassVar[tuple[str, ...]] = (r"^drew (-?[\d.,]*\d(?:e[-+]?\d+)?%?)",)

    model: Path
    num: int
    repeats: int | None
    """Repeats that were drawn again; None without --unique."""
    acceptance: float | None
    """Share of the draws that obey the constraints; None without any."""
    discarded: int | None
    """Draws that the critic found too unlike real sequences; None where it was not asked."""
    output: Path | None

    def text(self) -> str:
        """One line."""
        again = f", {self.repeats:,} repeats left out" if self.repeats else ""
        if self.discarded is not None:
            again += f", {self.discarded:,} that the critic finds unlike real ones left out"
        if self.acceptance is not None:
            again += f"; {self.acceptance:.1%} of the draws obey the constraints"
        where = f" into {self.output}" if self.output else ""
        return f"drew {self.num:,} sequences from {self.model}{again}{where}"


def sample_gan(config: SampleGANConfig) -> SampleGANResult:
    """Write ``config.num`` sequences as FASTA, in constant memory.

    Raises ModelError without a model, UsageError for a condition that it does not know, InputError when
    constraints contradict each other, or no sequence comes any more that obeys them or, with ``--unique``, is
    new.
    """
    from seqdesign.errors import ModelError

    if not any((config.model / name).exists() for name in (WEIGHTS, CHECKPOINT)):
        typed = "" if config.model == DEFAULT_MODEL else f" -o {config.model}"
        again = "" if config.model == DEFAULT_MODEL else f" -m {config.model}"
        raise ModelError(
            f"there is no model in {config.model}; type: seqdesign train-gan seqs.fa{typed} and then "
            f"seqdesign sample-gan -n {config.num}{again} > out.fa"
        )
    return _sample(config)


@sharded
@checked
def _sample(config: SampleGANConfig) -> SampleGANResult:
    from seqdesign.drawing.samples import rules_for, write_source
    from seqdesign.models.gan.drawing import Draws, source
    from seqdesign.models.gan.store import load_gan
    from seqdesign.sequences.compression import open_output

    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.model])
        trained = load_gan(config.model, device)
        record = trained.record
        rules = rules_for(config, record.alphabet, record.min_length, record.max_length)
        asked = config.reject or (config.reject is None and record.believed is not None)
        draws = Draws(**{name: getattr(config, name) for name in Draws.__dataclass_fields__})
        samples = source(trained, draws, rules)
        with open_output(config.output or "-") as handle:
            tally = write_source(samples, config.num, handle, unique=config.unique)
            end_of_blocks()
    result = SampleGANResult(
        model=config.model,
        num=config.num,
        repeats=tally.repeats if config.unique else None,
        acceptance=None if rules is None else tally.acceptance,
        discarded=tally.discarded if asked else None,
        output=config.output,
    )
    leave_manifest(manifest, config, result)
    return result
