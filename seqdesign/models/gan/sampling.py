"""Sequences from a generator, a chunk at a time: fast, and the same for any chunk size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqdesign.adversarial.outputs import close
from seqdesign.devices.arithmetic import running_sum
from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.errors import UsageError
from seqdesign.models.gan.networks import Generator
from seqdesign.models.gan.store import TrainedGAN

BLOCK, DEVICE_BLOCK = 128, 8192
"""Sequences that are drawn together, so that they do not depend on the chunk; as many as suit CPU caches, and
as many as keep a GPU busy."""
LAYERS = 16
"""Activations of a sequence that are in memory at once, at most."""


@torch.inference_mode()
def draw(
    generator: Generator,
    num: int,
    rng: torch.Generator,
    *,
    end: int | None,
    shares: tuple[float, ...] = (),
    condition: int | None = None,
    chunk: int = 256,
    temperature: float = 1.0,
    argmax: bool = False,
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """(tokens (n, L) int16, classes (n,) or None) on the CPU, ``num`` rows in all; END and after it is V.

    Of a conditional generator the classes are drawn with the probabilities ``shares``, or all are
    ``condition``.
    """
    device, done = generator.start.weight.device, 0
    if device.type == "cuda":
        yield from _draw_there(generator, num, rng, end, (shares, condition, argmax), temperature)
        return
    while done < num:
        wanted = min(chunk, num - done)
        blocks = [_noise(generator, rng, shares, condition, argmax) for _ in range(-(-wanted // BLOCK))]
        tokens = torch.cat([_letters(generator, block, temperature, argmax) for block in blocks])
        if end is not None:
            tokens = close(tokens, end)
        classes = torch.cat([classes for _, classes, _ in blocks])[: num - done]
        yield tokens[: num - done].to(torch.int16).cpu(), classes if generator.num_classes else None
        done += min(len(tokens), num - done)


def _draw_there(
    generator: Generator,
    num: int,
    rng: torch.Generator,
    end: int | None,
    what: tuple[tuple[float, ...], int | None, bool],
    temperature: float,
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """``draw`` on a GPU of CUDA: noise is made there, in blocks that suit it.

    What a seed gives does not depend on how much of a block fits into memory at once.
    """
    device = generator.start.weight.device
    there = torch.Generator(device=device).manual_seed(int(torch.randint(2**62, (1,), generator=rng)))
    size = block_size(device, LAYERS * 4 * generator.channels * generator.length, cpu=BLOCK)
    for first in range(0, num, DEVICE_BLOCK):
        noise = _noise(generator, there, *what, size=DEVICE_BLOCK)

        def part(rows: slice, noise: Noise = noise) -> Tensor:
            z, classes, uniform = (each[rows] for each in noise)
            return _letters(generator, (z, classes, uniform), temperature, what[2])

        tokens = torch.cat(list(in_blocks(part, DEVICE_BLOCK, size)))[: num - first]
        if end is not None:
            tokens = close(tokens, end)
        classes = noise[1][: num - first].cpu() if generator.num_classes else None
        yield tokens.to(torch.int16).cpu(), classes


def draw_real(trained: TrainedGAN, num: int, rng: torch.Generator) -> Tensor:
    """Tokens (``num``, L) of samples that the critic does not leave out."""
    found: list[Tensor] = []
    while sum(map(len, found)) < num:
        drawn = draw(trained.generator, num, rng, end=trained.end, shares=trained.record.shares, chunk=num)
        for tokens, classes in drawn:
            least = trained.record.believed
            found.append(tokens if least is None else tokens[criticize(trained, tokens, classes) >= least])
    return torch.cat(found)[:num]


@torch.inference_mode()
def criticize(trained: TrainedGAN, tokens: Tensor, classes: Tensor | None) -> Tensor:
    """What the critic says (n,) of tokens (n, L) as ``draw`` gives them, on the CPU; larger is more real.

    ``classes`` (n,) of a conditional model. On a CPU the same for every chunk of ``draw``: their lengths are
    multiples of BLOCK.
    """
    device = trained.critic.score.weight.device
    num_symbols = trained.record.alphabet.size + (trained.end is not None)
    size = block_size(device, LAYERS * 4 * trained.generator.channels * tokens.shape[1], cpu=BLOCK)

    def score(part: slice) -> Tensor:
        letters = functional.one_hot(tokens[part].long(), num_symbols).transpose(1, 2).float()
        given = None if classes is None else classes[part].to(device)
        found: Tensor = trained.critic(letters.to(device), given).cpu()
        return found

    return torch.cat(list(in_blocks(score, len(tokens), size)))


Noise = tuple[Tensor, Tensor, Tensor]
"""Codes (n, d), classes (n,) and uniform numbers (n, L)."""


def _letters(generator: Generator, noise: Noise, temperature: float, argmax: bool) -> Tensor:
    """Tokens (n, L). On CPUs n is always BLOCK: products of other sizes are rounded differently."""
    z, classes, uniform = (part.to(generator.start.weight.device) for part in noise)
    logits = generator.logits(z, classes if generator.num_classes else None).float()
    return _largest(logits) if argmax else _inverse_cdf(logits / temperature, uniform)


def _noise(
    generator: Generator,
    rng: torch.Generator,
    shares: tuple[float, ...],
    condition: int | None,
    argmax: bool,
    size: int = BLOCK,
) -> Noise:
    """Of one block, on the device of ``rng``."""
    there: dict[str, Any] = {"generator": rng, "device": rng.device}
    z = torch.randn(size, generator.latent_dim, **there)
    if condition is not None or not generator.num_classes:
        classes = torch.full((size,), condition or 0, device=rng.device)
    else:
        bounds = torch.tensor(np.cumsum(shares)[:-1], device=rng.device)
        classes = torch.searchsorted(bounds, torch.rand(size, **there).double())
    shape = (size, 0 if argmax else generator.length)
    return z, classes, torch.empty(shape, device=rng.device) if argmax else torch.rand(shape, **there)


def _inverse_cdf(logits: Tensor, uniform: Tensor) -> Tensor:
    """Tokens (N, L) from logits (N, V, L): how many cumulative probabilities lie below a uniform number.

    Several times faster on CPUs than multinomial or Gumbel noise, which draw V numbers a letter.
    """
    cumulative = running_sum(torch.softmax(logits, dim=1), 1)
    return (cumulative[:, :-1] <= uniform[:, None]).sum(dim=1)


def _largest(logits: Tensor) -> Tensor:
    """Index of the largest on the second axis, the first of equals; torch.argmax is slow over few rows."""
    best, tokens = logits[:, 0], torch.zeros_like(logits[:, 0], dtype=torch.int64)
    for symbol in range(1, logits.shape[1]):
        larger = logits[:, symbol] > best
        tokens = torch.where(larger, symbol, tokens)
        best = torch.maximum(best, logits[:, symbol])
    return tokens


def class_of(trained: TrainedGAN, outcome: float | str | None) -> int | None:
    """Index of the class of ``outcome`` in the units of the training data.

    Raises UsageError for a model without condition and for a label that it has not seen.
    """
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
