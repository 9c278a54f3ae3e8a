"""``seqdesign sample-gan``: new sequences from a trained generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar

from seqdesign.commands._provenance import begin_manifest, leave_manifest
from seqdesign.commands._result import Result
from seqdesign.commands._runtime import compute, say
from seqdesign.config import Between, CommandConfig, Flag, SequenceOutput

if TYPE_CHECKING:
    import torch

    from seqdesign.training.gan_store import TrainedGAN

DEFAULT_MODEL = Path("models/gan")
BARREN = 1000
"""Rounds of --unique without a new sequence after which it gives up, in blocks of 64 draws."""


@dataclass(frozen=True, kw_only=True)
class SampleGANConfig(SequenceOutput, CommandConfig):
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
    condition: float | None = None
    """Outcome to draw for, of a conditional model; outcomes as frequent as in training when not given."""
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
    output: Path | None

    def text(self) -> str:
        """One line."""
        again = f", {self.repeats:,} repeats left out" if self.repeats else ""
        where = f" into {self.output}" if self.output else ""
        return f"drew {self.num:,} sequences from {self.model}{again}{where}"


def sample_gan(config: SampleGANConfig) -> SampleGANResult:
    """Write ``config.num`` sequences as FASTA, in constant memory.

    Raises ModelError without a model, UsageError for a condition that it does not know, InputError when
    ``--unique`` finds no new sequence any more.
    """
    from seqdesign.errors import ModelError
    from seqdesign.sequences.compression import open_output
    from seqdesign.training.gan_store import load_gan
    from seqdesign.training.store import CHECKPOINT, WEIGHTS

    if not any((config.model / name).exists() for name in (WEIGHTS, CHECKPOINT)):
        typed = "" if config.model == DEFAULT_MODEL else f" -o {config.model}"
        again = "" if config.model == DEFAULT_MODEL else f" -m {config.model}"
        raise ModelError(
            f"there is no model in {config.model}; type: seqdesign train-gan seqs.fa{typed} and then "
            f"seqdesign sample-gan -n {config.num}{again} > out.fa"
        )
    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.model])
        trained = load_gan(config.model, device)
        condition = class_of(trained, config.condition)
        with open_output(config.output or "-") as handle:
            repeats = _write(trained, config, condition, handle)
    if repeats:
        say(config, f"{repeats:,} repeats were drawn again")
    result = SampleGANResult(
        model=config.model, num=config.num, repeats=repeats if config.unique else None, output=config.output
    )
    leave_manifest(manifest, result, config.output)
    return result


def class_of(trained: TrainedGAN, outcome: float | None) -> int | None:
    """Index of the class of ``outcome`` in the units of the training data.

    Raises UsageError for a model without condition and for a label that it has not seen.
    """
    from seqdesign.errors import UsageError

    record = trained.record
    if outcome is None:
        return None
    if not record.classes:
        raise UsageError(
            "this model knows no outcome; leave it out, or train with train-gan --condition",
            option="--condition",
        )
    if record.options.condition == "label":
        if outcome not in record.classes:
            known = ", ".join(f"{value:g}" for value in record.classes)
            raise UsageError(f"must be one of {known}, got {outcome:g}", option="--condition")
        return record.classes.index(outcome)
    return next((i for i, bound in enumerate(record.classes) if outcome <= bound), len(record.classes) - 1)


def _write(trained: TrainedGAN, config: SampleGANConfig, condition: int | None, handle: BinaryIO) -> int:
    """Write the records; returns how many repeats were left out."""
    from seqdesign.errors import InputError
    from seqdesign.sequences.encoders import decode

    written, repeats, barren = 0, 0, 0
    seen: set[bytes] = set()
    for tokens, classes in _draws(trained, config, condition):
        texts = decode(tokens, trained.record.alphabet)
        labels = _labels(trained, classes, len(texts))
        lines = []
        before = written
        for text, label in zip(texts, labels, strict=True):
            if written == config.num:
                break
            if config.unique:
                if text.encode() in seen:
                    repeats += 1
                    continue
                seen.add(text.encode())
            written += 1
            lines.append(f">sample_{written}{label}\n{text}\n")
        handle.write("".join(lines).encode())
        barren = 0 if written > before else barren + len(texts)
        if written == config.num:
            break
        if barren > BARREN * 64:
            raise InputError(
                f"the model makes no more than about {written:,} different sequences; ask for fewer with -n, "
                "or raise --temperature"
            )
    return repeats


def _draws(
    trained: TrainedGAN, config: SampleGANConfig, condition: int | None
) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
    import sys

    import torch

    from seqdesign.training.gan_sampling import draw

    return draw(
        trained.generator,
        sys.maxsize if config.unique else config.num,
        torch.Generator().manual_seed(config.seed),
        end=trained.end,
        shares=trained.record.shares,
        condition=condition,
        chunk=config.batch_size,
        temperature=config.temperature,
        argmax=config.argmax,
    )


def _labels(trained: TrainedGAN, classes: torch.Tensor | None, num: int) -> list[str]:
    """What stands behind the id: the label, or the largest outcome of the bin."""
    from seqdesign.sequences.fasta import format_fields

    record = trained.record
    if classes is None or record.outcome is None:
        return [""] * num
    key = record.outcome if record.options.condition == "label" else f"{record.outcome}_up_to"
    return [" " + format_fields({key: f"{record.classes[i]:.6g}"}) for i in classes.tolist()]
