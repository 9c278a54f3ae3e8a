"""REVISE as a library call: a trained model, sequences as tokens, and an objective of one's own.

An objective is any differentiable function from predicted outcomes (N,) to what is maximised (N,). Here:
reach an outcome of 1 (10% spliced in), but do not pay for more.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from seqdesign.commands.train_vae import TrainVAEConfig, train_vae
from seqdesign.models.vae.store import load_vae
from seqdesign.revisers.methods.revise import DesignProblem, ReviseOptions, revise
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.tables import write_table

NUM_TRAIN, EPOCHS, ENOUGH = 1000, 10, 1.0
FOLDER = Path("example-02")
STARTS = ["CAGGUACGU", "AAGGCAAGU", "UCGGUUCCA"]


def good_enough(outcome: Tensor) -> Tensor:
    """Outcomes (N,) -> scores (N,): rises to 0 at ENOUGH and stays there."""
    return -(ENOUGH - outcome).clamp(min=0).square()


def main() -> None:
    sites = load_dataset("rna_mpsa_5ss9").take(range(NUM_TRAIN))
    FOLDER.mkdir(exist_ok=True)
    table, model = FOLDER / "train.csv", FOLDER / "model"
    write_table({"sequence": sites.sequences, "outcome": sites.outcomes}, table)
    train_vae(TrainVAEConfig(sequences=table, output=model, epochs=EPOCHS, overwrite=True, quiet=True))

    trained = load_vae(model, torch.device("cpu"))
    alphabet = trained.record.alphabet
    starts = encode(STARTS, alphabet)
    problem = DesignProblem(
        model=trained.model,
        tokens=torch.from_numpy(starts.tokens).long(),
        lengths=torch.from_numpy(starts.lengths),
        score=good_enough,
        max_edits=2,
        floor_per_letter=trained.record.naturalness_floor,
        top=2,
    )
    result = revise(problem, ReviseOptions(alpha=-100.0, rounds=1), seed=0)
    for i, start in enumerate(STARTS):
        print(f"{start}  F = {result.before.outcome[i]:+.2f}")
        designs = decode(result.tokens[i], alphabet)
        for k in result.found[i].nonzero().flatten().tolist():
            print(f"  {designs[k]}  F = {result.outcome[i, k]:+.2f}")


if __name__ == "__main__":
    main()
