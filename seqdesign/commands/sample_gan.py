"""``seqdesign sample-gan``: new sequences from a trained generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar

from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.config import Between, Flag, RunConfig, SequenceOutput
from seqdesign.constraints.options import LetterRules
from seqdesign.runs.result import Result

if TYPE_CHECKING:
    import torch

    from seqdesign.constraints.rules import Rules
    from seqdesign.errors import InputError
    from seqdesign.models.gan.store import TrainedGAN

DEFAULT_MODEL = Path("models/gan")
BARREN = 64_000
"""Draws in a row of which none is written, after which it gives up."""
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
    from seqdesign.models.gan.store import load_gan
    from seqdesign.sequences.compression import open_output
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
        rules = _rules(trained, config)
        with open_output(config.output or "-") as handle:
            tally = _write(trained, config, condition, rules, handle)
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


def class_of(trained: TrainedGAN, outcome: float | str | None) -> int | None:
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
        wanted = outcome if isinstance(outcome, str) else f"{outcome:g}"
        if wanted not in record.class_names:
            known = ", ".join(record.class_names)
            raise UsageError(f"must be one of {known}, got {wanted}", option="--condition")
        return record.class_names.index(wanted)
    if isinstance(outcome, str):
        raise UsageError(
            f"must be a number in the units of '{record.outcome}', got {outcome!r}", option="--condition"
        )
    return next((i for i, bound in enumerate(record.classes) if outcome <= bound), len(record.classes) - 1)


@dataclass
class _Tally:
    """What became of the draws so far."""

    drawn: int = 0
    written: int = 0
    rejected: int = 0
    discarded: int = 0
    repeats: int = 0
    barren: int = 0
    """Draws since the last one that was written."""

    @property
    def acceptance(self) -> float:
        """Share of the draws that obey the constraints, of those that the critic does not leave out."""
        return 1 - self.rejected / max(1, self.drawn - self.discarded)


def _rules(trained: TrainedGAN, config: SampleGANConfig) -> Rules | None:
    """The constraints, or None. Raises UsageError, and InputError where no sequence can obey them."""
    import torch

    from seqdesign.constraints.build import build_rules
    from seqdesign.constraints.check import find_conflict
    from seqdesign.errors import InputError

    record = trained.record
    nothing = torch.zeros(1, record.max_length, dtype=torch.long)
    rules = build_rules(config, record.alphabet, nothing, shortest=record.min_length)
    if not rules.constraints:
        return None
    conflict = find_conflict(rules, nothing)
    if conflict is not None:
        raise InputError(conflict.message)
    return rules


def _write(
    trained: TrainedGAN, config: SampleGANConfig, condition: int | None, rules: Rules | None, handle: BinaryIO
) -> _Tally:
    """Write the records; rejects what breaks a rule, and repeats if so asked."""
    import torch

    from seqdesign.models.gan.sampling import criticize
    from seqdesign.sequences.encoders import decode

    tally, seen = _Tally(), set[str]()
    endless = config.unique or rules is not None or config.reject > 0
    least = _least_score(trained, config, condition)
    for tokens, classes in _draws(trained, config, condition, config.seed, endless=endless):
        texts = decode(tokens, trained.record.alphabet)
        labels = _labels(trained, classes, len(texts))
        good = [True] * len(texts)
        if rules is not None:
            good = rules.is_feasible(tokens.long(), torch.zeros(len(tokens), dtype=torch.long)).tolist()
        real = [True] * len(texts)
        if least is not None:
            real = (criticize(trained, tokens, classes) >= least).tolist()
        lines = []
        for text, label, feasible, enough in zip(texts, labels, good, real, strict=True):
            if tally.written == config.num or tally.barren == BARREN:
                break
            tally.drawn += 1
            if not enough:
                tally.discarded += 1
                tally.barren += 1
            elif not feasible:
                tally.rejected += 1
                tally.barren += 1
            elif config.unique and text in seen:
                tally.repeats += 1
                tally.barren += 1
            else:
                if config.unique:
                    seen.add(text)
                tally.written += 1
                tally.barren = 0
                lines.append(f">sample_{tally.written}{label}\n{text}\n")
        handle.write("".join(lines).encode())
        if tally.barren == BARREN:
            raise _nothing_more(tally, rules, tokens)
        if tally.written == config.num:
            break
    return tally


def _nothing_more(tally: _Tally, rules: Rules | None, tokens: torch.Tensor) -> InputError:
    """What to say when too many draws in a row, the last of which are ``tokens`` (n, L), were of no use."""
    import torch

    from seqdesign.errors import InputError

    if tally.repeats or rules is None:
        return InputError(
            f"the model makes no more than about {tally.written:,} different sequences"
            f"{'' if rules is None else ' that obey the constraints'}; ask for fewer with -n, or raise "
            "--temperature"
        )
    rows = torch.zeros(len(tokens), dtype=torch.long)
    broken = [(int((~c.is_feasible(tokens.long(), rows)).sum()), c.name) for c in rules.constraints]
    worst = max(broken)
    return InputError(
        f"the model hardly ever obeys the constraints: {tally.written:,} of {tally.drawn:,} draws do, none "
        f"of the last {BARREN:,}; {worst[0] / len(tokens):.0%} break {worst[1]}; loosen it, or let maximize "
        "--generator find such sequences"
    )


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
    return [" " + format_fields({key: record.class_names[i]}) for i in classes.tolist()]
