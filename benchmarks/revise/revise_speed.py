"""Revising many sequences in one batch against one at a time, on one thread.

    python benchmarks/revise/revise_speed.py [--sequences 1000] [--singles 50] [--edits 3] [--hidden 128]

Both do the same work with the same model: REVISE with its defaults on 5' splice sites within a budget of
substitutions. With --edits 3 it leaves few strings, which are all scored; --edits 5 is the search. The model
is trained for two passes only, for speed does not depend on what it knows. One at a time is
measured on the first ``--singles`` of the sequences, in turns with the batch, and must give the designs that
the batch gave. Goal: the batch revises at least 10 times as many sequences a second.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from _common import as_problem, first_designs, trained

from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.store import TrainedVAE
from seqdesign.revisers.methods.revise import revise
from seqdesign.revisers.revise_options import ReviseOptions
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.bundled import dataset_info
from seqdesign.sequences.datasets import load_dataset
from seqdesign.training.config import FitOptions

DATA = "rna_mpsa_5ss9"
LEARNED = 8000


def make_model(hidden: int) -> tuple[TrainedVAE, list[str]]:
    """A model, and sequences that it has not seen."""
    data = load_dataset(DATA)
    assert data.outcomes is not None
    model = trained(
        data.sequences[:LEARNED],
        data.outcomes[:LEARNED],
        get_alphabet(dataset_info(DATA).alphabet),
        options=VAEOptions(hidden=hidden),
        fit=FitOptions(epochs=2),
        seed=0,
        folder=None,
        recipe={},
    )
    return model, data.sequences[LEARNED:]


def revised(model: TrainedVAE, starts: list[str], edits: int) -> list[str]:
    problem = as_problem(model, starts, max_edits=edits, indels=False)
    return first_designs(model, revise(problem, ReviseOptions(), 0))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--singles", type=int, default=50)
    parser.add_argument("--edits", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model, sequences = make_model(arguments.hidden)
    starts = sequences[: arguments.sequences]
    batch, single = [], []
    for _ in range(arguments.rounds):
        begin = time.perf_counter()
        together = revised(model, starts, arguments.edits)
        middle = time.perf_counter()
        alone = [revised(model, [start], arguments.edits)[0] for start in starts[: arguments.singles]]
        end = time.perf_counter()
        assert alone == together[: len(alone)], "a batch must give what its items give one by one"
        batch.append((middle - begin) / len(together))
        single.append((end - middle) / len(alone))
    changed = sum(a != b for a, b in zip(starts, together, strict=True))
    print(f"{DATA}: {len(starts)} sequences, <= {arguments.edits} edits, {changed} of them changed")
    print(f"  all in one batch {1 / statistics.median(batch):10,.1f} sequences/s")
    print(f"  one at a time    {1 / statistics.median(single):10,.1f} sequences/s, the same designs")
    ratio = statistics.median(b / a for a, b in zip(batch, single, strict=True))
    print(f"  ratio            {ratio:10.1f}x (goal: at least 10)")


if __name__ == "__main__":
    main()
