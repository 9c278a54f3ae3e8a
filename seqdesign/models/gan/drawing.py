"""Samples of a GAN as they are written: what breaks a constraint is left out, what the critic doubts too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path

import torch

from seqdesign.constraints.rules import Rules
from seqdesign.drawing.options import CHOOSE_FROM
from seqdesign.drawing.samples import Batch, Drawing, Source, block_rng, rules_for, sift
from seqdesign.models.gan.sampling import DEVICE_BLOCK, class_of, criticize, draw
from seqdesign.models.gan.store import TrainedGAN, load_gan
from seqdesign.sequences.encoders import decode
from seqdesign.sequences.fasta import format_fields

CALIBRATION = 4096
"""Draws by which the score is found that ``reject`` asks for."""
BLOCK = 256
"""Samples of a block on a CPU; on a GPU there are DEVICE_BLOCK."""
FOR_LM = ("start", "guide")
"""Options that only language models have a use for."""
REMEDY = ", or let maximize --generator find such sequences"


@dataclass(frozen=True, kw_only=True)
class Draws:
    """How letters come out of the generator; the fields are options of ``seqdesign sample-gan``."""

    seed: int
    argmax: bool = False
    temperature: float = 1.0
    reject: float | None = None
    condition: float | str | None = None
    choose_from: int | None = None


def sources(folder: Path, drawing: Drawing, device: torch.device) -> Iterator[Source]:
    """The one stream of samples. Raises UsageError and InputError."""
    options = drawing.options
    drawing.refuse("a GAN", FOR_LM)
    trained = load_gan(folder, device)
    record = trained.record
    draws = Draws(
        seed=drawing.seed,
        temperature=options.temperature,
        condition=options.condition,
        choose_from=options.choose_from,
    )
    rules = rules_for(options, record.alphabet, record.min_length, record.max_length)
    yield source(trained, draws, rules, drawing.apart(record.alphabet))


def source(
    trained: TrainedGAN, draws: Draws, rules: Rules | None, is_new: Callable[[str], bool] | None = None
) -> Source:
    """The one stream of samples of a generator. Raises UsageError for a condition that it does not know."""
    condition = class_of(trained, draws.condition)  # a wrong one is said before a file is written
    of_bins = draws.condition is not None and trained.record.options.condition == "bins"
    draws = replace(draws, choose_from=draws.choose_from or (CHOOSE_FROM if of_bins else 1))

    @cache
    def least() -> float | None:
        return _least_score(trained, draws, condition)

    def block(number: int) -> Batch:
        tokens, classes = _block(trained, draws, condition, number)
        texts = decode(tokens, trained.record.alphabet)
        enough = least()
        real = None if enough is None else (criticize(trained, tokens, classes) >= enough).tolist()
        return sift(tokens, texts, _labels(trained, classes, len(texts)), rules, real)

    return Source("sample", block, rules is not None, is_new, remedy=REMEDY)


def _block(
    trained: TrainedGAN, draws: Draws, condition: int | None, number: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Tokens (n, L) and classes (n,) or None, of the block of a number: of every ``choose_from`` draws the
    one that the critic finds most real, for its class if there are classes.
    """
    each = draws.choose_from or 1
    size = DEVICE_BLOCK if trained.generator.start.weight.device.type == "cuda" else BLOCK
    # A GPU may give them in several parts.
    drawn = draw(
        trained.generator,
        size * each,
        block_rng(draws.seed, number),
        end=trained.end,
        shares=trained.record.shares,
        condition=condition,
        chunk=size * each,
        temperature=draws.temperature,
        argmax=draws.argmax,
    )
    parts, given = zip(*drawn, strict=True)
    tokens, classes = torch.cat(parts), None if given[0] is None else torch.cat(given)
    if each > 1:
        scores = criticize(trained, tokens, classes).view(each, -1)
        rows = scores.argmax(dim=0) * size + torch.arange(size)
        tokens, classes = tokens[rows], None if classes is None else classes[rows]
    return tokens, classes


def _least_score(trained: TrainedGAN, draws: Draws, condition: int | None) -> float | None:
    """The score that a share ``reject`` of other draws does not reach; None where nothing is left out."""
    if not draws.reject:
        return trained.record.believed if draws.reject is None else None
    others, scores = replace(draws, seed=draws.seed + 1), torch.empty(0)
    for number in count():
        scores = torch.cat([scores, criticize(trained, *_block(trained, others, condition, number))])
        if len(scores) >= CALIBRATION:
            break
    return float(torch.quantile(scores[:CALIBRATION], draws.reject))


def _labels(trained: TrainedGAN, classes: torch.Tensor | None, num: int) -> list[str]:
    """What stands behind the id: the label, or the largest outcome of the bin."""
    record = trained.record
    if classes is None or record.outcome is None:
        return [""] * num
    # Never the key of the outcome itself: nobody has measured these sequences.
    key = f"condition_{record.outcome}" + ("" if record.options.condition == "label" else "_up_to")
    return [format_fields({key: record.class_names[i]}) for i in classes.tolist()]
