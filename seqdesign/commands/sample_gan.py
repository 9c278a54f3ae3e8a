"""``seqdesign sample-gan``: new sequences from a trained generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.device import compute
from seqdesign.commands.drawing import novelty, rules_for, sift, write_samples
from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import CHECKPOINT, WEIGHTS, checked
from seqdesign.config import Between, Flag, RunConfig, SequenceOutput
from seqdesign.constraints.options import LetterRules
from seqdesign.runs.result import Result

if TYPE_CHECKING:
    import torch

    from seqdesign.commands.drawing import Batch
    from seqdesign.constraints.rules import Rules
    from seqdesign.models.gan.store import TrainedGAN

DEFAULT_MODEL = Path("models/gan")
REMEDY = ", or let maximize --generator find such sequences"
CALIBRATION = 4096
"""Draws by which the score is found that --reject asks for."""


@dataclass(frozen=True, kw_only=True)
class SampleGANConfig(LetterRules, SequenceOutput, RunConfig):
    """Draw new sequences: codes from N(0, I), turned into letters by the generator.

    Example: seqdesign sample-gan -n 1000 > out.fa
    """

    num: Annotated[int, Flag("-n"), Between(1)] = 100
    """Sequences to draw."""
    model: Annotated[Path, Flag("-m")] = DEFAULT_MODEL
    """Folder of a model made by train-gan."""
    argmax: bool = False
    """Take the most probable letter at each position; variety then comes from the codes alone."""
    temperature: Annotated[float, Between(0, low_open=True)] = 1.0
    """Below 1 the letters are drawn more conservatively, above 1 more freely."""
    unique: bool = False
    """Draw again in the place of repeats; memory then grows with --num."""
    reject: Annotated[float, Between(0, 1, high_open=True)] = 0.0
    """Leave out about this share of the draws, those that the critic finds least like real sequences."""
    condition: float | str | None = None
    """Outcome or label to draw for, of a conditional model; as frequent as in training when not given."""
    batch_size: Annotated[int, Flag("-b"), Between(1, 65536)] = 256
    """Sequences at a time; the result does not depend on it."""

    def problems(self) -> Iterator[str]:
        """The most probable letters have no temperature."""
        if self.argmax and self.temperature != 1.0:
            yield "--temperature: has no effect with --argmax; leave it out"


@dataclass(frozen=True, kw_only=True)
class SampleGANResult(Result):
    """What was drawn."""

    command: ClassVar[str] = "sample-gan"

    model: Path
    num: int
    repeats: int | None
    """Repeats that were drawn again; None without --unique."""
    acceptance: float | None
    """Share of the draws that obey the constraints; None without any."""
    discarded: int | None
    """Draws that the critic found too unlike real sequences; None without --reject."""
    output: Path | None

    def text(self) -> str:
        """One line."""
        again = f", {self.repeats:,} repeats left out" if self.repeats else ""
        if self.discarded is not None:
            again += f", {self.discarded:,} that the critic finds unlike real ones left out"
        if self.acceptance is not None:
            again += f"; {self.acceptance:.3g} of the draws obey the constraints"
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


@checked
def _sample(config: SampleGANConfig) -> SampleGANResult:
    from seqdesign.models.gan.sampling import class_of
    from seqdesign.models.gan.store import load_gan
    from seqdesign.sequences.compression import open_output

    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.model])
        trained = load_gan(config.model, device)
        class_of(trained, config.condition)  # a wrong one is said before a file is written
        record = trained.record
        rules = rules_for(config, record.alphabet, record.min_length, record.max_length)
        with open_output(config.output or "-") as handle:
            tally = write_samples(
                batches(trained, config, rules),
                config.num,
                handle,
                is_new=novelty(unique=config.unique),
                remedy=REMEDY,
            )
    result = SampleGANResult(
        model=config.model,
        num=config.num,
        repeats=tally.repeats if config.unique else None,
        acceptance=None if rules is None else tally.acceptance,
        discarded=tally.discarded if config.reject else None,
        output=config.output,
    )
    leave_manifest(manifest, config, result)
    return result


def batches(trained: TrainedGAN, config: SampleGANConfig, rules: Rules | None) -> Iterator[Batch]:
    """Draws without end, or as many as are asked for where each of them is written."""
    from seqdesign.models.gan.sampling import class_of, criticize
    from seqdesign.sequences.encoders import decode

    condition = class_of(trained, config.condition)
    endless = config.unique or rules is not None or config.reject > 0
    least = _least_score(trained, config, condition)
    for tokens, classes in _draws(trained, config, condition, config.seed, endless=endless):
        texts = decode(tokens, trained.record.alphabet)
        real = None if least is None else (criticize(trained, tokens, classes) >= least).tolist()
        yield sift(tokens, texts, _labels(trained, classes, len(texts)), rules, real)


def _draws(
    trained: TrainedGAN, config: SampleGANConfig, condition: int | None, seed: int, *, endless: bool
) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
    import sys

    import torch

    from seqdesign.models.gan.sampling import draw

    return draw(
        trained.generator,
        sys.maxsize if endless else config.num,
        torch.Generator().manual_seed(seed),
        end=trained.end,
        shares=trained.record.shares,
        condition=condition,
        chunk=config.batch_size,
        temperature=config.temperature,
        argmax=config.argmax,
    )


def _least_score(trained: TrainedGAN, config: SampleGANConfig, condition: int | None) -> float | None:
    """The score that a share ``reject`` of other draws does not reach; None where nothing is left out."""
    import torch

    from seqdesign.models.gan.sampling import criticize

    if not config.reject:
        return None
    scores: list[torch.Tensor] = []
    for tokens, classes in _draws(trained, config, condition, config.seed + 1, endless=True):
        scores.append(criticize(trained, tokens, classes))
        if sum(map(len, scores)) >= CALIBRATION:
            break
    return float(torch.quantile(torch.cat(scores)[:CALIBRATION], config.reject))


def _labels(trained: TrainedGAN, classes: torch.Tensor | None, num: int) -> list[str]:
    """What stands behind the id: the label, or the largest outcome of the bin."""
    from seqdesign.sequences.fasta import format_fields

    record = trained.record
    if classes is None or record.outcome is None:
        return [""] * num
    # Never the key of the outcome itself: nobody has measured these sequences.
    key = f"condition_{record.outcome}" + ("" if record.options.condition == "label" else "_up_to")
    return [format_fields({key: record.class_names[i]}) for i in classes.tolist()]
