"""What of a GAN does the work: its objectives, its outputs, and what is left without the game; one thread.

    python benchmarks/generators/gan.py DATA [--rows ROW ...] [--input FILE] [--steps N] [--seed 0]

DATA and the columns are those of generators.py, where the same data are given to any training command. Rows:

data, Markov chain, position matrix
    held-out sequences, and two generators that need no training
without the game
    the default with both adversarial losses at zero. Nothing else teaches these networks, so this is what
    they write before training; a row like the default's would mean that the game does nothing
sobolev, wgan-gp, wgan, r3gan, non-saturating, minimax, mmd
    objectives, with everything else as it is by default; wgan, wgan-gp with their published settings
softmax, gumbel
    the default objective with other outputs
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from generators import CHAIN, DATA, MATRIX, REAL, Task, common, line, markov, position_matrix, task

from seqdesign.adversarial.members import OBJECTIVES
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.fit import train_sequence_gan
from seqdesign.models.gan.fit_options import GANFitOptions
from seqdesign.models.gan.sampling import draw
from seqdesign.models.gan.store import GANRecord
from seqdesign.sequences.alphabets import Alphabet, get_alphabet
from seqdesign.sequences.encoders import decode, encode
from seqdesign.training.loop import make_fabric

CPU, NO_GAME = torch.device("cpu"), "without the game"
OUTPUTS = ("softmax", "gumbel")


def alphabet(asked: Task) -> Alphabet:
    """That of the data."""
    return get_alphabet({"ACGU": "rna", "ACGT": "dna"}.get(asked.letters, "protein"))


def samples(row: str, asked: Task, steps: int, seed: int) -> list[str]:
    """Sequences of a GAN that was trained as the row says."""
    tokens = encode(asked.train, alphabet(asked))
    options = GANOptions(outputs=row) if row in OUTPUTS else GANOptions(objective=row)  # type: ignore[arg-type]
    fit = GANFitOptions(steps=steps)
    result = train_sequence_gan(
        tokens, None, options=options, fit_options=fit, seed=seed, fabric=make_fabric(fit, CPU)
    )
    return drawn(result.trained.record, result.trained.generator, asked.num, seed)


def drawn(record: GANRecord, generator: torch.nn.Module, num: int, seed: int) -> list[str]:
    """Sequences of a generator."""
    end = record.alphabet.size if record.min_length < record.max_length else None
    rng = torch.Generator().manual_seed(seed + 1)
    parts = draw(generator, num, rng, end=end)  # type: ignore[arg-type]
    return [text for rows, _ in parts for text in decode(rows.numpy(), record.alphabet)]


def without_game(asked: Task, seed: int) -> list[str]:
    """Sequences of a generator as it begins."""
    tokens = encode(asked.train, alphabet(asked))
    lengths = tokens.lengths
    record = GANRecord(GANOptions(), tokens.alphabet, int(lengths.max()), int(lengths.min()), None)
    torch.manual_seed(seed)
    return drawn(record, record.build().generator.eval(), asked.num, seed)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", choices=DATA)
    parser.add_argument("--rows", nargs="*", choices=[*OBJECTIVES.names(), *OUTPUTS],
                        default=[GANOptions().objective])  # fmt: skip
    parser.add_argument("--input", type=Path)
    parser.add_argument("--steps", type=int, default=GANFitOptions().steps)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    asked, rng = task(args), np.random.default_rng(args.seed)
    rows: dict[str, Callable[[], list[str]]] = {
        REAL: lambda: asked.test,
        f"{CHAIN} of order {asked.order}": lambda: markov(asked.train, asked.num, asked.order, rng),
        MATRIX: lambda: position_matrix(asked.train, asked.num, rng),
        NO_GAME: lambda: without_game(asked, args.seed),
    }
    rows |= {row: lambda row=row: samples(row, asked, args.steps, args.seed) for row in args.rows}  # type: ignore[misc]
    for number, (name, make) in enumerate(rows.items()):
        begun = time.process_time()
        texts = make()
        seconds = {"CPU s": time.process_time() - begun}
        figures, more = asked.judge(texts), common(texts, asked) | seconds
        if number == 0:
            names = [*figures, *more]
            print(f"{args.data}, seed {args.seed}, {args.steps:,} steps")
            print(f"| | {' | '.join(names)} |\n|---|{'---|' * len(names)}", flush=True)
        print(line(name, figures, more), flush=True)


if __name__ == "__main__":
    main()
