"""Samples of a GAN as they are written: what breaks a constraint is left out, what the critic doubts too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from seqdesign.constraints.rules import Rules
from seqdesign.drawing.options import CHOOSE_FROM
from seqdesign.drawing.samples import Batch, Drawing, Source, block_rng, rules_for, sift
from seqdesign.models.gan.sampling import class_of, criticize, draw
from seqdesign.models.gan.store import TrainedGAN, load_gan
from seqdesign.sequences.encoders import decode
from seqdesign.sequences.fasta import format_fields

CALIBRATION = 4096
"""Draws by which the score is found that ``reject`` asks for."""
BLOCK = 256
"""Samples of a block."""
FOR_LM = ("start", "guide")
"""Options that only language models have a use for."""


@dataclass(frozen=True, kw_only=True)
class Draws:
    """How letters come out of the generator; the fields are options of ``seqdesign sample-gan``."""

    num: int
    seed: int
    argmax: bool = False
    temperature: float = 1.0
    unique: bool = False
    reject: float | None = None
    condition: float | str | None = None
    batch_size: int = 256


def sources(folder: Path, drawing: Drawing, device: torch.device) -> Iterator[Source]:
    """The one stream of samples. Raises UsageError and InputError."""
    options = drawing.options
    drawing.refuse("a GAN", FOR_LM)
    trained = load_gan(folder, device)
    record = trained.record
    class_of(trained, options.condition)  # a wrong one is said before a file is written
    rules = rules_for(options, record.alphabet, record.min_length, record.max_length)
    by_default = CHOOSE_FROM if options.condition is not None and record.options.condition == "bins" else 1
    each = options.choose_from or by_default

    def block(number: int) -> Batch:
        drawn = draw(
            trained.generator,
            BLOCK * each,
            block_rng(drawing.seed, number),
            end=trained.end,
            shares=record.shares,
            condition=class_of(trained, options.condition),
            chunk=BLOCK * each,
            temperature=options.temperature,
        )
        tokens, classes = _most_real(trained, list(drawn), each)
        real = _real(trained, tokens, classes, record.believed)
        texts = decode(tokens, record.alphabet)
        return sift(tokens, texts, _labels(trained, classes, len(texts)), rules, real)

    yield Source("sample", block, rules is not None, drawing.apart(record.alphabet))


def _most_real(
    trained: TrainedGAN, drawn: list[tuple[torch.Tensor, torch.Tensor | None]], each: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Of every ``each`` draws the one that the critic finds most real, for its class if there are classes."""
    tokens = torch.cat([part for part, _ in drawn])
    given = [part for _, part in drawn if part is not None]
    classes = torch.cat(given) if given else None
    if each > 1:
        scores = criticize(trained, tokens, classes).view(each, -1)
        rows = scores.argmax(dim=0) * scores.shape[1] + torch.arange(scores.shape[1])
        tokens, classes = tokens[rows], None if classes is None else classes[rows]
    return tokens, classes


def _real(
    trained: TrainedGAN, tokens: torch.Tensor, classes: torch.Tensor | None, least: float | None
) -> list[bool] | None:
    """Which of the draws the critic does not leave out; None: it is not asked."""
    return None if least is None else (criticize(trained, tokens, classes) >= least).tolist()


def batches(trained: TrainedGAN, draws: Draws, rules: Rules | None) -> Iterator[Batch]:
    """Draws without end, or as many as are asked for where each of them is written."""
    condition = class_of(trained, draws.condition)
    least = _least_score(trained, draws, condition)
    endless = draws.unique or rules is not None or least is not None
    for tokens, classes in _draws(trained, draws, condition, draws.seed, endless=endless):
        texts = decode(tokens, trained.record.alphabet)
        real = _real(trained, tokens, classes, least)
        yield sift(tokens, texts, _labels(trained, classes, len(texts)), rules, real)


def _draws(
    trained: TrainedGAN, draws: Draws, condition: int | None, seed: int, *, endless: bool
) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
    return draw(
        trained.generator,
        sys.maxsize if endless else draws.num,
        torch.Generator().manual_seed(seed),
        end=trained.end,
        shares=trained.record.shares,
        condition=condition,
        chunk=draws.batch_size,
        temperature=draws.temperature,
        argmax=draws.argmax,
    )


def _least_score(trained: TrainedGAN, draws: Draws, condition: int | None) -> float | None:
    """The score that a share ``reject`` of other draws does not reach; None where nothing is left out."""
    if not draws.reject:
        return trained.record.believed if draws.reject is None else None
    scores: list[torch.Tensor] = []
    for tokens, classes in _draws(trained, draws, condition, draws.seed + 1, endless=True):
        scores.append(criticize(trained, tokens, classes))
        if sum(map(len, scores)) >= CALIBRATION:
            break
    return float(torch.quantile(torch.cat(scores)[:CALIBRATION], draws.reject))


def _labels(trained: TrainedGAN, classes: torch.Tensor | None, num: int) -> list[str]:
    """What stands behind the id: the label, or the largest outcome of the bin."""
    record = trained.record
    if classes is None or record.outcome is None:
        return [""] * num
    # Never the key of the outcome itself: nobody has measured these sequences.
    key = f"condition_{record.outcome}" + ("" if record.options.condition == "label" else "_up_to")
    return [format_fields({key: record.class_names[i]}) for i in classes.tolist()]
