"""Samples of a language model: what is asked of it, and how it answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.positions import ranges
from seqdesign.constraints.rules import Rules
from seqdesign.drawing.options import CHOOSE_FROM, DrawOptions
from seqdesign.drawing.samples import Batch, Drawing, Source, block_rng
from seqdesign.errors import InputError, UsageError
from seqdesign.language.guidance import PredictorGuide
from seqdesign.models.lm.requests import Request, Samples
from seqdesign.models.lm.sampling import Drawn
from seqdesign.models.lm.store import LMRecord, TrainedLM, load_lm
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.fasta import format_fields
from seqdesign.sequences.layout import Layout
from seqdesign.sequences.reader import read_sequences


def sources(folder: Path, drawing: Drawing, device: torch.device) -> Iterator[Source]:
    """One stream of samples for each start, or a single one. Raises UsageError and InputError."""
    config, trained = drawing.options, load_lm(folder, device)
    record = trained.record
    condition = check_condition(record, config.condition)
    plain = Request(
        lengths=_lengths(config, record),
        outcome=condition,
        temperature=config.temperature,
        guide=_guide(drawing, trained, folder),
        choose_from=_choose_from(config, record),
    )
    if config.start is None:
        low, high = plain.lengths
        nothing = torch.zeros(1, high, dtype=torch.long)
        constrained = bool(build_rules(_unnamed(config), record.alphabet, nothing, shortest=low).constraints)
        rules_of = partial(_rules, config, record, device, None) if constrained else None
        yield _source(trained, replace(plain, rules_of=rules_of), drawing, "sample")
        return
    texts = read_sequences(
        config.start, on_missing="unlabelled", layout=Layout(words=record.alphabet.spelling == "words")
    )
    starts = encode(texts.sequences, record.alphabet, ids=texts.ids, source=texts.source, lines=texts.lines)
    for name, tokens, length in zip(texts.ids, starts.tokens, starts.lengths.tolist(), strict=True):
        if not plain.lengths[0] <= length <= plain.lengths[1]:
            raise InputError(
                f"has {length} letters, the model writes {_span(plain.lengths)}",
                path=texts.source,
                record=name,
            )
        own = torch.from_numpy(tokens[None, :length].astype(np.int64))
        request = replace(
            plain, lengths=(length, length), rules_of=partial(_rules, config, record, device, own)
        )
        yield _source(trained, request, drawing, f"{name}_sample")


def _choose_from(config: DrawOptions, record: LMRecord) -> int:
    """Draws for each sequence. Raises UsageError where outcomes are labels, between which nothing is near."""
    if config.choose_from is not None and record.shares:
        raise UsageError("has no effect where outcomes are labels; leave it out", option="--choose-from")
    measured = config.condition is not None and not record.shares
    return (config.choose_from or CHOOSE_FROM) if measured else 1


def _guide(drawing: Drawing, trained: TrainedLM, folder: Path) -> PredictorGuide | None:
    """The guide of ``--guide``. Raises UsageError for a model that cannot be guided."""
    options = drawing.options
    if options.guide is None:
        return None
    if trained.model.is_causal:
        raise UsageError(
            f"{folder} writes from left to right and cannot look ahead; train with train-lm "
            "--architecture masked",
            option="--guide",
        )
    alphabet = trained.record.alphabet
    score = drawing.guide(alphabet, _lengths(options, trained.record))
    assert score is not None
    return PredictorGuide(
        score, alphabet.size, options.guide_strength, by=options.guide_by, seed=drawing.seed
    )


def _unnamed(config: DrawOptions) -> DrawOptions:
    """The same rules, those of length excepted, which is drawn first."""
    return replace(config, length=None)


def _rules(
    config: DrawOptions, record: LMRecord, device: torch.device, start: torch.Tensor | None, length: int
) -> Rules:
    parents = torch.zeros(1, length, dtype=torch.long) if start is None else start
    return build_rules(_unnamed(config), record.alphabet, parents, device)


def _source(trained: TrainedLM, request: Request, drawing: Drawing, name: str) -> Source:
    samples = Samples(trained, request)

    def block(number: int) -> Batch:
        drawn = samples.round(block_rng(drawing.seed, number), number)
        return _batch(trained.record, drawn, request)

    apart = drawing.apart(trained.record.alphabet)
    return Source(name, block, request.rules_of is not None, apart, remedy="")


def _batch(record: LMRecord, drawn: Drawn, request: Request) -> Batch:
    texts = decode(drawn.tokens, record.alphabet)
    labels = [
        format_fields({"loglik": f"{log_p:.6g}"} | ({} if asked != asked else {"condition": f"{asked:.6g}"}))
        for log_p, asked in zip(drawn.log_probs.tolist(), drawn.outcomes.tolist(), strict=True)
    ]
    return Batch(texts, labels, drawn.good.tolist(), partial(_broken, drawn, request))


def _broken(drawn: Drawn, request: Request) -> str:
    """Which constraint most of the samples break."""
    assert request.rules_of is not None
    length = int(drawn.lengths[0])
    rules = request.rules_of(length)
    mine = drawn.tokens[drawn.lengths == length][:, :length]
    rows = torch.zeros(len(mine), dtype=torch.long, device=mine.device)
    broken = [(int((~c.is_feasible(mine, rows)).sum()), c.name) for c in rules.constraints]
    worst = max(broken)
    return f"{worst[0] / len(mine):.0%} break {worst[1]}"


def check_condition(record: LMRecord, asked: float | str | None) -> float | None:
    """The outcome to write for; None: none. Raises UsageError for one that the model does not know."""
    if asked is None:
        return None
    if isinstance(asked, str):
        raise UsageError(f"must be a number for a language model, got {asked!r}", option="--condition")
    if not record.knots:
        raise UsageError(
            "this model knows no outcome; leave it out, or train with train-lm --condition",
            option="--condition",
        )
    if record.shares and asked not in record.knots:
        known = ", ".join(f"{value:g}" for value in record.knots)
        raise UsageError(f"must be one of {known}, got {asked:g}", option="--condition")
    low, high = record.knots[0], record.knots[-1]
    if not low <= asked <= high:
        raise UsageError(
            f"outcomes of the training sequences lie in {low:.6g} .. {high:.6g}, got {asked:g}; sequences "
            "beyond are a matter of maximize, or of sample --guide",
            option="--condition",
        )
    return asked


def _lengths(config: DrawOptions, record: LMRecord) -> tuple[int, int]:
    """The fewest and the most letters. Raises UsageError where the model writes no such sequences."""
    own = (record.min_length, record.max_length)
    if config.template is not None:
        return _within(len(config.template), len(config.template), own, "--template")
    if config.length is None:
        return own
    found: Sequence[tuple[int, int]] = list(ranges(config.length, "--length"))
    if len(found) != 1 or not 1 <= found[0][0] <= found[0][1]:
        raise UsageError(
            f"must be the fewest and the most letters, such as 50-80, got {config.length!r}",
            option="--length",
        )
    return _within(*found[0], own, "--length")


def _within(low: int, high: int, own: tuple[int, int], option: str) -> tuple[int, int]:
    if high < own[0] or low > own[1]:
        raise UsageError(f"the model writes {_span(own)}, got {_span((low, high))}", option=option)
    return max(low, own[0]), min(high, own[1])


def _span(lengths: tuple[int, int]) -> str:
    low, high = lengths
    return f"{low} letters" if low == high else f"{low} to {high} letters"
