"""What writing several letters at once costs a masked model, and what it saves; one thread, CPU seconds.

    python benchmarks/generators/any_order.py MODEL [--num 1000] [--losses 0 0.01 0.05 0.2] [--measure FILE]

MODEL is of 'train-lm --architecture masked' on sequences of one length. Rows: nats of a sequence that may be
lost (dependence.LOSS; 0 is letter by letter). Columns: passes of the network for a block, letters a pass, CPU
s; AUC of a network and of a forest on 5-mers that tell the samples from as many letter-by-letter ones (in the
first row, these are told from others of their kind); the share of the mutual information of pairs of places
that is kept, of the 1% of pairs that have the most; whole stems, for RNA of 72 letters (_generator_data.py).
--measure: measure the dependences anew from these sequences.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import _generator_data as data
import _generator_judges as judges
import numpy as np
import torch

from seqdesign.language import dependence
from seqdesign.models.lm import sampling
from seqdesign.models.lm.store import TrainedLM, load_lm
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.reader import read_sequences
from seqdesign.training.data import TokenData

CPU = torch.device("cpu")
TOP = 0.01


def written(trained: TrainedLM, num: int, loss: float, seed: int) -> tuple[list[str], float, float]:
    """Samples, passes a block and CPU s."""
    dependence.LOSS = loss
    looks: list[int] = []
    handle = trained.model.network.norm.register_forward_hook(lambda *seen: looks.append(1))  # type: ignore[union-attr]
    rng, texts, begun = torch.Generator().manual_seed(seed), list[str](), time.process_time()
    for first in range(0, num, sampling.BLOCK):
        lengths = torch.full((min(sampling.BLOCK, num - first),), trained.record.max_length)
        texts += decode(sampling.draw(trained.model, lengths, rng).tokens, trained.record.alphabet)
    handle.remove()
    return texts, len(looks) / -(-num // sampling.BLOCK), time.process_time() - begun


def information(texts: Sequence[str], letters: str) -> np.ndarray:
    """(T, T) mutual information of pairs of places in nats."""
    rows = np.array([list(t) for t in texts])
    hot = (rows[:, :, None] == np.array(list(letters))).astype(float)
    n, steps, size = hot.shape
    flat = hot.reshape(n, -1)
    both = (flat.T @ flat / n).reshape(steps, size, steps, size)
    alone = hot.mean(0)
    apart = alone[:, :, None, None] * alone[None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(both > 0, both * np.log(both / apart), 0.0)
    return terms.sum((1, 3))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--num", type=int, default=1000)
    parser.add_argument("--losses", type=float, nargs="+", default=[0.0, 0.01, 0.05, 0.2])
    parser.add_argument("--measure", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    trained = load_lm(args.model, CPU)
    letters = trained.record.alphabet.letters
    if args.measure is not None:
        begun = time.process_time()
        tokens = encode(read_sequences(args.measure).sequences[-256:], trained.record.alphabet)
        trained.model.measure_dependence(TokenData.of(tokens, None), CPU, 0)
        print(f"dependences measured in {time.process_time() - begun:.0f} CPU s")
    exact = written(trained, args.num, 0.0, 1)[0]
    bits = information(exact, letters)
    upper = np.triu_indices(len(bits), 1)
    strong = bits[upper] >= np.quantile(bits[upper], 1 - TOP)
    print("| nats | passes | letters a pass | CPU s | AUC network | AUC 5-mers | pairs kept | stems |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for loss in args.losses:
        texts, passes, seconds = written(trained, args.num, loss, 2)
        kept = information(texts, letters)[upper][strong].sum() / bits[upper][strong].sum()
        network = judges.network_auc(texts, exact, letters)
        words = judges.forest_auc(texts, exact, letters, 5)
        stems = " / ".join(f"{v:.3f}" for v in data.judge_trna(texts).values()) if "U" in letters else ""
        rate = trained.record.max_length / passes
        figures = f"{rate:.1f} | {seconds:.1f} | {network:.3f} | {words:.3f} | {kept:.3f}"
        print(f"| {loss:g} | {passes:.0f} | {figures} | {stems} |", flush=True)


if __name__ == "__main__":
    main()
