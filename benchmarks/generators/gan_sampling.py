"""What sampling from a GAN costs beyond the generator's own forward pass; one thread, CPU seconds.

    python benchmarks/generators/gan_sampling.py [--num 100000] [--lengths 50 200] [--turns 3]

An untrained model of the default size stands for a trained one: its arithmetic is
the same. For each length:

forward     the generator's bare forward pass of as many codes, at the best of several batch sizes
sample-gan  the command end to end in this process: load, draw, write FASTA to a file
ratio       goal: at most 1.5
parts       microseconds a sequence of noise, forward pass (in the blocks that the command draws), letters and
            text; no part may take longer than the forward pass
argmax, multinomial
            the obvious ways to choose letters, for comparison with ``letters``
step        one critic and one generator step in training over the sum of its convolutions and matrix
            products, as the profiler counts them; goal: at most 1.2

Everything is measured in turns and the best turn counts, since other programs may run beside.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from seqdesign.commands.design.sample_gan import SampleGANConfig, sample_gan
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.gan.networks import Generator
from seqdesign.models.gan.sampling import BLOCK, _inverse_cdf, _noise
from seqdesign.models.gan.store import GANRecord, save_gan
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import decode
from seqdesign.training.data import Batch

DNA = get_alphabet("dna")
BATCHES = (32, 64, 128, 256, 512)
PRODUCTS = {"aten::mkldnn_convolution", "aten::convolution_backward", "aten::addmm", "aten::mm", "aten::bmm"}
PIECE = 8192
"""Sequences between two readings of the clock."""
STEPS = 16
ROWS = 17_200
"""Training sequences, as many as there are promoters."""


def seconds(call: Callable[[], object]) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin


def forward(generator: Generator, batch: int) -> float:
    """Seconds a sequence."""
    z = torch.randn(batch, generator.latent_dim)
    turns = PIECE // batch
    with torch.inference_mode():
        return seconds(lambda: [generator.logits(z) for _ in range(turns)]) / (turns * batch)


def parts(generator: Generator) -> dict[str, float]:
    """Microseconds a sequence of each part of a block, and of two ways that are not taken."""
    rng = torch.Generator().manual_seed(0)
    repeats = PIECE // BLOCK
    with torch.inference_mode():
        z, _, uniform = _noise(generator, rng, (), None, False)
        logits = generator.logits(z)
        tokens = _inverse_cdf(logits, uniform).to(torch.uint8)
        last = logits.softmax(1).transpose(1, 2).reshape(-1, logits.shape[1])

        def text() -> bytes:
            lines = (f">sample_{i}\n{text}\n" for i, text in enumerate(decode(tokens, DNA)))
            return "".join(lines).encode()

        calls: dict[str, Callable[[], object]] = {
            "noise": lambda: _noise(generator, rng, (), None, False),
            "forward": lambda: generator.logits(z),
            "letters": lambda: _inverse_cdf(logits, uniform),
            "text": text,
            "argmax": lambda: logits.argmax(1),
            "multinomial": lambda: torch.multinomial(last, 1, generator=rng),
        }
        return {
            name: 1e6 * seconds(lambda call=call: [call() for _ in range(repeats)]) / (repeats * BLOCK)
            for name, call in calls.items()
        }


def untrained(length: int) -> tuple[SequenceGAN, GANRecord]:
    """Weights as they begin."""
    record = GANRecord(GANOptions(), DNA, length, length, None)
    torch.manual_seed(0)
    return record.build(), record


def rows(num: int, length: int) -> Batch:
    tokens = torch.randint(4, (num, length))
    return Batch(tokens, torch.full((num,), length), torch.full((num,), torch.nan))


def sampling(length: int, num: int, turns: int) -> None:
    model, record = untrained(length)
    model.eval()
    best = dict.fromkeys(BATCHES, float("inf"))
    whole, pieces = float("inf"), dict[str, float]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_gan(folder, model, record)
        config = SampleGANConfig(model=folder, num=num, output=folder / "out.fa", quiet=True)
        for _ in range(turns):
            for batch in BATCHES:
                best[batch] = min(best[batch], forward(model.generator, batch))
            whole = min(whole, seconds(lambda: sample_gan(config)) / num)
            for part, value in parts(model.generator).items():
                pieces[part] = min(pieces.get(part, float("inf")), value)
    batch = min(best, key=best.__getitem__)
    print(
        f"L = {length}, {num:,} sequences: forward {1e6 * best[batch]:.1f} us (batch {batch}), sample-gan "
        f"{1e6 * whole:.1f} us, ratio {whole / best[batch]:.2f}"
    )
    print("  parts, us: " + ", ".join(f"{part} {value:.2f}" for part, value in pieces.items()), flush=True)


def training_step(length: int, turns: int) -> None:
    """A critic and a generator step, without and with the profiler's count of products."""
    model, _ = untrained(length)
    batch = rows(64, length)
    rng = torch.Generator().manual_seed(0)
    optimizers = {player: torch.optim.Adam(model.player_parameters(player)) for player in model.players}

    def step() -> None:
        for player, optimizer in optimizers.items():
            optimizer.zero_grad()
            model.losses(player, batch, rng, 1.0)["loss"].backward()
            optimizer.step()

    step()
    best = float("inf")
    for _ in range(turns):
        with profile(activities=[ProfilerActivity.CPU]) as profiled:
            for _ in range(STEPS):
                step()
        events = profiled.key_averages()
        every = sum(event.self_cpu_time_total for event in events)
        products = sum(event.self_cpu_time_total for event in events if event.key in PRODUCTS)
        best = min(best, every / products)
    plain = min(seconds(lambda: [step() for _ in range(STEPS)]) for _ in range(turns)) / STEPS
    print(f"L = {length}: step of critic and generator {1e3 * plain:.1f} ms, over its products {best:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num", type=int, default=100_000)
    parser.add_argument("--lengths", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for length in args.lengths:
        sampling(length, args.num, args.turns)
        training_step(length, args.turns)


if __name__ == "__main__":
    main()
